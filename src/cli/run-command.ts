// `podwire run` and `podwire start`: documents in, reports out, exit code. 0 all passed, 1 an expectation failed,
// 2 a bad file; a bad one among several does not keep the others from running.

import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Reporter, ReporterOutput } from '../scenario/reporters/reporter.js'
import { REPORTERS } from '../scenario/reporters/reporter.js'
import type { RunObserver, ScenarioResult } from '../scenario/result.js'
import type { World } from '../scenario/run.js'
import { runDocument } from '../scenario/run.js'
import { SourceError } from '../scenario/source-error.js'
import type { RunRequest } from './options.js'
import { UsageError } from './options.js'
import type { Streams } from './streams.js'
import { transcript } from './transcript.js'

export async function runCommand(
  request: RunRequest,
  streams: Streams,
  world: World,
  signal: AbortSignal,
): Promise<number> {
  const report = openReport(request, streams)
  const results: ScenarioResult[] = []
  let badFile = false
  for (const file of request.files) {
    const options = { ...request.options, ...pcapOf(request, file), observer: report.observer, signal }
    try {
      results.push(await runDocument(file, options, world))
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      badFile = true
      streams.err(`${error.message}\n`)
    }
  }
  for (const reporter of report.reporters) reporter.runFinished(results)
  report.close()
  if (badFile) return 2
  return results.some((result) => result.failed > 0) ? 1 : 0
}

/** `walkthrough` is the packaged document. */
export async function startCommand(
  walkthrough: string,
  request: RunRequest,
  streams: Streams,
  world: World,
  signal: AbortSignal,
): Promise<number> {
  const shown = transcript({ write: streams.out, colors: streams.colors, progress: false })
  const options = { ...request.options, observer: shown, onFlow: shown.flow, signal }
  const result = await runDocument(walkthrough, options, world)
  return result.failed > 0 ? 1 : 0
}

/** With several documents each gets a capture of its own. */
function pcapOf(request: RunRequest, file: string): { pcap?: string } {
  const { pcap } = request.options
  if (pcap === undefined || request.files.length < 2) return {}
  const dot = pcap.lastIndexOf('.')
  const [stem, ending] = dot > 0 ? [pcap.slice(0, dot), pcap.slice(dot)] : [pcap, '']
  return { pcap: `${stem}.${basename(file)}${ending}` }
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
    throw new UsageError(`--out ${file}: ${(error as NodeJS.ErrnoException).code ?? 'cannot be written'}`)
  }
}
