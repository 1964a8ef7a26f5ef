// A pod for network programs without a network: servers are functions, names are a table, time jumps to the next
// sleeper when nothing else can go on. Everything that a program sees but sockets is the real thing.

import { SystemError } from '../../../../src/base/errors.js'
import { Random } from '../../../../src/base/random.js'
import { type Micros, NEVER } from '../../../../src/base/time.js'
import type { DnsMessage } from '../../../../src/dns/message.js'
import { abortable, Wakeup } from '../../../../src/posix/abort.js'
import { queryMessage } from '../../../../src/posix/dns-exchange.js'
import { LocalSystem } from '../../../../src/posix/local-system.js'
import { MemoryFileSystem } from '../../../../src/posix/memory-fs.js'
import {
  type Connection,
  type DatagramSocket,
  type EchoSocket,
  type InterfaceRow,
  type Net,
  type QueryAnswer,
  type QueryOptions,
  ResolveError,
  type RouteRow,
} from '../../../../src/posix/net.js'
import { CollectingWriter, Pipe, readerOf, toBytes } from '../../../../src/posix/pipe.js'
import type { ByteReader, ByteWriter, Child, Clock, Program } from '../../../../src/posix/process.js'
import { Quota } from '../../../../src/posix/quota.js'
import { Volume } from '../../../../src/posix/volume.js'
import { netApplets } from '../../../../src/shell/applets/net/index.js'
import { makeCounters } from '../../../../src/stack/counters.js'
import type { Datagram, IcmpReply, SocketRow } from '../../../../src/stack/socket.js'
import {
  type Endpoint,
  formatAddress,
  formatEndpoint,
  ipv4,
  parseIpv4,
} from '../../../../src/wire/address.js'
import { copiedReads } from '../../../support/copied-reads.js'

/** The server's side of a connection. */
export interface Peer {
  /** Text up to the end of an HTTP head, or what came with it. */
  request(): Promise<string>
  read(): Promise<string | undefined>
  write(content: string | Uint8Array): Promise<void>
  /** FIN. */
  close(): void
  /** RST. */
  reset(): void
}

export type Server = (peer: Peer, clock: Clock) => Promise<void>

/** What is at an address and port; anything else refuses. */
export type Service = Server | 'silent' | 'unreachable'

/** Answers to an echo request: undefined is lost. */
export type EchoAnswer = (
  sequence: number,
  ttl: number,
  bytes: Uint8Array,
) => (Partial<IcmpReply> & { after: Micros })[]

const ROUND_TRIP: Micros = 200

export class FakeClock implements Clock {
  #now: Micros = 0
  #sleepers: { at: Micros; wake: () => void }[] = []

  now(): Micros {
    return this.#now
  }

  unixMillis(): number {
    return Date.UTC(2021, 8, 13, 12, 36, 38) + this.#now / 1000
  }

  async sleep(duration: Micros, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw signal.reason
    const sleeper = { at: this.#now + duration, wake: () => {} }
    const woken = new Promise<void>((resolve) => {
      sleeper.wake = resolve
    })
    this.#sleepers.push(sleeper)
    try {
      await abortable(woken, signal)
    } finally {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
    }
  }

  spend(duration: Micros): Promise<void> {
    return this.sleep(duration)
  }

  get sleeping(): number {
    return this.#sleepers.length
  }

  /** Runs until `work` is settled; `world` is what else time passes in. */
  async drive<Value>(
    work: Promise<Value>,
    world: { deadline(): Micros; run(now: Micros): void } = { deadline: () => NEVER, run: () => {} },
  ): Promise<Value> {
    let settled = false
    const done = work.finally(() => {
      settled = true
    })
    done.catch(() => {})
    for (let idle = 0; !settled; ) {
      await new Promise((resolve) => setImmediate(resolve))
      if (settled) break
      const next = this.#sleepers.sort((a, b) => a.at - b.at)[0]
      const at = Math.min(next?.at ?? NEVER, world.deadline())
      if (at === NEVER) {
        if (++idle > 20) throw new Error('the program waits for something that never comes')
        continue
      }
      idle = 0
      this.#now = Math.max(this.#now, at)
      if (next?.at === at) next.wake()
      else world.run(this.#now)
    }
    return done
  }
}

export interface Result {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly elapsed: Micros
}

export class FakePod {
  readonly clock = new FakeClock()
  readonly fs: MemoryFileSystem
  readonly services = new Map<string, Service>()
  readonly names = new Map<string, string[]>()
  readonly reverseNames = new Map<string, string>()
  readonly echoes = new Map<string, EchoAnswer>()
  /** Answers to questions of any type, by `NAME TYPE`; nobody answers others. */
  readonly records = new Map<string, Partial<DnsMessage>>()
  /** What was asked, and of whom. */
  readonly questions: string[] = []
  readonly connections: string[] = []
  readonly listeners = new Map<string, (connection: Connection) => void>()
  interfaceRows: InterfaceRow[] = []
  routeRows: RouteRow[] = []
  socketRows: SocketRow[] = []
  readonly #system: LocalSystem

  constructor() {
    const volume = new Volume(new Quota(10_000_000), () => this.clock.unixMillis())
    this.fs = new MemoryFileSystem(volume)
    this.fs.makeDirectory('/dev')
    this.fs.makeNullDevice('/dev/null')
    this.#system = new LocalSystem({
      hostname: 'curl',
      fs: this.fs,
      openNet: () => ({ ...fakeNet(this), closeAll: () => {} }),
      clock: this.clock,
      random: new Random('pod'),
      programs: netApplets,
      protectInit: false,
    })
  }

