// How much slower than it could be a process gets on now, for tests of how long something takes: on a machine that is
// busy with something else a process has only its share of the processors, and other machines are slower.

import { execFileSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'

/** What an empty node takes from its start to its end on the machine that the limits were set on. */
const EMPTY_START_MS = 60

/** 1 on that machine when nothing else runs, more where less can be expected. Takes a third of a second. */
export function slowness(): number {
  return Math.max(1, loadavg()[0]! / availableParallelism(), emptyStartMillis() / EMPTY_START_MS)
}

/** The median of five. */
function emptyStartMillis(): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    execFileSync(process.execPath, ['-e', '0'])
    return performance.now() - start
  })
  return times.sort((a, b) => a - b)[2]!
}

export interface Timed {
  readonly milliseconds: number
  /** How slow the machine was at the time. */
  readonly slowness: number
  readonly isWithin: boolean
}

/**
 * Tries `work`, which gives its milliseconds, until it takes less than `limitMs` on this machine as it is then, `tries`
 * times at most; the best try, which is the program's own time.
 */
export async function bestOf(
  tries: number,
  limitMs: number,
  work: (round: number) => Promise<number>,
): Promise<Timed> {
  let best: Timed | undefined
  let before = slowness()
  for (let round = 0; round < tries; round++) {
    const milliseconds = await work(round)
    const after = slowness()
    const slow = Math.max(before, after)
    before = after
    if (best === undefined || milliseconds / slow < best.milliseconds / best.slowness)
      best = { milliseconds, slowness: slow, isWithin: milliseconds < limitMs * slow }
    if (best.isWithin) break
  }
  return best!
}

/** For the message of an assertion. */
export function told({ milliseconds, slowness }: Timed): string {
  return `${milliseconds.toFixed(1)} ms on a machine ${slowness.toFixed(1)} times slower than it could be`
}
