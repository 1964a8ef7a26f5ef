// Time in the core: whole microseconds since the emulation began. The core never asks what time it is; it is
// told. Only drivers own a clock (see base/machine.ts).

import type { Flavor } from './flavor.js'

/** Microseconds, monotonic, 0 at the start of the emulation. */
export type Micros = Flavor<number, 'Micros'>

/** The deadline of something that waits for nothing. */
export const NEVER: Micros = Number.POSITIVE_INFINITY

export const MILLISECOND: Micros = 1_000
export const SECOND: Micros = 1_000_000
export const MINUTE: Micros = 60 * SECOND
