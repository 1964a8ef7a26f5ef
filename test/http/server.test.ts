// The API over HTTP: requests, answers, watches and logs as a client sees them.

import { Agent as TlsAgent } from 'node:https'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeCredentials } from '../../src/http/credentials.js'
import { type ApiListener, listen } from '../../src/http/server.js'
import { ApiFixture } from '../support/api-fixture.js'
import { type Asked, ask, linesOf, open } from '../support/http-client.js'

const TOKEN = 'secret'
const MAPS = '/api/v1/namespaces/default/configmaps'

interface Context {
  fixture: ApiFixture
  server: ApiListener
  /** What every request has. */
  known: Asked
}

const test = suite<Context>('http server')

test.before.each(async (context) => {
  context.fixture = new ApiFixture()
  const { api } = context.fixture
  const own = { '/podwire/v1/status': { read: () => ({ fine: true }) } }
  context.server = await listen({ api, port: 0, credentials: { token: TOKEN }, own })
  context.known = { port: context.server.port, headers: { authorization: `Bearer ${TOKEN}` } }
})
test.after.each(async ({ server }) => server.close())

function configMap(name: string, value = 'value'): string {
  return JSON.stringify({ metadata: { name }, data: { key: value } })
}

test('an object is made, read and deleted', async ({ known }) => {
  assert.is((await ask({ ...known, path: MAPS, method: 'POST', body: configMap('one') })).code, 201)
  const read = await ask({ ...known, path: `${MAPS}/one` })
  assert.equal(JSON.parse(read.text).data, { key: 'value' })
  assert.is((await ask({ ...known, path: `${MAPS}/one`, method: 'DELETE' })).code, 200)
  const gone = await ask({ ...known, path: `${MAPS}/one` })
  assert.is(gone.code, 404)
  assert.is(JSON.parse(gone.text).message, 'configmaps "one" not found')
})

test('a body is YAML when it says so', async ({ known }) => {
  const headers = { ...known.headers, 'content-type': 'application/yaml' }
  const body = 'metadata:\n  name: two\ndata:\n  key: other\n'
  const { code, text } = await ask({ ...known, headers, path: MAPS, method: 'POST', body })
  assert.is(code, 201)
  assert.is(JSON.parse(text).data.key, 'other')
})

test('answers are YAML for who takes nothing else, and watches are not', async ({ known }) => {
  await ask({ ...known, path: MAPS, method: 'POST', body: configMap('one', 'yes') })
  const of = (accept: string) => ({ ...known, headers: { ...known.headers, accept } })
  const { headers, text } = await ask({ ...of('application/yaml'), path: `${MAPS}/one` })
  assert.is(headers['content-type'], 'application/yaml')
  assert.match(text, /^apiVersion: v1\ndata:\n {2}key: "yes"\nkind: ConfigMap\nmetadata:\n/)
  const refused = await ask({ ...of('application/yaml'), path: `${MAPS}/two` })
  assert.match(refused.text, /^apiVersion: v1\ncode: 404\n/)
  const both = await ask({
    ...of('application/yaml;q=0.1, application/json'),
    path: `${MAPS}?watch=1&timeoutSeconds=1`,
  })
  assert.is(JSON.parse(both.text.split('\n')[0]!).type, 'ADDED')
  const watch = await ask({ ...of('application/yaml'), path: `${MAPS}?watch=1` })
  assert.is(watch.code, 406)
  assert.match(watch.text, /accepted: application\/json/)
  assert.is((await ask({ ...of('text/html'), path: `${MAPS}/one` })).code, 406)
})

