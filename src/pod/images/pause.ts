// The program of the pause image: waits for the signal that ends it.

import type { Program } from '../../posix/process.js'

export const pause: Program = (process) =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.onSignal(signal, () => resolve(0))
  })
