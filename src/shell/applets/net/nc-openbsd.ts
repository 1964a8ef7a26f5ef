// nc as netcat-openbsd has it, in Alpine's words: what images for looking at networks have in place of busybox'. Ranges
// of ports with -z, names of ports, -N, -q, and -w as a limit on silence. Not here: Unix sockets, proxies, IPv6 by -6.
// Read nc.ts first for what both have in common.

import { SystemError } from '../../../base/errors.js'
import { type Micros, NEVER, SECOND } from '../../../base/time.js'
import { type Connection, type DatagramSocket, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatAddress, IPV4_ANY, type IpAddress, parseIpv4 } from '../../../wire/address.js'
import { busyboxMistake, type ParsedOptions, parseDecimal, parseOptions } from './options.js'
import { strerror } from './strerror.js'
import { serviceName, servicePort } from './tcpdump/services.js'
import { TimeLimitExceeded, withinLimit } from './time-limit.js'

const USAGE = `usage: nc [-4dklNnuvz] [-p source_port] [-q seconds] [-s sourceaddr]
	  [-w timeout] [destination] [port]
`

const UDP_SCAN_SECONDS = 3
const MAX_DATAGRAM_BYTES = 16_384

/** Ends the program with `nc: MESSAGE` and status 1; an empty message with status 1 alone. */
class NcError extends Error {}

export async function openbsdNc(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [
    ...['4', 'd', 'k', 'l', 'N', 'n', 'u', 'v', 'z'].map((letter) => [letter]),
    ...['p=', 'q=', 's=', 'w='].map((letter) => [letter]),
  ])
  if ('mistake' in parsed) {
    await process.stderr.write(`${busyboxMistake('nc', parsed)}${USAGE}`)
    return 1
  }
  if (parsed.operands.length > 2 || (parsed.operands.length === 0 && !parsed.has('l'))) {
    await process.stderr.write(USAGE)
    return 1
  }
  try {
    const session = new Netcat(process, parsed)
    return await (parsed.has('l') ? session.serve() : session.dial())
  } catch (error) {
    if (!(error instanceof NcError)) throw error
    if (error.message !== '') await process.stderr.write(`nc: ${error.message}\n`)
    return 1
  }
}

class Netcat {
  readonly #process: Process
  readonly #options: ParsedOptions
  /** -w: of connecting, and of silence afterwards. */
  readonly #wait: Micros
  /** -q: after the input's end; undefined: until the other side ends. */
  readonly #quitAfter: Micros | undefined
  readonly #protocol: 'tcp' | 'udp'

  constructor(process: Process, options: ParsedOptions) {
    this.#process = process
    this.#options = options
    this.#wait = Math.max(1, readSeconds(options.value('w'), 'timeout') ?? NEVER)
    const quit = options.value('q')
    // A negative number is for ever.
    this.#quitAfter = quit?.startsWith('-') ? undefined : readSeconds(quit, 'quit timer')
    this.#protocol = options.has('u') ? 'udp' : 'tcp'
  }

