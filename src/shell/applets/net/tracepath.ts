// tracepath of iputils: the path to a host and its MTU, by datagrams of the largest size that may not be cut, read from the
// error queue of an ordinary UDP socket. Not here: -b's names of hosts that have several.

import { SystemError } from '../../../base/errors.js'
import { MILLISECOND, type Micros, SECOND } from '../../../base/time.js'
import { type PathDatagramSocket, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import type { QueuedError } from '../../../stack/socket.js'
import { type AddressFamily, familyOf, formatAddress, type IpAddress } from '../../../wire/address.js'
import {
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_NET_UNREACHABLE,
  ICMP_PORT_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
} from '../../../wire/icmp.js'
import { ipHeaderBytes } from '../../../wire/ip.js'
import { UDP_HEADER_BYTES } from '../../../wire/udp.js'
import { type ParsedOptions, parseOptions } from './options.js'

const USAGE = `
Usage
  tracepath [options] <destination>

Options:
  -4             use IPv4
  -6             use IPv6
  -b             print both name and ip
  -l <length>    use packet <length>
  -m <hops>      use maximum <hops>
  -n             no dns name resolution
  -p <port>      use destination <port>
  -V             print version and exit
  <destination>  dns name or ip address

For more details see tracepath(8).
`
const FIRST_PORT = 44_444
const MAX_HOPS = 30
const ANSWER_WAIT: Micros = SECOND
const TRIES = 3
const SEND_TRIES = 10
const LARGEST: Readonly<Record<AddressFamily, number>> = { IPv4: 65_535, IPv6: 128_000 }
/** Datagrams that answers are waited for. */
const REMEMBERED = 64

/** Codes that errno(3) knows as an unreachable network, beside ICMP_NET_UNREACHABLE (RFC 1812 section 5.2.7.1). */
const ICMP_NETWORK_UNKNOWN = 6
const ICMP_NET_PROHIBITED = 9
const ICMP_NET_TOS = 11

/** Ends the program with `tracepath: MESSAGE`. */
class TracepathError extends Error {
  readonly status: number
  constructor(message: string, status = 1) {
    super(message)
    this.status = status
  }
}

interface Settings {
  readonly names: 'none' | 'name' | 'both'
  readonly maxHops: number
  readonly port: number
}

export async function tracepath(process: Process): Promise<number> {
  const parsed = parseOptions(
    process.argv.slice(1),
    ['4', '6', 'b', 'n', 'V', 'h', 'l=', 'm=', 'p='].map((name) => [name]),
  )
  const { stdout, stderr } = process
  if ('mistake' in parsed) {
    const letter = parsed.option.replace(/^-+/, '')
    const what = parsed.mistake === 'unknown' ? 'invalid option' : 'option requires an argument'
    await stderr.write(`tracepath: ${what} -- '${letter}'\n${USAGE}`)
    return 255
  }
  if (parsed.has('V')) {
    await stdout.write('tracepath from iputils 20221126\n')
    return 0
  }
  const host = parsed.operands[0]
  if (parsed.has('h') || host === undefined || parsed.operands.length > 1) {
    await stderr.write(USAGE)
    return 255
  }
  try {
    return await tracePathTo(process, parsed, host)
  } catch (error) {
    if (!(error instanceof TracepathError)) throw error
    await stderr.write(`tracepath: ${error.message}\n`)
    return error.status
  }
}

async function tracePathTo(process: Process, parsed: ParsedOptions, host: string): Promise<number> {
  const number = (name: string, otherwise: number, least: number, most: number) => {
    const text = parsed.value(name) ?? String(otherwise)
    if (!/^\d+$/.test(text)) throw new TracepathError(`invalid argument: '${text}'`)
    const value = Number(text)
    if (value < least || value > most)
      throw new TracepathError(`invalid argument: '${text}': out of range: ${least} <= value <= ${most}`)
    return value
  }
  const port = number('p', FIRST_PORT, 0, 65_535)
  const maxHops = number('m', MAX_HOPS, 0, 255)
  const length = number('l', 0, 0, 2_147_483_647)
  const address = await addressOf(process, parsed, host)
  const family = familyOf(address)
  const socket = process.system.net.pathDatagram({ address: family === 'IPv6' ? 0n : 0 })
  socket.setMtuDiscovery('probe')
  const names = parsed.has('b') ? 'both' : parsed.has('n') ? 'none' : 'name'
  try {
    const mtuBytes = length > 0 ? length : LARGEST[family]
    return await new PathTrace(process, socket, address, { names, maxHops, port }, mtuBytes).run()
  } finally {
    socket.close()
  }
}

async function addressOf(
  { system, signal }: Process,
  parsed: ParsedOptions,
  host: string,
): Promise<IpAddress> {
  const family = parsed.has('6') ? 'IPv6' : parsed.has('4') ? 'IPv4' : undefined
  try {
    const { addresses } = await system.net.resolve(host, signal)
    const address = addresses.find((one) => family === undefined || familyOf(one) === family)
    if (address === undefined) throw new TracepathError(`${host}: Address family for hostname not supported`)
    return address
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error
    const isLate = error.code === 'ETIMEOUT' || error.code === 'ESERVFAIL'
    const reason = isLate ? 'Temporary failure in name resolution' : 'Name or service not known'
    throw new TracepathError(`${host}: ${reason}`)
  }
}

/** 'done': the trace ends; 'progress': something was learnt; 'none': nothing came. */
type Outcome = 'done' | 'progress' | 'none'

class PathTrace {
  readonly #process: Process
  readonly #socket: PathDatagramSocket
  readonly #address: IpAddress
  readonly #settings: Settings
  readonly #overhead: number
  #mtuBytes: number
  /** Under way: by their number, which is in their port. */
  readonly #sent = new Map<number, { readonly ttl: number; readonly at: Micros }>()
  #next = 0
  #hops: number | undefined
  #back: number | undefined

  constructor(
    process: Process,
    socket: PathDatagramSocket,
    address: IpAddress,
    settings: Settings,
    mtuBytes: number,
  ) {
    this.#process = process
    this.#socket = socket
    this.#address = address
    this.#settings = settings
    this.#mtuBytes = mtuBytes
    this.#overhead = ipHeaderBytes(familyOf(address) === 'IPv6' ? 6 : 4) + UDP_HEADER_BYTES
  }

  async run(): Promise<number> {
    if (!(await this.#trace())) await this.#write(`     Too many hops: pmtu ${this.#mtuBytes}\n`)
    const hops = this.#hops === undefined ? '' : `hops ${this.#hops} `
    const back = this.#back === undefined ? '' : `back ${this.#back} `
    await this.#write(`     Resume: pmtu ${this.#mtuBytes} ${hops}${back}\n`)
    return 0
  }

  /** False when the host is further away than is looked. */
  async #trace(): Promise<boolean> {
    for (let ttl = 1; ttl <= this.#settings.maxHops; ttl++) {
      this.#socket.setTtl(ttl)
      let outcome: Outcome = 'none'
      for (let tries = 0; tries < TRIES && outcome === 'none'; ) {
        const before = this.#mtuBytes
        outcome = await this.#probe(ttl)
        if (outcome === 'done') return true
        if (this.#mtuBytes === before) tries++
        else outcome = 'none'
      }
      if (outcome === 'none') await this.#write(`${pad(ttl)}:  no reply\n`)
    }
    return false
  }

  async #probe(ttl: number): Promise<Outcome> {
    const { system, signal } = this.#process
    for (let tries = 0; tries < SEND_TRIES; tries++) {
      if (this.#send(ttl)) {
        const heard = await this.#socket.next(ANSWER_WAIT, signal)
        if (heard === undefined) return 'none'
        if ('item' in heard) {
          await this.#write(`${pad(ttl)}?: reply received 8)\n`)
          return 'done'
        }
        return this.#hear(heard.error, ttl, system.clock.now())
      }
      const heard = await this.#socket.next(0, signal)
      if (heard === undefined || 'item' in heard) continue
      const outcome = await this.#hear(heard.error, ttl, system.clock.now())
      if (outcome === 'done') return outcome
    }
    await this.#write(`${pad(ttl)}:  send failed\n`)
    return 'done'
  }

  /** False when this host refuses to send it; the error queue may say why. */
  #send(ttl: number): boolean {
    const number = this.#next
    const port = (this.#settings.port + number) & 0xffff
    const at = this.#process.system.clock.now()
    try {
      this.#socket.send(new Uint8Array(Math.max(0, this.#mtuBytes - this.#overhead)), {
        address: this.#address,
        port,
      })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      return false
    }
    this.#sent.set(number, { ttl, at })
    this.#next = (number + 1) % REMEMBERED
    return true
  }

  async #hear(error: QueuedError, ttl: number, now: Micros): Promise<Outcome> {
    const number = (error.to.port - this.#settings.port) & 0xffff
    const sent = error.from === undefined ? undefined : this.#sent.get(number)
    this.#sent.delete(number)
    const sentTtl = sent?.ttl
    const back = error.from === undefined ? undefined : hopsOf(error.ttl)
    const who =
      error.from === undefined
        ? `${pad(ttl)}?: ${'[LOCALHOST]'.padEnd(32)} `
        : `${sentTtl === undefined ? `${pad(ttl)}?: ` : `${pad(sentTtl)}:  `}${await this.#nameOf(error.from)}`
    const time = sent === undefined ? '' : `${timeText(now - sent.at)} `
    const { text, outcome } = this.#meaning(error, sentTtl ?? ttl, back)
    await this.#write(`${who}${time}${text}\n`)
    return outcome
  }

  #meaning(error: QueuedError, ttl: number, back: number | undefined): { text: string; outcome: Outcome } {
    const { type, icmpCode, mtuBytes, from } = error
    if (from === undefined || (type !== ICMP_TIME_EXCEEDED && icmpCode === ICMP_FRAGMENTATION_NEEDED)) {
      this.#mtuBytes = mtuBytes
      return { text: `pmtu ${mtuBytes}`, outcome: 'progress' }
    }
    if (type === ICMP_TIME_EXCEEDED) {
      const text = back !== undefined && back !== ttl ? `asymm ${pad(back)} ` : ''
      return { text, outcome: 'progress' }
    }
    switch (icmpCode) {
      case ICMP_PORT_UNREACHABLE:
        this.#hops = ttl
        this.#back = back
        return { text: 'reached', outcome: 'done' }
      case ICMP_PROTOCOL_UNREACHABLE:
        return { text: '', outcome: 'done' }
      case ICMP_NET_UNREACHABLE:
      case ICMP_NETWORK_UNKNOWN:
      case ICMP_NET_PROHIBITED:
      case ICMP_NET_TOS:
        return { text: '!N', outcome: 'done' }
      default:
        return { text: '!H', outcome: 'done' }
    }
  }

  async #nameOf(address: IpAddress): Promise<string> {
    const text = formatAddress(address)
    const { names } = this.#settings
    if (names === 'none') return text.padEnd(52)
    const { system, signal } = this.#process
    const name = (await system.net.reverse(address, signal))?.replace(/\.$/, '') ?? '???'
    return (names === 'both' ? `${name} (${text})` : name).padEnd(52)
  }

  async #write(text: string): Promise<void> {
    await this.#process.stdout.write(text)
  }
}

function pad(number: number): string {
  return String(number).padStart(2)
}

/** Hops that an answer came over, by the TTL that it is left with: hosts start at 64, 128 or 255. */
function hopsOf(ttl: number): number {
  if (ttl <= 64) return 65 - ttl
  return ttl <= 128 ? 129 - ttl : 256 - ttl
}

function timeText(time: Micros): string {
  const millis = Math.floor(time / MILLISECOND)
  const rest = Math.floor(time % MILLISECOND)
  return `${String(millis).padStart(3)}.${String(rest).padStart(3, '0')}ms`
}
