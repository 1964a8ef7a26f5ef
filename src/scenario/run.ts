// Runs one document, scenario or walkthrough, on an emulation of its own, and gives the result as data. The
// library's and the command line's way in.

import type {
  ClockKind,
  ClusterAccess,
  Emulation,
  EmulationOptions,
  FlowEvent,
  NetworkThreadCount,
  PodsPerThread,
} from '../drivers/emulation.js'
import type { ProxyStatistics } from '../drivers/proxy-statistics.js'
import type { Program } from '../posix/process.js'
import type { RunnableDocument } from './document.js'
import { clusterOptions, openDocument } from './document.js'
import { HostShell } from './host-shell.js'
import type { RunObserver, ScenarioResult, StepResult } from './result.js'
import type { SourceProblem } from './source-error.js'
import { SourceError } from './source-error.js'
import type { CheckMode } from './stage.js'
import { STEP_TIMEOUT, Stage } from './stage.js'
import { commandOf, runSteps } from './steps.js'
import { runWalkthrough } from './walkthrough-run.js'

export interface RunOptions {
  /** Default virtual. */
  readonly clock?: ClockKind
  /** In real time: how many pods share a thread. */
  readonly podsPerThread?: PodsPerThread
  /** In real time: among how many threads the nodes are dealt. */
  readonly networkThreads?: NetworkThreadCount
  /** Overrides the document's; default 1. */
  readonly seed?: number
  /** ISO 8601; overrides the document's. */
  readonly startTime?: string
  /** Where to write a pcapng of every virtual interface. */
  readonly pcap?: string
  /** Overrides the document's: `userspace`, `iptables`, `ipvs`, `ipvs:wrr`, `nftables`. */
  readonly proxyMode?: string
  /** How strictly a walkthrough is held: by its outputs (default), or by exit statuses alone. */
  readonly check?: CheckMode
  /** Where the files lie that commands name; overrides the document's. */
  readonly files?: string
  readonly observer?: RunObserver
  /** Hears of every connection that a kube-proxy accepted. */
  readonly onFlow?: (event: FlowEvent) => void
  /** Hears at the end what the kube-proxy of the last node has written; it tells real time, so it is in no result. */
  readonly onProxyStatistics?: (statistics: ProxyStatistics) => void
  /** Ends the run early; the promise then rejects with its reason, after everything is closed. */
  readonly signal?: AbortSignal
}

/** What a run is made with: how an emulation is started, and the programs of the host shell. */
export interface World {
  startEmulation(options: EmulationOptions): Promise<Emulation>
  /** Of the shell outside the cluster, in the cluster's time. */
  hostPrograms(cluster: ClusterAccess): Promise<ReadonlyMap<string, Program>>
}

const DEFAULT_SEED = 1

/**
 * Runs `file` from start to end; a failed step does not end the run. Throws SourceError when the document or a
 * manifest that it names is bad; failed expectations are in the result.
 */
export async function runDocument(file: string, options: RunOptions, world: World): Promise<ScenarioResult> {
  const document = openDocument(file, options.files)
  const clock = options.clock ?? 'virtual'
  const seed = options.seed ?? document.settings.seed ?? DEFAULT_SEED
  const observer = options.observer ?? {}
  observer.scenarioStarted?.({ name: document.name, file, steps: stepCount(document) })
  const clocks = document.settings.clocks
  if (clocks !== undefined && !clocks.includes(clock)) {
    return finish(document, { clock, seed, durationMs: 0 }, skippedSteps(document, clock, observer), observer)
  }
  const emulation = await world.startEmulation(emulationOptions(document, options, clock, seed))
  try {
    const steps = await untilAborted(options.signal, perform(document, emulation, options, world))
    const durationMs = Math.round(emulation.now() / 1000)
    const node = emulation.nodes.at(-1)!
    options.onProxyStatistics?.(await emulation.proxyStatistics(node))
    const proxyMode = emulation.proxyMode(node)
    return finish(document, { clock, seed, proxyMode, durationMs }, steps, observer)
  } finally {
    await emulation.close()
  }
}

