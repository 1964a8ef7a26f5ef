import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WatchLine } from '../../src/api/request.js'
import type { Event, KubeObject } from '../../src/cluster/objects.js'
import { ApiFixture } from '../support/api-fixture.js'

const test = suite('events.k8s.io/v1')
const CORE = '/api/v1/namespaces/default/events'
const VIEW = '/apis/events.k8s.io/v1/namespaces/default/events'

function withEvent(): ApiFixture {
  const fixture = new ApiFixture()
  fixture.store.create<Event>({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'curl.1', namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'curl', namespace: 'default' },
    reason: 'Started',
    message: 'Started container curl',
    type: 'Normal',
    count: 2,
    reportingComponent: 'kubelet',
  })
  return fixture
}

test('an event has the fields of the group in which it is asked for', () => {
  const fixture = withEvent()
  const get = (path: string, query = {}) => fixture.api.request({ method: 'GET', path, query })
  const view = get(`${VIEW}/curl.1`).body as KubeObject
  assert.is(view.apiVersion, 'events.k8s.io/v1')
  assert.is(view['note'], 'Started container curl')
  assert.equal(view['regarding'], { kind: 'Pod', name: 'curl', namespace: 'default' })
  assert.is(view['deprecatedCount'], 2)
  assert.is(view['reportingController'], 'kubelet')
  assert.is(view['message'], undefined)
  assert.is((get(`${CORE}/curl.1`).body as KubeObject)['message'], 'Started container curl')
  const list = get(VIEW, { fieldSelector: 'regarding.name=curl' }).body as {
    apiVersion: string
    items: { note: string }[]
  }
  assert.is(list.apiVersion, 'events.k8s.io/v1')
  assert.equal(
    list.items.map(({ note }) => note),
    ['Started container curl'],
  )
  assert.equal((get(VIEW, { fieldSelector: 'regarding.name=web' }).body as { items: [] }).items, [])
})

test('what is written through the one is read and watched through the other', () => {
  const fixture = withEvent()
  const lines: WatchLine[] = []
  const stop = fixture.api.watch({ method: 'GET', path: VIEW, query: { watch: 'true' } }, (line) =>
    lines.push(line),
  )
  const body = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'curl.2', namespace: 'default' },
    regarding: { kind: 'Pod', name: 'curl', namespace: 'default' },
    note: 'Killing',
    reason: 'Killing',
    type: 'Normal',
  }
  assert.is(fixture.api.request({ method: 'POST', path: VIEW, body }).status, 201)
  stop()
  assert.is(fixture.store.get<Event>('events', 'default', 'curl.2')?.message, 'Killing')
  assert.equal(
    lines.map(({ type, object }) => [type, (object as KubeObject)['note']]),
    [
      ['ADDED', 'Started container curl'],
      ['ADDED', 'Killing'],
    ],
  )
})

test('discovery tells of it', () => {
  const { body } = withEvent().api.request({ method: 'GET', path: '/apis/events.k8s.io/v1' })
  const [resource] = (body as { resources: { name: string; kind: string }[] }).resources
  assert.equal([resource?.name, resource?.kind], ['events', 'Event'])
})

test.run()
