// The group metrics.k8s.io: what is measured as objects, lists and Tables; and kubectl top over it.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Usage } from '../../src/api/metrics.js'
import type { KubeObject } from '../../src/cluster/objects.js'
import { ApiFixture } from '../support/api-fixture.js'

const GROUP = '/apis/metrics.k8s.io/v1beta1'
const MEBIBYTE = 2 ** 20
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

/** Pods `shop` and `cart`, of which something is known, and `new`; the node that they are on. */
class Lab extends ApiFixture {
  constructor() {
    super()
    const use = (name: string, containers: { name: string; cores: number; memoryBytes: number }[]) => {
      const options = { containers: containers.map((container) => container.name), labels: { app: name } }
      const { metadata } = this.runningPod(name, options)
      this.metrics.pods.set(metadata.uid!, { windowMillis: 12_500, containers })
    }
    use('shop', [
      { name: 'web', cores: 0.25, memoryBytes: 5 * MEBIBYTE },
      { name: 'log', cores: 0.0011, memoryBytes: MEBIBYTE },
    ])
    use('cart', [{ name: 'main', cores: 1, memoryBytes: 3 * MEBIBYTE }])
    this.runningPod('new')
    this.node('k8s-node1', { cores: 1.5, memoryBytes: 512 * MEBIBYTE, windowMillis: 15_000 })
  }

  node(name: string, usage: Usage): void {
    const status = { allocatable: { cpu: '4', memory: '2Gi' }, capacity: { cpu: '4', memory: '2Gi' } }
    this.store.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {}, status } as KubeObject)
    this.metrics.nodes.set(name, usage)
  }

  get(path: string, query: Record<string, string> = {}, accept = 'application/json') {
    const { status, body } = this.api.request({
      method: 'GET',
      path: GROUP + path,
      query,
      headers: { accept },
    })
    // biome-ignore lint/suspicious/noExplicitAny: JSON of several kinds
    return { status, body: body as any }
  }
}

const test = suite('metrics.k8s.io')

test('discovery names the group, which can be read only', () => {
  const lab = new Lab()
  const { resources } = lab.get('').body as { resources: { name: string; kind: string; verbs: string[] }[] }
  assert.equal(
    resources.map(({ name, kind, verbs }) => [name, kind, verbs]),
    [
      ['nodes', 'NodeMetrics', ['get', 'list']],
      ['pods', 'PodMetrics', ['get', 'list']],
    ],
  )
  assert.is(lab.api.request({ method: 'DELETE', path: `${GROUP}/nodes/k8s-node1` }).status, 405)
  assert.is(lab.get('/pods/shop').status, 404)
  assert.is(lab.get('/services').status, 404)
})

test('pods of a namespace by name, without those that nothing is known of', () => {
  const { status, body } = new Lab().get('/namespaces/default/pods')
  assert.is(status, 200)
  assert.is(body.kind, 'PodMetricsList')
  assert.equal(
    body.items.map((item: KubeObject) => item.metadata.name),
    ['cart', 'shop'],
  )
  const [, { window, containers }] = body.items
  assert.is(window, '12.5s')
  assert.equal(containers, [
    { name: 'web', usage: { cpu: '250000000n', memory: '5120Ki' } },
    { name: 'log', usage: { cpu: '1100000n', memory: '1024Ki' } },
  ])
})

test('selectors, one by name, a Table', () => {
  const lab = new Lab()
  const { body } = lab.get('/pods', { labelSelector: 'app=shop' })
  assert.equal(
    body.items.map((item: KubeObject) => item.metadata.name),
    ['shop'],
  )
  assert.is(lab.get('/namespaces/default/pods/cart').body.kind, 'PodMetrics')
  assert.is(lab.get('/namespaces/default/pods/new').body.message, 'podmetrics.metrics.k8s.io "new" not found')
  const table = lab.get('/nodes', {}, TABLE).body
  assert.equal(
    table.rows.map(({ cells }: { cells: unknown[] }) => cells),
    [['k8s-node1', '1500000000n', '524288Ki', '15s']],
  )
})

test('where nothing can be measured the answer says why', () => {
  const lab = new Lab()
  lab.metrics.unavailable = 'pods share threads'
  const { status, body } = lab.get('/pods')
  assert.is(status, 503)
  assert.is(body.reason, 'ServiceUnavailable')
  assert.is(body.message, 'pods share threads')
})

test('kubectl top', async () => {
  const lab = new Lab()
  const top = async (line: string) => {
    const { stdout, stderr } = await lab.kubectl(`top ${line}`)
    return (stdout + stderr).split('\n').map((text) => text.trimEnd())
  }
  assert.equal(await top('nodes'), [
    'NAME        CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)',
    'k8s-node1   1500m        37%      512Mi           25%',
    '',
  ])
  assert.equal(await top('pod --sort-by=memory'), [
    'NAME   CPU(cores)   MEMORY(bytes)',
    'shop   252m         6Mi',
    'cart   1000m        3Mi',
    '',
  ])
  assert.equal(await top('pods -A --containers -l app=shop'), [
    'NAMESPACE   POD    NAME   CPU(cores)   MEMORY(bytes)',
    'default     shop   log    2m           1Mi',
    'default     shop   web    250m         5Mi',
    '',
  ])
  assert.equal(await top('pod new'), [
    'Error from server (NotFound): podmetrics.metrics.k8s.io "new" not found',
    '',
  ])
  assert.equal(await top('pod --sort-by=age'), ['error: --sort-by accepts only cpu or memory', ''])
  assert.equal(await top('pod -n kube-system'), ['No resources found in kube-system namespace.', ''])
})

test.run()
