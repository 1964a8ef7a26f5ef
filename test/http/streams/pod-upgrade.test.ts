// exec, attach and port-forward as their clients ask for them, on every transport and protocol, with a pod's side that
// the tests play.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { type ApiListener, listen } from '../../../src/http/server.js'
import { podUpgrades } from '../../../src/http/streams/pod-upgrade.js'
import { ApiFixture, type FakeRemote } from '../../support/api-fixture.js'
import { within } from '../../support/patience.js'
import { askUpgrade, SpdyClient, tunnelled } from '../../support/spdy-client.js'

const TOKEN = 'secret'
const AUTHORIZATION = { authorization: `Bearer ${TOKEN}` }
const POD = '/api/v1/namespaces/default/pods/curl'

interface Context {
  fixture: ApiFixture
  server: ApiListener
  /** The pod's side of the last session. */
  remote: () => Promise<FakeRemote>
}

const test = suite<Context>('exec, attach and port-forward over connections')

test.before.each(async (context) => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  const remotes: FakeRemote[] = []
  let look = () => {}
  fixture.streams.onOpen = (remote) => {
    remotes.push(remote)
    look()
  }
  context.fixture = fixture
  context.remote = async () => {
    while (remotes.length === 0) await new Promise<void>((resolve) => (look = resolve))
    return remotes.shift()!
  }
  const { api } = fixture
  context.server = await listen({
    api,
    port: 0,
    credentials: { token: TOKEN },
    upgrades: [podUpgrades(api)],
  })
})
test.after.each(async ({ server }) => server.close())

const timed = (body: (context: Context) => Promise<void>) => (context: Context) => within(body(context))

async function spdy(port: number, path: string, protocols: string | string[] | undefined) {
  const headers = protocols === undefined ? {} : { 'x-stream-protocol-version': protocols }
  const { socket, response, body } = await askUpgrade(port, path, { ...AUTHORIZATION, ...headers })
  assert.ok(socket, `refused: ${body}`)
  return { client: new SpdyClient(socket), response }
}

interface Heard {
  readonly socket: WebSocket
  readonly messages: Buffer[]
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  until(holds: () => boolean): Promise<void>
}

async function webSocket(port: number, path: string, protocols: readonly string[]): Promise<Heard> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], { headers: AUTHORIZATION })
  const messages: Buffer[] = []
  let look = () => {}
  socket.on('message', (data) => {
    messages.push(data as Buffer)
    look()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  )
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => resolve())
    socket.on('error', reject)
  })
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => (look = resolve))
  }
  return { socket, messages, closed, until }
}

const EXEC = `${POD}/exec?command=sh&command=-c&command=ls&stdin=true&stdout=true&stderr=true`
const SUCCESS = '{"metadata":{},"status":"Success"}'
const exited = (code: number) => ({
  metadata: {},
  status: 'Failure',
  message: `command terminated with non-zero exit code: exit status ${code}`,
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
})

test(
  'exec over SPDY v4: streams, the end of stdin, the exit code as a Status',
  timed(async ({ fixture, server, remote }) => {
    const offered = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io']
    const { client, response } = await spdy(server.port, EXEC, offered)
    assert.is(response.statusCode, 101)
    assert.is(response.headers['x-stream-protocol-version'], 'v4.channel.k8s.io')
    const ids: Record<string, number> = {}
    for (const streamtype of ['error', 'stdin', 'stdout', 'stderr'])
      ids[streamtype] = (await client.open({ streamtype }))!
    const pod = await remote()
    assert.equal(fixture.streams.execs[0], {
      container: 'main',
      command: ['sh', '-c', 'ls'],
      stdin: true,
      tty: false,
    })
    client.send(ids['stdin']!, 'typed', true)
    await new Promise<void>((resolve) => (pod.onEnd = resolve))
    assert.is(pod.input, 'typed')
    pod.output('out')
    pod.output('err', 'stderr')
    pod.exit(7)
    await client.closing()
    assert.is(client.text(ids['stdout']!), 'out')
    assert.is(client.text(ids['stderr']!), 'err')
    assert.equal(JSON.parse(client.text(ids['error']!)), exited(7))
    assert.equal([...client.ended].sort(), Object.values(ids).sort())
    assert.is(client.control.at(-1)?.type, 7)
  }),
)

