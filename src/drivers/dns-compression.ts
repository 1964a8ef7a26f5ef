// Name compression of a DNS message (RFC 1035 section 4.1.4) as a pass over a message whose names are written
// in full. Suffixes are compared with their case, so every name keeps the case it had. Names within records are
// compressed only where RFC 3597 section 4 allows it: in the types of RFC 1035, not in SRV.

const HEADER_BYTES = 12
const TYPE_NS = 2
const TYPE_CNAME = 5
const TYPE_SOA = 6
const TYPE_PTR = 12
/** The largest offset that a pointer holds. */
const POINTER_LIMIT = 0x3fff

/** What is read, what is written, and where each suffix was written first. */
interface Compression {
  readonly from: Uint8Array
  readonly view: DataView
  read: number
  readonly into: Uint8Array
  written: number
  readonly offsets: Map<string, number>
}

/** A shorter message with the same meaning. `message` is well formed and has no compressed names. */
export function compressNames(message: Uint8Array): Uint8Array {
  const state: Compression = {
    from: message,
    view: new DataView(message.buffer, message.byteOffset, message.byteLength),
    read: 0,
    into: new Uint8Array(message.length),
    written: 0,
    offsets: new Map(),
  }
  copyBytes(state, HEADER_BYTES)
  const questions = state.view.getUint16(4)
  const records = state.view.getUint16(6) + state.view.getUint16(8) + state.view.getUint16(10)
  for (let i = 0; i < questions; i++) {
    copyName(state)
    copyBytes(state, 4)
  }
  for (let i = 0; i < records; i++) copyRecord(state)
  return state.into.slice(0, state.written)
}

function copyRecord(state: Compression): void {
  copyName(state)
  const type = state.view.getUint16(state.read)
  const end = state.read + 10 + state.view.getUint16(state.read + 8)
  copyBytes(state, 10)
  const dataStart = state.written
  const names = type === TYPE_SOA ? 2 : type === TYPE_NS || type === TYPE_CNAME || type === TYPE_PTR ? 1 : 0
  for (let i = 0; i < names; i++) copyName(state)
  copyBytes(state, end - state.read)
  const dataBytes = state.written - dataStart
  state.into[dataStart - 2] = dataBytes >> 8
  state.into[dataStart - 1] = dataBytes & 255
}

function copyBytes(state: Compression, count: number): void {
  state.into.set(state.from.subarray(state.read, state.read + count), state.written)
  state.read += count
  state.written += count
}

function copyName(state: Compression): void {
  const { from, into, offsets } = state
  let end = state.read
  while (from[end] !== 0) end += from[end]! + 1
  while (state.read < end) {
    const suffix = String.fromCharCode(...from.subarray(state.read, end))
    const known = offsets.get(suffix)
    if (known !== undefined) {
      into[state.written++] = 0xc0 | (known >> 8)
      into[state.written++] = known & 255
      state.read = end + 1
      return
    }
    if (state.written <= POINTER_LIMIT) offsets.set(suffix, state.written)
    copyBytes(state, from[state.read]! + 1)
  }
  copyBytes(state, 1)
}
