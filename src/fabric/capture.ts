// Captures as pcapng (draft-ietf-opsawg-pcapng): one file, one interface block for every virtual interface, names
// included. Pure: every block goes as one chunk of bytes to a sink, and where that writes is its own business.

import { concatBytes, utf8Encode } from '../base/bytes.js'
import { invariant } from '../base/errors.js'
import type { Micros } from '../base/time.js'

const BLOCK_SECTION_HEADER = 0x0a0d0d0a
const BLOCK_INTERFACE = 1
const BLOCK_ENHANCED_PACKET = 6

const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const LINKTYPE_ETHERNET = 1

const OPTION_END = 0
const OPTION_SECTION_APPLICATION = 4
const OPTION_INTERFACE_NAME = 2
const OPTION_INTERFACE_DESCRIPTION = 3
const OPTION_INTERFACE_RESOLUTION = 9
const OPTION_PACKET_FLAGS = 2

/** if_tsresol: time stamps in units of 10^-6 s. */
const RESOLUTION_MICROSECONDS = 6

/** Directions in epb_flags (section 4.3.1). */
const FLAG_INBOUND = 1
const FLAG_OUTBOUND = 2

const DEFAULT_SNAP_LENGTH = 262_144

export interface CaptureOptions {
  /** Takes the file's bytes in order, one block at a time; they are the sink's to keep. */
  readonly sink: (chunk: Uint8Array) => void
  /** Date at which the emulation's time is 0, in microseconds since the Unix epoch. */
  readonly startUnixMicros: number
  /** Bytes of a frame that are kept; default 262144. */
  readonly snapLengthBytes?: number
}

export class Capture {
  readonly #sink: (chunk: Uint8Array) => void
  readonly #startUnixMicros: number
  readonly #snapLength: number
  #interfaces = 0

  /** Writes the section header at once. */
  constructor(options: CaptureOptions) {
    this.#sink = options.sink
    this.#startUnixMicros = options.startUnixMicros
    this.#snapLength = options.snapLengthBytes ?? DEFAULT_SNAP_LENGTH
    const body = new Uint8Array(16)
    const view = new DataView(body.buffer)
    view.setUint32(0, BYTE_ORDER_MAGIC, true)
    view.setUint16(4, 1, true)
    view.setUint16(6, 0, true)
    // The section's length is not known: it goes on to the end of the file.
    view.setBigInt64(8, -1n, true)
    this.#block(BLOCK_SECTION_HEADER, [body, option(OPTION_SECTION_APPLICATION, utf8Encode('podwire')), END])
  }

  /** A new interface, at any time; the number that its frames are written with. */
  addInterface(name: string, description?: string): number {
    const body = new Uint8Array(8)
    const view = new DataView(body.buffer)
    view.setUint16(0, LINKTYPE_ETHERNET, true)
    view.setUint32(4, this.#snapLength, true)
    const parts = [body, option(OPTION_INTERFACE_NAME, utf8Encode(name))]
    if (description !== undefined) parts.push(option(OPTION_INTERFACE_DESCRIPTION, utf8Encode(description)))
    parts.push(option(OPTION_INTERFACE_RESOLUTION, Uint8Array.of(RESOLUTION_MICROSECONDS)), END)
    this.#block(BLOCK_INTERFACE, parts)
    return this.#interfaces++
  }

  /** A frame that was seen at `now`; it is copied. */
  write(interfaceId: number, direction: 'in' | 'out', frame: Uint8Array, now: Micros): void {
    invariant(interfaceId >= 0 && interfaceId < this.#interfaces, `capture has no interface ${interfaceId}`)
    const kept = Math.min(frame.length, this.#snapLength)
    const body = new Uint8Array(20 + padded(kept))
    const view = new DataView(body.buffer)
    const stamp = this.#startUnixMicros + now
    view.setUint32(0, interfaceId, true)
    view.setUint32(4, Math.floor(stamp / 0x1_0000_0000), true)
    view.setUint32(8, stamp % 0x1_0000_0000, true)
    view.setUint32(12, kept, true)
    view.setUint32(16, frame.length, true)
    body.set(frame.subarray(0, kept), 20)
    const flags = Uint8Array.of(direction === 'in' ? FLAG_INBOUND : FLAG_OUTBOUND, 0, 0, 0)
    this.#block(BLOCK_ENHANCED_PACKET, [body, option(OPTION_PACKET_FLAGS, flags), END])
  }

  #block(type: number, parts: readonly Uint8Array[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 12)
    const head = new Uint8Array(8)
    const view = new DataView(head.buffer)
    view.setUint32(0, type, true)
    view.setUint32(4, length, true)
    this.#sink(concatBytes([head, ...parts, head.subarray(4)]))
  }
}

const END = option(OPTION_END, new Uint8Array(0))

function padded(length: number): number {
  return (length + 3) & ~3
}

/** An option: code, length, and the value filled up to 32 bits. */
function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, code, true)
  view.setUint16(2, value.length, true)
  bytes.set(value, 4)
  return bytes
}
