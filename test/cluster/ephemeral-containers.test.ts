import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MINUTE, SECOND } from '../../src/base/time.js'
import { cloneJson } from '../../src/cluster/json.js'
import type { EphemeralContainer, Pod } from '../../src/cluster/objects.js'
import { ApiError } from '../../src/cluster/status.js'
import { Cluster, pod } from './cluster-fixture.js'

const test = suite('ephemeral containers')

const DEBUGGER: EphemeralContainer = { name: 'debugger', image: 'busybox', targetContainerName: 'main' }

function add(cluster: Cluster, name: string, ...containers: EphemeralContainer[]): Pod {
  const next = cloneJson(cluster.get<Pod>('pods', name))
  next.spec.ephemeralContainers = [...(next.spec.ephemeralContainers ?? []), ...containers]
  return cluster.plane.admission.update(next, { subresource: 'ephemeralcontainers' })
}

function refusal(write: () => unknown): string {
  try {
    write()
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
  throw new Error('it was written')
}

function statusOf(cluster: Cluster, name: string) {
  const {
    phase,
    containerStatuses = [],
    ephemeralContainerStatuses = [],
  } = cluster.get<Pod>('pods', name).status!
  return { phase, main: containerStatuses[0]!, ephemeral: ephemeralContainerStatuses }
}

test('one that is added starts beside the others, once, and does not count for the pod', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('web'))
  cluster.run()
  assert.equal(statusOf(cluster, 'web').ephemeral, [])
  add(cluster, 'web', DEBUGGER)
  cluster.run()
  assert.ok(statusOf(cluster, 'web').ephemeral[0]!.state.running)
  assert.is(cluster.runtime.started.at(-1)!.name, 'debugger')
  const { uid } = cluster.runtime.sandboxOf('web')
  cluster.runtime.exit(uid, 'debugger', 3)
  cluster.run(10 * MINUTE)
  const { phase, main, ephemeral } = statusOf(cluster, 'web')
  assert.equal([phase, main.ready, main.restartCount], ['Running', true, 0])
  assert.equal([ephemeral[0]!.state.terminated?.exitCode, ephemeral[0]!.restartCount], [3, 0])
  assert.ok(cluster.plane.settled())
  assert.ok(cluster.events('web').includes('Normal Started: Started container debugger'))
})

test('it does not wait for init containers, and ends with its pod', () => {
  const cluster = new Cluster().run()
  const initContainers = [{ name: 'slow', image: 'busybox' }]
  cluster.create(pod('job', { initContainers, restartPolicy: 'Never' }))
  cluster.run()
  add(cluster, 'job', DEBUGGER)
  cluster.run()
  assert.ok(statusOf(cluster, 'job').ephemeral[0]!.state.running)
  assert.is(statusOf(cluster, 'job').phase, 'Pending')
  const { uid } = cluster.runtime.sandboxOf('job')
  cluster.runtime.exit(uid, 'slow', 0)
  cluster.run()
  cluster.runtime.exit(uid, 'main', 0)
  cluster.run(5 * SECOND)
  assert.is(statusOf(cluster, 'job').phase, 'Succeeded')
  assert.ok(statusOf(cluster, 'job').ephemeral[0]!.state.terminated)
})

test('an image that cannot be had is told, and the pod runs on', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('web'))
  cluster.run()
  add(cluster, 'web', { name: 'debugger', image: 'missing:1' })
  cluster.run(10 * SECOND)
  const { phase, ephemeral } = statusOf(cluster, 'web')
  assert.equal([phase, ephemeral[0]!.state.waiting?.reason], ['Running', 'ImagePullBackOff'])
})

test('it is added through its subresource alone, and stays as it is', () => {
  const cluster = new Cluster().run()
  const { admission } = cluster.plane
  const ephemeralContainers = [DEBUGGER]
  assert.match(
    refusal(() => cluster.create(pod('early', { ephemeralContainers }))),
    /spec\.ephemeralContainers: Forbidden: cannot be set on create/,
  )
  const web = cluster.create(pod('web'))
  assert.match(
    refusal(() => admission.update({ ...web, spec: { ...web.spec, ephemeralContainers } })),
    /pod updates may not change fields other than/,
  )
  add(cluster, 'web', DEBUGGER)
  const added = cluster.get<Pod>('pods', 'web')
  const write = (containers: EphemeralContainer[]) =>
    refusal(() =>
      admission.update(
        { ...added, spec: { ...added.spec, ephemeralContainers: containers } },
        { subresource: 'ephemeralcontainers' },
      ),
    )
  assert.match(write([]), /existing ephemeral containers "debugger" may not be removed/)
  assert.match(write([{ ...DEBUGGER, image: 'nginx' }]), /"debugger" may not be changed/)
  const [stored] = added.spec.ephemeralContainers!
  assert.match(
    write([stored!, { name: 'main', image: 'nginx' }]),
    /ephemeralContainers\[1\]\.name: Duplicate value: "main"/,
  )
  assert.match(
    write([stored!, { name: 'x', image: 'nginx', ports: [{ containerPort: 80 }] }]),
    /ephemeralContainers\[1\]\.ports: Forbidden: cannot be set for an Ephemeral Container/,
  )
  assert.match(
    write([stored!, { name: 'x', image: 'nginx', targetContainerName: 'nope' }]),
    /targetContainerName: Not found: "nope"/,
  )
  // What else a client sends there is not taken.
  const spec = { ...added.spec, hostname: 'other', ephemeralContainers: [stored!] }
  const written = admission.update({ ...added, spec }, { subresource: 'ephemeralcontainers' })
  assert.is(written.spec.hostname, undefined)
})

test('a template has none', () => {
  const cluster = new Cluster().run()
  const spec = { containers: [{ name: 'main', image: 'nginx' }], ephemeralContainers: [DEBUGGER] }
  const template = { metadata: { labels: { app: 'web' } }, spec }
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment' as const,
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: { app: 'web' } }, template },
  }
  assert.match(
    refusal(() => cluster.create(deployment)),
    /spec\.template\.spec\.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template/,
  )
})

test('a hostPath is an emptyDir, which is told', () => {
  const cluster = new Cluster().run()
  const warnings: string[] = []
  const volumes = [{ name: 'logs', hostPath: { path: '/var/log' } }]
  const onWarning = (text: string) => warnings.push(text)
  cluster.plane.admission.create(pod('web', { volumes }), { onWarning })
  cluster.run()
  assert.is(statusOf(cluster, 'web').phase, 'Running')
  assert.equal(cluster.runtime.sandboxOf('web').volumes, [{ name: 'logs' }])
  assert.match(warnings.join(), /^spec\.volumes\[0\]\.hostPath: nodes have no files of their own/)
  const outside = [{ name: 'logs', hostPath: { path: '/var/../etc' } }]
  assert.match(
    refusal(() => cluster.create(pod('bad', { volumes: outside }))),
    /spec\.volumes\[0\]\.hostPath\.path: Invalid value: "\/var\/\.\.\/etc": must not contain '\.\.'/,
  )
})

test.run()
