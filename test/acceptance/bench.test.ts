// `podwire bench` on a cluster that is up in a process of its own: its figures are what the web pods counted, and the
// cluster is afterwards as it was - also after Ctrl-C.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BenchResult } from '../../src/bench/result.js'
import { ClusterFiles, type Serving } from '../../src/cli/cluster-files.js'
import { runCommandLine } from '../../src/cli/command.js'
import { ask } from '../../src/drivers/cluster-client.js'
import { RemoteCluster } from '../../src/drivers/remote-cluster.js'
import { world } from '../../src/scenario/world.js'
import { until } from '../support/patience.js'
import { type Ended, podwire, removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'
import { WEB_SERVICE } from '../support/web-service.js'

const MANIFEST = `${WEB_SERVICE}---
apiVersion: v1
kind: Pod
metadata: { name: curl, labels: { app: client } }
spec: { containers: [{ name: curl, image: "radial/busyboxplus:curl", command: [sleep, "1d"] }] }
`

interface Context {
  directory: string
  serving: Serving
}

const test = suite<Context>('bench of a cluster that is up')

test.before(async (context) => {
  context.directory = scratchDirectory()
  const file = join(context.directory, 'web.yaml')
  writeFileSync(file, MANIFEST)
  const { code, err } = await podwire(['up', '-d', '-f', file])
  assert.is(code, 0, err)
  context.serving = new ClusterFiles('default').read()!.serving!
  const cluster = await RemoteCluster.open(context.serving)
  assert.ok(await cluster.settle(60_000_000))
  await cluster.close()
})
test.after(({ directory }) => removeScratchDirectory(directory))

async function bench(...args: string[]): Promise<BenchResult> {
  const { code, out, err } = await podwire([
    'bench',
    ...args,
    '--warmup',
    '0s',
    '--timeout',
    '60s',
    '-o',
    'json',
  ])
  assert.is(code, 0, err + out)
  return JSON.parse(out) as BenchResult
}

interface Listed {
  readonly metadata: { readonly name: string }
  readonly status: { readonly podIP: string }
  readonly spec: { readonly replicas: number }
}

async function list(serving: Serving, path: string): Promise<Listed[]> {
  return (await ask<{ items: Listed[] }>(serving, path)).items
}

/** Requests by endpoint, as the web pods have logged them, when there are `total`: a line is written after its answer. */
async function counted(serving: Serving, request: string, total: number): Promise<Map<string, number>> {
  let counts = new Map<string, number>()
  const isAll = async () => {
    counts = await countedNow(serving, request)
    return [...counts.values()].reduce((sum, one) => sum + one, 0) >= total
  }
  await until(isAll, `${total} lines of ${request}`)
  return counts
}

async function countedNow(serving: Serving, request: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const cluster = await RemoteCluster.open(serving)
  try {
    const pods = await list(serving, '/api/v1/namespaces/default/pods?labelSelector=app%3Dweb')
    for (const { metadata, status } of pods) {
      const path = `/api/v1/namespaces/default/pods/${metadata.name}/log`
      const log = cluster.api.request({ method: 'GET', path }).body as string
      counts.set(`${status.podIP}:8080`, log.split(request).length - 1)
    }
  } finally {
    await cluster.close()
  }
  return counts
}

/** Nothing of a round is left. */
async function assertAsItWas(serving: Serving): Promise<void> {
  const names = async (path: string) =>
    (await list(serving, path)).map(({ metadata }) => metadata.name).sort()
  assert.equal(await names('/api/v1/services'), ['kube-dns', 'kubernetes', 'web'])
  const pods = await names('/api/v1/namespaces/default/pods')
  assert.equal(
    pods.filter((name) => !name.startsWith('web-')),
    ['curl'],
  )
  const proxies = await ask<Record<string, string>>(serving, '/podwire/v1/proxies')
  assert.equal([...new Set(Object.values(proxies))], ['userspace'])
  const [web] = await list(serving, '/apis/apps/v1/namespaces/default/deployments')
  assert.is(web!.spec.replicas, 3)
}

test('every request is counted once, at the endpoint that logged it', async ({ serving }) => {
  const result = await bench(
    'web:80',
    '--path',
    '/hostname',
    '-r',
    '100',
    '-d',
    '2s',
    '--clients',
    '2',
    '--rounds',
    '2',
    '--one-request',
  )
  assert.is(result.document, 'cluster default')
  assert.is(result.service, 'default/web:80')
  assert.match(result.load, 'from 2 pods')
  assert.is(result.seed, undefined)
  const [contestant] = result.contestants
  assert.is(contestant!.mode, 'userspace')
  assert.equal(contestant!.metrics.requests, { median: 200, min: 200, max: 200 })
  assert.is(contestant!.metrics.errors!.max, 0)
  // In turn, by the proxies of two nodes at most.
  const connections = contestant!.round.endpoints.map((one) => one.connections)
  assert.ok(
    connections.every((count) => count >= 65 && count <= 68),
    `${connections}`,
  )
  const logged = await counted(serving, 'GET /hostname', 400)
  assert.is(
    [...logged.values()].reduce((sum, one) => sum + one, 0),
    400,
  )
  await assertAsItWas(serving)
})

test('a closed loop over lasting connections, from a pod that is there', async ({ serving }) => {
  const args = [
    '--name',
    'default',
    '-s',
    'web',
    '--from',
    'app=client',
    '-c',
    '6',
    '-d',
    '500ms',
    '--rounds',
    '1',
    '--path',
    '/clientip',
  ]
  const { contestants, load } = await bench(...args)
  const { metrics, round } = contestants[0]!
  assert.match(load, 'from 1 pod,')
  assert.is(metrics.errors!.median, 0)
  assert.equal(
    round.endpoints.map((one) => one.connections),
    [2, 2, 2],
  )
  const sent = round.endpoints.reduce((sum, one) => sum + one.requests, 0)
  const logged = await counted(serving, 'GET /clientip', sent)
  for (const { endpoint, requests } of round.endpoints) assert.is(requests, logged.get(endpoint), endpoint)
  await assertAsItWas(serving)
})

test('modes take turns, clients by DNS among them, over UDP too', async ({ serving }) => {
  const args = ['-s', 'web:udp', '--protocol', 'udp', '--send', 'hostname', '-m', 'ipvs:rr,nftables,headless']
  const { contestants } = await bench(...args, '-c', '6', '-d', '400ms', '--rounds', '1')
  assert.equal(
    contestants.map(({ mode }) => mode),
    ['ipvs:rr', 'nftables', 'headless'],
  )
  for (const { mode, metrics, round } of contestants) {
    assert.is(metrics.errors!.median, 0, mode)
    assert.is(
      round.endpoints.reduce((sum, one) => sum + one.requests, 0),
      metrics.requests!.median,
      mode,
    )
    assert.is(
      round.endpoints.reduce((sum, one) => sum + one.connections, 0),
      6,
      mode,
    )
  }
  await assertAsItWas(serving)
})

test('what steps did to replicas, wires and modes is put back', async ({ directory, serving }) => {
  const during = join(directory, 'during.yaml')
  writeFileSync(
    during,
    `- scale: { deployment: web, replicas: 5 }
- link: { pod: app=web, delay: 2ms }
- node: { in: k8s-node1, run: hostname }
  expect: { output: k8s-node1 }
- kubectl: delete pod -l app=web --wait=false
- proxyMode: iptables
`,
  )
  const { contestants, failures } = await bench(
    'web',
    '-d',
    '2s',
    '-r',
    '100',
    '--rounds',
    '1',
    '--during',
    during,
  )
  assert.equal(failures, [])
  const [scaled, ...others] = contestants[0]!.round.changes
  assert.is(scaled!.endpointsBefore, 3)
  assert.match(scaled!.what, 'kubectl scale deployment web --replicas=5')
  assert.is(others.length, 4)
  await assertAsItWas(serving)
})

/** Runs it until the progress line shows `at`, then does `then`. */
async function interrupted(
  args: readonly string[],
  at: RegExp,
  then: (stop: AbortController) => void | Promise<void>,
): Promise<Ended> {
  let out = ''
  let err = ''
  let pending: (() => void) | undefined
  const stop = new AbortController()
  pending = () => then(stop)
  const streams = {
    out: (text: string) => void (out += text),
    err: (text: string) => {
      err += text
      if (!at.test(err)) return
      pending?.()
      pending = undefined
    },
    colors: false,
    progress: true,
  }
  const code = await runCommandLine(args, { streams, world: async () => world, signal: stop.signal })
  return { code, out, err }
}

const ENDLESS = ['-m', 'ipvs:rr', '-d', '10m', '-r', '50', '--warmup', '0s', '--clients', '2']

test('Ctrl-C ends the load, shows what was measured and leaves nothing, at the start and in the middle', async ({
  serving,
}) => {
  for (const [at, shown] of [
    [/starting/, /^$/],
    [/, [1-9][\d,]* requests/, /\nipvs:rr +\d[\s\S]*\ninterrupted after \d+\.\d of 600 s of ipvs:rr\n/],
  ] as const) {
    const { code, out } = await interrupted(['bench', 'web', ...ENDLESS], at, (stop) =>
      stop.abort(new Error('interrupted')),
    )
    assert.is(code, 130)
    assert.match(out, shown)
    await assertAsItWas(serving)
  }
})

test('a second benchmark on the cluster is refused while the first one runs', async ({ serving }) => {
  let second: Ended | undefined
  const first = await interrupted(['bench', 'web', ...ENDLESS], /, [1-9][\d,]* requests/, async (stop) => {
    second = await podwire(['bench', 'web', '-m', 'nftables', '-d', '300ms'])
    stop.abort(new Error('interrupted'))
  })
  assert.is(first.code, 130)
  assert.is(second!.code, 2)
  assert.match(second!.err, /another benchmark runs on this cluster\n {2}hint: one at a time/)
  await assertAsItWas(serving)
})

test('that no node takes the clients is told long before the time in which slow ones could start', async ({
  serving,
}) => {
  const cordon = async (unschedulable: boolean) => {
    const cluster = await RemoteCluster.open(serving)
    const headers = { 'content-type': 'application/merge-patch+json' }
    for (const node of cluster.nodes) {
      const path = `/api/v1/nodes/${node}`
      const answer = cluster.api.request({
        method: 'PATCH',
        path,
        headers,
        body: { spec: { unschedulable } },
      })
      assert.is(answer.status, 200)
    }
    await cluster.close()
  }
  await cordon(true)
  const started = performance.now()
  const { code, err } = await podwire(['bench', 'web', '-d', '300ms'])
  const took = performance.now() - started
  await cordon(false)
  assert.is(code, 2)
  assert.match(err, /client pod bench-client-\S+: Unschedulable: 0\/\d nodes are available/)
  assert.ok(took < 45_000, `${took}`)
  await assertAsItWas(serving)
})

test('a threshold that is missed makes exit code 1', async () => {
  const args = ['bench', 'web', '-d', '300ms', '-c', '2', '--warmup', '0s', '--rounds', '1']
  const missed = await podwire([...args, '-t', 'p50<1us'])
  assert.is(missed.code, 1, missed.err)
  assert.match(missed.out, 'MISSED userspace: p50<1us')
  assert.is((await podwire([...args, '-t', 'jain>0.1'])).code, 0)
})

test('mistakes are told with what would be right, exit code 2', async ({ directory, serving }) => {
  const mistakes: readonly (readonly [args: string[], said: RegExp])[] = [
    [['wep'], /there is no Service wep\n {2}hint: did you mean web\?/],
    [['web:8080'], /Service web has no port 8080\n {2}hint: known: http, udp/],
    [['web:udp'], /port 81 of web is UDP/],
    [['web', '--name', 'none'], /no cluster none is up\n {2}hint: there are: default/],
    [['web', '--from', 'none'], /pods "none" not found\n {2}hint: --from POD/],
    [['web', '--from', 'app=client', '--clients', '2'], /--clients: no pods are made/],
    [['web', '--seed', '3'], /--seed: the cluster is up already\n {2}hint: podwire up --seed 3/],
    [['web', '--clock', 'virtual'], /--clock virtual: a cluster that is up runs in real time/],
    [['web', '--service-time', 'constant(1ms)'], /--service-time: the servers run already/],
    [['web', '-s', 'kube-dns'], /web, or --service kube-dns\?/],
    [['web', 'db'], /no such file|what is db\?/],
    [['--name', 'default', join(directory, 'web.yaml')], /web\.yaml: a file, and a cluster that is up/],
  ]
  for (const [args, said] of mistakes) {
    const { code, err, out } = await podwire(['bench', ...args])
    assert.is(code, 2, `${args.join(' ')}: ${err}${out}`)
    assert.match(err, said, `${args.join(' ')}: ${err}`)
  }
  await assertAsItWas(serving)
})

test('a cluster that ends under the load is told of', async () => {
  const { code, err } = await interrupted(
    ['bench', 'web', '-d', '10m', '-r', '50'],
    /, [1-9][\d,]* requests/,
    () => void podwire(['down']),
  )
  assert.is(code, 2)
  assert.match(err, /podwire: .*(the connection to the cluster was lost|the cluster does not answer)/, err)
})

test.run()
