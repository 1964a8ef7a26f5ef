// Test Anything Protocol, version 14: one subtest-free stream over all scenarios.

import type { StepResult } from '../result.js'
import type { Reporter, ReporterOutput } from './reporter.js'

export function tapReporter(output: ReporterOutput): Reporter {
  let count = 0
  let scenario = ''
  output.write('TAP version 14\n')
  return {
    scenarioStarted({ name, file }) {
      scenario = name
      output.write(`# ${escapeName(name)} (${escapeName(file)})\n`)
    },
    stepFinished(step) {
      count++
      const ok = step.status === 'failed' ? 'not ok' : 'ok'
      const skip = step.status === 'skipped' ? ` # SKIP ${escapeName(step.reason ?? '')}` : ''
      output.write(`${ok} ${count} - ${escapeName(`${scenario}: ${step.name}`)}${skip}\n`)
      if (step.status === 'failed') output.write(diagnostics(step))
    },
    runFinished() {
      output.write(`1..${count}\n`)
    },
  }
}

function diagnostics(step: StepResult): string {
  const lines = [
    '---',
    `message: ${JSON.stringify(step.reason ?? 'failed')}`,
    `duration_ms: ${step.durationMs}`,
  ]
  lines.push(`command: ${JSON.stringify(step.command)}`)
  if (step.line !== undefined) lines.push(`line: ${step.line}`)
  if (step.diff !== undefined) lines.push('diff: |', ...step.diff.map((line) => `  ${line}`))
  else lines.push(`output: ${JSON.stringify(step.output)}`)
  lines.push('...')
  return lines.map((line) => `  ${line}\n`).join('')
}

/** A `#` begins a directive, a newline a new test point. */
function escapeName(name: string): string {
  return name
    .replace(/\\/g, '\\\\')
    .replace(/#/g, '\\#')
    .replace(/\s*\n\s*/g, ' ')
}
