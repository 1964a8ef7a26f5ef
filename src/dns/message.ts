// DNS messages as plain records (RFC 1035 section 4), and the codec as an interface: bytes are made and read by
// dns-packet, whose adapter lives with the drivers and is handed in (its typings need Node's globals, which the
// core does not have).

export type RecordType =
  | 'A'
  | 'AAAA'
  | 'CNAME'
  | 'NS'
  | 'PTR'
  | 'SOA'
  | 'SRV'
  | 'TXT'
  | 'ANY'
  | 'OPT'
  | string

export interface Question {
  /** Without the final dot, in the case in which it was asked. The root is ''. */
  readonly name: string
  readonly type: RecordType
  /** Left out for IN. */
  readonly class?: string
}

export interface SrvData {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}

export interface SoaData {
  readonly mname: string
  readonly rname: string
  readonly serial: number
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

export type ResourceRecord = { readonly name: string; readonly ttlSeconds: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'NS' | 'PTR'; readonly target: string }
  | { readonly type: 'TXT'; readonly text: readonly string[] }
  | { readonly type: 'SRV'; readonly srv: SrvData }
  | { readonly type: 'SOA'; readonly soa: SoaData }
)

export type Rcode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED' | 'BADVERS'

export interface DnsMessage {
  readonly id: number
  readonly response: boolean
  readonly opcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly recursionDesired: boolean
  readonly recursionAvailable: boolean
  readonly rcode: Rcode
  readonly questions: readonly Question[]
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
  /** EDNS0 (RFC 6891): the sender's UDP payload size; undefined without an OPT record. */
  readonly ednsUdpSize?: number
  /** Version of an OPT record, when it is not 0. */
  readonly ednsVersion?: number
}

export interface DnsCodec {
  encode(message: DnsMessage): Uint8Array
  /** undefined when the bytes are no message. */
  decode(bytes: Uint8Array): DnsMessage | undefined
}

const HEADER_BYTES = 12
/** A name's text, a length byte before it and a zero after. */
const AROUND_NAME_BYTES = 2
/** Type, class, TTL, length (RFC 1035 section 4.1.3). */
const RECORD_BYTES = 10
const OPT_BYTES = 11
const SOA_NUMBERS_BYTES = 20
const SRV_NUMBERS_BYTES = 6
/** UTF-8 of a UTF-16 unit, at most. */
const CHARACTER_BYTES = 3

/** No fewer bytes than the message takes, with its names in full. Names are ASCII: others do not come off the wire. */
export function bytesAtMost(message: DnsMessage): number {
  let bytes = HEADER_BYTES + OPT_BYTES
  for (const { name } of message.questions) bytes += name.length + AROUND_NAME_BYTES + 4
  return (
    bytes + recordBytes(message.answers) + recordBytes(message.authorities) + recordBytes(message.additionals)
  )
}

function recordBytes(records: readonly ResourceRecord[]): number {
  let bytes = 0
  for (const record of records)
    bytes += record.name.length + AROUND_NAME_BYTES + RECORD_BYTES + dataBytes(record)
  return bytes
}

function dataBytes(record: ResourceRecord): number {
  switch (record.type) {
    case 'A':
      return 4
    case 'AAAA':
      return 16
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return record.target.length + AROUND_NAME_BYTES
    case 'TXT':
      return record.text.reduce((sum, text) => sum + 1 + text.length * CHARACTER_BYTES, 0)
    case 'SRV':
      return record.srv.target.length + AROUND_NAME_BYTES + SRV_NUMBERS_BYTES
    case 'SOA':
      return record.soa.mname.length + record.soa.rname.length + 2 * AROUND_NAME_BYTES + SOA_NUMBERS_BYTES
  }
}
