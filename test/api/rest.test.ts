// The rules of REST that clients lean on: versions of lists, pages, selectors, forms of answers, preconditions, and
// what is refused with which Status.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ApiRequest, Status, Verb, WatchLine } from '../../src/api/request.js'
import type { PodDisruptionBudget } from '../../src/cluster/disruption-budget.js'
import type { KubeObject } from '../../src/cluster/objects.js'
import { ApiFixture } from '../support/api-fixture.js'

const test = suite<{ fixture: ApiFixture }>('REST')
const MAPS = '/api/v1/namespaces/default/configmaps'
const PODS = '/api/v1/namespaces/default/pods'
const MERGE = { 'content-type': 'application/merge-patch+json' }

test.before.each((context) => {
  context.fixture = new ApiFixture()
})

function send(fixture: ApiFixture, method: Verb, path: string, more: Partial<ApiRequest> = {}) {
  return fixture.api.request({ method, path, ...more })
}

function refusal(response: {
  status: number
  body: unknown
}): [number, string | undefined, string | undefined] {
  const { reason, message } = response.body as Status
  return [response.status, reason, message]
}

interface List {
  readonly items: KubeObject[]
  readonly metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
}

function list(fixture: ApiFixture, query: Record<string, string>, path = MAPS): List {
  const { status, body } = send(fixture, 'GET', path, { query })
  assert.is(status, 200)
  return body as List
}

const names = ({ items }: List) => items.map(({ metadata }) => metadata.name)

function makeMaps(fixture: ApiFixture, ...maps: string[]): void {
  for (const name of maps) send(fixture, 'POST', MAPS, { body: { metadata: { name, labels: { of: name } } } })
}

test('later pages show the collection as it was at the first', ({ fixture }) => {
  makeMaps(fixture, 'a', 'b', 'c', 'd')
  const first = list(fixture, { limit: '2' })
  assert.equal([names(first), first.metadata.remainingItemCount], [['a', 'b'], 2])
  send(fixture, 'DELETE', `${MAPS}/c`)
  send(fixture, 'PATCH', `${MAPS}/d`, { headers: MERGE, body: { data: { changed: 'yes' } } })
  makeMaps(fixture, 'e')
  const second = list(fixture, { limit: '2', continue: first.metadata.continue! })
  assert.equal(names(second), ['c', 'd'])
  assert.is(second.items[1]!['data'], undefined)
  assert.equal(
    [second.metadata.resourceVersion, second.metadata.continue],
    [first.metadata.resourceVersion, undefined],
  )
  assert.equal(names(list(fixture, {})), ['a', 'b', 'd', 'e'])
})

test('a page of a version that is forgotten is Expired, with a token for the rest as it is now', ({
  fixture,
}) => {
  makeMaps(fixture, 'a', 'b', 'c')
  const { metadata } = list(fixture, { limit: '1' })
  for (let n = 0; n < 1100; n++) {
    send(fixture, 'PATCH', `${MAPS}/c`, { headers: MERGE, body: { data: { n: String(n) } } })
  }
  const expired = send(fixture, 'GET', MAPS, { query: { limit: '1', continue: metadata.continue! } })
  assert.equal(refusal(expired).slice(0, 2), [410, 'Expired'])
  const token = (expired.body as Status).metadata.continue!
  assert.equal(names(list(fixture, { continue: token })), ['b', 'c'])
  assert.is(send(fixture, 'GET', MAPS, { query: { continue: 'nonsense' } }).status, 400)
})

test('a list can be had at a version exactly, or not older than one', ({ fixture }) => {
  makeMaps(fixture, 'a')
  const { resourceVersion } = list(fixture, {}).metadata
  makeMaps(fixture, 'b')
  assert.equal(names(list(fixture, { resourceVersion, resourceVersionMatch: 'Exact' })), ['a'])
  assert.equal(names(list(fixture, { resourceVersion, limit: '5' })), ['a'])
  assert.equal(names(list(fixture, { resourceVersion, resourceVersionMatch: 'NotOlderThan' })), ['a', 'b'])
  assert.equal(names(list(fixture, { resourceVersion: '0' })), ['a', 'b'])
  const future = send(fixture, 'GET', MAPS, { query: { resourceVersion: '999999' } })
  assert.equal(refusal(future).slice(0, 2), [504, 'Timeout'])
})

