// TCP between hosts through two routers: opening, closing, refusal, dead hosts, bad links, many sockets.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND, MINUTE, NEVER, SECOND } from '../../src/base/time.js'
import type { LinkSettings } from '../../src/fabric/network.js'
import type { TcpSocket } from '../../src/stack/socket.js'
import { formatEndpoint, ipv4 } from '../../src/wire/address.js'
import { endpoint, Lab } from '../support/hosts.js'

const test = suite('tcp sockets')

function twoNodes(settings?: LinkSettings) {
  const lab = new Lab()
  const node1 = lab.node('node1', '192.168.56.11/24', '10.36.0.1/16', { '10.39.0.0/16': '192.168.56.12' })
  const node2 = lab.node('node2', '192.168.56.12/24', '10.39.0.1/16', { '10.36.0.0/16': '192.168.56.11' })
  lab.cable(node1, node2, settings)
  const pod1 = lab.pod('pod1', '10.36.0.0/16', '10.36.0.1')
  const pod2 = lab.pod('pod2', '10.39.0.0/16', '10.39.0.1')
  lab.plug(pod1, node1)
  lab.plug(pod2, node2)
  return { lab, node1, node2, pod1, pod2 }
}

const SERVER = endpoint('10.39.0.0:80')
const ANY_80 = { address: 0, port: 80 }
const text = (value: string) => Uint8Array.from(value, (c) => c.charCodeAt(0))
const string = (bytes: Uint8Array | undefined) => (bytes ? String.fromCharCode(...bytes) : undefined)

function pair(world: ReturnType<typeof twoNodes>): { client: TcpSocket; server: TcpSocket } {
  const listener = world.pod2.stack.tcpListen(ANY_80)
  const client = world.pod1.stack.tcpConnect(SERVER)
  world.lab.run(10 * MILLISECOND)
  const server = listener.accept()!
  listener.close()
  return { client, server }
}

test('connect, speak both ways, half-close, close: both ends reach their last state', () => {
  const world = twoNodes()
  const { client, server } = pair(world)
  assert.is(client.state, 'ESTABLISHED')
  assert.is(formatEndpoint(server.remote), formatEndpoint(client.local))
  client.write(text('GET /'))
  client.shutdown()
  world.lab.run(MILLISECOND)
  assert.is(string(server.read()), 'GET /')
  assert.ok(server.ended)
  assert.is(server.write(text('hello')), 5)
  server.close()
  world.lab.run(100 * MILLISECOND)
  assert.is(string(client.read()), 'hello')
  assert.ok(client.ended)
  client.close()
  assert.is(client.state, 'TIME-WAIT')
  assert.is(world.pod2.stack.sockets().length, 0)
  world.lab.run(2 * MINUTE)
  assert.is(world.pod1.stack.sockets().length, 0)
  assert.is(world.pod1.stack.deadline(), NEVER)
  assert.equal(world.lab.faults, [])
})

test('nobody listens: ECONNREFUSED', () => {
  const { lab, pod1 } = twoNodes()
  const client = pod1.stack.tcpConnect(SERVER)
  let told = 0
  client.onReady = () => told++
  lab.run(SECOND)
  assert.is(client.error?.code, 'ECONNREFUSED')
  assert.is(told, 1)
  assert.is(pod1.stack.sockets().length, 0)
  assert.equal(lab.faults, [])
})

test('abort resets the peer: ECONNRESET', () => {
  const world = twoNodes()
  const { client, server } = pair(world)
  server.abort()
  world.lab.run(SECOND)
  assert.is(client.error?.code, 'ECONNRESET')
  assert.is(world.pod2.stack.sockets().length, 0)
})

test('a dead host: EHOSTUNREACH three seconds later, from the own link and from behind a router', () => {
  const { lab, pod1 } = twoNodes()
  const near = pod1.stack.tcpConnect(endpoint('10.36.0.9:80'))
  const far = pod1.stack.tcpConnect(endpoint('10.39.0.9:80'))
  lab.run(4 * SECOND)
  assert.is(near.error?.code, 'EHOSTUNREACH')
  assert.is(far.error?.code, 'EHOSTUNREACH')
  assert.equal(lab.faults, [])
})

test('a silent link: ETIMEDOUT', () => {
  const { lab, pod1 } = twoNodes({ lossRatio: 1 })
  lab.recording = false
  const client = pod1.stack.tcpConnect(SERVER)
  client.setUserTimeout(20 * SECOND)
  lab.run(5 * MINUTE)
  assert.ok(client.error !== undefined)
})

