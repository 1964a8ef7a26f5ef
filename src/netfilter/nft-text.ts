// Tables of nftables as `nft list ruleset` prints them (nftables 1.0.x), to the letter.

import { MILLISECOND, type Micros, SECOND } from '../base/time.js'
import type { Endpoint } from '../wire/address.js'
import { formatAddress, formatCidr, formatEndpoint, type IpAddress, isHostCidr } from '../wire/address.js'
import type {
  NftBase,
  NftDataType,
  NftElementRow,
  NftField,
  NftKey,
  NftRule,
  NftStatement,
  NftValue,
  NftVerdict,
} from './nft.js'
import { type NftSet, numberOf, prefixOf } from './nft-sets.js'
import type { NftChain, NftTable } from './nft-tables.js'
import { PROTOCOL_NUMBERS } from './packed-key.js'

/** A table with its sets, maps and chains, as it is at `now`. */
export function tableText(table: NftTable, now: Micros): string {
  const blocks = [
    ...[...table.sets()].map((set) => setText(set, now)),
    ...[...table.chains()].map((chain) => chainText(chain)),
  ]
  const comment = table.comment === undefined ? '' : `\tcomment ${quote(table.comment)}\n`
  return `table ${table.family === 'IPv6' ? 'ip6' : 'ip'} ${table.name} {\n${comment}${blocks.join('\n')}}\n`
}

// ---- chains

function chainText(chain: NftChain): string {
  const lines = [`\tchain ${chain.name} {`]
  if (chain.comment !== undefined) lines.push(`\t\tcomment ${quote(chain.comment)}`)
  if (chain.base !== undefined) lines.push(`\t\t${baseText(chain.base)}`)
  for (const entry of chain.rules) lines.push(`\t\t${nftRuleText(entry)}`)
  return `${lines.join('\n')}\n\t}\n`
}

/** Priorities that have a name, where they have it, and how far from it they are still told by it. */
const PRIORITY_NAMES: readonly (readonly [name: string, priority: number, hook?: NftBase['hook']])[] = [
  ['raw', -300],
  ['mangle', -150],
  ['dstnat', -100, 'PREROUTING'],
  ['filter', 0],
  ['security', 50],
  ['srcnat', 100, 'POSTROUTING'],
]
const NAMED_DISTANCE = 10

function baseText({ type, hook, priority, policy = 'accept' }: NftBase): string {
  return `type ${type} hook ${hook.toLowerCase()} priority ${priorityText(priority, hook)}; policy ${policy};`
}

function priorityText(priority: number, hook: NftBase['hook']): string {
  for (const [name, at, only] of PRIORITY_NAMES) {
    const distance = priority - at
    if ((only !== undefined && only !== hook) || Math.abs(distance) > NAMED_DISTANCE) continue
    return distance === 0 ? name : `${name} ${distance > 0 ? '+' : '-'} ${Math.abs(distance)}`
  }
  return String(priority)
}

// ---- rules

/** A rule as it stands in its chain. */
export function nftRuleText(entry: {
  readonly rule: NftRule
  readonly packets: number
  readonly bytes: number
}): string {
  const { statements, comment } = entry.rule
  // `meta l4proto tcp` is not printed before what implies it.
  const resets = statements.some((each) => each.statement === 'reject' && each.with === 'tcp-reset')
  const words = statements
    .filter((each) => !(resets && each.statement === 'match' && each.field === 'meta l4proto'))
    .map((each) =>
      each.statement === 'counter' ? `counter packets ${entry.packets} bytes ${entry.bytes}` : textOf(each),
    )
  if (comment !== undefined) words.push(`comment ${quote(comment)}`)
  return words.join(' ')
}