test('versions and matches that cannot be are Invalid, in the words of upstream', ({ fixture }) => {
  const refused = (query: Record<string, string>) => refusal(send(fixture, 'GET', MAPS, { query }))
  assert.equal(refused({ resourceVersionMatch: 'Exact' }), [
    422,
    'Invalid',
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  ])
  assert.match(
    refused({ resourceVersion: '1', resourceVersionMatch: 'Newest' })[2]!,
    'resourceVersionMatch: Unsupported value: "Newest": supported values: "Exact", "NotOlderThan"',
  )
  assert.match(refused({ resourceVersion: 'abc' })[2]!, 'resourceVersion: Invalid value: "abc"')
  assert.is(refused({ limit: 'x' })[0], 400)
  assert.is(refused({ sendInitialEvents: 'true' })[0], 422)
})

test('a list by selector does not tell how many remain', ({ fixture }) => {
  makeMaps(fixture, 'a', 'b', 'c')
  const { metadata } = list(fixture, { limit: '1', labelSelector: 'of!=a' })
  assert.is(metadata.remainingItemCount, undefined)
  assert.ok(metadata.continue)
})

test('fields that are not set are selected by what they mean', ({ fixture }) => {
  fixture.runningPod('curl')
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } } as KubeObject
  fixture.admission.create(node)
  const found = (path: string, fieldSelector: string) => names(list(fixture, { fieldSelector }, path))
  assert.equal(found('/api/v1/nodes', 'spec.unschedulable=false'), ['n1'])
  assert.equal(found(PODS, 'spec.hostNetwork=false,status.phase!=Failed,spec.nodeName=k8s-node1'), ['curl'])
  assert.equal(found(PODS, 'spec.nodeName='), [])
  const event = {
    metadata: { name: 'e1' },
    involvedObject: { kind: 'Pod', name: 'a,b', namespace: 'default' },
    source: { component: 'kubelet' },
  }
  const events = '/api/v1/namespaces/default/events'
  assert.is(send(fixture, 'POST', events, { body: event }).status, 201)
  assert.equal(found(events, 'source=kubelet'), ['e1'])
  assert.equal(found(events, 'involvedObject.name=a\\,b'), ['e1'])
})

test('metadata alone is given to who asks for it, and 406 to who takes no JSON', ({ fixture }) => {
  makeMaps(fixture, 'a')
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
  const partial = send(fixture, 'GET', MAPS, { headers: { accept } }).body as List & { kind: string }
  assert.is(partial.kind, 'PartialObjectMetadataList')
  assert.equal(Object.keys(partial.items[0]!), ['kind', 'apiVersion', 'metadata'])
  const binary = 'application/vnd.kubernetes.protobuf'
  assert.is(send(fixture, 'GET', MAPS, { headers: { accept: `${binary},application/json` } }).status, 200)
  assert.is(send(fixture, 'GET', MAPS, { headers: { accept: binary } }).status, 406)
  const table = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' }
  const all = send(fixture, 'GET', MAPS, { headers: table, query: { includeObject: 'All' } })
  assert.is(all.status, 422)
})

test('an eviction deletes the pod, as kubectl drain wants it', ({ fixture }) => {
  fixture.runningPod('curl')
  const path = `${PODS}/curl/eviction`
  const body = { kind: 'Eviction', apiVersion: 'policy/v1', metadata: { name: 'curl' } }
  assert.is(send(fixture, 'POST', path, { body, query: { dryRun: 'All' } }).status, 201)
  assert.is(fixture.store.get('pods', 'default', 'curl')?.metadata.deletionTimestamp, undefined)
  const wrong = { ...body, deleteOptions: { preconditions: { uid: 'other' } } }
  assert.equal(refusal(send(fixture, 'POST', path, { body: wrong })).slice(0, 2), [409, 'Conflict'])
  const evicted = send(fixture, 'POST', path, { body: { ...body, deleteOptions: { gracePeriodSeconds: 5 } } })
  assert.equal([evicted.status, (evicted.body as Status).status], [201, 'Success'])
  assert.is(fixture.store.get('pods', 'default', 'curl')?.metadata.deletionGracePeriodSeconds, 5)
  assert.is(send(fixture, 'POST', `${PODS}/nope/eviction`, { body }).status, 404)
})

