// The hosts plugin, with its entries written in the Corefile: addresses of names, and names of addresses.

import { type Exchange, emptyReply, type Handling, type Next, type Plugin } from '../chain.js'
import type { ResourceRecord } from '../message.js'
import { addressFamily, isInZone, reverseName } from '../name.js'

export interface HostsOptions {
  readonly zones: readonly string[]
  readonly entries: readonly { readonly address: string; readonly names: readonly string[] }[]
  readonly ttlSeconds: number
  /** Whether addresses have names. */
  readonly reverse: boolean
  /** Zones whose missing names are given to the next plugin. */
  readonly fallthrough: readonly string[]
}

export class HostsPlugin implements Plugin {
  readonly #options: HostsOptions
  readonly #addresses = new Map<string, string[]>()
  readonly #names = new Map<string, string[]>()

  constructor(options: HostsOptions) {
    this.#options = options
    for (const { address, names } of options.entries) {
      for (const name of names) append(this.#addresses, name.toLowerCase().replace(/\.$/, ''), address)
      const reverse = reverseName(address)
      if (options.reverse && reverse !== undefined)
        for (const name of names) append(this.#names, reverse, name)
    }
  }

  *handle(exchange: Exchange, next: Next): Handling {
    const { name } = exchange.question
    const { zones, fallthrough } = this.#options
    const answers = this.#answers(exchange.question.name, exchange.question.type)
    // A name of the cluster's reverse zones may be one of these as well.
    const mine = zones.some((zone) => isInZone(name, zone)) || answers.length > 0
    if (!mine) return yield* next(exchange)
    if (answers.length > 0) return { ...emptyReply('NOERROR'), answers }
    if (fallthrough.some((zone) => isInZone(name, zone))) return yield* next(exchange)
    const known = this.#addresses.has(name.toLowerCase()) || this.#names.has(name.toLowerCase())
    return emptyReply(known ? 'NOERROR' : 'NXDOMAIN')
  }

  #answers(name: string, type: string): ResourceRecord[] {
    const { ttlSeconds } = this.#options
    const key = name.toLowerCase()
    if (type === 'PTR')
      return (this.#names.get(key) ?? []).map((target) => ({ name, ttlSeconds, type: 'PTR', target }))
    if (type !== 'A' && type !== 'AAAA') return []
    const family = type === 'A' ? 4 : 6
    return (this.#addresses.get(key) ?? [])
      .filter((address) => addressFamily(address) === family)
      .map((address) => ({ name, ttlSeconds, type, address }))
  }
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
