// `podwire run` and `podwire start`: documents in, reports out, exit code. 0 all passed, 1 an expectation failed,
// 2 a bad file; a bad one among several does not keep the others from running.

import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PROXY_MODES } from '../proxy/proxy-mode.js'
import { comparisonText, type ModeRun } from '../scenario/mode-comparison.js'
import type { Reporter, ReporterOutput } from '../scenario/reporters/reporter.js'
import { REPORTERS } from '../scenario/reporters/reporter.js'
import type { RunObserver, ScenarioResult } from '../scenario/result.js'
import type { RunOptions } from '../scenario/run.js'
import { runDocument } from '../scenario/run.js'
import { SourceError } from '../scenario/source-error.js'
import {
  choiceOption,
  dateOption,
  integerOption,
  networkThreadsOption,
  podsPerThreadOption,
  proxyModeOption,
  UsageError,
} from './arguments.js'
import { FileError } from './cluster-files.js'
import { command } from './command-kind.js'
import { PACKAGE } from './package.js'
import type { Streams } from './streams.js'
import { transcript } from './transcript.js'

/** Instead of a mode: one after the other, and a table in the end. */
const EVERY_MODE = 'all'

interface RunRequest {
  readonly files: readonly string[]
  readonly options: RunOptions
  /** Each document runs once in each of them; undefined: in the document's. */
  readonly modes: readonly (string | undefined)[]
  readonly reporter: string
  readonly out: string | undefined
}

const OPTIONS = {
  clock: { type: 'string' },
  'pods-per-thread': { type: 'string' },
  'network-threads': { type: 'string' },
  seed: { type: 'string' },
  'start-time': { type: 'string' },
  pcap: { type: 'string' },
  'proxy-mode': { type: 'string' },
  reporter: { type: 'string' },
  out: { type: 'string' },
  check: { type: 'string' },
  files: { type: 'string' },
} as const

const HELP = `Options
  --clock virtual|real         virtual (default): time jumps, every run is the same; real: as the wall clock
  --pods-per-thread N|all      in real time, how many pods share a thread: 1 (default), N, or all, and the network with them
  --network-threads N|per-node in real time, among how many threads the nodes are dealt; default 1
  --seed N                     seed of everything random; default: the file's, or 1
  --start-time ISO             date and time at which the emulated clock starts
  --pcap FILE                  capture every virtual interface (pcapng); with several files: one each, FILE.NAME
  --proxy-mode MODE            how kube-proxies work: userspace, iptables, ipvs, ipvs:SCHEDULER, nftables;
                               all: in every mode, with a table that compares them (run)
  --reporter NAME              pretty (default), tap, junit, json
  --out FILE                   write the report there, and show the pretty one here
  --check output|exit          walkthroughs: hold the outputs (default), or only the exit statuses
  --files DIR                  where the files lie that commands name; default: beside the document

Exit code: 0 all passed, 1 an expectation failed, 2 a bad file or usage, 130 interrupted
`

export const runCommand = command({
  name: 'run',
  operands: 'FILE...',
  about: 'run scenarios (.yaml) and walkthroughs (.md)',
  help: HELP,
  options: OPTIONS,
  async run(values, files, { streams, world, signal }) {
    if (files.length === 0) throw new UsageError('no file to run', 'podwire run FILE...')
    const request = requestOf(values, files)
    const report = openReport(request, streams)
    const results: ScenarioResult[] = []
    let badFile = false
    const comparisons: string[] = []
    for (const file of files) {
      const runs: ModeRun[] = []
      try {
        for (const proxyMode of request.modes) {
          const mode = proxyMode === undefined ? {} : { proxyMode }
          const pcap = pcapOf(request, file, proxyMode)
          const options = { ...request.options, ...mode, ...pcap, observer: report.observer, signal }
          let statistics: ModeRun['statistics']
          const onProxyStatistics = (told: ModeRun['statistics']) => {
            statistics = told
          }
          const result = await runDocument(file, { ...options, onProxyStatistics }, await world())
          runs.push({ result, statistics })
        }
      } catch (error) {
        if (!(error instanceof SourceError)) throw error
        badFile = true
        streams.err(`${error.message}\n`)
      }
      results.push(...runs.map(({ result }) => result))
      if (runs.length > 1) comparisons.push(comparisonText(runs))
    }
    for (const reporter of report.reporters) reporter.runFinished(results)
    // Beside a report for machines, the table is for people.
    const show = request.reporter === 'pretty' || request.out !== undefined ? streams.out : streams.err
    for (const text of comparisons) show(text)
    report.close()
    if (badFile) return 2
    return results.some((result) => result.failed > 0) ? 1 : 0
  },
})

