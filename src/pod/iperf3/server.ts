// iperf3 -s: one test at a time on one port, TCP for control and for TCP's streams, UDP for the others. Who comes while
// a test runs is told so.

import { SystemError } from '../../base/errors.js'
import { SECOND } from '../../base/time.js'
import { NO_LONGER_NEEDED } from '../../posix/abort.js'
import type { Connection, DatagramSocket, Listener } from '../../posix/net.js'
import type { Process } from '../../posix/process.js'
import { strerror } from '../../shell/applets/net/strerror.js'
import { type Endpoint, formatAddress, formatEndpoint, IPV4_ANY } from '../../wire/address.js'
import { streamId } from './client.js'
import {
  COOKIE_BYTES,
  ControlChannel,
  IperfError,
  STATE,
  sameBytes,
  type TestParameters,
  type TestResult,
} from './control-channel.js'
import type { IperfOptions } from './options.js'
import { Report } from './report.js'
import { type DataStream, TcpStream, UdpStream } from './stream.js'
import { TestRun } from './test-run.js'

const RULE = '-----------------------------------------------------------'
/** File descriptors of the real program's streams: 5, 8, 10, ... */
const label = (index: number) => (index === 0 ? 5 : 6 + 2 * index)
/** UDP_CONNECT_REPLY as it stands in memory. */
const UDP_WELCOME = Uint8Array.of(0x36, 0x37, 0x38, 0x39)
const COOKIE_TIMEOUT = 10 * SECOND
const STREAMS_TIMEOUT = 10 * SECOND
const MOST_STREAMS = 128
const LARGEST_BLOCK = 1024 * 1024

export class IperfServer {
  readonly #process: Process
  readonly #options: IperfOptions
  #tests = 0
  #active: ServerTest | undefined

  constructor(process: Process, options: IperfOptions) {
    this.#process = process
    this.#options = options
  }

