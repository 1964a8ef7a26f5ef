// The forward plugin: gives a question to other servers and their answer back.

import type { Exchange, Handling, Next, Plugin } from '../chain.js'
import { emptyReply } from '../chain.js'
import { isInZone } from '../name.js'

export interface ForwardOptions {
  /** Zone that is forwarded; the root for everything. */
  readonly from: string
  /** `address:port`, tried in this order. Simplified: always the first that answers (`policy sequential`). */
  readonly to: readonly string[]
  /** Zones that are not. */
  readonly except: readonly string[]
}

export class ForwardPlugin implements Plugin {
  readonly #options: ForwardOptions

  constructor(options: ForwardOptions) {
    this.#options = options
  }

  *handle(exchange: Exchange, next: Next): Handling {
    const { from, to, except } = this.#options
    const { question } = exchange
    const forwarded = isInZone(question.name, from) && !except.some((zone) => isInZone(question.name, zone))
    // A resolv.conf without name servers leaves nobody to ask.
    if (!forwarded || to.length === 0) return yield* next(exchange)
    const message = yield { servers: to, question }
    if (message === undefined) return { ...emptyReply('SERVFAIL'), authoritative: false }
    const { rcode, authoritative, recursionAvailable, answers, authorities, additionals } = message
    return { rcode, authoritative, recursionAvailable, answers, authorities, additionals }
  }
}
