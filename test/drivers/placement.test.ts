// Where pods live changes nothing of what happens, and where nodes do: scenarios hold with several pods in a thread and
// with all of them in the network's, be that one or several, and what becomes of a pod is no business of its neighbours.

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EmulationOptions } from '../../src/drivers/emulation.js'
import { type RunningCluster, runScenario, up } from '../../src/index.js'
import { within } from '../support/patience.js'

const directory = fileURLToPath(new URL('../../../scenarios/', import.meta.url))
const scenarios = readdirSync(directory).filter((name) => /\.(md|yaml)$/.test(name))

type Placement = Pick<EmulationOptions, 'podsPerThread' | 'networkThreads'>

/** Runs `body` on a cluster and closes it; a hanging body fails instead of hanging the run. */
async function on(placement: Placement, body: (cluster: RunningCluster) => Promise<void>) {
  const cluster = await up([], { clock: 'real', ...placement })
  try {
    await within(body(cluster))
  } finally {
    await cluster.close()
  }
}

const pod = (name: string, command: readonly string[]) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    restartPolicy: 'Never',
    containers: [{ name: 'main', image: 'busybox', command }],
  },
})

const threads = () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length

const placements = [
  { podsPerThread: 3, networkThreads: 'per-node' },
  { podsPerThread: 'all' },
] as const satisfies readonly Placement[]

/** In words. */
const where = ({ podsPerThread, networkThreads = 1 }: Placement) =>
  `${podsPerThread} in a thread, network threads: ${networkThreads}`

const packed = suite('placement, scenarios')

/** With each placement, side by side. */
const runs = (name: string) =>
  Promise.all(placements.map((placement) => runScenario(directory + name, { clock: 'real', ...placement })))

/** These wait most of their time, for answers to leave a cache and for probes: they run beside the others. */
const WAITING = ['scaling.yaml', 'stateful-set.yaml']
const waiting = new Map<string, ReturnType<typeof runs>>()

packed.before(() => {
  for (const name of WAITING) {
    const results = runs(name)
    // Whoever asks for them hears of it.
    results.catch(() => {})
    waiting.set(name, results)
  }
})

for (const name of scenarios)
  packed(`${name} holds with ${placements.map(where).join(' and ')}`, async () => {
    for (const result of await (waiting.get(name) ?? runs(name))) {
      assert.equal(
        result.steps.filter((step) => step.status === 'failed'),
        [],
      )
      assert.is(result.passed + result.skipped, result.steps.length)
    }
  })

packed.run()

const neighbours = [
  { podsPerThread: 3 },
  { podsPerThread: 'all' },
  { podsPerThread: 'all', networkThreads: 2 },
] as const satisfies readonly Placement[]

for (const placement of neighbours) {
  const test = suite(`placement, ${where(placement)}`)

  test('a pod that exits, one that is deleted and one that fills its files leave their neighbours alone', () =>
    on(placement, async (cluster) => {
      const names = ['steady', 'exits', 'deleted', 'fills']
      for (const name of names) {
        const command = name === 'exits' ? ['sh', '-c', 'exit 3'] : ['sleep', '100000']
        await cluster.apply(pod(name, command))
      }
      await cluster.settle()
      const waiting = cluster.exec('steady', 'nc -l -p 7000')
      await cluster.kubectl('wait --for=jsonpath={.status.phase}=Failed pod/exits')
      const full = await cluster.exec('fills', 'cat /dev/zero > /tmp/much')
      assert.is.not(full.exitCode, 0)
      const { exitCode } = await cluster.kubectl('delete pod deleted')
      assert.is(exitCode, 0)
      const { stdout: address } = await cluster.kubectl('get pod steady -o jsonpath={.status.podIP}')
      await cluster.exec('fills', `until echo hello | nc -w 30 ${address} 7000; do sleep 0.1; done`)
      assert.is((await waiting).stdout, 'hello\n')
    }))

  test('pods come and go in a thread that stays, and addresses are used again', () =>
    on(placement, async (cluster) => {
      await cluster.apply(pod('steady', ['sleep', '100000']))
      for (let round = 0; round < 5; round++) {
        await cluster.apply(pod('guest', ['sleep', '100000']))
        await cluster.settle()
        const { stdout: address } = await cluster.kubectl('get pod guest -o jsonpath={.status.podIP}')
        const { stdout, exitCode } = await cluster.exec('steady', `ping -c 1 -W 30 ${address}`)
        assert.is(exitCode, 0, stdout)
        await cluster.kubectl('delete pod guest')
      }
    }))

  test('closing in the middle of everything ends every thread', async () => {
    const before = threads()
    const cluster = await up([], { clock: 'real', ...placement })
    for (let index = 0; index < 8; index++) await cluster.apply(pod(`p${index}`, ['sleep', '100000']))
    await cluster.close()
    assert.is(threads(), before)
  })

  test.run()
}

const large = suite('placement, a large cluster')

large('a Service reaches 300 pods on 100 nodes, most of which nobody ever talked to', async () => {
  const nodes = Array.from({ length: 100 }, (_, i) => ({ name: `node-${i}`, controlPlane: i === 0 }))
  const cluster = await up([], {
    clock: 'real',
    podsPerThread: 'all',
    proxyMode: 'iptables',
    cluster: { nodes, podSubnet: '10.244.0.0/14', nodeSubnet: '192.168.0.0/16' },
  })
  try {
    const labels = { app: 'web' }
    const container = { name: 'hello', image: 'hashicorp/http-echo', args: ['-text=hello'] }
    await cluster.apply(pod('client', ['sleep', '100000']))
    await cluster.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 300,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { terminationGracePeriodSeconds: 0, containers: [container] },
        },
      },
    })
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 5678 }] },
    })
    await cluster.settle()
    const script = 'for i in $(seq 40); do wget -qO- http://web/; done'
    const { stdout, exitCode } = await cluster.exec('client', script)
    assert.is(exitCode, 0, stdout)
    assert.is(stdout, 'hello\n'.repeat(40))
    const reached = cluster.flows
      .filter(({ service }) => service === 'default/web')
      .map((flow) => flow.endpoint)
    assert.is(reached.length, 40)
    // 40 draws from 300: fewer than 20 different ones would be one chance in more than 10^12.
    assert.ok(new Set(reached).size >= 20, String(new Set(reached).size))
    const { rules, syncs } = await cluster.emulation.proxyStatistics('node-50')
    assert.ok(rules > 300, 'a node that is looked at has all rules')
    assert.ok(syncs >= 1)
  } finally {
    await cluster.close()
  }
})

large.run()

const refused = suite('placement, what cannot be')

for (const podsPerThread of [0, -1, 1.5, Number.NaN])
  refused(`${podsPerThread} pods in a thread`, async () => {
    const message = await up([], { clock: 'real', podsPerThread }).then(
      async (cluster) => cluster.close(),
      (error: TypeError) => error.message,
    )
    assert.match(message ?? '', /podsPerThread: \S+ is neither a whole number from 1 on nor all/)
  })

refused('threads under the virtual clock', async () => {
  const message = await up([], { podsPerThread: 2 }).then(
    async (cluster) => cluster.close(),
    (error: TypeError) => error.message,
  )
  assert.match(message ?? '', /only for clock real/)
})

refused.run()
