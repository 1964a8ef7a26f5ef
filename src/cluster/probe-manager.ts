// Startup, liveness and readiness probes of the containers that run: when each is due, how many answers in a row make
// a decision, and who is told. What a decision means is the kubelet's business.
// Simplified: the first probe comes when initialDelaySeconds are over, not at the next tick of a period that began
// before the container; kubelets spread the first probes after a restart of their own, and these never restart.

import { type Micros, SECOND } from '../base/time.js'
import type { ControllerContext } from './controller-context.js'
import type { Container, Pod, Probe } from './objects.js'
import { type ProbeRequests, probeAction } from './probe-requests.js'
import type { ProbeResult } from './prober.js'
import type { PodUid } from './sandbox.js'
import type { Controller } from './work-loop.js'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

const KINDS = ['startup', 'liveness', 'readiness'] as const
const PROBE_FIELD = {
  startup: 'startupProbe',
  liveness: 'livenessProbe',
  readiness: 'readinessProbe',
} as const
const TITLE = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' } as const

/** What is probed: one run of one container. */
export interface ProbeTarget {
  readonly uid: PodUid
  readonly node: string
  readonly podIP: string
  readonly container: Container
}

/** Hears of every decision: the first, and every change. */
export type ProbeListener = (uid: PodUid, container: string, kind: ProbeKind, ok: boolean) => void

interface Worker {
  readonly target: ProbeTarget
  readonly kind: ProbeKind
  readonly probe: Probe
  nextAt: Micros
  /** The last answer, and how many like it came in a row. */
  last: boolean | undefined
  inRow: number
  decision: boolean | undefined
  cancel: (() => void) | undefined
}

export class ProbeManager implements Controller {
  readonly name = 'prober'
  readonly #context: ControllerContext
  readonly #requests: ProbeRequests
  readonly #podOf: (uid: PodUid) => Pod | undefined
  readonly #onDecision: ProbeListener
  readonly #workers = new Map<string, Worker>()

  constructor(options: {
    readonly context: ControllerContext
    readonly requests: ProbeRequests
    readonly podOf: (uid: PodUid) => Pod | undefined
    readonly onDecision: ProbeListener
  }) {
    this.#context = options.context
    this.#requests = options.requests
    this.#podOf = options.podOf
    this.#onDecision = options.onDecision
  }

  /** The container has just started. Its startup probe, if it has one, holds the others back. */
  start(target: ProbeTarget): void {
    const { container } = target
    for (const kind of KINDS) {
      const probe = container[PROBE_FIELD[kind]]
      if (probe === undefined) continue
      const worker: Worker = {
        target,
        kind,
        probe,
        nextAt: this.#context.clock.now + (probe.initialDelaySeconds ?? 0) * SECOND,
        last: undefined,
        inRow: 0,
        decision: undefined,
        cancel: undefined,
      }
      const key = keyOf(target.uid, container.name, kind)
      this.#workers.set(key, worker)
      this.#context.loop.addAt(this, key, worker.nextAt)
    }
  }

  /** The container has ended. */
  stop(uid: PodUid, container: string): void {
    for (const kind of KINDS) {
      const key = keyOf(uid, container, kind)
      this.#workers.get(key)?.cancel?.()
      this.#workers.delete(key)
    }
  }

  /** Whether every probe of the container has come to a decision, or waits for one that said no. */
  isDecided(uid: PodUid, container: string): boolean {
    const startup = this.#workers.get(keyOf(uid, container, 'startup'))
    if (startup !== undefined && startup.decision !== true) return startup.decision === false
    const readiness = this.#workers.get(keyOf(uid, container, 'readiness'))
    return readiness === undefined || readiness.decision !== undefined
  }

  reconcile(key: string): void {
    const worker = this.#workers.get(key)
    if (worker === undefined || worker.cancel !== undefined) return
    const { target, kind, probe } = worker
    const pod = this.#podOf(target.uid)
    if (pod === undefined) return
    // A pod that ends is not killed for it; whether it is ready still counts.
    if (pod.metadata.deletionTimestamp && kind !== 'readiness') return
    // A decision that ends the container, or that is made once and for all.
    if (worker.decision === false && kind !== 'readiness') return
    const startup = this.#workers.get(keyOf(target.uid, target.container.name, 'startup'))
    if (kind === 'startup' ? worker.decision === true : startup && startup.decision !== true) return
    const { clock, loop } = this.#context
    if (clock.now < worker.nextAt) return loop.addAt(this, key, worker.nextAt)
    worker.nextAt = clock.now + (probe.periodSeconds ?? 10) * SECOND
    const action = probeAction(probe, target.container, target.podIP)
    if (typeof action === 'string') return this.#onResult(key, worker, { ok: false, output: action })
    const { uid, node, container } = target
    const timeout = (probe.timeoutSeconds ?? 1) * SECOND
    worker.cancel = this.#requests.start(
      { node, uid, container: container.name, action, timeout },
      (result) => {
        worker.cancel = undefined
        if (this.#workers.get(key) === worker) this.#onResult(key, worker, result)
      },
    )
  }

  #onResult(key: string, worker: Worker, result: ProbeResult): void {
    const { kind, probe, target } = worker
    const { uid, container } = target
    if (!result.ok) this.#tell(worker, result.output)
    worker.inRow = worker.last === result.ok ? worker.inRow + 1 : 1
    worker.last = result.ok
    const threshold = (result.ok ? probe.successThreshold : probe.failureThreshold) ?? (result.ok ? 1 : 3)
    if (worker.inRow >= threshold && worker.decision !== result.ok) {
      worker.decision = result.ok
      this.#onDecision(uid, container.name, kind, result.ok)
      if (kind === 'startup' && result.ok)
        for (const other of ['liveness', 'readiness'] as const)
          this.#context.loop.add(this, keyOf(uid, container.name, other))
    }
    this.#context.loop.addAt(this, key, worker.nextAt)
  }

  #tell({ target, kind }: Worker, output: string): void {
    const pod = this.#podOf(target.uid)
    if (pod === undefined) return
    this.#context.events.record(
      pod,
      'Warning',
      'Unhealthy',
      `${TITLE[kind]} probe failed: ${output}`,
      { component: 'kubelet', host: target.node },
      `spec.containers{${target.container.name}}`,
    )
  }
}

function keyOf(uid: PodUid, container: string, kind: ProbeKind): string {
  return `${uid}/${container}/${kind}`
}
