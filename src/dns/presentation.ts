// Messages as people and programs read them: records in the presentation format of RFC 1035 section 5, a whole answer
// as dig prints it, and as a plain row for JSON.

import type { DnsMessage, Question, ResourceRecord } from './message.js'

/** One answer in JSON: names end with a dot, `data` is in presentation format. */
export interface AnswerRow {
  readonly name: string
  readonly type: string
  readonly rcode: string
  readonly aa: boolean
  readonly tc: boolean
  readonly answer: readonly RecordRow[]
  readonly authority: readonly RecordRow[]
  readonly additional: readonly RecordRow[]
}

export interface RecordRow {
  readonly name: string
  readonly ttl: number
  readonly type: string
  readonly data: string
}

export function answerRow(question: Question, message: DnsMessage): AnswerRow {
  return {
    name: absolute(question.name),
    type: question.type,
    rcode: message.rcode,
    aa: message.authoritative,
    tc: message.truncated,
    answer: message.answers.map(recordRow),
    authority: message.authorities.map(recordRow),
    additional: message.additionals.map(recordRow),
  }
}

export function recordRow(record: ResourceRecord): RecordRow {
  return {
    name: absolute(record.name),
    ttl: record.ttlSeconds,
    type: record.type,
    data: presentationOf(record),
  }
}

/** A record's data as a zone file has it. */
export function presentationOf(record: ResourceRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return absolute(record.target)
    case 'TXT':
      return record.text.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(' ')
    case 'SRV': {
      const { priority, weight, port, target } = record.srv
      return `${priority} ${weight} ${port} ${absolute(target)}`
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.soa
      const times = [serial, refresh, retry, expire, minimum].join(' ')
      return `${absolute(mname)} ${absolute(rname)} ${times}`
    }
  }
}

/** Which parts of an answer dig prints. */
export interface DigParts {
  /** The header, the titles of sections, and the empty lines between them. */
  readonly comments: boolean
  readonly question: boolean
  readonly answer: boolean
  readonly authority: boolean
  readonly additional: boolean
}

const EVERYTHING: DigParts = {
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
}

/** The answer in dig's form, without what dig says about itself and the clock. */
export function digText(question: Question, message: DnsMessage, parts: DigParts = EVERYTHING): string {
  const { comments } = parts
  const asked = columns([[`;${absolute(question.name)}`], [32, 'IN'], [40, question.type]])
  return [
    comments ? digHeader(message) : '',
    parts.question ? digSection('QUESTION', [asked], comments) : '',
    parts.answer ? digSection('ANSWER', message.answers.map(digLine), comments) : '',
    parts.authority ? digSection('AUTHORITY', message.authorities.map(digLine), comments) : '',
    parts.additional ? digSection('ADDITIONAL', message.additionals.map(digLine), comments) : '',
  ].join('')
}

function digHeader(message: DnsMessage): string {
  const { answers, authorities, additionals, ednsUdpSize, ednsVersion = 0 } = message
  const flags = [
    'qr',
    ...(message.authoritative ? ['aa'] : []),
    ...(message.truncated ? ['tc'] : []),
    ...(message.recursionDesired ? ['rd'] : []),
    ...(message.recursionAvailable ? ['ra'] : []),
  ].join(' ')
  const additional = additionals.length + (ednsUdpSize === undefined ? 0 : 1)
  const counts = `QUERY: 1, ANSWER: ${answers.length}, AUTHORITY: ${authorities.length}, ADDITIONAL: ${additional}`
  const refused = message.recursionDesired && !message.recursionAvailable
  return [
    `;; ->>HEADER<<- opcode: QUERY, status: ${message.rcode}, id: ${message.id}\n;; flags: ${flags}; ${counts}\n`,
    refused ? ';; WARNING: recursion requested but not available\n' : '',
    '\n',
    ednsUdpSize === undefined
      ? ''
      : `;; OPT PSEUDOSECTION:\n; EDNS: version: ${ednsVersion}, flags:; udp: ${ednsUdpSize}\n`,
  ].join('')
}

function digSection(title: string, lines: readonly string[], comments: boolean): string {
  if (lines.length === 0) return ''
  const text = lines.map((line) => `${line}\n`).join('')
  return comments ? `;; ${title} SECTION:\n${text}\n` : text
}

function digLine(record: ResourceRecord): string {
  const { name, ttl, type, data } = recordRow(record)
  return columns([[name], [24, String(ttl)], [32, 'IN'], [40, type], [48, data]])
}

/** Words at columns, by tabs of eight; a word that comes too late stands behind one blank. */
function columns([[first], ...rest]: readonly [readonly [string], ...(readonly [number, string])[]]): string {
  let line = first
  let column = first.length
  for (const [at, word] of rest) {
    const tabs = Math.ceil((at - column) / 8)
    line += `${tabs > 0 ? '\t'.repeat(tabs) : ' '}${word}`
    column = (tabs > 0 ? at : column + 1) + word.length
  }
  return line
}

function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}
