// One run of iputils' ping: requests in time, answers as lines, the sums at its end. Options are ping-iputils.ts.

import { SystemError } from '../../../base/errors.js'
import { MILLISECOND, type Micros, NEVER, SECOND } from '../../../base/time.js'
import type { EchoSocket } from '../../../posix/net.js'
import { Killed, type Process } from '../../../posix/process.js'
import type { IcmpReply, MtuDiscovery } from '../../../stack/socket.js'
import { formatAddress, type IpAddress } from '../../../wire/address.js'
import { ICMP_DEST_UNREACHABLE, ICMP_ECHO_REPLY, ICMP_TIME_EXCEEDED } from '../../../wire/icmp.js'
import { PingRecord, type RoundTrips } from './ping-record.js'

const ICMP_HEADER_BYTES = 8
/** sizeof(struct timeval). */
const TIMESTAMP_BYTES = 16
/** Of destinations that cannot be reached, by code (RFC 792). */
const UNREACHABLE = [
  'Destination Net Unreachable',
  'Destination Host Unreachable',
  'Destination Protocol Unreachable',
  'Destination Port Unreachable',
  'Frag needed and DF set',
]

export interface PingSettings {
  readonly count: number
  readonly size: number
  readonly interval: Micros
  readonly ttl: number | undefined
  readonly wait: Micros
  readonly deadline: Micros
  readonly quiet: boolean
  readonly flood: boolean
  /** Sends the next request as soon as the one before is answered. */
  readonly adaptive: boolean
  readonly mtuDiscovery: MtuDiscovery
  readonly stamps: boolean
  readonly outstanding: boolean
  readonly numeric: boolean
}

/** Ends the program with `ping: MESSAGE`. */
export class PingError extends Error {
  readonly status: number
  constructor(message: string, status = 2) {
    super(message)
    this.status = status
  }
}

export class Pinging {
  readonly #process: Process
  readonly #settings: PingSettings
  readonly #host: string
  readonly #address: IpAddress
  readonly #socket: EchoSocket
  readonly #record = new PingRecord()
  #errors = 0

  constructor(process: Process, settings: PingSettings, host: string, address: IpAddress) {
    this.#process = process
    this.#settings = settings
    this.#host = host
    this.#address = address
    this.#socket = process.system.net.echo()
    if (settings.ttl !== undefined) this.#socket.setTtl(settings.ttl)
    this.#socket.setMtuDiscovery(settings.mtuDiscovery)
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
    const isShort = deadline < NEVER && Number.isFinite(count) && this.#record.received < count
    return this.#record.received === 0 || isShort ? 1 : 0
  }

  /** When the last request was sent. */
  async #loop(signal: AbortSignal): Promise<Micros> {
    const { clock } = this.#process.system
    const { count, interval, deadline, wait, outstanding, flood, adaptive } = this.#settings
    const started = clock.now()
    const end = started + deadline
    let sent = started
    for (let sequence = 1; sequence <= count; sequence++) {
      sent = clock.now()
      await this.#send(sequence)
      const isLast = sequence >= count
      // As iputils: when anything was answered, the last one is waited for twice the longest round trip, a second at least.
      const longest = this.#record.roundTrips()?.max
      const grace = longest === undefined ? wait : Math.max(SECOND, 2 * longest)
      const next = isLast
        ? clock.now() + grace
        : flood
          ? clock.now() + interval
          : started + sequence * interval
      await this.#receiveUntil(Math.min(next, end), isLast || flood || adaptive, signal)
      if (clock.now() >= end) return sent
      if (outstanding && !isLast && !this.#record.isAnswered(sequence))
        await this.#process.stdout.write(`no answer yet for icmp_seq=${sequence}\n`)
    }
    return sent
  }

