// `podwire bench`: load on a Service, in one mode of kube-proxy or several, as a table, JSON and a page; thresholds make
// it a test.

import { writeFileSync } from 'node:fs'
import { runBench } from '../bench/bench.js'
import { openBenchDocument } from '../bench/bench-document.js'
import { HEADLESS } from '../bench/plan.js'
import { benchPage } from '../bench/report-html.js'
import { benchText } from '../bench/report-text.js'
import type { RoundProgress } from '../bench/round.js'
import { TargetError } from '../bench/service-target.js'
import { type BenchOverrides, planOf, SettingError } from '../bench/settings.js'
import { parseDuration } from '../scenario/duration.js'
import {
  choiceOption,
  integerOption,
  type OptionValues,
  podsPerThreadOption,
  proxyModeOption,
  UsageError,
} from './arguments.js'
import { command } from './command-kind.js'
import type { Streams } from './streams.js'

const ALL_MODES = 'userspace,iptables,ipvs:rr,ipvs:lc,nftables,headless'
const MOST = 100_000

const OPTIONS = {
  service: { type: 'string', short: 's' },
  modes: { type: 'string', short: 'm' },
  protocol: { type: 'string' },
  path: { type: 'string' },
  send: { type: 'string' },
  clients: { type: 'string' },
  connections: { type: 'string', short: 'c' },
  'one-request': { type: 'boolean' },
  rate: { type: 'string', short: 'r' },
  duration: { type: 'string', short: 'd' },
  warmup: { type: 'string' },
  timeout: { type: 'string' },
  'service-time': { type: 'string' },
  workers: { type: 'string' },
  delay: { type: 'string' },
  during: { type: 'string' },
  rounds: { type: 'string' },
  clock: { type: 'string' },
  'pods-per-thread': { type: 'string' },
  seed: { type: 'string' },
  threshold: { type: 'string', short: 't', multiple: true },
  output: { type: 'string', short: 'o' },
  html: { type: 'string' },
} as const

/** How the options of the command line are called in a scenario, for messages. */
const OPTION_OF: Readonly<Record<string, keyof typeof OPTIONS>> = {
  serviceTime: 'service-time',
  thresholds: 'threshold',
}

export const benchCommand = command({
  name: 'bench',
  operands: 'FILE...',
  about: 'load a Service and compare how proxy modes spread it',
  help: `FILE is a scenario, of which the cluster, the manifests and the section \`bench\` count, or manifests.

What is loaded
  -s, --service NAME[:PORT]  default: the only Service; of another namespace: NAMESPACE/NAME
  -m, --modes LIST           one after the other: userspace, iptables, ipvs:SCHEDULER, nftables, headless (clients
                             choose by DNS); all: ${ALL_MODES}
How
  --protocol NAME            http (default), tcp, udp
  --path PATH, --send TEXT   what http asks for; what tcp and udp send
  --clients N                pods that send; default 1
  -c, --connections N        of all clients together; default 16
  --one-request              a new connection for each request; default: they last
  -r, --rate N               open loop: requests a second, latency from when they were due; default: closed loop
  -d, --duration TIME        such as 5s, the default; --warmup TIME of it is not counted
  --timeout TIME             for a connection or an answer; default 5s
  --during FILE              YAML list of steps, done meanwhile: \`- sleep: 2s\`, \`- scale: { deployment: web, replicas: 5 }\`
Under which model
  --clock virtual|real       virtual (default): the figures repeat exactly; real: a thread per pod, several rounds
  --pods-per-thread N|all    in real time: 1 (default), N, or all, and the network with them
  --service-time MODEL       constant(5ms), uniform(1ms, 9ms), exponential(5ms), lognormal(5ms, 0.8), none; default under
                             the virtual clock exponential(5ms), in real time none
  --workers N                requests that a server works on at once; default 1
  --delay TIME               added to the clients' wires, each way
  --rounds N                 default 1, in real time 3
  --seed N                   default 1
What comes out
  -o, --output text|json     default text
  --html FILE                a page with plots, too
  -t, --threshold LIMIT      such as 'p99<5ms', 'jain>0.99', 'errors<1%'; may be repeated; of every mode

Exit code: 0 all thresholds kept, 1 one was not or a step failed, 2 a bad file or usage, 130 interrupted
`,
  options: OPTIONS,
  async run(values, files, { streams, world, signal }) {
    if (files.length === 0) throw new UsageError('no file', 'podwire bench FILE... --service NAME')
    const output = choiceOption('output', values.output, ['text', 'json'] as const) ?? 'text'
    const overrides = overridesOf(values)
    const bench = await openBenchDocument(files, values.during)
    const { seed, cluster } = bench.document.settings
    const plan = asUsage(() => planOf(bench.section, overrides, { seed, proxyMode: cluster?.proxyMode }))
    // A path that cannot be written is told before the run, not after it.
    if (values.html !== undefined) writePage(values.html, '')
    const started = performance.now()
    const show = streams.progress ? progressLine(streams, plan.load.duration, plan.rounds, started) : () => {}
    try {
      const result = await runBench(bench, plan, await world(), { signal, onProgress: show })
      if (streams.progress) streams.err('\r\x1b[K')
      streams.out(output === 'json' ? `${JSON.stringify(result, undefined, 2)}\n` : benchText(result))
      if (values.html !== undefined) {
        writePage(values.html, benchPage(result))
        if (output === 'text') streams.out(`report: ${values.html}\n`)
      }
      const missed = result.thresholds.some(({ passed }) => !passed) || result.failures.length > 0
      return missed ? 1 : 0
    } catch (error) {
      if (streams.progress) streams.err('\r\x1b[K')
      if (error instanceof TargetError) throw new UsageError(error.message, error.hint)
      throw error
    }
  },
})