function textOf(statement: NftStatement): string {
  switch (statement.statement) {
    case 'match':
      return `${statement.field} ${not(statement.operator)}${valueText(statement.field, statement.value)}`
    case 'match-any':
      return anyText(statement)
    case 'match-set':
      return `${keyText(statement.key)} ${not(statement.operator)}@${statement.set}`
    case 'match-state':
      return `ct state ${not(statement.operator)}${stateText(statement.states)}`
    case 'match-mark':
      return markMatchText(statement)
    case 'mark':
      return markText(statement)
    case 'vmap':
      return `${keyText(statement.key)} vmap @${statement.map}`
    case 'numgen-vmap': {
      const verdicts = statement.verdicts.map((verdict, index) => `${index} : ${verdictText(verdict)}`)
      return `numgen random mod ${verdicts.length} vmap { ${verdicts.join(', ')} }`
    }
    case 'update':
    case 'add':
      return `${statement.statement} @${statement.set} { ${keyText(statement.key)} }`
    case 'dnat':
    case 'snat':
      return `${statement.statement} to ${translationText(statement.to)}`
    case 'masquerade':
      return statement.fullyRandom ? 'masquerade fully-random' : 'masquerade'
    case 'redirect':
      return `redirect to :${statement.port}`
    case 'reject':
      return rejectText(statement.with)
    case 'counter':
      return 'counter'
    case 'verdict':
      return verdictText(statement.verdict)
  }
}

export function verdictText(verdict: NftVerdict): string {
  return 'chain' in verdict ? `${verdict.verdict} ${verdict.chain}` : verdict.verdict
}

function anyText(statement: Extract<NftStatement, { statement: 'match-any' }>): string {
  const { field, operator, values } = statement
  const sorted = [...values].sort((a, b) => sign(sortNumber(a) - sortNumber(b)))
  const texts = sorted.map((value) => valueText(field, value))
  // nft makes a set of one element into a plain comparison.
  return `${field} ${not(operator)}${texts.length === 1 ? texts[0] : `{ ${texts.join(', ')} }`}`
}

function keyText(fields: readonly NftField[]): string {
  return fields.join(' . ')
}

function not(operator: '==' | '!=' | undefined): string {
  return operator === '!=' ? '!= ' : ''
}

/** The order in which nft prints the bits of ct state. */
const STATE_ORDER = ['INVALID', 'ESTABLISHED', 'RELATED', 'NEW', 'UNTRACKED'] as const

function stateText(states: readonly string[]): string {
  return STATE_ORDER.filter((state) => states.includes(state))
    .map((state) => state.toLowerCase())
    .join(',')
}

function markMatchText(statement: Extract<NftStatement, { statement: 'match-mark' }>): string {
  const { mask, operator, value } = statement
  if (mask === undefined) return `meta mark ${not(operator)}${hex32(value)}`
  return `meta mark & ${hex32(mask)} ${operator ?? '=='} ${hex32(value)}`
}

const MARK_OPERATORS = { or: '|', xor: '^', and: '&' } as const

function markText({ operation, value }: Extract<NftStatement, { statement: 'mark' }>): string {
  const from = operation === 'set' ? '' : `meta mark ${MARK_OPERATORS[operation]} `
  return `meta mark set ${from}${hex32(value)}`
}

function translationText({ address, port }: Endpoint): string {
  return port === 0 ? formatAddress(address) : formatEndpoint({ address, port })
}

function rejectText(how: string | undefined): string {
  if (how === undefined || how === 'icmp-port-unreachable' || how === 'icmp6-port-unreachable')
    return 'reject'
  if (how === 'tcp-reset') return 'reject with tcp reset'
  if (how.startsWith('icmp6-')) {
    return `reject with icmpv6 ${how.slice('icmp6-'.length).replace('adm-', 'admin-')}`
  }
  return `reject with icmp ${how.slice('icmp-'.length).replace('proto-', 'prot-')}`
}

function hex32(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}

// ---- values

const ADDRESS_FIELDS: readonly NftField[] = ['ip saddr', 'ip daddr', 'ip6 saddr', 'ip6 daddr']

function valueText(field: NftField, value: NftValue): string {
  if (ADDRESS_FIELDS.includes(field)) return dataText('ipv4_addr', value)
  if (field === 'iifname' || field === 'oifname') return quote(String(value))
  if (field.startsWith('fib')) return String(value).toLowerCase()
  return dataText(field === 'meta l4proto' ? 'inet_proto' : 'inet_service', value)
}

function dataText(type: NftDataType, value: NftValue): string {
  if (typeof value === 'object') {
    return isHostCidr(value) ? formatAddress(value.network) : formatCidr(value)
  }
  if (typeof value === 'string') return value
  if (type === 'ipv4_addr' || type === 'ipv6_addr') return formatAddress(value as IpAddress)
  if (type === 'inet_service') return String(value)
  return Object.entries(PROTOCOL_NUMBERS).find(([, number]) => number === value)?.[0] ?? String(value)
}

