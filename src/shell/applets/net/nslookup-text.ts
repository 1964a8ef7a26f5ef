// Records as the nslookups print them, and a whole message as BIND's shows it in debug mode.

import type { DnsMessage, Question, ResourceRecord } from '../../../dns/message.js'
import { presentationOf } from '../../../dns/presentation.js'

/** A record as both nslookups print it; busybox writes names in `data` without their final dot. */
export function recordText(record: ResourceRecord, data = presentationOf(record)): string {
  const { name } = record
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return `Name:\t${name}\nAddress: ${data}\n`
    case 'SOA':
      return `${name}\n${dataText(record, data)}`
    default:
      return `${name}${dataText(record, data)}`
  }
}

/** The data with what it is. */
function dataText(record: ResourceRecord, data = presentationOf(record)): string {
  switch (record.type) {
    case 'A':
      return `\tinternet address = ${data}\n`
    case 'AAAA':
      return `\thas AAAA address ${data}\n`
    case 'CNAME':
      return `\tcanonical name = ${data}\n`
    case 'PTR':
      return `\tname = ${data}\n`
    case 'NS':
      return `\tnameserver = ${data}\n`
    case 'SRV':
      return `\tservice = ${data}\n`
    case 'TXT':
      return `\ttext = ${data}\n`
    case 'SOA': {
      const { mname, rname, ...times } = record.soa
      const rows = Object.entries({ origin: mname, 'mail addr': rname, ...times })
      return rows.map(([key, value]) => `\t${key} = ${value}\n`).join('')
    }
  }
}

/** The message between two lines. */
export function debugText(question: Question, message: DnsMessage): string {
  const line = '------------\n'
  const section = (title: string, records: readonly ResourceRecord[]) => {
    const texts = records.map((one) => `    ->  ${one.name}\n${dataText(one)}\tttl = ${one.ttlSeconds}\n`)
    return `    ${title}:\n${texts.join('')}`
  }
  const { answers, authorities, additionals } = message
  return [
    line,
    `    QUESTIONS:\n\t${question.name}, type = ${question.type}, class = ${question.class ?? 'IN'}\n`,
    section('ANSWERS', answers),
    section('AUTHORITY RECORDS', authorities),
    section('ADDITIONAL RECORDS', additionals),
    line,
  ].join('')
}
