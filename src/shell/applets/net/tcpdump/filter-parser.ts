// The pcap filter language (pcap-filter(7)) as people type it, made into a test of frames. `and` and `or` rank alike and
// go from left to right, as in libpcap. Not known: vlan, mpls, pppoe, geneve, 802.11, gateway, protochain, ip broadcast.

import { setUint32 } from '../../../../base/bytes.js'
import {
  type Cidr,
  cidrContains,
  hostCidr,
  type IpAddress,
  type Ipv4,
  isIpv6,
  MAC_BROADCAST,
  maskAddress,
  parseAddress,
  parseMac,
} from '../../../../wire/address.js'
import { relation } from './filter-arithmetic.js'
import {
  addressAt,
  ETHER_TYPES,
  etherType,
  FilterError,
  IP_PROTOCOLS,
  isProtocol,
  load,
  NETWORK_START,
  portOf,
  type Subject,
  type Test,
} from './filter-fields.js'
import { type Token, tokenize } from './filter-lexer.js'
import { servicePort } from './services.js'

/** A host's name whose addresses are not known yet. */
export class UnknownHost extends Error {
  readonly host: string
  constructor(host: string) {
    super(host)
    this.host = host
  }
}

/** `src`, `dst` and the two ways of both. */
type Direction = 'src' | 'dst' | 'or' | 'and'

/** What stands before an identifier; kept for the next one that has nothing before it. */
interface Qualifiers {
  protocol: string | undefined
  direction: Direction
  type: 'host' | 'net' | 'port' | 'portrange' | 'proto'
}

const PROTOCOL_WORDS = ['ether', 'link', ...Object.keys(ETHER_TYPES), ...Object.keys(IP_PROTOCOLS)]
const TYPE_WORDS = ['host', 'net', 'port', 'portrange', 'proto']
const TRANSPORTS = [IP_PROTOCOLS.tcp!, IP_PROTOCOLS.udp!, IP_PROTOCOLS.sctp!]

/**
 * Makes a test of `text`; the empty one lets everything pass. `addresses` gives those of a host's name; it may throw
 * UnknownHost. Throws FilterError.
 */
export function parseFilter(text: string, addresses: (host: string) => readonly IpAddress[]): Test {
  const tokens = tokenize(text)
  if (tokens === undefined) throw new FilterError('syntax error')
  return new FilterParser(tokens, addresses).parse()
}

export class FilterParser {
  readonly #tokens: readonly Token[]
  readonly #addresses: (host: string) => readonly IpAddress[]
  #at = 0
  #last: Qualifiers | undefined

  constructor(tokens: readonly Token[], addresses: (host: string) => readonly IpAddress[]) {
    this.#tokens = tokens
    this.#addresses = addresses
  }

  parse(): Test {
    if (this.peek().kind === 'end') return () => true
    const test = this.#expression()
    if (this.peek().kind !== 'end') throw new FilterError('syntax error')
    return ({ ...given }) => {
      const subject: Subject = { ...given, outside: false }
      return test(subject) && !subject.outside
    }
  }

