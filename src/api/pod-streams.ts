// Where the API server gets exec, attach and logs from: the kubelet's streaming server in a real cluster, here
// whoever runs the pods (drivers/).

import type { PodUid } from '../cluster/sandbox.js'
import type { ForwardStreams, RemoteStreams } from './request.js'

export interface LogEntry {
  /** Milliseconds since the Unix epoch, emulated. */
  readonly unixMillis: number
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Uint8Array
}

export interface PodStreams {
  exec(
    uid: PodUid,
    container: string,
    options: { readonly command: readonly string[]; readonly stdin: boolean; readonly tty: boolean },
  ): RemoteStreams
  attach(
    uid: PodUid,
    container: string,
    options: { readonly stdin: boolean; readonly tty: boolean },
  ): RemoteStreams
  /** A connection to 127.0.0.1:`port` in the pod's network. */
  portForward(uid: PodUid, port: number): ForwardStreams
  /** What the container wrote so far; `previous`: its instance before the last restart. */
  log(uid: PodUid, container: string, previous: boolean): readonly LogEntry[]
  /**
   * Entries as they come, from now on; `onEnd` when the container has ended. While a promise of `onEntry` has not
   * settled, entries wait for it as long as the log keeps them. The returned function stops it.
   */
  followLog(
    uid: PodUid,
    container: string,
    onEntry: (entry: LogEntry) => unknown,
    onEnd: () => void,
  ): () => void
}
