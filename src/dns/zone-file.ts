// Zone files (RFC 1035 section 5), the part that people write by hand: $ORIGIN, $TTL, relative names, `@`, repeated
// owners, comments and parentheses. Records of the types that message.ts has; others are errors.

import type { ResourceRecord } from './message.js'

/** A line of a zone file that cannot be read. */
export class ZoneFileError extends Error {
  constructor(problem: string, line: number) {
    super(`line ${line}: ${problem}`)
    this.name = 'ZoneFileError'
  }
}

/** What BIND and CoreDNS assume without $TTL. */
const DEFAULT_TTL_SECONDS = 3600

interface State {
  origin: string
  owner: string
  ttlSeconds: number
}

/** Records of a zone file whose names are relative to `origin` (without final dot). ZoneFileError where it is none. */
export function parseZoneFile(text: string, origin: string): ResourceRecord[] {
  const state: State = { origin, owner: origin, ttlSeconds: DEFAULT_TTL_SECONDS }
  const records: ResourceRecord[] = []
  for (const { words, line, indented } of entries(text)) {
    const [keyword, value = ''] = words
    if (keyword === '$ORIGIN') state.origin = absoluteName(value, state.origin)
    else if (keyword === '$TTL') state.ttlSeconds = ttlOf(value) ?? state.ttlSeconds
    else if (keyword!.startsWith('$')) throw new ZoneFileError(`${keyword} is not supported`, line)
    else records.push(recordOf(words, indented, line, state))
  }
  return records
}

interface Entry {
  readonly words: readonly string[]
  readonly line: number
  /** The owner is that of the record before. */
  readonly indented: boolean
}

function* entries(text: string): Generator<Entry> {
  let words: string[] = []
  let depth = 0
  let first = { line: 0, indented: false }
  for (const [index, content] of text.split('\n').entries()) {
    if (depth === 0) first = { line: index + 1, indented: /^\s/.test(content) }
    for (const [token] of content.matchAll(/"(?:[^"\\]|\\.)*"|;.*|[()]|[^\s;()]+/g)) {
      if (token.startsWith(';')) break
      if (token === '(') depth++
      else if (token === ')') depth--
      else words.push(token)
    }
    if (depth > 0) continue
    if (words.length > 0) yield { words, ...first }
    words = []
  }
  if (depth > 0) throw new ZoneFileError('a parenthesis is never closed', first.line)
}

function recordOf(all: readonly string[], indented: boolean, line: number, state: State): ResourceRecord {
  const words = [...all]
  if (!indented) state.owner = absoluteName(words.shift()!, state.origin)
  let ttlSeconds = state.ttlSeconds
  // TTL and class come in either order, and both may be left out.
  for (let word = words[0]; word !== undefined; word = words[0]) {
    const ttl = ttlOf(word)
    if (ttl !== undefined) ttlSeconds = ttl
    else if (word.toUpperCase() !== 'IN') break
    words.shift()
  }
  const type = (words.shift() ?? '').toUpperCase()
  const record = dataOf(type, words, state.origin)
  if (record === undefined) throw new ZoneFileError(`not a record that can be served: ${all.join(' ')}`, line)
  return { name: state.owner, ttlSeconds, ...record } as ResourceRecord
}

function dataOf(type: string, words: readonly string[], origin: string): object | undefined {
  const [first = '', second = '', ...rest] = words
  if (first === '') return undefined
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: first }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { type, target: absoluteName(first, origin) }
    case 'TXT':
      return { type, text: words.map((word) => word.replace(/^"(.*)"$/, '$1').replaceAll(/\\(.)/g, '$1')) }
    case 'SRV': {
      const [port = '', target = ''] = rest
      if (target === '') return undefined
      const srv = { priority: Number(first), weight: Number(second), port: Number(port) }
      return { type, srv: { ...srv, target: absoluteName(target, origin) } }
    }
    case 'SOA': {
      const [serial, refresh, retry, expire, minimum] = rest.map((word) => ttlOf(word))
      if (minimum === undefined) return undefined
      const names = { mname: absoluteName(first, origin), rname: absoluteName(second, origin) }
      return { type, soa: { ...names, serial, refresh, retry, expire, minimum } }
    }
    default:
      return undefined
  }
}

function absoluteName(name: string, origin: string): string {
  if (name === '@') return origin
  if (name.endsWith('.')) return name.slice(0, -1)
  return origin === '' ? name : `${name}.${origin}`
}

/** `3600` and BIND's `1h30m`; undefined when it is neither. */
function ttlOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text)
  if (!/^(\d+[smhdw])+$/i.test(text)) return undefined
  const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
  return [...text.matchAll(/(\d+)([smhdw])/gi)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * units[unit!.toLowerCase()]!,
    0,
  )
}
