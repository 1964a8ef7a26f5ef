// ping as iputils has it (Debian's, and that of images for looking at networks): sequence numbers from 1, the errors of
// routers as lines of their own, deviations. Read ping.ts for busybox'.

import { SystemError } from '../../../base/errors.js'
import { MILLISECOND, type Micros, NEVER, SECOND } from '../../../base/time.js'
import { type EchoSocket, ResolveError } from '../../../posix/net.js'
import { Killed, type Process } from '../../../posix/process.js'
import type { IcmpReply } from '../../../stack/socket.js'
import { type AddressFamily, familyOf, formatAddress, type IpAddress } from '../../../wire/address.js'
import { ICMP_DEST_UNREACHABLE, ICMP_ECHO_REPLY, ICMP_TIME_EXCEEDED } from '../../../wire/icmp.js'
import { type ParsedOptions, parseDecimal, parseOptions } from './options.js'

const USAGE = `
Usage
  ping [options] <destination>

Options:
  <destination>      dns name or ip address
  -c <count>         stop after <count> replies
  -D                 print timestamps
  -f                 flood ping
  -h                 print help and exit
  -I <interface>     either interface name or address
  -i <interval>      seconds between sending each packet
  -n                 no dns name resolution
  -O                 report outstanding replies
  -q                 quiet output
  -s <size>          use <size> as number of data bytes to be sent
  -t <ttl>           define time to live
  -v                 verbose output
  -V                 print version and exit
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response

IPv4 options:
  -4                 use IPv4

IPv6 options:
  -6                 use IPv6

For more details see ping(8).
`
const ICMP_HEADER_BYTES = 8
const IPV4_HEADER_BYTES = 20
const MAX_DATA_BYTES = 65_507
const LAST_WAIT = 10 * SECOND
const FLOOD_INTERVAL = 10 * MILLISECOND
/** Of destinations that cannot be reached, by code (RFC 792). */
const UNREACHABLE = [
  'Destination Net Unreachable',
  'Destination Host Unreachable',
  'Destination Protocol Unreachable',
  'Destination Port Unreachable',
  'Frag needed and DF set',
]

interface Settings {
  readonly count: number
  readonly size: number
  readonly interval: Micros
  readonly ttl: number | undefined
  readonly wait: Micros
  readonly deadline: Micros
  readonly quiet: boolean
  readonly flood: boolean
  readonly stamps: boolean
  readonly outstanding: boolean
  readonly numeric: boolean
}

/** Ends the program with `ping: MESSAGE`. */
class PingError extends Error {
  readonly status: number
  constructor(message: string, status = 2) {
    super(message)
    this.status = status
  }
}

export async function iputilsPing(process: Process): Promise<number> {
  const names = [
    'c=',
    's=',
    'i=',
    't=',
    'W=',
    'w=',
    'I=',
    'q',
    '4',
    '6',
    'n',
    'f',
    'D',
    'O',
    'v',
    'V',
    'h',
    'A',
    'B',
    'U',
  ]
  const parsed = parseOptions(
    process.argv.slice(1),
    names.map((name) => [name]),
  )
  const { stdout, stderr } = process
  if ('mistake' in parsed) {
    const letter = parsed.option.replace(/^-+/, '')
    const what = parsed.mistake === 'unknown' ? 'invalid option' : 'option requires an argument'
    await stderr.write(`ping: ${what} -- '${letter}'\n${USAGE}`)
    return 2
  }
  if (parsed.has('h')) {
    await stderr.write(USAGE)
    return 2
  }
  if (parsed.has('V')) {
    await stdout.write('ping from iputils 20221126\n')
    return 0
  }
  try {
    return await pingHost(process, parsed)
  } catch (error) {
    if (!(error instanceof PingError)) throw error
    await stderr.write(`ping: ${error.message}\n`)
    return error.status
  }
}

async function pingHost(process: Process, parsed: ParsedOptions): Promise<number> {
  const host = parsed.operands.at(-1)
  if (host === undefined) throw new PingError('usage error: Destination address required', 1)
  const settings = readSettings(parsed)
  const isV6 = parsed.has('6') || (process.argv[0] ?? '').endsWith('6')
  const family = isV6 ? 'IPv6' : parsed.has('4') ? 'IPv4' : undefined
  const address = await addressOf(process, host, family)
  const from = parsed.value('I')
  const source = from === undefined ? '' : sourceText(process, from)
  const header = isV6 || familyOf(address) === 'IPv6' ? 0 : IPV4_HEADER_BYTES + ICMP_HEADER_BYTES
  const size =
    header === 0
      ? `${settings.size} data bytes`
      : `${settings.size}(${settings.size + header}) bytes of data.`
  const name = familyOf(address) === 'IPv6' ? `${host}(${host})` : `${host} (${formatAddress(address)})`
  await process.stdout.write(`PING ${name}${source}${source === '' ? ' ' : ': '}${size}\n`)
  return new Pinging(process, settings, host, address).run()
}

