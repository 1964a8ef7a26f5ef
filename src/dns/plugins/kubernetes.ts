// The kubernetes plugin: names of the cluster's zones from its records (answer.ts), negative answers with the SOA,
// CNAMEs that leave the cluster completed by asking the server itself, fallthrough.

import { Answerer, type ZoneOptions } from '../answer.js'
import {
  type Ask,
  type Exchange,
  emptyReply,
  type Handling,
  type Next,
  type Plugin,
  type Reply,
} from '../chain.js'
import type { DnsMessage, ResourceRecord } from '../message.js'
import { isInZone, zoneOf } from '../name.js'
import type { Records } from '../records.js'

export interface KubernetesOptions extends ZoneOptions {
  /** Zones whose missing names are given to the next plugin. */
  readonly fallthrough: readonly string[]
}

export class KubernetesPlugin implements Plugin {
  readonly #answerer: Answerer
  readonly #options: KubernetesOptions
  readonly #synced: () => boolean

  /** `synced`: whether the records are complete; until then a missing name is SERVFAIL. */
  constructor(records: Records, options: KubernetesOptions, synced: () => boolean) {
    this.#options = options
    this.#synced = synced
    this.#answerer = new Answerer(records, options)
  }

  *handle(exchange: Exchange, next: Next): Handling {
    const { name, type } = exchange.question
    const zone = zoneOf(name, this.#options.zones)
    if (zone === undefined) return yield* next(exchange)
    const answer = this.#answerer.answer(name, type, zone)
    if (answer === undefined) {
      const fallen = this.#fallsThrough(name) ? yield* next(exchange) : undefined
      // Unlike CoreDNS: where no further plugin knows the name it is missing here, not a failure of the server.
      return fallen ?? this.#negative(this.#synced() ? 'NXDOMAIN' : 'SERVFAIL', zone)
    }
    const { answers, additionals } = answer
    const last = answers.at(-1)
    if (last === undefined) return this.#negative('NOERROR', zone)
    const leaves = last.type === 'CNAME' && type !== 'CNAME' && !isInZone(last.target, zone)
    const rest = leaves ? yield* behindAlias(last.target, exchange) : undefined
    return {
      rcode: 'NOERROR',
      authoritative: true,
      recursionAvailable: false,
      answers: rest === undefined ? answers : [...answers, ...rest],
      authorities: [],
      additionals,
    }
  }

  #fallsThrough(name: string): boolean {
    return this.#options.fallthrough.some((zone) => isInZone(name, zone))
  }

  /** RFC 2308 section 3: the SOA says how long the negative answer may be kept. */
  #negative(rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL', zone: string): Reply {
    return { ...emptyReply(rcode), authorities: [this.#answerer.soa(zone)] }
  }
}

/** Addresses behind a CNAME that leads out of the zone to `target`, if it can be resolved. */
function* behindAlias(
  target: string,
  { question, lookup }: Exchange,
): Generator<Ask, readonly ResourceRecord[], DnsMessage | undefined> {
  const reply = yield* lookup({ name: target, type: question.type })
  return reply?.answers ?? []
}
