// One round: client pods in a cluster, load on the Service while the steps of `during` are done.

import type { Micros } from '../base/time.js'
import { MINUTE, SECOND } from '../base/time.js'
import type { LoadSpec } from '../pod/load/load-spec.js'
import type { Step } from '../scenario/format.js'
import type { StepResult } from '../scenario/result.js'
import { untilAborted } from '../scenario/run.js'
import type { Stage } from '../scenario/stage.js'
import { commandOf, runStep } from '../scenario/steps.js'
import type { BenchCluster, OpenBenchCluster } from './bench-cluster.js'
import { clientPods } from './client-pods.js'
import { type BenchPlan, HEADLESS } from './plan.js'
import type { RoundRecord } from './recording.js'
import { RunningLoad } from './running-load.js'
import {
  findService,
  followEndpoints,
  headlessTwin,
  readyEndpoints,
  type ServiceTarget,
  TargetError,
  whyNotReady,
} from './service-target.js'

/** Beyond the load itself and the last answer. */
const GRACE: Micros = 10 * SECOND
/** For clients to be started, on a busy machine, too. */
const PREPARE_LIMIT: Micros = MINUTE
const REPORT_MS = 100
/** kubectl's words that change nothing. */
const LOOKS = /^(get|describe|logs|wait|top|rollout status|explain|version|cluster-info|api-resources)\b/

/** How a round gets on. */
export interface RoundProgress {
  readonly phase: 'start' | 'load'
  readonly requests: number
  /** Emulated time since the load began. */
  readonly elapsed: Micros
}

export interface RoundOptions {
  readonly seed: number
  readonly signal: AbortSignal
  readonly onProgress: (progress: RoundProgress) => void
}

export interface RoundOutcome {
  readonly target: ServiceTarget
  readonly record: RoundRecord
  /** Pods that sent. */
  readonly clients: number
  /** Steps of `during` that failed. */
  readonly failures: readonly StepResult[]
  /** It was ended before its time; its record has what happened until then. */
  readonly interrupted: boolean
}

/**
 * When aborted under load it gives what was recorded until then, before with `signal.reason`. Rejects with TargetError and
 * with what opening the cluster rejects with; the cluster is closed in any case.
 */
export async function runRound(
  open: OpenBenchCluster,
  during: readonly Step[],
  plan: BenchPlan,
  mode: string,
  options: RoundOptions,
): Promise<RoundOutcome> {
  options.onProgress({ phase: 'start', requests: 0, elapsed: 0 })
  const cluster = await open(mode, options)
  let soFar: (() => RoundOutcome) | undefined
  const measuring = measure(cluster, during, plan, mode, options, (recorded) => {
    soFar = recorded
  })
  let problem: unknown
  const outcome = await untilAborted(options.signal, measuring).catch((error: unknown) => {
    problem = error
    return options.signal.aborted ? soFar?.() : undefined
  })
  await cluster.close(measuring.catch(() => {})).catch((error: Error) => {
    if (problem === undefined || problem === options.signal.reason) throw error
    if (problem instanceof Error) problem.message += `; ${error.message}`
  })
  if (outcome === undefined) throw problem
  return outcome
}

async function measure(
  cluster: BenchCluster,
  steps: readonly Step[],
  plan: BenchPlan,
  mode: string,
  options: RoundOptions,
  onLoad: (recorded: () => RoundOutcome) => void,
): Promise<RoundOutcome> {
  const { stage } = cluster
  const access = stage.emulation
  const target = findService(access.api, plan.service)
  const clients = await clientPods(cluster, plan, target)
  if (plan.delay !== undefined)
    for (const { uid } of clients) await access.setLink({ pod: uid }, { delay: plan.delay })
  const spec = loadSpec(cluster, plan, mode, target)
  await cluster.settle()
  if (readyEndpoints(access.api, target).size === 0)
    throw new TargetError(
      `no endpoint of ${target.servicePort} became ready`,
      whyNotReady(access.api, target),
    )
  const load = new RunningLoad(access, target, spec.resolveEach)
  const ends: (() => void)[] = [() => load.stop()]
  try {
    await access.run(load.prepare(clients, spec), PREPARE_LIMIT)
    const log = [{ at: -1, endpoints: readyEndpoints(access.api, target) }]
    const startAt = load.start()
    const note = (at: Micros, endpoints: Map<string, string | undefined>) =>
      log.push({ at: at - startAt, endpoints })
    ends.push(followEndpoints(access.api, target, () => access.now(), note))
    const report = setInterval(() => {
      options.onProgress({ phase: 'load', requests: load.requests, elapsed: load.elapsed })
    }, REPORT_MS)
    ends.push(() => clearInterval(report))
    const limit = startAt - access.now() + plan.load.duration + plan.load.timeout + GRACE
    const record = { startAt, clients: load.clients, flows: load.flows, changes: [], ready: log }
    const outcome = (interrupted: boolean) => {
      const failures = stage.results.filter(({ status }) => status === 'failed')
      return { target, record, clients: clients.length, failures, interrupted }
    }
    onLoad(() => outcome(true))
    await doSteps(stage, steps, startAt, record.changes)
    await access.run(load.finish(), limit)
    return outcome(false)
  } finally {
    for (const end of ends) end()
  }
}

/** Does the steps; adds those that change something to `changes`, with when they were begun. */
async function doSteps(
  stage: Stage,
  steps: readonly Step[],
  startAt: Micros,
  changes: { at: Micros; what: string }[],
): Promise<void> {
  const access = stage.emulation
  if (steps.length > 0) await access.sleep(Math.max(0, startAt - access.now()))
  for (const step of steps) {
    if (stage.signal.aborted) break
    const what = step.name ?? commandOf(step)
    const changing = step.sleep === undefined && step.wait === undefined && !LOOKS.test(step.kubectl ?? '')
    if (changing) changes.push({ at: access.now() - startAt, what })
    await runStep(stage, step, 1, { settles: false, paced: false })
  }
}

function loadSpec(
  { stage, id }: BenchCluster,
  { load }: BenchPlan,
  mode: string,
  target: ServiceTarget,
): LoadSpec {
  const direct = mode === HEADLESS || target.clusterIP === 'None'
  if (!direct && target.protocol !== (load.protocol === 'udp' ? 'UDP' : 'TCP'))
    throw new TargetError(
      `port ${target.port} of ${target.name} is ${target.protocol}`,
      '--protocol, or another port',
    )
  const twin = direct ? headlessTwin(stage.emulation.api, target, id) : undefined
  return {
    protocol: load.protocol,
    host: twin === undefined ? target.clusterIP : `${twin.name}.${target.namespace}`,
    port: twin?.port ?? target.port,
    resolveEach: direct,
    payload: load.payload,
    http: load.http,
    connections: load.connections,
    keepAlive: load.keepAlive,
    rate: load.rate,
    duration: load.duration,
    timeout: load.timeout,
  }
}
