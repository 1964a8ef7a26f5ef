// The loadbalance plugin: addresses of every answer in a new order, after the CNAMEs that lead to them. CoreDNS calls
// it round_robin; it shuffles.

import type { Random } from '../../base/random.js'
import type { Exchange, Handling, Next, Plugin } from '../chain.js'
import type { ResourceRecord } from '../message.js'

export class LoadbalancePlugin implements Plugin {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  *handle(exchange: Exchange, next: Next): Handling {
    const reply = yield* next(exchange)
    if (reply === undefined || !hasSeveralAddresses(reply.answers)) return reply
    return { ...reply, answers: this.#shuffled(reply.answers) }
  }

  #shuffled(records: readonly ResourceRecord[]): readonly ResourceRecord[] {
    const addresses = records.filter(isAddress)
    this.#random.shuffle(addresses)
    const aliases = records.filter(({ type }) => type === 'CNAME')
    const others = records.filter((record) => record.type !== 'CNAME' && !isAddress(record))
    return [...aliases, ...others, ...addresses]
  }
}

function isAddress({ type }: ResourceRecord): boolean {
  return type === 'A' || type === 'AAAA'
}

function hasSeveralAddresses(records: readonly ResourceRecord[]): boolean {
  let addresses = 0
  for (const record of records) if (isAddress(record)) addresses++
  return addresses > 1
}
