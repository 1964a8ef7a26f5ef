// The threads of pods as the network hears of them: when one dies, its pods' wires go before their end of the network.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SandboxSpec } from '../../src/cluster/sandbox.js'
import { doorbell } from '../../src/drivers/doorbell.js'
import { EarlyWorkers } from '../../src/drivers/early-workers.js'
import type { NetworkCommand } from '../../src/drivers/network-protocol.js'
import type { ResolvedOptions } from '../../src/drivers/options.js'
import { PodThreads } from '../../src/drivers/pod-threads.js'
import { polling } from '../../src/drivers/polling.js'
import { RealTime } from '../../src/drivers/real-time.js'

const test = suite('pod threads')

test('a thread that dies takes its pods from the network before itself, and all of them are told of', async () => {
  const told: string[] = []
  const gone: (string | undefined)[] = []
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const options = {
    podsPerThread: 2,
    seed: 1,
    startUnixMillis: 0,
    dns: { clusterDomain: 'cluster.local', strict: false },
    podName: () => 'broken',
  } as unknown as ResolvedOptions
  const network = { bell: doorbell(), send: ({ type }: NetworkCommand) => void told.push(type) }
  const workers = new EarlyWorkers({ networkThreads: 0, podsPerThread: 2 })
  const threads = new PodThreads({
    options,
    workers,
    zero: RealTime.here(),
    polling: polling(0),
    networkOf: () => network,
    onEvent: () => {},
  })
  try {
    // Without all that a sandbox is made of: what makes it throws.
    for (const uid of ['a', 'b'])
      threads.create({ uid, nodeName: 'node' } as unknown as SandboxSpec, (event) => {
        if (event.type !== 'sandbox' || event.event.type !== 'sandbox-gone') return
        gone.push(event.event.reason)
        if (gone.length === 2) end()
      })
    await ended
  } finally {
    await Promise.all([threads.close(), workers.close()])
  }
  assert.equal(told, ['add-thread', 'add-pod', 'add-pod', 'remove-pod', 'remove-pod', 'remove-thread'])
  assert.is(gone[0], gone[1])
  assert.match(gone[0]!, /\w/)
})

test.run()
