// `podwire bench`: load on a Service, in one mode of kube-proxy or several, as a table, JSON and a page; thresholds make
// it a test.

import { writeFileSync } from 'node:fs'
import { runBench } from '../bench/bench.js'
import { benchPage } from '../bench/report-html.js'
import { benchCsv, benchMarkdown } from '../bench/report-tables.js'
import { benchText } from '../bench/report-text.js'
import type { BenchResult } from '../bench/result.js'
import type { RoundProgress } from '../bench/round.js'
import { TargetError } from '../bench/service-target.js'
import { SettingError } from '../bench/settings.js'
import { EmulationTimeout } from '../drivers/emulation.js'
import { choiceOption, UsageError } from './arguments.js'
import { compareFiles } from './bench-compare.js'
import { ALL_MODES, BENCH_OPTIONS, overridesOf } from './bench-options.js'
import { openBench } from './bench-subject.js'
import { FileError } from './cluster-files.js'
import { command } from './command-kind.js'
import type { Streams } from './streams.js'

const OUTPUTS = ['text', 'json', 'csv', 'markdown'] as const
const INTERRUPTED = 130
/** How the options of the command line are called in a scenario, for messages. */
const OPTION_OF: Readonly<Record<string, keyof typeof BENCH_OPTIONS>> = {
  serviceTime: 'service-time',
  thresholds: 'threshold',
  headers: 'header',
  body: 'data',
}

export const benchCommand = command({
  name: 'bench',
  operands: 'FILE... | SERVICE | --compare A.json B.json',
  about: 'load a Service and compare how proxy modes spread it',
  help: `FILE is a scenario, of which the cluster, the manifests and the section \`bench\` count, or manifests: every round
gets a cluster of its own. Without FILE a cluster that is up (podwire up) is loaded, and left as it was: client pods go,
kube-proxies get their mode back, wires and the replicas of workloads what they had.

What is loaded
  --name CLUSTER               one that is up; default: the only one
  -s, --service NAME[:PORT]    default: the only Service; of another namespace: NAMESPACE/NAME
  -m, --modes LIST             one after the other: userspace, iptables, ipvs:SCHEDULER, nftables, headless (clients
                               choose by DNS); all: ${ALL_MODES};
                               default: the cluster's
How
  --protocol NAME              http (default), tcp, udp
  --path PATH                  what http asks for; default /
  -X, --method NAME, -H, --header 'NAME: VALUE', --data TEXT   of http: another method, more headers, a body
  --send TEXT                  what tcp and udp send
  --clients N                  pods that are made to send; default 1
  --from POD                   pods that are there send: a name, NAMESPACE/NAME, or a label selector for all that match
  -c, --connections N          of all clients together; default 16
  --one-request                a new connection for each request; default: they last
  -r, --rate N[,N...]          open loop: requests a second, latency from when they were due; default: closed loop; of
                               several, every mode is loaded at each: where does it break down?
  -d, --duration TIME          such as 5s, the default
  --warmup TIME                what is not counted of it; default none, in real time a fifth of it, at most 1s
  --timeout TIME               for a connection or an answer; default 5s
  --during FILE                YAML list of steps, done meanwhile: \`- sleep: 2s\`, \`- scale: { deployment: web, replicas: 5 }\`
Under which model (a cluster that is up: in real time, as it is; of these --delay and --rounds alone)
  --clock virtual|real         virtual (default): the figures repeat exactly; real: a thread per pod, several rounds
  --pods-per-thread N|all      in real time: 1 (default), N, or all, and the network with them
  --network-threads N|per-node in real time, among how many threads the nodes are dealt; default 1
  --service-time MODEL         constant(5ms), uniform(1ms, 9ms), exponential(5ms), lognormal(5ms, 0.8), none; default under
                               the virtual clock exponential(5ms), in real time none
  --workers N                  requests that a server works on at once; default 1
  --delay TIME                 added to the clients' wires, each way
  --rounds N                   default 1, in real time 3
  --seed N                     default 1
What comes out
  -o, --output FORMAT          text (default), json, csv, markdown
  --html FILE                  a page with plots, too
  -t, --threshold LIMIT        such as 'p99<5ms', 'jain>0.99', 'errors<1%'; may be repeated; of every mode
Two results of --output json, the one before a change first
  --compare                    what is better or worse by more than the spread of the rounds; thresholds are limits of the
                               change then, such as 'p99<+10%', 'rps>-5%'

Exit code: 0 all thresholds kept, 1 one was not or a step failed, 2 a bad file or usage, 130 interrupted
`,
  options: BENCH_OPTIONS,
  async run(values, operands, { streams, world, signal }) {
    if (values.compare) return compareFiles(values, operands, streams)
    const output = choiceOption('output', values.output, OUTPUTS) ?? 'text'
    const overrides = overridesOf(values)
    const { bench, plan, open, close, problemOf } = await asUsage(() =>
      openBench(operands, values, overrides, world),
    )
    const started = performance.now()
    const progress = streams.errProgress ?? streams.progress
    const show = progress ? progressLine(streams, plan.load.duration, plan.rounds, started) : () => {}
    try {
      // A path that cannot be written is told before the run, not after it.
      if (values.html !== undefined) writePage(values.html, '', 'a')
      const result = await runBench(bench, plan, open, { signal, onProgress: show })
      if (progress) streams.err('\r\x1b[K')
      streams.out(outputText(output, result, streams))
      if (values.html !== undefined) {
        writePage(values.html, benchPage(result))
        if (output === 'text') streams.out(`report: ${values.html}\n`)
      }
      if (result.interrupted !== undefined) return INTERRUPTED
      const missed = result.thresholds.some(({ passed }) => !passed) || result.failures.length > 0
      return missed ? 1 : 0
    } catch (error) {
      if (progress) streams.err('\r\x1b[K')
      // Ctrl-C explains itself; that something could not be put back does not.
      if (signal.aborted && error !== signal.reason) streams.err(`podwire: ${(error as Error).message}\n`)
      if (error instanceof TargetError) throw new UsageError(error.message, error.hint)
      if (error instanceof EmulationTimeout)
        throw new UsageError(
          `the load does not end: ${error.message}`,
          'a shorter --timeout, a lower --rate, fewer connections',
        )
      throw problemOf(error as Error)
    } finally {
      close()
    }
  },
})

