// A network for tests of DNS programs: datagrams and connections between sockets of one process, in microtasks,
// and a clock that jumps to the next sleeper when nothing else is left to do (`run`).

import { SystemError } from '../../src/base/errors.js'
import type { Micros } from '../../src/base/time.js'
import { abortable, Wakeup } from '../../src/posix/abort.js'
import type {
  Connection,
  DatagramSocket,
  InterfaceRow,
  Listener,
  Net,
  NonBlockingDatagramSocket,
} from '../../src/posix/net.js'
import type { Clock } from '../../src/posix/process.js'
import type { Datagram } from '../../src/stack/socket.js'
import { type Endpoint, ipv4 } from '../../src/wire/address.js'
import { copiedReads } from './copied-reads.js'

/** Of an interface that nobody counts. */
export const NO_TRAFFIC = { receivedFrames: 0, receivedBytes: 0, sentFrames: 0, sentBytes: 0 }

export class NameNetwork {
  now: Micros = 0
  /** Datagram sockets by port: one address, 10.96.0.10, answers for all. */
  readonly bound = new Map<number, QueueSocket>()
  listener: QueueListener | undefined
  /** Datagrams to lose, or to answer with an ICMP error, one word each. */
  readonly faults: ('lose' | 'refuse')[] = []
  readonly sent: Datagram[] = []
  readonly #sleepers: { at: Micros; wake: () => void }[] = []
  #nextPort = 40_000

  readonly clock: Clock = {
    now: () => this.now,
    unixMillis: () => this.now / 1000,
    spend: async () => {},
    sleep: (duration, signal) => {
      const wakeup = new Wakeup()
      const sleeper = { at: this.now + duration, wake: () => wakeup.wake() }
      this.#sleepers.push(sleeper)
      return abortable(wakeup.wait(), signal).finally(() => {
        const position = this.#sleepers.indexOf(sleeper)
        if (position >= 0) this.#sleepers.splice(position, 1)
      })
    },
  }

  readonly net: Pick<Net, 'datagram' | 'datagramNonBlocking' | 'connect' | 'listen' | 'interfaces'> = {
    datagram: (on) => {
      const port = on?.port ?? this.#nextPort++
      if (this.bound.has(port)) throw new SystemError('EADDRINUSE', 'bind')
      const socket = new QueueSocket(this, { address: ipv4('10.36.0.5'), port })
      this.bound.set(port, socket)
      return socket
    },
    datagramNonBlocking: (on) => new ReadySocket(this.net.datagram(on) as QueueSocket),
    listen: (on) => {
      this.listener = new QueueListener(on)
      return this.listener
    },
    connect: async (to) => {
      if (this.listener === undefined) throw new SystemError('ECONNREFUSED', 'connect')
      const [mine, theirs] = pipePair(to)
      this.listener.waiting.push(theirs)
      this.listener.wakeup.wake()
      return mine
    },
    interfaces: (): InterfaceRow[] => [
      {
        index: 1,
        name: 'lo',
        mac: '',
        mtuBytes: 65536,
        loopback: true,
        up: true,
        addresses: ['127.0.0.1/8'],
        ...NO_TRAFFIC,
      },
      {
        index: 2,
        name: 'eth0',
        mac: '',
        mtuBytes: 1500,
        loopback: false,
        up: true,
        addresses: ['10.36.0.9/16'],
        ...NO_TRAFFIC,
      },
    ],
  }

  /** Settles `work`, letting time pass whenever everybody waits. */
  async run<Value>(work: Promise<Value>): Promise<Value> {
    let done = false
    const settled = work.finally(() => {
      done = true
    })
    settled.catch(() => {})
    for (let jumps = 0; !done && jumps < 1000; jumps++) {
      for (let turn = 0; turn < 100; turn++) await undefined
      if (done) break
      const [next] = this.#sleepers.sort((a, b) => a.at - b.at)
      if (next === undefined) throw new Error('everybody waits for ever')
      this.now = next.at
      next.wake()
    }
    return settled
  }

  deliver(datagram: Datagram): void {
    this.sent.push(datagram)
    const fault = this.faults.shift()
    const source = this.bound.get(datagram.source.port)
    if (fault === 'refuse') source?.fail(new SystemError('ECONNREFUSED', 'recvmsg'))
    else if (fault === undefined) this.bound.get(datagram.destination.port)?.push(datagram)
  }
}

