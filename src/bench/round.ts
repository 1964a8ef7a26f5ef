// One round: a fresh cluster in one mode, client pods in it, load on the Service while the steps of `during` are done.

import type { Micros } from '../base/time.js'
import { MILLISECOND, MINUTE, SECOND } from '../base/time.js'
import type { Emulation, EmulationOptions, FlowEvent } from '../drivers/emulation.js'
import { type LoadSpec, RECORD_WORDS } from '../pod/load/load-spec.js'
import { SERVICE_TIME_VARIABLE, WORKERS_VARIABLE } from '../pod/load/service-time.js'
import { clusterOptions } from '../scenario/document.js'
import type { Step } from '../scenario/format.js'
import { findPod, type PodTarget } from '../scenario/pod-exec.js'
import type { StepResult } from '../scenario/result.js'
import { openStage, untilAborted, type World } from '../scenario/run.js'
import type { Stage } from '../scenario/stage.js'
import { commandOf, runStep } from '../scenario/steps.js'
import type { BenchDocument } from './bench-document.js'
import { LoadStream } from './load-stream.js'
import { type BenchPlan, HEADLESS } from './plan.js'
import type { ClientRecord, RoundRecord } from './recording.js'
import {
  findService,
  followEndpoints,
  headlessTwin,
  readyEndpoints,
  type ServiceTarget,
  TargetError,
} from './service-target.js'

const SETTLE_TIMEOUT: Micros = 2 * MINUTE
/** From the order to the first request: clients have looked names up by then. */
const HEAD_START: Micros = 200 * MILLISECOND
/** Beyond the load itself and the last answer. */
const GRACE: Micros = 10 * SECOND
/** Clients that balance by themselves need no kube-proxy; they get one all the same, for DNS. */
const MODE_OF_HEADLESS = 'iptables'
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
  /** Steps of `during` that failed. */
  readonly failures: readonly StepResult[]
}

/** Rejects with TargetError, SourceError, and `signal.reason` when aborted; everything is closed then. */
export async function runRound(
  bench: BenchDocument,
  plan: BenchPlan,
  mode: string,
  world: World,
  options: RoundOptions,
): Promise<RoundOutcome> {
  const emulation = await world.startEmulation(emulationOptions(bench, plan, mode, options.seed))
  try {
    return await untilAborted(options.signal, measure(bench, plan, mode, world, options, emulation))
  } finally {
    await emulation.close()
  }
}

function emulationOptions(
  bench: BenchDocument,
  plan: BenchPlan,
  mode: string,
  seed: number,
): EmulationOptions {
  const { cluster, startTime } = bench.document.settings
  const { serviceTime, workers, clock, podsPerThread } = plan
  return {
    cluster: clusterOptions(cluster),
    clock,
    seed,
    ...(clock === 'real' ? { podsPerThread } : {}),
    proxyMode: mode === HEADLESS ? MODE_OF_HEADLESS : mode,
    ...(startTime === undefined ? {} : { startTime }),
    ...(serviceTime === undefined
      ? {}
      : { environment: { [SERVICE_TIME_VARIABLE]: serviceTime, [WORKERS_VARIABLE]: String(workers) } }),
  }
}

async function measure(
  bench: BenchDocument,
  plan: BenchPlan,
  mode: string,
  world: World,
  options: RoundOptions,
  emulation: Emulation,
): Promise<RoundOutcome> {
  options.onProgress({ phase: 'start', requests: 0, elapsed: 0 })
  const stage = await openStage(bench.document, emulation, { signal: options.signal }, world)
  const target = findService(emulation.api, plan.service)
  await stage.host.run(`kubectl create -f ${clientManifest(stage, plan, target)}`, MINUTE)
  await emulation.settle(SETTLE_TIMEOUT)
  const clients = clientNames(plan).map((name) => findPod(emulation.api, `${target.namespace}/${name}`))
  if (plan.delay !== undefined)
    for (const { uid } of clients) await emulation.setLink({ pod: uid }, { delay: plan.delay })
  const spec = loadSpec(emulation, plan, mode, target)
  await emulation.settle(SETTLE_TIMEOUT)
  const ready = readyEndpoints(emulation.api, target)
  if (ready.size === 0) throw new TargetError(`no endpoint of ${target.servicePort} became ready`)
  const load = new RunningLoad(emulation, target, spec.resolveEach)
  const log: { at: Micros; endpoints: ReadonlyMap<string, string | undefined> }[] = [
    { at: -1, endpoints: ready },
  ]
  const unfollow = followEndpoints(
    emulation.api,
    target,
    () => emulation.now(),
    (at, endpoints) => log.push({ at: at - load.startAt, endpoints }),
  )
  const report = setInterval(() => options.onProgress(load.progress()), 100)
  try {
    const limit = HEAD_START + plan.load.duration + plan.load.timeout + GRACE
    const going = load.run(clients, spec, plan)
    going.catch(() => {})
    const changes = await during(stage, bench.during, load)
    await emulation.run(going, limit)
    const record = { startAt: load.startAt, clients: load.clients, flows: load.flows, changes, ready: log }
    return { target, record, failures: stage.results.filter(({ status }) => status === 'failed') }
  } finally {
    clearInterval(report)
    unfollow()
    load.stop()
  }
}