  // ---- for filter-arithmetic.ts

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!
  }

  next(): Token {
    const token = this.peek()
    this.#at++
    return token
  }

  /** Takes the next token when it is one of `texts`. */
  take(...texts: readonly string[]): string | undefined {
    const { kind, text } = this.peek()
    if ((kind !== 'operator' && kind !== 'word') || !texts.includes(text)) return undefined
    this.#at++
    return text
  }

  expect(text: string): void {
    if (this.take(text) === undefined) throw new FilterError('syntax error')
  }

  // ---- the grammar

  #expression(): Test {
    let left = this.#term()
    for (;;) {
      const isAnd = this.take('and', '&&') !== undefined
      if (!isAnd && this.take('or', '||') === undefined) return left
      const [first, second] = [left, this.#term()]
      left = isAnd
        ? (subject) => first(subject) && second(subject)
        : (subject) => first(subject) || (!subject.outside && second(subject))
    }
  }

  #term(): Test {
    if (this.take('not', '!') !== undefined) {
      const operand = this.#term()
      return (subject) => !operand(subject)
    }
    const start = this.#at
    const asRelation = relation(this)
    if (asRelation !== undefined) return asRelation
    this.#at = start
    if (this.take('(') === undefined) return this.#primitive()
    const inside = this.#expression()
    this.expect(')')
    return inside
  }

  #primitive(): Test {
    const token = this.peek()
    if (token.kind === 'word') {
      const special = this.#special(token.text)
      if (special !== undefined) return special
    }
    const protocol = this.take(...PROTOCOL_WORDS)
    const direction = this.#direction()
    const type = this.take(...TYPE_WORDS) as Qualifiers['type'] | undefined
    if (protocol !== undefined && direction === undefined && type === undefined) {
      const group = this.take('broadcast', 'multicast')
      return group === undefined ? protocolTest(protocol) : groupTest(protocol, group)
    }
    if (protocol !== undefined || direction !== undefined || type !== undefined) {
      this.#last = { protocol, direction: direction ?? 'or', type: type ?? 'host' }
    }
    // An identifier alone takes the qualifiers of the one before it; the first one needs its own.
    if (this.#last === undefined) throw new FilterError('syntax error')
    return this.#identifier(this.#last)
  }

  #special(word: string): Test | undefined {
    switch (word) {
      case 'less':
      case 'greater': {
        this.next()
        const limit = this.#number()
        return word === 'less' ? ({ length }) => length <= limit : ({ length }) => length >= limit
      }
      case 'inbound':
      case 'outbound': {
        this.next()
        const wanted = word === 'inbound' ? 'in' : 'out'
        return ({ direction }) => direction === wanted
      }
      case 'broadcast':
      case 'multicast':
        this.next()
        return groupTest('ether', word)
      case 'vlan':
      case 'mpls':
      case 'pppoes':
      case 'gateway':
      case 'protochain':
        throw new FilterError(`'${word}' is not supported`)
    }
    return undefined
  }

  #direction(): Direction | undefined {
    const first = this.take('src', 'dst') as 'src' | 'dst' | undefined
    if (first === undefined) return undefined
    const other = first === 'src' ? 'dst' : 'src'
    const joint = this.peek().text
    if ((joint === 'or' || joint === 'and') && this.peek(1).text === other) {
      this.#at += 2
      return joint
    }
    return first
  }

  #identifier(qualifiers: Qualifiers): Test {
    // `host (a or b)`: the identifiers share what stands before.
    if (this.take('(') !== undefined) {
      const inside = this.#expression()
      this.expect(')')
      return inside
    }
    const { protocol, type } = qualifiers
    switch (type) {
      case 'host':
        return protocol === 'ether' || protocol === 'link'
          ? this.#ether(qualifiers.direction)
          : this.#host(qualifiers)
      case 'net':
        return addressTest([this.#prefix()], qualifiers)
      case 'port':
      case 'portrange':
        return this.#ports(qualifiers, type)
      case 'proto':
        return this.#proto(protocol)
    }
  }

  #ether(direction: Direction): Test {
    const mac = parseMac(this.next().text.replaceAll('-', ':'))
    if (mac === undefined) throw new FilterError('unknown ether host')
    return both(direction, (subject, end) => {
      const at = end === 'src' ? 6 : 0
      return load(subject, at, 2) * 0x1_0000_0000 + load(subject, at + 2, 4) === mac
    })
  }

  #host(qualifiers: Qualifiers): Test {
    const token = this.next()
    if (token.kind === 'operator' || token.kind === 'end') throw new FilterError('syntax error')
    const literal = token.kind === 'word' ? undefined : addressOf(token.text)
    // Some parts of an address are a network.
    if (literal !== undefined && token.text.split('.').length < 4 && !token.text.includes(':')) {
      return addressTest([{ network: literal, prefixLength: token.text.split('.').length * 8 }], qualifiers)
    }
    const found = literal === undefined ? this.#addresses(token.text) : [literal]
    return addressTest(found.map(hostCidr), qualifiers)
  }

  #prefix(): Cidr {
    const { text } = this.next()
    const network = addressOf(text)
    if (network === undefined) throw new FilterError(`unknown network '${text}'`)
    const width = isIpv6(network) ? 128 : 32
    let prefixLength = width === 128 ? 128 : text.split('.').length * 8
    if (this.take('/') !== undefined) prefixLength = this.#number()
    else if (this.take('mask') !== undefined) prefixLength = maskLength(this.next().text)
    if (prefixLength > width) throw new FilterError(`mask length must be <= ${width}`)
    if (maskAddress(network, prefixLength) !== network) {
      throw new FilterError(`non-network bits set in "${text}/${prefixLength}"`)
    }
    return { network, prefixLength }
  }

  #ports(qualifiers: Qualifiers, type: 'port' | 'portrange'): Test {
    const { protocol, direction } = qualifiers
    const protocols = transportsOf(protocol, type)
    const { low, high } = this.#range(type)
    return both(direction, (subject, end) => {
      const port = portOf(subject, end, protocols)
      return port !== undefined && port >= low && port <= high
    })
  }

  /** `80`, `http`, and of `portrange` `8000-8100`. */
  #range(type: 'port' | 'portrange'): { readonly low: number; readonly high: number } {
    const low = this.#port()
    if (type === 'port' || this.take('-') === undefined) return { low, high: low }
    const high = this.#port()
    return low <= high ? { low, high } : { low: high, high: low }
  }

  #port(): number {
    const { kind, text } = this.next()
    const port = kind === 'number' ? Number(text) : servicePort(text.replace('\\', ''))
    if (port === undefined) throw new FilterError(kind === 'word' ? `unknown port '${text}'` : 'syntax error')
    if (port > 65_535) throw new FilterError(`illegal port number ${port} > 65535`)
    return port
  }

  #proto(protocol: string | undefined): Test {
    const { kind, text } = this.next()
    const name = text.replace('\\', '')
    const number = kind === 'number' ? Number(text) : undefined
    if (protocol === 'ether' || protocol === 'link') {
      const type = number ?? ETHER_TYPES[name]
      if (type === undefined) throw new FilterError(`unknown ether proto '${name}'`)
      return (subject) => etherType(subject) === type
    }
    const wanted = number ?? IP_PROTOCOLS[name]
    if (wanted === undefined) throw new FilterError(`unknown ip proto '${name}'`)
    const version = protocol === 'ip' ? 4 : protocol === 'ip6' ? 6 : undefined
    return (subject) => isProtocol(subject, wanted, version)
  }

  #number(): number {
    const { kind, text } = this.next()
    if (kind !== 'number') throw new FilterError('syntax error')
    return Number(text)
  }
}

