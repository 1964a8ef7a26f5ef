// The reporters by name. A reporter hears of the run as it goes and writes text; it decides nothing.

import type { RunObserver, ScenarioResult } from '../result.js'
import { jsonReporter } from './json.js'
import { junitReporter } from './junit.js'
import { prettyReporter } from './pretty.js'
import { tapReporter } from './tap.js'

export interface Reporter extends RunObserver {
  /** Once, after the last scenario. */
  runFinished(results: readonly ScenarioResult[]): void
}

export interface ReporterOutput {
  write(text: string): void
  /** Whether colours and a line that is overwritten are welcome. */
  readonly colors: boolean
  readonly progress: boolean
}

export const REPORTERS: Readonly<Record<string, (output: ReporterOutput) => Reporter>> = {
  pretty: prettyReporter,
  tap: tapReporter,
  junit: junitReporter,
  json: jsonReporter,
}