function readSettings(parsed: ParsedOptions): Settings {
  const number = (name: string) => {
    const text = parsed.value(name)
    if (text === undefined) return undefined
    const value = parseDecimal(text)
    if (value === undefined) throw new PingError(`invalid argument: '${text}'`, 1)
    return value
  }
  const seconds = (name: string) => {
    const value = number(name)
    return value === undefined ? undefined : Math.round(value * SECOND)
  }
  const count = number('c')
  if (count === 0)
    throw new PingError("invalid argument: '0': out of range: 1 <= value <= 9223372036854775807", 1)
  const size = number('s') ?? 56
  if (size > MAX_DATA_BYTES)
    throw new PingError(`invalid argument: '${size}': out of range: 0 <= value <= 127992`, 1)
  const flood = parsed.has('f')
  return {
    count: count ?? Number.POSITIVE_INFINITY,
    size,
    interval: Math.max(seconds('i') ?? (flood ? FLOOD_INTERVAL : SECOND), flood ? 0 : MILLISECOND),
    ttl: number('t'),
    wait: seconds('W') ?? LAST_WAIT,
    deadline: seconds('w') ?? NEVER,
    quiet: parsed.has('q'),
    flood,
    stamps: parsed.has('D'),
    outstanding: parsed.has('O'),
    numeric: parsed.has('n'),
  }
}

async function addressOf(
  { system, signal }: Process,
  host: string,
  family: AddressFamily | undefined,
): Promise<IpAddress> {
  try {
    const { addresses } = await system.net.resolve(host, signal)
    const address = addresses.find((one) => family === undefined || familyOf(one) === family)
    if (address !== undefined) return address
    throw new PingError(`${host}: Address family for hostname not supported`)
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error
    const isLate = error.code === 'ETIMEOUT' || error.code === 'ESERVFAIL'
    throw new PingError(
      `${host}: ${isLate ? 'Temporary failure in name resolution' : 'Name or service not known'}`,
    )
  }
}

/** Of -I: the address that packets leave with, and the interface by its name. */
function sourceText({ system }: Process, from: string): string {
  const device = system.net.interfaces().find(({ name }) => name === from)
  if (device !== undefined) return ` from ${device.addresses[0]?.split('/')[0] ?? ''} ${from}`
  if (/^[\d.]+$|:/.test(from)) return ` from ${from} `
  throw new PingError(`unknown iface: ${from}`)
}

class Pinging {
  readonly #process: Process
  readonly #settings: Settings
  readonly #host: string
  readonly #address: IpAddress
  readonly #socket: EchoSocket
  readonly #sentAt = new Map<number, Micros>()
  readonly #answered = new Set<number>()
  #transmitted = 0
  #errors = 0
  #duplicates = 0
  readonly #times: Micros[] = []

  constructor(process: Process, settings: Settings, host: string, address: IpAddress) {
    this.#process = process
    this.#settings = settings
    this.#host = host
    this.#address = address
    this.#socket = process.system.net.echo()
    if (settings.ttl !== undefined) this.#socket.setTtl(settings.ttl)
  }

