// What the cluster's thread and a thread of the network say to each other. Frames do not pass here: every thread of pods
// has a pair of rings with the network's thread of its nodes, and so has every two threads of the network, with the
// bells of both (doorbell.ts).

import type { MessagePort } from 'node:worker_threads'
import type { ClusterConfig } from '../cluster/cluster-config.js'
import type { ClusterChange } from '../cluster/feed.js'
import type { ProbeRequest, ProbeResult } from '../cluster/prober.js'
import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import type { LinkOptions } from '../fabric/link.js'
import type { PodCommand, PodEvent, StreamCommand, StreamEvent } from '../pod/protocol.js'
import type { DnsImageOptions } from '../pod/sandbox.js'
import type { ProxySetting } from '../proxy/proxy-mode.js'
import type { Sightings } from './capture-feed.js'
import type { PodPorts } from './cluster-network.js'
import type { Doorbell } from './doorbell.js'
import type { LinkTarget } from './emulation.js'
import type { DoorEvent } from './node-door.js'
import type { NodeCommandResult } from './node-shell.js'
import type { Polling } from './polling.js'
import type { ProxyStatistics } from './proxy-statistics.js'

/** What a thread of the network is started with. */
export interface NetworkWorkerData {
  readonly config: ClusterConfig
  /** The nodes that live in this thread. */
  readonly nodes: readonly string[]
  /** Wires to the other threads of the network. */
  readonly trunks: readonly WireEnd[]
  readonly proxies: Readonly<Record<string, ProxySetting>>
  readonly seed: number
  readonly startUnixMillis: number
  /** RealTime.zero of the emulation. */
  readonly zero: number
  /** The file that the thread writes, if it is the only one of the network. */
  readonly pcap: string | undefined
  /** Whether the thread tells what is seen on its interfaces, for a file that somebody else writes. */
  readonly tellsSightings: boolean
  /** Where the thread tells of itself: thread-gauge.ts. */
  readonly gauge: Float64Array
  /** The thread's own, by which it is woken. */
  readonly bell: Doorbell
  readonly polling: Polling
}

/** One side of the wires between two threads: each pod's has a port number of its own. */
export interface WireEnd {
  /** Frames this side writes, and frames it reads. */
  readonly outgoing: SharedArrayBuffer
  readonly incoming: SharedArrayBuffer
  /** Of the other side's thread. */
  readonly bell: Doorbell
  /** Any message on it means: look at your ring. */
  readonly port: MessagePort
}

/** Numbers the threads of pods. */
export type PodThreadId = number

export type NetworkCommand =
  | { readonly type: 'add-thread'; readonly thread: PodThreadId; readonly wire: WireEnd }
  | { readonly type: 'remove-thread'; readonly thread: PodThreadId }
  /** A pod at the other end of port `port` of a thread's wire. */
  | {
      readonly type: 'add-pod'
      readonly uid: PodUid
      readonly name: string
      readonly node: string
      readonly thread: PodThreadId
      readonly port: number
      readonly ports: PodPorts
    }
  | { readonly type: 'add-external'; readonly name: string; readonly wire: WireEnd }
  | { readonly type: 'remove-pod'; readonly uid: PodUid }
  /** A pod that lives in the network's thread; what its placement sends goes by `pod-command`. */
  | {
      readonly type: 'create-sandbox'
      readonly spec: SandboxSpec
      readonly name: string
      readonly dns: DnsImageOptions
    }
  | { readonly type: 'pod-command'; readonly uid: PodUid; readonly command: PodCommand }
  | { readonly type: 'change'; readonly change: ClusterChange }
  | { readonly type: 'proxy'; readonly setting: ProxySetting; readonly node: string | undefined }
  /** Answered by an event `probe`. */
  | { readonly type: 'probe'; readonly request: ProbeRequest }
  /** Answered at once with `barrier`, after all that was told before. */
  | { readonly type: 'echo'; readonly id: number }
  | { readonly type: 'barrier'; readonly id: number }
  | { readonly type: 'node-exec'; readonly id: number; readonly node: string; readonly script: string }
  /** Of a shell that somebody has open on a node; told back by events of the same name. */
  | { readonly type: 'node-stream'; readonly node: string; readonly command: StreamCommand }
  /** Of a connection to the API server, accepted on its node; told back by events of the same name. */
  | { readonly type: 'api-stream'; readonly command: StreamCommand }
  | { readonly type: 'link'; readonly target: LinkTarget; readonly options: LinkOptions }
  | { readonly type: 'proxy-statistics'; readonly id: number; readonly node: string }
  /** Answered by an event of the same name, with all that is not told yet. */
  | { readonly type: 'sightings' }
  | { readonly type: 'close' }

export type NetworkEvent =
  /** A `flowLine`. */
  | { readonly type: 'flow'; readonly line: string }
  /** Of a pod in the network's thread. */
  | { readonly type: 'pod'; readonly uid: PodUid; readonly event: PodEvent }
  | { readonly type: 'node-stream'; readonly event: StreamEvent }
  | { readonly type: 'api-stream'; readonly event: DoorEvent }
  | { readonly type: 'probe'; readonly id: number; readonly result: ProbeResult }
  | { readonly type: 'barrier'; readonly id: number }
  /** To the command with that id: what its name promises. */
  | { readonly type: 'answer'; readonly id: number; readonly answer: NodeCommandResult | ProxyStatistics }
  | { readonly type: 'sightings'; readonly sightings: Sightings }
  /** Why the capture that the thread itself writes goes no further. */
  | { readonly type: 'capture-problem'; readonly problem: string }
  /** All is told, and the capture that the thread itself writes is written; `error` when it could not be. */
  | { readonly type: 'closed'; readonly error: string | undefined }