  /** Every port of the list; 0 when one of them was open. */
  async dial(): Promise<number> {
    const [host, list] = this.#options.operands
    if (list === undefined) throw new NcError('missing port number')
    const ports = readPorts(list)
    const addresses = await this.#resolve(host!, ports[0]!)
    let status = 1
    for (const port of ports) {
      for (const address of addresses) {
        const open =
          this.#protocol === 'udp'
            ? await this.#talk(host!, { address, port })
            : await this.#connect(host!, { address, port })
        if (!open) continue
        status = 0
        break
      }
      // Without -z the first that is open is the one to talk with.
      if (status === 0 && !this.#options.has('z')) break
    }
    return status
  }

  async #connect(host: string, to: Endpoint): Promise<boolean> {
    const { net, clock } = this.#process.system
    const limits = { signal: this.#process.signal, clock }
    let connection: Connection
    try {
      connection = await withinLimit(limits, this.#wait, (signal) =>
        net.connect(to, { signal, from: this.#from() }),
      )
    } catch (error) {
      const place = `connect to ${this.#place(host, to.address)} port ${to.port} (tcp)`
      // What connect(2) said at first is still in errno when poll(2) gives up.
      if (error instanceof TimeLimitExceeded)
        await this.#verbose(`nc: ${place} timed out: Operation in progress\n`)
      else await this.#verbose(`nc: ${place} failed: ${failureText(error)}\n`)
      return false
    }
    await this.#tellOpen(host, to)
    if (this.#options.has('z')) connection.close()
    else await this.#converse(connection)
    return true
  }

  /** UDP: with -z or -v datagrams are sent first, for an ICMP error to tell of a closed port. */
  async #talk(host: string, to: Endpoint): Promise<boolean> {
    const socket = this.#openDatagram(this.#from())
    try {
      socket.connect(to)
      if (this.#options.has('z') || this.#options.has('v')) await this.#probe(socket)
      await this.#tellOpen(host, to)
      if (!this.#options.has('z')) await this.#exchange(socket)
      return true
    } catch (error) {
      if (error instanceof SystemError) return false
      throw error
    } finally {
      socket.close()
    }
  }

  /** Two datagrams, then one every second, until the time is over or one is refused. */
  async #probe(socket: DatagramSocket): Promise<void> {
    const { system, signal } = this.#process
    const probe = new TextEncoder().encode('X')
    socket.send(probe)
    socket.send(probe)
    const seconds = this.#wait === NEVER ? UDP_SCAN_SECONDS : Math.floor(this.#wait / SECOND)
    for (let second = 0; second < seconds; second++) {
      const end = system.clock.now() + SECOND
      for (let left = SECOND; left > 0; left = end - system.clock.now()) await socket.receive(left, signal)
      socket.send(probe)
    }
  }

  async serve(): Promise<number> {
    const { operands } = this.#options
    const port = this.#options.value('p') ?? operands.at(-1)
    if (port === undefined) throw new NcError('missing port number')
    const host = operands.length > (this.#options.has('p') ? 0 : 1) ? operands[0] : undefined
    const local = {
      address: host === undefined ? this.#localAddress() : (await this.#resolve(host, readPort(port)))[0]!,
      port: readPort(port),
    }
    if (this.#protocol === 'udp') return this.#serveDatagrams(local)
    const listener = unlessBound(() => this.#process.system.net.listen(local))
    try {
      await this.#verbose(`Listening on ${await this.#nameOf(local.address)} ${local.port}\n`)
      do {
        // -w is not for the wait of a server.
        const connection = await listener.accept(this.#process.signal)
        if (!this.#options.has('k')) listener.close()
        const { address, port: from } = connection.remote
        await this.#verbose(`Connection received on ${await this.#nameOf(address)} ${from}\n`)
        await this.#converse(connection)
      } while (this.#options.has('k'))
      return 0
    } finally {
      listener.close()
    }
  }

  /** The first datagram makes its sender the other end. */
  async #serveDatagrams(local: Endpoint): Promise<number> {
    const socket = this.#openDatagram(local)
    try {
      await this.#verbose(`Bound on ${await this.#nameOf(local.address)} ${local.port}\n`)
      const first = await socket.receive(undefined, this.#process.signal)
      if (first === undefined) return 0
      socket.connect(first.source)
      const { address, port } = first.source
      await this.#verbose(`Connection received on ${await this.#nameOf(address)} ${port}\n`)
      await this.#process.stdout.write(first.bytes)
      await this.#exchange(socket)
      return 0
    } catch (error) {
      if (error instanceof SystemError) return 1
      throw error
    } finally {
      socket.close()
    }
  }

  async #converse(connection: Connection): Promise<void> {
    connection.setNoDelay(true)
    try {
      await this.#bothWays({
        send: (bytes) => connection.write(bytes, this.#process.signal),
        ended: () => {
          if (this.#options.has('N') || this.#quitAfter !== undefined) connection.shutdown()
        },
        receive: (signal) => connection.read(signal),
      })
    } catch (error) {
      // A connection that is reset ends nc without a word.
      if (!(error instanceof SystemError)) throw error
    } finally {
      connection.close()
    }
  }

  #exchange(socket: DatagramSocket): Promise<void> {
    return this.#bothWays({
      send: async (bytes) => {
        for (let at = 0; at < bytes.length; at += MAX_DATAGRAM_BYTES)
          socket.send(bytes.subarray(at, at + MAX_DATAGRAM_BYTES))
      },
      ended: () => {},
      receive: async (signal) => (await socket.receive(undefined, signal))?.bytes,
    })
  }

  /** Input out and what comes in, until the other side's end, -w of silence, or -q after the input's end. */
  async #bothWays(far: {
    send(bytes: Uint8Array): Promise<void>
    ended(): void
    receive(signal: AbortSignal): Promise<Uint8Array | undefined>
  }): Promise<void> {
    const { stdin, stdout, signal, system } = this.#process
    const over = new AbortController()
    const limits = { signal, clock: system.clock }
    const work = async (limited: AbortSignal, restart: () => void) => {
      const send = async () => {
        for (let bytes = await stdin.read(); bytes !== undefined; bytes = await stdin.read()) {
          // What is typed after the end is for who reads the terminal next.
          if (over.signal.aborted) return stdin.unread(bytes)
          await far.send(bytes)
          restart()
        }
        if (over.signal.aborted) return
        far.ended()
        if (this.#quitAfter === undefined) return
        await system.clock.sleep(this.#quitAfter, over.signal)
        over.abort(new TimeLimitExceeded())
      }
      // A failed send is told by the next receive as well.
      if (!this.#options.has('d')) send().catch(() => {})
      const ends = AbortSignal.any([limited, over.signal])
      for (let bytes = await far.receive(ends); bytes !== undefined; bytes = await far.receive(ends)) {
        await stdout.write(bytes)
        restart()
      }
    }
    try {
      await withinLimit(limits, this.#wait, work)
    } catch (error) {
      if (!(error instanceof TimeLimitExceeded)) throw error
    } finally {
      over.abort()
    }
  }

  async #resolve(host: string, port: number): Promise<readonly IpAddress[]> {
    const literal = parseIpv4(host)
    if (literal !== undefined) return [literal]
    try {
      if (this.#options.has('n')) throw new ResolveError('ENOTFOUND', host)
      return (await this.#process.system.net.resolve(host, this.#process.signal)).addresses
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error
      const reason = error.code === 'ENOTFOUND' ? 'Name does not resolve' : 'Try again'
      throw new NcError(`getaddrinfo for host "${host}" port ${port}: ${reason}`)
    }
  }

  async #nameOf(address: IpAddress): Promise<string> {
    const text = formatAddress(address)
    if (this.#options.has('n') || !this.#options.has('v') || address === IPV4_ANY) return text
    return (await this.#process.system.net.reverse(address, this.#process.signal)) ?? text
  }

  /** `web (10.96.1.2)`, or the address alone when that was asked for. */
  #place(host: string, address: IpAddress): string {
    const text = formatAddress(address)
    return host === text ? text : `${host} (${text})`
  }

  #tellOpen(host: string, { address, port }: Endpoint): Promise<void> {
    const service = (this.#options.has('n') ? undefined : serviceName(port, this.#protocol)) ?? '*'
    const place = this.#place(host, address)
    return this.#verbose(`Connection to ${place} ${port} port [${this.#protocol}/${service}] succeeded!\n`)
  }

  #openDatagram(on: Partial<Endpoint>): DatagramSocket {
    return unlessBound(() => this.#process.system.net.datagram(on))
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
    if (address === undefined) throw new NcError(`getaddrinfo: Name does not resolve`)
    return address
  }

  async #verbose(text: string): Promise<void> {
    if (this.#options.has('v')) await this.#process.stderr.write(text)
  }
}

/** `80`, `http`, or `79-81` in either order. */
function readPorts(list: string): readonly number[] {
  const range = /^(\d+)-(\d+)$/.exec(list)
  if (range === null) return [readPort(list)]
  const [low, high] = [readPort(range[1]!), readPort(range[2]!)].sort((a, b) => a - b)
  return Array.from({ length: high! - low! + 1 }, (_, index) => low! + index)
}

function readPort(text: string): number {
  const named = servicePort(text)
  if (named !== undefined) return named
  if (!/^\d+$/.test(text)) throw new NcError(`port number invalid: ${text}`)
  const port = Number(text)
  if (port < 1) throw new NcError(`port number too small: ${text}`)
  if (port > 65535) throw new NcError(`port number too large: ${text}`)
  return port
}

function readSeconds(text: string | undefined, what: string): Micros | undefined {
  if (text === undefined) return undefined
  const seconds = parseDecimal(text)
  if (seconds === undefined) throw new NcError(`${what} invalid: ${text}`)
  return seconds * SECOND
}

/** The socket, or nc's end with the reason why its local end cannot be had. */
function unlessBound<Socket>(open: () => Socket): Socket {
  try {
    return open()
  } catch (error) {
    throw new NcError(failureText(error))
  }
}

/** Passes on what is no failure of the network. */
function failureText(error: unknown): string {
  if (error instanceof SystemError) return strerror(error)
  throw error
}
