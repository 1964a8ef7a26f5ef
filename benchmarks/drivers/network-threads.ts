// Whole clusters with one thread of the network, and with one for each node: what a hop between threads costs, and
// what the cores that there are bring.

import type { Benchmark } from '../contestant.js'
import { podBulk } from '../proxy/bulk-transfer.js'
import { PACKED, THREADS } from '../targets.js'
import { type Placement, podLoadContestant } from './pod-load.js'

const PLACEMENTS: readonly (readonly [string, Placement])[] = [
  [`${THREADS}, one network thread`, {}],
  [`${THREADS}, one for each node`, { networkThreads: 'per-node' }],
  [`${PACKED}`, { podsPerThread: 'all' }],
  ['pods in the threads of their nodes', { podsPerThread: 'all', networkThreads: 'per-node' }],
]

export const networkThreadsHttp: Benchmark = {
  name: 'drivers/network-threads',
  unit: 'requests/s',
  seconds: 35,
  rounds: 3,
  measure: 'value',
  warmUp: 50_000,
  note: 'a ClusterIP in iptables mode, 64 connections that last, three servers and the client on two of three nodes',
  contestants: (quick) =>
    PLACEMENTS.map(([name, placement]) =>
      podLoadContestant(name, 'iptables', placement, true, quick ? 1 : 2),
    ),
}

export const networkThreadsBulk: Benchmark = {
  name: 'drivers/network-threads-bulk',
  unit: 'Gbit/s',
  seconds: 25,
  rounds: 3,
  measure: 'value',
  note: 'iperf3 from a pod to one of another node, one connection',
  contestants: (quick) => PLACEMENTS.map(([name, placement]) => podBulk(name, placement, 'server', quick)),
}
