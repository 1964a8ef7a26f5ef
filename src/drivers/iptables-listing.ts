// A rule in the columns of `iptables -L -n`: target, protocol, interfaces, addresses, then what its matches and its target say
// of themselves, in libxtables' words. From the words of iptables-save, as netfilter/save.ts writes them.

import type { AddressFamily } from '../wire/address.js'

export interface ListedRule {
  /** What follows `-A CHAIN`. */
  readonly text: string
  /** `packets:bytes`. */
  readonly counters: string
  /** Where it jumps to; empty when nowhere. */
  readonly target: string
  readonly isGoto: boolean
  /** By option; `!` in front where it is negated. */
  readonly leading: ReadonlyMap<string, string>
  readonly extra: string
}

const PROTOCOLS: Readonly<Record<string, string>> = {
  icmp: '1',
  tcp: '6',
  udp: '17',
  'ipv6-icmp': '58',
  icmpv6: '58',
  sctp: '132',
}
const LEADING = new Set(['-s', '-d', '-i', '-o', '-p'])

/** One option with its values, as they follow a match or a target. */
interface Option {
  readonly name: string
  readonly negated: boolean
  readonly values: readonly string[]
}

interface Part {
  readonly kind: 'match' | 'target'
  readonly name: string
  readonly options: readonly Option[]
}

export function listedRule(text: string, counters: string): ListedRule {
  const leading = new Map<string, string>()
  const parts: { kind: Part['kind']; name: string; options: Option[] }[] = []
  let isGoto = false
  const words = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted?.replace(/\\(.)/g, '$1') ?? plain!,
  )
  for (let negated = false; words.length > 0; ) {
    const word = words.shift()!
    if (word === '!') {
      negated = true
      continue
    }
    if (LEADING.has(word)) leading.set(word, `${negated ? '!' : ''}${words.shift()}`)
    else if (word === '-m') parts.push({ kind: 'match', name: words.shift()!, options: [] })
    else if (word === '-j' || word === '-g') {
      isGoto = word === '-g'
      parts.push({ kind: 'target', name: words.shift()!, options: [] })
    } else {
      const values: string[] = []
      while (words.length > 0 && !/^(!|-\D.*)$/.test(words[0]!)) values.push(words.shift()!)
      parts.at(-1)?.options.push({ name: word, negated, values })
    }
    negated = false
  }
  const target = parts.find(({ kind }) => kind === 'target')?.name ?? ''
  return { text, counters, target, isGoto, leading, extra: parts.map(partText).join('') }
}

/** The columns of a rule. */
export function cells(
  { counters, target, isGoto, leading, extra }: ListedRule,
  family: AddressFamily,
  verbose: boolean,
): string {
  const any = family === 'IPv4' ? '0.0.0.0/0' : '::/0'
  const of = (option: string, otherwise: string) => leading.get(option) ?? otherwise
  const protocol = of('-p', 'all')
  const number = protocol === 'all' ? '0' : protocol.replace(/[a-z].*/, (name) => PROTOCOLS[name] ?? name)
  const host = family === 'IPv4' ? /\/32$/ : /\/128$/
  // What is negated has its mark in place of a space.
  const address = (option: string) => {
    const text = of(option, any).replace(host, '')
    return text.startsWith('!') ? `!${text.slice(1).padEnd(19)}` : ` ${text.padEnd(19)}`
  }
  const [packets = '0', bytes = '0'] = counters.split(':').map(shortCount)
  const counted = verbose ? `${packets.padStart(5)} ${bytes.padStart(5)} ` : ''
  const inOut = verbose ? ` ${of('-i', '*').padEnd(6)} ${of('-o', '*').padEnd(6)}` : ''
  const start = `${counted}${target.padEnd(9)}  ${number.padEnd(4)} -- ${inOut}`
  const jump = isGoto ? ' [goto]' : ''
  return `${start}${verbose ? ' ' : ''}${address('-s')} ${address('-d')} ${jump}${extra}`
}

function partText({ kind, name, options }: Part): string {
  const words = kind === 'match' ? MATCHES[name] : TARGETS[name]
  const own = words?.(options) ?? options.map(plainOption).join('')
  return own === '' ? '' : ` ${own.trim()}`
}

function plainOption({ name, negated, values }: Option): string {
  return ` ${negated ? '! ' : ''}${[name, ...values].join(' ')}`
}

function optionOf(options: readonly Option[], name: string): Option | undefined {
  return options.find((option) => option.name === name)
}