  /** Exit status: 0 when everything that was asked for came back (with a deadline), or anything (without). */
  async run(): Promise<number> {
    const { clock } = this.#process.system
    const started = clock.now()
    const interrupted = new AbortController()
    this.#process.onSignal('SIGINT', () => interrupted.abort(new Killed('SIGINT')))
    const onKilled = () => interrupted.abort(this.#process.signal.reason)
    this.#process.signal.addEventListener('abort', onKilled, { once: true })
    let last = started
    try {
      last = await this.#loop(interrupted.signal)
    } catch (error) {
      if (error instanceof SystemError) throw new PingError(`connect: ${connectText(error)}`)
      if (this.#process.signal.aborted || !interrupted.signal.aborted) throw error
      last = clock.now()
    } finally {
      this.#process.signal.removeEventListener('abort', onKilled)
      this.#process.onSignal('SIGINT', undefined)
      this.#socket.close()
    }
    await this.#process.stdout.write(this.#statistics(last - started))
    const { count, deadline } = this.#settings
    const isShort = deadline < NEVER && Number.isFinite(count) && this.#answered.size < count
    return this.#answered.size === 0 || isShort ? 1 : 0
  }

  /** When the last request was sent. */
  async #loop(signal: AbortSignal): Promise<Micros> {
    const { clock } = this.#process.system
    const { count, interval, deadline, wait, outstanding, flood } = this.#settings
    const started = clock.now()
    const end = started + deadline
    let sent = started
    for (let sequence = 1; sequence <= count; sequence++) {
      sent = clock.now()
      await this.#send(sequence)
      const isLast = sequence >= count
      // As iputils: when anything was answered, the last one is waited for twice the longest round trip, a second at least.
      const grace = this.#times.length > 0 ? Math.max(SECOND, 2 * Math.max(...this.#times)) : wait
      const next = isLast
        ? clock.now() + grace
        : flood
          ? clock.now() + interval
          : started + sequence * interval
      await this.#receiveUntil(Math.min(next, end), isLast || flood, signal)
      if (clock.now() >= end) return sent
      if (outstanding && !isLast && !this.#answered.has(sequence & 0xffff))
        await this.#process.stdout.write(`no answer yet for icmp_seq=${sequence}\n`)
    }
    return sent
  }

  async #send(sequence: number): Promise<void> {
    const number = sequence & 0xffff
    const data = Uint8Array.from({ length: this.#settings.size }, (_, index) => index)
    this.#sentAt.set(number, this.#process.system.clock.now())
    this.#answered.delete(number)
    this.#transmitted++
    this.#socket.send(this.#address, number, data)
    if (this.#settings.flood) await this.#process.stdout.write('.')
  }

  /** `early`: no longer than until every request has its answer, or error. */
  async #receiveUntil(end: Micros, early: boolean, signal: AbortSignal): Promise<void> {
    const { clock } = this.#process.system
    for (let left = end - clock.now(); left > 0; left = end - clock.now()) {
      if (early && this.#answered.size + this.#errors >= this.#transmitted) return
      const reply = await this.#socket.receive(left, signal)
      if (reply === undefined) return
      await this.#take(reply)
    }
  }

  async #take(reply: IcmpReply): Promise<void> {
    const { stdout, system } = this.#process
    const { quiet, flood, stamps } = this.#settings
    const stamp = stamps ? `[${(system.clock.unixMillis() / 1000).toFixed(6)}] ` : ''
    const from = formatAddress(reply.from)
    if (reply.type !== ICMP_ECHO_REPLY) {
      this.#errors++
      if (flood) await stdout.write('\bE')
      else if (!quiet)
        await stdout.write(`${stamp}From ${from} icmp_seq=${reply.sequence} ${errorText(reply)}\n`)
      return
    }
    const sent = this.#sentAt.get(reply.sequence)
    if (sent === undefined) return
    const time = system.clock.now() - sent
    const isDuplicate = this.#answered.has(reply.sequence)
    if (isDuplicate) this.#duplicates++
    else {
      this.#answered.add(reply.sequence)
      this.#times.push(time)
    }
    if (flood && !isDuplicate) await stdout.write('\b \b')
    if (quiet || flood) return
    const name = await this.#nameOf(reply.from)
    const line = `${reply.bytes.length + ICMP_HEADER_BYTES} bytes from ${name}: icmp_seq=${reply.sequence} ttl=${reply.ttl}`
    await stdout.write(`${stamp}${line} time=${shortMilliseconds(time)} ms${isDuplicate ? ' (DUP!)' : ''}\n`)
  }

  /** With its name, when it was asked for by one. */
  async #nameOf(address: IpAddress): Promise<string> {
    const text = formatAddress(address)
    if (this.#settings.numeric || this.#host === text) return text
    const name = await this.#process.system.net.reverse(address, this.#process.signal)
    return name === undefined ? text : `${name.replace(/\.$/, '')} (${text})`
  }

  #statistics(elapsed: Micros): string {
    const transmitted = this.#transmitted
    const received = this.#answered.size
    const loss = transmitted === 0 ? 0 : ((transmitted - received) * 100) / transmitted
    const counts = [
      `${transmitted} packets transmitted, ${received} received`,
      ...(this.#duplicates > 0 ? [`+${this.#duplicates} duplicates`] : []),
      ...(this.#errors > 0 ? [`+${this.#errors} errors`] : []),
      `${Number(loss.toPrecision(6))}% packet loss`,
      `time ${Math.floor(elapsed / MILLISECOND)}ms`,
    ]
    const lines = [`\n--- ${this.#host} ping statistics ---`, counts.join(', ')]
    lines.push(received === 0 ? '' : this.#roundTrips(elapsed))
    return `${lines.join('\n')}\n`
  }

  #roundTrips(elapsed: Micros): string {
    const times = this.#times
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length
    const variance = times.reduce((sum, time) => sum + time * time, 0) / times.length - mean * mean
    const figures = [Math.min(...times), mean, Math.max(...times), Math.sqrt(Math.max(0, variance))]
    const rtt = `rtt min/avg/max/mdev = ${figures.map((time) => (time / MILLISECOND).toFixed(3)).join('/')} ms`
    if (!this.#settings.flood || this.#transmitted < 2) return rtt
    const between = (elapsed / (this.#transmitted - 1) / MILLISECOND).toFixed(3)
    return `${rtt}, ipg/ewma ${between}/${(mean / MILLISECOND).toFixed(3)} ms`
  }
}

function errorText({ type, code }: IcmpReply): string {
  if (type === ICMP_TIME_EXCEEDED) return 'Time to live exceeded'
  if (type === ICMP_DEST_UNREACHABLE) return UNREACHABLE[code] ?? `Dest Unreachable, Bad Code: ${code}`
  return `Bad ICMP type: ${type}`
}

function connectText({ code }: SystemError): string {
  return code === 'EHOSTUNREACH' ? 'No route to host' : 'Network is unreachable'
}

/** Three digits below ten, as the real one: `0.221`, `12.3`, `105`. */
function shortMilliseconds(time: Micros): string {
  const value = time / MILLISECOND
  if (value >= 99.95) return value.toFixed(0)
  if (value >= 9.995) return value.toFixed(1)
  return value >= 0.9995 ? value.toFixed(2) : value.toFixed(3)
}