test(
  'the first protocol of SPDY tells a failure in words, and is meant when none is named',
  timed(async ({ server, remote }) => {
    const { client, response } = await spdy(server.port, EXEC.replace('stdin=true&', ''), undefined)
    assert.is(response.headers['x-stream-protocol-version'], undefined)
    const error = (await client.open({ streamtype: 'error' }))!
    for (const streamtype of ['stdout', 'stderr']) await client.open({ streamtype })
    ;(await remote()).exit(3)
    await client.closing()
    assert.is(client.text(error), exited(3).message)
  }),
)

test(
  'a stream that does not belong there is refused',
  timed(async ({ server }) => {
    const { client } = await spdy(server.port, EXEC, 'v4.channel.k8s.io')
    assert.is(await client.open({ streamtype: 'resize' }), undefined)
    assert.is(await client.open({ streamtype: 'error' }), 3)
    assert.is(await client.open({ streamtype: 'error' }), undefined)
    client.socket.destroy()
  }),
)

test(
  'a client of SPDY that is killed closes its session',
  timed(async ({ server, remote }) => {
    const { client } = await spdy(server.port, EXEC, 'v4.channel.k8s.io')
    for (const streamtype of ['error', 'stdin', 'stdout', 'stderr']) await client.open({ streamtype })
    const pod = await remote()
    const closed = new Promise<void>((resolve) => {
      pod.close = resolve
    })
    client.socket.destroy()
    await closed
  }),
)

test(
  'exec over WebSocket v5: channels, the end of stdin by 255, close 1000',
  timed(async ({ server, remote }) => {
    const heard = await webSocket(server.port, EXEC, ['v5.channel.k8s.io', 'v4.channel.k8s.io'])
    assert.is(heard.socket.protocol, 'v5.channel.k8s.io')
    const pod = await remote()
    heard.socket.send(Buffer.from('\0typed'))
    heard.socket.send(Buffer.of(255, 0))
    await new Promise<void>((resolve) => (pod.onEnd = resolve))
    assert.is(pod.input, 'typed')
    pod.output('out')
    pod.output('err', 'stderr')
    pod.exit(0)
    assert.equal(await heard.closed, { code: 1000, reason: '' })
    assert.equal(heard.messages.map(String), ['\x01', '\x01out', '\x02err', `\x03${SUCCESS}`])
  }),
)

test(
  'exec over WebSocket v4 has no end of stdin, base64 is text, and a terminal gets its size first',
  timed(async ({ server, remote }) => {
    const plain = await webSocket(server.port, EXEC, ['v4.channel.k8s.io'])
    const first = await remote()
    plain.socket.send(Buffer.of(255, 0))
    plain.socket.send(Buffer.from('\0x'))
    await new Promise<void>((resolve) => (first.onInput = () => resolve()))
    assert.is(first.ended, false)
    first.exit(9)
    await plain.closed
    assert.equal(JSON.parse(String(plain.messages.at(-1)).slice(1)), exited(9))

    const tty = `${POD}/exec?command=sh&stdin=1&stdout=1&tty=1`
    const coded = await webSocket(server.port, tty, ['v4.base64.channel.k8s.io'])
    const second = await remote()
    const sizes: number[][] = []
    second.resize = (...size: number[]) => {
      sizes.push(size)
    }
    // client-node writes the names in lower case.
    coded.socket.send(`4${Buffer.from('{"width":120,"height":40}').toString('base64')}`)
    coded.socket.send(`0${Buffer.from('ls\r').toString('base64')}`)
    await new Promise<void>((resolve) => (second.onInput = () => resolve()))
    assert.equal([sizes, second.input], [[[120, 40]], 'ls\r'])
    second.output('ok')
    second.exit(0)
    await coded.closed
    assert.equal(coded.messages.map(String), [
      '1',
      `1${Buffer.from('ok').toString('base64')}`,
      `3${Buffer.from(SUCCESS).toString('base64')}`,
    ])
  }),
)

