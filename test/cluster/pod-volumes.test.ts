// Projected volumes and those of the pod's own fields, and the one that every pod gets to speak with the API server.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Pod } from '../../src/cluster/objects.js'
import { Cluster, pod, refusal } from './cluster-fixture.js'

const PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const AUTHORITY = 'a certificate'

const test = suite('volumes of pods')

function clusterWithAuthority(): Cluster {
  return new Cluster({}, 1, undefined, undefined, AUTHORITY).run()
}

function configMap(data: Record<string, string>) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'map' }, data }
}

function filesOf(cluster: Cluster, name: string, volume: string) {
  return cluster.runtime.sandboxOf(name).volumes.find((each) => each.name === volume)
}

test('a projected volume has files of all its sources, with their modes', () => {
  const cluster = new Cluster().run()
  const sources = [
    { configMap: { name: 'map', items: [{ key: 'k', path: 'sub/k', mode: 0o555 }] } },
    { secret: { name: 'hidden', optional: true } },
    { serviceAccountToken: { path: 'token', audience: 'vault' } },
    { downwardAPI: { items: [{ path: 'notes', fieldRef: { fieldPath: 'metadata.annotations' } }] } },
  ]
  const made = pod('p', { volumes: [{ name: 'all', projected: { defaultMode: 0o400, sources } }] })
  cluster.create({ ...made, metadata: { ...made.metadata, annotations: { b: 'x"y', a: '1' } } })
  cluster.run()
  const missing = 'Warning FailedMount: MountVolume.SetUp failed for volume "all" : configmap "map" not found'
  assert.ok(cluster.events('p').includes(missing))
  cluster.create(configMap({ k: 'v', other: '' }))
  cluster.run()
  const { files, modes } = filesOf(cluster, 'p', 'all')!
  const { token, ...others } = files!
  assert.equal(others, { 'sub/k': 'v', notes: 'a="1"\nb="x\\"y"' })
  assert.equal(modes, { 'sub/k': 0o555, token: 0o400, notes: 0o400 })
  assert.equal(cluster.plane.tokens.verify(token!)?.aud, ['vault'])
})

test('fields of the pod are files', () => {
  const cluster = new Cluster().run()
  const items = [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }]
  cluster.create(pod('p', { volumes: [{ name: 'info', downwardAPI: { items } }] }))
  cluster.run()
  assert.equal(filesOf(cluster, 'p', 'info')?.files, { name: 'p' })
  const { volumes } = cluster.get<Pod>('pods', 'p').spec
  assert.equal(volumes?.[0]?.downwardAPI?.items?.[0]?.fieldRef?.apiVersion, 'v1')
  assert.is(volumes?.[0]?.downwardAPI?.defaultMode, 0o644)
})

test('what cannot be a file is refused', () => {
  const sources = [
    { configMap: { name: 'map', items: [{ key: 'k', path: '../k' }] }, secret: { name: 's' } },
    { serviceAccountToken: { path: '', expirationSeconds: 5 } },
    { downwardAPI: { items: [{ path: 'ip', fieldRef: { fieldPath: 'status.podIP' } }] } },
  ]
  const refused = refusal(() =>
    new Cluster().create(pod('p', { volumes: [{ name: 'v', projected: { sources } }] })),
  )
  assert.equal(
    refused.details?.causes?.map(({ field }) => field.replace('spec.volumes[0].projected.sources', '')),
    [
      '[0].secret',
      '[0].configMap.items[0].path',
      '[1].serviceAccountToken.path',
      '[1].serviceAccountToken.expirationSeconds',
      '[2].downwardAPI.items[0].fieldRef.fieldPath',
    ],
  )
})

test('every pod gets a volume for the API server, mounted in its containers', () => {
  const cluster = clusterWithAuthority()
  const containers = [
    { name: 'a', image: 'nginx' },
    { name: 'own', image: 'nginx', volumeMounts: [{ name: 'mine', mountPath: PATH }] },
  ]
  cluster.create(pod('p', { containers, volumes: [{ name: 'mine', emptyDir: {} }] }))
  cluster.run()
  const { spec } = cluster.get<Pod>('pods', 'p')
  const { name, projected } = spec.volumes![1]!
  assert.match(name, /^kube-api-access-[a-z0-9]{5}$/)
  assert.equal(
    projected?.sources?.map((source) => Object.keys(source)[0]),
    ['serviceAccountToken', 'configMap', 'downwardAPI'],
  )
  assert.equal(spec.containers[0]?.volumeMounts, [{ name, mountPath: PATH, readOnly: true }])
  assert.is(spec.containers[1]?.volumeMounts?.length, 1)
  const { token, ...files } = filesOf(cluster, 'p', name)!.files!
  assert.equal(files, { 'ca.crt': AUTHORITY, namespace: 'default' })
  assert.is(cluster.plane.tokens.authenticate(token!)?.username, 'system:serviceaccount:default:default')
})

test('who does not want it goes without, and so does a cluster without authority', () => {
  const cluster = clusterWithAuthority()
  cluster.create(pod('p', { automountServiceAccountToken: false }))
  cluster.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'shy' },
    automountServiceAccountToken: false,
  })
  cluster.create(pod('q', { serviceAccountName: 'shy' }))
  cluster.create(pod('r', { serviceAccountName: 'nobody' }))
  const other = new Cluster().run()
  other.create(pod('s'))
  const specs = [
    ...['p', 'q', 'r'].map((name) => cluster.get<Pod>('pods', name)),
    other.get<Pod>('pods', 's'),
  ]
  for (const { spec } of specs) assert.is(spec.volumes, undefined)
})

test.run()
