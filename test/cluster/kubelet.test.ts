import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND, MINUTE, type Micros, SECOND } from '../../src/base/time.js'
import type { ContainerStatus, Pod } from '../../src/cluster/objects.js'
import { Cluster, pod } from './cluster-fixture.js'

const test = suite('kubelet')

function status(cluster: Cluster, name: string): ContainerStatus {
  return cluster.get<Pod>('pods', name).status!.containerStatuses![0]!
}

/** Ends the container as soon as it runs; returns how long it took from the end before. */
function crash(cluster: Cluster, name: string, exitCode = 1): Micros {
  const from = cluster.now
  cluster.run(0)
  while (!status(cluster, name).state.running) cluster.run(100 * MILLISECOND)
  const waited = cluster.now - from
  cluster.runtime.exit(cluster.runtime.sandboxOf(name).uid, 'main', exitCode)
  cluster.run(0)
  return waited
}

test('a container that crashes is restarted at once, then after 10 s, doubling to 5 minutes', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('crasher'))
  crash(cluster, 'crasher')
  const waits = Array.from({ length: 8 }, () => Math.floor(crash(cluster, 'crasher') / SECOND))
  assert.equal(waits, [0, 10, 20, 40, 80, 160, 300, 300])
  cluster.run(SECOND)
  const { uid } = cluster.get<Pod>('pods', 'crasher').metadata
  const crashed = status(cluster, 'crasher')
  assert.equal(crashed.state, {
    waiting: {
      reason: 'CrashLoopBackOff',
      message: `back-off 5m0s restarting failed container=main pod=crasher_default(${uid})`,
    },
  })
  assert.equal([crashed.lastState.terminated?.exitCode, crashed.lastState.terminated?.reason], [1, 'Error'])
  assert.is(crashed.restartCount, 8)
  assert.is(crashed.ready, false)
  assert.is(cluster.get<Pod>('pods', 'crasher').status?.phase, 'Running')
  assert.ok(cluster.plane.settled())
  assert.ok(
    cluster
      .events('crasher')
      .includes(`Warning BackOff: Back-off restarting failed container main in pod crasher_default(${uid})`),
  )
})

test('ten minutes of running forget the back-off', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('crasher'))
  for (let i = 0; i < 4; i++) crash(cluster, 'crasher')
  cluster.run(12 * MINUTE)
  crash(cluster, 'crasher')
  assert.ok(crash(cluster, 'crasher') < SECOND)
})

test('a pod that names a node which cannot take it fails, in the words of the kubelet', () => {
  const cluster = new Cluster().run()
  const onNode = (name: string, spec: Partial<Pod['spec']>) =>
    cluster.create(pod(name, { nodeName: 'k8s-node1', ...spec }))
  const withPort = (requests: Record<string, string> = {}) => ({
    containers: [
      {
        name: 'main',
        image: 'nginx',
        ports: [{ containerPort: 80, hostPort: 8080 }],
        resources: { requests },
      },
    ],
  })
  onNode('first', withPort())
  onNode('second', withPort())
  onNode('large', withPort({ cpu: '4k' }))
  onNode('elsewhere', { nodeSelector: { disk: 'ssd' } })
  cluster.run()
  const told = (name: string) => {
    const { phase, reason, message } = cluster.get<Pod>('pods', name).status!
    return [phase, reason, message]
  }
  assert.equal(told('first'), ['Running', undefined, undefined])
  const ports = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
  assert.equal(told('second'), ['Failed', 'NodePorts', `Pod was rejected: ${ports}`])
  assert.equal(cluster.events('second'), [`Warning NodePorts: ${ports}`])
  assert.match(
    told('large').join(' '),
    /^Failed OutOfcpu Pod was rejected: Node didn't have enough resource: cpu, requested: 4000000, used: 0, capacity: \d+$/,
  )
  assert.is(told('elsewhere')[1], 'NodeAffinity')
  assert.ok(cluster.plane.settled())
  cluster.plane.admission.delete('pods', 'default', 'first', { gracePeriodSeconds: 0 })
  cluster.run()
  onNode('third', withPort())
  cluster.run()
  assert.is(told('third')[0], 'Running')
})

