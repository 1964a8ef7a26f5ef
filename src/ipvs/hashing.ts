// The schedulers sh and dh: 256 buckets to which the servers are dealt in turn; the source (or destination) address says
// which bucket. As ip_vs_sh.c and ip_vs_dh.c of Linux, with their hash (hash_32, Fibonacci hashing).

import { addressWord } from '../wire/address.js'
import type { NewConnection, Scheduler } from './scheduler.js'
import type { RealServer } from './service.js'

const TABLE_BITS = 8
const TABLE_SIZE = 1 << TABLE_BITS
const GOLDEN_RATIO_32 = 0x61c88647

/** hash_32 of Linux: the upper `bits` bits of a product. */
export function hash32Bits(value: number, bits: number): number {
  return Math.imul(value, GOLDEN_RATIO_32) >>> (32 - bits)
}

export interface HashingFlags {
  /** The source port is part of the hash. */
  readonly port: boolean
  /** When the server takes no connections, the next bucket is tried. */
  readonly fallback: boolean
}

export class SourceHashing implements Scheduler {
  readonly #servers: readonly RealServer[]
  readonly #flags: HashingFlags
  readonly #buckets: (RealServer | undefined)[] = new Array(TABLE_SIZE).fill(undefined)

  constructor(servers: readonly RealServer[], flags: HashingFlags) {
    this.#servers = servers
    this.#flags = flags
    this.changed()
  }

  schedule({ source, sourcePort }: NewConnection): RealServer | undefined {
    const hash = hash32Bits((this.#flags.port ? sourcePort : 0) + addressWord(source), TABLE_BITS)
    const server = this.#buckets[hash]
    if (server === undefined || server.weight > 0) return server
    if (!this.#flags.fallback) return undefined
    for (let offset = 0; offset < TABLE_SIZE; offset++) {
      // The walk begins at the hash, and each step is added to it once more.
      const other = this.#buckets[(((offset + hash) % TABLE_SIZE) + hash) % TABLE_SIZE]!
      if (other.weight > 0) return other
    }
    return undefined
  }

  /** Each server gets as many buckets in a row as its weight. */
  changed(): void {
    const servers = this.#servers
    let turn = 0
    let dealt = 0
    for (let bucket = 0; bucket < TABLE_SIZE; bucket++) {
      const server = servers[turn]
      this.#buckets[bucket] = server
      if (server === undefined || ++dealt < server.lastWeight) continue
      turn = (turn + 1) % servers.length
      dealt = 0
    }
  }

  removed(): void {
    this.changed()
  }
}

export class DestinationHashing implements Scheduler {
  readonly #servers: readonly RealServer[]
  readonly #buckets: (RealServer | undefined)[] = new Array(TABLE_SIZE).fill(undefined)

  constructor(servers: readonly RealServer[]) {
    this.#servers = servers
    this.changed()
  }

  schedule({ destination }: NewConnection): RealServer | undefined {
    const server = this.#buckets[hash32Bits(addressWord(destination), TABLE_BITS)]
    return server !== undefined && server.weight > 0 ? server : undefined
  }

  changed(): void {
    for (let bucket = 0; bucket < TABLE_SIZE; bucket++) {
      this.#buckets[bucket] = this.#servers[bucket % this.#servers.length]
    }
  }

  removed(): void {
    this.changed()
  }
}
