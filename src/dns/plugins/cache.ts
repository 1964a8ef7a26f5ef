// The cache plugin: replies kept for their TTL, negative ones for the SOA's (RFC 2308 section 5), with the time that
// has passed taken off. Not here: prefetch, serving what is stale.

import { type Micros, SECOND } from '../../base/time.js'
import type { Exchange, Handling, Next, Plugin, Reply } from '../chain.js'
import type { Question, ResourceRecord } from '../message.js'
import { isInZone } from '../name.js'

/** How long and how many replies of one kind are kept. */
export interface CacheLimits {
  readonly capacity: number
  readonly maxTtlSeconds: number
  readonly minTtlSeconds: number
  /** Zones whose replies of this kind are not kept. */
  readonly disabled: readonly string[]
}

export interface CacheOptions {
  readonly zones: readonly string[]
  readonly success: CacheLimits
  readonly denial: CacheLimits
}

interface Entry {
  readonly reply: Reply
  readonly stored: Micros
  readonly ttlSeconds: number
}

export class CachePlugin implements Plugin {
  readonly #options: CacheOptions
  /** Each in the order in which its entries came, so that the oldest goes first. */
  readonly #entries = { success: new Map<string, Entry>(), denial: new Map<string, Entry>() }

  constructor(options: CacheOptions) {
    this.#options = options
  }

  *handle(exchange: Exchange, next: Next): Handling {
    const { question, now } = exchange
    if (!this.#options.zones.some((zone) => isInZone(question.name, zone))) return yield* next(exchange)
    const key = `${question.type} ${question.name.toLowerCase()}`
    const kept = this.#find('success', key, now) ?? this.#find('denial', key, now)
    if (kept !== undefined) {
      const passed = Math.floor((now - kept.stored) / SECOND)
      return aged(kept.reply, question, kept.ttlSeconds - passed)
    }
    const reply = yield* next(exchange)
    return reply === undefined ? undefined : this.#keep(key, question, reply, now)
  }

  #find(kind: 'success' | 'denial', key: string, now: Micros): Entry | undefined {
    const entry = this.#entries[kind].get(key)
    if (entry === undefined || now < entry.stored + entry.ttlSeconds * SECOND) return entry
    this.#entries[kind].delete(key)
    return undefined
  }

  #keep(key: string, question: Question, reply: Reply, now: Micros): Reply {
    const kind = kindOf(reply)
    if (kind === undefined) return reply
    const { capacity, disabled, maxTtlSeconds, minTtlSeconds } = this.#options[kind]
    if (disabled.some((zone) => isInZone(question.name, zone))) return reply
    const ttlSeconds = Math.min(maxTtlSeconds, Math.max(minTtlSeconds, ttlOf(reply)))
    if (ttlSeconds === 0) return reply
    const entries = this.#entries[kind]
    if (entries.size >= capacity) entries.delete(entries.keys().next().value!)
    entries.set(key, { reply, stored: now, ttlSeconds })
    // As CoreDNS: the first asker already gets the TTL that the cache keeps it for.
    return aged(reply, question, ttlSeconds)
  }
}

function kindOf({ rcode, answers, authorities }: Reply): 'success' | 'denial' | undefined {
  if (rcode === 'NOERROR' && answers.length > 0) return 'success'
  const denial = rcode === 'NXDOMAIN' || rcode === 'NOERROR'
  // Without an SOA nobody knows for how long (RFC 2308 section 5).
  return denial && authorities.some(({ type }) => type === 'SOA') ? 'denial' : undefined
}

function ttlOf({ answers, authorities, additionals }: Reply): number {
  const ttls = [...answers, ...authorities, ...additionals].map((record) =>
    record.type === 'SOA' ? Math.min(record.ttlSeconds, record.soa.minimum) : record.ttlSeconds,
  )
  return Math.min(...ttls)
}

/** The reply with every TTL set, its owner names in the case of this question. */
function aged(reply: Reply, question: Question, ttlSeconds: number): Reply {
  const asked = question.name.toLowerCase()
  const age = (records: readonly ResourceRecord[]) =>
    records.map((record) => {
      const name = record.name.toLowerCase() === asked ? question.name : record.name
      return { ...record, name, ttlSeconds }
    })
  return {
    ...reply,
    answers: age(reply.answers),
    authorities: age(reply.authorities),
    additionals: age(reply.additionals),
  }
}
