// `npm run bench`: every benchmark, its contestants side by side, a table each and one of all targets; all figures in
// benchmarks/results.json, the targets as a picture in results.svg. Options: --only NAME (may be repeated), --quick (fewer rounds, less work), --list.
// A new benchmark is a file in the folder that mirrors src/, and a line in BENCHMARKS.

import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type Benchmark, compare, type Row } from './contestant.js'
import { dnsQueries } from './dns/queries.js'
import { httpConnections, httpRequests } from './drivers/http-requests.js'
import { networkThreadsBulk, networkThreadsHttp } from './drivers/network-threads.js'
import { roundTrip } from './drivers/round-trip.js'
import { idle, largeCluster, start } from './drivers/whole-cluster.js'
import { forwarding } from './host/forwarding.js'
import { targetsPicture } from './picture.js'
import { bulkTransfer } from './proxy/bulk-transfer.js'
import { churn } from './proxy/churn.js'
import { newConnection, serviceRules } from './proxy/service-rules.js'
import { benchmarkText, targetsText } from './report.js'
import { judge, TARGETS } from './targets.js'
import { checksum } from './wire/checksum.js'

const BENCHMARKS: readonly Benchmark[] = [
  checksum,
  bulkTransfer,
  serviceRules,
  newConnection,
  forwarding,
  httpRequests,
  httpConnections,
  networkThreadsHttp,
  networkThreadsBulk,
  roundTrip,
  dnsQueries,
  churn,
  start,
  largeCluster,
  idle,
]
const ROUNDS = 5
const QUICK_ROUNDS = 3
/** Of the time that a benchmark may take, its warm-up included. */
const QUICK_SHARE = 0.3

const INTERRUPTED = 130

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})
const { quick, only } = values
const chosen = BENCHMARKS.filter(({ name }) => only?.some((part) => name.includes(part)) ?? true)
if (chosen.length === 0 || values.list) {
  const names = BENCHMARKS.map(({ name }) => name).join('\n  ')
  if (!values.list) console.error(`no benchmark is named ${only?.join(' or ')}; there are:\n  ${names}`)
  else console.log(names.replaceAll('\n  ', '\n'))
  process.exit(values.list ? 0 : 2)
}

const interrupt = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    // The second time there is no patience with what does not end.
    if (interrupt.signal.aborted) process.exit(INTERRUPTED)
    interrupt.abort(new Error(name))
  })

const started = performance.now()
const results = new Map<string, readonly Row[]>()
const live = process.stdout.isTTY === true && process.env['CI'] === undefined
const allowed = ({ seconds }: Benchmark) => (quick ? seconds * QUICK_SHARE : seconds)
const estimate = chosen.reduce((sum, benchmark) => sum + allowed(benchmark), 0)
const long = estimate < 90 ? `${estimate} s` : `${Math.round(estimate / 60)} minutes`
if (!quick) console.log(`${chosen.length} benchmarks, about ${long} on 2 cores that do nothing else`)
/** When the next one is to begin, if none takes longer than it says. */
let planned = 0
for (const benchmark of chosen) {
  const late = Math.max(0, (performance.now() - started) / 1000 - planned)
  planned += allowed(benchmark)
  const rounds = Math.min(benchmark.rounds ?? ROUNDS, quick ? QUICK_ROUNDS : ROUNDS)
  const onRound = (contestant: string, round: number) => {
    if (live) process.stdout.write(`\r\x1b[K${benchmark.name}: round ${round} of ${rounds}, ${contestant}`)
  }
  const { signal } = interrupt
  const rows = await compare(benchmark, benchmark.contestants(quick), {
    rounds,
    seconds: allowed(benchmark) - late,
    signal,
    onRound,
  }).catch((error: unknown) => {
    if (!signal.aborted) throw error
    console.error(`${live ? '\n' : ''}interrupted in ${benchmark.name}; nothing is written`)
    process.exit(INTERRUPTED)
  })
  if (live) process.stdout.write('\r\x1b[K')
  results.set(benchmark.name, rows)
  process.stdout.write(benchmarkText(benchmark, rows))
}

const verdicts = judge(
  results,
  TARGETS.filter((target) => only === undefined || results.has(target.benchmark)),
)
if (verdicts.length > 0) process.stdout.write(targetsText(verdicts))
const seconds = (performance.now() - started) / 1000
console.log(`${seconds.toFixed(0)} s`)
const machine = { node: process.version, cores: cpus().length, model: cpus()[0]?.model ?? '' }
const benchmarks = chosen.map(({ name, unit, note, better }) => {
  return { name, unit, better: better ?? 'higher', note, rows: results.get(name) }
})
writeFileSync(
  new URL('../../benchmarks/results.json', import.meta.url),
  `${JSON.stringify({ machine, quick, seconds, benchmarks, targets: verdicts }, undefined, 2)}\n`,
)
if (verdicts.length > 0) {
  const where = `${machine.cores} cores, ${machine.model.replaceAll(/\s+/g, ' ').trim()}, Node ${machine.node}${quick ? ', --quick' : ''}`
  writeFileSync(new URL('../../benchmarks/results.svg', import.meta.url), targetsPicture(verdicts, where))
}
// What was left behind when its time was over must not keep the process.
process.exit(0)