test(
  "Python's client: flags written False, input as text messages, and many messages to it in order",
  timed(async ({ fixture, server, remote }) => {
    const path = `${POD}/exec?command=sh&stdin=True&stdout=True&stderr=True&tty=False`
    const heard = await webSocket(server.port, path, ['v4.channel.k8s.io'])
    const pod = await remote()
    assert.equal(fixture.streams.execs.at(-1), {
      container: 'main',
      command: ['sh'],
      stdin: true,
      tty: false,
    })
    heard.socket.send('\0typed', { binary: false })
    await new Promise<void>((resolve) => (pod.onInput = () => resolve()))
    assert.is(pod.input, 'typed')
    for (let n = 0; n < 50; n++) pod.output(`${n}`)
    pod.exit(0)
    assert.equal(await heard.closed, { code: 1000, reason: '' })
    const lines = Array.from({ length: 50 }, (_, n) => `\x01${n}`)
    assert.equal(heard.messages.map(String), ['\x01', ...lines, `\x03${SUCCESS}`])
  }),
)

test(
  'attach ends with success whatever the container did, and a failure to start is an internal error',
  timed(async ({ server, remote }) => {
    const attached = await webSocket(server.port, `${POD}/attach?stdout=true&stderr=true`, [
      'v5.channel.k8s.io',
    ])
    ;(await remote()).exit(137)
    await attached.closed
    assert.is(String(attached.messages.at(-1)), `\x03${SUCCESS}`)

    const failed = await webSocket(server.port, EXEC, ['v5.channel.k8s.io'])
    ;(await remote()).exit(1, 'no such thing')
    await failed.closed
    const { message, reason, code } = JSON.parse(String(failed.messages.at(-1)).slice(1))
    assert.is(message, 'Internal error occurred: error executing command in container: no such thing')
    assert.equal([reason, code], ['InternalError', 500])
  }),
)

test(
  'a client of WebSocket that is killed closes its session, also while its input waits',
  timed(async ({ server, remote }) => {
    const heard = await webSocket(server.port, EXEC, ['v5.channel.k8s.io'])
    const pod = await remote()
    let taken = 0
    pod.write = (bytes) => {
      taken += bytes.length
      return new Promise(() => {})
    }
    const closed = new Promise<void>((resolve) => {
      pod.close = resolve
    })
    for (let i = 0; i < 640; i++) heard.socket.send(Buffer.alloc(32 * 1024))
    while (taken < 1024 * 1024) await new Promise((resolve) => setImmediate(resolve))
    heard.socket.terminate()
    await closed
    assert.ok(taken < 3 * 1024 * 1024, `${taken} bytes handed over`)
  }),
)

