// `podwire bench` as a user has it: what it finds out, that it repeats, and what it says of mistakes.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BenchResult } from '../../src/bench/result.js'
import {
  removeScratchDirectory,
  podwire as runPodwire,
  scratchDirectory,
} from '../support/podwire-process.js'
import { WEB_SERVICE } from '../support/web-service.js'

const test = suite<{ directory: string; web: string }>('bench')

test.before((context) => {
  context.directory = scratchDirectory()
  context.web = join(context.directory, 'web.yaml')
  writeFileSync(context.web, WEB_SERVICE)
})
test.after((context) => {
  return removeScratchDirectory(context.directory)
})

const podwire = (...args: string[]) => runPodwire(args)

async function bench(...args: string[]): Promise<BenchResult> {
  const { code, out, err } = await podwire('bench', ...args, '--output', 'json')
  assert.is(code, 0, err)
  return JSON.parse(out) as BenchResult
}

test('the same seed gives the same JSON to the byte, another seed another', async ({ web }) => {
  const args = ['bench', web, '-m', 'iptables', '-d', '500ms', '-o', 'json', '--one-request']
  const first = await podwire(...args)
  assert.is((await podwire(...args)).out, first.out)
  assert.is.not((await podwire(...args, '--seed', '2')).out, first.out)
})

test('lasting connections: one connection a client, and every request is counted once', async ({ web }) => {
  const { contestants, service, model } = await bench(
    web,
    '-m',
    'userspace,headless',
    '-d',
    '500ms',
    '-c',
    '6',
  )
  assert.is(service, 'default/web:80')
  assert.ok(model.some((sentence) => sentence.includes('exponential(5ms)')))
  for (const { mode, metrics, round } of contestants) {
    const connections = round.endpoints.reduce((sum, one) => sum + one.connections, 0)
    const requests = round.endpoints.reduce((sum, one) => sum + one.requests, 0)
    assert.is(connections, 6, mode)
    assert.is(requests, metrics.requests!.median, mode)
    assert.is(metrics.errors!.median, 0, mode)
    assert.ok(metrics.p50!.median <= metrics.p99!.median && metrics.p99!.median <= metrics.max!.median)
  }
  // In turn: two connections each.
  assert.equal(
    contestants[0]!.round.endpoints.map((one) => one.connections),
    [2, 2, 2],
  )
})

test('round robin is more even than chance', async ({ web }) => {
  const { contestants } = await bench(
    web,
    '-m',
    'ipvs:rr,iptables',
    '-d',
    '1s',
    '--one-request',
    '--service-time',
    'constant(1ms)',
  )
  const [rr, random] = contestants
  assert.ok(rr!.metrics.jain!.median > 0.9999)
  assert.ok(rr!.metrics['chi2-p']!.median > 0.99)
  assert.ok(random!.metrics.jain!.median < rr!.metrics.jain!.median)
  assert.is(rr!.metrics.run!.median, 1)
  const { run } = random!.metrics
  const { runByChance } = random!.round
  assert.ok(Math.abs(run!.median - runByChance!) < 4, `${run!.median}, by chance ${runByChance}`)
})

test('a closed loop gets what servers give, an open loop what is asked for', async ({ web }) => {
  const closed = await bench(web, '-m', 'ipvs:rr', '-d', '2s', '-c', '12', '--service-time', 'constant(10ms)')
  // Three servers, one request at a time.
  const { rps, p50 } = closed.contestants[0]!.metrics
  assert.ok(rps!.median > 285 && rps!.median <= 300, `${rps!.median}`)
  assert.ok(p50!.median >= 39 && p50!.median < 45, `${p50!.median}`)
  const open = await bench(
    web,
    '-m',
    'ipvs:rr',
    '-d',
    '2s',
    '-c',
    '12',
    '--service-time',
    'constant(10ms)',
    '-r',
    '150',
  )
  assert.is(open.contestants[0]!.metrics.requests!.median, 300)
  assert.ok(open.contestants[0]!.metrics.p50!.median < 25)
})

