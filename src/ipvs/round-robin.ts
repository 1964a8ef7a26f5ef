// The schedulers rr and wrr: servers in turn, as ip_vs_rr.c and ip_vs_wrr.c of Linux. Weighted round robin goes through
// the list again and again, each time with a lower bar: first the greatest weight, then less by the greatest common
// divisor, so that the weights 4, 3, 2 give A A B A B C A B C.

import type { Scheduler } from './scheduler.js'
import type { RealServer } from './service.js'

export class RoundRobin implements Scheduler {
  readonly #servers: readonly RealServer[]
  /** Who had the last turn; undefined: the list's head. */
  #last: RealServer | undefined

  constructor(servers: readonly RealServer[]) {
    this.#servers = servers
  }

  schedule(): RealServer | undefined {
    const servers = this.#servers
    const start = this.#last === undefined ? 0 : servers.indexOf(this.#last) + 1
    for (let i = 0; i < servers.length; i++) {
      const server = servers[(start + i) % servers.length]!
      if (server.weight === 0) continue
      this.#last = server
      return server
    }
    return undefined
  }

  changed(): void {}

  removed(server: RealServer, previous: RealServer | undefined): void {
    if (server === this.#last) this.#last = previous
  }
}

export class WeightedRoundRobin implements Scheduler {
  readonly #servers: readonly RealServer[]
  #last: RealServer | undefined
  /** The weight that a server needs in this pass. */
  #bar = 0
  /** The bar of the first pass, so much below the greatest weight that the last one's is 1. */
  #highestBar = 0
  #step = 1

  constructor(servers: readonly RealServer[]) {
    this.#servers = servers
    this.changed()
  }

  schedule(): RealServer | undefined {
    // All weights are 0.
    if (this.#highestBar === 0) return undefined
    const servers = this.#servers
    let next = this.#last === undefined ? 0 : servers.indexOf(this.#last) + 1
    // Ends: the server with the greatest weight passes the highest bar.
    for (;;) {
      for (; next < servers.length; next++) {
        const server = servers[next]!
        if (server.weight < this.#bar) continue
        this.#last = server
        return server
      }
      next = 0
      this.#bar -= this.#step
      if (this.#bar <= 0) this.#bar = this.#highestBar
    }
  }

  changed(): void {
    this.#last = undefined
    const weights = this.#servers.map((server) => server.weight).filter((weight) => weight > 0)
    this.#step = weights.length === 0 ? 1 : weights.reduce(greatestCommonDivisor)
    this.#highestBar = Math.max(0, ...weights) - (this.#step - 1)
    if (this.#bar > this.#highestBar || this.#bar === 0) this.#bar = this.#highestBar
    else if (this.#step > 1) this.#bar = Math.floor(this.#bar / this.#step) * this.#step + 1
  }

  removed(): void {
    this.changed()
  }
}

export function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}