test(
  'what can be refused is refused before the upgrade, as a Status',
  timed(async ({ server: { port } }) => {
    const v4 = { 'x-stream-protocol-version': 'v4.channel.k8s.io' }
    const refused = async (path: string, headers: Record<string, string> = v4, method = 'POST') => {
      const { response, body } = await askUpgrade(port, path, { ...AUTHORIZATION, ...headers }, method)
      const status = JSON.parse(body)
      assert.is(status.code, response.statusCode)
      return `${status.code} ${status.message}`
    }
    const run = 'command=ls&stdout=true'
    assert.is(await refused(`${POD.replace('curl', 'nope')}/exec?${run}`), '404 pods "nope" not found')
    assert.is(await refused(`${POD.replace('curl', 'nope')}/portforward`), '404 pods "nope" not found')
    assert.is(await refused(`${POD}/exec?${run}&container=x`), '400 container x is not valid for pod curl')
    assert.match(await refused(`${POD}/exec?command=ls`), /^400 you must specify at least 1 of stdin, stdout/)
    assert.match(await refused(`${POD}/exec?stdout=true`), /^400 you must specify at least 1 command/)
    assert.match(
      await refused(`${POD}/exec?${run}`, { 'x-stream-protocol-version': 'v9' }),
      /^400 unable to upgrade: .*client supports \[v9\], server accepts \[v4\.channel/,
    )
    assert.is(await refused(`${POD}/exec?${run}`, { upgrade: 'h2c' }), '400 Upgrade request required')
    const webSocket = {
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    }
    const other = { ...webSocket, 'sec-websocket-protocol': 'v9.channel.k8s.io' }
    assert.match(
      await refused(`${POD}/exec?${run}`, other, 'GET'),
      /client supports \[v9\.channel\.k8s\.io\]/,
    )
    const forward = { ...webSocket, 'sec-websocket-protocol': 'v4.channel.k8s.io' }
    assert.is(await refused(`${POD}/portforward`, forward, 'GET'), '400 query parameter "ports" is required')
    assert.is(
      await refused(`${POD}/portforward?ports=80,zz`, forward, 'GET'),
      '400 unable to parse "zz" as a port',
    )
    assert.is((await askUpgrade(port, `${POD}/exec?${run}`, v4)).response.statusCode, 401)
    const origin = { ...AUTHORIZATION, ...webSocket, origin: 'https://evil.example' }
    assert.is((await askUpgrade(port, `${POD}/exec?${run}`, origin, 'GET')).response.statusCode, 403)
    assert.is(
      (await askUpgrade(port, `${POD}/%zz/exec`, { ...AUTHORIZATION, ...v4 })).response.statusCode,
      404,
    )
  }),
)

for (const transport of ['SPDY', 'the tunnel'] as const) {
  test(
    `port-forward over ${transport}: a pair of streams for each connection`,
    timed(async ({ server, remote }) => {
      const client = await forwardClient(server.port, transport)
      const open = async (requestid: string, port: string) => {
        const error = (await client.open({ streamtype: 'error', port, requestid }))!
        return { error, data: (await client.open({ streamtype: 'data', port, requestid }))! }
      }
      const first = await open('0', '80')
      const pod = await remote()
      const second = await open('1', '81')
      ;(await remote()).exit(1, 'connection refused')
      await client.until(() => client.ended.has(second.data))
      assert.is(client.text(second.error), 'connection refused')
      client.send(first.data, 'request', true)
      await new Promise<void>((resolve) => (pod.onEnd = resolve))
      assert.is(pod.input, 'request')
      pod.output('answer')
      pod.onOutputEnd?.()
      await client.until(() => client.ended.has(first.error))
      assert.equal([client.text(first.data), client.text(first.error)], ['answer', ''])
      pod.exit(0)
      assert.is(await client.open({ streamtype: 'data', port: '0', requestid: '2' }), undefined)
      client.socket.destroy()
    }),
  )
}

async function forwardClient(port: number, transport: 'SPDY' | 'the tunnel'): Promise<SpdyClient> {
  if (transport === 'SPDY') return (await spdy(port, `${POD}/portforward`, 'portforward.k8s.io')).client
  // The client of `ws` refuses the tunnel's name as well: the handshake is asked for by hand.
  const { socket, response } = await askUpgrade(
    port,
    `${POD}/portforward`,
    {
      ...AUTHORIZATION,
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-protocol': 'SPDY/3.1+portforward.k8s.io',
    },
    'GET',
  )
  assert.is(response.headers['sec-websocket-protocol'], 'SPDY/3.1+portforward.k8s.io')
  return new SpdyClient(tunnelled(socket!))
}

test(
  'port-forward in channels: the port first, then data; the socket ends with the last connection',
  timed(async ({ server, remote }) => {
    const heard = await webSocket(server.port, `${POD}/portforward?ports=80&ports=8080`, [
      'v4.channel.k8s.io',
    ])
    const first = await remote()
    const second = await remote()
    heard.socket.send(Buffer.from('\0to 80'))
    heard.socket.send(Buffer.from('\x02to 8080'))
    await new Promise<void>((resolve) => (second.onInput = () => resolve()))
    assert.equal([first.input, second.input], ['to 80', 'to 8080'])
    first.output('from 80')
    first.onOutputEnd?.()
    assert.is(first.ended, true)
    first.exit(0)
    second.exit(1, 'refused')
    assert.is((await heard.closed).code, 1000)
    assert.equal(
      heard.messages.map((message) => message.toString('latin1')),
      ['\0\x50\0', '\x01\x50\0', '\x02\x90\x1f', '\x03\x90\x1f', '\0from 80', '\x03refused'],
    )
  }),
)

test(
  'the server closes what is upgraded when it ends',
  timed(async ({ server }) => {
    const { client } = await spdy(server.port, EXEC, 'v4.channel.k8s.io')
    await server.close()
    await client.closing()
  }),
)

test.run()
