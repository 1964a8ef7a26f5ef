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