test('an eviction that a disruption budget does not allow is put off', ({ fixture }) => {
  fixture.runningPod('curl', { labels: { app: 'curl' } })
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  const selector = { matchLabels: { app: 'curl' } }
  const metadata = { name: 'budget' }
  assert.is(send(fixture, 'POST', budgets, { body: { metadata, spec: { selector } } }).status, 201)
  const path = `${PODS}/curl/eviction`
  const body = { kind: 'Eviction', apiVersion: 'policy/v1', metadata: { name: 'curl' } }
  const refused = (evicted: ReturnType<typeof send>) => {
    const { code, reason, details } = evicted.body as Status
    return [code, reason, details?.causes?.[0]?.message]
  }
  assert.equal(refused(send(fixture, 'POST', path, { body })), [
    429,
    'TooManyRequests',
    'The disruption budget budget is still being processed by the server.',
  ])
  const counts = { observedGeneration: 1, expectedPods: 1, currentHealthy: 1, desiredHealthy: 1 }
  const told = (disruptionsAllowed: number) =>
    send(fixture, 'PUT', `${budgets}/budget/status`, {
      body: { metadata, spec: { selector }, status: { ...counts, disruptionsAllowed } },
    })
  told(0)
  assert.equal(refused(send(fixture, 'POST', path, { body })), [
    429,
    'TooManyRequests',
    'The disruption budget budget needs 1 healthy pods and has 1 currently',
  ])
  assert.is(fixture.store.get('pods', 'default', 'curl')?.metadata.deletionTimestamp, undefined)
  told(1)
  assert.is(send(fixture, 'POST', path, { body }).status, 201)
  const budget = fixture.store.get<PodDisruptionBudget>('poddisruptionbudgets', 'default', 'budget')
  assert.is(budget?.status?.disruptionsAllowed, 0)
})

test('a binding puts a pod on a node, once', ({ fixture }) => {
  send(fixture, 'POST', PODS, {
    body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
  })
  const body = {
    kind: 'Binding',
    apiVersion: 'v1',
    metadata: { name: 'p' },
    target: { kind: 'Node', name: 'n1' },
  }
  assert.is(send(fixture, 'POST', `${PODS}/p/binding`, { body }).status, 201)
  assert.equal(names(list(fixture, { fieldSelector: 'spec.nodeName=n1' }, PODS)), ['p'])
  assert.equal(refusal(send(fixture, 'POST', `${PODS}/p/binding`, { body })), [
    409,
    'Conflict',
    'Operation cannot be fulfilled on pods "p": pod p is already assigned to node "n1"',
  ])
  assert.is(send(fixture, 'POST', `${PODS}/p/binding`, { body: { ...body, target: {} } }).status, 400)
})

test('a patch may change neither name nor kind, and its media type is looked at first', ({ fixture }) => {
  makeMaps(fixture, 'a', 'b')
  const patch = (name: string, body: unknown, headers: Record<string, string> = MERGE) =>
    refusal(send(fixture, 'PATCH', `${MAPS}/${name}`, { headers, body }))[0]
  assert.is(patch('a', { metadata: { name: 'b' } }), 400)
  assert.is(patch('a', { metadata: { namespace: 'kube-system' } }), 400)
  assert.is(patch('a', { kind: 'Secret' }), 400)
  assert.is(patch('nope', {}, { 'content-type': 'application/apply-patch+yaml' }), 415)
  assert.is(patch('nope', {}), 404)
})

test('a DELETE with preconditions spares what is not meant', ({ fixture }) => {
  makeMaps(fixture, 'a')
  const remove = (preconditions: object) =>
    refusal(send(fixture, 'DELETE', `${MAPS}/a`, { body: { preconditions } }))
  const { uid, resourceVersion } = list(fixture, {}).items[0]!.metadata
  assert.match(remove({ uid: 'other' })[2]!, 'Precondition failed: UID in precondition: other')
  assert.match(
    remove({ resourceVersion: '1' })[2]!,
    'Precondition failed: ResourceVersion in precondition: 1',
  )
  assert.is(remove({ uid, resourceVersion })[0], 200)
  const policy = send(fixture, 'DELETE', `${MAPS}/a`, { body: { propagationPolicy: 'Sideways' } })
  assert.match(
    refusal(policy)[2]!,
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value',
  )
})

