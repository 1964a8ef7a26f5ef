// One data stream of a test, TCP or UDP: it sends or receives until it is stopped, and counts. Datagrams begin with
// when they were sent (seconds, microseconds) and their number, 32 bits each, big endian; jitter is RFC 1889's.

import { type Micros, SECOND } from '../../base/time.js'
import type { Connection } from '../../posix/net.js'
import type { Clock } from '../../posix/process.js'
import { type Endpoint, formatAddress } from '../../wire/address.js'

/** What making and taking a block costs under the virtual clock: about 100 Gbit/s, so that time moves. */
const MICROS_PER_BLOCK: Micros = 10
/** How often a limited sender looks whether more is due. */
const PACE: Micros = 1000
const UDP_HEADER_BYTES = 12

export interface StreamCounts {
  bytes: number
  packets: number
  lost: number
  outOfOrder: number
  jitterSeconds: number
}

export interface StreamPlan {
  readonly blockBytes: number
  /** Bits a second; 0: no limit. */
  readonly bitrate: number
  /** Called after every block that was sent or received over TCP. */
  readonly onBytes: () => void
}

export abstract class DataStream {
  readonly counts: StreamCounts = { bytes: 0, packets: 0, lost: 0, outOfOrder: 0, jitterSeconds: 0 }
  /** The number in brackets, and in results. */
  readonly label: number
  readonly id: number
  readonly sends: boolean
  protected readonly clock: Clock
  protected readonly over = new AbortController()

  constructor(label: number, id: number, sends: boolean, clock: Clock) {
    this.label = label
    this.id = id
    this.sends = sends
    this.clock = clock
  }

  abstract get local(): Endpoint
  abstract get remote(): Endpoint
  /** Sends or receives until `stop`, or until the other side is gone. */
  abstract run(plan: StreamPlan): Promise<void>
  abstract close(): void

  stop(): void {
    this.over.abort('the test is over')
  }

  get addresses(): string {
    const { local, remote } = this
    return `local ${formatAddress(local.address)} port ${local.port} connected to ${formatAddress(remote.address)} port ${remote.port}`
  }

  /** Calls `send` as often as the rate allows, until `stop`. */
  protected async paced(
    { blockBytes, bitrate, onBytes }: StreamPlan,
    send: () => Promise<void>,
  ): Promise<void> {
    const started = this.clock.now()
    let sent = 0
    while (!this.over.signal.aborted) {
      if (bitrate > 0 && sent * blockBytes * 8 * SECOND > (this.clock.now() - started) * bitrate) {
        await this.clock.sleep(PACE, this.over.signal)
        continue
      }
      await send()
      sent++
      this.counts.packets++
      this.counts.bytes += blockBytes
      onBytes()
      await this.clock.spend(MICROS_PER_BLOCK)
    }
  }
}

/** What a receiver takes at once, at least. */
const READ_BYTES = 256 * 1024

export class TcpStream extends DataStream {
  readonly #connection: Connection

  constructor(connection: Connection, label: number, id: number, sends: boolean, clock: Clock) {
    super(label, id, sends, clock)
    this.#connection = connection
  }

  get local(): Endpoint {
    return this.#connection.local
  }

  get remote(): Endpoint {
    return this.#connection.remote
  }

  async run(plan: StreamPlan): Promise<void> {
    const { signal } = this.over
    if (this.sends) {
      const block = new Uint8Array(plan.blockBytes)
      return this.paced(plan, () => this.#connection.write(block, signal))
    }
    const into = new Uint8Array(Math.max(plan.blockBytes, READ_BYTES))
    for (;;) {
      const count = await this.#connection.readInto(into, signal)
      if (count === 0) return
      this.counts.bytes += count
      plan.onBytes()
      await this.clock.spend(MICROS_PER_BLOCK)
    }
  }

  close(): void {
    this.#connection.close()
  }
}

/** How a stream gets its datagrams out; a server has one socket for all of them. */
export interface DatagramPath {
  readonly local: Endpoint
  readonly remote: Endpoint
  send(bytes: Uint8Array): void
  close(): void
}

export class UdpStream extends DataStream {
  readonly #path: DatagramPath
  /** Transit time of the last datagram; clocks of two machines differ, differences of it do not. */
  #transit: Micros | undefined
  #highest = 0

  constructor(path: DatagramPath, label: number, id: number, sends: boolean, clock: Clock) {
    super(label, id, sends, clock)
    this.#path = path
  }

  get local(): Endpoint {
    return this.#path.local
  }

  get remote(): Endpoint {
    return this.#path.remote
  }

  async run(plan: StreamPlan): Promise<void> {
    if (!this.sends) return
    const block = new Uint8Array(plan.blockBytes)
    const header = new DataView(block.buffer)
    return this.paced(plan, async () => {
      const now = this.clock.now()
      header.setUint32(0, Math.floor(now / SECOND))
      header.setUint32(4, Math.floor(now % SECOND))
      header.setUint32(8, this.counts.packets + 1)
      this.#path.send(block.slice())
    })
  }

  /** A datagram of this stream came. */
  take(bytes: Uint8Array): void {
    if (bytes.length < UDP_HEADER_BYTES || this.over.signal.aborted) return
    const { counts } = this
    const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const number = header.getUint32(8)
    counts.bytes += bytes.length
    counts.packets++
    if (number > this.#highest) {
      counts.lost += number - this.#highest - 1
      this.#highest = number
    } else {
      // It had been counted as lost.
      counts.outOfOrder++
      if (counts.lost > 0) counts.lost--
    }
    const transit = this.clock.now() - (header.getUint32(0) * SECOND + header.getUint32(4))
    if (this.#transit !== undefined)
      counts.jitterSeconds += (Math.abs(transit - this.#transit) / SECOND - counts.jitterSeconds) / 16
    this.#transit = transit
  }

  /** All datagrams that were sent, as far as they are known of. */
  get total(): number {
    return this.sends ? this.counts.packets : this.counts.packets + this.counts.lost
  }

  close(): void {
    this.#path.close()
  }
}
