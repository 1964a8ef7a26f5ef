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

/** The answer in dig's form, without what dig says about itself and the clock. */
export function digText(question: Question, message: DnsMessage): string {
  const { answers, authorities, additionals, ednsUdpSize } = message
  const flags = [
    'qr',
    ...(message.authoritative ? ['aa'] : []),
    ...(message.truncated ? ['tc'] : []),
    ...(message.recursionDesired ? ['rd'] : []),
    ...(message.recursionAvailable ? ['ra'] : []),
  ].join(' ')
  const opt = ednsUdpSize === undefined ? 0 : 1
  const counts = `QUERY: 1, ANSWER: ${answers.length}, AUTHORITY: ${authorities.length}, ADDITIONAL: ${additionals.length + opt}`
  const parts = [
    `;; ->>HEADER<<- opcode: QUERY, status: ${message.rcode}, id: ${message.id}\n;; flags: ${flags}; ${counts}\n`,
    ...(opt === 0 ? [] : [`;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: ${ednsUdpSize}\n`]),
    `;; QUESTION SECTION:\n;${absolute(question.name)}\t\tIN\t${question.type}\n`,
    ...section('ANSWER', answers),
    ...section('AUTHORITY', authorities),
    ...section('ADDITIONAL', additionals),
  ]
  return `${parts.join('\n')}\n`
}

function section(title: string, records: readonly ResourceRecord[]): string[] {
  if (records.length === 0) return []
  const lines = records
    .map(recordRow)
    .map(({ name, ttl, type, data }) => `${name}\t${ttl}\tIN\t${type}\t${data}\n`)
  return [`;; ${title} SECTION:\n${lines.join('')}`]
}

function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}