function emulationOptions(
  document: RunnableDocument,
  options: RunOptions,
  clock: ClockKind,
  seed: number,
): EmulationOptions {
  const startTime = options.startTime ?? document.settings.startTime
  return {
    cluster: clusterOptions(document.settings.cluster),
    clock,
    seed,
    ...(options.podsPerThread === undefined ? {} : { podsPerThread: options.podsPerThread }),
    ...(options.networkThreads === undefined ? {} : { networkThreads: options.networkThreads }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(options.pcap === undefined ? {} : { pcap: options.pcap }),
    ...(options.proxyMode === undefined ? {} : { proxyMode: options.proxyMode }),
  }
}

async function perform(
  document: RunnableDocument,
  emulation: Emulation,
  options: RunOptions,
  world: World,
): Promise<readonly StepResult[]> {
  const stage = await openStage(document, emulation, options, world)
  if (document.body.kind === 'walkthrough') await runWalkthrough(stage, document.body.commands)
  else await runSteps(stage, document.body.steps, document.body.stepLine)
  return stage.results
}

/** Where the steps of `document` can be done: its files are there and its manifests applied. Rejects with SourceError. */
export async function openStage(
  document: RunnableDocument,
  emulation: ClusterAccess,
  options: Pick<RunOptions, 'check' | 'observer' | 'signal' | 'onFlow'>,
  world: World,
): Promise<Stage> {
  const host = new HostShell(emulation, await world.hostPrograms(emulation), document.directory)
  const stage = new Stage(emulation, host, {
    check: options.check ?? 'output',
    observer: options.observer ?? {},
    signal: options.signal ?? new AbortController().signal,
  })
  emulation.onFlow((event) => {
    stage.flows.push(event)
    options.onFlow?.(event)
  })
  for (const [path, content] of Object.entries(document.files)) host.writeFile(path, content)
  await applyManifests(document, stage)
  return stage
}

/** A manifest that is refused is a mistake in the document, told at the place that names it. */
async function applyManifests(document: RunnableDocument, stage: Stage): Promise<void> {
  for (const manifest of document.manifests) {
    stage.host.writeFile('/tmp/manifest.yaml', manifest.text)
    const { exitCode, output } = await stage.host.run('kubectl apply -f /tmp/manifest.yaml', STEP_TIMEOUT)
    if (exitCode === 0) continue
    const said = output.trim().replaceAll('/tmp/manifest.yaml', manifest.title)
    const problem: SourceProblem = { ...manifest.position, message: `${manifest.title} was refused: ${said}` }
    throw new SourceError(document.file, [problem])
  }
}

export function untilAborted<Value>(signal: AbortSignal | undefined, work: Promise<Value>): Promise<Value> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function stepCount(document: RunnableDocument): number {
  return document.body.kind === 'scenario' ? document.body.steps.length : document.body.commands.length
}

function skippedSteps(document: RunnableDocument, clock: ClockKind, observer: RunObserver): StepResult[] {
  const { body } = document
  const reason = `not declared for the ${clock} clock`
  const commands =
    body.kind === 'scenario'
      ? body.steps.map((step) => ({ name: step.name ?? commandOf(step), command: commandOf(step) }))
      : body.commands.map(({ command }) => ({ name: command, command }))
  const steps = commands.map(
    (step): StepResult => ({
      ...step,
      status: 'skipped',
      output: '',
      expected: undefined,
      durationMs: 0,
      reason,
    }),
  )
  for (const step of steps) observer.stepFinished?.(step)
  return steps
}

function finish(
  document: RunnableDocument,
  run: Pick<ScenarioResult, 'clock' | 'seed' | 'proxyMode' | 'durationMs'>,
  steps: readonly StepResult[],
  observer: RunObserver,
): ScenarioResult {
  const count = (status: StepResult['status']) => steps.filter((step) => step.status === status).length
  const result: ScenarioResult = {
    scenario: document.name,
    file: document.file,
    ...run,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    steps,
  }
  observer.scenarioFinished?.(result)
  return result
}
