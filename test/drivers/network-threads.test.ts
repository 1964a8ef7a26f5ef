// The nodes dealt over several threads of the network: what holds with one thread holds with these. That scenarios and
// commands on nodes do, too, placement.test.ts and nodes.test.ts say.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EarlyWorkers } from '../../src/drivers/early-workers.js'
import type { EmulationOptions } from '../../src/drivers/emulation.js'
import { NetworkThreads } from '../../src/drivers/network-threads.js'
import { type ResolvedOptions, resolveOptions } from '../../src/drivers/options.js'
import { polling } from '../../src/drivers/polling.js'
import { RealTime } from '../../src/drivers/real-time.js'
import { type RunningCluster, up } from '../../src/index.js'
import { within } from '../support/patience.js'

const test = suite('network threads')

/** Runs `body` on a cluster and closes it; a hanging body fails instead of hanging the run. */
async function on(options: EmulationOptions, body: (cluster: RunningCluster) => Promise<void>) {
  const cluster = await up([], { clock: 'real', ...options })
  try {
    await within(body(cluster))
  } finally {
    await cluster.close()
  }
}

function pod(name: string, nodeName: string, image: string, command?: readonly string[]) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image, ...(command && { command }) }],
    },
  }
}

const service = (name: string, port: number) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port }] },
})

const SLEEP = ['sleep', '100000']

/** A server and a client on nodes of different threads. */
async function serverAndClient(cluster: RunningCluster): Promise<void> {
  await cluster.apply(pod('web', 'k8s-node1', 'nginx'))
  await cluster.apply(pod('client', 'k8s-node2', 'nicolaka/netshoot', SLEEP))
  await cluster.apply(service('web', 80))
  await cluster.settle()
}

test('at most one for each node and 64 in all; no other number, and none under the virtual clock', () => {
  const resolved = (options: EmulationOptions) => resolveOptions(options).networkThreads
  assert.is(resolved({}), 1)
  assert.is(resolved({ clock: 'real' }), 1)
  assert.is(resolved({ clock: 'real', networkThreads: 2 }), 2)
  assert.is(resolved({ clock: 'real', networkThreads: 99 }), 3)
  assert.is(resolved({ clock: 'real', networkThreads: 'per-node' }), 3)
  for (const networkThreads of [0, -1, 1.5, Number.NaN])
    assert.throws(
      () => resolved({ clock: 'real', networkThreads }),
      /networkThreads: \S+ is neither a whole number from 1 on nor per-node/,
    )
  const many = Array.from({ length: 65 }, (_, index) => ({ name: `n${index}` }))
  assert.is(resolved({ clock: 'real', networkThreads: 'per-node', cluster: { nodes: many } }), 64)
  assert.throws(() => resolved({ networkThreads: 2 }), /networkThreads: .*only for clock real/)
})

for (const [podsPerThread, proxyMode] of [
  [1, 'userspace'],
  ['all', 'iptables'],
] as const)
  test(`${podsPerThread} to a thread, ${proxyMode}: much goes over a Service between threads, whole, and each flow is told once`, () =>
    on({ networkThreads: 'per-node', podsPerThread, proxyMode }, async (cluster) => {
      await serverAndClient(cluster)
      const path = '/usr/share/nginx/html/long.bin'
      const made = await cluster.exec('web', `seq 1 200000 > ${path}; md5sum < ${path}`)
      const got = await cluster.exec('client', 'curl -s http://web/long.bin | md5sum')
      assert.is(got.stdout, made.stdout)
      const parallel = 'for i in 1 2 3 4; do curl -s http://web/long.bin | md5sum & done; wait'
      assert.is((await cluster.exec('client', parallel)).stdout, made.stdout.repeat(4))
      const flows = cluster.flows.filter((flow) => flow.service === 'default/web')
      assert.is(flows.length, 5)
      for (const { node } of flows) assert.is(node, 'k8s-node2')
      const answer = await cluster.exec(
        'web',
        'curl -s --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt https://kubernetes/version',
      )
      assert.match(answer.stdout, /"gitVersion"/)
    }))

test('nodes of one thread and of others reach each other and the control plane, each by its own address', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const nodes = names.map((name, index) => ({ name, controlPlane: index === 0 }))
  return on({ networkThreads: 2, cluster: { nodes } }, async ({ emulation }) => {
    await emulation.settle(60_000_000)
    for (const from of names) {
      const script = names.map(
        (_, index) => `ping -c 1 -W 5 192.168.56.${10 + index} >/dev/null && echo ${index}`,
      )
      const { stdout } = await emulation.execOnNode(from, script.join('; '))
      assert.is(stdout, '0\n1\n2\n3\n4\n', `from ${from}`)
    }
  })
})

