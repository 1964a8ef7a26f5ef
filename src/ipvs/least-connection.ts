// The schedulers that count connections - lc, wlc, sed, nq - as ip_vs_lc.c, ip_vs_wlc.c, ip_vs_sed.c and ip_vs_nq.c of
// Linux. Among equals the one that is first in the list wins, that is: the one that was added last.

import type { Scheduler } from './scheduler.js'
import type { RealServer } from './service.js'

/** ip_vs_dest_conn_overhead: an inactive connection costs a 256th of an active one. */
function overhead(server: RealServer): number {
  return server.activeConnections * 256 + server.inactiveConnections
}

/** What a new connection would wait for: those that are active, and itself. */
function expectedDelay(server: RealServer): number {
  return server.activeConnections + 1
}

/** The first of the servers with the least load for its weight; those of weight 0 are left out. */
export function leastLoaded(
  servers: readonly RealServer[],
  load: (server: RealServer) => number,
): RealServer | undefined {
  let least: RealServer | undefined
  for (const server of servers) {
    if (server.weight === 0) continue
    // load / weight, without a division.
    if (least === undefined || load(least) * server.weight > load(server) * least.weight) least = server
  }
  return least
}

/** The server that wlc would choose; lblc falls back on it. */
export function weightedLeastConnection(servers: readonly RealServer[]): RealServer | undefined {
  return leastLoaded(servers, overhead)
}

abstract class StatelessScheduler implements Scheduler {
  protected readonly servers: readonly RealServer[]

  constructor(servers: readonly RealServer[]) {
    this.servers = servers
  }

  abstract schedule(): RealServer | undefined
  changed(): void {}
  removed(): void {}
}

export class LeastConnection extends StatelessScheduler {
  schedule(): RealServer | undefined {
    let least: RealServer | undefined
    for (const server of this.servers) {
      if (server.weight === 0) continue
      if (least === undefined || overhead(server) < overhead(least)) least = server
    }
    return least
  }
}

export class WeightedLeastConnection extends StatelessScheduler {
  schedule(): RealServer | undefined {
    return weightedLeastConnection(this.servers)
  }
}

export class ShortestExpectedDelay extends StatelessScheduler {
  schedule(): RealServer | undefined {
    return leastLoaded(this.servers, expectedDelay)
  }
}

/** An idle server at once, whatever its weight; if there is none, the shortest expected delay. */
export class NeverQueue extends StatelessScheduler {
  schedule(): RealServer | undefined {
    const idle = this.servers.find((server) => server.weight > 0 && server.activeConnections === 0)
    return idle ?? leastLoaded(this.servers, expectedDelay)
  }
}