test('a watch that asks for bookmarks is told how far it has heard, again and again', async ({ fixture }) => {
  const { api } = fixture
  const server = await listen({ api, port: 0, credentials: { token: TOKEN }, bookmarkMillis: 5 })
  const known = { port: server.port, headers: { authorization: `Bearer ${TOKEN}` } }
  try {
    const response = await open({ ...known, path: `${MAPS}?watch=true&allowWatchBookmarks=true` })
    const lines = linesOf(response) as AsyncGenerator<{
      type: string
      object: { kind: string; apiVersion: string; metadata: { resourceVersion: string } }
    }>
    const before = (await lines.next()).value
    assert.equal([before.type, before.object.kind, before.object.apiVersion], ['BOOKMARK', 'ConfigMap', 'v1'])
    await ask({ ...known, path: MAPS, method: 'POST', body: configMap('one') })
    const told: string[] = []
    for await (const { type, object } of lines) {
      told.push(type)
      if (object.metadata.resourceVersion !== before.object.metadata.resourceVersion && type === 'BOOKMARK')
        break
    }
    assert.is(told.filter((type) => type === 'ADDED').length, 1, 'a bookmark comes after what it stands for')
    assert.is(told.at(-2), 'ADDED')
  } finally {
    await server.close()
  }
})

test('a watch tells each change as a line when it happens', async ({ fixture, known }) => {
  const response = await open({ ...known, path: '/api/v1/pods?watch=true' })
  const lines = linesOf(response) as AsyncGenerator<{ type: string; object: { metadata: { name: string } } }>
  fixture.runningPod('web')
  const { value } = await lines.next()
  assert.is(value.type, 'ADDED')
  assert.is(value.object.metadata.name, 'web')
  response.destroy()
})

test('a watch in the older form, of a collection and of one object', async ({ fixture, known }) => {
  for (const name of ['web', 'db']) fixture.runningPod(name)
  const namesOf = async (path: string, most: number) => {
    const response = await open({ ...known, path })
    const names: string[] = []
    for await (const line of linesOf(response)) {
      names.push((line as { object: { metadata: { name: string } } }).object.metadata.name)
      if (names.length === most) break
    }
    response.destroy()
    return names
  }
  assert.equal((await namesOf('/api/v1/watch/namespaces/default/pods', 2)).sort(), ['db', 'web'])
  assert.equal((await namesOf('/api/v1/watch/pods', 2)).sort(), ['db', 'web'])
  const one = '/api/v1/watch/namespaces/default/pods/web?timeoutSeconds=1'
  assert.equal(await namesOf(one, 2), ['web'])
  const { code } = await ask({ ...known, path: '/api/v1/watch/pods', method: 'POST', body: '{}' })
  assert.is(code, 405)
  for (const path of ['/api/v1/watch', '/api/v1/watch/nothing', '/api/v1/watch/pods/x/y/z'])
    assert.is((await ask({ ...known, path })).code, 404, path)
})

test('a watch ends after its timeout, and one that is refused is an ordinary answer', async ({ known }) => {
  const ended = await ask({ ...known, path: '/api/v1/pods?watch=true&timeoutSeconds=1' })
  assert.equal([ended.code, ended.text], [200, ''])
  assert.is((await ask({ ...known, path: '/api/v1/nothing?watch=true' })).code, 404)
  assert.is((await ask({ ...known, path: '/api/v1/pods?watch=true&labelSelector=%3D%3D' })).code, 400)
  assert.is((await ask({ ...known, path: '/api/v1/pods?watch=true&resourceVersion=x' })).code, 422)
})

test('a watch from a version that is forgotten tells 410 as an event', async ({ fixture, known }) => {
  for (let n = 0; n < 1_100; n++) {
    const metadata = { name: `map-${n}`, namespace: 'default' }
    fixture.admission.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
  }
  const { code, text } = await ask({ ...known, path: `${MAPS}?watch=1&resourceVersion=1` })
  assert.is(code, 200)
  const { type, object } = JSON.parse(text)
  assert.equal([type, object.reason, object.code], ['ERROR', 'Expired', 410])
})

test('a log is followed until its container ends', async ({ fixture, known }) => {
  fixture.runningPod('web')
  fixture.streams.write(0, 'one\n')
  const path = '/api/v1/namespaces/default/pods/web/log?follow=true'
  const response = await open({ ...known, path })
  const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]()
  assert.is((await chunks.next()).value, 'one\n')
  fixture.streams.write(1, 'two\n')
  assert.is((await chunks.next()).value, 'two\n')
  for (const { onEnd } of fixture.streams.followers) onEnd()
  assert.is((await chunks.next()).done, true)
  assert.is((await ask({ ...known, path: path.replace('web', 'none') })).code, 404)
})

