// The scheduler lblc, locality-based least connection, as ip_vs_lblc.c of Linux: a destination address keeps its server
// (for caches in front of which the services stand) until that server is overloaded while another is half idle.

import { type Micros, SECOND } from '../base/time.js'
import type { IpAddress } from '../wire/address.js'
import { weightedLeastConnection } from './least-connection.js'
import type { NewConnection, Scheduler } from './scheduler.js'
import type { RealServer } from './service.js'

/** lblc_expiration: a destination that was not used for so long is forgotten. */
const EXPIRATION: Micros = 24 * 60 * 60 * SECOND

interface Assignment {
  server: RealServer
  lastUsed: Micros
}

export class LocalityBasedLeastConnection implements Scheduler {
  readonly #servers: readonly RealServer[]
  readonly #assignments = new Map<IpAddress, Assignment>()

  constructor(servers: readonly RealServer[]) {
    this.#servers = servers
  }

  schedule({ destination, now }: NewConnection): RealServer | undefined {
    const assignment = this.#assignments.get(destination)
    if (assignment !== undefined && now - assignment.lastUsed < EXPIRATION) {
      const { server } = assignment
      assignment.lastUsed = now
      if (server.weight > 0 && !this.#isOverloaded(server)) return server
    }
    const server = weightedLeastConnection(this.#servers)
    if (server !== undefined) this.#assignments.set(destination, { server, lastUsed: now })
    return server
  }

  changed(): void {}

  removed(server: RealServer): void {
    for (const [address, assignment] of this.#assignments) {
      if (assignment.server === server) this.#assignments.delete(address)
    }
  }

  /** More connections than its weight, while some server has less than half of its own. */
  #isOverloaded(server: RealServer): boolean {
    if (server.activeConnections <= server.weight) return false
    return this.#servers.some((other) => other.activeConnections * 2 < other.weight)
  }
}
