// The program of the coredns image: reads its Corefile and answers, UDP and TCP, from the cluster's records
// (dns/server.ts). It hears of the cluster through `follow`, as CoreDNS does by watching the API, and asks other
// servers what the forward plugin gives away.

import { SystemError } from '../../base/errors.js'
import { type Micros, NEVER, SECOND } from '../../base/time.js'
import type { ClusterFollower } from '../../cluster/feed.js'
import type { Ask } from '../../dns/chain.js'
import { CorefileError } from '../../dns/corefile.js'
import type { DnsCodec, DnsMessage } from '../../dns/message.js'
import { type Arrival, DnsServer, type Response, refusal } from '../../dns/server.js'
import { kubernetesBlock, type ServerBlock, serverBlocks } from '../../dns/server-config.js'
import { frameMessage, MessageStream } from '../../dns/tcp-framing.js'
import { exchange, queryMessage } from '../../posix/dns-exchange.js'
import type { Connection, Listener, NonBlockingDatagramSocket } from '../../posix/net.js'
import type { Process, Program } from '../../posix/process.js'
import { type Endpoint, formatAddress, formatEndpoint, IPV4_ANY, parseIpv4 } from '../../wire/address.js'

const VERSION = '1.11.3'
/** How long one of the servers of `forward` gets to answer. */
const UPSTREAM_TIMEOUT = 2 * SECOND

export interface CorednsOptions {
  readonly codec: DnsCodec
  /** Has `follower` hear of everything that is there, then of every change; the returned function ends it. */
  readonly follow: (follower: ClusterFollower) => () => void
  /** Answers only what the Kubernetes DNS specification names: no dotted pod addresses. Default false. */
  readonly strict?: boolean
  /** What the server believes to be its own addresses; default: those of its interfaces. */
  readonly localAddresses?: readonly string[]
  /** Whether `follow` tells everything there is before it returns; default true. */
  readonly synced?: boolean
}

/**
 * The program: `coredns [-conf FILE]`, by default with what kubeadm's Corefile says. Runs until it is killed. Status
 * 1 when the Corefile cannot be used or a port is taken.
 */
export function corednsProgram(options: CorednsOptions): Program {
  return async (process) => {
    let blocks: readonly ServerBlock[]
    try {
      blocks = configuration(process, options)
    } catch (error) {
      if (!(error instanceof CorefileError)) throw error
      await process.stderr.write(`${error.message}\n`)
      return 1
    }
    const server = new Server(process, options, blocks)
    try {
      server.open(blocks)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      await process.stderr.write(`Listen: ${error.message}\n`)
      return 1
    }
    return server.run()
  }
}

function configuration(process: Process, options: CorednsOptions): readonly ServerBlock[] {
  const { argv, system } = process
  const addresses =
    options.localAddresses ??
    system.net
      .interfaces()
      .filter((row) => !row.loopback)
      .flatMap((row) => row.addresses)
      .map((address) => address.split('/')[0]!)
  const localAddresses = [...addresses]
  const strict = options.strict ?? false
  const path = corefilePath(argv)
  if (path === undefined) return [kubernetesBlock({ localAddresses, strict })]
  const readFile = (file: string) => (system.fs.exists(file) ? system.fs.readText(file) : undefined)
  const text = readFile(path)
  if (text === undefined) throw new CorefileError(`open ${path}: no such file`, { line: 1, column: 1 })
  return serverBlocks(text, { localAddresses, strict, readFile })
}

function corefilePath(argv: readonly string[]): string | undefined {
  return argv.includes('-conf') ? argv[argv.indexOf('-conf') + 1] : undefined
}

/** The shortest interval of the blocks' reload plugins; NEVER when none has it. */
function reloadInterval(blocks: readonly ServerBlock[]): Micros {
  const intervals = blocks.flatMap(({ plugins }) =>
    plugins.flatMap((config) => (config.plugin === 'reload' ? [config.interval] : [])),
  )
  return intervals.length === 0 ? NEVER : Math.min(...intervals)
}

