// The DNS server of a cluster, from message to message: what is refused, what is authoritative, negative
// answers, EDNS0 and truncation. Records come from answer.ts; bytes and sockets belong to the program that runs
// it (pod/images/coredns.ts).

import type { Random } from '../base/random.js'
import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import { Answerer, type ZoneOptions } from './answer.js'
import type { DnsCodec, DnsMessage, Rcode, ResourceRecord } from './message.js'
import { zoneOf } from './name.js'
import { Records } from './records.js'

export interface DnsServerOptions extends Partial<ZoneOptions> {
  /** Measures answers for truncation. */
  readonly codec: DnsCodec
  /** Shuffles the addresses of each answer; without it they keep their order. */
  readonly random?: Random
}

/** What kubeadm's Corefile says. */
const DEFAULT_ZONE_OPTIONS: ZoneOptions = {
  zones: ['cluster.local', 'in-addr.arpa', 'ip6.arpa'],
  ttlSeconds: 30,
  pods: 'insecure',
  namespaces: undefined,
  ignoreEmptyService: false,
  endpointPodNames: false,
  localAddresses: [],
  strict: false,
}

const OPCODE_QUERY = 0
/** What every receiver takes over UDP (RFC 1035 section 2.3.4). */
const UDP_BYTES = 512
const TCP_BYTES = 65_535

export class DnsServer implements ClusterFollower {
  /** Whether the cluster's state has been heard in full; until then a missing name is SERVFAIL, not NXDOMAIN. */
  synced = true
  readonly #options: ZoneOptions
  readonly #codec: DnsCodec
  readonly #records = new Records()
  readonly #answerer: Answerer

  constructor({ codec, random, ...options }: DnsServerOptions) {
    this.#codec = codec
    this.#options = { ...DEFAULT_ZONE_OPTIONS, ...options }
    this.#answerer = new Answerer(this.#records, this.#options, random)
  }

  apply(change: ClusterChange): void {
    this.#records.apply(change)
  }

  /** The answer to `query`, no longer than `transport` and the asker take; undefined when it is no query. */
  respond(query: DnsMessage, transport: 'udp' | 'tcp'): DnsMessage | undefined {
    if (query.response) return undefined
    if (query.opcode !== OPCODE_QUERY) return refusal(query, 'NOTIMP')
    const [question] = query.questions
    if (question === undefined || query.questions.length > 1) return refusal(query, 'FORMERR')
    const zone = zoneOf(question.name, this.#options.zones)
    const transfer = question.type === 'AXFR' || question.type === 'IXFR'
    if (zone === undefined || transfer || question.class !== undefined) return refusal(query, 'REFUSED')
    const answer = this.#answerer.answer(question.name, question.type, zone)
    const nothing = answer === undefined || answer.answers.length === 0
    const rcode = answer !== undefined ? 'NOERROR' : this.synced ? 'NXDOMAIN' : 'SERVFAIL'
    const message: DnsMessage = {
      ...refusal(query, rcode),
      authoritative: true,
      answers: nothing ? [] : answer.answers,
      authorities: nothing ? [this.#answerer.soa(zone)] : [],
      additionals: nothing ? [] : answer.additionals,
    }
    const limit = transport === 'tcp' ? TCP_BYTES : Math.max(UDP_BYTES, query.ednsUdpSize ?? 0)
    return this.#truncated(message, limit)
  }

  /** Leaves records out from the end until the message fits, and says so (TC) when there were any to leave out. */
  #truncated(message: DnsMessage, limit: number): DnsMessage {
    const fits = (candidate: DnsMessage) => this.#codec.encode(candidate).length <= limit
    if (fits(message)) return message
    let low = 0
    let high = message.answers.length + message.authorities.length + message.additionals.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (fits(firstRecords(message, middle))) low = middle
      else high = middle
    }
    return firstRecords(message, low)
  }
}

/** A response without records: that is all that most failures are. */
export function refusal(query: DnsMessage, rcode: Rcode): DnsMessage {
  return {
    id: query.id,
    response: true,
    opcode: query.opcode,
    authoritative: false,
    truncated: false,
    recursionDesired: query.recursionDesired,
    recursionAvailable: false,
    rcode,
    questions: query.questions,
    answers: [],
    authorities: [],
    additionals: [],
    // RFC 6891 section 6.1.1: an OPT record is answered with one. CoreDNS gives the asker's size back.
    ...(query.ednsUdpSize === undefined ? {} : { ednsUdpSize: Math.max(UDP_BYTES, query.ednsUdpSize) }),
  }
}

function firstRecords(message: DnsMessage, count: number): DnsMessage {
  const take = (records: readonly ResourceRecord[]): readonly ResourceRecord[] => {
    const taken = records.slice(0, count)
    count -= taken.length
    return taken
  }
  const answers = take(message.answers)
  const authorities = take(message.authorities)
  const additionals = take(message.additionals)
  return { ...message, truncated: true, answers, authorities, additionals }
}
