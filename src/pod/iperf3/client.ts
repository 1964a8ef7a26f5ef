// iperf3 -c: asks a server for a test, does its half, shows what both sides counted.

import { SystemError } from '../../base/errors.js'
import { SECOND } from '../../base/time.js'
import { NO_LONGER_NEEDED } from '../../posix/abort.js'
import { type Connection, ResolveError } from '../../posix/net.js'
import type { Process } from '../../posix/process.js'
import { strerror } from '../../shell/applets/net/strerror.js'
import { formatAddress, type IpAddress } from '../../wire/address.js'
import {
  ControlChannel,
  IperfError,
  makeCookie,
  STATE,
  type TestParameters,
  type TestResult,
} from './control-channel.js'
import { type IperfOptions, VERSION } from './options.js'
import { Report } from './report.js'
import { type DataStream, TcpStream, UdpStream } from './stream.js'
import { TestRun } from './test-run.js'

/** The file descriptor that a first stream has in the real program, and the step to the next. */
const FIRST_LABEL = 5
const LABEL_STEP = 2
/** UDP_CONNECT_MSG as it stands in memory: the first datagram of each stream, which the server answers. */
const UDP_HELLO = Uint8Array.of(0x39, 0x38, 0x37, 0x36)
const UDP_HELLO_TIMEOUT = SECOND
const UDP_HELLO_TRIES = 5

/** Stream ids are 1, 3, 4, 5, ...: 2 is left out by every iperf3. */
export function streamId(index: number): number {
  return index === 0 ? 1 : index + 2
}

export class IperfClient {
  readonly #process: Process
  readonly #options: IperfOptions
  readonly #host: string
  readonly #report: Report
  readonly #cookie: Uint8Array
  readonly #streams: DataStream[] = []
  #address: IpAddress = 0

  constructor(process: Process, options: IperfOptions, host: string) {
    this.#process = process
    this.#options = options
    this.#host = host
    this.#report = new Report(process.stdout, options)
    this.#cookie = makeCookie(process.system.random.fork('iperf3 cookie'))
  }

