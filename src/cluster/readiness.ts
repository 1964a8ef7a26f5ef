// How the kubelet hears whether a container with a readiness probe is ready. The prober sends real packets, so it is
// handed in by whoever runs the nodes' stacks.

import type { Probe } from './objects.js'
import type { PodUid } from './sandbox.js'

export interface ReadinessProber {
  /** Called with each change of the answer; never within `start`. */
  onResult: ((uid: PodUid, container: string, ready: boolean) => void) | undefined
  /** Begins to probe a container that has just started; `address` is the pod's, without prefix length. */
  start(uid: PodUid, container: string, probe: Probe, address: string): void
  stop(uid: PodUid, container: string): void
}
