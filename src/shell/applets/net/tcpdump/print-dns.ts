// DNS messages as tcpdump tells them. Read leniently from the bytes, which may be cut or wrong: not dns/message.ts, which
// takes whole and good ones only.

import { formatAddress } from '../../../../wire/address.js'
import type { Line } from './line.js'

const TYPES = new Map([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [12, 'PTR'],
  [13, 'HINFO'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [35, 'NAPTR'],
  [41, 'OPT'],
  [43, 'DS'],
  [46, 'RRSIG'],
  [48, 'DNSKEY'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [252, 'AXFR'],
  [255, 'ANY'],
  [257, 'CAA'],
])
const CLASSES = new Map([
  [3, 'CHAOS'],
  [4, 'HS'],
  [255, 'ANY'],
])
const OPCODES = ['', ' inv_q', ' stat', ' op3', ' notify', ' update']
const RCODES = [
  '',
  ' FormErr',
  ' ServFail',
  ' NXDomain',
  ' NotImp',
  ' Refused',
  ' YXDomain',
  ' YXRRSet',
  ' NXRRSet',
  ' NotAuth',
  ' NotZone',
]
const CLASS_IN = 1
const TYPE_OPT = 41
const MAX_LABELS = 128

/** The message at `start`; `length` is what the transport says of it. */
export function printDns(line: Line, start: number, end: number, length: number): void {
  line.need(start + 12)
  const flags = line.uint16(start + 2)
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) =>
    line.uint16(start + at),
  ) as [number, number, number, number]
  const reader = new DnsReader(line, start, end)
  const opcode = OPCODES[(flags >> 11) & 15] ?? ` op${(flags >> 11) & 15}`
  const isVerbose = line.style.verbose > 1
  line.add(`${line.uint16(start)}${opcode}`)
  if ((flags & 0x8000) !== 0) {
    const rcode = flags & 15
    line.add(RCODES[rcode] ?? ` Resp${rcode}`)
    line.add(
      `${mark(flags, 0x0400, '*')}${(flags & 0x80) === 0 ? '-' : ''}${mark(flags, 0x0200, '|')}${mark(flags, 0x20, '$')}`,
    )
    if (questions !== 1) line.add(` [${questions}q]`)
    if (isVerbose) {
      line.add(' q:')
      for (let index = 0; index < questions; index++) line.add(`${index > 0 ? ',' : ''}${reader.question()}`)
    }
    line.add(` ${answers}/${authorities}/${additionals}`)
    if (!isVerbose && answers > 0) for (let index = 0; index < questions; index++) reader.question()
    reader.records('', answers)
  } else {
    line.add(`${mark(flags, 0x0100, '+')}${mark(flags, 0x10, '%')}`)
    if ((flags & 0x06cf) !== 0) line.add(` [b2&3=0x${(flags & 0xffff).toString(16)}]`)
    if (questions !== 1) line.add(` [${questions}q]`)
    if (answers > 0) line.add(` [${answers}a]`)
    if (authorities > 0) line.add(` [${authorities}n]`)
    if (additionals > 0) line.add(` [${additionals}au]`)
    for (let index = 0; index < questions; index++) line.add(`${index > 0 ? ',' : ''}${reader.question()}`)
    if (isVerbose) reader.records('', answers)
  }
  if (isVerbose) {
    reader.records(' ns:', authorities)
    reader.records(' ar:', additionals)
  }
  line.add(` (${length})`)
}

function mark(flags: number, bit: number, text: string): string {
  return (flags & bit) !== 0 ? text : ''
}

class DnsReader {
  readonly #line: Line
  readonly #start: number
  readonly #end: number
  #at: number

  constructor(line: Line, start: number, end: number) {
    this.#line = line
    this.#start = start
    this.#end = end
    this.#at = start + 12
  }

