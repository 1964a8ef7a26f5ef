// Frames of SPDY/3.1 to and from bytes (SPDY Protocol Draft 3.1, section 2.2 and 2.6). Knows nothing of streams'
// states or of what a header block says. Data frames are handed over in the pieces in which they come; a control
// frame is held until it is whole, and refused when it is larger than any that is meant seriously.

export const SPDY_VERSION = 3

/** Of a control frame's payload. */
export const LARGEST_CONTROL_BYTES = 16 * 1024

const HEADER_BYTES = 8
const FLAG_FIN = 1

/** Status codes of RST_STREAM (section 2.6.3). */
export const RstStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
} as const

/** Status codes of GOAWAY (section 2.6.6). */
export const GoAwayStatus = { ok: 0, protocolError: 1 } as const

const SYN_STREAM = 1
const SYN_REPLY = 2
const RST_STREAM = 3
const PING = 6
const GOAWAY = 7
const HEADERS = 8

export type SpdyFrame =
  | {
      readonly type: 'DATA'
      readonly streamId: number
      readonly bytes: Uint8Array
      /** With the last piece only. */
      readonly fin: boolean
    }
  | {
      readonly type: 'SYN_STREAM' | 'HEADERS' | 'SYN_REPLY'
      readonly streamId: number
      readonly fin: boolean
      /** Compressed. */
      readonly block: Uint8Array
    }
  | { readonly type: 'RST_STREAM'; readonly streamId: number }
  | { readonly type: 'PING'; readonly id: number }
  | { readonly type: 'GOAWAY' }
  /** SETTINGS, WINDOW_UPDATE, and what a later version may have: to be ignored. */
  | { readonly type: 'other' }

/** Bytes that are no SPDY. */
export class SpdyError extends Error {}

interface OpenDataFrame {
  readonly streamId: number
  readonly fin: boolean
  left: number
}

export class SpdyFrameReader {
  #pending: Buffer = Buffer.alloc(0)
  /** Of the data frame that has begun. */
  #data: OpenDataFrame | undefined

  push(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
  }

  /** The next frame, or piece of one; undefined when more bytes are needed. Throws SpdyError. */
  next(): SpdyFrame | undefined {
    if (this.#data !== undefined) return this.#piece(this.#data)
    const pending = this.#pending
    if (pending.length < HEADER_BYTES) return undefined
    const flags = pending[4]!
    const length = pending.readUIntBE(5, 3)
    if ((pending[0]! & 0x80) === 0) {
      this.#data = { streamId: pending.readUInt32BE(0), fin: (flags & FLAG_FIN) !== 0, left: length }
      this.#pending = pending.subarray(HEADER_BYTES)
      return this.#piece(this.#data)
    }
    const version = pending.readUInt16BE(0) & 0x7fff
    if (version !== SPDY_VERSION) throw new SpdyError(`a frame of SPDY version ${version}`)
    if (length > LARGEST_CONTROL_BYTES) throw new SpdyError(`a control frame of ${length} bytes`)
    if (pending.length < HEADER_BYTES + length) return undefined
    this.#pending = pending.subarray(HEADER_BYTES + length)
    const payload = pending.subarray(HEADER_BYTES, HEADER_BYTES + length)
    return controlFrame(pending.readUInt16BE(2), flags, payload)
  }

  #piece(data: OpenDataFrame): SpdyFrame | undefined {
    if (data.left > 0 && this.#pending.length === 0) return undefined
    const bytes = this.#pending.subarray(0, data.left)
    this.#pending = this.#pending.subarray(bytes.length)
    data.left -= bytes.length
    if (data.left === 0) this.#data = undefined
    return { type: 'DATA', streamId: data.streamId, bytes, fin: data.fin && data.left === 0 }
  }
}

function controlFrame(type: number, flags: number, payload: Buffer): SpdyFrame {
  const need = (length: number) => {
    if (payload.length < length)
      throw new SpdyError(`a control frame of type ${type} with ${payload.length} bytes`)
  }
  const streamId = () => payload.readUInt32BE(0) & 0x7fff_ffff
  const fin = (flags & FLAG_FIN) !== 0
  switch (type) {
    case SYN_STREAM:
      need(10)
      return { type: 'SYN_STREAM', streamId: streamId(), fin, block: payload.subarray(10) }
    case SYN_REPLY:
    case HEADERS:
      need(4)
      return {
        type: type === HEADERS ? 'HEADERS' : 'SYN_REPLY',
        streamId: streamId(),
        fin,
        block: payload.subarray(4),
      }
    case RST_STREAM:
      need(8)
      return { type: 'RST_STREAM', streamId: streamId() }
    case PING:
      need(4)
      return { type: 'PING', id: payload.readUInt32BE(0) }
    case GOAWAY:
      return { type: 'GOAWAY' }
    default:
      return { type: 'other' }
  }
}

/** At most 2^24 - 1 bytes. */
export function dataFrame(streamId: number, bytes: Uint8Array, fin: boolean): Uint8Array {
  const frame = Buffer.alloc(HEADER_BYTES + bytes.length)
  frame.writeUInt32BE(streamId, 0)
  frame[4] = fin ? FLAG_FIN : 0
  frame.writeUIntBE(bytes.length, 5, 3)
  frame.set(bytes, HEADER_BYTES)
  return frame
}

/** `block`: compressed. */
export function synReplyFrame(streamId: number, block: Uint8Array): Uint8Array {
  const frame = control(SYN_REPLY, 4 + block.length)
  frame.writeUInt32BE(streamId, HEADER_BYTES)
  frame.set(block, HEADER_BYTES + 4)
  return frame
}

export function rstStreamFrame(streamId: number, status: number): Uint8Array {
  return words(RST_STREAM, streamId, status)
}

export function pingFrame(id: number): Uint8Array {
  return words(PING, id)
}

export function goAwayFrame(lastStreamId: number, status: number): Uint8Array {
  return words(GOAWAY, lastStreamId, status)
}

function words(type: number, ...payload: readonly number[]): Uint8Array {
  const frame = control(type, 4 * payload.length)
  for (const [index, word] of payload.entries()) frame.writeUInt32BE(word, HEADER_BYTES + 4 * index)
  return frame
}

function control(type: number, length: number): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + length)
  frame.writeUInt16BE(0x8000 | SPDY_VERSION, 0)
  frame.writeUInt16BE(type, 2)
  frame.writeUIntBE(length, 5, 3)
  return frame
}
