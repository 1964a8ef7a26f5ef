// What the stack's one heap of timers is made of: neighbours, half-assembled packets, TCP connections.

import type { Micros } from '../base/time.js'

/** Something of a stack that waits for a time. */
export interface Expiring {
  expire(now: Micros): void
}
