// Text of tables and flows in the form that the tools print: iptables-save (without its dated comment lines) and
// `conntrack -L`.

import { type Micros, SECOND } from '../base/time.js'
import { formatCidr, formatIpv4 } from '../wire/address.js'
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.js'
import type { Flow } from './conntrack.js'
import type { Match, Rule, Target } from './rule.js'
import type { Table } from './tables.js'
import type { Tuple } from './tuple.js'

/** A table as `iptables-save -t TABLE` prints it. */
export function saveTable(table: Table): string {
  const chains = table.chains()
  const lines = [`*${table.name}`]
  for (const { name, policy, packets, bytes } of chains) {
    lines.push(`:${name} ${policy ?? '-'} [${packets}:${bytes}]`)
  }
  for (const chain of chains)
    for (const { rule } of chain.rules) lines.push(`-A ${chain.name}${ruleText(rule)}`)
  lines.push('COMMIT')
  return `${lines.join('\n')}\n`
}

/** Order of what iptables-save prints before a rule's extension matches. */
const LEADING: readonly Match['match'][] = [
  'source',
  'destination',
  'in-interface',
  'out-interface',
  'protocol',
]

/** A rule's specification with a space before each word, as it follows `-A CHAIN`. */
export function ruleText(rule: Rule): string {
  const leading = LEADING.flatMap((kind) => rule.matches.filter((match) => match.match === kind))
  const protocol = rule.matches.find((match) => match.match === 'protocol')?.protocol
  let text = leading.map(leadingText).join('')
  let portsPrinted = false
  for (const match of rule.matches) {
    if (match.match === 'source-port' || match.match === 'destination-port') {
      // Both ports belong to one match extension.
      if (portsPrinted) continue
      portsPrinted = true
      text += ` -m ${protocol ?? 'tcp'}${portsText(rule.matches)}`
    } else {
      text += extensionText(match)
    }
  }
  return text + targetText(rule.target)
}

function leadingText(match: Match): string {
  switch (match.match) {
    case 'source':
      return `${not(match.invert)} -s ${formatCidr(match.cidr)}`
    case 'destination':
      return `${not(match.invert)} -d ${formatCidr(match.cidr)}`
    case 'in-interface':
      return `${not(match.invert)} -i ${match.name}`
    case 'out-interface':
      return `${not(match.invert)} -o ${match.name}`
    case 'protocol':
      return `${not(match.invert)} -p ${match.protocol}`
    default:
      return ''
  }
}

function portsText(matches: readonly Match[]): string {
  let text = ''
  for (const match of matches) if (match.match === 'source-port') text += ` --sport ${match.port}`
  for (const match of matches) if (match.match === 'destination-port') text += ` --dport ${match.port}`
  return text
}

/** The order of ctstate's words in iptables' output. */
const STATE_ORDER = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED'] as const

function extensionText(match: Match): string {
  switch (match.match) {
    case 'comment':
      return ` -m comment --comment ${quote(match.text)}`
    case 'destination-type':
      return ` -m addrtype${not(match.invert)} --dst-type ${match.type}`
    case 'state':
      return ` -m conntrack --ctstate ${STATE_ORDER.filter((state) => match.states.includes(state)).join(',')}`
    default:
      return ''
  }
}

function targetText(target: Target): string {
  switch (target.target) {
    case 'jump':
      return ` -j ${target.chain}`
    case 'DNAT': {
      const { address, port } = target.to
      return ` -j DNAT --to-destination ${formatIpv4(address)}${port === 0 ? '' : `:${port}`}`
    }
    case 'REDIRECT':
      return ` -j REDIRECT --to-ports ${target.port}`
    default:
      return ` -j ${target.target}`
  }
}

function not(invert: boolean | undefined): string {
  return invert ? ' !' : ''
}

/** Quotes as libxtables does: a word of letters, digits, `-` and `_` stays bare. */
function quote(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["\\']/g, '\\$&')}"`
}

// ---- conntrack -L

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  [PROTOCOL_ICMP]: 'icmp',
  [PROTOCOL_TCP]: 'tcp',
  [PROTOCOL_UDP]: 'udp',
}

/** A flow as a line of `conntrack -L`. */
export function flowText(flow: Flow, now: Micros): string {
  const { protocol } = flow.original
  const name = PROTOCOL_NAMES[protocol] ?? 'unknown'
  const seconds = Math.max(0, Math.floor((flow.expiresAt - now) / SECOND))
  const words = [`${name.padEnd(8)} ${protocol} ${seconds}`]
  if (protocol === PROTOCOL_TCP) words.push(flow.tcpState)
  words.push(tupleText(flow.original))
  if (!flow.seenReply) words.push('[UNREPLIED]')
  words.push(tupleText(flow.reply))
  if (flow.assured) words.push('[ASSURED]')
  words.push('mark=0', 'use=1')
  return words.join(' ')
}

function tupleText(tuple: Tuple): string {
  const addresses = `src=${formatIpv4(tuple.source)} dst=${formatIpv4(tuple.destination)}`
  switch (tuple.protocol) {
    case PROTOCOL_TCP:
    case PROTOCOL_UDP:
      return `${addresses} sport=${tuple.sourcePort} dport=${tuple.destinationPort}`
    case PROTOCOL_ICMP:
      return `${addresses} type=${tuple.destinationPort >> 8} code=${tuple.destinationPort & 255} id=${tuple.sourcePort}`
    default:
      return addresses
  }
}
