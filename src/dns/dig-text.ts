// A whole answer as dig prints it: the header, and sections of records at columns. What dig says about itself and the
// clock is the program's (shell/applets/net/dig.ts).

import type { DnsMessage, Question, ResourceRecord, SoaData } from './message.js'
import { presentationOf, recordRow } from './presentation.js'

/** Which parts of an answer dig prints, and how. */
export interface DigParts {
  /** The header, the titles of sections, and the empty lines between them. */
  readonly comments: boolean
  readonly question: boolean
  readonly answer: boolean
  readonly authority: boolean
  readonly additional: boolean
  /** Left out of records' lines: +nottlid, +noclass. */
  readonly without?: readonly ('ttl' | 'class')[]
  /** `1h30m` for 5400. */
  readonly ttlUnits?: boolean
  /** SOA records over several lines, with what their numbers mean. */
  readonly multiline?: boolean
}

export const ALL_PARTS: DigParts = {
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
}

const TAB = 8

export function digText(question: Question, message: DnsMessage, parts: DigParts = ALL_PARTS): string {
  const { comments } = parts
  return [
    comments ? digHeader(message) : '',
    parts.question ? digSection('QUESTION', [questionLine(question, parts)], comments) : '',
    parts.answer ? recordsText('ANSWER', message.answers, parts) : '',
    parts.authority ? recordsText('AUTHORITY', message.authorities, parts) : '',
    parts.additional ? recordsText('ADDITIONAL', message.additionals, parts) : '',
  ].join('')
}

/** The flags that are set, and how many records follow. */
export function digFlags(message: DnsMessage): string {
  const { answers, authorities, additionals, ednsUdpSize } = message
  const flags = [
    ...(message.response ? ['qr'] : []),
    ...(message.authoritative ? ['aa'] : []),
    ...(message.truncated ? ['tc'] : []),
    ...(message.recursionDesired ? ['rd'] : []),
    ...(message.recursionAvailable ? ['ra'] : []),
  ].join(' ')
  const additional = additionals.length + (ednsUdpSize === undefined ? 0 : 1)
  const counts = `QUERY: 1, ANSWER: ${answers.length}, AUTHORITY: ${authorities.length}, ADDITIONAL: ${additional}`
  return `;; ->>HEADER<<- opcode: QUERY, status: ${message.rcode}, id: ${message.id}\n;; flags: ${flags}; ${counts}\n`
}

function digHeader(message: DnsMessage): string {
  const { ednsUdpSize, ednsVersion = 0 } = message
  const refused = message.recursionDesired && !message.recursionAvailable
  return [
    digFlags(message),
    refused ? ';; WARNING: recursion requested but not available\n' : '',
    '\n',
    ednsUdpSize === undefined
      ? ''
      : `;; OPT PSEUDOSECTION:\n; EDNS: version: ${ednsVersion}, flags:; udp: ${ednsUdpSize}\n`,
  ].join('')
}

function recordsText(title: string, records: readonly ResourceRecord[], parts: DigParts): string {
  const lines = records.map((record) => digLine(record, parts))
  return digSection(title, lines, parts.comments)
}

function digSection(title: string, lines: readonly string[], comments: boolean): string {
  if (lines.length === 0) return ''
  const text = lines.map((line) => `${line}\n`).join('')
  return comments ? `;; ${title} SECTION:\n${text}\n` : text
}

/** Where the TTL, the class, the type and the data stand. */
function columnsOf({ without = [], multiline = false }: DigParts): readonly [number, number, number, number] {
  if (multiline || without.length === 2) return [24, 24, 24, 32]
  return without.length === 1 ? [24, 24, 32, 40] : [24, 32, 40, 48]
}

function questionLine({ name, type, class: wireClass = 'IN' }: Question, parts: DigParts): string {
  const [, classColumn, typeColumn] = columnsOf(parts)
  // The semicolon does not count.
  return `;${atColumns([[0, absolute(name)], ...words(parts, [classColumn, 'class', wireClass]), [typeColumn, type]])}`
}

/** One record on its line, or a SOA over several. */
export function digLine(record: ResourceRecord, parts: DigParts): string {
  const { name, ttl, type } = recordRow(record)
  const [ttlColumn, classColumn, typeColumn, dataColumn] = columnsOf(parts)
  const shownTtl = parts.ttlUnits ? shortDuration(ttl) : String(ttl)
  const data = parts.multiline && record.type === 'SOA' ? multilineSoa(record.soa) : presentationOf(record)
  return atColumns([
    [0, name],
    ...words(parts, [ttlColumn, 'ttl', shownTtl], [classColumn, 'class', 'IN']),
    [typeColumn, type],
    [dataColumn, data],
  ])
}

function words(
  { without = [] }: DigParts,
  ...all: readonly (readonly [number, 'ttl' | 'class', string])[]
): (readonly [number, string])[] {
  return all.filter(([, kind]) => !without.includes(kind)).map(([column, , word]) => [column, word] as const)
}

/** Words at columns by tabs; one that comes too late stands one column behind the last, by a tab where that is a stop. */
function atColumns(placed: readonly (readonly [number, string])[]): string {
  let line = ''
  let column = 0
  for (const [wanted, word] of placed) {
    const to = line === '' ? 0 : Math.max(wanted, column + 1)
    const tabs = Math.floor(to / TAB) - Math.floor(column / TAB)
    const from = tabs > 0 ? Math.floor(to / TAB) * TAB : column
    line += `${'\t'.repeat(tabs)}${' '.repeat(to - from)}${word}`
    column = to + word.length
  }
  return line
}

function multilineSoa({ mname, rname, serial, refresh, retry, expire, minimum }: SoaData): string {
  const rows: [number, string][] = [
    [serial, 'serial'],
    [refresh, `refresh (${longDuration(refresh)})`],
    [retry, `retry (${longDuration(retry)})`],
    [expire, `expire (${longDuration(expire)})`],
    [minimum, `minimum (${longDuration(minimum)})`],
  ]
  const margin = '\t'.repeat(4)
  const lines = rows.map(([value, meaning]) => `${margin}${String(value).padEnd(10)} ; ${meaning}\n`)
  return `${absolute(mname)} ${absolute(rname)} (\n${lines.join('')}${margin})`
}

const UNITS = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

function durationParts(seconds: number): [number, string][] {
  const parts: [number, string][] = []
  let left = seconds
  for (const [unit, length] of UNITS) {
    const count = Math.floor(left / length)
    left -= count * length
    if (count > 0) parts.push([count, unit])
  }
  return parts.length === 0 ? [[0, 'second']] : parts
}

/** `1 hour 30 minutes`. */
function longDuration(seconds: number): string {
  return durationParts(seconds)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ')
}

/** `1h30m`. */
function shortDuration(seconds: number): string {
  return durationParts(seconds)
    .map(([count, unit]) => `${count}${unit[0]}`)
    .join('')
}

function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}
