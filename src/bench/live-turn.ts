// One benchmark at a time on a cluster that is up: two would measure each other, and put back each other's modes. The
// turn is a stream that the cluster's API server holds open (drivers/control-api.ts), so that it ends with its process.

import type { WatchLine } from '../api/request.js'
import { type ClusterAddress, ClusterLost, follow, jsonLines } from '../drivers/cluster-client.js'
import { BENCH_PATH } from '../drivers/control-protocol.js'
import { TargetError } from './service-target.js'

/**
 * Resolves with what ends the turn. Rejects with TargetError when somebody else has it, and with ClusterLost or
 * ClusterRefusal.
 */
export function takeTurn(cluster: ClusterAddress): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const leave = follow(cluster, `${BENCH_PATH}?watch=true`, {
      bytes: jsonLines((line) => {
        if ((line as WatchLine).type === 'ADDED') return resolve(leave)
        leave()
        reject(new TargetError('another benchmark runs on this cluster', 'one at a time: wait for its end'))
      }),
      end: (error) => reject(error ?? new ClusterLost('the cluster does not answer any more')),
    })
  })
}
