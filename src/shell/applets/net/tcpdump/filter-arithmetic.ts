// Relations of a pcap filter: `tcp[tcpflags] & (tcp-syn|tcp-fin) != 0`, `ip[8] < 5`, `len > 100`. Values are unsigned
// numbers of 32 bits.

import {
  ETHER_TYPES,
  etherType,
  FilterError,
  IP_PROTOCOLS,
  isProtocol,
  load,
  NETWORK_START,
  type Subject,
  type Test,
  transportStart,
} from './filter-fields.js'
import type { FilterParser } from './filter-parser.js'

/** Undefined: the frame has no such protocol, and the relation does not hold. */
type Value = (subject: Subject) => number | undefined

/** Offsets and values by name (pcap-filter(7)). */
const NAMES: Readonly<Record<string, number>> = {
  tcpflags: 13,
  icmptype: 0,
  icmpcode: 1,
  icmp6type: 0,
  icmp6code: 1,
  'tcp-fin': 1,
  'tcp-syn': 2,
  'tcp-rst': 4,
  'tcp-push': 8,
  'tcp-ack': 16,
  'tcp-urg': 32,
  'tcp-ece': 64,
  'tcp-cwr': 128,
  'icmp-echoreply': 0,
  'icmp-unreach': 3,
  'icmp-sourcequench': 4,
  'icmp-redirect': 5,
  'icmp-echo': 8,
  'icmp-routeradvert': 9,
  'icmp-routersolicit': 10,
  'icmp-timxceed': 11,
  'icmp-paramprob': 12,
  'icmp6-destinationrunreach': 1,
  'icmp6-packettoobig': 2,
  'icmp6-timeexceeded': 3,
  'icmp6-echo': 128,
  'icmp6-echoreply': 129,
  'icmp6-routersolicit': 133,
  'icmp6-routeradvert': 134,
  'icmp6-neighborsolicit': 135,
  'icmp6-neighboradvert': 136,
}

const RELATIONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

/** Operators by rank, weakest first. */
const RANKS: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { '|': (a, b) => a | b, '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '<<': (a, b) => (b > 31 ? 0 : a << b), '>>': (a, b) => (b > 31 ? 0 : a >>> b) },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => Math.imul(a, b), '/': divide, '%': (a, b) => a % b },
]

function divide(a: number, b: number): number {
  return Math.floor(a / b)
}

/** Reads a relation; undefined, with tokens taken, when what stands there is none. */
export function relation(parser: FilterParser): Test | undefined {
  const left = arithmetic(parser, 0)
  if (left === undefined) return undefined
  const operator = parser.take(...Object.keys(RELATIONS))
  if (operator === undefined) return undefined
  const right = arithmetic(parser, 0)
  if (right === undefined) throw new FilterError('syntax error')
  const holds = RELATIONS[operator]!
  return (subject) => {
    const a = left(subject)
    const b = a === undefined ? undefined : right(subject)
    return a !== undefined && b !== undefined && holds(a, b)
  }
}

function arithmetic(parser: FilterParser, rank: number): Value | undefined {
  const operators = RANKS[rank]
  if (operators === undefined) return operand(parser)
  let left = arithmetic(parser, rank + 1)
  while (left !== undefined) {
    const operator = parser.take(...Object.keys(operators))
    if (operator === undefined) return left
    const right = arithmetic(parser, rank + 1)
    if (right === undefined) return undefined
    left = combined(operators[operator]!, operator, left, right)
  }
  return undefined
}

function combined(
  apply: (a: number, b: number) => number,
  operator: string,
  left: Value,
  right: Value,
): Value {
  return (subject) => {
    const a = left(subject)
    const b = right(subject)
    if (a === undefined || b === undefined) return undefined
    if (b === 0 && (operator === '/' || operator === '%')) {
      subject.outside = true
      return 0
    }
    return apply(a, b) >>> 0
  }
}

function operand(parser: FilterParser): Value | undefined {
  if (parser.take('-') !== undefined) {
    const value = operand(parser)
    return value && ((subject) => negative(value(subject)))
  }
  if (parser.take('(') !== undefined) {
    const inside = arithmetic(parser, 0)
    return inside !== undefined && parser.take(')') !== undefined ? inside : undefined
  }
  const { kind, text } = parser.peek()
  if (kind === 'number') {
    parser.next()
    const value = Number(text) >>> 0
    return () => value
  }
  if (kind !== 'word') return undefined
  if (text === 'len') {
    parser.next()
    return ({ length }) => length
  }
  const known = NAMES[text]
  if (known !== undefined) {
    parser.next()
    return () => known
  }
  return parser.peek(1).text === '[' ? accessor(parser) : undefined
}

function negative(value: number | undefined): number | undefined {
  return value === undefined ? undefined : -value >>> 0
}

/** `tcp[13]`, `ether[0:4]`, `ip[ip[0] & 15]`. */
function accessor(parser: FilterParser): Value {
  const protocol = parser.next().text
  parser.expect('[')
  const offset = arithmetic(parser, 0)
  if (offset === undefined) throw new FilterError('syntax error')
  const size = parser.take(':') === undefined ? 1 : Number(parser.next().text)
  if (size !== 1 && size !== 2 && size !== 4) throw new FilterError('data size must be 1, 2, or 4')
  parser.expect(']')
  const start = startOf(protocol)
  return (subject) => {
    const from = start(subject)
    const at = from === undefined ? undefined : offset(subject)
    return from === undefined || at === undefined ? undefined : load(subject, from + at, size)
  }
}

/** Where the bytes of a protocol begin. As in libpcap, only behind IPv4 for those above it but ICMPv6. */
function startOf(protocol: string): Value {
  if (protocol === 'ether' || protocol === 'link') return () => 0
  const type = ETHER_TYPES[protocol]
  if (type !== undefined) return (subject) => (etherType(subject) === type ? NETWORK_START : undefined)
  const number = IP_PROTOCOLS[protocol]
  if (number === undefined) throw new FilterError('syntax error')
  const version = protocol === 'icmp6' ? 6 : 4
  return (subject) => (isProtocol(subject, number, version) ? transportStart(subject) : undefined)
}
