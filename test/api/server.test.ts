import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ApiRequest, Status, Verb, WatchLine } from '../../src/api/request.js'
import type { KubeObject } from '../../src/cluster/objects.js'
import { ApiFixture } from '../support/api-fixture.js'

const test = suite('API server')
const PODS = '/api/v1/namespaces/default/pods'

function send(fixture: ApiFixture, method: Verb, path: string, more: Partial<ApiRequest> = {}) {
  return fixture.api.request({ method, path, ...more })
}

function pod(name: string, labels: Record<string, string> = {}): object {
  return { metadata: { name, labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } }
}

function names(body: unknown): string[] {
  return (body as { items: KubeObject[] }).items.map(({ metadata }) => metadata.name)
}

function refusal(response: {
  status: number
  body: unknown
}): [number, string | undefined, string | undefined] {
  const { reason, message } = response.body as Status
  return [response.status, reason, message]
}

test('a body without kind and apiVersion takes them from the path', () => {
  const response = send(new ApiFixture(), 'POST', PODS, { body: pod('curl') })
  assert.is(response.status, 201)
  const created = response.body as KubeObject
  assert.equal([created.kind, created.apiVersion, created.metadata.namespace], ['Pod', 'v1', 'default'])
})

test('paths of the server, what it counts, and that unknown paths are counted as one', () => {
  const fixture = new ApiFixture()
  const { paths } = send(fixture, 'GET', '/').body as { paths: string[] }
  for (const path of ['/api/v1', '/apis/apps', '/apis/apps/v1', '/metrics', '/openapi/v3', '/version'])
    assert.ok(paths.includes(path), path)
  for (const path of paths.filter((path) => /^.(api|version|health|metrics)/.test(path)))
    assert.is(send(fixture, 'GET', path).status, 200, path)
  assert.equal(send(fixture, 'GET', '/version/').body, send(fixture, 'GET', '/version').body)
  send(fixture, 'POST', PODS, { body: pod('curl') })
  for (let n = 0; n < 3; n++) send(fixture, 'GET', `/api/v1/pods/x/nope"${n}\n`)
  for (let n = 0; n < 2; n++) send(fixture, 'GET', `/api/v${n + 7}/pods${n}`)
  const response = send(fixture, 'GET', '/metrics')
  assert.match(response.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
  const lines = String(response.body).split('\n')
  assert.ok(lines.includes('apiserver_storage_objects{resource="pods"} 1'))
  const created = 'code="201",group="",resource="pods",subresource="",verb="POST",version="v1"'
  assert.ok(lines.includes(`apiserver_request_total{${created}} 1`), lines.join('\n'))
  const unknown = 'code="404",group="",resource="",subresource="",verb="GET",version=""'
  assert.ok(lines.includes(`apiserver_request_total{${unknown}} 5`), lines.join('\n'))
  for (const line of lines) assert.match(line, /^(# (HELP|TYPE) \w+ .*|\w+\{(\w+="[^"]*",?)+\} \d+|)$/)
})

test('what is refused is a Status in the words of Kubernetes', () => {
  const fixture = new ApiFixture()
  send(fixture, 'POST', PODS, { body: pod('curl') })
  assert.equal(refusal(send(fixture, 'GET', `${PODS}/x`)), [404, 'NotFound', 'pods "x" not found'])
  assert.equal(refusal(send(fixture, 'POST', PODS, { body: pod('curl') })), [
    409,
    'AlreadyExists',
    'pods "curl" already exists',
  ])
  assert.equal(refusal(send(fixture, 'GET', '/apis/apps/v1/namespaces/default/deployments/web')), [
    404,
    'NotFound',
    'deployments.apps "web" not found',
  ])
  assert.equal(refusal(send(fixture, 'GET', '/api/v1/nothing')), [
    404,
    'NotFound',
    'the server could not find the requested resource: there is no nothing/v1',
  ])
  assert.equal(refusal(send(fixture, 'POST', `${PODS}/curl`, { body: pod('curl') }))[0], 405)
  assert.equal(refusal(send(fixture, 'PATCH', `${PODS}/curl`, { body: {} }))[0], 415)
  assert.equal(refusal(send(fixture, 'PUT', `${PODS}/curl`, { body: pod('other') })), [
    400,
    'BadRequest',
    'the name of the object (other) does not match the name on the URL (curl)',
  ])
  const elsewhere = { ...pod('a'), metadata: { name: 'a', namespace: 'kube-system' } }
  assert.equal(
    refusal(send(fixture, 'POST', PODS, { body: elsewhere }))[2],
    'the namespace of the provided object does not match the namespace sent on the request',
  )
})

test('an invalid object is 422 with a cause for each field', () => {
  const response = send(new ApiFixture(), 'POST', '/api/v1/namespaces/default/services', {
    body: { metadata: { name: 'web' }, spec: { ports: [{ port: 0 }] } },
  })
  assert.is(response.status, 422)
  const { details } = response.body as Status
  assert.ok(details?.causes?.some(({ field }) => field === 'spec.ports[0].port'))
})

test('an unknown field is refused by Strict and warned of by Warn', () => {
  const body = { ...pod('curl'), spek: 1 }
  const strict = send(new ApiFixture(), 'POST', PODS, { body, query: { fieldValidation: 'Strict' } })
  assert.match(refusal(strict)[2] ?? '', 'strict decoding error: unknown field "spek"')
  const warned = send(new ApiFixture(), 'POST', PODS, { body, query: { fieldValidation: 'Warn' } })
  assert.is(warned.headers['warning'], '299 - "unknown field \\"spek\\""')
})

test('a PUT with an old resourceVersion is a conflict, a dry run changes nothing', () => {
  const fixture = new ApiFixture()
  const created = send(fixture, 'POST', PODS, { body: pod('curl') }).body as KubeObject
  const relabeled = { ...created, metadata: { ...created.metadata, labels: { a: '1' } } }
  assert.is(send(fixture, 'PUT', `${PODS}/curl`, { body: relabeled, query: { dryRun: 'All' } }).status, 200)
  assert.is(send(fixture, 'PUT', `${PODS}/curl`, { body: relabeled }).status, 200)
  assert.equal(refusal(send(fixture, 'PUT', `${PODS}/curl`, { body: relabeled })), [
    409,
    'Conflict',
    'Operation cannot be fulfilled on pods "curl": the object has been modified; please apply your changes to the latest version and try again',
  ])
})

test('a write that changes nothing does not move the resourceVersion', () => {
  const fixture = new ApiFixture()
  send(fixture, 'POST', PODS, { body: pod('curl', { a: '1' }) })
  const before = fixture.store.resourceVersion
  const headers = { 'content-type': 'application/merge-patch+json' }
  send(fixture, 'PATCH', `${PODS}/curl`, { headers, body: { metadata: { labels: { a: '1' } } } })
  assert.is(fixture.store.resourceVersion, before)
})

test('status is written through /status only', () => {
  const fixture = new ApiFixture()
  send(fixture, 'POST', PODS, { body: pod('curl') })
  const headers = { 'content-type': 'application/merge-patch+json' }
  const body = { status: { message: 'hello' }, metadata: { labels: { a: '1' } } }
  const read = () =>
    send(fixture, 'GET', `${PODS}/curl`).body as KubeObject & { status?: { message?: string } }
  send(fixture, 'PATCH', `${PODS}/curl`, { headers, body })
  assert.equal([read().status?.message, read().metadata.labels], [undefined, { a: '1' }])
  send(fixture, 'PATCH', `${PODS}/curl/status`, {
    headers,
    body: { ...body, metadata: { labels: { a: '2' } } },
  })
  assert.equal([read().status?.message, read().metadata.labels], ['hello', { a: '1' }])
})

test('lists are selected by labels and fields, and come in pages', () => {
  const fixture = new ApiFixture()
  for (const name of ['c', 'a', 'b']) send(fixture, 'POST', PODS, { body: pod(name, { app: name }) })
  const list = (query: Record<string, string>) => send(fixture, 'GET', PODS, { query }).body
  assert.equal(names(list({})), ['a', 'b', 'c'])
  assert.equal(names(list({ labelSelector: 'app in (a, b),app!=b' })), ['a'])
  assert.equal(names(list({ labelSelector: '!app' })), [])
  assert.equal(names(list({ fieldSelector: 'metadata.name!=a' })), ['b', 'c'])
  const first = list({ limit: '2' }) as { metadata: { continue: string; remainingItemCount: number } }
  assert.equal([names(first), first.metadata.remainingItemCount], [['a', 'b'], 1])
  assert.equal(names(list({ limit: '2', continue: first.metadata.continue })), ['c'])
  assert.equal(refusal(send(fixture, 'GET', PODS, { query: { fieldSelector: 'spec.color=red' } })), [
    400,
    'BadRequest',
    'field label not supported: spec.color',
  ])
  const refused: Record<string, RegExp> = {
    '-x=y': /^unable to parse requirement: <nil>: Invalid value: "-x": name part must consist of/,
    'x=-y-': /^unable to parse requirement: values\[0\]\[x\]: Invalid value: "-y-": a valid label must be/,
    'x>a': /the value must be an integer$/,
    'x=y=z': /^unable to parse requirement: found/,
  }
  for (const [labelSelector, words] of Object.entries(refused)) {
    const [code, reason, message] = refusal(send(fixture, 'GET', PODS, { query: { labelSelector } }))
    assert.equal([code, reason], [400, 'BadRequest'], labelSelector)
    assert.match(message as string, words)
  }
})

test('a Table is given to who asks for one', () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
  const table = send(fixture, 'GET', PODS, { headers }).body as {
    kind: string
    columnDefinitions: { name: string; priority: number }[]
    rows: { cells: unknown[]; object: { kind: string } }[]
  }
  assert.is(table.kind, 'Table')
  assert.equal(
    table.columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name),
    ['Name', 'Ready', 'Status', 'Restarts', 'Age'],
  )
  assert.equal(table.rows[0]?.cells.slice(0, 4), ['curl', '1/1', 'Running', '0'])
  assert.is(table.rows[0]?.object.kind, 'PartialObjectMetadata')
})

function watching(fixture: ApiFixture, query: Record<string, string>): { seen: string[]; stop: () => void } {
  const seen: string[] = []
  const tell = ({ type, object }: WatchLine) => {
    const { metadata, reason } = object as { metadata?: { name?: string }; reason?: string }
    seen.push(`${type} ${metadata?.name ?? reason ?? ''}`.trim())
  }
  const stop = fixture.api.watch({ method: 'GET', path: PODS, query: { watch: 'true', ...query } }, tell)
  return { seen, stop }
}

test('a watch begins with what is there, and sees every change until it is stopped', () => {
  const fixture = new ApiFixture()
  send(fixture, 'POST', PODS, { body: pod('a') })
  const { seen, stop } = watching(fixture, {})
  send(fixture, 'POST', PODS, { body: pod('b') })
  send(fixture, 'DELETE', `${PODS}/a`, { body: { gracePeriodSeconds: 0 } })
  stop()
  send(fixture, 'POST', PODS, { body: pod('c') })
  assert.equal(seen, ['ADDED a', 'ADDED b', 'DELETED a'])
})

test('a watch from a version sees what came after it, also before it began', () => {
  const fixture = new ApiFixture()
  send(fixture, 'POST', PODS, { body: pod('a') })
  const resourceVersion = fixture.store.resourceVersion
  send(fixture, 'POST', PODS, { body: pod('b') })
  const { seen } = watching(fixture, { resourceVersion })
  send(fixture, 'POST', PODS, { body: pod('c') })
  assert.equal(seen, ['ADDED b', 'ADDED c'])
})

test('leaving a selection is a deletion for its watcher, entering it an addition', () => {
  const fixture = new ApiFixture()
  send(fixture, 'POST', PODS, { body: pod('a') })
  const { seen } = watching(fixture, { labelSelector: 'app=web' })
  const headers = { 'content-type': 'application/merge-patch+json' }
  for (const app of ['web', 'other']) {
    send(fixture, 'PATCH', `${PODS}/a`, { headers, body: { metadata: { labels: { app } } } })
  }
  assert.equal(seen, ['ADDED a', 'DELETED a'])
})

test('sendInitialEvents ends the initial events with a bookmark', () => {
  const fixture = new ApiFixture()
  send(fixture, 'POST', PODS, { body: pod('a') })
  const initial = { sendInitialEvents: 'true', allowWatchBookmarks: 'true' }
  assert.equal(watching(fixture, { ...initial, resourceVersionMatch: 'NotOlderThan' }).seen, [
    'ADDED a',
    'BOOKMARK',
  ])
  assert.equal(watching(fixture, initial).seen, ['ERROR Invalid'])
})

test('a version that is no longer remembered is Expired', () => {
  const fixture = new ApiFixture()
  for (let version = 0; version < 1100; version++) {
    const headers = { 'content-type': 'application/merge-patch+json' }
    if (version === 0) send(fixture, 'POST', PODS, { body: pod('a') })
    send(fixture, 'PATCH', `${PODS}/a`, { headers, body: { metadata: { labels: { n: String(version) } } } })
  }
  assert.equal(watching(fixture, { resourceVersion: '3' }).seen, ['ERROR Expired'])
})

test('the scale subresource reads and writes the replicas', () => {
  const fixture = new ApiFixture()
  const path = '/apis/apps/v1/namespaces/default/deployments'
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template }
  send(fixture, 'POST', path, { body: { metadata: { name: 'web' }, spec } })
  const headers = { 'content-type': 'application/merge-patch+json' }
  const body = { spec: { replicas: 3 } }
  const scale = send(fixture, 'PATCH', `${path}/web/scale`, { headers, body }).body as Record<string, unknown>
  assert.equal([scale['kind'], scale['spec']], ['Scale', { replicas: 3 }])
  const deployment = send(fixture, 'GET', `${path}/web`).body as { spec: { replicas: number } }
  assert.is(deployment.spec.replicas, 3)
})

