// Durations as the scenario format and Kubernetes write them.

import type { Micros } from '../base/time.js'
import { MILLISECOND, MINUTE, SECOND } from '../base/time.js'

const UNITS: Readonly<Record<string, Micros>> = {
  us: 1,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  h: 60 * MINUTE,
}

/** `1.5s` in microseconds; the schema has checked the form. */
export function parseDuration(text: string): Micros {
  const match = /^([0-9.]+)(us|ms|s|m|h)$/.exec(text)
  if (match === null) throw new RangeError(`not a duration: ${text}`)
  return Math.round(Number(match[1]) * UNITS[match[2]!]!)
}