test('HEAD has the headers of GET, OPTIONS says what is allowed', async ({ known }) => {
  const get = await ask({ ...known, path: '/api/v1/namespaces' })
  const head = await ask({ ...known, path: '/api/v1/namespaces', method: 'HEAD' })
  assert.equal([head.code, head.text], [200, ''])
  assert.is(head.headers['content-length'], get.headers['content-length'])
  const options = await ask({ ...known, path: '/api/v1/namespaces', method: 'OPTIONS' })
  assert.is(options.code, 200)
  assert.match(options.headers.allow ?? '', /GET, POST, PUT, PATCH, DELETE/)
  assert.is((await ask({ ...known, path: '/api/v1/namespaces', method: 'TRACE' })).code, 405)
})

test('large answers are zipped for those who ask', async ({ known }) => {
  const large = configMap('large', 'x'.repeat(200_000))
  await ask({ ...known, path: MAPS, method: 'POST', body: large })
  const plain = await ask({ ...known, path: MAPS })
  assert.is(plain.headers['content-encoding'], undefined)
  const headers = { ...known.headers, 'accept-encoding': 'gzip' }
  const zipped = await ask({ ...known, headers, path: MAPS })
  assert.is(zipped.headers['content-encoding'], 'gzip')
  assert.ok(zipped.text.length < plain.text.length / 10)
  const small = await ask({ ...known, headers, path: '/version' })
  assert.is(small.headers['content-encoding'], undefined)
})

test('a connection is kept and used again', async ({ known }) => {
  const { Agent } = await import('node:http')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ports = new Set<number | undefined>()
  for (const path of ['/version', `${MAPS}/none`, '/nothing', '/api/v1/pods']) {
    const response = await open({ ...known, agent, path })
    ports.add(response.socket.localPort)
    await response.toArray()
  }
  agent.destroy()
  assert.is(ports.size, 1)
})

test('readings are answered beside the API', async ({ known }) => {
  assert.is((await ask({ ...known, path: '/podwire/v1/status' })).text, '{"fine":true}\n')
  assert.is((await ask({ ...known, path: '/podwire/v1/status', method: 'POST' })).code, 405)
})

test('over TLS a client certificate is as good as a token', async ({ fixture }) => {
  const { server: credentials, client } = await makeCredentials('127.0.0.1', 'cluster.local')
  const other = await makeCredentials('127.0.0.1', 'cluster.local')
  const server = await listen({ api: fixture.api, port: 0, credentials })
  const known = { port: server.port, ca: client.ca, path: '/api/v1/nodes' }
  const codeOf = async (asked: Partial<Asked>) => (await ask({ ...known, ...asked })).code
  try {
    assert.is(await codeOf({}), 401)
    assert.is(await codeOf({ headers: { authorization: `Bearer ${client.token}` } }), 200)
    assert.is(await codeOf({ cert: client.certificate.cert, key: client.certificate.key }), 200)
    const foreign = other.client.certificate
    assert.is(await codeOf({ cert: foreign.cert, key: foreign.key }), 401)
    assert.is(await codeOf({ headers: { authorization: `Bearer ${other.client.token}` } }), 401)
    // The server proves who it is: another authority's client does not talk to it.
    const error = await codeOf({ ca: other.client.ca }).catch((reason: Error) => reason)
    assert.instance(error, Error)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const stranger = new TlsAgent({ maxCachedSessions: 10, maxVersion })
      // The second connection resumes the session of the first.
      for (let n = 0; n < 3; n++) assert.is(await codeOf({ agent: stranger }), 401, maxVersion)
      const friend = new TlsAgent({ maxCachedSessions: 10, maxVersion, ...client.certificate })
      for (let n = 0; n < 3; n++) assert.is(await codeOf({ agent: friend }), 200, maxVersion)
    }
    // kubectl's names for it.
    for (const servername of ['localhost', 'kubernetes.default.svc.cluster.local'])
      assert.is(await codeOf({ servername, cert: client.certificate.cert, key: client.certificate.key }), 200)
  } finally {
    await server.close()
  }
})

test.run()
