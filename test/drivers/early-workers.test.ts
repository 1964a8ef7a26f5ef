// Workers that start before there is something for them to do: who gets them. One that nobody ends would
// keep this file's process.

import type { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EarlyWorkers } from '../../src/drivers/early-workers.js'

const test = suite('early workers')

const MEBIBYTE = 1024 * 1024
const DNS_BYTES = 170 * MEBIBYTE

const heapMegabytes = (worker: Worker) => worker.resourceLimits?.maxOldGenerationSizeMb

test('DNS pods get those that started early, other pods get workers with their own limit', async () => {
  const workers = new EarlyWorkers({ networkThreads: 1, podsPerThread: 1 })
  const other = workers.pods(64 * MEBIBYTE)
  const dns = [workers.pods(DNS_BYTES), workers.pods(DNS_BYTES), workers.pods(DNS_BYTES)]
  try {
    // In the order of their start: the network's first, then two for DNS.
    assert.equal(
      dns.map(({ threadId }) => threadId - other.threadId),
      [-2, -1, 1],
    )
    assert.is(heapMegabytes(other), 96)
    for (const worker of dns) assert.is(heapMegabytes(worker), 202)
  } finally {
    await Promise.all([other, ...dns].map((worker) => worker.terminate()))
    await workers.close()
  }
})

test('pods that share a thread have no limit of their thread', async () => {
  const workers = new EarlyWorkers({ networkThreads: 0, podsPerThread: 2 })
  const taken = workers.pods(undefined)
  // -1, and what V8 takes by itself once the thread has begun.
  assert.ok(heapMegabytes(taken) === -1 || heapMegabytes(taken)! > 202)
  await Promise.all([taken.terminate(), workers.close()])
})

test.run()
