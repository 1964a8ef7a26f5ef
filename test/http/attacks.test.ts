// What must not work: web pages, other names for the server (DNS rebinding), wrong tokens, bytes that are no request,
// more than a server should read; and what comes back is always a Status, never a crash.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Status } from '../../src/api/request.js'
import { type ApiListener, listen } from '../../src/http/server.js'
import { ApiFixture } from '../support/api-fixture.js'
import { type Asked, ask, exchangeBytes } from '../support/http-client.js'
import { fc } from '../support/properties.js'

const TOKEN = 'secret'
const MAPS = '/api/v1/namespaces/default/configmaps'
const MAP = JSON.stringify({ metadata: { name: 'planted' } })
const MEGABYTE = 1024 * 1024

interface Context {
  fixture: ApiFixture
  server: ApiListener
  upgraded: string[]
}

const test = suite<Context>('http attacks')

test.before.each(async (context) => {
  context.fixture = new ApiFixture()
  context.upgraded = []
  const upgrade = ({ socket, url }: { request: IncomingMessage; socket: Duplex; url: URL }) => {
    if (!url.pathname.endsWith('/exec')) return false
    context.upgraded.push(url.pathname)
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    return true
  }
  const { api } = context.fixture
  context.server = await listen({ api, port: 0, credentials: { token: TOKEN }, upgrades: [upgrade] })
})
test.after.each(async ({ server }) => server.close())

const authorization = `Bearer ${TOKEN}`

/** The Status of a refusal; fails unless the server answered with that code and the same in the Status. */
async function refusal(asked: Asked, code: number): Promise<Status> {
  const answer = await ask(asked)
  assert.is(answer.code, code, `${asked.method ?? 'GET'} ${asked.path}: ${answer.text}`)
  const status = JSON.parse(answer.text) as Status
  assert.equal([status.kind, status.status, status.code], ['Status', 'Failure', code])
  assert.is(answer.headers['content-type'], 'application/json')
  return status
}

function planted({ fixture }: Context): boolean {
  return fixture.store.get('configmaps', 'default', 'planted') !== undefined
}

test('no token and wrong tokens are 401', async ({ server: { port } }) => {
  const wrong = ['', 'Bearer', 'Bearer wrong', `Bearer ${TOKEN}x`, TOKEN, `Basic ${btoa(`admin:${TOKEN}`)}`]
  for (const authorization of wrong) {
    const { reason } = await refusal({ port, path: '/api/v1/secrets', headers: { authorization } }, 401)
    assert.is(reason, 'Unauthorized')
  }
  await refusal({ port, path: '/api/v1/secrets' }, 401)
  await refusal({ port, path: `/api/v1/secrets?token=${TOKEN}&access_token=${TOKEN}` }, 401)
  await refusal({ port, path: '/version' }, 401)
})

test('a service account is known by its token as long as it is there, and nobody can be somebody else', async ({
  fixture,
  server: { port },
}) => {
  const post = (path: string, body: string, headers: Record<string, string> = { authorization }) =>
    ask({ port, path, method: 'POST', body, headers })
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  await post(accounts, JSON.stringify({ metadata: { name: 'bot' } }))
  const { status } = JSON.parse((await post(`${accounts}/bot/token`, '{}')).text) as {
    status: { token: string }
  }
  const own = { authorization: `Bearer ${status.token}` }
  const review = await post('/apis/authentication.k8s.io/v1/selfsubjectreviews', '{}', own)
  assert.is(JSON.parse(review.text).status.userInfo.username, 'system:serviceaccount:default:bot')
  await refusal({ port, path: '/api/v1/pods', headers: { authorization: `${own.authorization}x` } }, 401)
  for (const headers of [own, { authorization }]) {
    const asked = { port, path: '/api/v1/pods', headers: { ...headers, 'impersonate-user': 'bob' } }
    assert.match((await refusal(asked, 403)).message ?? '', /impersonated/)
  }
  fixture.api.request({ method: 'DELETE', path: `${accounts}/bot` })
  await refusal({ port, path: '/api/v1/pods', headers: own }, 401)
})

