// One request at a time over the host's loopback between two worker threads: what the kernel and two event loops take.
// Idle in between, as the pods are that it is compared with. The threads are loopback-worker.ts.

import { Worker } from 'node:worker_threads'
import type { Contestant } from '../contestant.js'
import type { LoopbackRole } from './loopback-worker.js'
import { answer } from './node-proxy.js'

export interface RoundTrips {
  readonly times: number
  readonly pauseMs: number
  /** So many before, without pauses. */
  readonly warmUp: number
}

/** Median round trip in microseconds over `times`, `pauseMs` apart. */
export function loopbackRoundTrip(name: string, kind: 'echo' | 'http', trips: RoundTrips): Contestant {
  const workers: Worker[] = []
  const start = (role: LoopbackRole) => {
    const worker = new Worker(new URL('./loopback-worker.js', import.meta.url), { workerData: role })
    workers.push(worker)
    return worker
  }
  let client: Worker
  return {
    name,
    start: async () => {
      const port = await answer<number>(start({ role: 'server', kind }))
      client = start({ role: 'client', kind, port, ...trips })
      await answer(client)
    },
    run: () => {
      client.postMessage('go')
      return answer<number>(client)
    },
    stop: async () => {
      await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
    },
  }
}
