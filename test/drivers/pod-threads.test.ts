// The threads of pods as the network hears of them: when one dies, its pods' wires go before their end of the network,
// and the memory of its wire is used again.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SandboxSpec } from '../../src/cluster/sandbox.js'
import { doorbell } from '../../src/drivers/doorbell.js'
import { EarlyWorkers } from '../../src/drivers/early-workers.js'
import type { NetworkCommand } from '../../src/drivers/network-protocol.js'
import type { NetworkThread } from '../../src/drivers/network-threads.js'
import type { ResolvedOptions } from '../../src/drivers/options.js'
import { PodThreads } from '../../src/drivers/pod-threads.js'
import { polling } from '../../src/drivers/polling.js'
import { RealTime } from '../../src/drivers/real-time.js'
import { RingConsumer, RingProducer } from '../../src/fabric/ring.js'

const test = suite('pod threads')

const OPTIONS = {
  podsPerThread: 2,
  seed: 1,
  startUnixMillis: 0,
  dns: { clusterDomain: 'cluster.local', strict: false },
  podName: () => 'broken',
} as unknown as ResolvedOptions

/** Threads of pods that die at once; `network` is what they have to do with. */
async function withThreads(
  network: Omit<NetworkThread, 'bell'>,
  run: (threads: PodThreads) => Promise<void>,
): Promise<void> {
  const workers = new EarlyWorkers({ networkThreads: 0, podsPerThread: 2 })
  const thread = { bell: doorbell(), ...network }
  const threads = new PodThreads({
    options: OPTIONS,
    workers,
    zero: RealTime.here(),
    polling: polling(0),
    networkOf: () => thread,
    onEvent: () => {},
  })
  try {
    await run(threads)
  } finally {
    await Promise.all([threads.close(), workers.close()])
  }
}

/** Resolves with the reasons why pods are gone that live in one thread. */
function deathsOf(threads: PodThreads, uids: readonly string[]): Promise<(string | undefined)[]> {
  // Without all that a sandbox is made of: what makes it throws.
  const specs = uids.map((uid) => ({ uid, nodeName: 'node' }) as unknown as SandboxSpec)
  return Promise.all(
    specs.map(
      (spec) =>
        new Promise<string | undefined>((resolve) => {
          threads.create(spec, (event) => {
            if (event.type === 'sandbox' && event.event.type === 'sandbox-gone') resolve(event.event.reason)
          })
        }),
    ),
  )
}

test('a thread that dies takes its pods from the network before itself, and all of them are told of', async () => {
  const told: string[] = []
  const network = { send: ({ type }: NetworkCommand) => void told.push(type), echo: async () => {} }
  await withThreads(network, async (threads) => {
    const [one, other] = await deathsOf(threads, ['a', 'b'])
    assert.equal(told, ['add-thread', 'add-pod', 'add-pod', 'remove-pod', 'remove-pod', 'remove-thread'])
    assert.is(one, other)
    assert.match(one!, /\w/)
  })
})

test('the rings of a thread that ended serve another one, empty, once the network has given them up', async () => {
  const rings: SharedArrayBuffer[] = []
  const echoes: (() => void)[] = []
  let hasGivenUp = false
  const network = {
    send: (command: NetworkCommand) => {
      if (command.type !== 'add-thread') return
      const { incoming, outgoing } = command.wire
      for (const ring of [incoming, outgoing]) assert.ok(new RingConsumer(ring).empty())
      rings.push(incoming, outgoing)
      // As pods write that nobody reads any more.
      const pods = new RingProducer(incoming)
      pods.write(new Uint8Array(60))
      pods.publish()
    },
    echo: () =>
      new Promise<void>((resolve) => {
        echoes.push(resolve)
        if (hasGivenUp) resolve()
      }),
  }
  await withThreads(network, async (threads) => {
    for (let round = 0; round < 3; round++) await deathsOf(threads, ['a', 'b'])
    assert.is(new Set(rings).size, 6)
    hasGivenUp = true
    for (const answer of echoes) answer()
    // When a thread has really ended after its pods' deaths were told, nobody says.
    for (let round = 0; round < 50 && new Set(rings).size === rings.length; round++)
      await deathsOf(threads, ['a', 'b'])
    assert.ok(new Set(rings).size < rings.length)
  })
})

test.run()