  /** Serves until it is killed, or with --one-off one client. Rejects with IperfError. */
  async run(): Promise<void> {
    const { net } = this.#process.system
    let listener: Listener
    try {
      listener = net.listen({ address: IPV4_ANY, port: this.#options.port })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      throw new IperfError(`unable to start listener for connections: ${strerror(error)}`)
    }
    await this.#banner()
    let ended = () => {}
    const done = new Promise<undefined>((resolve) => {
      ended = () => resolve(undefined)
    })
    try {
      for (let order = 0; ; order++) {
        const connection = await Promise.race([listener.accept(this.#process.signal), done])
        if (connection === undefined) return
        this.#welcome(connection, order).then(
          (wasTest) => {
            if (wasTest && this.#options.oneOff) ended()
          },
          () => connection.abort(),
        )
      }
    } finally {
      listener.close()
    }
  }

  async #banner(): Promise<void> {
    if (this.#options.json) return
    const text = `Server listening on ${this.#options.port} (test #${++this.#tests})`
    await this.#process.stdout.write(`${RULE}\n${text}\n${RULE}\n`)
  }

  /** A connection says by its cookie whose it is. Whether it was a test's control connection. */
  async #welcome(connection: Connection, order: number): Promise<boolean> {
    const channel = new ControlChannel(connection, this.#process.signal)
    const timer = new AbortController()
    const tooLate = this.#process.system.clock.sleep(COOKIE_TIMEOUT, timer.signal).then(
      () => undefined,
      () => undefined,
    )
    const cookie = await Promise.race([channel.read(COOKIE_BYTES), tooLate])
    timer.abort(NO_LONGER_NEEDED)
    if (cookie === undefined) {
      connection.close()
      return false
    }
    const active = this.#active
    if (active !== undefined) {
      if (active.takes(cookie, connection, order)) return false
      await channel.sendState(STATE.ACCESS_DENIED)
      connection.close()
      return false
    }
    const test = new ServerTest(this.#process, this.#options, channel, cookie)
    this.#active = test
    try {
      await test.run()
    } catch (error) {
      if (!(error instanceof IperfError || error instanceof SystemError)) throw error
      const why = error instanceof SystemError ? strerror(error) : error.message
      await this.#process.stderr.write(`iperf3: error - ${why}\n`)
    } finally {
      this.#active = undefined
      test.close()
    }
    if (!this.#options.oneOff) await this.#banner()
    return true
  }
}

/** One test: it belongs to one control connection and its cookie. */
class ServerTest {
  readonly #process: Process
  readonly #options: IperfOptions
  readonly #channel: ControlChannel
  readonly #cookie: Uint8Array
  readonly #streams: DataStream[] = []
  /** TCP's data connections until all are there: streams are numbered as the client made them, whoever's cookie is first. */
  readonly #arrived: { readonly order: number; readonly connection: Connection }[] = []
  #parameters: TestParameters | undefined
  #socket: DatagramSocket | undefined
  #complete: () => void = () => {}

  constructor(process: Process, options: IperfOptions, channel: ControlChannel, cookie: Uint8Array) {
    this.#process = process
    this.#options = options
    this.#channel = channel
    this.#cookie = cookie
  }

  /** Takes a data connection; false when it is somebody else's. */
  takes(cookie: Uint8Array, connection: Connection, order: number): boolean {
    const wanted = this.#parameters
    if (wanted === undefined || wanted.udp === true || !sameBytes(cookie, this.#cookie)) return false
    const arrived = this.#arrived
    if (arrived.length >= wanted.parallel) return false
    arrived.push({ order, connection })
    if (arrived.length < wanted.parallel) return true
    arrived.sort((a, b) => a.order - b.order)
    const sends = wanted.reverse === true
    for (const [index, one] of arrived.entries())
      this.#add(
        new TcpStream(one.connection, label(index), streamId(index), sends, this.#process.system.clock),
      )
    return true
  }

  async run(): Promise<void> {
    const channel = this.#channel
    const { clock } = this.#process.system
    const { remote } = channel.connection
    const report = new Report(this.#process.stdout, { ...this.#options, udp: false })
    await report.line(`Accepted connection from ${formatAddress(remote.address)}, port ${remote.port}`)
    await channel.sendState(STATE.PARAM_EXCHANGE)
    const parameters = checked(await channel.readJson())
    this.#parameters = parameters
    const udp = parameters.udp === true
    const complete = new Promise<void>((resolve) => {
      this.#complete = resolve
    })
    if (udp) this.#openUdp()
    await channel.sendState(STATE.CREATE_STREAMS)
    const ending = channel.readState()
    await this.#inTime(complete, ending)
    const shown = new Report(this.#process.stdout, { ...this.#options, udp })
    await channel.sendState(STATE.TEST_START)
    await channel.sendState(STATE.TEST_RUNNING)
    await shown.begin(this.#streams)
    const run = new TestRun(this.#streams, shown, clock)
    const { intervalSeconds } = this.#options
    const plan = { blockBytes: parameters.len, bitrate: parameters.bandwidth ?? 0, intervalSeconds, bytes: 0 }
    await run.run(plan, ending)
    const state = await ending
    if (state !== STATE.TEST_END) throw new IperfError('the client has terminated')
    // As the real server: in reverse its client reads whole blocks until then, and the last one may have been cut short.
    this.#closeStreams()
    await channel.sendState(STATE.EXCHANGE_RESULTS)
    const peer = (await channel.readJson()) as TestResult
    await channel.sendJson(run.result)
    await channel.sendState(STATE.DISPLAY_RESULTS)
    // As the real server, which shows its own side; -J has both.
    await shown.end(this.#streams, run.seconds, this.#options.json ? peer.streams : undefined, {})
    await channel.readState()
  }

  close(): void {
    this.#closeStreams()
    this.#socket?.close()
    this.#channel.close()
  }

  #closeStreams(): void {
    for (const { connection } of this.#arrived.splice(0)) connection.close()
  }

  #add(stream: DataStream): void {
    this.#streams.push(stream)
    if (this.#streams.length === this.#parameters!.parallel) this.#complete()
  }

  /** One socket for all streams: who sends is known by its address. */
  #openUdp(): void {
    const socket = this.#process.system.net.datagram({ address: IPV4_ANY, port: this.#options.port })
    this.#socket = socket
    const bySource = new Map<string, UdpStream>()
    const receive = async () => {
      for (;;) {
        const datagram = await socket.receive(undefined, this.#process.signal)
        if (datagram === undefined) return
        const known = bySource.get(formatEndpoint(datagram.source))
        if (known !== undefined) known.take(datagram.bytes)
        if (datagram.bytes.length !== UDP_WELCOME.length) continue
        if (known === undefined && this.#streams.length < this.#parameters!.parallel)
          bySource.set(formatEndpoint(datagram.source), this.#addUdp(socket, datagram.source))
        socket.send(UDP_WELCOME, datagram.source)
      }
    }
    // The socket is closed at the test's end.
    receive().catch(() => {})
  }

  #addUdp(socket: DatagramSocket, remote: Endpoint): UdpStream {
    const index = this.#streams.length
    const local = { address: this.#channel.connection.local.address, port: this.#options.port }
    const path = { local, remote, send: (bytes: Uint8Array) => socket.send(bytes, remote), close: () => {} }
    const sends = this.#parameters!.reverse === true
    const stream = new UdpStream(path, label(index), streamId(index), sends, this.#process.system.clock)
    this.#add(stream)
    return stream
  }

  /** Rejects when the client makes too few streams, or has gone before: the next one must not find the server busy. */
  async #inTime(complete: Promise<void>, ending: Promise<unknown>): Promise<void> {
    const timer = new AbortController()
    const tooLate = this.#process.system.clock.sleep(STREAMS_TIMEOUT, timer.signal)
    const late = tooLate.then(
      () => 'late' as const,
      () => undefined,
    )
    const gone = ending.then(() => 'gone' as const)
    const outcome = await Promise.race([complete, late, gone]).finally(() => timer.abort(NO_LONGER_NEEDED))
    if (outcome === 'gone') throw new IperfError('the client has terminated')
    if (outcome === 'late') throw new IperfError('the client made too few streams')
  }
}

/** A client's wishes within reason. Throws IperfError. */
function checked(value: unknown): TestParameters {
  const { parallel, len, bandwidth = 0, udp, tcp, reverse } = (value ?? {}) as TestParameters
  const whole = (number: unknown, least: number, most: number) =>
    typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most
  const wrong =
    !whole(parallel, 1, MOST_STREAMS) ||
    !whole(len, 1, LARGEST_BLOCK) ||
    !(typeof bandwidth === 'number' && bandwidth >= 0)
  if (wrong || (udp !== true && tcp !== true))
    throw new IperfError('unable to receive parameters from client: no test that is known here')
  return { ...(value as TestParameters), reverse: reverse === true }
}
