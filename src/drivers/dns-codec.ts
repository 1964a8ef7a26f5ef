// DNS messages to and from bytes by dns-packet: the adapter that the DNS server and the stub resolver are given.
// dns-packet writes every name in full; here names are compressed afterwards (RFC 1035 section 4.1.4), or eight
// addresses of a headless service would not fit into 512 bytes.

import dnsPacket, { type Answer, type DecodedPacket, type Question as PacketQuestion } from 'dns-packet'
import type { DnsCodec, DnsMessage, Question, Rcode, ResourceRecord } from '../dns/message.js'
import { compressNames } from './dns-compression.js'
import { decodePlain, encodePlain } from './dns-plain.js'

const RCODES: Readonly<Record<Rcode, number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  // RFC 6891 section 9; its upper bits are in the OPT record.
  BADVERS: 16,
}
const RCODE_NAMES: ReadonlyMap<number, Rcode> = new Map(
  Object.entries(RCODES).map(([name, code]) => [code, name as Rcode]),
)

const HEADER_BYTES = 12
/** RFC 1035 section 2.3.4. */
const LABEL_LIMIT = 63
const QR = 0x8000
const AA = 0x0400
const TC = 0x0200
const RD = 0x0100
const RA = 0x0080

/** The codec: dns-plain.ts where that will do, dns-packet for the rest. It has no state, so one serves everybody. */
export const dnsCodec: DnsCodec = { encode, decode }

function encode(message: DnsMessage): Uint8Array {
  return encodePlain(message, flagsOf(message), RCODES[message.rcode] >> 4) ?? encodeAny(message)
}

function decode(bytes: Uint8Array): DnsMessage | undefined {
  return decodePlain(bytes, RCODE_NAMES) ?? decodeAny(bytes)
}

