// For people: a tick per step, the difference where one failed, a sum at the end. On a terminal the step that
// runs is shown until it is done.

import type { ScenarioResult, StepResult } from '../result.js'
import type { Reporter, ReporterOutput } from './reporter.js'

const NAME_COLUMNS = 76

export type Paint = (style: 'red' | 'green' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string

const STYLES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 }

export function painter(colors: boolean): Paint {
  return (style, text) => (colors ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text)
}

export function prettyReporter(output: ReporterOutput): Reporter {
  const paint = painter(output.colors)
  const erase = output.progress ? '\r\x1b[K' : ''
  return {
    scenarioStarted({ name, file }) {
      const place = file.startsWith(`${name}.`) ? '' : ` ${paint('dim', file)}`
      output.write(`${paint('bold', place === '' ? file : name)}${place}\n`)
    },
    stepStarted({ name }) {
      if (output.progress) output.write(`${erase}  ${paint('dim', `· ${shorten(name)}`)}`)
    },
    stepFinished(step) {
      if (step.status !== 'skipped') output.write(`${erase}${stepText(step, paint)}`)
    },
    scenarioFinished(result) {
      output.write(`${scenarioLine(result, paint)}\n\n`)
    },
    runFinished(results) {
      if (results.length < 2) return
      const failed = results.filter((result) => result.failed > 0)
      const skipped = results.filter(isSkipped).length
      const steps = results.reduce((n, result) => n + result.steps.length, 0)
      const counts = [`${results.length - failed.length - skipped} passed`, `${failed.length} failed`]
      if (skipped > 0) counts.push(`${skipped} skipped`)
      const line = `${results.length} scenarios, ${steps} steps: ${counts.join(', ')}`
      output.write(`${paint(failed.length === 0 ? 'green' : 'red', line)}\n`)
      for (const result of failed) output.write(`  ${result.file}\n`)
    },
  }
}

function stepText(step: StepResult, paint: Paint): string {
  const mark = step.status === 'failed' ? paint('red', '✗') : paint('green', '✓')
  const name = shorten(step.name)
  const time = paint('dim', formatMillis(step.durationMs).padStart(8))
  const lines = [`  ${mark} ${name.padEnd(NAME_COLUMNS)} ${time}`]
  if (step.status === 'failed') {
    const place = step.line === undefined ? '' : ` (line ${step.line})`
    lines.push(`      ${paint('red', step.reason ?? 'failed')}${paint('dim', place)}`)
    if (step.name !== step.command) lines.push(...indented([`$ ${step.command}`]))
    if (step.diff !== undefined) lines.push(...indented(step.diff.map((line) => paintDiff(line, paint))))
    else if (step.output !== '') lines.push(...indented(step.output.split('\n')))
  }
  return `${lines.join('\n')}\n`
}

function isSkipped(result: ScenarioResult): boolean {
  return result.skipped > 0 && result.skipped === result.steps.length
}

function scenarioLine(result: ScenarioResult, paint: Paint): string {
  if (isSkipped(result)) return `  ${paint('yellow', `skipped: ${result.steps[0]!.reason ?? ''}`)}`
  const skipped = result.skipped === 0 ? '' : `, ${result.skipped} skipped`
  const sum = paint(
    result.failed === 0 ? 'green' : 'red',
    `${result.passed} passed, ${result.failed} failed${skipped}`,
  )
  const mode = result.proxyMode === undefined ? '' : `, ${result.proxyMode} mode`
  const how = `${formatMillis(result.durationMs)} emulated, ${result.clock} clock, seed ${result.seed}${mode}`
  return `  ${sum} ${paint('dim', `(${how})`)}`
}

function paintDiff(line: string, paint: Paint): string {
  if (line.startsWith('-')) return paint('red', line)
  return line.startsWith('+') ? paint('green', line) : line
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `      ${line}`.trimEnd())
}

function shorten(name: string): string {
  const line = name.replace(/\s*\n\s*/g, ' ⏎ ')
  return line.length <= NAME_COLUMNS ? line : `${line.slice(0, NAME_COLUMNS - 1)}…`
}

/** `350 ms`, `1.2 s`, `3m04s`. */
export function formatMillis(millis: number): string {
  if (millis < 1000) return `${Math.round(millis)} ms`
  if (millis < 60_000) return `${(millis / 1000).toFixed(1)} s`
  const seconds = Math.round(millis / 1000)
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}
