// What a run comes to: plain data, the same for all reporters and for the library.

import type { ClockKind } from '../drivers/emulation.js'
import type { Shares } from './shares.js'

export type StepStatus = 'passed' | 'failed' | 'skipped'

export interface StepResult {
  readonly name: string
  /** What was done, as one would type it. */
  readonly command: string
  readonly status: StepStatus
  /** What came out, without carriage returns. */
  readonly output: string
  /** What was expected, in words or as the output itself; undefined when only success was. */
  readonly expected: string | undefined
  /** Emulated milliseconds. */
  readonly durationMs: number
  /** Why it failed or was skipped, a sentence; then, where it helps, a difference. */
  readonly reason?: string
  readonly diff?: readonly string[]
  /** Of a load. */
  readonly load?: LoadResult
  /** Line of the file on which the step stands. */
  readonly line?: number
  /** Of a walkthrough's command: the prompt at which it was typed, and the note above it. */
  readonly prompt?: string
  readonly note?: string
}

export interface ScenarioResult {
  /** Name of the scenario. */
  readonly scenario: string
  readonly file: string
  readonly clock: ClockKind
  readonly seed: number
  /** How the kube-proxy of the last node worked at the end; undefined when nothing was run. */
  readonly proxyMode?: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly steps: readonly StepResult[]
  /** Emulated milliseconds from the first step to the last. */
  readonly durationMs: number
}

/** What a load came to. */
export interface LoadResult {
  readonly shares: Shares
  /** Of the requests that succeeded, emulated. */
  readonly latenciesMs: readonly number[]
}

/** Hears of a run as it goes. */
export interface RunObserver {
  scenarioStarted?(scenario: { readonly name: string; readonly file: string; readonly steps: number }): void
  stepStarted?(step: { readonly name: string; readonly command: string }): void
  stepFinished?(step: StepResult): void
  scenarioFinished?(result: ScenarioResult): void
}
