// What a test shows while it runs and at its end: iperf3's lines, or with -J one JSON document. Without retransmissions
// and congestion windows, as iperf3 prints where the system does not tell them.

import type { ByteWriter } from '../../posix/process.js'
import { formatAddress } from '../../wire/address.js'
import type { StreamResult } from './control-channel.js'
import type { DataStream, StreamCounts } from './stream.js'
import { bytesText, rateText } from './units.js'

const RULE = '- - - - - - - - - - - - - - - - - - - - - - - - -\n'

export interface ReportOptions {
  readonly udp: boolean
  readonly json: boolean
  readonly format: string | undefined
}

/** What was sent or received in some time, of one stream or of all. */
interface Amount {
  readonly label: string
  readonly start: number
  readonly end: number
  readonly counts: StreamCounts
  readonly sender: boolean
}

export class Report {
  readonly #out: ByteWriter
  readonly #options: ReportOptions
  readonly #before = new Map<DataStream, StreamCounts>()
  readonly #intervals: unknown[] = []
  #last = 0

  constructor(out: ByteWriter, options: ReportOptions) {
    this.#out = out
    this.#options = options
  }

  /** A line for people. */
  async line(text: string): Promise<void> {
    if (!this.#options.json) await this.#out.write(`${text}\n`)
  }

  async begin(streams: readonly DataStream[]): Promise<void> {
    for (const stream of streams) {
      await this.line(`[${String(stream.label).padStart(3)}] ${stream.addresses}`)
      this.#before.set(stream, { ...stream.counts })
    }
    await this.line(this.#header(streams[0]?.sends ?? true, false))
  }

  /** What came since the last one, `now` in seconds since the beginning. */
  async interval(streams: readonly DataStream[], now: number): Promise<void> {
    const start = this.#last
    this.#last = now
    const amounts = streams.map((stream): Amount => {
      const counts = difference(stream.counts, this.#before.get(stream)!)
      this.#before.set(stream, { ...stream.counts })
      return { label: label(stream), start, end: now, counts, sender: stream.sends }
    })
    const sum = total(amounts)
    this.#intervals.push({
      streams: amounts.map((one, i) => this.#json(one, streams[i]!.label)),
      sum: this.#json(sum),
    })
    if (this.#options.json) return
    for (const amount of amounts) await this.#out.write(this.#row(amount, ''))
    if (amounts.length > 1) await this.#out.write(this.#row(sum, '') + RULE)
  }

  /** Whether anything came since the last interval. */
  pending(streams: readonly DataStream[]): boolean {
    return streams.some((stream) => stream.counts.bytes > this.#before.get(stream)!.bytes)
  }

  /**
   * The end: a line for the sending side and one for the receiving of each stream. `peer`: what the other side told;
   * a server that was not told anything shows its own side only.
   */
  async end(
    streams: readonly DataStream[],
    seconds: number,
    peer: readonly StreamResult[] | undefined,
    start: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const rows = streams.map((stream) => {
      const told = peer?.find(({ id }) => id === stream.id)
      const own: Amount = {
        label: label(stream),
        start: 0,
        end: seconds,
        counts: stream.counts,
        sender: stream.sends,
      }
      const other: Amount | undefined = told && {
        ...own,
        end: told.end_time || seconds,
        counts: countsOf(told),
        sender: !own.sender,
      }
      return own.sender ? { stream, sent: own, received: other } : { stream, sent: other, received: own }
    })
    const sums = {
      sent: total(rows.flatMap(({ sent }) => sent ?? [])),
      received: total(rows.flatMap(({ received }) => received ?? [])),
    }
    if (this.#options.json) return this.#writeJson(rows, sums, start)
    if (streams.length === 1) await this.#out.write(RULE)
    await this.line(this.#header(streams[0]?.sends ?? true, true))
    for (const { sent, received } of rows) {
      if (sent !== undefined) await this.#out.write(this.#row(sent, 'sender', true))
      if (received !== undefined) await this.#out.write(this.#row(received, 'receiver', true))
    }
    if (rows.length < 2) return
    if (rows[0]!.sent !== undefined) await this.#out.write(this.#row(sums.sent, 'sender', true))
    if (rows[0]!.received !== undefined) await this.#out.write(this.#row(sums.received, 'receiver', true))
  }

  #header(sends: boolean, atEnd: boolean): string {
    const base = '[ ID] Interval           Transfer     Bitrate'
    if (!this.#options.udp) return base
    return sends && !atEnd
      ? `${base}         Total Datagrams`
      : `${base}         Jitter    Lost/Total Datagrams`
  }

  #row({ label, start, end, counts, sender }: Amount, role: string, atEnd = false): string {
    const rate = rateText(counts.bytes, end - start, this.#options.format)
    const times = `${start.toFixed(2).padStart(6)}-${end.toFixed(2).padEnd(6)} sec`
    const head = `[${label}] ${times}  ${bytesText(counts.bytes)}  ${rate}`
    if (!this.#options.udp) return `${head}                  ${role}\n`
    if (sender && !atEnd) return `${head}  ${counts.packets}  ${role}\n`
    const all = counts.packets + (sender ? 0 : counts.lost)
    const percent = all === 0 ? 0 : (100 * counts.lost) / all
    const jitter = (counts.jitterSeconds * 1000).toFixed(3)
    return `${head}  ${jitter} ms  ${counts.lost}/${all} (${shortPercent(percent)}%)  ${role}\n`
  }

  #json({ start, end, counts, sender }: Amount, socket?: number): Record<string, unknown> {
    const seconds = end - start
    const base = {
      ...(socket === undefined ? {} : { socket }),
      start,
      end,
      seconds,
      bytes: counts.bytes,
      bits_per_second: seconds > 0 ? (counts.bytes * 8) / seconds : 0,
    }
    if (!this.#options.udp) return { ...base, omitted: false, sender }
    if (sender) return { ...base, packets: counts.packets, omitted: false, sender }
    const packets = counts.packets + counts.lost
    const lost_percent = packets === 0 ? 0 : (100 * counts.lost) / packets
    const jitter_ms = counts.jitterSeconds * 1000
    return { ...base, jitter_ms, lost_packets: counts.lost, packets, lost_percent, omitted: false, sender }
  }

  async #writeJson(
    rows: readonly { stream: DataStream; sent: Amount | undefined; received: Amount | undefined }[],
    sums: { readonly sent: Amount; readonly received: Amount },
    start: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const connected = rows.map(({ stream: { label, local, remote } }) => ({
      socket: label,
      local_host: formatAddress(local.address),
      local_port: local.port,
      remote_host: formatAddress(remote.address),
      remote_port: remote.port,
    }))
    const streams = rows.map(({ stream, sent, received }) => {
      const side = (amount: Amount | undefined) =>
        amount === undefined ? {} : this.#json(amount, stream.label)
      return this.#options.udp
        ? { udp: side(received ?? sent) }
        : { sender: side(sent), receiver: side(received) }
    })
    const sent = this.#json(sums.sent)
    const received = this.#json(sums.received)
    const end = {
      streams,
      ...(this.#options.udp ? { sum: received } : {}),
      sum_sent: sent,
      sum_received: received,
      // Programs here are not told what the processor does.
      cpu_utilization_percent: {
        host_total: 0,
        host_user: 0,
        host_system: 0,
        remote_total: 0,
        remote_user: 0,
        remote_system: 0,
      },
    }
    const document = { start: { connected, ...start }, intervals: this.#intervals, end }
    await this.#out.write(`${JSON.stringify(document, undefined, '\t')}\n`)
  }
}

function label(stream: DataStream): string {
  return String(stream.label).padStart(3)
}

function countsOf({ bytes, packets, errors, jitter }: StreamResult): StreamCounts {
  return { bytes, packets: packets - errors, lost: errors, outOfOrder: 0, jitterSeconds: jitter }
}

function difference(now: StreamCounts, before: StreamCounts): StreamCounts {
  return {
    bytes: now.bytes - before.bytes,
    packets: now.packets - before.packets,
    lost: now.lost - before.lost,
    outOfOrder: now.outOfOrder - before.outOfOrder,
    jitterSeconds: now.jitterSeconds,
  }
}

function total(amounts: readonly Amount[]): Amount {
  const sum = (of: (counts: StreamCounts) => number) =>
    amounts.reduce((all, { counts }) => all + of(counts), 0)
  return {
    label: 'SUM',
    start: amounts[0]?.start ?? 0,
    end: Math.max(0, ...amounts.map(({ end }) => end)),
    sender: amounts[0]?.sender ?? true,
    counts: {
      bytes: sum(({ bytes }) => bytes),
      packets: sum(({ packets }) => packets),
      lost: sum(({ lost }) => lost),
      outOfOrder: sum(({ outOfOrder }) => outOfOrder),
      jitterSeconds: amounts.length === 0 ? 0 : sum(({ jitterSeconds }) => jitterSeconds) / amounts.length,
    },
  }
}

/** printf's %.2g of a percentage. */
function shortPercent(value: number): string {
  return value >= 99.5 ? String(Math.round(value)) : String(Number(value.toPrecision(2)))
}
