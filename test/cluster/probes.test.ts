import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND, type Micros, SECOND } from '../../src/base/time.js'
import type { Container, Pod, PodSpec } from '../../src/cluster/objects.js'
import type { ProbeRequest, ProbeResult, Prober } from '../../src/cluster/prober.js'
import { Cluster, pod, service } from './cluster-fixture.js'

const test = suite('probes')

/** Answers by a rule, at once; no answer where the rule gives none. */
class RuledProber implements Prober {
  onResult: ((id: number, result: ProbeResult) => void) | undefined
  readonly asked: { at: Micros; what: string }[] = []
  readonly cancelled: number[] = []
  rule: (what: string, request: ProbeRequest) => boolean | undefined = () => true
  now: () => Micros = () => 0

  start(request: ProbeRequest): void {
    const { action } = request
    const what = action.kind === 'exec' ? action.command.join(' ') : `${action.kind} ${action.port}`
    this.asked.push({ at: this.now(), what })
    const ok = this.rule(what, request)
    if (ok !== undefined) this.onResult!(request.id, { ok, output: ok ? '' : `no ${what}` })
  }

  cancel(id: number): void {
    this.cancelled.push(id)
  }
}

function probed(container: Partial<Container>, spec: Partial<PodSpec> = {}) {
  const prober = new RuledProber()
  const cluster = new Cluster({}, 1, prober)
  prober.now = () => cluster.now
  cluster.run()
  const create = () => {
    const main = { name: 'main', image: 'busybox:1', ...container }
    cluster.create(pod('p', { containers: [main], ...spec }, { app: 'web' }))
    cluster.run(100 * MILLISECOND)
  }
  const status = () => cluster.get<Pod>('pods', 'p').status!
  return {
    cluster,
    prober,
    create,
    status,
    main: () => status().containerStatuses![0]!,
    ready: () => status().conditions!.find(({ type }) => type === 'Ready')!.status,
  }
}

const exec = (command: string) => ({ exec: { command: [command] } })

test('a container is ready after successThreshold answers in a row, and not after failureThreshold', () => {
  const probe = { ...exec('ready'), periodSeconds: 1, successThreshold: 2, failureThreshold: 3 }
  const { cluster, prober, create, ready } = probed({ readinessProbe: probe })
  create()
  assert.is(ready(), 'False')
  assert.not.ok(cluster.plane.settled())
  cluster.run(SECOND)
  assert.is(ready(), 'True')
  assert.ok(cluster.plane.settled())
  prober.rule = () => false
  cluster.run(2 * SECOND)
  assert.is(ready(), 'True')
  cluster.run(SECOND)
  assert.is(ready(), 'False')
  assert.equal(cluster.events('p').slice(-1), ['Warning Unhealthy: Readiness probe failed: no ready'])
})

test('the first probe comes after its delay, and then one each period', () => {
  const probe = { ...exec('ready'), initialDelaySeconds: 5, periodSeconds: 2 }
  const { cluster, prober, create } = probed({ readinessProbe: probe })
  create()
  cluster.run(10 * SECOND)
  const started = prober.asked[0]!.at - 5 * SECOND
  assert.equal(
    prober.asked.map(({ at }) => (at - started) / SECOND),
    [5, 7, 9],
  )
})

test('nothing is probed before the startup probe says yes, and a container that never starts is killed', () => {
  const { cluster, prober, create, main, ready } = probed({
    startupProbe: { ...exec('up'), periodSeconds: 1, failureThreshold: 3 },
    readinessProbe: { ...exec('ready'), periodSeconds: 1 },
    livenessProbe: { ...exec('alive'), periodSeconds: 1 },
  })
  prober.rule = (what) => what !== 'up'
  create()
  cluster.run(1500 * MILLISECOND)
  assert.equal([...new Set(prober.asked.map(({ what }) => what))], ['up'])
  assert.equal([main().started, main().ready, ready()], [false, false, 'False'])
  cluster.run(SECOND)
  assert.is(main().restartCount, 1)
  assert.ok(
    cluster.events('p').includes('Normal Killing: Container main failed startup probe, will be restarted'),
  )
  prober.rule = () => true
  cluster.run(12 * SECOND)
  assert.equal([main().started, main().ready, ready()], [true, true, 'True'])
  assert.ok(prober.asked.some(({ what }) => what === 'alive'))
})

test('a container whose liveness probe fails is stopped with its grace period and restarted by policy', () => {
  const liveness = {
    ...exec('alive'),
    periodSeconds: 1,
    failureThreshold: 1,
    terminationGracePeriodSeconds: 7,
  }
  const { cluster, prober, create, main } = probed({ livenessProbe: liveness })
  create()
  prober.rule = () => prober.asked.length !== 2
  cluster.run(SECOND)
  assert.equal(cluster.runtime.stopped, [{ container: 'main', grace: 7 * SECOND }])
  assert.is(main().restartCount, 1)
  const never = probed({ livenessProbe: liveness }, { restartPolicy: 'Never' })
  never.prober.rule = () => false
  never.create()
  never.cluster.run(SECOND)
  assert.is(never.status().phase, 'Failed')
  assert.ok(never.cluster.events('p').includes('Normal Killing: Container main failed liveness probe'))
})

