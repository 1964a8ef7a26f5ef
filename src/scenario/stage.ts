// What a run works with, whatever the document: the emulation, the shell outside the cluster, the connections
// seen so far, and who hears of steps.

import type { Micros } from '../base/time.js'
import { MINUTE, SECOND } from '../base/time.js'
import type { ClusterAccess, FlowEvent } from '../drivers/emulation.js'
import type { HostShell } from './host-shell.js'
import type { RunObserver, StepResult } from './result.js'

export const STEP_TIMEOUT: Micros = 60 * SECOND
const SETTLE_TIMEOUT: Micros = 5 * MINUTE
/** What it takes to type a line. Only under the virtual clock: nobody wants to wait for it in real time. */
const TYPING_PACE: Micros = SECOND

export type CheckMode = 'output' | 'exit'

export class Stage {
  readonly emulation: ClusterAccess
  readonly host: HostShell
  readonly check: CheckMode
  /** Connections that kube-proxies accepted, in order. */
  readonly flows: FlowEvent[] = []
  readonly results: StepResult[] = []
  readonly signal: AbortSignal
  readonly #observer: RunObserver

  constructor(
    emulation: ClusterAccess,
    host: HostShell,
    options: { readonly check: CheckMode; readonly observer: RunObserver; readonly signal: AbortSignal },
  ) {
    this.emulation = emulation
    this.host = host
    this.check = options.check
    this.signal = options.signal
    this.#observer = options.observer
  }

  /** Until pods, proxies and DNS are at rest. */
  async settle(): Promise<void> {
    await this.emulation.settle(SETTLE_TIMEOUT)
  }

  /** The time that a person needs for a line. */
  async pace(): Promise<void> {
    if (this.emulation.clock === 'virtual') await this.emulation.sleep(TYPING_PACE)
  }

  started(step: { readonly name: string; readonly command: string }): void {
    this.#observer.stepStarted?.(step)
  }

  finished(result: StepResult): void {
    this.results.push(result)
    this.#observer.stepFinished?.(result)
  }

  /** Emulated milliseconds since `start`. */
  millisSince(start: Micros): number {
    return Math.round((this.emulation.now() - start) / 100) / 10
  }
}
