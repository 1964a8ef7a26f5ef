import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { KubeObject, Pod, Secret } from '../../src/cluster/objects.js'
import { Cluster, pod } from './cluster-fixture.js'

const test = suite('secrets and service accounts')

function secret(name: string, fields: Record<string, unknown>): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...fields }
}

test('stringData goes into data, and the type is Opaque', () => {
  const cluster = new Cluster()
  const made = cluster.create(secret('s', { data: { a: 'eA==' }, stringData: { b: 'grün' } })) as Secret
  assert.equal(made.data, { a: 'eA==', b: 'Z3LDvG4=' })
  assert.equal([made.type, made['stringData']], ['Opaque', undefined])
})

test('data that is no base64 is refused, and so is a change of the type', () => {
  const cluster = new Cluster()
  assert.throws(
    () => cluster.create(secret('s', { data: { a: 'no!' } })),
    'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 2',
  )
  const made = cluster.create(secret('s', { immutable: true, stringData: { a: '1' } }))
  assert.throws(
    () => cluster.plane.admission.update({ ...made, type: 'other' }),
    'type: Invalid value: "other": field is immutable',
  )
  assert.throws(
    () => cluster.plane.admission.update({ ...made, stringData: { a: '2' } }),
    'data: Forbidden: field is immutable when `immutable` is set',
  )
})

test('a container reads a secret as variables and as files, once it is there', () => {
  const cluster = new Cluster().run()
  cluster.create(
    pod('p', {
      containers: [
        {
          name: 'main',
          image: 'busybox:1',
          env: [{ name: 'ONE', valueFrom: { secretKeyRef: { name: 's', key: 'one' } } }],
          envFrom: [{ prefix: 'ALL_', secretRef: { name: 's' } }],
          volumeMounts: [{ name: 'files', mountPath: '/files' }],
        },
      ],
      volumes: [{ name: 'files', secret: { secretName: 's', items: [{ key: 'one', path: 'first' }] } }],
    }),
  )
  cluster.run()
  assert.ok(
    cluster
      .events('p')
      .includes('Warning FailedMount: MountVolume.SetUp failed for volume "files" : secret "s" not found'),
  )
  cluster.create(secret('s', { stringData: { one: '1', two: '2' } }))
  cluster.run()
  assert.is(cluster.get<Pod>('pods', 'p').status?.phase, 'Running')
  const { env } = cluster.runtime.started.find(({ image }) => image === 'busybox:1')!
  const values = new Map(env)
  assert.equal([values.get('ONE'), values.get('ALL_one'), values.get('ALL_two')], ['1', '1', '2'])
  assert.equal(cluster.runtime.sandboxOf('p').volumes, [{ name: 'files', files: { first: '1' } }])
})

test('every namespace has a default service account, and gets it again', () => {
  const cluster = new Cluster().run()
  cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  cluster.run()
  const first = cluster.get('serviceaccounts', 'default', 'team')
  cluster.plane.admission.delete('serviceaccounts', 'team', 'default')
  cluster.run()
  assert.is.not(cluster.get('serviceaccounts', 'default', 'team').metadata.uid, first.metadata.uid)
  cluster.plane.admission.delete('namespaces', undefined, 'team')
  cluster.run()
  assert.is(cluster.store.list('serviceaccounts', 'team').length, 0)
  assert.is(cluster.store.get('namespaces', undefined, 'team'), undefined)
})

test.run()
