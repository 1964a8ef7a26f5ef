// One JSON document: an object for one scenario, a list for several.

import type { ScenarioResult, StepResult } from '../result.js'
import type { Reporter, ReporterOutput } from './reporter.js'

export function jsonReporter(output: ReporterOutput): Reporter {
  return {
    runFinished(results) {
      const data = results.map(scenarioData)
      output.write(`${JSON.stringify(data.length === 1 ? data[0] : data, undefined, 2)}\n`)
    },
  }
}

function scenarioData(result: ScenarioResult): Record<string, unknown> {
  const { scenario, file, clock, seed, passed, failed, skipped, durationMs } = result
  return {
    scenario,
    file,
    clock,
    seed,
    passed,
    failed,
    skipped,
    durationMs,
    steps: result.steps.map(stepData),
  }
}

function stepData(step: StepResult): Record<string, unknown> {
  const { name, command, status, output, durationMs } = step
  return {
    name,
    command,
    status,
    output,
    expected: step.expected ?? null,
    durationMs,
    ...(step.line === undefined ? {} : { line: step.line }),
    ...(step.reason === undefined ? {} : { reason: step.reason }),
  }
}
