// The program of the coredns image: reads its Corefile and answers, UDP and TCP, from the cluster's records
// (dns/server.ts). It hears of the cluster through `follow`, as CoreDNS does by watching the API, and asks other
// servers what the forward plugin gives away.

import { SystemError } from '../../base/errors.js'
import { SECOND } from '../../base/time.js'
import type { ClusterFollower } from '../../cluster/feed.js'
import type { Ask } from '../../dns/chain.js'
import { CorefileError } from '../../dns/corefile.js'
import type { DnsCodec, DnsMessage } from '../../dns/message.js'
import { type Arrival, DnsServer, refusal } from '../../dns/server.js'
import { kubernetesBlock, type ServerBlock, serverBlocks } from '../../dns/server-config.js'
import { frameMessage, MessageStream } from '../../dns/tcp-framing.js'
import { exchange, queryMessage } from '../../posix/dns-exchange.js'
import type { Connection, DatagramSocket, Listener } from '../../posix/net.js'
import type { Process, Program } from '../../posix/process.js'
import type { Datagram } from '../../stack/socket.js'
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
      server.open()
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
  const path = argv[argv.indexOf('-conf') + 1]
  if (!argv.includes('-conf') || path === undefined) return [kubernetesBlock({ localAddresses, strict })]
  const readFile = (file: string) => (system.fs.exists(file) ? system.fs.readText(file) : undefined)
  const text = readFile(path)
  if (text === undefined) throw new CorefileError(`open ${path}: no such file`, { line: 1, column: 1 })
  return serverBlocks(text, { localAddresses, strict, readFile })
}

class Server {
  readonly #process: Process
  readonly #options: CorednsOptions
  readonly #blocks: readonly ServerBlock[]
  readonly #server: DnsServer
  readonly #sockets: { port: number; udp: DatagramSocket; tcp: Listener }[] = []
  readonly #stop = new AbortController()
  /** Servers that did not answer when they were last asked. */
  readonly #silent = new Set<string>()
  #terminated = false

  constructor(process: Process, options: CorednsOptions, blocks: readonly ServerBlock[]) {
    this.#process = process
    this.#options = options
    this.#blocks = blocks
    const random = process.system.random.fork('loadbalance')
    this.#server = new DnsServer({ codec: options.codec, blocks, random })
    this.#server.synced = options.synced ?? true
  }

  /** Binds every port of the Corefile. SystemError when one is taken. */
  open(): void {
    const { net } = this.#process.system
    try {
      for (const port of new Set(this.#blocks.map((block) => block.port))) {
        const udp = net.datagram({ address: IPV4_ANY, port })
        try {
          this.#sockets.push({ port, udp, tcp: net.listen({ address: IPV4_ANY, port }) })
        } catch (error) {
          udp.close()
          throw error
        }
      }
    } catch (error) {
      this.#close()
      throw error
    }
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
      await Promise.all(
        this.#sockets.flatMap(({ port, udp, tcp }) => [this.#serveUdp(udp, port), this.#serveTcp(tcp, port)]),
      )
      return 0
    } catch (error) {
      if (!this.#terminated || signal.aborted) throw error
      await stdout.write('[INFO] SIGTERM: Shutting down servers then terminating\n')
      return 0
    } finally {
      unfollow()
      this.#close()
    }
  }

  #close(): void {
    for (const { udp, tcp } of this.#sockets) {
      udp.close()
      tcp.close()
    }
  }

  #banner(): string {
    const zones = this.#blocks.flatMap((block) => block.zones.map((zone) => `${zone}.:${block.port}\n`))
    return zones.join('')
  }

  async #serveUdp(socket: DatagramSocket, port: number): Promise<void> {
    for (;;) {
      const datagram = await socket.receive(undefined, this.#stop.signal)
      // Nobody waits for whom another server keeps waiting.
      if (datagram !== undefined) this.#answerDatagram(socket, datagram, port).catch(() => {})
    }
  }

  async #answerDatagram(socket: DatagramSocket, { bytes, source }: Datagram, port: number): Promise<void> {
    const response = await this.#answer(bytes, source, { transport: 'udp', port })
    if (response !== undefined) trySend(socket, response, source)
  }

  async #serveTcp(listener: Listener, port: number): Promise<void> {
    for (;;) {
      const connection = await listener.accept(this.#stop.signal)
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
        const response = await this.#answer(bytes, connection.remote, { transport: 'tcp', port })
        if (response !== undefined) await connection.write(frameMessage(response), signal)
      }
    }
    connection.close()
  }

  /** The bytes to send back, if any. */
  async #answer(bytes: Uint8Array, source: Endpoint, arrival: Arrival): Promise<Uint8Array | undefined> {
    const { codec } = this.#options
    const { clock } = this.#process.system
    const query = codec.decode(bytes)
    if (query === undefined) {
      const failure = formatError(bytes)
      return failure && codec.encode(failure)
    }
    const now = clock.now()
    const responding = this.#server.respond(query, { ...arrival, client: formatAddress(source.address), now })
    let step = responding.next()
    while (!step.done) step = responding.next(await this.#askOthers(step.value))
    if (step.value === undefined) return undefined
    const response = codec.encode(step.value)
    const [question] = query.questions
    if (question !== undefined && this.#server.logs(question.name, arrival.port ?? 0)) {
      const seconds = (clock.now() - now) / SECOND
      const line = logLine(query, bytes.length, source, arrival.transport, step.value, response.length)
      await this.#process.stdout.write(`[INFO] ${line} ${seconds.toFixed(9)}s\n`)
    }
    return response
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
function trySend(socket: DatagramSocket, bytes: Uint8Array, to: Endpoint): void {
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
  transport: 'udp' | 'tcp',
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
