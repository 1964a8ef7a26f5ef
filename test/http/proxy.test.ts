// The proxy subresource of pods and Services: what reaches the program behind it, what comes back, and what is said when
// there is none. The program is a server of this process; pods by packets are in test/acceptance.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EndpointSlice, KubeObject, Service } from '../../src/cluster/objects.js'
import type { Dial } from '../../src/http/proxy.js'
import { type ApiListener, listen } from '../../src/http/server.js'
import { formatAddress } from '../../src/wire/address.js'
import { ApiFixture } from '../support/api-fixture.js'
import { type Answer, type Asked, ask } from '../support/http-client.js'

const TOKEN = 'secret'
const ROOT = '/api/v1/namespaces/default'

interface Context {
  fixture: ApiFixture
  server: ApiListener
  program: Server
  /** `address:port` of every connection. */
  dialled: string[]
  /** What the program was asked. */
  heard: { request: IncomingMessage; body: string }[]
  get: (path: string, more?: Partial<Asked>) => Promise<Answer>
}

const test = suite<Context>('proxy subresource')

test.before.each(async (context) => {
  const heard: Context['heard'] = []
  const program = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    heard.push({ request, body })
    response.writeHead(203, { 'x-own': 'yes', 'content-type': 'text/plain' }).end(`you said ${body}`)
  })
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve))
  const dialled: string[] = []
  const dial: Dial = async ({ address, port }) => {
    dialled.push(`${formatAddress(address)}:${port}`)
    if (port === 81) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    return connect((program.address() as AddressInfo).port, '127.0.0.1')
  }
  const fixture = new ApiFixture()
  addObjects(fixture)
  const server = await listen({ api: fixture.api, port: 0, credentials: { token: TOKEN }, dial })
  const headers = { authorization: `Bearer ${TOKEN}` }
  const get = (path: string, more: Partial<Asked> = {}) =>
    ask({ port: server.port, path: `${ROOT}${path}`, ...more, headers: { ...headers, ...more.headers } })
  Object.assign(context, { fixture, server, program, dialled, heard, get })
})
test.after.each(async ({ server, program }) => {
  await server.close()
  program.closeAllConnections()
  await new Promise((resolve) => program.close(resolve))
})

function addObjects({ store, admission }: ApiFixture): void {
  const pod = admission.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      nodeName: 'k8s-node1',
      containers: [{ name: 'main', image: 'nginx', ports: [{ name: 'http', containerPort: 8080 }] }],
    },
  } as KubeObject)
  store.update({ ...pod, status: { phase: 'Running', podIP: '10.244.1.9', podIPs: [{ ip: '10.244.1.9' }] } })
  const ports = [
    { name: 'a', port: 80, targetPort: 8080 },
    { name: 'b', port: 90, targetPort: 81 },
  ]
  for (const name of ['shop', 'empty'])
    admission.create<Service>({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: { ports },
    })
  admission.create<Service>({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'named', namespace: 'default' },
    spec: { ports: [{ port: 80 }] },
  })
  admission.create<EndpointSlice>({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'named-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'named' } },
    addressType: 'FQDN',
    endpoints: [{ addresses: ['example.com'], conditions: { ready: true } }],
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
  } as unknown as EndpointSlice)
  admission.create<EndpointSlice>({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'shop-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'shop' } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['10.244.1.9'], conditions: { ready: true } },
      { addresses: ['10.244.1.10'], conditions: { ready: false } },
    ],
    ports: [
      { name: 'a', port: 8080, protocol: 'TCP' },
      { name: 'b', port: 81, protocol: 'TCP' },
    ],
  } as unknown as EndpointSlice)
}

test('a request goes on with method, path, query and body, without what was for the API server', async ({
  get,
  heard,
  dialled,
}) => {
  const { code, headers, text } = await get('/pods/web:8081/proxy/a/b%20c?q=1&q=2', {
    method: 'POST',
    body: 'hello',
    headers: { 'content-type': 'text/x', 'x-mine': 'z' },
  })
  assert.equal([code, text, headers['x-own']], [203, 'you said hello', 'yes'])
  assert.equal(dialled, ['10.244.1.9:8081'])
  const [{ request, body }] = heard as [Context['heard'][number]]
  assert.equal([request.method, request.url, body], ['POST', '/a/b%20c?q=1&q=2', 'hello'])
  assert.is(request.headers.authorization, undefined)
  assert.is(request.headers['x-mine'], 'z')
  assert.is(request.headers['x-forwarded-uri'], `${ROOT}/pods/web:8081/proxy/a/b%20c?q=1&q=2`)
})

test('headers that Connection names stay where they are, both ways', async ({ get, heard, program }) => {
  await get('/pods/web/proxy/', { headers: { connection: 'close, X-Mine', 'x-mine': '1', 'x-other': '2' } })
  const { headers } = heard[0]!.request
  assert.equal([headers['x-mine'], headers['x-other'], headers['connection']], [undefined, '2', 'close'])
  program.removeAllListeners('request')
  program.on('request', (_request, response) => {
    response.writeHead(200, { connection: 'close, X-Mine', 'x-mine': '1', 'x-other': '2' }).end()
  })
  const answer = await get('/pods/web/proxy/')
  assert.equal([answer.headers['x-mine'], answer.headers['x-other']], [undefined, '2'])
})