test('a command that does not end in time has failed', () => {
  const probe = { ...exec('slow'), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 1 }
  const { cluster, prober, create } = probed({ readinessProbe: probe })
  prober.rule = () => undefined
  create()
  cluster.run(2 * SECOND)
  assert.equal(prober.cancelled.length, 1)
  assert.ok(
    cluster
      .events('p')
      .includes('Warning Unhealthy: Readiness probe failed: command timed out: "slow" timed out after 2s'),
  )
})

test('a named port is looked up in the container', () => {
  const { prober, create } = probed({
    ports: [{ name: 'health', containerPort: 8086 }],
    readinessProbe: {
      httpGet: { path: 'live', port: 'health', httpHeaders: [{ name: 'Host', value: 'x' }] },
    },
  })
  let asked: ProbeRequest | undefined
  prober.rule = (_what, request) => {
    asked = request
    return true
  }
  create()
  assert.equal(asked!.action, {
    kind: 'http',
    scheme: 'HTTP',
    address: '10.244.1.2',
    port: 8086,
    path: '/live',
    headers: [['Host', 'x']],
  })
})

test('a readiness gate holds a pod back until its condition is set', () => {
  const { cluster, create, ready, status } = probed(
    {},
    { readinessGates: [{ conditionType: 'example.com/lb' }] },
  )
  create()
  assert.is(ready(), 'False')
  assert.match(
    status().conditions!.find(({ type }) => type === 'Ready')!.message!,
    'corresponding condition of pod readiness gate "example.com/lb" does not exist.',
  )
  const gated = cluster.get<Pod>('pods', 'p')
  const conditions = [...gated.status!.conditions!, { type: 'example.com/lb', status: 'True' as const }]
  cluster.plane.admission.update(
    { ...gated, status: { ...gated.status!, conditions } },
    { subresource: 'status' },
  )
  cluster.run(0)
  assert.is(ready(), 'True')
})

test('a preStop hook takes of the grace, and the signal has two seconds at least', () => {
  const cases = [
    [{ sleep: { seconds: 3 } }, 10, 3 * SECOND, 7 * SECOND],
    [{ sleep: { seconds: 30 } }, 10, 10 * SECOND, 2 * SECOND],
    [exec('quick'), 10, 0, 10 * SECOND],
    [exec('endless'), 10, 10 * SECOND, 2 * SECOND],
  ] as const
  for (const [preStop, seconds, after, grace] of cases) {
    const { cluster, prober, create } = probed(
      { lifecycle: { preStop: preStop as NonNullable<Container['lifecycle']>['preStop'] & {} } },
      { terminationGracePeriodSeconds: seconds },
    )
    prober.rule = (what) => (what === 'endless' ? undefined : true)
    create()
    cluster.plane.admission.delete('pods', 'default', 'p')
    if (after > 0) {
      cluster.run(after - 1)
      assert.equal(cluster.runtime.stopped, [])
    }
    cluster.run(1)
    assert.equal(cluster.runtime.stopped, [{ container: 'main', grace }])
  }
})

test('a hook that fails is told, and the container is stopped all the same', () => {
  const { cluster, prober, create } = probed({ lifecycle: { preStop: exec('broken') } })
  create()
  prober.rule = () => false
  cluster.runtime.stubborn.add('busybox:1')
  cluster.plane.admission.delete('pods', 'default', 'p')
  cluster.run(SECOND)
  assert.ok(cluster.events('p').includes('Warning FailedPreStopHook: PreStopHook failed'))
  assert.is(cluster.runtime.stopped.length, 1)
  cluster.plane.admission.delete('pods', 'default', 'p', { gracePeriodSeconds: 1 })
  cluster.run(0)
  assert.equal(cluster.runtime.stopped.slice(1), [{ container: 'main', grace: SECOND }])
})

test('a container is not running before its postStart hook is done, and is killed when it fails', () => {
  const { cluster, prober, create, main } = probed({ lifecycle: { postStart: exec('prepare') } })
  prober.rule = () => undefined
  create()
  cluster.run(SECOND)
  assert.is(main().state.running, undefined)
  prober.onResult!(1, { ok: false, output: 'no' })
  cluster.run(0)
  const told = cluster.events('p')
  assert.ok(told.includes('Warning FailedPostStartHook: PostStartHook failed'))
  assert.ok(told.includes('Normal Killing: FailedPostStartHook'))
})

test('a postStart hook may sleep', () => {
  const { cluster, create, main } = probed({ lifecycle: { postStart: { sleep: { seconds: 3 } } } })
  create()
  cluster.run(2 * SECOND)
  assert.is(main().state.running, undefined)
  cluster.run(2 * SECOND)
  assert.ok(main().state.running)
})

test('an endpoint terminates from the deletion on, and its readiness is still probed', () => {
  const { cluster, prober, create } = probed({
    readinessProbe: { ...exec('ready'), periodSeconds: 1, failureThreshold: 1 },
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
  })
  cluster.create(service('web'))
  create()
  const conditions = () =>
    cluster.store.list('endpointslices', 'default').flatMap((slice) => slice['endpoints'] as object[])
  cluster.plane.admission.delete('pods', 'default', 'p')
  cluster.run(0)
  const told = () => (conditions()[1] as { conditions: object } | undefined)?.conditions
  assert.equal(told(), { ready: false, serving: true, terminating: true })
  prober.rule = () => false
  cluster.run(2 * SECOND)
  assert.equal(told(), { ready: false, serving: false, terminating: true })
  cluster.run(4 * SECOND)
  assert.is(told(), undefined)
})

test.run()