  /** As the stub resolver: one server, the search list of one domain. */
  async ask(name: string, type: string, options: QueryOptions = {}): Promise<QueryAnswer> {
    const server = options.server ?? { address: ipv4('10.96.0.10'), port: 53 }
    const search = ['.default.svc.cluster.local', '']
    const names = options.search && !name.endsWith('.') ? search.map((rest) => name + rest) : [name]
    for (const [index, candidate] of names.entries()) {
      this.questions.push(`${candidate} ${type} @${formatEndpoint(server)}${options.tcp ? ' tcp' : ''}`)
      const record = this.records.get(`${candidate} ${type}`)
      if ((record ?? { rcode: 'NXDOMAIN' }).rcode === 'NXDOMAIN' && index + 1 < names.length) continue
      if (record === undefined) break
      const question = { name: candidate, type }
      const message = { ...queryMessage(4711, question), response: true, authoritative: true, ...record }
      return { message, server, lengthBytes: 93 }
    }
    throw new ResolveError('ETIMEOUT', name)
  }

  /** Starts a command line (split at blanks, unless it is a list); `during` goes on beside it. */
  async run(
    command: string | readonly string[],
    options: {
      stdin?: string | ByteReader
      stdout?: ByteWriter
      during?: (child: Child) => Promise<void>
      /** Instead of the applet of that name. */
      program?: Program
    } = {},
  ): Promise<Result> {
    const argv = typeof command === 'string' ? command.split(' ') : command
    const stdout = new CollectingWriter()
    const stderr = new CollectingWriter()
    const { stdin = '' } = options
    const program = options.program ?? netApplets.get(argv[0]!)!
    const started = this.clock.now()
    const child = this.#system.start(program, {
      argv,
      env: new Map(),
      cwd: '/',
      stdin: typeof stdin === 'string' ? readerOf(stdin) : stdin,
      stdout: options.stdout ?? stdout,
      stderr,
    })
    const [status] = await this.clock.drive(Promise.all([child.exited, options.during?.(child)]))
    return { status, stdout: stdout.text(), stderr: stderr.text(), elapsed: this.clock.now() - started }
  }
}

/** A server that gives every request this whole response and closes. */
export function replies(response: string | Uint8Array): Server {
  return async (peer) => {
    await peer.request()
    await peer.write(response)
    peer.close()
  }
}

