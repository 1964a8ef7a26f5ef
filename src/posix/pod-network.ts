// What the network of a pod consists of, for the code that gives sockets to its processes (net-over-stack.ts) and for
// whoever drives the pod's stack.

import type { Stack } from '../stack/stack.js'
import type { Clock } from './process.js'
import type { TlsEngine } from './tls.js'

/** What the processes of a pod share. */
export interface PodNetwork {
  readonly stack: Stack
  readonly clock: Clock
  /** The stack may have something to send, or a new deadline: the driver should look. */
  touched(): void
  /** Whether its processes have CAP_NET_ADMIN: those of nodes, and of containers to which it was given. */
  readonly admin?: boolean
  /** For programs that speak TLS. */
  readonly tls?: TlsEngine
}