test('DELETE answers with the pod, and with a Status that has the uid for other kinds', () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  const deleted = send(fixture, 'DELETE', `${PODS}/curl`).body as KubeObject
  assert.ok(deleted.metadata.deletionTimestamp)
  const maps = '/api/v1/namespaces/default/configmaps'
  const created = send(fixture, 'POST', maps, { body: { metadata: { name: 'c' } } }).body as KubeObject
  const status = send(fixture, 'DELETE', `${maps}/c`).body as Status
  assert.equal([status.status, status.details?.uid], ['Success', created.metadata.uid])
})

test('logs are cut by tail and time, and carry their times when asked', () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  fixture.streams.write(1, 'one\n')
  fixture.streams.write(2, 'two\nthr')
  fixture.streams.write(3, 'ee\n')
  fixture.advance(10)
  const log = (query: Record<string, string>) => send(fixture, 'GET', `${PODS}/curl/log`, { query }).body
  assert.is(log({}), 'one\ntwo\nthree\n')
  assert.is(log({ tailLines: '1' }), 'three\n')
  assert.is(log({ sinceSeconds: '8' }), 'two\nthree\n')
  assert.is(log({ timestamps: 'true', tailLines: '1' }), '2021-09-13T12:00:02.000000000Z three\n')
})

