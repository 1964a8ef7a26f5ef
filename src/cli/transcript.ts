// The report of `podwire start`: the walkthrough as it would look on a terminal, under each command the
// connections that it made (client -> ClusterIP -> endpoint), and at the end who answered how often.

import type { FlowEvent } from '../drivers/emulation.js'
import type { Paint } from '../scenario/reporters/pretty.js'
import { formatMillis, painter } from '../scenario/reporters/pretty.js'
import type { ReporterOutput } from '../scenario/reporters/reporter.js'
import type { RunObserver, ScenarioResult, StepResult } from '../scenario/result.js'
import { formatShares, sharesOfFlows } from '../scenario/shares.js'

export interface Transcript extends RunObserver {
  flow(event: FlowEvent): void
}

export function transcript(output: ReporterOutput): Transcript {
  const paint = painter(output.colors)
  const flows: FlowEvent[] = []
  let shown = 0
  return {
    flow(event) {
      flows.push(event)
    },
    scenarioStarted({ name, steps }) {
      const legend = `${paint('cyan', '→')} a connection: client → ClusterIP → endpoint, chosen by the kube-proxy of the client's node`
      output.write(`${paint('bold', name)} (${steps} commands, all on virtual packets)\n${legend}\n\n`)
    },
    stepFinished(step) {
      output.write(stepText(step, paint))
      output.write(flowLines(flows.slice(shown), paint))
      shown = flows.length
    },
    scenarioFinished(result) {
      output.write(summary(result, flows, paint))
    },
  }
}

function stepText(step: StepResult, paint: Paint): string {
  const note = step.note === undefined ? '' : `${paint('dim', `# ${step.note}`)}\n`
  const lines = `${note}${paint('green', step.prompt ?? '$ ')}${paint('bold', step.command)}\n`
  const output = step.output === '' ? '' : `${step.output}\n`
  if (step.status !== 'failed') return `\n${lines}${output}`
  const shown = step.diff === undefined ? output : `${step.diff.join('\n')}\n`
  return `\n${lines}${paint('red', `✗ ${step.reason ?? 'failed'}`)}\n${shown}`
}

/** One line per way that connections took, with their number. */
function flowLines(flows: readonly FlowEvent[], paint: Paint): string {
  const ways = new Map<string, { readonly text: string; count: number }>()
  for (const flow of flows) {
    const text = `${addressOf(flow.client)} → ${flow.clusterIP} ${flow.service} → ${flow.endpoint ?? 'no endpoint'}`
    const way = ways.get(`${flow.protocol} ${text}`)
    if (way === undefined)
      ways.set(`${flow.protocol} ${text}`, { text: `${flow.protocol} ${text}`, count: 1 })
    else way.count++
  }
  return [...ways.values()]
    .map(({ text, count }) => `${paint('cyan', `  → ${text}${count > 1 ? ` (${count} times)` : ''}`)}\n`)
    .join('')
}

function summary(result: ScenarioResult, flows: readonly FlowEvent[], paint: Paint): string {
  const services = [...new Set(flows.map((flow) => flow.service))].sort()
  const shares = services.map((service) => {
    const lines = formatShares(sharesOfFlows(flows.filter((flow) => flow.service === service)))
    return `${paint('bold', service)}\n${lines.replace(/^/gm, '  ')}\n`
  })
  const sum = `${result.passed} passed, ${result.failed} failed`
  const how = `${formatMillis(result.durationMs)} emulated, ${result.clock} clock, seed ${result.seed}`
  const line = `${paint(result.failed === 0 ? 'green' : 'red', sum)} ${paint('dim', `(${how})`)}\n`
  return `\n${paint('bold', 'Who answered')}\n${shares.join('')}\n${line}`
}

function addressOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(':'))
}
