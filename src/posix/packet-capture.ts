// Packets of a stack's interfaces for a program that captures (tcpdump), with a buffer of bounded size in between as
// packet(7) has one: what finds no room is counted and lost, and the stack never waits.

import type { PacketTap } from '../stack/interface.js'
import type { Stack } from '../stack/stack.js'
import { abortable, Wakeup } from './abort.js'
import type { CapturedPacket, PacketCapture, PacketFilter } from './net.js'
import type { OpenSockets } from './open-sockets.js'

/** As libpcap asks for. */
const BUFFER_BYTES = 2 * 1024 * 1024
/** What a packet costs besides its bytes. */
const PACKET_BYTES = 256

export class StackCapture implements PacketCapture {
  readonly #open: OpenSockets
  readonly #untap: readonly (() => void)[]
  readonly #arrived = new Wakeup()
  #packets: CapturedPacket[] = []
  #taken = 0
  #bytes = 0
  matched = 0
  dropped = 0

  /** Captures on the interface with this index, or on those that are there now. */
  constructor(stack: Stack, interfaceIndex: number | undefined, filter: PacketFilter, open: OpenSockets) {
    this.#open = open
    const indexes =
      interfaceIndex === undefined ? stack.interfaces().map(({ index }) => index) : [interfaceIndex]
    this.#untap = indexes.map((index) => stack.tap(index, this.#tap(index, filter)))
    open.add(this)
  }

  #tap(interfaceIndex: number, filter: PacketFilter): PacketTap {
    return (frame, direction, time) => {
      if (!filter(frame, direction)) return
      this.matched++
      const cost = frame.length + PACKET_BYTES
      if (this.#bytes + cost > BUFFER_BYTES) {
        this.dropped++
        return
      }
      this.#bytes += cost
      this.#packets.push({ interfaceIndex, direction, frame: frame.slice(), time })
      this.#arrived.wake()
    }
  }

  get waiting(): number {
    return this.#packets.length - this.#taken
  }

  async next(signal?: AbortSignal): Promise<CapturedPacket> {
    for (;;) {
      const packet = this.#packets[this.#taken]
      if (packet === undefined) {
        await abortable(this.#arrived.wait(), signal)
        continue
      }
      this.#taken++
      this.#bytes -= packet.frame.length + PACKET_BYTES
      if (this.#taken === this.#packets.length) {
        this.#packets = []
        this.#taken = 0
      }
      return packet
    }
  }

  close(): void {
    this.#open.delete(this)
    for (const untap of this.#untap) untap()
  }
}