/** A port of the Corefile: both of its sockets. */
interface OpenPort {
  readonly port: number
  readonly udp: NonBlockingDatagramSocket
  readonly tcp: Listener
  served: boolean
  closed: boolean
}

function close(sockets: readonly OpenPort[]): void {
  for (const socket of sockets) {
    socket.closed = true
    socket.udp.close()
    socket.tcp.close()
  }
}

type Transport = Arrival['transport']

/** A question that is being answered. */
interface Asked {
  readonly query: DnsMessage
  /** Of the message, in bytes. */
  readonly length: number
  readonly source: Endpoint
  readonly transport: Transport
  /** That it came to. */
  readonly port: number
  /** When it came. */
  readonly now: Micros
}

/** At once, or after waiting. */
type Later<Value> = Value | Promise<Value>

class Server {
  readonly #process: Process
  readonly #options: CorednsOptions
  readonly #server: DnsServer
  #blocks: readonly ServerBlock[]
  #sockets: OpenPort[] = []
  /** What the Corefile said when it was last read, and when that was: for the reload plugin. */
  #corefile: string | undefined
  #readAt: Micros
  #reloadInterval: Micros
  readonly #stop = new AbortController()
  /** Servers that did not answer when they were last asked. */
  readonly #silent = new Set<string>()
  #terminated = false
  /** Ends the program with an error; set while it runs. */
  #fail: (error: unknown) => void = () => {}

  constructor(process: Process, options: CorednsOptions, blocks: readonly ServerBlock[]) {
    this.#process = process
    this.#options = options
    this.#blocks = blocks
    this.#reloadInterval = reloadInterval(blocks)
    const random = process.system.random.fork('loadbalance')
    this.#server = new DnsServer({ codec: options.codec, blocks, random })
    this.#server.synced = options.synced ?? true
    this.#corefile = this.#readCorefile()
    this.#readAt = process.system.clock.now()
  }

  /** Binds every port of `blocks` that is not bound yet, all of them or none. SystemError when one is taken. */
  open(blocks: readonly ServerBlock[]): void {
    const { net } = this.#process.system
    const opened: OpenPort[] = []
    const isOpen = (wanted: number) => this.#sockets.some(({ port }) => port === wanted)
    try {
      for (const port of new Set(blocks.map((block) => block.port))) {
        if (isOpen(port)) continue
        const udp = net.datagramNonBlocking({ address: IPV4_ANY, port })
        try {
          opened.push({
            port,
            udp,
            tcp: net.listen({ address: IPV4_ANY, port }),
            closed: false,
            served: false,
          })
        } catch (error) {
          udp.close()
          throw error
        }
      }
    } catch (error) {
      close(opened)
      throw error
    }
    this.#sockets.push(...opened)
  }