test('the sandbox, its address and volumes outlive a crash', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('crasher'))
  cluster.run()
  const before = cluster.runtime.sandboxOf('crasher')
  crash(cluster, 'crasher')
  cluster.run()
  assert.is(cluster.runtime.sandboxOf('crasher'), before)
  assert.is(status(cluster, 'crasher').restartCount, 1)
})

test('an unknown image is ErrImagePull, then ImagePullBackOff, in turn', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('lost', { containers: [{ name: 'main', image: 'missing:1' }] }))
  cluster.run(SECOND)
  const message =
    'rpc error: code = NotFound desc = failed to pull and unpack image "missing:1": failed to resolve reference "missing:1": missing:1: not found'
  assert.equal(status(cluster, 'lost').state, { waiting: { reason: 'ErrImagePull', message } })
  assert.equal(cluster.events('lost').slice(1), [
    'Normal Pulling: Pulling image "missing:1"',
    `Warning Failed: Failed to pull image "missing:1": ${message}`,
    'Warning Failed: Error: ErrImagePull',
  ])
  cluster.run(3 * SECOND)
  assert.equal(status(cluster, 'lost').state, {
    waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "missing:1"' },
  })
  assert.ok(cluster.plane.settled())
  cluster.run(7 * SECOND)
  assert.is(status(cluster, 'lost').state.waiting?.reason, 'ErrImagePull')
  cluster.run(5 * SECOND)
  assert.is(status(cluster, 'lost').state.waiting?.reason, 'ImagePullBackOff')
  assert.is(cluster.get<Pod>('pods', 'lost').status?.phase, 'Pending')
})

test('restartPolicy decides what an end means', () => {
  const cases = [
    ['Never', 0, 'Succeeded', 0],
    ['Never', 1, 'Failed', 0],
    ['OnFailure', 0, 'Succeeded', 0],
    ['OnFailure', 1, 'Running', 1],
    ['Always', 0, 'Running', 1],
  ] as const
  for (const [restartPolicy, exitCode, phase, restarts] of cases) {
    const cluster = new Cluster().run()
    cluster.create(pod('p', { restartPolicy }))
    cluster.run()
    crash(cluster, 'p', exitCode)
    cluster.run()
    assert.is(cluster.get<Pod>('pods', 'p').status?.phase, phase, `${restartPolicy} ${exitCode}`)
    assert.is(status(cluster, 'p').restartCount, restarts)
    assert.ok(cluster.plane.settled())
  }
})

test('a pod that has ended gives its address to others; its status keeps it, and its logs stay until it is deleted', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p', { restartPolicy: 'Never', nodeName: 'k8s-node1' }))
  cluster.run()
  const { uid } = cluster.runtime.sandboxOf('p')
  const { podIP } = cluster.get<Pod>('pods', 'p').status!
  cluster.runtime.exit(uid, 'main', 0)
  cluster.run()
  assert.not(cluster.runtime.sandboxes.has(uid))
  assert.is(cluster.get<Pod>('pods', 'p').status?.podIP, podIP)
  assert.equal(cluster.runtime.forgotten, [])
  cluster.plane.admission.delete('pods', 'default', 'p')
  cluster.run()
  assert.equal(cluster.runtime.forgotten, [uid])
  assert.equal(cluster.pods(), [])
})

test('the addresses of pods that have ended do not run out', () => {
  const nodes = [{ name: 'only', podRange: '10.36.0.0/29' }]
  const cluster = new Cluster({ nodes, podSubnet: '10.36.0.0/16', dns: { replicas: 0 } }).run()
  for (let i = 0; i < 12; i++) {
    cluster.create(pod(`p${i}`, { restartPolicy: 'Never' }))
    cluster.run()
    crash(cluster, `p${i}`, 0)
    assert.is(cluster.get<Pod>('pods', `p${i}`).status?.phase, 'Succeeded')
  }
})

test('the end of a container is told before its back-off', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p'))
  cluster.run()
  crash(cluster, 'p')
  const told: string[] = []
  cluster.store.watch<Pod>('pods', ({ object }) => {
    const one = object.status?.containerStatuses?.[0]
    const { waiting, terminated, running } = one?.state ?? {}
    const state = waiting?.reason ?? terminated?.reason ?? (running && 'running') ?? ''
    told.push(`${state}, before ${one?.lastState.terminated?.exitCode ?? 'nothing'}`)
  })
  cluster.run(SECOND)
  cluster.runtime.exit(cluster.runtime.sandboxOf('p').uid, 'main', 2)
  cluster.run(SECOND)
  assert.equal(told.slice(-3), ['running, before 1', 'Error, before 1', 'CrashLoopBackOff, before 2'])
})

