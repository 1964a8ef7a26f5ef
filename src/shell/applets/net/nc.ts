// nc as busybox has it: a TCP or UDP client or server between standard input, standard output and the network. The
// end of the input closes only the sending half (FIN); what the other side still sends is read to its end.

import { SystemError } from '../../../base/errors.js'
import { type Micros, NEVER, SECOND } from '../../../base/time.js'
import { type Connection, type DatagramSocket, type Listener, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import {
  type Endpoint,
  formatAddress,
  formatEndpoint,
  IPV4_ANY,
  type IpAddress,
  parseIpv4,
} from '../../../wire/address.js'
import { busyboxMistake, type ParsedOptions, parseDecimal, parseOptions } from './options.js'
import { strerror } from './strerror.js'
import { TimeLimitExceeded, withinLimit } from './time-limit.js'

const USAGE = `Usage: nc [-uvzn] [-w SEC] [-s ADDR] [-p PORT] HOST PORT
or: nc -l [-kuvn] [-w SEC] [-s ADDR] [-p PORT] [PORT]

Open a pipe to IP:PORT, or listen

	-l	Listen mode
	-k	Go on listening after a connection ends (with -l)
	-p PORT	Local port
	-s ADDR	Local address
	-u	UDP mode
	-v	Verbose
	-w SEC	Timeout for connects and final net reads
	-z	Zero-I/O mode (scanning)
`

const MAX_DATAGRAM_BYTES = 1024

/** Ends the program with `nc: MESSAGE` and status 1. */
class NcError extends Error {}

export async function nc(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [
    ['l'],
    ['k'],
    ['p='],
    ['s='],
    ['u'],
    ['v'],
    ['w='],
    ['z'],
    ['n'],
    ['N'],
    ['4'],
    ['q='],
  ])
  if ('mistake' in parsed) {
    await process.stderr.write(`${busyboxMistake('nc', parsed)}${USAGE}`)
    return 1
  }
  try {
    return await new Nc(process, parsed).run()
  } catch (error) {
    if (!(error instanceof NcError)) throw error
    await process.stderr.write(error.message === '' ? USAGE : `nc: ${error.message}\n`)
    return 1
  }
}

class Nc {
  readonly #process: Process
  readonly #options: ParsedOptions
  readonly #wait: Micros

  constructor(process: Process, options: ParsedOptions) {
    this.#process = process
    this.#options = options
    const seconds = options.has('w') ? parseDecimal(options.value('w')!) : Number.POSITIVE_INFINITY
    if (seconds === undefined) throw new NcError(`invalid number '${options.value('w')}'`)
    this.#wait = Number.isFinite(seconds) ? Math.max(1, seconds * SECOND) : NEVER
  }

  async run(): Promise<number> {
    const options = this.#options
    const [host, port, extra] = options.operands
    if (options.has('l')) {
      const local = {
        address: this.#localAddress(),
        port: readPort(options.value('p') ?? port ?? host ?? '0'),
      }
      return options.has('u') ? this.#serveDatagrams(local) : this.#serve(local)
    }
    if (host === undefined || port === undefined || extra !== undefined) throw new NcError('')
    return options.has('u') ? this.#sendDatagrams(host, readPort(port)) : this.#dial(host, readPort(port))
  }

  async #dial(host: string, port: number): Promise<number> {
    const to = { address: await this.#resolve(host), port }
    let connection: Connection
    try {
      connection = await this.#within(this.#wait, (signal) =>
        this.#process.system.net.connect(to, { signal, from: this.#from() }),
      )
    } catch (error) {
      // Without -v a scan tells its result by the status alone.
      const silent = this.#options.has('z') && !this.#options.has('v')
      const reason = failureText(error)
      if (silent) return 1
      throw new NcError(`can't connect to remote host (${formatAddress(to.address)}): ${reason}`)
    }
    await this.#verbose(`${host} (${formatEndpoint(to)}) open\n`)
    if (this.#options.has('z')) connection.close()
    else await this.#converse(connection)
    return 0
  }

  async #serve(local: Endpoint): Promise<number> {
    let listener: Listener
    try {
      listener = this.#process.system.net.listen(local)
    } catch (error) {
      throw new NcError(`bind: ${failureText(error)}`)
    }
    try {
      await this.#verbose(`listening on ${formatEndpoint(listener.local)} ...\n`)
      do {
        const connection = await this.#within(this.#wait, (signal) => listener.accept(signal)).catch(
          (error) => {
            if (error instanceof TimeLimitExceeded) throw new NcError('timed out')
            throw error
          },
        )
        if (!this.#options.has('k')) listener.close()
        const remote = formatEndpoint(connection.remote)
        await this.#verbose(`connect to ${formatEndpoint(connection.local)} from ${remote}\n`)
        await this.#converse(connection)
      } while (this.#options.has('k'))
      return 0
    } finally {
      listener.close()
    }
  }