test('a container that is not named when there are several, or does not run, is refused', () => {
  const fixture = new ApiFixture()
  fixture.runningPod('two', { containers: ['a', 'b'] })
  assert.equal(
    refusal(send(fixture, 'GET', `${PODS}/two/log`))[2],
    'a container name must be specified for pod two, choose one of: [a b]',
  )
  assert.equal(
    refusal(send(fixture, 'GET', `${PODS}/two/log`, { query: { container: 'z' } }))[2],
    'container z is not valid for pod two',
  )
  send(fixture, 'POST', PODS, {
    body: { ...pod('idle'), spec: { nodeName: 'n', containers: [{ name: 'x', image: 'i' }] } },
  })
  const exec = { namespace: 'default', pod: 'idle', stdin: false, tty: false, command: ['ls'] }
  assert.is((fixture.api.exec(exec) as Status).message, 'container not found ("x")')
  assert.is((fixture.api.exec({ ...exec, pod: 'nope' }) as Status).message, 'pods "nope" not found')
})

test('discovery names every resource with its short names', () => {
  const { resources } = send(new ApiFixture(), 'GET', '/api/v1').body as {
    resources: { name: string; shortNames?: string[] }[]
  }
  assert.equal(resources.find(({ name }) => name === 'pods')?.shortNames, ['po'])
  assert.ok(resources.some(({ name }) => name === 'pods/exec'))
})

test.run()