test('an open loop counts the wait of requests that could not be sent', async ({ web }) => {
  const args = [web, '-m', 'ipvs:rr', '-d', '2s', '-c', '3', '--service-time', 'constant(10ms)', '-r', '600']
  const { metrics } = (await bench(...args)).contestants[0]!
  // Twice as many as can be served: the last of 1,200 is answered two seconds after it was due.
  assert.is(metrics.requests!.median, 1200)
  assert.ok(metrics.max!.median > 1900 && metrics.max!.median < 2300, `${metrics.max!.median}`)
  assert.ok(metrics.rps!.median < 300)
})

test('far more than can be served is counted too, and the load ends', async ({ web }) => {
  const model = ['--service-time', 'constant(10ms)', '-c', '3', '--timeout', '1s']
  const { metrics } = (await bench(web, '-m', 'ipvs:rr', '-d', '1s', '-r', '20000', ...model)).contestants[0]!
  assert.is(metrics.requests!.median, 20_000)
  // 300 a second for as long as the last of them may wait.
  assert.ok(metrics.errors!.median > 0.96 && metrics.errors!.median < 0.99, `${metrics.errors!.median}`)
  assert.ok(metrics.max!.median < 2100, `${metrics.max!.median}`)
})

test('UDP and TCP', async ({ web }) => {
  const udp = await bench(
    web,
    '-s',
    'web:udp',
    '--protocol',
    'udp',
    '--send',
    'hostname',
    '-d',
    '300ms',
    '--one-request',
  )
  assert.is(udp.contestants[0]!.metrics.errors!.median, 0)
  assert.is(udp.contestants[0]!.round.endpoints.length, 3)
  assert.ok(udp.contestants[0]!.round.endpoints.every((one) => one.requests > 0))
  const tcp = await bench(web, '--protocol', 'tcp', '-d', '100ms', '-m', 'nftables')
  assert.is(tcp.contestants[0]!.metrics.errors!.median, 0)
  assert.ok(tcp.contestants[0]!.metrics.requests!.median > 100)
})

test('pods that are added get no lasting connection, and every new one', async ({ web, directory }) => {
  const during = join(directory, 'during.yaml')
  writeFileSync(during, '- sleep: 1s\n- scale: { deployment: web, replicas: 6 }\n')
  const args = [web, '-m', 'iptables', '-d', '3s', '-c', '6', '--during', during]
  const [lasting, fresh] = [await bench(...args), await bench(...args, '--one-request')]
  const changes = [lasting, fresh].map(({ contestants }) => contestants[0]!.round.changes[0]!)
  assert.equal(
    changes.map((change) => [change.atMs, change.endpointsBefore, change.endpointsAfter]),
    [
      [1000, 3, 6],
      [1000, 3, 6],
    ],
  )
  assert.equal([changes[0]!.noticed, changes[0]!.concerned, changes[0]!.moved], [0, 6, 0])
  assert.equal([changes[1]!.noticed, changes[1]!.concerned, changes[1]!.moved], [6, 6, undefined])
  assert.ok(changes[1]!.firstNoticedMs! <= changes[1]!.lastNoticedMs!)
})

const KILL_ALL = '- kubectl: delete pod -l app=web --grace-period=0 --force --wait=false\n'

test('a pod that is killed is noticed at once, as its kernel closes its connections; the next go nowhere', async ({
  web,
  directory,
}) => {
  const during = join(directory, 'kill.yaml')
  writeFileSync(during, `- sleep: 500ms\n${KILL_ALL}`)
  const args = ['-m', 'iptables', '-d', '3s', '-c', '6', '--timeout', '500ms', '--during', during]
  const { contestants } = await bench(web, ...args)
  const { round } = contestants[0]!
  // The rules still lead to where the pod was.
  assert.is(round.errors['timeout'], 6)
  const [change] = round.changes
  assert.is(change!.noticed, 6)
  assert.ok(change!.lastNoticedMs! < 50, `${change!.lastNoticedMs}`)
})