  /** Both ways at once, until the other side has ended its half. */
  async #converse(connection: Connection): Promise<void> {
    const { stdin, stdout, signal } = this.#process
    connection.setNoDelay(true)
    let inputEnded = false
    let over = false
    const sending = (async () => {
      for (let bytes = await stdin.read(); bytes !== undefined; bytes = await stdin.read()) {
        // What is typed after the end is for who reads the terminal next.
        if (over) return stdin.unread(bytes)
        await connection.write(bytes, signal)
      }
      inputEnded = true
      if (!over) connection.shutdown()
    })()
    // A failed write is told by the read as well; a killed program ends in the read.
    sending.catch(() => {})
    try {
      for (;;) {
        // -w limits the silence after the input's end.
        const limit = inputEnded ? this.#wait : NEVER
        const bytes = await this.#within(limit, (limited) => connection.read(limited))
        if (bytes === undefined) break
        await stdout.write(bytes)
      }
    } catch (error) {
      if (error instanceof SystemError && error.code !== 'EPIPE')
        throw new NcError(`read error: ${strerror(error)}`)
      if (!(error instanceof TimeLimitExceeded)) throw error
    } finally {
      over = true
      connection.close()
    }
  }

  async #sendDatagrams(host: string, port: number): Promise<number> {
    const to = { address: await this.#resolve(host), port }
    const socket = this.#openDatagram(this.#from())
    try {
      socket.connect(to)
      if (this.#options.has('z')) return await this.#scanDatagram(socket, host, to)
      await this.#verbose(`${host} (${formatEndpoint(to)}) open\n`)
      await this.#exchangeDatagrams(socket, undefined)
      return 0
    } catch (error) {
      if (error instanceof SystemError) throw new NcError(`read error: ${strerror(error)}`)
      throw error
    } finally {
      socket.close()
    }
  }

  /** UDP is taken for open unless the port is told to be unreachable. */
  async #scanDatagram(socket: DatagramSocket, host: string, to: Endpoint): Promise<number> {
    try {
      socket.send(new Uint8Array(1))
      await socket.receive(Math.min(this.#wait, SECOND), this.#process.signal)
      await this.#verbose(`${host} (${formatEndpoint(to)}) open\n`)
      return 0
    } catch (error) {
      if (error instanceof SystemError) return 1
      throw error
    }
  }

  /** The first datagram makes its sender the other end, as in busybox. */
  async #serveDatagrams(local: Endpoint): Promise<number> {
    const socket = this.#openDatagram(local)
    try {
      await this.#verbose(`listening on ${formatEndpoint(socket.local)} ...\n`)
      const first = await socket.receive(this.#wait === NEVER ? undefined : this.#wait, this.#process.signal)
      if (first === undefined) throw new NcError('timed out')
      socket.connect(first.source)
      await this.#verbose(`connect from ${formatEndpoint(first.source)}\n`)
      await this.#exchangeDatagrams(socket, first.bytes)
      return 0
    } catch (error) {
      if (error instanceof SystemError) throw new NcError(`read error: ${strerror(error)}`)
      throw error
    } finally {
      socket.close()
    }
  }

  /** Input to datagrams and back. UDP has no end: it is over by -w, counted from the last sign, or by a signal. */
  async #exchangeDatagrams(socket: DatagramSocket, first: Uint8Array | undefined): Promise<void> {
    const { stdin, stdout, signal } = this.#process
    if (first !== undefined) await stdout.write(first)
    let over = false
    const sending = (async () => {
      for (let bytes = await stdin.read(); bytes !== undefined; bytes = await stdin.read()) {
        if (over) return stdin.unread(bytes)
        for (let at = 0; at < bytes.length; at += MAX_DATAGRAM_BYTES)
          socket.send(bytes.subarray(at, at + MAX_DATAGRAM_BYTES))
      }
    })()
    // A failed send is told by the next receive as well.
    sending.catch(() => {})
    try {
      for (;;) {
        const datagram = await socket.receive(this.#wait === NEVER ? undefined : this.#wait, signal)
        if (datagram === undefined) return
        await stdout.write(datagram.bytes)
      }
    } finally {
      over = true
    }
  }

  #openDatagram(on: Partial<Endpoint>): DatagramSocket {
    try {
      return this.#process.system.net.datagram(on)
    } catch (error) {
      throw new NcError(`bind: ${failureText(error)}`)
    }
  }

  async #resolve(host: string): Promise<IpAddress> {
    try {
      const { addresses } = await this.#process.system.net.resolve(host, this.#process.signal)
      if (addresses[0] !== undefined) return addresses[0]
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error
    }
    throw new NcError(`bad address '${host}'`)
  }

  /** -s and -p of a client. */
  #from(): Partial<Endpoint> {
    const port = this.#options.value('p')
    return {
      ...(this.#options.has('s') ? { address: this.#localAddress() } : {}),
      ...(port === undefined ? {} : { port: readPort(port) }),
    }
  }

  #localAddress(): number {
    const text = this.#options.value('s')
    const address = text === undefined ? IPV4_ANY : parseIpv4(text)
    if (address === undefined) throw new NcError(`bad address '${text}'`)
    return address
  }

  #within<Value>(limit: Micros, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    return withinLimit({ signal: this.#process.signal, clock: this.#process.system.clock }, limit, work)
  }

  async #verbose(text: string): Promise<void> {
    if (this.#options.has('v')) await this.#process.stderr.write(text)
  }
}

function readPort(text: string): number {
  const port = parseDecimal(text)
  if (port === undefined || !Number.isInteger(port) || port > 65535) throw new NcError(`bad port '${text}'`)
  return port
}

/** Passes on what is no failure of the network. */
function failureText(error: unknown): string {
  if (error instanceof TimeLimitExceeded) return 'Connection timed out'
  if (error instanceof SystemError) return strerror(error)
  throw error
}