function outputText(output: (typeof OUTPUTS)[number], result: BenchResult, { columns }: Streams): string {
  switch (output) {
    case 'text':
      return benchText(result, columns)
    case 'json':
      return `${JSON.stringify(result, undefined, 2)}\n`
    case 'csv':
      return benchCsv(result)
    case 'markdown':
      return benchMarkdown(result)
  }
}

async function asUsage<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TargetError) throw new UsageError(error.message, error.hint)
    if (!(error instanceof SettingError)) throw error
    throw new UsageError(`--${OPTION_OF[error.option] ?? error.option}: ${error.message}`, error.hint)
  }
}

/** `a` leaves what is there. */
function writePage(file: string, text: string, flag: 'w' | 'a' = 'w'): void {
  try {
    writeFileSync(file, text, { flag })
  } catch (error) {
    throw new FileError(`--html ${file}`, error)
  }
}

/** One line, written over itself, that says how far the run is. */
function progressLine(streams: Streams, duration: number, rounds: number, started: number) {
  return (label: string, round: number, { phase, requests, elapsed }: RoundProgress) => {
    const which = rounds > 1 ? ` round ${round + 1} of ${rounds}` : ''
    const seconds = Math.min(elapsed, duration) / 1e6
    const what =
      phase === 'start'
        ? 'starting the cluster'
        : `${seconds.toFixed(1)} of ${duration / 1e6} s, ${requests.toLocaleString('en')} requests`
    const spent = Math.round((performance.now() - started) / 1000)
    streams.err(`\r\x1b[K${label}${which}: ${what} [${spent} s]`)
  }
}
