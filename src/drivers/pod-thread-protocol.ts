// What the cluster's thread and a thread of pods say to each other: the pods' own commands and events (pod/protocol.ts)
// with whose they are.

import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import type { PodCommand, PodEvent } from '../pod/protocol.js'
import type { DnsImageOptions } from '../pod/sandbox.js'
import type { Doorbell } from './doorbell.js'
import type { WireEnd } from './network-protocol.js'
import type { Polling } from './polling.js'

/** The first message to a thread of pods. */
export interface PodWorkerData {
  readonly seed: number
  readonly startUnixMillis: number
  /** RealTime.zero of the emulation. */
  readonly zero: number
  readonly dns: DnsImageOptions
  /** Where the thread tells of itself: thread-gauge.ts. */
  readonly gauge: Float64Array
  /** The thread's own, by which it is woken. */
  readonly bell: Doorbell
  readonly polling: Polling
  readonly wire: WireEnd
}

export type PodThreadCommand =
  /** A pod on port `port` of the thread's wire; what comes to it afterwards goes by `pod`. */
  | { readonly type: 'create'; readonly spec: SandboxSpec; readonly port: number }
  | { readonly type: 'pod'; readonly uid: PodUid; readonly command: PodCommand }

export interface PodThreadEvent {
  readonly uid: PodUid
  readonly event: PodEvent
}
