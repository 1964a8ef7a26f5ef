// One run of iputils' ping: requests in time, answers as lines, the sums at its end. Options are ping-iputils.ts.

import { SystemError } from '../../../base/errors.js'
import { MILLISECOND, type Micros, NEVER, SECOND } from '../../../base/time.js'
import type { EchoSocket } from '../../../posix/net.js'
import { Killed, type Process } from '../../../posix/process.js'
import type { IcmpReply, MtuDiscovery } from '../../../stack/socket.js'
import { formatAddress, type IpAddress } from '../../../wire/address.js'
import { ICMP_DEST_UNREACHABLE, ICMP_ECHO_REPLY, ICMP_TIME_EXCEEDED } from '../../../wire/icmp.js'

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
  readonly #sentAt = new Map<number, Micros>()
  readonly #answered = new Set<number>()
  #transmitted = 0
  #errors = 0
  #duplicates = 0
  readonly #times: Micros[] = []

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
    const isShort = deadline < NEVER && Number.isFinite(count) && this.#answered.size < count
    return this.#answered.size === 0 || isShort ? 1 : 0
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
      const grace = this.#times.length > 0 ? Math.max(SECOND, 2 * Math.max(...this.#times)) : wait
      const next = isLast
        ? clock.now() + grace
        : flood
          ? clock.now() + interval
          : started + sequence * interval
      await this.#receiveUntil(Math.min(next, end), isLast || flood || adaptive, signal)
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
    try {
      this.#socket.send(this.#address, number, data)
    } catch (error) {
      // Why is among what comes back.
      if (!(error instanceof SystemError) || error.code !== 'EMSGSIZE') throw error
    }
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
      if (reply.isLocal === true) {
        await this.#process.stderr.write(`ping: local error: message too long, mtu=${reply.mtuBytes}\n`)
      } else if (flood) await stdout.write('\bE')
      else if (!quiet)
        await stdout.write(`${stamp}From ${from} icmp_seq=${reply.sequence} ${errorText(reply)}\n`)
      return
    }
    const sent = this.#sentAt.get(reply.sequence)
    if (sent === undefined) return
    const time = system.clock.now() - sent
    // The time is in the data, where it has room.
    const isTimed = this.#settings.size >= TIMESTAMP_BYTES
    const isDuplicate = this.#answered.has(reply.sequence)
    if (isDuplicate) this.#duplicates++
    else {
      this.#answered.add(reply.sequence)
      if (isTimed) this.#times.push(time)
    }
    if (flood && !isDuplicate) await stdout.write('\b \b')
    if (quiet || flood) return
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
    lines.push(this.#times.length === 0 ? '' : this.#roundTrips(elapsed))
    return `${lines.join('\n')}\n`
  }

  #roundTrips(elapsed: Micros): string {
    const times = this.#times
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length
    const variance = times.reduce((sum, time) => sum + time * time, 0) / times.length - mean * mean
    const figures = [Math.min(...times), mean, Math.max(...times), Math.sqrt(Math.max(0, variance))]
    const rtt = `rtt min/avg/max/mdev = ${figures.map((time) => (time / MILLISECOND).toFixed(3)).join('/')} ms`
    const { flood, adaptive } = this.#settings
    if ((!flood && !adaptive) || this.#transmitted < 2) return rtt
    const between = (elapsed / (this.#transmitted - 1) / MILLISECOND).toFixed(3)
    return `${rtt}, ipg/ewma ${between}/${(mean / MILLISECOND).toFixed(3)} ms`
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