test('DNS of the host and probes over the network ask the thread of the node', () =>
  on({ networkThreads: 'per-node' }, async (cluster) => {
    const probe = { httpGet: { path: '/', port: 80 }, periodSeconds: 1 }
    for (const [name, node] of [
      ['web', 'k8s-node1'],
      ['other', 'k8s-node2'],
    ] as const) {
      const { spec, ...rest } = pod(name, node, 'nginx')
      const containers = spec.containers.map((container) => ({ ...container, readinessProbe: probe }))
      await cluster.apply({ ...rest, spec: { ...spec, hostNetwork: name === 'other', containers } })
    }
    await cluster.apply(service('other', 80))
    await cluster.kubectl('wait --for=condition=Ready pod/web pod/other --timeout=60s')
    const { stdout } = await cluster.kubectl('get pods --no-headers')
    assert.match(stdout, /^other +1\/1 +Running.*\nweb +1\/1 +Running/)
    const outside = cluster.emulation.outside()
    const found = await cluster.emulation.run(outside.net.resolve('other.default.svc.cluster.local'))
    assert.is(found.addresses.length, 1)
  }))

const tshark = spawnSync('tshark', ['--version']).status === 0
const captured = tshark ? test : test.skip
captured(
  `${tshark ? '' : '(no tshark) '}a capture of all threads is one file in order of time that tshark reads as one network`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'podwire-'))
    try {
      const pcap = join(directory, 'all.pcapng')
      await on({ networkThreads: 'per-node', pcap }, async (cluster) => {
        await serverAndClient(cluster)
        await cluster.exec('web', 'seq 1 50000 > /usr/share/nginx/html/long.txt')
        const command = 'for i in 1 2 3; do curl -s http://web/long.txt | wc -c; done'
        assert.is((await cluster.exec('client', command)).stdout, '288894\n'.repeat(3))
      })
      const read = (filter: string, ...fields: string[]) => {
        const options = fields.length > 0 ? ['-T', 'fields', ...fields.flatMap((field) => ['-e', field])] : []
        const run = spawnSync('tshark', ['-r', pcap, '-Y', filter, ...options], { encoding: 'utf8' })
        return run.stdout.split('\n').slice(0, -1)
      }
      assert.equal(read('_ws.malformed || tcp.analysis.out_of_order'), [])
      // Of the client's connections to the Service, and of kube-proxy's to the pod.
      assert.equal(read('http.content_length', 'http.content_length'), Array(6).fill('288894'))
      const times = read('frame', 'frame.time_epoch').map(Number)
      assert.ok(times.length > 1000)
      assert.ok(times.every((time, index) => index === 0 || times[index - 1]! <= time))
      const names = new Set(read('tcp', 'frame.interface_name'))
      for (const name of ['web:eth0', 'client:eth0', 'k8s-node1:eth0', 'k8s-node2:eth0'])
        assert.ok(names.has(name), name)
      // A packet between nodes is shown at both of them at one moment; the first ones waited for ARP.
      const syn = 'tcp.flags == 2 && ip.src == 192.168.56.12 && tcp.dstport == 80'
      const journey = read(syn, 'frame.time_epoch', 'frame.interface_name').slice(-3)
      const sightings = journey.map((line) => line.split('\t'))
      assert.equal(
        sightings.map(([, name]) => name),
        ['k8s-node2:eth0', 'k8s-node1:eth0', 'web:eth0'],
      )
      assert.is(new Set(sightings.map(([time]) => time)).size, 1)
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
)

test('after close no thread, timer or file is left, in the middle of everything too', async () => {
  const before = process.getActiveResourcesInfo().sort().join()
  const directory = mkdtempSync(join(tmpdir(), 'podwire-'))
  try {
    const cluster = await up([], {
      clock: 'real',
      networkThreads: 'per-node',
      pcap: join(directory, 'all.pcapng'),
    })
    for (const node of ['k8s-node1', 'k8s-node2']) await cluster.apply(pod(`on-${node}`, node, 'nginx'))
    // Heard by every thread of the network: they have started.
    await cluster.kubectl('get nodes')
    await cluster.close()
    assert.is(process.getActiveResourcesInfo().sort().join(), before)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('one of them that dies is told of with its reason, and the end of the others waits for nothing', async () => {
  const options = resolveOptions({ clock: 'real', networkThreads: 'per-node' })
  const nodes = options.config.nodes.map((node, index) => (index === 2 ? { ...node, gateway: '' } : node))
  const broken: ResolvedOptions = { ...options, config: { ...options.config, nodes } }
  let tell: (error: Error) => void = () => {}
  const died = new Promise<Error>((resolve) => {
    tell = resolve
  })
  const workers = new EarlyWorkers({ networkThreads: broken.networkThreads, podsPerThread: 'all' })
  const threads = new NetworkThreads({
    options: broken,
    workers,
    zero: RealTime.here(),
    polling: polling(0),
    onEvent: () => {},
    onFailure: tell,
  })
  // It takes a node for one that has no address for its bridge, which cannot be.
  assert.match((await died).message, /\w/)
  // The others are there, however long they took to start.
  const others = nodes.slice(0, 2).map(({ name }) => threads.ask(name, (id) => ({ type: 'echo', id })))
  await Promise.all(others)
  const error = await threads.close().then(
    () => undefined,
    (failure: Error) => failure,
  )
  assert.is(error?.message, 'the network thread ended by itself')
})

test.run()