/** Does the steps; those that change something, with when they were begun. */
async function during(
  stage: Stage,
  steps: readonly Step[],
  load: RunningLoad,
): Promise<{ at: Micros; what: string }[]> {
  const changes: { at: Micros; what: string }[] = []
  if (steps.length > 0) await stage.emulation.sleep(Math.max(0, load.startAt - stage.emulation.now()))
  for (const step of steps) {
    if (stage.signal.aborted) break
    const what = step.name ?? commandOf(step)
    const changing = step.sleep === undefined && step.wait === undefined && !LOOKS.test(step.kubectl ?? '')
    if (changing) changes.push({ at: stage.emulation.now() - load.startAt, what })
    await runStep(stage, step, 1, { settles: false, paced: false })
  }
  return changes
}

function clientNames({ load }: BenchPlan): string[] {
  return Array.from({ length: load.clients }, (_, i) => `bench-client-${i + 1}`)
}

function clientManifest(stage: Stage, plan: BenchPlan, { namespace }: ServiceTarget): string {
  const items = clientNames(plan).map((name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'bench-client' } },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'load', image: 'podwire/load' }] },
  }))
  stage.host.writeFile('/tmp/bench-clients.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  return '/tmp/bench-clients.json'
}

function loadSpec(emulation: Emulation, plan: BenchPlan, mode: string, target: ServiceTarget): LoadSpec {
  const { load } = plan
  const direct = mode === HEADLESS || target.clusterIP === 'None'
  if (!direct && target.protocol !== (load.protocol === 'udp' ? 'UDP' : 'TCP'))
    throw new TargetError(
      `port ${target.port} of ${target.name} is ${target.protocol}`,
      '--protocol, or another port',
    )
  const twin = direct ? headlessTwin(emulation.api, target) : undefined
  return {
    protocol: load.protocol,
    host: twin === undefined ? target.clusterIP : `${twin.name}.${target.namespace}`,
    port: twin?.port ?? target.port,
    resolveEach: direct,
    payload: load.payload,
    connections: load.connections,
    keepAlive: load.keepAlive,
    rate: load.rate,
    startAt: 0,
    duration: load.duration,
    timeout: load.timeout,
  }
}

/** The clients at work, and what they and the proxies told so far. */
class RunningLoad {
  readonly startAt: Micros
  readonly clients: ClientRecord[] = []
  readonly flows: FlowEvent[] = []
  readonly #emulation: Emulation
  readonly #unlisten: () => void
  #requests = 0

  /** `direct`: clients go to pods without a proxy. */
  constructor(emulation: Emulation, target: ServiceTarget, direct: boolean) {
    this.#emulation = emulation
    this.startAt = emulation.now() + HEAD_START
    this.#unlisten = emulation.onFlow((flow) => {
      if (!direct && flow.service === target.servicePort) this.flows.push(flow)
    })
  }

  /** Resolves when all clients have told all. Rejects when one cannot be run. */
  async run(pods: readonly PodTarget[], spec: LoadSpec, { load }: BenchPlan): Promise<void> {
    await Promise.all(
      pods.map((pod, i) => {
        const share = (total: number) => Math.floor(total / pods.length) + (i < total % pods.length ? 1 : 0)
        return this.#client(pod, {
          ...spec,
          startAt: this.startAt,
          connections: share(load.connections),
          rate: load.rate / pods.length,
        })
      }),
    )
  }

  progress(): RoundProgress {
    const elapsed = Math.max(0, this.#emulation.now() - this.startAt)
    return { phase: 'load', requests: this.#requests, elapsed }
  }

  stop(): void {
    this.#unlisten()
  }

  #client(pod: PodTarget, spec: LoadSpec): Promise<void> {
    const record: ClientRecord = { words: [], connections: [], summary: undefined }
    this.clients.push(record)
    const stream = new LoadStream({
      requests: (words) => {
        record.words.push(words)
        this.#requests += words.length / RECORD_WORDS
      },
      connections: (connections) => record.connections.push(...connections),
      summary: (summary) => {
        record.summary = summary
      },
    })
    const streams = this.#emulation.api.exec({
      namespace: pod.namespace,
      pod: pod.name,
      stdin: false,
      tty: false,
      command: ['load', JSON.stringify(spec)],
    })
    if ('kind' in streams)
      return Promise.reject(new TargetError(`${pod.name}: ${streams.message ?? 'exec failed'}`))
    return new Promise((resolve, reject) => {
      let complaints = ''
      streams.onOutput = (from, bytes) => {
        if (from === 'stdout') stream.push(bytes)
        else complaints += new TextDecoder().decode(bytes)
      }
      streams.onExit = ({ exitCode, error }) => {
        if (exitCode === 0 && record.summary !== undefined) resolve()
        else reject(new Error(`the load client in ${pod.name} failed: ${error ?? complaints.trim()}`))
      }
    })
  }
}
