// ping as busybox has it: ICMP echoes at an interval, the replies as they come, statistics at the end.

import { SystemError } from '../../../base/errors.js'
import { MILLISECOND, type Micros, NEVER, SECOND } from '../../../base/time.js'
import { type EchoSocket, ResolveError } from '../../../posix/net.js'
import { Killed, type Process } from '../../../posix/process.js'
import type { IcmpReply } from '../../../stack/socket.js'
import { type AddressFamily, familyOf, formatAddress, type IpAddress } from '../../../wire/address.js'
import { ICMP_DEST_UNREACHABLE, ICMP_ECHO_REPLY, ICMP_TIME_EXCEEDED } from '../../../wire/icmp.js'
import { busyboxMistake, type ParsedOptions, parseDecimal, parseOptions } from './options.js'
import { PingRecord } from './ping-record.js'
import { strerror } from './strerror.js'

const USAGE = `Usage: ping [OPTIONS] HOST

Send ICMP ECHO_REQUESTs to HOST

	-c CNT		Send only CNT pings
	-s SIZE		Send SIZE data bytes in packets (default 56)
	-i SECS		Interval
	-t TTL		Set TTL
	-W SEC		Seconds to wait for the first response (default 10)
			after all -c CNT packets are sent
	-w SEC		Seconds until ping exits (default: infinite)
			(can exit earlier with -c CNT)
	-q		Quiet, only display output at start/finish
`

const ICMP_HEADER_BYTES = 8
const MAX_DATA_BYTES = 65_507

interface Settings {
  readonly host: string
  /** From -4 and -6. */
  readonly family: AddressFamily | undefined
  readonly count: number
  readonly size: number
  readonly interval: Micros
  readonly ttl: number | undefined
  readonly lastWait: Micros
  readonly limit: Micros
  readonly quiet: boolean
}

export async function ping(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [
    ['c='],
    ['s='],
    ['i='],
    ['t='],
    ['W='],
    ['w='],
    ['I='],
    ['q'],
    ['4'],
    ['6'],
    ['n'],
  ])
  const isV6 = (process.argv[0] ?? '').endsWith('ping6')
  const settings = 'mistake' in parsed ? busyboxMistake('ping', parsed) : readSettings(parsed, isV6)
  if (typeof settings === 'string') {
    await process.stderr.write(`${settings}${settings.startsWith('ping: invalid') ? '' : USAGE}`)
    return 1
  }
  const address = await resolve(process, settings.host, settings.family)
  if (address === undefined) {
    await process.stderr.write(`ping: bad address '${settings.host}'\n`)
    return 1
  }
  const { host, size } = settings
  await process.stdout.write(`PING ${host} (${formatAddress(address)}): ${size} data bytes\n`)
  return new Ping(process, settings, address).run()
}

function readSettings(parsed: ParsedOptions, isV6: boolean): Settings | string {
  const host = parsed.operands[0]
  if (host === undefined) return ''
  const numbers = new Map<string, number>()
  for (const name of ['c', 's', 'i', 't', 'W', 'w']) {
    const text = parsed.value(name)
    if (text === undefined) continue
    const number = parseDecimal(text)
    if (number === undefined) return `ping: invalid number '${text}'\n`
    numbers.set(name, number)
  }
  const seconds = (name: string) => {
    const number = numbers.get(name)
    return number === undefined || number === 0 ? undefined : Math.round(number * SECOND)
  }
  const size = numbers.get('s') ?? 56
  if (size > MAX_DATA_BYTES) return `ping: invalid packet size '${size}'\n`
  return {
    host,
    family: parsed.has('6') || isV6 ? 'IPv6' : parsed.has('4') ? 'IPv4' : undefined,
    count: numbers.get('c') || Number.POSITIVE_INFINITY,
    size,
    interval: Math.max(seconds('i') ?? SECOND, MILLISECOND),
    ttl: numbers.get('t'),
    lastWait: seconds('W') ?? 10 * SECOND,
    limit: seconds('w') ?? NEVER,
    quiet: parsed.has('q'),
  }
}

async function resolve(
  { system, signal }: Process,
  host: string,
  family: AddressFamily | undefined,
): Promise<IpAddress | undefined> {
  try {
    const { addresses } = await system.net.resolve(host, signal)
    return addresses.find((address) => family === undefined || familyOf(address) === family)
  } catch (error) {
    if (error instanceof ResolveError) return undefined
    throw error
  }
}

class Ping {
  readonly #process: Process
  readonly #settings: Settings
  readonly #address: IpAddress
  readonly #socket: EchoSocket
  readonly #record = new PingRecord()

