// The protobuf wire format (protobuf.dev, "Encoding"): a message as its fields, none of them interpreted. Groups are
// not supported. Read first: nothing.

/** Bytes that are no message. */
export class WireError extends Error {}

export interface WireField {
  readonly number: number
  /** Varints and fixed numbers as they are, unsigned; strings, bytes and messages as a view into the whole. */
  readonly value: bigint | Uint8Array
}

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIXED32 = 5

/** The fields of `bytes` in the order in which they stand there. Fails with WireError. */
export function readFields(bytes: Uint8Array): WireField[] {
  const reader = new WireReader(bytes)
  const fields: WireField[] = []
  while (!reader.atEnd) fields.push(reader.field())
  return fields
}

/** The numbers of a packed list. */
export function readPacked(bytes: Uint8Array): bigint[] {
  const reader = new WireReader(bytes)
  const numbers: bigint[] = []
  while (!reader.atEnd) numbers.push(reader.varint())
  return numbers
}

class WireReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  field(): WireField {
    const tag = this.varint()
    const number = Number(tag >> 3n)
    if (number < 1 || number > 0x1fff_ffff) throw new WireError(`illegal field number ${number}`)
    switch (Number(tag & 7n)) {
      case VARINT:
        return { number, value: this.varint() }
      case FIXED64:
        return { number, value: this.#fixed(8) }
      case LENGTH_DELIMITED:
        return { number, value: this.#take(this.varint()) }
      case FIXED32:
        return { number, value: this.#fixed(4) }
      default:
        throw new WireError(`illegal wire type ${tag & 7n} of field ${number}`)
    }
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.atEnd) break
      const byte = this.#bytes[this.#at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new WireError(this.atEnd ? 'unexpected end' : 'a number of more than 64 bits')
  }

  #fixed(length: number): bigint {
    const bytes = this.#take(BigInt(length))
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
  }

  #take(length: bigint): Uint8Array {
    if (length > BigInt(this.#bytes.length - this.#at)) throw new WireError('unexpected end')
    const end = this.#at + Number(length)
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