test('a collection is deleted by selector, in one namespace only', ({ fixture }) => {
  makeMaps(fixture, 'a', 'b')
  send(fixture, 'DELETE', MAPS, { query: { labelSelector: 'of=a', dryRun: 'All' } })
  assert.equal(names(list(fixture, {})), ['a', 'b'])
  send(fixture, 'DELETE', MAPS, { query: { labelSelector: 'of=a' } })
  assert.equal(names(list(fixture, {})), ['b'])
  assert.is(send(fixture, 'DELETE', '/api/v1/configmaps').status, 405)
  assert.is(send(fixture, 'DELETE', '/api/v1/namespaces').status, 405)
  assert.is(send(fixture, 'POST', '/api/v1/configmaps', { body: { metadata: { name: 'x' } } }).status, 405)
})

test('reviews of oneself allow everything', ({ fixture }) => {
  const review = (group: string, plural: string, body: object) =>
    send(fixture, 'POST', `/apis/${group}/v1/${plural}`, { body }).body as { status: Record<string, unknown> }
  const spec = { resourceAttributes: { verb: 'create', resource: 'pods' } }
  const access = review('authorization.k8s.io', 'selfsubjectaccessreviews', { spec })
  assert.is(access.status['allowed'], true)
  const who = review('authentication.k8s.io', 'selfsubjectreviews', {})
  assert.equal((who.status['userInfo'] as { username: string }).username, 'kubernetes-admin')
  assert.is(send(fixture, 'GET', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews').status, 405)
  const both = review('authorization.k8s.io', 'selfsubjectaccessreviews', { spec: {} })
  assert.is((both as unknown as Status).code, 400)
})

test('a path that is no text names nothing', ({ fixture }) => {
  assert.is(send(fixture, 'GET', `${MAPS}/%ff`).status, 404)
  assert.is(send(fixture, 'GET', `${MAPS}/%`).status, 404)
})

test('a scale is shown as a row of a Table', ({ fixture }) => {
  const path = '/apis/apps/v1/namespaces/default/deployments'
  const spec = {
    replicas: 3,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
  }
  send(fixture, 'POST', path, { body: { metadata: { name: 'web' }, spec } })
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  const { columnDefinitions, rows } = send(fixture, 'GET', `${path}/web/scale`, { headers }).body as {
    columnDefinitions: { name: string }[]
    rows: { cells: unknown[] }[]
  }
  assert.equal(
    columnDefinitions.map(({ name }) => name),
    ['Name', 'Desired', 'Available', 'Age'],
  )
  assert.equal(rows[0]?.cells, ['web', 3, 0, '0s'])
})

test('the number of replicas of a scale is checked', ({ fixture }) => {
  const path = '/apis/apps/v1/namespaces/default/deployments'
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template }
  send(fixture, 'POST', path, { body: { metadata: { name: 'web' }, spec } })
  const scale = (replicas: unknown) =>
    refusal(send(fixture, 'PATCH', `${path}/web/scale`, { headers: MERGE, body: { spec: { replicas } } }))
  assert.match(scale(-1)[2]!, 'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1')
  assert.is(scale('many')[0], 400)
  assert.is(scale(4)[0], 200)
})

test('a watch of metadata and of Tables has each object in that form', ({ fixture }) => {
  const kinds: unknown[] = []
  const watch = (accept: string) =>
    fixture.api.watch(
      { method: 'GET', path: MAPS, headers: { accept }, query: { watch: 'true' } },
      ({ object }: WatchLine) => kinds.push((object as { kind: string }).kind),
    )
  watch('application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1')
  watch('application/json;as=Table;g=meta.k8s.io;v=v1')
  makeMaps(fixture, 'a')
  assert.equal(kinds, ['PartialObjectMetadata', 'Table'])
})

test.run()