  constructor(process: Process, settings: Settings, address: IpAddress) {
    this.#process = process
    this.#settings = settings
    this.#address = address
    this.#socket = process.system.net.echo()
    if (settings.ttl !== undefined) this.#socket.setTtl(settings.ttl)
  }

  /** Exit status: 0 when anything came back. */
  async run(): Promise<number> {
    // ^C ends the pinging, not the program: the statistics are what it is pressed for.
    const interrupted = new AbortController()
    this.#process.onSignal('SIGINT', () => interrupted.abort(new Killed('SIGINT')))
    const onKilled = () => interrupted.abort(this.#process.signal.reason)
    this.#process.signal.addEventListener('abort', onKilled, { once: true })
    try {
      await this.#loop(interrupted.signal)
    } catch (error) {
      if (error instanceof SystemError) {
        await this.#process.stderr.write(`ping: sendto: ${strerror(error)}\n`)
        return 1
      }
      if (this.#process.signal.aborted || !interrupted.signal.aborted) throw error
    } finally {
      this.#process.signal.removeEventListener('abort', onKilled)
      this.#process.onSignal('SIGINT', undefined)
      this.#socket.close()
    }
    await this.#process.stdout.write(this.#statistics())
    return this.#record.received > 0 ? 0 : 1
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#process.system
    const { count, interval, limit, lastWait } = this.#settings
    const started = clock.now()
    const end = started + limit
    for (let sequence = 0; sequence < count; sequence++) {
      this.#send(sequence)
      const last = sequence + 1 >= count
      // As busybox: -W is for a host that never answered; one that did gets two round trips, a second at least.
      const longest = this.#record.roundTrips()?.max
      const grace = longest === undefined ? lastWait : Math.max(SECOND, 2 * longest)
      const next = last ? clock.now() + grace : started + (sequence + 1) * interval
      await this.#receiveUntil(Math.min(next, end), last, signal)
      if (clock.now() >= end) return
    }
  }

  #send(sequence: number): void {
    const data = Uint8Array.from({ length: this.#settings.size }, (_, index) => index)
    const number = this.#record.send(sequence, this.#process.system.clock.now())
    this.#socket.send(this.#address, number, data)
  }

  /** After the last request it is over as soon as every one was answered. */
  async #receiveUntil(end: Micros, last: boolean, signal: AbortSignal): Promise<void> {
    const { clock } = this.#process.system
    for (let left = end - clock.now(); left > 0; left = end - clock.now()) {
      if (last && this.#record.received >= this.#record.transmitted) return
      const reply = await this.#socket.receive(left, signal)
      if (reply === undefined) return
      await this.#take(reply)
    }
  }

  async #take(reply: IcmpReply): Promise<void> {
    const { stdout, stderr } = this.#process
    if (reply.type !== ICMP_ECHO_REPLY) {
      const name = ERROR_NAMES.get(reply.type) ?? 'unknown ICMP type'
      if (!this.#settings.quiet) await stderr.write(`ping: warning: got ICMP ${reply.type} (${name})\n`)
      return
    }
    const answer = this.#record.answer(reply.sequence, this.#process.system.clock.now())
    if (answer === undefined) return
    const { time, isDuplicate } = answer
    if (this.#settings.quiet) return
    const bytes = reply.bytes.length + ICMP_HEADER_BYTES
    const line = `${bytes} bytes from ${formatAddress(reply.from)}: seq=${reply.sequence} ttl=${reply.ttl}`
    await stdout.write(`${line} time=${milliseconds(time)} ms${isDuplicate ? ' (DUP!)' : ''}\n`)
  }

  #statistics(): string {
    const { transmitted, received } = this.#record
    const loss = transmitted === 0 ? 0 : Math.floor(((transmitted - received) * 100) / transmitted)
    const duplicates = this.#record.duplicates > 0 ? `${this.#record.duplicates} duplicates, ` : ''
    const lines = [
      `\n--- ${this.#settings.host} ping statistics ---`,
      `${transmitted} packets transmitted, ${received} packets received, ${duplicates}${loss}% packet loss`,
    ]
    const trips = this.#record.roundTrips()
    if (trips !== undefined) {
      const times = [trips.min, Math.floor(trips.mean), trips.max].map(milliseconds)
      lines.push(`round-trip min/avg/max = ${times.join('/')} ms`)
    }
    return `${lines.join('\n')}\n`
  }
}

const ERROR_NAMES: ReadonlyMap<number, string> = new Map([
  [ICMP_DEST_UNREACHABLE, 'Destination Unreachable'],
  [ICMP_TIME_EXCEEDED, 'Time Exceeded'],
])

/** `0.221`. */
function milliseconds(time: Micros): string {
  return (time / MILLISECOND).toFixed(3)
}