test('an answer that has no body is given as it is, whatever comes behind it', async ({ get, program }) => {
  let head = ''
  program.removeAllListeners('request')
  program.on('request', ({ socket }) => socket.end(`HTTP/1.1 ${head}\r\nContent-Length: 5\r\n\r\nhello`))
  for (const [line, method] of [
    ['204 x', 'GET'],
    ['304 x', 'GET'],
    ['200 x', 'HEAD'],
  ] as const) {
    head = line
    const { code, text } = await get('/pods/web/proxy/', { method })
    assert.equal([code, text], [Number(line.slice(0, 3)), ''], `${method} ${line}`)
  }
})

test('paths lead to the program alone, as they were sent', async ({ get, heard }) => {
  for (const path of ['/..%2f..%2fsecrets', '//evil.example/', '/http://evil.example/', '/%00', '/a%0d%0ab'])
    assert.is((await get(`/pods/web/proxy${path}`)).code, 203, path)
  assert.equal(
    heard.map(({ request }) => request.url),
    ['/..%2f..%2fsecrets', '//evil.example/', '/http://evil.example/', '/%00', '/a%0d%0ab'],
  )
  // What leads out of it is a path of the API.
  for (const path of ['/../../../../default/pods/none', '/%2e%2e/%2e%2e/none'])
    assert.is((await get(`/pods/web/proxy${path}`)).code, 404, path)
  assert.is(heard.length, 5)
})

test('a web page reaches no program, with the token and without', async ({ get, heard }) => {
  for (const headers of [
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { host: 'evil.example' },
  ])
    for (const method of ['GET', 'POST', 'OPTIONS'])
      assert.is((await get('/pods/web/proxy/', { method, headers: { ...headers } })).code, 403)
  assert.is((await get('/pods/web/proxy/', { headers: { 'impersonate-user': 'bob' } })).code, 403)
  assert.equal(heard, [])
})

test('ports: of a pod its first, by name or number; of a Service by name or number, and a ready endpoint', async ({
  get,
  dialled,
}) => {
  const paths = ['pods/web', 'pods/web:http', 'pods/http:web:', 'pods/http:web:99']
  for (const path of [...paths, 'services/shop:a', 'services/shop:80', 'services/http:shop:80'])
    assert.is((await get(`/${path}/proxy/`)).code, 203, path)
  const ports = [8080, 8080, 8080, 99, 8080, 8080, 8080]
  assert.equal(
    dialled,
    ports.map((port) => `10.244.1.9:${port}`),
  )
})

test('without a slash at its end the client is sent to where it has one', async ({ get, heard }) => {
  const { code, headers } = await get('/pods/web/proxy?x=1')
  assert.equal([code, headers.location, heard.length], [301, `${ROOT}/pods/web/proxy/?x=1`, 0])
})

test('what is not there is told', async ({ get }) => {
  const refused: [path: string, code: number, message: string][] = [
    ['/pods/none/proxy/', 404, 'pods "none" not found'],
    ['/services/none:80/proxy/', 404, 'services "none" not found'],
    ['/services/shop/proxy/', 503, 'a port must be named for service "shop"'],
    ['/services/shop:c/proxy/', 503, 'no service port "c" found for service "shop"'],
    ['/services/empty:a/proxy/', 503, 'no endpoints available for service "empty"'],
    [
      '/services/shop:b/proxy/',
      503,
      'error trying to reach service: dial tcp 10.244.1.9:81: connect: connection refused',
    ],
    ['/pods/web:0/proxy/', 400, 'pod web has no port "0"'],
    ['/pods/https:web:443/proxy/', 400, 'programs of pods are asked without TLS: http:NAME:PORT'],
    ['/pods/a:b:c:d/proxy/', 400, 'invalid pod request "a:b:c:d"'],
    ['/pods/%ff/proxy/', 400, 'not a name: "%ff"'],
    ['/pods/:80/proxy/', 400, 'invalid pod request ":80"'],
    ['/services/http::80/proxy/', 400, 'invalid service request "http::80"'],
    ['/services/named:80/proxy/', 503, 'no endpoints available for service "named"'],
  ]
  for (const [path, code, message] of refused) {
    const answer = await get(path)
    assert.equal([answer.code, JSON.parse(answer.text).message], [code, message], path)
  }
})

test('status codes that no final answer has are told as nonsense, and the server goes on', async ({
  get,
  program,
}) => {
  let head = ''
  program.removeAllListeners('request')
  program.on('request', ({ socket }) => socket.end(`${head}\r\nContent-Length: 0\r\n\r\n`))
  const message = async () => JSON.parse((await get('/pods/web/proxy/')).text).message
  for (const code of ['000', '099']) {
    head = `HTTP/1.1 ${code} x`
    assert.is(
      await message(),
      `error trying to reach service: malformed HTTP status code ${Number(code)}`,
      code,
    )
  }
  head = 'HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: other'
  assert.is(await message(), 'error trying to reach service: unsolicited response of status 101')
})

test('a program that answers nonsense, and nobody without a token', async ({ get, program, server }) => {
  program.removeAllListeners('request')
  program.on('request', ({ socket }) => socket.end('nonsense\r\n'))
  const { code, text } = await get('/pods/web/proxy/')
  assert.is(code, 503)
  assert.match(JSON.parse(text).message, /^error trying to reach service: /)
  assert.is((await ask({ port: server.port, path: `${ROOT}/pods/web/proxy/` })).code, 401)
})

test.run()
