// How long tests wait for what has to come in real time. Only what never comes takes so long: a machine that is slow, or
// busy with something else, is no reason to fail. What hangs ends with a clear failure here, and not with the limit of
// its file (run.ts), which is longer.

export const PATIENCE_MS = 120_000

/** Between two looks. */
const LOOK_MS = 10

/** What `work` gives; rejects when it takes longer than anybody waits. */
export async function within<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${PATIENCE_MS} ms`)), PATIENCE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Looks until `holds`; rejects with `what` when it does not come to hold. `pause` lets time pass between two looks: under
 * the virtual clock that is the cluster's sleep.
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what = 'it did not come',
  pause: () => Promise<unknown> = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS)),
): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await pause())
    if (await holds()) return
  throw new Error(`${what} in ${PATIENCE_MS} ms`)
}
