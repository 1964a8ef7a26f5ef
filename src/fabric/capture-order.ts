// The order of a capture's frames within one moment of emulated time: packet by packet. A packet that crosses
// several interfaces at once is written for all of them before the next packet is. Frames come here burst by burst,
// as machines send them; in that order a reader of the whole file (tshark) would take the later sightings of a
// burst for segments out of order, and report long bodies as malformed when it puts them together.
// Simplified: a bare acknowledgement is written where it is first and where it is last seen, and not for the nodes
// between: three sightings would read as duplicate ACKs, and what follows them as a fast retransmission.

import type { Micros } from '../base/time.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import { PROTOCOL_TCP } from '../wire/ip.js'

type FrameWriter = (interfaceId: number, direction: 'in' | 'out', frame: Uint8Array, now: Micros) => void

interface Sighting {
  readonly interfaceId: number
  readonly direction: 'in' | 'out'
  readonly frame: Uint8Array
}

/** Network and transport headers, with what tells one packet from another: identification, numbers, checksum. */
const KEY_BYTES = 64
/** What a router changes on the way (RFC 1812 section 5.3.1): the time to live, and with it the header checksum. */
const TTL = ETHERNET_HEADER_BYTES + 8
const CHECKSUM = ETHERNET_HEADER_BYTES + 10
const TCP_ACK = 0x10

export class CaptureOrder {
  readonly #write: FrameWriter
  /** The frames of the moment, by packet, packets in the order in which they were first seen. */
  readonly #packets = new Map<string, Sighting[]>()
  #now: Micros = 0

  constructor(write: FrameWriter) {
    this.#write = write
  }

  /** A frame seen at `now`, which never goes back; it is copied. */
  add(interfaceId: number, direction: 'in' | 'out', frame: Uint8Array, now: Micros): void {
    if (now !== this.#now) this.flush()
    this.#now = now
    const sighting = { interfaceId, direction, frame: frame.slice() }
    const key = packetKey(frame)
    const packet = this.#packets.get(key)
    if (packet === undefined) this.#packets.set(key, [sighting])
    else packet.push(sighting)
  }

  /** Writes what is held back: at the end of a capture. */
  flush(): void {
    for (const packet of this.#packets.values()) {
      const bare = packet.length > 2 && isBareAck(packet[0]!.frame)
      for (const { interfaceId, direction, frame } of bare ? [packet[0]!, packet.at(-1)!] : packet)
        this.#write(interfaceId, direction, frame, this.#now)
    }
    this.#packets.clear()
  }
}

/** The same for all sightings of a packet. Link addresses change at every hop and are not looked at. */
export function packetKey(frame: Uint8Array): string {
  let key = ''
  const end = Math.min(frame.length, KEY_BYTES)
  for (let i = ETHERNET_HEADER_BYTES - 2; i < end; i++) {
    if (i !== TTL && i !== CHECKSUM && i !== CHECKSUM + 1) key += String.fromCharCode(frame[i]!)
  }
  return key
}

/** A TCP segment that carries nothing but its acknowledgement: ACK is the only flag, and there is no data. */
function isBareAck(frame: Uint8Array): boolean {
  const ip = ETHERNET_HEADER_BYTES
  if (frame[ip]! >> 4 !== 4 || frame[ip + 9] !== PROTOCOL_TCP) return false
  const tcp = ip + (frame[ip]! & 0x0f) * 4
  const end = ip + ((frame[ip + 2]! << 8) | frame[ip + 3]!)
  return frame[tcp + 13] === TCP_ACK && tcp + (frame[tcp + 12]! >> 4) * 4 === end
}