export class QueueSocket implements DatagramSocket {
  readonly local: Endpoint
  readonly #network: NameNetwork
  readonly #queue: Datagram[] = []
  readonly #wakeup = new Wakeup()
  onReady: (() => void) | undefined
  #remote: Endpoint | undefined
  #error: SystemError | undefined

  constructor(network: NameNetwork, local: Endpoint) {
    this.#network = network
    this.local = local
  }

  push(datagram: Datagram): void {
    this.#queue.push(datagram)
    this.#wakeup.wake()
    if (this.onReady !== undefined) queueMicrotask(this.onReady)
  }

  fail(error: SystemError): void {
    this.#error = error
    this.#wakeup.wake()
  }

  send(bytes: Uint8Array, to = this.#remote): void {
    this.#network.deliver({ source: this.local, destination: to!, bytes })
  }

  connect(to: Endpoint): void {
    this.#remote = to
  }

  take(): Datagram | undefined {
    return this.#queue.shift()
  }

  async receive(timeout?: Micros, signal?: AbortSignal): Promise<Datagram | undefined> {
    const end = timeout === undefined ? undefined : this.#network.now + timeout
    for (;;) {
      if (this.#error !== undefined) throw this.#error
      const datagram = this.#queue.shift()
      if (datagram !== undefined) return datagram
      if (end === undefined) await abortable(this.#wakeup.wait(), signal)
      else if (this.#network.now >= end) return undefined
      else {
        const timer = new AbortController()
        const expired = this.#network.clock.sleep(end - this.#network.now, timer.signal).catch(() => {})
        await abortable(Promise.race([this.#wakeup.wait(), expired]), signal)
        timer.abort()
      }
    }
  }

  close(): void {
    this.#network.bound.delete(this.local.port)
  }
}

class ReadySocket implements NonBlockingDatagramSocket {
  readonly #socket: QueueSocket

  constructor(socket: QueueSocket) {
    this.#socket = socket
  }

  get local(): Endpoint {
    return this.#socket.local
  }

  set onReady(onReady: (() => void) | undefined) {
    this.#socket.onReady = onReady
  }

  send(bytes: Uint8Array, to?: Endpoint): void {
    this.#socket.send(bytes, to)
  }

  connect(to: Endpoint): void {
    this.#socket.connect(to)
  }

  receive(): Datagram | undefined {
    return this.#socket.take()
  }

  close(): void {
    this.#socket.close()
  }
}

class QueueListener implements Listener {
  readonly local: Endpoint
  readonly waiting: Connection[] = []
  readonly wakeup = new Wakeup()
  closed = false

  constructor(local: Endpoint) {
    this.local = local
  }

  async accept(signal?: AbortSignal): Promise<Connection> {
    for (;;) {
      const connection = this.waiting.shift()
      if (connection !== undefined) return connection
      await abortable(this.wakeup.wait(), signal)
    }
  }

  close(): void {
    this.closed = true
  }
}

/** Two ends of a connection. */
function pipePair(remote: Endpoint): [Connection, Connection] {
  const ends = [0, 1].map(() => ({ queue: [] as Uint8Array[], ended: false, wakeup: new Wakeup() }))
  const end = (mine: (typeof ends)[0], theirs: (typeof ends)[0]): Connection => {
    const finish = () => {
      theirs.ended = true
      mine.ended = true
      theirs.wakeup.wake()
      mine.wakeup.wake()
    }
    const read = async (signal?: AbortSignal) => {
      while (mine.queue.length === 0 && !mine.ended) await abortable(mine.wakeup.wait(), signal)
      return mine.queue.shift()
    }
    return {
      local: remote,
      remote,
      read,
      readInto: copiedReads(read),
      async write(bytes) {
        theirs.queue.push(bytes as Uint8Array)
        theirs.wakeup.wake()
      },
      shutdown: finish,
      close: finish,
      abort: finish,
      setNoDelay() {},
    }
  }
  return [end(ends[0]!, ends[1]!), end(ends[1]!, ends[0]!)]
}
