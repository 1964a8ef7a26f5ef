// What of a pod's start takes time elsewhere, and here only because time is emulated: nothing is pulled, and no
// runtime is asked. In real time a pod's start takes what making its thread and its programs takes, and no more.

import { MILLISECOND, type Micros } from '../base/time.js'

export interface StartDelays {
  /** CRI and CNI, for a sandbox. */
  readonly sandbox: Micros
  /** The registry, for an image. */
  readonly pull: Micros
  /** The runtime, for a container. */
  readonly create: Micros
}

export const EMULATED_DELAYS: StartDelays = {
  sandbox: 20 * MILLISECOND,
  pull: 30 * MILLISECOND,
  create: 10 * MILLISECOND,
}

export const NO_DELAYS: StartDelays = { sandbox: 0, pull: 0, create: 0 }