test('a listener that closes resets what was not accepted', () => {
  const { lab, pod1, pod2 } = twoNodes()
  const listener = pod2.stack.tcpListen(ANY_80)
  const client = pod1.stack.tcpConnect(SERVER)
  lab.run(SECOND)
  assert.is(client.state, 'ESTABLISHED')
  listener.close()
  lab.run(SECOND)
  assert.is(client.error?.code, 'ECONNRESET')
  assert.equal(pod2.stack.sockets(), [])
})

test('a full backlog drops SYNs, and they come again', () => {
  const { lab, pod1, pod2 } = twoNodes()
  const listener = pod2.stack.tcpListen(ANY_80, 1)
  const clients = [1, 2, 3].map(() => pod1.stack.tcpConnect(SERVER))
  lab.run(100 * MILLISECOND)
  const before = pod2.stack.counters.TcpListenOverflows
  clients.push(pod1.stack.tcpConnect(SERVER))
  lab.run(100 * MILLISECOND)
  assert.is(pod2.stack.counters.TcpListenOverflows, before + 1)
  while (listener.accept());
  lab.run(5 * SECOND)
  assert.equal(
    clients.map((client) => client.state),
    new Array(4).fill('ESTABLISHED'),
  )
})

test('a connection over lo: its owners are called by the next turn of the driver, not within a call', () => {
  const { lab, pod1 } = twoNodes()
  const listener = pod1.stack.tcpListen({ address: 0, port: 8080 })
  const log: string[] = []
  listener.onReady = () => {
    log.push('accept')
    const server = listener.accept()!
    server.onReady = () => {
      const got = server.read()
      if (got === undefined) return
      log.push(`server ${string(got)}`)
      server.write(text('pong'))
    }
  }
  const client = pod1.stack.tcpConnect(endpoint('127.0.0.1:8080'))
  assert.is(pod1.stack.deadline(), pod1.stack.now)
  client.onReady = () => {
    if (client.writable > 0 && !log.includes('established')) {
      log.push('established')
      client.write(text('ping'))
    }
    const got = client.read()
    if (got !== undefined) log.push(`client ${string(got)}`)
  }
  assert.equal(log, [])
  lab.run(SECOND)
  assert.equal(log.sort(), ['accept', 'client pong', 'established', 'server ping'])
  assert.not.ok(lab.frames.some((line) => line.includes('8080')))
})

test('addresses and ports that are taken or not here', () => {
  const { pod1 } = twoNodes()
  const { stack } = pod1
  stack.tcpListen(ANY_80)
  const code = (call: () => unknown) => {
    try {
      call()
    } catch (error) {
      return (error as { code?: string }).code
    }
    return 'none'
  }
  assert.is(
    code(() => stack.tcpListen(ANY_80)),
    'EADDRINUSE',
  )
  assert.is(
    code(() => stack.tcpListen({ address: ipv4('10.36.0.0'), port: 80 })),
    'EADDRINUSE',
  )
  assert.is(
    code(() => stack.tcpListen({ address: ipv4('9.9.9.9'), port: 81 })),
    'EADDRNOTAVAIL',
  )
  assert.is(
    code(() => stack.tcpConnect({ address: SERVER.address, port: 0 })),
    'EINVAL',
  )
  assert.is(
    code(() => stack.tcpConnect(SERVER, { address: ipv4('9.9.9.9') })),
    'EADDRNOTAVAIL',
  )
  stack.tcpConnect(SERVER, { port: 4000 })
  assert.is(
    code(() => stack.tcpConnect(SERVER, { port: 4000 })),
    'EADDRINUSE',
  )
  const { port } = stack.tcpConnect(SERVER).local
  assert.ok(port >= 32768 && port <= 60999)
})

test('1 MB each way over a link that loses, reorders and duplicates: byte for byte', () => {
  const world = twoNodes({ lossRatio: 0.2, duplicateRatio: 0.05, reorderRatio: 0.1, delay: 5 * MILLISECOND })
  world.lab.recording = false
  const listener = world.pod2.stack.tcpListen(ANY_80)
  const client = world.pod1.stack.tcpConnect(SERVER)
  world.lab.runWhile(() => client.state !== 'ESTABLISHED', MINUTE)
  let server: TcpSocket | undefined
  world.lab.runWhile(() => (server ??= listener.accept()) === undefined, 2 * MINUTE)
  const size = 1 << 20
  const ends = [pump(client, size, 3), pump(server!, size, 5)]
  world.lab.runWhile(() => ends.some((end) => !end.done()), 30 * MINUTE)
  for (const end of ends) assert.ok(end.done(), end.state())
  assert.equal(
    ends.map((end) => end.wrong()),
    [0, 0],
  )
  assert.equal(world.lab.faults, [])
})