function protocolTest(name: string): Test {
  const type = ETHER_TYPES[name]
  if (type !== undefined) return (subject) => etherType(subject) === type
  const protocol = IP_PROTOCOLS[name]
  if (protocol === undefined) throw new FilterError('syntax error')
  const version = name === 'icmp' ? 4 : name === 'icmp6' ? 6 : undefined
  return (subject) => isProtocol(subject, protocol, version)
}

function groupTest(protocol: string, group: 'broadcast' | 'multicast' | string): Test {
  const isMulticast = group === 'multicast'
  switch (protocol) {
    case 'ether':
    case 'link':
      return isMulticast
        ? (subject) => (load(subject, 0, 1) & 1) === 1
        : (subject) => load(subject, 0, 2) * 0x1_0000_0000 + load(subject, 2, 4) === MAC_BROADCAST
    case 'ip':
      if (!isMulticast) throw new FilterError("netmask not known, so 'ip broadcast' not supported")
      return (subject) => etherType(subject) === ETHER_TYPES.ip && load(subject, NETWORK_START + 16, 1) >= 224
    case 'ip6':
      if (!isMulticast) break
      return (subject) =>
        etherType(subject) === ETHER_TYPES.ip6 && load(subject, NETWORK_START + 24, 1) === 255
  }
  throw new FilterError(`only link-layer/IP ${group} filters supported`)
}

function transportsOf(protocol: string | undefined, type: string): readonly number[] {
  if (protocol === undefined) return TRANSPORTS
  const number = IP_PROTOCOLS[protocol]
  if (number === undefined || !TRANSPORTS.includes(number)) {
    throw new FilterError(`illegal qualifier of '${type}'`)
  }
  return [number]
}

/** A test of one end made into one of a direction. */
function both(direction: Direction, test: (subject: Subject, end: 'src' | 'dst') => boolean): Test {
  if (direction === 'src' || direction === 'dst') return (subject) => test(subject, direction)
  return direction === 'and'
    ? (subject) => test(subject, 'src') && test(subject, 'dst')
    : (subject) => test(subject, 'src') || test(subject, 'dst')
}

function addressTest(prefixes: readonly Cidr[], { protocol, direction, type }: Qualifiers): Test {
  if (protocol !== undefined && ETHER_TYPES[protocol] === undefined) {
    throw new FilterError(`'${protocol}' modifier applied to ${type}`)
  }
  const scope = protocol === undefined ? Object.values(ETHER_TYPES) : [ETHER_TYPES[protocol]!]
  return both(direction, (subject, end) =>
    prefixes.some((prefix) => {
      const at = addressAt(subject, end, isIpv6(prefix.network) ? 128 : 32, scope)
      return at !== undefined && cidrContains(prefix, addressIn(subject, at, prefix.network))
    }),
  )
}

/** The address at this place, of the family of `like`. */
function addressIn(subject: Subject, at: number, like: IpAddress): IpAddress {
  if (!isIpv6(like)) return load(subject, at, 4)
  let value = 0n
  for (let word = 0; word < 4; word++) value = (value << 32n) | BigInt(load(subject, at + word * 4, 4))
  return value
}

/** A literal address; of networks `10.36` too, filled up with zeros on the right. */
function addressOf(text: string): IpAddress | undefined {
  const whole = parseAddress(text)
  if (whole !== undefined || !/^\d+(\.\d+){0,2}$/.test(text)) return whole
  const parts = text.split('.').map(Number)
  if (parts.some((part) => part > 255)) return undefined
  const bytes = new Uint8Array(4)
  bytes.set(parts)
  return new DataView(bytes.buffer).getUint32(0) as Ipv4
}

function maskLength(text: string): number {
  const mask = parseAddress(text)
  if (mask === undefined || isIpv6(mask)) throw new FilterError(`invalid mask '${text}'`)
  const bytes = new Uint8Array(4)
  setUint32(bytes, 0, mask)
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  if (!/^1*0*$/.test(bits)) throw new FilterError(`mask '${text}' is no prefix`)
  return bits.replaceAll('0', '').length
}