/** Any message, by dns-packet; as long as what dns-plain.ts makes of it. One with a name that cannot be written is SERVFAIL. */
export function encodeAny(message: DnsMessage): Uint8Array {
  const { questions, answers, authorities, additionals } = message
  const records = [...answers, ...authorities, ...additionals]
  if (![...questions.map(({ name }) => name), ...records.flatMap(namesOf)].every(isWritable)) {
    const none = { answers: [], authorities: [], additionals: [] }
    const asked = questions.filter(({ name }) => isWritable(name))
    return encodeAny({ ...message, ...none, questions: asked, rcode: 'SERVFAIL' })
  }
  const opt: Answer[] =
    message.ednsUdpSize === undefined
      ? []
      : [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: message.ednsUdpSize,
            extendedRcode: RCODES[message.rcode] >> 4,
            ednsVersion: message.ednsVersion ?? 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
  const bytes = dnsPacket.encode({
    type: message.response ? 'response' : 'query',
    id: message.id,
    flags: flagsOf(message),
    questions: message.questions.map(toPacketQuestion),
    answers: message.answers.map(toAnswer),
    authorities: message.authorities.map(toAnswer),
    additionals: [...message.additionals.map(toAnswer), ...opt],
  })
  return compressNames(bytes)
}

function namesOf(record: ResourceRecord): string[] {
  switch (record.type) {
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return [record.name, record.target]
    case 'SRV':
      return [record.name, record.srv.target]
    case 'SOA':
      return [record.name, record.soa.mname, record.soa.rname]
    default:
      return [record.name]
  }
}

/** Whether its labels fit into their bytes of length: the upper two bits are those of a pointer. */
function isWritable(name: string): boolean {
  return name.split('.').every((label) => Buffer.byteLength(label) <= LABEL_LIMIT)
}

function flagsOf(message: DnsMessage): number {
  return (
    (message.response ? QR : 0) |
    ((message.opcode & 15) << 11) |
    (message.authoritative ? AA : 0) |
    (message.truncated ? TC : 0) |
    (message.recursionDesired ? RD : 0) |
    (message.recursionAvailable ? RA : 0) |
    (RCODES[message.rcode] & 15)
  )
}

/** Any message, by dns-packet. */
export function decodeAny(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < HEADER_BYTES || !hasPlainQuestion(bytes)) return undefined
  let packet: DecodedPacket
  try {
    packet = dnsPacket.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch {
    // dns-packet throws at whatever is no message.
    return undefined
  }
  const flags = bytes[2]! * 256 + bytes[3]!
  const opt = packet.additionals?.find((record) => record.type === 'OPT')
  return {
    id: packet.id ?? 0,
    response: (flags & QR) !== 0,
    opcode: (flags >> 11) & 15,
    authoritative: (flags & AA) !== 0,
    truncated: (flags & TC) !== 0,
    recursionDesired: (flags & RD) !== 0,
    recursionAvailable: (flags & RA) !== 0,
    rcode: RCODE_NAMES.get((flags & 15) | ((opt?.type === 'OPT' ? opt.extendedRcode : 0) << 4)) ?? 'SERVFAIL',
    questions: (packet.questions ?? []).map(toQuestion),
    answers: toRecords(packet.answers),
    authorities: toRecords(packet.authorities),
    additionals: toRecords(packet.additionals),
    ...(opt?.type === 'OPT' ? { ednsUdpSize: opt.udpPayloadSize } : {}),
    ...(opt?.type === 'OPT' && opt.ednsVersion > 0 ? { ednsVersion: opt.ednsVersion } : {}),
  }
}

/**
 * Whether the first question's labels survive as text: dns-packet reads them as UTF-8 and joins them with dots,
 * so a label with a dot or a byte above 127 would come back as another name.
 */
function hasPlainQuestion(bytes: Uint8Array): boolean {
  if (bytes[4] === 0 && bytes[5] === 0) return true
  for (let at = HEADER_BYTES; at < bytes.length && bytes[at] !== 0; at += bytes[at]! + 1) {
    const end = at + 1 + bytes[at]!
    if (bytes[at]! > 63 || end > bytes.length) return false
    for (let i = at + 1; i < end; i++) if (bytes[i]! >= 0x80 || bytes[i] === 0x2e) return false
  }
  return true
}

function toPacketQuestion(question: Question): PacketQuestion {
  // dns-packet's types name what it knows; a question of another type came from its decoder as UNKNOWN_n.
  const type = question.type as PacketQuestion['type']
  const wireClass = (question.class ?? 'IN') as NonNullable<PacketQuestion['class']>
  return { name: absolute(question.name), type, class: wireClass }
}

function toQuestion({ name, type, class: wireClass = 'IN' }: PacketQuestion): Question {
  const plain = { name: relative(name), type }
  return wireClass === 'IN' ? plain : { ...plain, class: wireClass }
}

function toAnswer(record: ResourceRecord): Answer {
  const { name, ttlSeconds: ttl } = record
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return { name: absolute(name), type: record.type, ttl, data: record.address }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { name: absolute(name), type: record.type, ttl, data: absolute(record.target) }
    case 'TXT':
      return { name: absolute(name), type: 'TXT', ttl, data: [...record.text] }
    case 'SRV':
      return { name: absolute(name), type: 'SRV', ttl, data: { ...record.srv } }
    case 'SOA':
      return { name: absolute(name), type: 'SOA', ttl, data: { ...record.soa } }
  }
}

/** Records of the types that Podwire knows; others are left out. */
function toRecords(answers: readonly Answer[] | undefined): ResourceRecord[] {
  return (answers ?? []).map(toRecord).filter((record) => record !== undefined)
}

function toRecord(answer: Answer): ResourceRecord | undefined {
  const name = relative(answer.name)
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return { name, ttlSeconds: answer.ttl ?? 0, type: answer.type, address: answer.data }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { name, ttlSeconds: answer.ttl ?? 0, type: answer.type, target: relative(answer.data) }
    case 'TXT':
      return { name, ttlSeconds: answer.ttl ?? 0, type: 'TXT', text: [answer.data].flat().map(String) }
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data
      const srv = { priority, weight, port, target: relative(target) }
      return { name, ttlSeconds: answer.ttl ?? 0, type: 'SRV', srv }
    }
    case 'SOA': {
      const { serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0, mname, rname } = answer.data
      const soa = { mname: relative(mname), rname: relative(rname), serial, refresh, retry, expire, minimum }
      return { name, ttlSeconds: answer.ttl ?? 0, type: 'SOA', soa }
    }
    default:
      return undefined
  }
}

/** dns-packet writes the root as `.`. */
function absolute(name: string): string {
  return name === '' ? '.' : name
}

function relative(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}