test('init containers run one after the other before the others start', () => {
  const cluster = new Cluster().run()
  const container = (name: string) => ({ name, image: 'busybox:1' })
  cluster.create(
    pod('p', { initContainers: [container('one'), container('two')], containers: [container('main')] }),
  )
  cluster.run()
  const { uid } = cluster.runtime.sandboxOf('p')
  const names = () =>
    cluster.runtime.started.filter(({ image }) => image === 'busybox:1').map(({ name }) => name)
  assert.equal(names(), ['one'])
  cluster.runtime.exit(uid, 'one', 0)
  cluster.run()
  assert.equal(names(), ['one', 'two'])
  assert.is(cluster.get<Pod>('pods', 'p').status?.phase, 'Pending')
  cluster.runtime.exit(uid, 'two', 0)
  cluster.run()
  assert.equal(names(), ['one', 'two', 'main'])
  assert.is(cluster.get<Pod>('pods', 'p').status?.phase, 'Running')
})

test('a sandbox whose thread died is made again with another address', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p'))
  cluster.run()
  const { uid, address } = cluster.runtime.sandboxOf('p')
  cluster.runtime.sandboxes.delete(uid)
  cluster.runtime.onEvent!({ type: 'sandbox-gone', uid, reason: 'OOMKilled' })
  cluster.run(0)
  assert.is(status(cluster, 'p').state.terminated?.reason, 'OOMKilled')
  cluster.run()
  const again = cluster.get<Pod>('pods', 'p').status
  assert.is(again?.phase, 'Running')
  assert.is.not(again?.podIP, address.split('/')[0])
  assert.is(again?.containerStatuses?.[0]?.restartCount, 1)
  assert.equal(again?.containerStatuses?.[0]?.lastState.terminated?.exitCode, 137)
})

test('a pod deleted by force is gone at once, and its sandbox follows', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p'))
  cluster.run()
  cluster.runtime.stubborn.add('busybox:1')
  const { uid } = cluster.runtime.sandboxOf('p')
  cluster.plane.admission.delete('pods', 'default', 'p', { gracePeriodSeconds: 0 })
  assert.is(cluster.pods().length, 0)
  cluster.create(pod('p'))
  cluster.run()
  assert.is(cluster.runtime.sandboxes.has(uid), false)
  assert.is(cluster.get<Pod>('pods', 'p').status?.phase, 'Running')
})

test('a deleted pod with finalizers has ended, and is there until they are taken away', () => {
  for (const options of [{ gracePeriodSeconds: 0 }, {}]) {
    const cluster = new Cluster().run()
    const made = pod('p')
    cluster.create({ ...made, metadata: { ...made.metadata, finalizers: ['example.com/keep'] } })
    cluster.run()
    const { uid } = cluster.runtime.sandboxOf('p')
    cluster.plane.admission.delete('pods', 'default', 'p', options)
    cluster.run(40 * SECOND)
    const kept = cluster.get<Pod>('pods', 'p')
    assert.ok(kept.metadata.deletionTimestamp)
    assert.is(cluster.runtime.sandboxes.has(uid), false)
    cluster.plane.admission.update({ ...kept, metadata: { ...kept.metadata, finalizers: [] } })
    assert.is(cluster.pods().length, 0)
    cluster.run()
    assert.is(cluster.runtime.sandboxes.size, 2, 'CoreDNS')
  }
})

test('what ignores SIGTERM is taken away after its grace period', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p', { terminationGracePeriodSeconds: 3 }))
  cluster.run()
  cluster.runtime.stubborn.add('busybox:1')
  cluster.plane.admission.delete('pods', 'default', 'p')
  cluster.run(4 * SECOND)
  assert.is(cluster.pods().length, 1)
  cluster.run(2 * SECOND)
  assert.is(cluster.pods().length, 0)
})

test('a deleted pod whose containers have been stopped has ended, by their exit codes', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p'))
  cluster.run()
  const phases = new Set<string | undefined>()
  cluster.plane.store.watch<Pod>('pods', ({ object }) => {
    if (object.metadata.deletionTimestamp) phases.add(object.status?.phase)
  })
  cluster.plane.admission.delete('pods', 'default', 'p')
  cluster.run()
  // The fixture's containers end by SIGTERM's default action.
  assert.equal([...phases], ['Running', 'Failed'])
})

