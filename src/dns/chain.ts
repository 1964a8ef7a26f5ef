// How a question passes the plugins of a server block, as in CoreDNS: each answers, or gives it to the next, and may
// change what comes back. A handler is a generator: what it yields is a question to another server, and whoever runs
// it (the coredns program) resumes it with the answer. So nothing here waits, and nothing here knows sockets.

import type { Micros } from '../base/time.js'
import type { DnsMessage, Question, Rcode, ResourceRecord } from './message.js'

/** One question on its way through the plugins. */
export interface Exchange {
  readonly question: Question
  /** Who asks, as text; undefined when that is not known. */
  readonly client: string | undefined
  readonly now: Micros
  /** Asks this server itself, all its server blocks and plugins included: for CNAMEs that lead elsewhere. */
  readonly lookup: (question: Question) => Handling
}

/** What a question gets. */
export interface Reply {
  readonly rcode: Rcode
  readonly authoritative: boolean
  readonly recursionAvailable: boolean
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
}

/** A question to servers outside, in the order in which they are to be tried: `10.0.0.53:53`. */
export interface Ask {
  readonly servers: readonly string[]
  readonly question: Question
}

/** Ends with the reply; undefined when no plugin knows the name. Resumed with undefined when nobody answered. */
export type Handling = Generator<Ask, Reply | undefined, DnsMessage | undefined>

export type Next = (exchange: Exchange) => Handling

export interface Plugin {
  handle(exchange: Exchange, next: Next): Handling
}

/** The handler of a row of plugins. */
export function chainOf(plugins: readonly Plugin[]): Next {
  return plugins.reduceRight<Next>((next, plugin) => (exchange) => plugin.handle(exchange, next), nobody)
}

// biome-ignore lint/correctness/useYield: the end of every chain has nobody to ask
function* nobody(): Handling {
  return undefined
}

/** An authoritative reply without records: a failure, or what the records are added to. */
export function emptyReply(rcode: Rcode): Reply {
  return {
    rcode,
    authoritative: true,
    recursionAvailable: false,
    answers: [],
    authorities: [],
    additionals: [],
  }
}
