// JUnit XML as CI systems read it: a testsuite per scenario, a testcase per step.

import type { ScenarioResult, StepResult } from '../result.js'
import type { Reporter, ReporterOutput } from './reporter.js'

export function junitReporter(output: ReporterOutput): Reporter {
  return {
    runFinished(results) {
      const sum = (pick: (result: ScenarioResult) => number) => results.reduce((n, r) => n + pick(r), 0)
      const tests = sum((result) => result.steps.length)
      const head = `<testsuites name="podwire" tests="${tests}" failures="${sum((r) => r.failed)}" skipped="${sum((r) => r.skipped)}" time="${seconds(sum((r) => r.durationMs))}">`
      output.write(
        `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${results.map(suiteXml).join('')}</testsuites>\n`,
      )
    },
  }
}

function suiteXml(result: ScenarioResult): string {
  const head = `  <testsuite name="${escapeXml(result.scenario)}" file="${escapeXml(result.file)}" tests="${result.steps.length}" failures="${result.failed}" errors="0" skipped="${result.skipped}" time="${seconds(result.durationMs)}">`
  const properties = `    <properties>\n      <property name="clock" value="${result.clock}"/>\n      <property name="seed" value="${result.seed}"/>\n    </properties>`
  return `${head}\n${properties}\n${result.steps.map((step) => caseXml(result, step)).join('')}  </testsuite>\n`
}

function caseXml(result: ScenarioResult, step: StepResult): string {
  const head = `    <testcase classname="${escapeXml(result.scenario)}" name="${escapeXml(step.name)}" time="${seconds(step.durationMs)}"`
  const out = step.output === '' ? '' : `      <system-out>${escapeXml(step.output)}</system-out>\n`
  if (step.status === 'skipped') {
    return `${head}>\n      <skipped message="${escapeXml(step.reason ?? '')}"/>\n    </testcase>\n`
  }
  if (step.status === 'failed') {
    const body = escapeXml([step.command, ...(step.diff ?? [])].join('\n'))
    return `${head}>\n      <failure message="${escapeXml(step.reason ?? 'failed')}">${body}</failure>\n${out}    </testcase>\n`
  }
  return out === '' ? `${head}/>\n` : `${head}>\n${out}    </testcase>\n`
}

function seconds(millis: number): string {
  return (millis / 1000).toFixed(3)
}

/** Also drops what XML 1.0 cannot hold at all: control characters. */
function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/\n/g, '&#10;')
}