test('a second delete with a shorter grace period hastens the end', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p'))
  cluster.run()
  cluster.runtime.stubborn.add('busybox:1')
  cluster.plane.admission.delete('pods', 'default', 'p')
  cluster.run()
  cluster.plane.admission.delete('pods', 'default', 'p', { gracePeriodSeconds: 1 })
  cluster.run(4 * SECOND)
  assert.equal(
    cluster.runtime.stopped.map(({ grace }) => grace),
    [30 * SECOND, SECOND],
  )
  assert.is(cluster.pods().length, 0)
})

test('a pod that names its node runs there without the scheduler', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p', { nodeName: 'k8s-master' }))
  cluster.run()
  const { spec, status } = cluster.get<Pod>('pods', 'p')
  assert.equal([spec.nodeName, status?.phase], ['k8s-master', 'Running'])
  assert.is(status?.conditions?.[0]?.type, 'PodScheduled')
})

test('a volume that names what is not there waits with an event', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p', { volumes: [{ name: 'v', configMap: { name: 'late' } }] }))
  cluster.run()
  const message = 'MountVolume.SetUp failed for volume "v" : configmap "late" not found'
  assert.ok(cluster.events('p').includes(`Warning FailedMount: ${message}`))
  assert.ok(cluster.plane.settled())
  cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late' }, data: { f: 'text' } })
  cluster.run()
  assert.equal(cluster.runtime.sandboxOf('p').volumes, [{ name: 'v', files: { f: 'text' } }])
})

test('the memory of a pod is the sum of its limits, or the default', () => {
  const cluster = new Cluster().run()
  const limited = { name: 'main', image: 'busybox', resources: { limits: { memory: '64Mi' } } }
  cluster.create(pod('a', { containers: [limited] }))
  cluster.create(pod('b'))
  cluster.run()
  assert.is(cluster.runtime.sandboxOf('a').memoryLimitBytes, 64 * 2 ** 20)
  assert.is(cluster.runtime.sandboxOf('b').memoryLimitBytes, 128 * 2 ** 20)
  assert.is(cluster.get<Pod>('pods', 'a').status?.qosClass, 'Burstable')
})

test('a changed image restarts the container, whatever the restart policy', () => {
  for (const restartPolicy of ['Always', 'Never'] as const) {
    const cluster = new Cluster().run()
    cluster.create(pod('p', { restartPolicy }))
    cluster.run()
    const stored = cluster.get<Pod>('pods', 'p')
    const containers = [{ ...stored.spec.containers[0]!, image: 'busybox:2' }]
    cluster.plane.admission.update({ ...stored, spec: { ...stored.spec, containers } })
    cluster.run()
    assert.ok(
      cluster.events('p').includes('Normal Killing: Container main definition changed, will be restarted'),
    )
    assert.equal([status(cluster, 'p').image, status(cluster, 'p').restartCount], ['busybox:2', 1])
    assert.ok(status(cluster, 'p').state.running)
    assert.equal(cluster.runtime.started.at(-1)!.image, 'busybox:2')
  }
})

test('a corrected image is pulled at once', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p', { containers: [{ name: 'main', image: 'missing:1' }] }))
  cluster.run(3 * SECOND)
  const stored = cluster.get<Pod>('pods', 'p')
  const containers = [{ ...stored.spec.containers[0]!, image: 'busybox:2' }]
  cluster.plane.admission.update({ ...stored, spec: { ...stored.spec, containers } })
  cluster.run(100 * MILLISECOND)
  assert.ok(status(cluster, 'p').state.running)
})

test('files of a ConfigMap change with it', () => {
  const cluster = new Cluster().run()
  const map = (data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web', namespace: 'default' },
    data,
  })
  cluster.create(map({ page: 'one', old: '' }))
  cluster.create(pod('p', { volumes: [{ name: 'html', configMap: { name: 'web' } }] }))
  cluster.run()
  cluster.plane.admission.update(map({ page: 'two' }))
  assert.equal(cluster.runtime.volumeUpdates, [
    { pod: 'p', volume: { name: 'html', files: { page: 'two' } } },
  ])
})

test.run()