function overridesOf(values: OptionValues<typeof OPTIONS>): BenchOverrides {
  const protocol = choiceOption('protocol', values.protocol, ['http', 'tcp', 'udp'] as const)
  const clock = choiceOption('clock', values.clock, ['virtual', 'real'] as const)
  const podsPerThread = podsPerThreadOption(values['pods-per-thread'], clock ?? 'virtual')
  const given: BenchOverrides = {
    ...(podsPerThread === undefined ? {} : { podsPerThread }),
    ...textOf('service', values.service),
    ...textOf('path', values.path),
    ...textOf('send', values.send),
    ...textOf('serviceTime', values['service-time']),
    ...numberOf('clients', values.clients),
    ...numberOf('connections', values.connections),
    ...numberOf('rate', values.rate, 10_000_000),
    ...numberOf('workers', values.workers),
    ...numberOf('rounds', values.rounds),
    ...timeOf('duration', values.duration),
    ...timeOf('warmup', values.warmup),
    ...timeOf('timeout', values.timeout),
    ...timeOf('delay', values.delay),
    ...(protocol === undefined ? {} : { protocol }),
    ...(clock === undefined ? {} : { clock }),
    ...(values.modes === undefined ? {} : { modes: modesOf(values.modes) }),
    ...(values['one-request'] === undefined ? {} : { keepAlive: !values['one-request'] }),
    ...(values.threshold === undefined ? {} : { thresholds: values.threshold }),
  }
  const seed = integerOption('seed', values.seed)
  return seed === undefined ? given : { ...given, seed }
}

function textOf<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: string }
}

function numberOf<Key extends string>(
  key: Key,
  value: string | undefined,
  largest = MOST,
): { [K in Key]?: number } {
  const number = integerOption(key, value, largest)
  if (number === 0) throw new UsageError(`--${key} 0: at least 1`)
  return (number === undefined ? {} : { [key]: number }) as { [K in Key]?: number }
}

function timeOf<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  if (value === undefined) return {}
  try {
    parseDuration(value)
  } catch {
    throw new UsageError(`--${key} ${value}: not a duration`, 'such as 500ms, 10s or 2m')
  }
  return textOf(key, value)
}

function modesOf(text: string): string[] {
  const words = (text === 'all' ? ALL_MODES : text).split(',').map((word) => word.trim())
  const modes = words.map((word) => (word === HEADLESS ? word : modeOf(word)))
  return [...new Set(modes)]
}

function modeOf(word: string): string {
  try {
    return proxyModeOption(word, [HEADLESS])!
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(error.message.replace('--proxy-mode', '--modes'), error.hint)
  }
}

function asUsage<Value>(work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    throw new UsageError(`--${OPTION_OF[error.option] ?? error.option}: ${error.message}`, error.hint)
  }
}

function writePage(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UsageError(`--html ${file}: ${(error as NodeJS.ErrnoException).code ?? 'cannot be written'}`)
  }
}

/** One line, written over itself, that says how far the run is. */
function progressLine(streams: Streams, duration: number, rounds: number, started: number) {
  return (mode: string, round: number, { phase, requests, elapsed }: RoundProgress) => {
    const which = rounds > 1 ? ` round ${round + 1} of ${rounds}` : ''
    const seconds = Math.min(elapsed, duration) / 1e6
    const what =
      phase === 'start'
        ? 'starting the cluster'
        : `${seconds.toFixed(1)} of ${duration / 1e6} s, ${requests.toLocaleString('en')} requests`
    const spent = Math.round((performance.now() - started) / 1000)
    streams.err(`\r\x1b[K${mode}${which}: ${what} [${spent} s]`)
  }
}
