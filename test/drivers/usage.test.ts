// What `kubectl top` says of pods that run: exactly under the virtual clock, within bounds in real time.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunningCluster, up } from '../../src/index.js'
import { PATIENCE_MS } from '../support/patience.js'

const pod = (name: string, script: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: 'busybox', command: ['sh', '-c', script] }],
  },
})
const BUSY = pod('busy', 'while true; do i=$((i+1)); done')
const IDLE = pod('idle', 'sleep 1000')
const KEEPS = pod('keeps', 'yes | head -c 8388608 > /tmp/file; sleep 1000')

async function withPods(
  options: Parameters<typeof up>[1],
  ...pods: readonly object[]
): Promise<RunningCluster> {
  const cluster = await up([], options)
  for (const object of pods) await cluster.apply(object)
  await cluster.settle()
  return cluster
}

/** NAME, CPU and MEMORY of each pod: thousandths of a processor, mebibytes. */
async function top(cluster: RunningCluster): Promise<Record<string, { cpu: number; memory: number }>> {
  const { output } = await cluster.kubectl('top pods --no-headers')
  const rows = output
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells.length === 3)
  return Object.fromEntries(
    rows.map(([name, cpu, memory]) => [
      name!,
      { cpu: Number.parseInt(cpu!, 10), memory: Number.parseInt(memory!, 10) },
    ]),
  )
}

const test = suite('what pods use')

test('under the virtual clock: what programs compute, and what they keep', async () => {
  const cluster = await withPods({}, BUSY, IDLE, KEEPS)
  try {
    await cluster.sleep(4000)
    const { busy, idle, keeps } = await top(cluster)
    // A step is charged when it begins, and started thousandths count whole.
    assert.ok([1000, 1001].includes(busy!.cpu), String(busy!.cpu))
    // To start its shell.
    assert.ok(idle!.cpu <= 1, String(idle!.cpu))
    assert.is(idle!.memory, 0)
    assert.is(keeps!.memory, 8)
  } finally {
    await cluster.close()
  }
})

test('in real time: the busy time of pods’ threads, and their heaps', async () => {
  const cluster = await withPods({ clock: 'real' }, BUSY, IDLE)
  try {
    // The first figures have the start of the threads in them, which takes long where much else runs.
    const deadline = performance.now() + PATIENCE_MS
    let seen = await top(cluster)
    const isSeen = ({ busy, idle }: typeof seen) =>
      busy !== undefined && idle !== undefined && busy.cpu > 300 && busy.cpu > idle.cpu
    while (!isSeen(seen) && performance.now() < deadline) {
      await cluster.sleep(200)
      seen = await top(cluster)
    }
    const { idle } = seen
    assert.ok(isSeen(seen), JSON.stringify(seen))
    assert.ok(idle!.memory >= 1 && idle!.memory < 200, JSON.stringify(seen))
    const nodes = (await cluster.kubectl('top nodes --no-headers')).output.trim().split('\n')
    assert.is(nodes.length, 3)
  } finally {
    await cluster.close()
  }
})

test('pods that share a thread: the reason why nothing is told', async () => {
  const cluster = await withPods({ clock: 'real', podsPerThread: 'all' }, IDLE)
  try {
    const { exitCode, output } = await cluster.kubectl('top pods')
    assert.is(exitCode, 1)
    assert.match(output, 'Error from server (ServiceUnavailable): pods share threads')
  } finally {
    await cluster.close()
  }
})

test.run()