  /** Answers until the process is killed, or ended by SIGTERM: it is a pod's process 1. */
  async run(): Promise<number> {
    const { stdout, signal, system } = this.#process
    this.#process.onSignal('SIGTERM', () => {
      this.#terminated = true
      this.#stop.abort()
    })
    signal.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true })
    const unfollow = this.#options.follow({
      apply: (change) => this.#server.apply(change, Math.floor(system.clock.unixMillis() / 1000)),
    })
    try {
      await stdout.write(`${this.#banner()}CoreDNS-${VERSION}\nlinux/amd64, podwire\n`)
      return await new Promise<never>((_, fail) => {
        this.#fail = fail
        this.#serve(this.#sockets)
      })
    } catch (error) {
      if (!this.#terminated || signal.aborted) throw error
      await stdout.write('[INFO] SIGTERM: Shutting down servers then terminating\n')
      return 0
    } finally {
      unfollow()
      close(this.#sockets)
    }
  }

  #banner(): string {
    const zones = this.#blocks.flatMap((block) => block.zones.map((zone) => `${zone}.:${block.port}\n`))
    return zones.join('')
  }

  #readCorefile(): string | undefined {
    const { argv, system } = this.#process
    const path = corefilePath(argv)
    return path !== undefined && system.fs.exists(path) ? system.fs.readText(path) : undefined
  }

  /**
   * The reload plugin. Unlike CoreDNS, which looks at the file at every interval, it looks with the first question
   * after one: nobody can tell, and an idle server needs no timer. What cannot be used changes nothing.
   */
  async #reload(now: Micros): Promise<void> {
    this.#readAt = now
    const corefile = this.#readCorefile()
    if (corefile === undefined || corefile === this.#corefile) return
    this.#corefile = corefile
    const { stdout } = this.#process
    try {
      const blocks = configuration(this.#process, this.#options)
      this.open(blocks)
      this.#blocks = blocks
      this.#reloadInterval = reloadInterval(blocks)
      this.#server.configure(blocks)
      const ports = new Set(blocks.map(({ port }) => port))
      close(this.#sockets.filter(({ port }) => !ports.has(port)))
      this.#sockets = this.#sockets.filter((socket) => !socket.closed)
      this.#serve(this.#sockets.filter((socket) => !socket.served))
      await stdout.write('[INFO] Reloading\n[INFO] Reloading complete\n')
    } catch (error) {
      if (!(error instanceof CorefileError) && !(error instanceof SystemError)) throw error
      await stdout.write(`[ERROR] Restart failed: ${error.message}\n`)
    }
  }

  #serve(sockets: readonly OpenPort[]): void {
    for (const socket of sockets) {
      socket.served = true
      socket.udp.onReady = () => this.#serveUdp(socket)
      this.#serveUdp(socket)
      this.#serveTcp(socket).catch((error) => {
        if (!socket.closed) this.#fail(error)
      })
    }
  }

  /** Answers what is here. */
  #serveUdp({ udp, port }: OpenPort): void {
    try {
      for (let datagram = udp.receive(); datagram !== undefined; datagram = udp.receive()) {
        const { bytes, source } = datagram
        const response = this.#answer(bytes, source, 'udp', port)
        if (response instanceof Uint8Array) trySend(udp, response, source)
        // Nobody waits for whom another server keeps waiting.
        else response?.then((later) => later && trySend(udp, later, source)).catch(() => {})
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  async #serveTcp({ tcp, port }: OpenPort): Promise<void> {
    for (;;) {
      const connection = await tcp.accept(this.#stop.signal)
      // A client's failure ends its own connection only; a kill reaches `accept` as well.
      this.#serveConnection(connection, port).catch(() => connection.abort())
    }
  }

  /** Answers one query after the other until the client has no more (RFC 7766 section 6.2.1). */
  async #serveConnection(connection: Connection, port: number): Promise<void> {
    const { signal } = this.#stop
    const stream = new MessageStream()
    for (let piece = await connection.read(signal); piece; piece = await connection.read(signal)) {
      stream.push(piece)
      for (let bytes = stream.next(); bytes !== undefined; bytes = stream.next()) {
        const response = await this.#answer(bytes, connection.remote, 'tcp', port)
        if (response !== undefined) await connection.write(frameMessage(response), signal)
      }
    }
    connection.close()
  }

  /** The bytes to send back, if any: at once, unless there is somebody to ask or something to be logged. */
  #answer(
    bytes: Uint8Array,
    source: Endpoint,
    transport: Transport,
    port: number,
  ): Later<Uint8Array | undefined> {
    const { codec } = this.#options
    const query = codec.decode(bytes)
    if (query === undefined) {
      const failure = formatError(bytes)
      return failure && codec.encode(failure)
    }
    const now = this.#process.system.clock.now()
    const asked: Asked = { query, length: bytes.length, source, transport, port, now }
    return now - this.#readAt < this.#reloadInterval
      ? this.#respond(asked)
      : this.#reload(now).then(() => this.#respond(asked))
  }

  #respond(asked: Asked): Later<Uint8Array | undefined> {
    const { query, source, transport, port, now } = asked
    const client = formatAddress(source.address)
    const responding = this.#server.respond(query, { transport, port, client, now })
    const step = responding.next()
    return step.done ? this.#encode(asked, step.value) : this.#respondLater(asked, responding, step.value)
  }

  /** The rest of a response that needs other servers' answers. */
  async #respondLater(asked: Asked, responding: Response, ask: Ask): Promise<Uint8Array | undefined> {
    let step = responding.next(await this.#askOthers(ask))
    while (!step.done) step = responding.next(await this.#askOthers(step.value))
    return this.#encode(asked, step.value)
  }

  #encode(asked: Asked, message: DnsMessage | undefined): Later<Uint8Array | undefined> {
    if (message === undefined) return undefined
    const { query, length, source, transport, port, now } = asked
    const response = this.#options.codec.encode(message)
    const [question] = query.questions
    if (question === undefined || !this.#server.logs(question.name, port)) return response
    const { stdout, system } = this.#process
    const seconds = (system.clock.now() - now) / SECOND
    const line = logLine(query, length, source, transport, message, response.length)
    return stdout.write(`[INFO] ${line} ${seconds.toFixed(9)}s\n`).then(() => response)
  }

  async #askOthers({ servers, question }: Ask): Promise<DnsMessage | undefined> {
    const { net, clock, random } = this.#process.system
    const client = { net, clock, codec: this.#options.codec }
    // As CoreDNS after failed health checks: who did not answer is asked last, until it answers.
    const inOrder = [...servers].sort((one, other) => this.#rank(one) - this.#rank(other))
    for (const server of inOrder) {
      const [address = '', port] = server.split(':')
      const endpoint = { address: parseIpv4(address)!, port: Number(port) }
      const query = queryMessage(random.int(65_536), question)
      const message = await exchange(client, endpoint, query, { timeout: UPSTREAM_TIMEOUT })
      if (message !== undefined) {
        this.#silent.delete(server)
        return message
      }
      this.#silent.add(server)
    }
    return undefined
  }

  #rank(server: string): number {
    return this.#silent.has(server) ? 1 : 0
  }
}

