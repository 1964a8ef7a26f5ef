// How ipvs mode takes a real server away: at once when nothing is connected to it, else its weight becomes 0 and it
// goes when its last connection is over, which is looked for once a minute. After
// pkg/proxy/ipvs/graceful_termination.go of Kubernetes.

import { MINUTE, type Micros, NEVER } from '../../base/time.js'
import type { Ipvs } from '../../ipvs/ipvs.js'
import type { RealServer, VirtualService } from '../../ipvs/service.js'

/** rsCheckDeleteInterval. */
const CHECK_INTERVAL: Micros = MINUTE

export class GracefulTermination {
  readonly #ipvs: Ipvs
  readonly #terminating = new Set<RealServer>()
  #nextCheck: Micros = NEVER

  constructor(ipvs: Ipvs) {
    this.#ipvs = ipvs
  }

  /** Removes a server, now or later. */
  remove(server: RealServer, now: Micros): void {
    if (this.#terminating.has(server) || this.#tryRemove(server)) return
    this.#ipvs.setWeight(server, 0)
    this.#terminating.add(server)
    if (this.#nextCheck === NEVER) this.#nextCheck = now + CHECK_INTERVAL
  }

  isTerminating(server: RealServer): boolean {
    return this.#terminating.has(server)
  }

  /** The endpoint is back before its server was gone: it is taken off and can be added anew. */
  cancel(server: RealServer): void {
    this.#terminating.delete(server)
    this.#ipvs.removeServer(server)
  }

  /** The virtual service goes with all its servers. */
  forget(service: VirtualService): void {
    for (const server of service.servers) this.#terminating.delete(server)
  }

  advance(now: Micros): void {
    if (now < this.#nextCheck) return
    this.#ipvs.expire()
    for (const server of this.#terminating) if (this.#tryRemove(server)) this.#terminating.delete(server)
    this.#nextCheck = this.#terminating.size === 0 ? NEVER : now + CHECK_INTERVAL
  }

  deadline(): Micros {
    return this.#nextCheck
  }

  /** UDP has no connections to wait for: the next packet of a client gets another server (expire_nodest_conn). */
  #tryRemove(server: RealServer): boolean {
    const { id } = server.service
    const isUdp = 'protocol' in id && id.protocol === 'UDP'
    if (!isUdp && server.activeConnections + server.inactiveConnections > 0) return false
    this.#ipvs.removeServer(server)
    return true
  }
}
