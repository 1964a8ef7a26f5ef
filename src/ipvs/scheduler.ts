// What a scheduler is and which there are. Each algorithm is that of net/ipv4/vs of Linux, down to its order of choices:
// round-robin.ts (rr, wrr), least-connection.ts (lc, wlc, sed, nq), hashing.ts (sh, dh), maglev.ts (mh), locality.ts
// (lblc). Simplified: servers have no connection thresholds, so none is ever overloaded.

import type { Micros } from '../base/time.js'
import type { IpAddress, Port } from '../wire/address.js'
import { DestinationHashing, SourceHashing } from './hashing.js'
import {
  LeastConnection,
  NeverQueue,
  ShortestExpectedDelay,
  WeightedLeastConnection,
} from './least-connection.js'
import { LocalityBasedLeastConnection } from './locality.js'
import { MaglevHashing } from './maglev.js'
import { RoundRobin, WeightedRoundRobin } from './round-robin.js'
import type { RealServer } from './service.js'

export type SchedulerName = 'rr' | 'wrr' | 'lc' | 'wlc' | 'sh' | 'dh' | 'sed' | 'nq' | 'lblc' | 'mh'

/** `-b`: the hash covers the source port, or looks on when its server takes no connections. */
export type SchedulerFlag = 'sh-fallback' | 'sh-port' | 'mh-fallback' | 'mh-port'

/** What of a packet a scheduler may look at. */
export interface NewConnection {
  readonly source: IpAddress
  readonly sourcePort: Port
  readonly destination: IpAddress
  readonly now: Micros
}

/** Chooses among the servers that it was made with; that list changes under it. */
export interface Scheduler {
  /** The server for a new connection; undefined when none takes it. */
  schedule(connection: NewConnection): RealServer | undefined
  /** A server was added or its weight changed. */
  changed(): void
  /** A server was taken from the list; `previous` stood before it, undefined when it was the first. */
  removed(server: RealServer, previous: RealServer | undefined): void
}

export const SCHEDULER_NAMES: readonly SchedulerName[] = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'sh',
  'dh',
  'sed',
  'nq',
  'lblc',
  'mh',
]

export function isSchedulerName(text: string): text is SchedulerName {
  return (SCHEDULER_NAMES as readonly string[]).includes(text)
}

/** A scheduler over `servers`, which stays the caller's and is read at each choice. */
export function makeScheduler(
  name: SchedulerName,
  flags: readonly SchedulerFlag[],
  servers: readonly RealServer[],
): Scheduler {
  switch (name) {
    case 'rr':
      return new RoundRobin(servers)
    case 'wrr':
      return new WeightedRoundRobin(servers)
    case 'lc':
      return new LeastConnection(servers)
    case 'wlc':
      return new WeightedLeastConnection(servers)
    case 'sed':
      return new ShortestExpectedDelay(servers)
    case 'nq':
      return new NeverQueue(servers)
    case 'lblc':
      return new LocalityBasedLeastConnection(servers)
    case 'sh':
      return new SourceHashing(servers, {
        port: flags.includes('sh-port'),
        fallback: flags.includes('sh-fallback'),
      })
    case 'dh':
      return new DestinationHashing(servers)
    case 'mh':
      return new MaglevHashing(servers, {
        port: flags.includes('mh-port'),
        fallback: flags.includes('mh-fallback'),
      })
  }
}
