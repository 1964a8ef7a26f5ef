// The scheduler mh: Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4), as ip_vs_mh.c of Linux. Every server has
// an order of preference over the positions of a table and takes its next free one in its turns, so that a server that
// comes or goes moves few clients.

import { addressWord } from '../wire/address.js'
import type { HashingFlags } from './hashing.js'
import { greatestCommonDivisor } from './round-robin.js'
import type { NewConnection, Scheduler } from './scheduler.js'
import type { RealServer } from './service.js'
import { halfSipHash32, type SipKey } from './siphash.js'

/** The prime that CONFIG_IP_VS_MH_TAB_INDEX=12, the default, stands for. */
const TABLE_SIZE = 4093
/** Turns are cut down to so many bits. */
const TURN_BITS = 6
const OFFSET_KEY: SipKey = [2654435761n, 2654435761n]
const SKIP_KEY: SipKey = [2654446892n, 2654446892n]

/** Where a server is while the table is filled. */
interface Preference {
  readonly server: RealServer
  readonly skip: number
  /** Positions that it takes in a row. */
  readonly turns: number
  position: number
}

export class MaglevHashing implements Scheduler {
  readonly #servers: readonly RealServer[]
  readonly #flags: HashingFlags
  #table: (RealServer | undefined)[] = []

  constructor(servers: readonly RealServer[], flags: HashingFlags) {
    this.#servers = servers
    this.#flags = flags
    this.changed()
  }

  schedule({ source, sourcePort }: NewConnection): RealServer | undefined {
    const word = addressWord(source) + (this.#flags.port ? sourcePort : 0)
    const first = positionOf(word)
    const server = this.#table[first]
    if (server === undefined || server.weight > 0) return server
    if (!this.#flags.fallback) return undefined
    for (let offset = 0; offset < TABLE_SIZE; offset++) {
      const other = this.#table[positionOf(word + ((offset + first) % TABLE_SIZE))]!
      if (other.weight > 0) return other
    }
    return undefined
  }

  changed(): void {
    const preferences = this.#preferences()
    this.#table = new Array(TABLE_SIZE).fill(undefined)
    for (let filled = 0; preferences.length > 0; ) {
      for (const preference of preferences) {
        for (let turn = 0; turn < preference.turns; turn++) {
          while (this.#table[preference.position] !== undefined) {
            preference.position = (preference.position + preference.skip) % TABLE_SIZE
          }
          this.#table[preference.position] = preference.server
          if (++filled === TABLE_SIZE) return
        }
      }
    }
  }

  removed(): void {
    this.changed()
  }

  /** Of the servers that have a share; those whose weight was never above 0 have none. */
  #preferences(): Preference[] {
    const sharing = this.#servers.filter((server) => server.lastWeight > 0)
    if (sharing.length === 0) return []
    const divisor = sharing.map((server) => server.lastWeight).reduce(greatestCommonDivisor)
    const most = Math.max(...sharing.map((server) => server.lastWeight)) / divisor
    const shift = Math.max(0, 32 - Math.clz32(most) - TURN_BITS)
    return sharing.map((server) => {
      const word = (addressWord(server.address) + server.port) >>> 0
      return {
        server,
        position: halfSipHash32(word, OFFSET_KEY) % TABLE_SIZE,
        skip: (halfSipHash32(word, SKIP_KEY) % (TABLE_SIZE - 1)) + 1,
        turns: (server.lastWeight / divisor) >> shift || 1,
      }
    })
  }
}

function positionOf(word: number): number {
  return halfSipHash32(word >>> 0, OFFSET_KEY) % TABLE_SIZE
}
