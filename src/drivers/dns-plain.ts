// The DNS messages that nearly all are, straight from and to bytes: a query with one question, and what answers it with
// records of the usual types, names compressed (RFC 1035 section 4.1.4). Whatever is out of the ordinary - options,
// other types and classes, names that are not plain ASCII - is left to dns-codec.ts, and comes out the same there.

import { bytesAtMost, type DnsMessage, type Rcode, type ResourceRecord } from '../dns/message.js'
import { parseIpv4, parseIpv6 } from '../wire/address.js'

const HEADER_BYTES = 12
const OPT_BYTES = 11
const TYPE_OPT = 41
const CLASS_IN = 1
/** The largest offset that a pointer holds. */
const POINTER_LIMIT = 0x3fff
/** RFC 1035 section 3.1, with length bytes and without the root's zero. */
const NAME_LIMIT = 254
const LABEL_LIMIT = 63
const DOT = 0x2e
const BACKSLASH = 0x5c

const TYPES: readonly (readonly [number, string])[] = [
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [12, 'PTR'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [255, 'ANY'],
]
const TYPE_NAMES: ReadonlyMap<number, string> = new Map(TYPES)
const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map(TYPES.map(([number, name]) => [name, number]))

/** A message without records, but for an OPT record without options; undefined when it is not that plain. */
export function decodePlain(bytes: Uint8Array, rcodes: ReadonlyMap<number, Rcode>): DnsMessage | undefined {
  if (!hasCounts(bytes)) return undefined
  let end = HEADER_BYTES
  while (bytes[end] !== 0) {
    const length = bytes[end]
    if (length === undefined || length > LABEL_LIMIT) return undefined
    for (let i = end + 1; i <= end + length; i++) {
      const byte = bytes[i]
      if (byte === undefined || byte >= 0x80 || byte === DOT) return undefined
    }
    end += length + 1
  }
  if (end - HEADER_BYTES > NAME_LIMIT) return undefined
  const type = TYPE_NAMES.get(uint16(bytes, end + 1))
  if (type === undefined || uint16(bytes, end + 3) !== CLASS_IN) return undefined
  const opt = end + 5
  const hasOpt = bytes[11] === 1
  if (bytes.length !== opt + (hasOpt ? OPT_BYTES : 0)) return undefined
  if (hasOpt && (bytes[opt] !== 0 || uint16(bytes, opt + 1) !== TYPE_OPT || uint16(bytes, opt + 9) !== 0))
    return undefined
  const flags = uint16(bytes, 2)
  const rcode = (flags & 15) | ((hasOpt ? bytes[opt + 5]! : 0) << 4)
  const message = {
    id: uint16(bytes, 0),
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    rcode: rcodes.get(rcode) ?? 'SERVFAIL',
    questions: [{ name: nameAt(bytes, end), type }],
    answers: [],
    authorities: [],
    additionals: [],
  }
  if (!hasOpt) return message
  const ednsUdpSize = uint16(bytes, opt + 3)
  const ednsVersion = bytes[opt + 6]!
  return ednsVersion > 0 ? { ...message, ednsUdpSize, ednsVersion } : { ...message, ednsUdpSize }
}

/** One question, no answers, no authorities, at most one additional record. */
function hasCounts(bytes: Uint8Array): boolean {
  return (
    bytes.length > HEADER_BYTES &&
    uint16(bytes, 4) === 1 &&
    uint16(bytes, 6) === 0 &&
    uint16(bytes, 8) === 0 &&
    uint16(bytes, 10) <= 1
  )
}

/** The name of the question, whose root's zero is at `end`. */
function nameAt(bytes: Uint8Array, end: number): string {
  if (end === HEADER_BYTES) return ''
  const text = bytes.slice(HEADER_BYTES + 1, end)
  for (let at = bytes[HEADER_BYTES]!; at < text.length; ) {
    const length = text[at]!
    text[at] = DOT
    at += length + 1
  }
  return String.fromCharCode.apply(null, text as unknown as number[])
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!
}

/** The bytes of a message with one question; undefined when something in it is out of the ordinary. `flags`: of the header. */
export function encodePlain(
  message: DnsMessage,
  flags: number,
  extendedRcode: number,
): Uint8Array | undefined {
  const { questions, answers, authorities, additionals, ednsUdpSize } = message
  const [question] = questions
  const type = question && TYPE_NUMBERS.get(question.type)
  if (type === undefined || questions.length !== 1 || question!.class !== undefined) return undefined
  const writer = new PlainWriter(bytesAtMost(message))
  writer.uint16(message.id)
  writer.uint16(flags)
  writer.uint16(1)
  writer.uint16(answers.length)
  writer.uint16(authorities.length)
  writer.uint16(additionals.length + (ednsUdpSize === undefined ? 0 : 1))
  writer.question(question!.name)
  writer.uint16(type)
  writer.uint16(CLASS_IN)
  for (const section of [answers, authorities, additionals])
    for (const record of section) writer.record(record)
  if (ednsUdpSize !== undefined) {
    writer.uint8(0)
    writer.uint16(TYPE_OPT)
    writer.uint16(ednsUdpSize)
    writer.uint8(extendedRcode)
    writer.uint8(message.ednsVersion ?? 0)
    writer.uint32(0)
  }
  return writer.end()
}

class PlainWriter {
  readonly #bytes: Uint8Array
  #at = 0
  #plain = true
  #question = ''
  /** Where each suffix was written first, with its case; made when the first name comes that is not the question's. */
  #offsets: Map<string, number> | undefined

  constructor(limit: number) {
    this.#bytes = new Uint8Array(limit)
  }

  /** What was written; undefined when something was not plain. */
  end(): Uint8Array | undefined {
    return this.#plain ? this.#bytes.subarray(0, this.#at) : undefined
  }

  uint8(value: number): void {
    this.#bytes[this.#at++] = value
  }

  uint16(value: number): void {
    this.#bytes[this.#at++] = value >> 8
    this.#bytes[this.#at++] = value
  }

  uint32(value: number): void {
    this.uint16(value >>> 16)
    this.uint16(value & 0xffff)
  }

  question(name: string): void {
    this.#question = name
    for (let start = 0; start < name.length; ) start = this.#label(name, start)
    this.uint8(0)
  }

  record(record: ResourceRecord): void {
    // Text and types of others: not plain.
    const type = record.type === 'TXT' ? undefined : TYPE_NUMBERS.get(record.type)
    if (type === undefined || !this.#plain) return void (this.#plain = false)
    this.#name(record.name)
    this.uint16(type)
    this.uint16(CLASS_IN)
    this.uint32(record.ttlSeconds)
    this.#at += 2
    const start = this.#at
    this.#data(record)
    const end = this.#at
    this.#at = start - 2
    this.uint16(end - start)
    this.#at = end
  }

  #data(record: ResourceRecord): void {
    switch (record.type) {
      case 'A':
        return this.#ipv4(record.address)
      case 'AAAA':
        return this.#ipv6(record.address)
      case 'CNAME':
      case 'NS':
      case 'PTR':
        return this.#name(record.target)
      case 'SRV': {
        const { priority, weight, port, target } = record.srv
        this.uint16(priority)
        this.uint16(weight)
        this.uint16(port)
        // In full (RFC 2782), and nobody points to it.
        for (let start = 0; start < target.length; ) start = this.#label(target, start)
        return this.uint8(0)
      }
      case 'SOA': {
        const { mname, rname, serial, refresh, retry, expire, minimum } = record.soa
        this.#name(mname)
        this.#name(rname)
        for (const value of [serial, refresh, retry, expire, minimum]) this.uint32(value)
      }
    }
  }

  #ipv4(text: string): void {
    const address = parseIpv4(text)
    if (address === undefined) this.#plain = false
    else this.uint32(address)
  }

  #ipv6(text: string): void {
    const address = parseIpv6(text)
    if (address === undefined) return void (this.#plain = false)
    for (let shift = 96n; shift >= 0n; shift -= 32n) this.uint32(Number((address >> shift) & 0xffffffffn))
  }

  /** A name, of which the end that was written before is a pointer to there. */
  #name(name: string): void {
    if (name === this.#question && name !== '') return this.#pointer(HEADER_BYTES)
    this.#offsets ??= suffixes(this.#question)
    for (let start = 0; start < name.length; ) {
      const suffix = name.slice(start)
      const known = this.#offsets.get(suffix)
      if (known !== undefined) return this.#pointer(known)
      if (this.#at <= POINTER_LIMIT) this.#offsets.set(suffix, this.#at)
      start = this.#label(name, start)
    }
    this.uint8(0)
  }

  #pointer(offset: number): void {
    this.uint16(0xc000 | offset)
  }

  /** Writes the label that begins at `start`; where the next one does. */
  #label(name: string, start: number): number {
    const lengthAt = this.#at++
    let i = start
    for (; i < name.length; i++) {
      const code = name.charCodeAt(i)
      if (code === DOT) break
      if (code >= 0x80 || code === BACKSLASH) this.#plain = false
      this.#bytes[this.#at++] = code
    }
    const length = i - start
    if (length === 0 || length > LABEL_LIMIT || i === name.length - 1) this.#plain = false
    this.#bytes[lengthAt] = length
    return i + 1
  }
}

/** Where each suffix of the question's name is. */
function suffixes(question: string): Map<string, number> {
  const offsets = new Map<string, number>()
  for (let start = 0; start < question.length; ) {
    offsets.set(question.slice(start), HEADER_BYTES + start)
    const dot = question.indexOf('.', start)
    start = dot < 0 ? question.length : dot + 1
  }
  return offsets
}
