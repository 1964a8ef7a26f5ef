// Load on a service from inside a pod: curl in a loop, each request on a new connection, through the pod's own
// resolver, stack and network. Who answered is known from the proxies (endpoint) or from the answers (body).

import type { Micros } from '../base/time.js'
import { MINUTE } from '../base/time.js'
import type { FlowEvent } from '../drivers/emulation.js'
import { parseDuration } from './duration.js'
import type { LoadSection } from './format.js'
import type { ExecResult, PodTarget } from './pod-exec.js'
import { execInPod } from './pod-exec.js'
import type { Shares } from './shares.js'
import { sharesOfFlows } from './shares.js'
import type { Stage } from './stage.js'

export const LOAD_TIMEOUT: Micros = 10 * MINUTE
/** Ends each answer in a client's output; the number is curl's exit status. */
const MARK = '@@request-ended'
/** In front of it, the seconds that curl took. */
const TOOK = '@@request-took'
const REQUEST_SECONDS = 10

/** One client's loop, for the pod's own sh. */
function clientScript(url: string, requests: number, intervalSeconds: number): string {
  const pause = intervalSeconds > 0 ? `sleep ${intervalSeconds}; ` : ''
  const quoted = `'${url.replaceAll("'", `'\\''`)}'`
  return `n=0; while [ $n -lt ${requests} ]; do n=$((n+1)); curl -s -S -f -m ${REQUEST_SECONDS} -w '\\n${TOOK} %{time_total}\\n' ${quoted}; echo "${MARK} $?"; ${pause}done`
}

interface Answer {
  readonly status: number
  readonly seconds: number
  readonly body: string
}

function answersOf(stdout: string): Answer[] {
  const answers: Answer[] = []
  const mark = new RegExp(`(?:\\n${TOOK} ([\\d.]+)\\n)?${MARK} (\\d+)\\n`, 'g')
  let start = 0
  for (const match of stdout.matchAll(mark)) {
    answers.push({
      status: Number(match[2]),
      seconds: Number(match[1] ?? 0),
      body: stdout.slice(start, match.index).trim(),
    })
    start = match.index + match[0].length
  }
  return answers
}

export interface LoadOutcome {
  readonly shares: Shares
  /** Of the requests that succeeded. */
  readonly latenciesMs: readonly number[]
  /** What clients wrote on standard error, and whether one did not end in time. */
  readonly complaints: string
}

/**
 * Starts the load; the promise settles as the emulation runs. What it gives says what came of it, once the emulation's
 * `run` has returned: not before has everything been heard of the load's connections.
 */
export async function generateLoad(
  stage: Stage,
  load: LoadSection,
  pod: PodTarget,
  timeout: Micros,
): Promise<() => LoadOutcome> {
  const firstFlow = stage.flows.length
  const clients = Math.min(load.connections ?? 1, load.requests)
  const interval = load.interval === undefined ? 0 : parseDuration(load.interval) / 1e6
  const runs = Array.from({ length: clients }, (_, client) => {
    const requests = Math.floor(load.requests / clients) + (client < load.requests % clients ? 1 : 0)
    const script = clientScript(load.url, requests, interval)
    return execInPod(stage.emulation.api, stage.host.system.clock, pod, {
      container: load.container,
      script,
      timeout,
    })
  })
  const ended = await Promise.all(runs)
  return () => outcomeOf(load, ended, pod, stage.flows.slice(firstFlow))
}

function outcomeOf(
  load: LoadSection,
  ended: readonly ExecResult[],
  pod: PodTarget,
  heard: readonly FlowEvent[],
): LoadOutcome {
  const answers = ended.flatMap((run) => answersOf(run.stdout))
  const complaints = ended
    .map((run) => run.stderr + (run.timedOut ? 'a client did not end in time\n' : ''))
    .join('')
  const good = answers.filter((answer) => answer.status === 0)
  const failed = load.requests - good.length
  const latenciesMs = good.map((answer) => answer.seconds * 1000)
  if (load.by === 'body') {
    const sequence = good.map((answer) => answer.body.split('\n', 1)[0]!)
    return { shares: { requests: load.requests, failed, sequence }, latenciesMs, complaints }
  }
  const flows = heard.filter(
    (flow) => flow.protocol === 'TCP' && pod.addresses.includes(addressOf(flow.client)),
  )
  return { shares: { ...sharesOfFlows(flows), requests: load.requests, failed }, latenciesMs, complaints }
}

/** Of `10.36.0.0:40000`, `[fd00::1]:40000`. */
function addressOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, '')
}
