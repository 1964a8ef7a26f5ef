// What crosses the border between the cluster's thread and a pod, wherever the pod lives: plain data that can be
// cloned. Frames do not pass here; they have their wires (fabric/link.ts) or rings (fabric/ring.ts).

import type { LogEntry } from '../api/pod-streams.js'
import type { Micros } from '../base/time.js'
import type { ClusterChange } from '../cluster/feed.js'
import type { ContainerSpec, SandboxEvent, SandboxVolume } from '../cluster/sandbox.js'
import type { UsageCounters } from './usage.js'

/** Names one exec or attach session or one forwarded connection of a pod. */
export type StreamId = number

export interface SessionOptions {
  readonly kind: 'exec' | 'attach'
  readonly container: string
  /** exec only. */
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly tty: boolean
  /** Of the client's terminal, where it has told before. */
  readonly size?: { readonly columns: number; readonly rows: number }
}

/** A TCP connection to a port on the pod's loopback: input goes to it, output is what it sends (as `stdout`). */
export interface ForwardOptions {
  readonly kind: 'port-forward'
  readonly port: number
}

export type StreamOptions = SessionOptions | ForwardOptions

export type PodCommand =
  /** `usage`: where it counts what it uses; nothing when nobody wants to know. */
  | {
      readonly type: 'start-container'
      readonly spec: ContainerSpec
      readonly usage?: UsageCounters | undefined
    }
  | { readonly type: 'stop-container'; readonly container: string; readonly grace: Micros }
  | { readonly type: 'update-volume'; readonly volume: SandboxVolume }
  | { readonly type: 'remove' }
  | { readonly type: 'stream-open'; readonly id: StreamId; readonly options: StreamOptions }
  | { readonly type: 'stream-input'; readonly id: StreamId; readonly bytes: Uint8Array }
  | { readonly type: 'stream-end'; readonly id: StreamId }
  | { readonly type: 'stream-resize'; readonly id: StreamId; readonly columns: number; readonly rows: number }
  | { readonly type: 'stream-close'; readonly id: StreamId }
  /** So many bytes of a session's output, or of a container's log, were taken: see pod/stream-window.ts. */
  | { readonly type: 'stream-taken'; readonly id: StreamId; readonly bytes: number }
  | { readonly type: 'log-taken'; readonly container: string; readonly bytes: number }
  /** Answers `host-names-wanted`: names that a person in the pod would type for Services and pods. */
  | { readonly type: 'host-names'; readonly id: number; readonly names: readonly string[] }
  /** What the DNS server's pods follow. */
  | { readonly type: 'cluster-changes'; readonly changes: readonly ClusterChange[] }
  /** Answered by `barrier` when all commands before it were carried out. */
  | { readonly type: 'barrier'; readonly id: number }

/** Of the sessions and connections of a pod, and of those of a node's shell. */
export type StreamCommand = Extract<PodCommand, { readonly type: `stream-${string}` }>
export type StreamEvent = Extract<PodEvent, { readonly type: `stream-${string}` }>

export type PodEvent =
  /** Answered by the command `host-names`. */
  | { readonly type: 'host-names-wanted'; readonly id: number }
  | { readonly type: 'sandbox'; readonly event: SandboxEvent }
  | { readonly type: 'log'; readonly container: string; readonly entry: LogEntry }
  | {
      readonly type: 'stream-output'
      readonly id: StreamId
      readonly stream: 'stdout' | 'stderr'
      readonly bytes: Uint8Array
    }
  /** So many bytes of a stream's input were taken. */
  | { readonly type: 'stream-input-taken'; readonly id: StreamId; readonly bytes: number }
  /** A forwarded connection got FIN; it may still be written to. */
  | { readonly type: 'stream-output-end'; readonly id: StreamId }
  | {
      readonly type: 'stream-exit'
      readonly id: StreamId
      readonly exitCode: number
      readonly error?: string
    }
  | { readonly type: 'barrier'; readonly id: number }