  /** ` A? name.` */
  question(): string {
    const name = this.#name()
    const type = this.#line.uint16(this.#at)
    const of = this.#line.uint16(this.#at + 2)
    this.#at += 4
    const wording = of === CLASS_IN ? '' : ` ${CLASSES.get(of) ?? `(Class ${of})`}`
    return ` ${TYPES.get(type) ?? `Type${type}`}${wording}? ${name}`
  }

  /** A section's records, behind its title. */
  records(title: string, count: number): void {
    if (count === 0) return
    this.#line.add(title)
    for (let index = 0; index < count && this.#at < this.#end; index++) {
      if (index > 0) this.#line.add(',')
      this.#record()
    }
  }

  #record(): void {
    const line = this.#line
    const name = this.#name()
    const type = line.uint16(this.#at)
    const of = line.uint16(this.#at + 2)
    const ttl = line.uint32(this.#at + 4)
    const length = line.uint16(this.#at + 8)
    const data = this.#at + 10
    line.need(data + length)
    if (line.style.verbose > 0) {
      line.add(` ${name}`)
      if (type !== TYPE_OPT && of !== CLASS_IN) line.add(` ${CLASSES.get(of) ?? `(Class ${of})`}`)
      if (line.style.verbose > 2 && type !== TYPE_OPT) line.add(` [${duration(ttl)}]`)
    }
    line.add(` ${TYPES.get(type) ?? `Type${type}`}`)
    this.#at = data
    line.add(this.#data(type, of, data, length, ttl))
    this.#at = data + length
  }

  #data(type: number, of: number, at: number, length: number, ttl: number): string {
    const line = this.#line
    switch (type) {
      case 1:
        return ` ${formatAddress(line.uint32(at))}`
      case 28:
        return ` ${formatAddress(line.ipv6(at))}`
      case 2:
      case 5:
      case 12:
        return ` ${this.#name()}`
      case 6:
        return this.#authority()
      case 15:
        this.#at += 2
        return ` ${this.#name()} ${line.uint16(at)}`
      case 16:
        return this.#texts(at, length)
      case 33:
        this.#at += 6
        return ` ${this.#name()}:${line.uint16(at + 4)} ${line.uint16(at)} ${line.uint16(at + 2)}`
      case TYPE_OPT:
        return ` UDPsize=${of}${(ttl & 0x8000) !== 0 ? ' DO' : ''}`
    }
    return ''
  }

  #authority(): string {
    const line = this.#line
    if (line.style.verbose === 0) return ''
    const names = ` ${this.#name()}`
    const mailbox = this.#name()
    const numbers = [0, 4, 8, 12, 16].map((at) => line.uint32(this.#at + at))
    return `${names} ${mailbox} ${numbers.join(' ')}`
  }

  #texts(at: number, length: number): string {
    let text = ''
    for (let next = at; next < at + length; ) {
      const size = this.#line.byte(next)
      const bytes = this.#line.bytes.subarray(next + 1, next + 1 + size)
      text += ` "${String.fromCharCode(...bytes)}"`
      next += 1 + size
    }
    return text
  }

  /** The name here, with its final dot; goes on behind it. */
  #name(): string {
    const line = this.#line
    let at = this.#at
    let after: number | undefined
    let name = ''
    for (let labels = 0; labels < MAX_LABELS; labels++) {
      const length = line.byte(at)
      if ((length & 0xc0) === 0xc0) {
        after ??= at + 2
        at = this.#start + (line.uint16(at) & 0x3fff)
        continue
      }
      if (length === 0) {
        this.#at = after ?? at + 1
        return name === '' ? '.' : name
      }
      line.need(at + 1 + length)
      name += `${String.fromCharCode(...line.bytes.subarray(at + 1, at + 1 + length))}.`
      at += 1 + length
    }
    this.#at = after ?? at
    return `${name}<LOOP>`
  }
}

const UNITS: readonly (readonly [string, number])[] = [
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
]

/** `1h30m`, `5s`, `0s`. */
function duration(seconds: number): string {
  let rest = seconds
  let text = ''
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text === '' ? '0s' : text
}