/** Sends `size` bytes of one pattern and checks that as many of the other end's come. */
function pump(socket: TcpSocket, size: number, seed: number) {
  const byteAt = (at: number, key: number) => (at * key + (at >> 8)) & 255
  const other = 8 - seed
  let sent = 0
  let received = 0
  let wrong = 0
  const turn = () => {
    for (let bytes = socket.read(); bytes !== undefined; bytes = socket.read()) {
      for (const byte of bytes) if (byte !== byteAt(received++, other)) wrong++
    }
    while (sent < size && socket.writable > 0) {
      const chunk = Uint8Array.from({ length: Math.min(16384, size - sent) }, (_, i) =>
        byteAt(sent + i, seed),
      )
      sent += socket.write(chunk)
    }
  }
  socket.onReady = turn
  turn()
  return {
    done: () => received === size && sent === size && socket.unacknowledged === 0,
    wrong: () => wrong,
    state: () => `sent ${sent} received ${received} ${socket.state} ${socket.error}`,
  }
}

test('a closed connection in TIME-WAIT answers the FIN that comes again, and lasts 2MSL from then on', () => {
  const world = twoNodes({ delay: 5 * MILLISECOND })
  world.lab.run(SECOND)
  const listener = world.pod2.stack.tcpListen(ANY_80)
  const client = world.pod1.stack.tcpConnect(SERVER)
  world.lab.run(100 * MILLISECOND)
  const server = listener.accept()!
  client.close()
  world.lab.run(20 * MILLISECOND)
  server.close()
  // The client's ACK of the FIN is lost.
  world.lab.run(4 * MILLISECOND)
  world.lab.setLink(world.pod1, { ab: { lossRatio: 1 }, ba: {} })
  world.lab.run(2 * MILLISECOND)
  world.lab.setLink(world.pod1, {})
  assert.is(client.state, 'TIME-WAIT')
  assert.equal(
    world.pod1.stack.sockets().map(({ state, local, remote }) => [state, local, remote]),
    [['TIME-WAIT', client.local, client.remote]],
  )
  assert.is(server.state, 'LAST-ACK')
  const before = world.pod1.stack.now
  world.lab.run(30 * SECOND)
  assert.is(server.state, 'CLOSED')
  world.lab.run(before + 60 * SECOND - world.pod1.stack.now)
  assert.is(client.state, 'TIME-WAIT')
  world.lab.run(30 * SECOND)
  assert.is(client.state, 'CLOSED')
  assert.equal(world.pod1.stack.sockets(), [])
})

test('a SYN takes the place of a closed connection in TIME-WAIT', () => {
  const world = twoNodes()
  const listener = world.pod2.stack.tcpListen(ANY_80)
  const first = world.pod1.stack.tcpConnect(SERVER)
  world.lab.run(MILLISECOND)
  const server = listener.accept()!
  server.close()
  world.lab.run(MILLISECOND)
  first.close()
  world.lab.run(SECOND)
  assert.is(server.state, 'TIME-WAIT')
  assert.is(first.state, 'CLOSED')
  const second = world.pod1.stack.tcpConnect(SERVER, { port: first.local.port })
  world.lab.run(SECOND)
  assert.is(second.state, 'ESTABLISHED')
  assert.is(server.state, 'CLOSED')
  const again = listener.accept()!
  second.write(text('again'))
  world.lab.run(MILLISECOND)
  assert.is(string(again.read()), 'again')
})

test('thousands of idle sockets cost nothing at a deadline', () => {
  const world = twoNodes()
  world.lab.recording = false
  const listener = world.pod2.stack.tcpListen(ANY_80, 4096)
  const clients = Array.from({ length: 3000 }, () => world.pod1.stack.tcpConnect(SERVER))
  world.lab.run(5 * SECOND)
  assert.is(clients.filter((client) => client.state === 'ESTABLISHED').length, 3000)
  let accepted = 0
  while (listener.accept()) accepted++
  assert.is(accepted, 3000)
  assert.is(new Set(clients.map((client) => client.local.port)).size, 3000)
  world.lab.run(MINUTE)
  let asked = 0
  for (const client of clients) {
    const { connection } = client as unknown as { connection: { deadline(): number } }
    const deadline = connection.deadline.bind(connection)
    connection.deadline = () => {
      asked++
      return deadline()
    }
  }
  clients[7]!.write(text('x'))
  world.lab.run(SECOND)
  assert.ok(asked > 0 && asked < 20, `${asked} sockets asked`)
})

test.run()