test('another name for the server is 403, with the right token too: DNS rebinding', async ({
  server: { port },
}) => {
  const hosts = [
    'evil.example',
    `evil.example:${port}`,
    `127.0.0.1.evil.example:${port}`,
    `localhost.evil.example:${port}`,
    `evil.example@127.0.0.1:${port}`,
    '10.0.0.1',
    '0.0.0.0',
    '[::2]',
    'localhost:port',
    'localhost, evil.example',
  ]
  for (const host of hosts) {
    const { reason } = await refusal({ port, path: '/api/v1/pods', headers: { authorization, host } }, 403)
    assert.is(reason, 'Forbidden', host)
  }
  for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.1', `[::1]:${port}`]) {
    const { code } = await ask({ port, path: '/api/v1/pods', headers: { authorization, host } })
    assert.is(code, 200, host)
  }
})

test('a request without Host, and one with two, is no request', async ({ server: { port } }) => {
  const head = `GET /api/v1/pods HTTP/1.1\r\nAuthorization: ${authorization}\r\nConnection: close\r\n`
  assert.match(await exchangeBytes(port, `${head}\r\n`), /^HTTP\/1\.1 4/)
  const two = `${head}Host: 127.0.0.1\r\nHost: evil.example\r\n\r\n`
  assert.match(await exchangeBytes(port, two), /^HTTP\/1\.1 (4|200)/)
  assert.match(await exchangeBytes(port, two.replace('Host: 127.0.0.1\r\n', '')), /^HTTP\/1\.1 403/)
  // The absolute form names a host of its own.
  const absolute = `${head.replace('/api', 'http://evil.example/api')}Host: 127.0.0.1\r\n\r\n`
  assert.match(await exchangeBytes(port, absolute), /^HTTP\/1\.1 40[03]/)
})

test('a page of another origin is 403', async ({ server: { port } }) => {
  const origins = [
    'https://evil.example',
    'null',
    'http://localhost',
    `https://127.0.0.1:${port}`,
    `http://127.0.0.1:${port + 1}`,
    'file://',
  ]
  for (const origin of origins) {
    await refusal({ port, path: '/api/v1/pods', headers: { authorization, origin } }, 403)
    await refusal({ port, path: MAPS, method: 'OPTIONS', headers: { origin } }, 403)
  }
  for (const site of ['cross-site', 'same-site'])
    await refusal({ port, path: '/api/v1/pods', headers: { authorization, 'sec-fetch-site': site } }, 403)
  const headers = { authorization, origin: `http://127.0.0.1:${port}` }
  const { code, headers: answered } = await ask({ port, path: '/api/v1/pods', headers })
  assert.is(code, 200)
  assert.is(answered['access-control-allow-origin'], undefined)
})

test('a form of another site writes nothing: the request that browsers send without asking', async (context) => {
  const { port } = context.server
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/json']
  for (const type of types) {
    const headers = { 'content-type': type, origin: 'https://evil.example' }
    await refusal({ port, path: MAPS, method: 'POST', body: MAP, headers }, 403)
    await refusal(
      { port, path: MAPS, method: 'POST', body: MAP, headers: { ...headers, authorization } },
      403,
    )
    // An old browser that does not tell the origin has no token all the same.
    await refusal({ port, path: MAPS, method: 'POST', body: MAP, headers: { 'content-type': type } }, 401)
  }
  assert.not(planted(context))
  // With the token, but as text that is no JSON by its type.
  const headers = { authorization, 'content-type': 'text/plain' }
  const { reason } = await refusal({ port, path: MAPS, method: 'POST', body: MAP, headers }, 415)
  assert.is(reason, 'UnsupportedMediaType')
  assert.not(planted(context))
})