function ports(protocol: string): (options: readonly Option[]) => string {
  return (options) => {
    const text = ({ name, negated, values }: Option) => {
      const [value = ''] = values
      const kind = name === '--dport' ? 'dpt' : 'spt'
      return ` ${kind}${value.includes(':') ? 's' : ''}:${negated ? '!' : ''}${value}`
    }
    return `${protocol}${options.map(text).join('')}`
  }
}

const MATCHES: Readonly<Record<string, (options: readonly Option[]) => string>> = {
  tcp: ports('tcp'),
  udp: ports('udp'),
  sctp: ports('sctp'),
  comment: ([comment]) => `/* ${comment?.values.join(' ')} */`,
  addrtype: (options) => {
    const text = ({ name, negated, values }: Option) =>
      ` ${name.slice(2)} ${negated ? '!' : ''}${values.join(' ')}`
    return `ADDRTYPE match${options.map(text).join('')}`
  },
  conntrack: (options) =>
    options
      .map(({ name, negated, values }) => ` ${negated ? '! ' : ''}${name.slice(2)} ${values.join(' ')}`)
      .join(''),
  multiport: ([option]) =>
    `multiport ${option?.name.slice(2)} ${option?.negated ? '!' : ''}${option?.values.join(',')}`,
  statistic: (options) => {
    const mode = optionOf(options, '--mode')?.values[0]
    return `statistic mode ${mode} probability ${optionOf(options, '--probability')?.values[0]}`
  },
  mark: ([mark]) => `mark match ${mark?.negated ? '! ' : ''}${mark?.values[0]}`,
  set: (options) =>
    options.map(({ negated, values }) => ` ${negated ? '! ' : ''}match-set ${values.join(' ')}`).join(''),
  recent: (options) => {
    const value = (name: string) => optionOf(options, name)?.values[0]
    const action = options.find(({ name }) => ['--rcheck', '--set', '--update', '--remove'].includes(name))
    const words: Readonly<Record<string, string>> = {
      '--rcheck': 'CHECK',
      '--set': 'SET',
      '--update': 'UPDATE',
      '--remove': 'REMOVE',
    }
    const parts = [
      `recent: ${action?.negated ? '! ' : ''}${words[action?.name ?? '']}`,
      ...(value('--seconds') === undefined ? [] : [`seconds: ${value('--seconds')}`]),
      ...(optionOf(options, '--reap') === undefined ? [] : ['reap']),
      `name: ${value('--name')}`,
      `side: ${optionOf(options, '--rdest') === undefined ? 'source' : 'dest'}`,
      `mask: ${value('--mask')}`,
    ]
    return parts.join(' ')
  },
}

const TARGETS: Readonly<Record<string, (options: readonly Option[]) => string>> = {
  DNAT: (options) => natText(options, '--to-destination', 'to:'),
  SNAT: (options) => natText(options, '--to-source', 'to:'),
  REDIRECT: (options) => natText(options, '--to-ports', 'redir ports '),
  MASQUERADE: (options) => natText(options, '--to-ports', 'masq ports: '),
  MARK: ([option]) => markText(option),
  REJECT: ([option]) => `reject-with ${option?.values[0]}`,
}

function natText(options: readonly Option[], name: string, prefix: string): string {
  const to = optionOf(options, name)
  const flags = options.filter((option) => option !== to).map((option) => ` ${option.name.slice(2)}`)
  return `${to === undefined ? '' : ` ${prefix}${to.values[0]}`}${flags.join('')}`
}

/** `--set-xmark VALUE/MASK`: the bits that are set, cleared or turned over have names of their own. */
function markText(option: Option | undefined): string {
  const [value = 0, mask = 0xffff_ffff] = (option?.values[0] ?? '').split('/').map(Number)
  const hex = (number: number) => `0x${(number >>> 0).toString(16)}`
  if (value === 0) return `MARK and ${hex(~mask)}`
  if (value === mask) return `MARK or ${hex(value)}`
  if (mask === 0) return `MARK xor ${hex(value)}`
  return mask === 0xffff_ffff ? `MARK set ${hex(value)}` : `MARK xset ${hex(value)}/${hex(mask)}`
}

/** As iptables shortens counters: above 99999 in thousands, above 9999 of those in millions, and so on. */
export function shortCount(text: string): string {
  let count = BigInt(text)
  if (count <= 99_999n) return text
  for (const unit of ['K', 'M', 'G', 'T']) {
    count = (count + 500n) / 1000n
    if (count <= 9999n) return `${count}${unit}`
  }
  return `${count}T`
}