test('a pod that vanishes without a word is noticed by its clients when their requests time out', async ({
  web,
  directory,
}) => {
  const during = join(directory, 'vanish.yaml')
  writeFileSync(during, `- sleep: 500ms\n- link: { pod: app=web, loss: 100% }\n${KILL_ALL}`)
  const args = ['-m', 'iptables', '-d', '3s', '-c', '6', '--timeout', '500ms', '--during', during]
  const { contestants } = await bench(web, ...args)
  const { round } = contestants[0]!
  assert.is(round.errors['timeout'], 6)
  const change = round.changes.at(-1)!
  assert.is(change.noticed, 6)
  assert.is(change.moved, 6)
  assert.ok(change.lastNoticedMs! >= 450 && change.lastNoticedMs! < 700, `${change.lastNoticedMs}`)
})

test('thresholds make the exit code', async ({ web }) => {
  const args = ['bench', web, '-m', 'ipvs:rr', '-d', '300ms']
  const kept = await podwire(...args, '-t', 'errors<1%', '-t', 'jain>0.5')
  assert.is(kept.code, 0)
  assert.match(kept.out, 'ok     ipvs:rr: errors<1% (0)')
  const missed = await podwire(...args, '-t', 'p99<1us')
  assert.is(missed.code, 1)
  assert.match(missed.out, 'MISSED ipvs:rr: p99<1us')
})