export const startCommand = command({
  name: 'start',
  operands: '',
  about: 'run the built-in walkthrough and show where its packets go',
  help: HELP,
  options: OPTIONS,
  async run(values, files, { streams, world, signal }) {
    if (files.length > 0) throw new UsageError('start takes no file', `podwire run ${files.join(' ')}`)
    const shown = transcript({ write: streams.out, colors: streams.colors, progress: false })
    const request = requestOf(values, files)
    const [proxyMode, ...more] = request.modes
    if (more.length > 0) throw new UsageError('start runs one mode', 'podwire run FILE --proxy-mode all')
    const mode = proxyMode === undefined ? {} : { proxyMode }
    const options = { ...request.options, ...mode, observer: shown, onFlow: shown.flow, signal }
    const walkthrough = fileURLToPath(new URL('scenarios/walkthrough.md', PACKAGE))
    const result = await runDocument(walkthrough, options, await world())
    return result.failed > 0 ? 1 : 0
  },
})

function requestOf(
  values: Readonly<Partial<Record<keyof typeof OPTIONS, string>>>,
  files: readonly string[],
): RunRequest {
  const seed = integerOption('seed', values.seed)
  const startTime = dateOption('start-time', values['start-time'])
  const clock = choiceOption('clock', values.clock, ['virtual', 'real'] as const)
  const podsPerThread = podsPerThreadOption(values['pods-per-thread'], clock ?? 'virtual')
  const networkThreads = networkThreadsOption(values['network-threads'], clock ?? 'virtual')
  const proxyMode = proxyModeOption(values['proxy-mode'], [EVERY_MODE])
  const check = choiceOption('check', values.check, ['output', 'exit'] as const)
  return {
    files,
    reporter: choiceOption('reporter', values.reporter, Object.keys(REPORTERS)) ?? 'pretty',
    out: values.out,
    modes: proxyMode === EVERY_MODE ? PROXY_MODES : [proxyMode],
    options: {
      ...(clock === undefined ? {} : { clock }),
      ...(podsPerThread === undefined ? {} : { podsPerThread }),
      ...(networkThreads === undefined ? {} : { networkThreads }),
      ...(seed === undefined ? {} : { seed }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(values.pcap === undefined ? {} : { pcap: values.pcap }),
      ...(check === undefined ? {} : { check }),
      ...(values.files === undefined ? {} : { files: values.files }),
    },
  }
}

/** With several documents, or modes, each run gets a capture of its own. */
function pcapOf(request: RunRequest, file: string, mode: string | undefined): { pcap?: string } {
  const { pcap } = request.options
  const several = [request.files.length > 1 ? basename(file) : '', request.modes.length > 1 ? mode : '']
  const parts = several.filter((part) => part)
  if (pcap === undefined || parts.length === 0) return {}
  const dot = pcap.lastIndexOf('.')
  const [stem, ending] = dot > 0 ? [pcap.slice(0, dot), pcap.slice(dot)] : [pcap, '']
  return { pcap: `${stem}.${parts.join('.')}${ending}` }
}

interface Report {
  readonly observer: RunObserver
  readonly reporters: readonly Reporter[]
  close(): void
}

/** The report goes to standard output, or with --out to that file; then people still see the pretty one. */
function openReport(request: RunRequest, streams: Streams): Report {
  const terminal: ReporterOutput = { write: streams.out, colors: streams.colors, progress: streams.progress }
  const { out } = request
  if (out === undefined) {
    const reporter = REPORTERS[request.reporter]!(terminal)
    return { observer: reporter, reporters: [reporter], close: () => {} }
  }
  // A path that cannot be written is told before the run, not after it.
  writeReport(out, '')
  let text = ''
  const toFile = REPORTERS[request.reporter]!({
    write: (more) => (text += more),
    colors: false,
    progress: false,
  })
  const reporters = [REPORTERS['pretty']!(terminal), toFile]
  return { observer: both(reporters), reporters, close: () => writeReport(out, text) }
}

function both(reporters: readonly Reporter[]): RunObserver {
  return {
    scenarioStarted: (scenario) => reporters.forEach((one) => void one.scenarioStarted?.(scenario)),
    stepStarted: (step) => reporters.forEach((one) => void one.stepStarted?.(step)),
    stepFinished: (step) => reporters.forEach((one) => void one.stepFinished?.(step)),
    scenarioFinished: (result) => reporters.forEach((one) => void one.scenarioFinished?.(result)),
  }
}

function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new FileError(`--out ${file}`, error)
  }
}
