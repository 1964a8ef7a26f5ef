// A limit for a series of waits: one signal that is aborted when an outer one is, usually the process', or when the time is over.

import { type Micros, NEVER } from '../../../base/time.js'
import type { Clock } from '../../../posix/process.js'

/** What waits reject with when the time is over. */
export class TimeLimitExceeded extends Error {
  constructor() {
    super('time limit exceeded')
    this.name = 'TimeLimitExceeded'
  }
}

/**
 * Runs `work` with a signal that is aborted after `limit` (NEVER: only with the outer one); `restart` lets the time
 * begin anew, for a limit on silence. Rejects with what `work` rejects with: TimeLimitExceeded when its waits pass the
 * signal's reason on. The clock's timer does not outlive it.
 */
export async function withinLimit<Value>(
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
  limit: Micros,
  work: (signal: AbortSignal, restart: () => void) => Promise<Value>,
): Promise<Value> {
  const limited = new AbortController()
  const timer = new AbortController()
  const onAbort = () => limited.abort(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  let end = clock.now() + limit
  const watch = async () => {
    for (let left = limit; left > 0; left = end - clock.now()) await clock.sleep(left, timer.signal)
    limited.abort(new TimeLimitExceeded())
  }
  // The sleep is cut short by `timer`, when the work is done.
  if (limit < NEVER) watch().catch(() => {})
  try {
    return await work(limited.signal, () => {
      end = clock.now() + limit
    })
  } finally {
    timer.abort()
    signal.removeEventListener('abort', onAbort)
  }
}
