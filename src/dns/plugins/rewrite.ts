// The rewrite plugin, for names: the question goes on under another name, and the answer comes back under the one that
// was asked. Not here: rewriting of types, classes, TTLs and EDNS0 options, regular expressions.

import type { Exchange, Handling, Next, Plugin } from '../chain.js'
import type { ResourceRecord } from '../message.js'

export interface RewriteRule {
  readonly match: 'exact' | 'prefix' | 'suffix' | 'substring'
  readonly from: string
  readonly to: string
}

export class RewritePlugin implements Plugin {
  readonly #rules: readonly RewriteRule[]

  /** The first rule that matches counts. */
  constructor(rules: readonly RewriteRule[]) {
    this.#rules = rules
  }

  *handle(exchange: Exchange, next: Next): Handling {
    const { name } = exchange.question
    const rewritten = this.#rewrite(name)
    if (rewritten === undefined) return yield* next(exchange)
    const reply = yield* next({ ...exchange, question: { ...exchange.question, name: rewritten } })
    if (reply === undefined) return undefined
    const back = (records: readonly ResourceRecord[]) =>
      records.map((record) =>
        record.name.toLowerCase() === rewritten.toLowerCase() ? { ...record, name } : record,
      )
    return { ...reply, answers: back(reply.answers), additionals: back(reply.additionals) }
  }

  #rewrite(name: string): string | undefined {
    const lower = name.toLowerCase()
    for (const { match, from, to } of this.#rules) {
      if (match === 'exact' && lower === from) return to
      if (match === 'prefix' && lower.startsWith(from)) return to + name.slice(from.length)
      if (match === 'suffix' && lower.endsWith(from)) return name.slice(0, name.length - from.length) + to
      if (match === 'substring' && lower.includes(from)) return lower.replaceAll(from, to)
    }
    return undefined
  }
}