function sortNumber(value: NftValue): bigint {
  return BigInt(typeof value === 'string' ? PROTOCOL_NUMBERS[value as 'tcp'] : numberOf(value))
}

// ---- sets and maps

/** Every line of elements after the first begins under the first element. */
const ELEMENT_INDENT = ',\n\t\t\t     '

function setText(set: NftSet, now: Micros): string {
  const { type, flags, timeout, comment } = set.options
  const lines = [
    `\t${set.isMap ? 'map' : 'set'} ${set.name} {`,
    `\t\ttype ${type.join(' . ')}${set.isMap ? ' : verdict' : ''}`,
  ]
  // The size that nft gives to a set to which rules add.
  if (flags?.includes('dynamic')) lines.push('\t\tsize 65535')
  const printed = flags?.filter((flag) => flag !== 'timeout' || timeout === undefined || flags.length > 1)
  if (printed !== undefined && printed.length > 0) lines.push(`\t\tflags ${printed.join(',')}`)
  if (timeout !== undefined) lines.push(`\t\ttimeout ${durationText(timeout)}`)
  if (comment !== undefined) lines.push(`\t\tcomment ${quote(comment)}`)
  const rows = set.rows(now).sort((a, b) => compareKeys(type, a.key, b.key))
  if (rows.length > 0) lines.push(`\t\telements = { ${elementsText(set, rows, now)} }`)
  return `${lines.join('\n')}\n\t}\n`
}

/** How many elements of a plain set nft prints in a line. */
const PER_LINE: Readonly<Record<NftDataType, number>> = {
  ipv4_addr: 2,
  ipv6_addr: 1,
  inet_proto: 5,
  inet_service: 5,
}

function elementsText(set: NftSet, rows: readonly NftElementRow[], now: Micros): string {
  const { type } = set.options
  const perLine = set.isMap || type.length > 1 ? 1 : PER_LINE[type[0]!]
  return rows
    .map((row, index) => {
      const between = index === 0 ? '' : index % perLine === 0 ? ELEMENT_INDENT : ', '
      return between + elementText(type, row, now)
    })
    .join('')
}

function elementText(type: readonly NftDataType[], row: NftElementRow, now: Micros): string {
  let text = row.key.map((value, index) => dataText(type[index]!, value)).join(' . ')
  if (row.expiresAt !== undefined) text += ` expires ${durationText(row.expiresAt - now)}`
  if (row.comment !== undefined) text += ` comment ${quote(row.comment)}`
  return row.verdict === undefined ? text : `${text} : ${verdictText(row.verdict)}`
}

/** nft takes a concatenation as one little-endian number: the last byte of the last field counts most. */
function compareKeys(type: readonly NftDataType[], a: NftKey, b: NftKey): number {
  for (let i = a.length - 1; i >= 0; i--) {
    const order = (value: NftValue) =>
      type.length === 1 ? sortNumber(value) : reverseBytes(type[i]!, sortNumber(value))
    const difference = sign(order(a[i]!) - order(b[i]!))
    if (difference !== 0) return difference
    const longer = prefixOf(a[i]!).prefixLength - prefixOf(b[i]!).prefixLength
    if (longer !== 0) return longer
  }
  return 0
}

/** Bytes of a value of each type in a concatenation. */
const TYPE_BYTES: Readonly<Record<NftDataType, number>> = {
  ipv4_addr: 4,
  ipv6_addr: 16,
  inet_proto: 1,
  inet_service: 2,
}

function reverseBytes(type: NftDataType, value: bigint): bigint {
  let reversed = 0n
  for (let i = 0; i < TYPE_BYTES[type]; i++) reversed = (reversed << 8n) | ((value >> BigInt(8 * i)) & 0xffn)
  return reversed
}

function sign(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0
}

/** `2h59m58s992ms`. */
function durationText(duration: Micros): string {
  const seconds = Math.floor(duration / SECOND)
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
    [Math.floor((duration % SECOND) / MILLISECOND), 'ms'],
  ]
  const text = parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('')
  return text === '' ? '0s' : text
}

/** nft knows no escapes: a quotation mark cannot be in a comment. */
function quote(text: string): string {
  return `"${text.replaceAll('"', "'")}"`
}
