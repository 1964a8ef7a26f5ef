// The expressions of ss: `sport = :80`, `dport >= 1024`, `src 10.0.0.0/8`, `dst 10.0.0.1:80`, joined by and, or, not and
// parentheses; side by side means and. Not here: names of hosts and devices; states (see ss.ts).

import type { SocketRow } from '../../../stack/socket.js'
import { cidrContains, type Endpoint, hostCidr, parseAddress, parseCidr } from '../../../wire/address.js'
import { servicePort } from './tcpdump/services.js'

export type SocketFilter = (row: SocketRow) => boolean

/** What is wrong with an expression: 'syntax', or 'value' with the port or address that is none. */
export class FilterError extends Error {
  readonly kind: 'syntax' | 'value'

  constructor(kind: 'syntax' | 'value', message: string) {
    super(message)
    this.kind = kind
  }
}

const COMPARISONS: ReadonlyMap<string, (port: number, bound: number) => boolean> = new Map(
  (
    [
      [['=', '==', 'eq'], (port, bound) => port === bound],
      [['!=', 'ne', 'neq'], (port, bound) => port !== bound],
      [['>', 'gt'], (port, bound) => port > bound],
      [['<', 'lt'], (port, bound) => port < bound],
      [['>=', 'ge', 'geq'], (port, bound) => port >= bound],
      [['<=', 'le', 'leq'], (port, bound) => port <= bound],
    ] as readonly [string[], (port: number, bound: number) => boolean][]
  ).flatMap(([names, compare]) => names.map((name) => [name, compare] as const)),
)

const OR = new Set(['or', '|', '||'])
const AND = new Set(['and', '&', '&&'])
const NOT = new Set(['not', '!'])

/** Throws FilterError. No words: every socket. */
export function parseFilter(words: readonly string[]): SocketFilter {
  const tokens = words.join(' ').match(/[()]|[^\s()]+/g) ?? []
  if (tokens.length === 0) return () => true
  const parser = new FilterParser(tokens)
  return parser.whole()
}

class FilterParser {
  readonly #tokens: string[]

  constructor(tokens: readonly string[]) {
    this.#tokens = [...tokens]
  }

  whole(): SocketFilter {
    const filter = this.#any()
    if (this.#tokens.length > 0) throw syntaxError()
    return filter
  }

  #any(): SocketFilter {
    let left = this.#all()
    while (this.#take(OR)) {
      const [first, second] = [left, this.#all()]
      left = (row) => first(row) || second(row)
    }
    return left
  }

  #all(): SocketFilter {
    let left = this.#one()
    for (;;) {
      const next = this.#tokens[0]
      if (next === undefined || next === ')' || OR.has(next)) return left
      this.#take(AND)
      const [first, second] = [left, this.#one()]
      left = (row) => first(row) && second(row)
    }
  }

  #one(): SocketFilter {
    if (this.#take(NOT)) {
      const filter = this.#one()
      return (row) => !filter(row)
    }
    const word = this.#next()
    if (word === '(') {
      const filter = this.#any()
      if (this.#next() !== ')') throw syntaxError()
      return filter
    }
    const end = endOf(word)
    if (end === undefined) throw new FilterError('value', `an inet prefix is expected rather than "${word}".`)
    const compare = COMPARISONS.get(this.#tokens[0] ?? '')
    if (compare !== undefined) this.#next()
    if (word === 'sport' || word === 'dport') {
      const bound = readPort(this.#next().replace(/^:/, ''))
      const holds = compare ?? ((port) => port === bound)
      return (row) => holds(end(row).port, bound)
    }
    return hostFilter(this.#next(), end)
  }

  #next(): string {
    const token = this.#tokens.shift()
    if (token === undefined) throw syntaxError()
    return token
  }

  #take(words: ReadonlySet<string>): boolean {
    if (!words.has(this.#tokens[0] ?? '')) return false
    this.#tokens.shift()
    return true
  }
}

function endOf(word: string): ((row: SocketRow) => Endpoint) | undefined {
  if (word === 'sport' || word === 'src') return (row) => row.local
  return word === 'dport' || word === 'dst' ? (row) => row.remote : undefined
}

/** `10.0.0.1`, `10.0.0.0/8`, either with `:80`, `[fd00::1]:80`, or `:80`. */
function hostFilter(text: string, end: (row: SocketRow) => Endpoint): SocketFilter {
  const [, host = '', portText] = /^(\[[^\]]*\][^:]*|[^:]*)(?::(.*))?$/.exec(text) ?? [text, text]
  const port = portText === undefined || portText === '*' ? undefined : readPort(portText)
  const place = host.replace(/[[\]]/g, '')
  const address = parseAddress(place)
  const prefix = address === undefined ? parseCidr(place) : hostCidr(address)
  if (prefix === undefined && place !== '' && place !== '*')
    throw new FilterError('value', `an inet prefix is expected rather than "${place}".`)
  return (row) =>
    (port === undefined || end(row).port === port) &&
    (prefix === undefined || cidrContains(prefix, end(row).address))
}

function readPort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : servicePort(text)
  if (port === undefined || port > 65535)
    throw new FilterError('value', `"${text}" does not look like a port.`)
  return port
}

function syntaxError(): FilterError {
  return new FilterError('syntax', 'bison bellows (while parsing filter): "syntax error!" Sorry.')
}