test('the page stands alone', async ({ web, directory }) => {
  const page = join(directory, 'report.html')
  const { code, out } = await podwire('bench', web, '-m', 'iptables,ipvs:lc', '-d', '300ms', '--html', page)
  assert.is(code, 0)
  assert.match(out, `report: ${page}`)
  const html = readFileSync(page, 'utf8')
  assert.is(html.match(/<svg /g)?.length, 6)
  assert.not.match(html, /<script|https?:|url\(|@import|<link|<img/)
  assert.not.match(html, /NaN|undefined|Infinity/)
})

test('the section of a scenario is what is run, and the command line wins', async () => {
  const scenario = fileURLToPath(new URL('../../../scenarios/load-balancing.yaml', import.meta.url))
  const { contestants, load, thresholds } = await bench(scenario, '-d', '1200ms', '-m', 'iptables')
  assert.equal(
    contestants.map(({ mode }) => mode),
    ['iptables'],
  )
  assert.match(load, '12 lasting connections')
  assert.equal(
    thresholds.map(({ threshold }) => threshold),
    ['p99<100ms'],
  )
})

test('mistakes are told with what would be right, exit code 2', async ({ web, directory }) => {
  const nobody = join(directory, 'nobody.yaml')
  writeFileSync(
    nobody,
    WEB_SERVICE.replace('selector: { app: web }\n  ports', 'selector: { app: nobody }\n  ports'),
  )
  const absent = join(directory, 'absent.yaml')
  writeFileSync(absent, WEB_SERVICE.replace('agnhost,', 'none,'))
  const mistakes: readonly (readonly [args: string[], said: RegExp])[] = [
    [[web, '-t', 'p98<5ms'], /--threshold: p98<5ms: unknown figure p98\n {2}hint: known: rps, p50/],
    [[web, '-m', 'iptable'], /--modes iptable: unknown value\n {2}hint: did you mean iptables\?/],
    [[web, '-s', 'wep'], /there is no Service wep\n {2}hint: did you mean web\?/],
    [[web, '-s', 'web:8080'], /Service web has no port 8080\n {2}hint: known: http, udp/],
    [[web, '-s', 'web:udp'], /port 81 of web is UDP/],
    [[web, '--service-time', '5ms'], /--service-time: 5ms: no service time\n {2}hint: known: constant/],
    [[web, '-d', '5'], /--duration 5: not a duration/],
    [[web, '--path', 'date'], /--path: date: no path\n {2}hint: it begins with \//],
    [[web, '-X', 'get'], /--method: get: no method/],
    [[web, '-H', 'Host'], /--header: Host: no header\n {2}hint: such as 'Name: value'/],
    [[web, '--protocol', 'tcp', '--data', 'x'], /--data: tcp has none/],
    [[web, '-c', '0'], /--connections 0: not a whole number from 1 to 100000/],
    [[web, '--rate', '-1'], /--rate: a value that begins with "-"\n {2}hint: --rate=VALUE/],
    [[web, '-d', '0s'], /--duration: 0s: more than nothing/],
    [
      [web, '--clients', '230', '-c', '230'],
      /client pod bench-client-\d+: Unschedulable: 0\/3 nodes are available: .*\n {2}hint: fewer/,
    ],
    [
      [nobody],
      /no endpoint of default\/web:http became ready\n {2}hint: no pod in default matches app=nobody/,
    ],
    [
      [absent],
      /no endpoint of default\/web:http became ready\n {2}hint: web-\S+: (ErrImagePull|ImagePullBackOff): /,
    ],
    [[web, '--warmup', '9s'], /--warmup: the warm-up takes the whole duration/],
    [[web, '--html', join(directory, 'no', 'page.html')], /--html .*: no such directory/],
    [[join(directory, 'none.yaml')], /none\.yaml:1:1: no such file/],
    [[], /no file, and no cluster is up\n {2}hint: podwire bench FILE...; podwire up -d/],
    [['web'], /web: no such file, and no cluster is up/],
  ]
  for (const [args, said] of mistakes) {
    const { code, err, out } = await podwire('bench', ...args)
    assert.is(code, 2, `${args.join(' ')}: ${err}${out}`)
    assert.match(err, said)
  }
  const during = join(directory, 'bad-steps.yaml')
  writeFileSync(during, '- sleep: 1s\n- scael: {}\n')
  const { code, err } = await podwire('bench', web, '--during', during)
  assert.is(code, 2)
  assert.match(err, /bad-steps\.yaml:2:3: .*unknown step `scael`/)
})

test('a threshold of the file that is none is told at its place', async ({ web, directory }) => {
  const file = join(directory, 'bad.yaml')
  const text = `manifests: [${web.split('/').at(-1)}]\nbench:\n  thresholds: ["p99<5"]\nsteps: []\n`
  writeFileSync(file, text)
  const { code, err } = await podwire('bench', file)
  assert.is(code, 2)
  assert.match(err, /bad\.yaml:3:\d+: p99<5: the unit is missing/)
})

test('in real time: several rounds, with their spread', async ({ web }) => {
  const args = [
    '--clock',
    'real',
    '-m',
    'ipvs:rr',
    '-d',
    '1s',
    '--warmup',
    '100ms',
    '--timeout',
    '60s',
    '--rounds',
    '2',
    '-c',
    '3',
  ]
  const { contestants, rounds } = await bench(web, ...args)
  assert.is(rounds, 2)
  const { rps, errors } = contestants[0]!.metrics
  assert.ok(rps!.min > 0 && rps!.min <= rps!.median && rps!.median <= rps!.max)
  assert.is(errors!.max, 0)
  const packed = await bench(web, ...args, '--pods-per-thread', 'all')
  assert.ok(packed.model.some((sentence) => sentence.endsWith('all pods in one thread.')))
  assert.is(packed.contestants[0]!.metrics.errors!.max, 0)
  const dealt = await bench(web, ...args, '--pods-per-thread', 'all', '--network-threads', 'per-node')
  const where = 'all pods in the threads of their nodes, a thread for each node.'
  assert.ok(dealt.model.some((sentence) => sentence.endsWith(where)))
  assert.is(dealt.contestants[0]!.metrics.errors!.max, 0)
})

test.run()
