// Text of tables in the form that iptables-save and ip6tables-save print (without its dated comment lines), to the letter: what
// libxtables' extensions print, in their order.

import {
  type AddressFamily,
  type Endpoint,
  formatAddress,
  formatCidr,
  formatEndpoint,
  hostCidr,
} from '../wire/address.js'
import { keptProbability } from './matching.js'
import { PROTOCOL_NUMBERS } from './packed-key.js'
import { DEFAULT_REJECTION } from './rejections.js'
import type { ConnmarkTarget, MarkTarget, Match, RecentMatch, Rule, Target } from './rule.js'
import type { Table } from './tables.js'

/** A table as `iptables-save -t TABLE` or ip6tables-save print it; with the counters of its rules as with `-c`. */
export function saveTable(table: Table, family: AddressFamily, counters: boolean): string {
  const chains = table.chains()
  const lines = [`*${table.name}`]
  for (const { name, policy, packets, bytes } of chains) {
    lines.push(`:${name} ${policy ?? '-'} [${packets}:${bytes}]`)
  }
  for (const chain of chains) {
    for (const { rule, packets, bytes } of chain.rules) {
      const counted = counters ? `[${packets}:${bytes}] ` : ''
      lines.push(`${counted}-A ${chain.name}${ruleText(rule, family)}`)
    }
  }
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
export function ruleText(rule: Rule, family: AddressFamily): string {
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
      text += extensionText(match, family)
    }
  }
  return text + targetText(rule.target, family)
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
  for (const kind of ['source-port', 'destination-port'] as const) {
    for (const match of matches) {
      if (match.match !== kind) continue
      text += `${not(match.invert)} --${kind === 'source-port' ? 'sport' : 'dport'} ${match.port}`
    }
  }
  return text
}

/** The order of ctstate's words in iptables' output. */
const STATE_ORDER = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'] as const

function extensionText(match: Match, family: AddressFamily): string {
  switch (match.match) {
    case 'extension':
      return ` -m ${match.protocol}`
    case 'comment':
      return ` -m comment --comment ${quote(match.text)}`
    case 'destination-ports':
      return ` -m multiport${not(match.invert)} --dports ${match.ports.join(',')}`
    case 'address-type': {
      const invert = not(match.invert)
      const source = match.source === undefined ? '' : `${invert} --src-type ${match.source}`
      const destination = match.destination === undefined ? '' : `${invert} --dst-type ${match.destination}`
      return ` -m addrtype${source}${destination}`
    }
    case 'state': {
      const states = STATE_ORDER.filter((state) => match.states.includes(state)).join(',')
      return ` -m conntrack${not(match.invert)} --ctstate ${states}`
    }
    case 'mark':
    case 'connmark': {
      const mask = match.mask === undefined || match.mask === 0xffffffff ? '' : `/${hex(match.mask)}`
      return ` -m ${match.match}${not(match.invert)} --mark ${hex(match.value)}${mask}`
    }
    case 'statistic-random': {
      const probability = keptProbability(match.probability).toFixed(11)
      return ` -m statistic --mode random${not(match.invert)} --probability ${probability}`
    }
    case 'statistic-nth':
      return ` -m statistic --mode nth${not(match.invert)} --every ${match.every} --packet ${match.packet}`
    case 'recent':
      return recentText(match, family)
    case 'set':
      return ` -m set${not(match.invert)} --match-set ${match.set} ${match.directions.join(',')}`
    case 'ipvs': {
      const address = formatCidr(hostCidr(match.address))
      const sent = `--vproto ${PROTOCOL_NUMBERS[match.protocol]} --vaddr ${address} --vport ${match.port}`
      return ` -m ipvs${not(match.invert)} ${sent}`
    }
    default:
      return ''
  }
}

/** --mask, which no rule here changes. */
const RECENT_MASKS: Readonly<Record<AddressFamily, string>> = {
  IPv4: '255.255.255.255',
  IPv6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
}

function recentText(match: RecentMatch, family: AddressFamily): string {
  let text = ` -m recent${not(match.invert)} --${match.action}`
  if (match.seconds !== undefined) text += ` --seconds ${match.seconds}`
  if (match.reap) text += ' --reap'
  return `${text} --name ${match.name} --mask ${RECENT_MASKS[family]} ${match.source ? '--rsource' : '--rdest'}`
}

function targetText(target: Target, family: AddressFamily): string {
  switch (target.target) {
    case 'none':
      return ''
    case 'jump':
      return ` -j ${target.chain}`
    case 'goto':
      return ` -g ${target.chain}`
    case 'DNAT':
      return ` -j DNAT --to-destination ${translationText(target.to)}`
    case 'SNAT':
      return ` -j SNAT --to-source ${translationText(target.to)}${randomText(target.fullyRandom)}`
    case 'MASQUERADE':
      return ` -j MASQUERADE${randomText(target.fullyRandom)}`
    case 'REDIRECT':
      return ` -j REDIRECT --to-ports ${target.port}`
    case 'REJECT':
      return ` -j REJECT --reject-with ${target.with ?? DEFAULT_REJECTION[family]}`
    case 'MARK':
      return ` -j MARK --set-xmark ${xmarkText(target)}`
    case 'CONNMARK':
      return connmarkText(target)
    case 'NOTRACK':
      return ' -j CT --notrack'
    default:
      return ` -j ${target.target}`
  }
}

function translationText({ address, port }: Endpoint): string {
  return port === 0 ? formatAddress(address) : formatEndpoint({ address, port })
}

function randomText(fullyRandom: boolean | undefined): string {
  return fullyRandom ? ' --random-fully' : ''
}

/** Every operation is kept as "zero the bits of the mask, then xor the value". */
function xmarkText({ operation, value, mask = 0xffffffff }: MarkTarget): string {
  const zeroed = operation === 'or' ? value : operation === 'xor' ? 0 : (value | mask) >>> 0
  return `${hex(value)}/${hex(zeroed)}`
}

function connmarkText({ action, value = 0, mask = 0xffffffff }: ConnmarkTarget): string {
  if (action === 'set') return ` -j CONNMARK --set-xmark ${hex(value)}/${hex((value | mask) >>> 0)}`
  const masks = mask === 0xffffffff ? '0xffffffff' : hex(mask)
  return ` -j CONNMARK --${action}-mark --nfmask ${masks} --ctmask ${masks}`
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}

function not(invert: boolean | undefined): string {
  return invert ? ' !' : ''
}

/** Quotes as libxtables does: a word of letters, digits, `-` and `_` stays bare. */
function quote(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["\\']/g, '\\$&')}"`
}