  async #send(sequence: number): Promise<void> {
    const data = Uint8Array.from({ length: this.#settings.size }, (_, index) => index)
    const number = this.#record.send(sequence, this.#process.system.clock.now())
    try {
      this.#socket.send(this.#address, number, data)
    } catch (error) {
      // Why is among what comes back.
      if (!(error instanceof SystemError) || error.code !== 'EMSGSIZE') throw error
    }
    const { flood, quiet } = this.#settings
    if (flood && !quiet) await this.#process.stdout.write('.')
  }

  /** `early`: no longer than until every request has its answer, or error. */
  async #receiveUntil(end: Micros, early: boolean, signal: AbortSignal): Promise<void> {
    const { clock } = this.#process.system
    for (let left = end - clock.now(); left > 0; left = end - clock.now()) {
      if (early && this.#record.received + this.#errors >= this.#record.transmitted) return
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
      // Own errors are not even counted when nobody wants to see them.
      if (!quiet || reply.isLocal !== true) this.#errors++
      if (quiet) return
      if (reply.isLocal === true)
        await this.#process.stderr.write(`ping: local error: message too long, mtu=${reply.mtuBytes}\n`)
      else if (flood) await stdout.write('\bE')
      else await stdout.write(`${stamp}From ${from} icmp_seq=${reply.sequence} ${errorText(reply)}\n`)
      return
    }
    // The time is in the data, where it has room.
    const isTimed = this.#settings.size >= TIMESTAMP_BYTES
    const answer = this.#record.answer(reply.sequence, system.clock.now(), isTimed)
    if (answer === undefined) return
    const { time, isDuplicate } = answer
    if (quiet) return
    if (flood && !isDuplicate) await stdout.write('\b \b')
    if (flood) return
    const name = await this.#nameOf(reply.from)
    const line = `${reply.bytes.length + ICMP_HEADER_BYTES} bytes from ${name}: icmp_seq=${reply.sequence} ttl=${reply.ttl}`
    const timeText = isTimed ? ` time=${shortMilliseconds(time)} ms` : ''
    await stdout.write(`${stamp}${line}${timeText}${isDuplicate ? ' (DUP!)' : ''}\n`)
  }

  /** With its name, when it was asked for by one. */
  async #nameOf(address: IpAddress): Promise<string> {
    const text = formatAddress(address)
    if (this.#settings.numeric || this.#host === text) return text
    const name = await this.#process.system.net.reverse(address, this.#process.signal)
    return name === undefined ? text : `${name.replace(/\.$/, '')} (${text})`
  }

  #statistics(elapsed: Micros): string {
    const { transmitted, received, duplicates } = this.#record
    const loss = transmitted === 0 ? 0 : ((transmitted - received) * 100) / transmitted
    const counts = [
      `${transmitted} packets transmitted, ${received} received`,
      ...(duplicates > 0 ? [`+${duplicates} duplicates`] : []),
      ...(this.#errors > 0 ? [`+${this.#errors} errors`] : []),
      `${Number(loss.toPrecision(6))}% packet loss`,
      `time ${Math.floor(elapsed / MILLISECOND)}ms`,
    ]
    const lines = [`\n--- ${this.#host} ping statistics ---`, counts.join(', ')]
    const trips = this.#record.roundTrips()
    lines.push(trips === undefined ? '' : this.#tripsText(trips, elapsed))
    return `${lines.join('\n')}\n`
  }

  #tripsText({ min, mean, max, deviation, ewma }: RoundTrips, elapsed: Micros): string {
    const figures = [min, mean, max, deviation]
    const rtt = `rtt min/avg/max/mdev = ${figures.map((time) => (time / MILLISECOND).toFixed(3)).join('/')} ms`
    const { flood, adaptive } = this.#settings
    if ((!flood && !adaptive) || this.#record.transmitted < 2) return rtt
    const between = (elapsed / (this.#record.transmitted - 1) / MILLISECOND).toFixed(3)
    return `${rtt}, ipg/ewma ${between}/${(ewma / MILLISECOND).toFixed(3)} ms`
  }
}

function errorText({ type, code, mtuBytes }: IcmpReply): string {
  if (type === ICMP_TIME_EXCEEDED) return 'Time to live exceeded'
  if (type === ICMP_DEST_UNREACHABLE && mtuBytes !== undefined)
    return `Frag needed and DF set (mtu = ${mtuBytes})`
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