export function ok(body: string, headers = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`
}

function fakeNet(pod: FakePod): Net {
  return {
    connect: async (to, options = {}) => {
      const at = formatEndpoint(to)
      pod.connections.push(at)
      const service = pod.services.get(at)
      if (service === 'silent') await pod.clock.sleep(127_000_000, options.signal)
      if (service === 'silent') throw new SystemError('ETIMEDOUT', 'connect')
      await pod.clock.sleep(ROUND_TRIP, options.signal)
      if (service === 'unreachable') throw new SystemError('EHOSTUNREACH', 'connect')
      if (service === undefined) throw new SystemError('ECONNREFUSED', 'connect')
      const { client, peer } = connectionPair(to, options.from?.port ?? 40000)
      service(peer, pod.clock).catch(() => {})
      return client
    },
    secure: async () => {
      throw new SystemError('ECONNRESET', 'connect')
    },
    listen: (on) => {
      const waiting: Connection[] = []
      const wakeup = new Wakeup()
      const at = formatEndpoint(on)
      if (pod.listeners.has(at)) throw new SystemError('EADDRINUSE', 'listen')
      pod.listeners.set(at, (connection) => {
        waiting.push(connection)
        wakeup.wake()
      })
      return {
        local: on,
        accept: async (signal) => {
          while (waiting.length === 0) await abortable(wakeup.wait(), signal)
          return waiting.shift()!
        },
        close: () => pod.listeners.delete(at),
      }
    },
    listenNonBlocking: () => {
      throw new Error('this fake has no non-blocking sockets')
    },
    datagram: () => fakeDatagramSocket(pod),
    datagramNonBlocking: () => {
      throw new Error('this fake has no non-blocking sockets')
    },
    echo: () => fakeEchoSocket(pod),
    pathDatagram: () => {
      throw new Error('this fake has no errors')
    },
    raw: () => {
      throw new Error('this fake has no packets')
    },
    resolve: async (host, signal) => {
      const literal = parseIpv4(host)
      if (literal !== undefined) return { canonicalName: host, addresses: [literal] }
      await pod.clock.sleep(ROUND_TRIP, signal)
      const addresses = pod.names.get(host)
      if (addresses === undefined) throw new ResolveError('ENOTFOUND', host)
      return { canonicalName: host, addresses: addresses.map(ipv4) }
    },
    query: (name, type, options) => pod.ask(name, type, options),
    reverse: async (address) => pod.reverseNames.get(formatAddress(address)),
    capture: () => {
      throw new Error('this fake has no packets')
    },
    interfaces: () => pod.interfaceRows,
    routes: () => pod.routeRows,
    neighbors: () => [
      { address: '10.36.0.1', device: 'eth0', mac: '02:00:0a:24:00:01', state: 'REACHABLE' },
      { address: '10.36.0.9', device: 'eth0', state: 'FAILED' },
    ],
    sockets: () => pod.socketRows,
    configure: () => {
      throw new SystemError('EPERM', 'netlink')
    },
    counters: makeCounters,
  }
}

/** Both ends of a connection; the client's one as programs see it. */
export function connectionPair(to: Endpoint, port: number): { client: Connection; peer: Peer } {
  const up = new Pipe()
  const down = new Pipe()
  let reset = false
  const broken = new Wakeup()
  const fail = () => new SystemError('ECONNRESET', 'read')
  const decoder = new TextDecoder('latin1')
  const client: Connection = {
    local: { address: ipv4('10.244.1.5'), port },
    remote: to,
    read: async (signal) => {
      if (reset) throw fail()
      const bytes = await abortable(
        Promise.race([down.reader.read(), broken.wait().then(() => Promise.reject(fail()))]),
        signal,
      )
      return bytes
    },
    readInto: copiedReads((signal) => client.read(signal)),
    write: (content, signal) => abortable(up.writer.write(content), signal),
    shutdown: () => up.endWriting(),
    close: () => {
      up.endWriting()
      down.closeReading()
    },
    abort: () => up.endWriting(),
    setNoDelay: () => {},
  }
  const read = async () => {
    const bytes = await up.reader.read()
    return bytes && decoder.decode(bytes)
  }
  const peer: Peer = {
    read,
    request: async () => {
      let text = ''
      while (!text.includes('\r\n\r\n')) {
        const more = await read()
        if (more === undefined) break
        text += more
      }
      return text
    },
    write: (content) => down.writer.write(toBytes(content)),
    close: () => down.endWriting(),
    reset: () => {
      reset = true
      broken.wake()
    },
  }
  return { client, peer }
}

/** Answers every datagram with its text in capitals, and a datagram `refuse` with an ICMP error. */
function fakeDatagramSocket(pod: FakePod): DatagramSocket {
  const queue: (Datagram | SystemError)[] = []
  const local = { address: ipv4('10.244.1.5'), port: 40000 }
  let remote: Endpoint = local
  return {
    local,
    connect: (to) => {
      remote = { address: to.address, port: to.port }
    },
    send: (bytes, to) => {
      const text = new TextDecoder().decode(bytes)
      if (remote.port === 1) queue.push(new SystemError('ECONNREFUSED', 'recvmsg'))
      else queue.push({ source: to ?? remote, destination: local, bytes: toBytes(text.toUpperCase()) })
    },
    receive: async (timeout = Number.POSITIVE_INFINITY, signal) => {
      const end = pod.clock.now() + timeout
      while (queue.length === 0 && pod.clock.now() < end) await pod.clock.sleep(ROUND_TRIP, signal)
      const next = queue.shift()
      if (next instanceof SystemError) throw next
      return next
    },
    close: () => {},
  }
}

function fakeEchoSocket(pod: FakePod): EchoSocket {
  const arrivals: { at: Micros; reply: IcmpReply }[] = []
  let ttl = 64
  return {
    identifier: 7,
    setMtuDiscovery: () => {},
    setTtl: (value) => {
      ttl = value
    },
    send: (to, sequence, bytes) => {
      const answer = pod.echoes.get(formatAddress(to))
      if (answer === undefined) throw new SystemError('ENETUNREACH', 'send')
      for (const { after, ...reply } of answer(sequence, ttl, bytes))
        arrivals.push({
          at: pod.clock.now() + after,
          reply: { from: to, type: 0, code: 0, sequence, ttl: 62, bytes, ...reply },
        })
      arrivals.sort((a, b) => a.at - b.at)
    },
    receive: async (timeout = Number.POSITIVE_INFINITY, signal) => {
      const next = arrivals[0]
      const wait = next === undefined ? Number.POSITIVE_INFINITY : next.at - pod.clock.now()
      if (wait > timeout) {
        await pod.clock.sleep(timeout, signal)
        return undefined
      }
      if (wait > 0) await pod.clock.sleep(wait, signal)
      arrivals.shift()
      return next!.reply
    },
    close: () => {},
  }
}
