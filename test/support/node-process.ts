// A process of Podwire's programs on the real machine: sockets are node:net's and node:dgram's on the loopback, time is
// real. For tests that hold a program against the real one.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, connect as dial, type Socket } from 'node:net'
import { SystemError } from '../../src/base/errors.js'
import { Random } from '../../src/base/random.js'
import { RealTime } from '../../src/drivers/real-time.js'
import { abortable, Wakeup } from '../../src/posix/abort.js'
import type { Connection, DatagramSocket, Listener, Net } from '../../src/posix/net.js'
import { CollectingWriter, emptyReader, toBytes } from '../../src/posix/pipe.js'
import type { Process, Program } from '../../src/posix/process.js'
import type { Datagram } from '../../src/stack/socket.js'
import { type Endpoint, formatAddress, ipv4 } from '../../src/wire/address.js'
import { copiedReads } from './copied-reads.js'

const LOOPBACK = ipv4('127.0.0.1')

export interface NodeRun {
  readonly stdout: CollectingWriter
  readonly stderr: CollectingWriter
  readonly exited: Promise<number>
  /** Aborts everything that the program waits for. */
  kill(): void
}

/** Runs `program`; every listener binds the loopback, whatever it asks for. */
export function runOnNode(program: Program, argv: readonly string[]): NodeRun {
  const stdout = new CollectingWriter()
  const stderr = new CollectingWriter()
  const abort = new AbortController()
  const time = new RealTime(Date.now())
  const open = new Set<{ close(): void }>()
  const process = {
    argv,
    env: new Map(),
    cwd: '/',
    stdin: emptyReader(),
    stdout,
    stderr,
    signal: abort.signal,
    onSignal: () => {},
    system: { hostname: 'here', net: nodeNet(open), clock: time.clock(), random: new Random(argv.join(' ')) },
  } as unknown as Process
  const end = () => {
    for (const one of open) one.close()
    time.close()
  }
  const exited = program(process).finally(end)
  exited.catch(() => {})
  return { stdout, stderr, exited, kill: () => abort.abort(new Error('killed')) }
}

function nodeNet(open: Set<{ close(): void }>): Net {
  return {
    connect: async (to: Endpoint) => {
      const socket = dial({ host: formatAddress(to.address), port: to.port, allowHalfOpen: true })
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('error', (error: NodeJS.ErrnoException) =>
          reject(new SystemError(error.code as 'ECONNREFUSED', 'connect')),
        )
      })
      return connectionOf(socket, open)
    },
    listen: (on: Endpoint) => listenerOn(on, open),
    datagram: (on?: Partial<Endpoint>) => datagramOn(on, open),
    resolve: async (host: string) => ({ canonicalName: host, addresses: [LOOPBACK] }),
  } as unknown as Net
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint {
  return { address: ipv4(address ?? '127.0.0.1'), port: port ?? 0 }
}

function connectionOf(socket: Socket, open: Set<{ close(): void }>): Connection {
  const queue: Uint8Array[] = []
  const wakeup = new Wakeup()
  let ended = false
  socket.on('data', (bytes) => {
    queue.push(new Uint8Array(bytes as Buffer))
    if (queue.length > 64) socket.pause()
    wakeup.wake()
  })
  for (const event of ['end', 'close', 'error'] as const)
    socket.on(event, () => {
      ended = true
      wakeup.wake()
    })
  const connection: Connection = {
    local: endpoint(socket.localAddress, socket.localPort),
    remote: endpoint(socket.remoteAddress, socket.remotePort),
    read: async (signal) => {
      for (;;) {
        const bytes = queue.shift()
        if (queue.length === 0) socket.resume()
        if (bytes !== undefined) return bytes
        if (ended) return undefined
        await abortable(wakeup.wait(), signal)
      }
    },
    readInto: copiedReads((signal) => connection.read(signal)),
    write: (bytes, signal) =>
      abortable(
        new Promise<void>((resolve, reject) =>
          socket.write(toBytes(bytes), (error) =>
            error ? reject(new SystemError('EPIPE', 'write')) : resolve(),
          ),
        ),
        signal,
      ),
    shutdown: () => void socket.end(),
    close: () => {
      open.delete(connection)
      socket.end()
      socket.destroySoon()
    },
    abort: () => void socket.destroy(),
    setNoDelay: (on) => void socket.setNoDelay(on),
  }
  open.add(connection)
  return connection
}

function listenerOn(on: Endpoint, open: Set<{ close(): void }>): Listener {
  const waiting: Socket[] = []
  const wakeup = new Wakeup()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    waiting.push(socket)
    wakeup.wake()
  })
  server.listen(on.port, '127.0.0.1')
  const listener: Listener = {
    local: on,
    accept: async (signal) => {
      while (waiting.length === 0) await abortable(wakeup.wait(), signal)
      return connectionOf(waiting.shift()!, open)
    },
    close: () => {
      open.delete(listener)
      server.close()
    },
  }
  open.add(listener)
  return listener
}

function datagramOn(on: Partial<Endpoint> | undefined, open: Set<{ close(): void }>): DatagramSocket {
  // Looked up at once, so that it is bound when this returns, as on a stack: a hello must not find the port closed.
  const socket: UdpSocket = createSocket({ type: 'udp4', lookup: (host, _, done) => done(null, host, 4) })
  const queue: Datagram[] = []
  const wakeup = new Wakeup()
  let remote: Endpoint | undefined
  let closed = false
  socket.on('message', (bytes, from) => {
    const source = endpoint(from.address, from.port)
    queue.push({ source, destination: endpoint(undefined, on?.port), bytes: new Uint8Array(bytes) })
    wakeup.wake()
  })
  socket.on('error', () => {})
  socket.bind(on?.port ?? 0, '127.0.0.1')
  const datagrams: DatagramSocket = {
    local: endpoint(undefined, on?.port),
    send: (bytes, to = remote) => {
      if (!closed) socket.send(bytes, to!.port, formatAddress(to!.address))
    },
    connect: (to) => {
      remote = to
    },
    receive: async (_timeout, signal) => {
      while (queue.length === 0) {
        if (closed) throw new SystemError('EBADF', 'recvmsg')
        await abortable(wakeup.wait(), signal)
      }
      return queue.shift()
    },
    close: () => {
      if (closed) return
      closed = true
      open.delete(datagrams)
      socket.close()
      wakeup.wake()
    },
  }
  open.add(datagrams)
  return datagrams
}
