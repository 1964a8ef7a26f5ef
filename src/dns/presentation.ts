// Messages as people and programs read them: records in the presentation format of RFC 1035 section 5, and a whole answer
// as a plain row for JSON. As dig prints it: dig-text.ts.

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

function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}
