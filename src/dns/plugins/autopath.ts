// The autopath plugin with @kubernetes: when a pod asks for a name with the first domain of its search list, the
// server tries the rest of the list itself, and answers with a CNAME to the name that exists. It knows the list by
// the pod's address, so pods must be `verified`.

import { type Exchange, emptyReply, type Handling, type Next, type Plugin, type Reply } from '../chain.js'
import { isInZone, reverseName } from '../name.js'
import type { Records } from '../records.js'

export interface AutopathOptions {
  /** Zones in which it works; those of the kubernetes plugin. */
  readonly zones: readonly string[]
  /** The cluster's domain. */
  readonly domain: string
  /** Search domains of the node, tried after the cluster's. */
  readonly search: readonly string[]
}

export class AutopathPlugin implements Plugin {
  readonly #records: Records
  readonly #options: AutopathOptions

  constructor(records: Records, options: AutopathOptions) {
    this.#records = records
    this.#options = options
  }

  *handle(exchange: Exchange, next: Next): Handling {
    const { name, type } = exchange.question
    const path = type === 'A' || type === 'AAAA' ? this.#searchPath(exchange) : undefined
    const [first = ''] = path ?? []
    if (path === undefined || !isInZone(name, first) || name.length === first.length)
      return yield* next(exchange)
    const base = name.slice(0, name.length - first.length - 1)
    let negative: Reply | undefined
    for (const domain of path) {
      const target = domain === '' ? base : `${base}.${domain}`
      const reply = yield* next({ ...exchange, question: { name: target, type } })
      if (reply === undefined) continue
      if (reply.rcode === 'NOERROR' && reply.answers.length > 0) return aliased(name, target, reply)
      negative ??= reply
    }
    return negative ?? emptyReply('NXDOMAIN')
  }

  #searchPath({ question, client }: Exchange): string[] | undefined {
    const { zones, domain, search } = this.#options
    if (client === undefined || !zones.some((zone) => isInZone(question.name, zone))) return undefined
    const [namespace] = this.#records.podNamespacesAt(reverseName(client) ?? '')
    if (namespace === undefined) return undefined
    return [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...search, '']
  }
}

function aliased(name: string, target: string, reply: Reply): Reply {
  if (name === target) return reply
  const ttlSeconds = reply.answers[0]!.ttlSeconds
  return { ...reply, answers: [{ name, ttlSeconds, type: 'CNAME', target }, ...reply.answers] }
}