test('a WebSocket of a page, or without a token, is not upgraded', async ({ server: { port }, upgraded }) => {
  const open = (headers: Record<string, string>, path = '/api/v1/namespaces/default/pods/web/exec') => {
    const all = {
      host: `127.0.0.1:${port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    return exchangeBytes(port, `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  }
  assert.match(
    await open({ authorization, origin: 'https://evil.example' }),
    /^HTTP\/1\.1 403 [\s\S]*"Status"/,
  )
  assert.match(await open({ authorization, host: `evil.example:${port}` }), /^HTTP\/1\.1 403 /)
  assert.match(await open({ origin: `http://127.0.0.1:${port}` }), /^HTTP\/1\.1 401 /)
  assert.match(await open({}), /^HTTP\/1\.1 401 /)
  assert.match(
    await open({ 'sec-websocket-protocol': `base64url.bearer.authorization.k8s.io.d3Jvbmc` }),
    /401/,
  )
  assert.equal(upgraded, [])
  assert.match(await open({ authorization }, '/api/v1/nothing'), /^HTTP\/1\.1 404 /)
  assert.match(await open({ authorization }), /^HTTP\/1\.1 101 /)
  assert.is(upgraded.length, 1)
})

test('paths lead nowhere but into the API', async ({ server: { port } }) => {
  const paths = [
    '/../../../../etc/passwd',
    '/api/v1/../../../etc/passwd',
    '/api/v1/namespaces/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/api/v1/namespaces/default/configmaps/..%2f..%2fsecrets',
    '/api/v1/namespaces/default/configmaps/%00',
    '/api/v1/namespaces/default/configmaps/%zz',
    '/api/v1/namespaces/default/configmaps/%',
    '//evil.example/api/v1/pods',
    '/api/v1/__proto__',
    '/api/v1/namespaces/default/configmaps/__proto__',
    '/api/v1/namespaces/constructor/configmaps/prototype',
    '/__proto__',
    '/constructor',
    '/api/v1/namespaces/default/configmaps/one/log',
  ]
  for (const path of paths) await refusal({ port, path, headers: { authorization } }, 404)
  assert.is((await ask({ port, path: '/api/v1/pods?__proto__=1', headers: { authorization } })).code, 200)
})

test('malformed, empty and endless bodies are refused', async (context) => {
  const { port } = context.server
  const post = (body: string | Uint8Array, code: number, type = 'application/json') =>
    refusal(
      { port, path: MAPS, method: 'POST', body, headers: { authorization, 'content-type': type } },
      code,
    )
  for (const body of ['{', '{"metadata":', '[]', '"x"', '12', 'null', 'true', '\0', '{"a":1}}', "{'a':1}"])
    await post(body, 400)
  await post('', 400)
  await post(new Uint8Array([0xff, 0xfe, 0x80]), 400)
  await post(`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400)
  await post(`{"metadata":{"name":"deep"},"data":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`, 400)
  await post('a: [', 400, 'application/yaml')
  await post('a: &a [1]\nb: &b [*a,*a]\n'.concat('c: [*b,*b]\n'.repeat(500)), 400, 'application/yaml')
  await post('x', 400, 'application/vnd.kubernetes.protobuf')
  await post(MAP, 415, 'image/png')
  const { reason } = await post(`"${'x'.repeat(3 * MEGABYTE)}"`, 413)
  assert.is(reason, 'RequestEntityTooLarge')
  assert.not(planted(context))
})

test('a body without an announced length is refused when it has grown too large', async ({
  server: { port },
}) => {
  const head = `POST ${MAPS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\nTransfer-Encoding: chunked\r\n\r\n`
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  assert.match(await exchangeBytes(port, head + chunk.repeat(64)), /^HTTP\/1\.1 413 [\s\S]*"Status"/)
})

test('huge headers are 431, bytes that are no HTTP 400', async ({ server: { port } }) => {
  const head = 'GET /api/v1/pods HTTP/1.1\r\nHost: 127.0.0.1\r\n'
  const huge = `${head}X-Filler: ${'x'.repeat(MEGABYTE)}\r\n\r\n`
  assert.match(await exchangeBytes(port, huge), /^HTTP\/1\.1 431 [\s\S]*"code":431/)
  const many = `${head}${Array.from({ length: 50_000 }, (_, n) => `x-${n}: y\r\n`).join('')}\r\n`
  assert.match(await exchangeBytes(port, many), /^HTTP\/1\.1 431 /)
  assert.match(await exchangeBytes(port, '\x16\x03\x01\x02\0\x01\0'), /^HTTP\/1\.1 400 [\s\S]*"Status"/)
  assert.match(await exchangeBytes(port, 'HELLO\r\n\r\n'), /^HTTP\/1\.1 400 /)
  const smuggled = `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
  assert.match(await exchangeBytes(port, smuggled), /^HTTP\/1\.1 400 /)
})

test('whatever bytes come, the server answers the next request', async ({ server: { port } }) => {
  const line = fc.string({ unit: 'binary', maxLength: 60 })
  const almost = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'FOO', ''),
      fc.oneof(line, fc.constant(MAPS)),
      fc.array(line, { maxLength: 5 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
    )
    .map(
      ([method, path, headers, body]) =>
        `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\nConnection: close\r\n${headers.join('\r\n')}\r\n\r\n${body}`,
    )
  const sent = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 300 }), almost)
  await fc.assert(
    fc.asyncProperty(sent, async (bytes) => {
      const socket = exchangeBytes(port, typeof bytes === 'string' ? `${bytes}\r\n\r\n` : bytes)
      // What is the beginning of a request is waited for: that one is left alone here.
      await Promise.race([socket, ask({ port, path: '/version', headers: { authorization } })])
      assert.is((await ask({ port, path: '/version', headers: { authorization } })).code, 200)
    }),
    { numRuns: 200 },
  )
})

test('whatever JSON is written, the answer is an object or a Status', async ({
  server: { port },
  fixture,
}) => {
  const value = fc.jsonValue({ maxDepth: 4 })
  const object = fc.record(
    {
      apiVersion: fc.oneof(fc.constantFrom('v1', 'apps/v1'), value),
      kind: fc.oneof(fc.constantFrom('ConfigMap', 'Pod'), value),
      metadata: fc.oneof(
        fc.record({
          name: fc.oneof(fc.string(), value),
          labels: value,
          annotations: value,
          ownerReferences: value,
        }),
        value,
      ),
      spec: fc.oneof(fc.record({ containers: value, volumes: value, nodeName: value }), value),
      data: value,
    },
    { requiredKeys: [] },
  )
  const paths = [MAPS, '/api/v1/namespaces/default/pods', '/apis/apps/v1/namespaces/default/deployments']
  const types = ['application/json', 'application/merge-patch+json', 'application/strategic-merge-patch+json']
  const admission = fixture.admission
  admission.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'target', namespace: 'default' },
  })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(object, value),
      fc.constantFrom(...paths),
      fc.constantFrom('POST', 'PATCH', 'PUT', 'DELETE'),
      fc.constantFrom(...types),
      async (body, collection, method, type) => {
        const path = method === 'POST' ? collection : `${MAPS}/target`
        const headers = { authorization, 'content-type': type }
        const dry = `${path}?dryRun=All`
        const { code, text } = await ask({ port, path: dry, method, body: JSON.stringify(body), headers })
        assert.ok(code < 500, `${method} ${path} ${JSON.stringify(body)}: ${code} ${text}`)
        const { kind } = JSON.parse(text) as { kind: unknown }
        assert.type(kind, 'string')
      },
    ),
    { numRuns: 300, verbose: 1 },
  )
})

test.run()