/** An answer that cannot be sent (no route back, a socket closed meanwhile) is lost, as any datagram may be. */
function trySend(socket: NonBlockingDatagramSocket, bytes: Uint8Array, to: Endpoint): void {
  try {
    socket.send(bytes, to)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
  }
}

/** What can be said about bytes that have a header and are no message; nothing about answers. */
function formatError(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < 12 || (bytes[2]! & 0x80) !== 0) return undefined
  const header = {
    ...queryMessage(bytes[0]! * 256 + bytes[1]!, { name: '', type: 'A' }),
    opcode: (bytes[2]! >> 3) & 15,
    recursionDesired: (bytes[2]! & 1) !== 0,
    questions: [],
  }
  return refusal(header, 'FORMERR')
}

/** As CoreDNS' log plugin, up to the duration. */
function logLine(
  query: DnsMessage,
  queryBytes: number,
  source: Endpoint,
  transport: Transport,
  response: DnsMessage,
  responseBytes: number,
): string {
  const { name, type, class: wireClass = 'IN' } = query.questions[0]!
  const asked = `"${type} ${wireClass} ${name}. ${transport} ${queryBytes} false ${query.ednsUdpSize ?? 512}"`
  const flags = [
    'qr',
    ...(response.authoritative ? ['aa'] : []),
    ...(response.truncated ? ['tc'] : []),
    ...(response.recursionDesired ? ['rd'] : []),
    ...(response.recursionAvailable ? ['ra'] : []),
  ]
  return `${formatEndpoint(source)} - ${query.id} ${asked} ${response.rcode} ${flags.join(',')} ${responseBytes}`
}