  /** Rejects with IperfError. */
  async run(): Promise<void> {
    const { port } = this.#options
    const channel = new ControlChannel(await this.#connect(), this.#process.signal)
    await this.#report.line(`Connecting to host ${this.#host}, port ${port}`)
    if (this.#options.reverse) await this.#report.line(`Reverse mode, remote host ${this.#host} is sending`)
    try {
      await channel.connection.write(this.#cookie)
      await this.#converse(channel)
    } finally {
      for (const stream of this.#streams) stream.close()
      channel.close()
    }
  }

  async #converse(channel: ControlChannel): Promise<void> {
    let next = channel.readState()
    let run: TestRun | undefined
    let peer: TestResult | undefined
    for (;;) {
      const state = await next
      if (state === STATE.PARAM_EXCHANGE) await channel.sendJson(this.#parameters())
      else if (state === STATE.CREATE_STREAMS) await this.#openStreams()
      else if (state === STATE.TEST_RUNNING) {
        next = channel.readState()
        run = await this.#test(next)
        await channel.sendState(STATE.TEST_END)
        continue
      } else if (state === STATE.EXCHANGE_RESULTS) {
        await channel.sendJson(run!.result)
        peer = (await channel.readJson()) as TestResult
      } else if (state === STATE.DISPLAY_RESULTS) {
        await this.#report.end(this.#streams, run!.seconds, peer?.streams, this.#start())
        await this.#report.line('\niperf Done.')
        return channel.sendState(STATE.IPERF_DONE)
      } else if (state !== STATE.TEST_START) throw new IperfError(stateText(state))
      next = channel.readState()
    }
  }

  /** Runs until the time is over; `next` is what the server says meanwhile, which is nothing good. */
  async #test(next: Promise<number | undefined>): Promise<TestRun> {
    const { seconds, bytes } = this.#options
    await this.#report.begin(this.#streams)
    const run = new TestRun(this.#streams, this.#report, this.#process.system.clock)
    const timer = new AbortController()
    const over =
      bytes > 0
        ? new Promise<void>(() => {})
        : this.#process.system.clock.sleep(seconds * SECOND, timer.signal)
    over.catch(() => {})
    const interrupted = next.then((state) => {
      throw new IperfError(stateText(state))
    })
    interrupted.catch(() => {})
    try {
      await run.run(this.#options, Promise.race([over, interrupted]))
    } finally {
      timer.abort(NO_LONGER_NEEDED)
    }
    return run
  }

  async #connect(): Promise<Connection> {
    const { net } = this.#process.system
    const { signal } = this.#process
    try {
      const { addresses } = await net.resolve(this.#host, signal)
      this.#address = addresses[0]!
      return await net.connect({ address: this.#address, port: this.#options.port }, { signal })
    } catch (error) {
      if (error instanceof ResolveError)
        throw new IperfError('unable to connect to server: Temporary failure in name resolution')
      if (error instanceof SystemError)
        throw new IperfError(`unable to connect to server: ${strerror(error)}`)
      throw error
    }
  }

  async #openStreams(): Promise<void> {
    for (let i = 0; i < this.#options.streams; i++) {
      const label = FIRST_LABEL + i * LABEL_STEP
      this.#streams.push(this.#options.udp ? await this.#openUdp(label, i) : await this.#openTcp(label, i))
    }
  }

  async #openTcp(label: number, index: number): Promise<DataStream> {
    const { net, clock } = this.#process.system
    const to = { address: this.#address, port: this.#options.port }
    const connection = await net.connect(to, { signal: this.#process.signal })
    await connection.write(this.#cookie)
    return new TcpStream(connection, label, streamId(index), !this.#options.reverse, clock)
  }

  async #openUdp(label: number, index: number): Promise<DataStream> {
    const { net, clock } = this.#process.system
    const socket = net.datagram()
    const remote = { address: this.#address, port: this.#options.port }
    socket.connect(remote)
    let answered = false
    for (let tries = 0; tries < UDP_HELLO_TRIES && !answered; tries++) {
      socket.send(UDP_HELLO)
      answered = (await socket.receive(UDP_HELLO_TIMEOUT, this.#process.signal)) !== undefined
    }
    if (!answered) throw new IperfError('unable to read from stream socket: no answer over UDP')
    const path = {
      local: socket.local,
      remote,
      send: (bytes: Uint8Array) => socket.send(bytes),
      close: () => socket.close(),
    }
    const stream = new UdpStream(path, label, streamId(index), !this.#options.reverse, clock)
    if (this.#options.reverse) void this.#receive(socket, stream)
    return stream
  }

  async #receive(socket: ReturnType<Process['system']['net']['datagram']>, stream: UdpStream): Promise<void> {
    try {
      for (;;) {
        const datagram = await socket.receive(undefined, this.#process.signal)
        if (datagram === undefined) return
        stream.take(datagram.bytes)
      }
    } catch {
      // The socket is closed, or the server's port is: the control connection says what became of the test.
    }
  }

  #parameters(): TestParameters {
    const { udp, reverse, seconds, bytes, streams, blockBytes, bitrate } = this.#options
    return {
      ...(udp ? { udp: true } : { tcp: true }),
      omit: 0,
      time: bytes > 0 ? 0 : seconds,
      num: bytes,
      blockcount: 0,
      parallel: streams,
      ...(reverse ? { reverse: true } : {}),
      len: blockBytes,
      ...(bitrate > 0 ? { bandwidth: bitrate } : {}),
      client_version: VERSION,
    }
  }

  /** Of the JSON document. */
  #start(): Record<string, unknown> {
    const { port, udp, streams, blockBytes, seconds, bytes, reverse, bitrate } = this.#options
    const millis = this.#process.system.clock.unixMillis()
    return {
      version: `iperf ${VERSION}`,
      timestamp: { time: new Date(millis).toUTCString(), timesecs: Math.floor(millis / 1000) },
      connecting_to: { host: this.#host, port },
      remote_address: formatAddress(this.#address),
      cookie: new TextDecoder().decode(this.#cookie.subarray(0, -1)),
      test_start: {
        protocol: udp ? 'UDP' : 'TCP',
        num_streams: streams,
        blksize: blockBytes,
        omit: 0,
        duration: bytes > 0 ? 0 : seconds,
        bytes,
        blocks: 0,
        reverse: reverse ? 1 : 0,
        tos: 0,
        target_bitrate: bitrate,
      },
    }
  }
}

/** What a state means that ends the test. */
function stateText(state: number | undefined): string {
  switch (state) {
    case STATE.ACCESS_DENIED:
      return 'the server is busy running a test. try again later'
    case STATE.SERVER_TERMINATE:
      return 'the server has terminated'
    case STATE.SERVER_ERROR:
      return 'the server gave up the test'
    case undefined:
      return 'control socket has closed unexpectedly'
    default:
      return `received an unknown control message (${state})`
  }
}
