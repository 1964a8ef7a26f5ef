// An explanation as people read it on a terminal: from the name to the endpoint and back, and then the verdict.

import type { Paint } from '../scenario/reporters/pretty.js'
import type { Explanation, Verdict } from './explanation.js'
import type { JourneyStep } from './journey.js'
import type { NameResolution } from './resolution.js'

const VERDICT_COLORS: Readonly<Record<Verdict, 'green' | 'red' | 'yellow'>> = {
  DNAT: 'green',
  ACCEPT: 'green',
  REJECT: 'red',
  DROP: 'red',
  NO_MATCH: 'yellow',
}

export function explanationText(explanation: Explanation, paint: Paint): string {
  const { journey, again, service, conntrack } = explanation
  const title = (text: string) => paint('bold', text)
  const lines = [
    title(`${explanation.protocol.toUpperCase()} from ${explanation.from} to ${explanation.to}`),
    paint('dim', `  kube-proxy of ${explanation.node} in ${explanation.proxyMode} mode`),
  ]
  if (explanation.resolution !== undefined) lines.push('', ...resolutionLines(explanation.resolution, paint))
  if (service !== undefined) {
    const affinity =
      service.affinitySeconds === undefined ? '' : `, session affinity for ${service.affinitySeconds} s`
    lines.push('', title('Service'))
    lines.push(
      `  ${service.name} (${service.type}), port ${service.port}; reached by its ${service.reachedBy}${affinity}`,
    )
  }
  lines.push('', title('There'), `  route  ${explanation.route}`, ...stepLines(journey.there, paint))
  if (journey.back.length > 0) lines.push('', title('Back'), ...stepLines(journey.back, paint))
  if (again !== undefined)
    lines.push(
      '',
      title('There again, a second connection of the same client'),
      ...stepLines(again.there, paint),
    )
  if (conntrack.length > 0) lines.push('', title('Conntrack'), ...conntrack.map((entry) => `  ${entry}`))
  lines.push('', ...verdictLines(explanation, paint))
  return `${lines.join('\n')}\n`
}

function resolutionLines(resolution: NameResolution, paint: Paint): string[] {
  const { name, nameserver, search, ndots, questions, addresses } = resolution
  const lines = [paint('bold', `Name ${name}`)]
  if (nameserver !== '')
    lines.push(paint('dim', `  nameserver ${nameserver}, search ${search.join(' ')}, ndots ${ndots}`))
  for (const question of questions) {
    const answer = question.answers.length > 0 ? question.answers.join(', ') : 'no answer record'
    const rcode = question.rcode ?? 'no reply'
    lines.push(
      `  ${question.name}. ${question.type}: ${rcode === 'NOERROR' ? answer : paint('yellow', rcode)}`,
    )
  }
  lines.push(`  ${paint('cyan', '→')} ${addresses.join(', ')}`)
  return lines
}

function stepLines(steps: readonly JourneyStep[], paint: Paint): string[] {
  const lines: string[] = []
  let place = ''
  for (const step of steps) {
    if (step.step === 'wire') {
      const arrow = step.direction === 'out' ? 'leaves' : 'enters'
      lines.push(
        `  ${paint('cyan', step.interface)} ${arrow}: ${step.source} > ${step.destination} ${paint('dim', step.packet)}`,
      )
      place = ''
      continue
    }
    const here = `${step.node} ${step.hook}`
    if (here !== place) lines.push(`    ${step.node} ${paint('bold', step.hook)}`)
    place = here
    lines.push(`      ${stepText(step, paint)}`)
  }
  return lines
}

function stepText(step: Exclude<JourneyStep, { step: 'wire' }>, paint: Paint): string {
  switch (step.step) {
    case 'rule': {
      const chain = `${step.table} ${step.chain}`
      return `${chain} ${paint('dim', `#${step.number}`)}  ${step.rule}`
    }
    case 'nat':
      return paint(
        'green',
        `${step.by === 'ipvs' ? 'IPVS: ' : ''}${step.part} ${step.before} becomes ${step.after}`,
      )
    case 'route':
      return `route  ${step.route}`
    case 'end':
      return paint('red', step.verdict === 'REJECT' ? 'rejected here' : 'dropped here')
  }
}

function verdictLines(explanation: Explanation, paint: Paint): string[] {
  const { verdict, odds, chosen, masquerade, connections, notes } = explanation
  const { tried, answered, refused, unreachable, silent } = connections
  const outcomes = [
    [answered, 'answered'],
    [refused, 'refused'],
    [unreachable, 'unreachable'],
    [silent, 'not answered'],
  ] as const
  const counts = outcomes.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : []))
  const lines = [
    `${paint('bold', 'Verdict')}  ${paint(VERDICT_COLORS[verdict], verdict)}${masquerade ? ', masqueraded' : ''}  ${paint('dim', `${tried} connections: ${counts.join(', ')}`)}`,
  ]
  const total = odds.reduce((sum, one) => sum + one.connections, 0)
  for (const { endpoint, pod, node, connections: count } of odds) {
    const who = pod === undefined ? '' : `  ${pod} on ${node}`
    const mark = endpoint === chosen ? paint('green', '●') : '○'
    const share = `${((100 * count) / total).toFixed(0)} %`.padStart(5)
    lines.push(`  ${mark} ${endpoint.padEnd(21)} ${share}${paint('dim', who)}`)
  }
  return [...lines, ...notes.map((note) => `  ${paint('yellow', '!')} ${note}`)]
}
