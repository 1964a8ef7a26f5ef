// Netfilter of one host: the tables of iptables, ip6tables and nftables at the five hook points with Linux' priorities, connection
// tracking and address translation. Registers itself with a stack and is driven by its packets: it has no deadline of
// its own. What passes where, and the reading order, is in README.md.

import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { HookName, HookVerdict, Packet } from '../stack/hooks.js'
import type { Rejection } from '../stack/rejection.js'
import type { Stack } from '../stack/stack.js'
import { type AddressFamily, type Endpoint, familyOf, type IpAddress, isIpv6 } from '../wire/address.js'
import { ICMP_DEST_UNREACHABLE } from '../wire/icmp.js'
import { Conntrack, type ConntrackSettings } from './conntrack.js'
import { flowText } from './conntrack-text.js'
import { type Flow, trackingOf } from './flow.js'
import { FlowCache } from './flow-cache.js'
import { FlowRecorder } from './flow-recorder.js'
import { ipSetText } from './ip-set-text.js'
import { IpSets } from './ip-sets.js'
import { Iptables } from './iptables.js'
import { Matcher } from './matching.js'
import { Nat } from './nat.js'
import type { NftBase } from './nft.js'
import { type CompiledRule, NftEvaluation } from './nft-evaluation.js'
import { type NftChain, NftTables } from './nft-tables.js'
import { tableText } from './nft-text.js'
import { PROTOCOL_NUMBERS } from './packed-key.js'
import { RecentLists } from './recent.js'
import { DEFAULT_REJECTION, UNREACHABLE_CODES } from './rejections.js'
import type { FlowFilter, RecentRow, RejectWith, Restore, Rule, TableName } from './rule.js'
import type { Chain, Policy } from './tables.js'
import type { TraceListener } from './trace.js'
import { Tracer } from './tracer.js'
import { ACCEPT, type FinalTarget, Traversal } from './traversal.js'
import type { Tuple } from './tuple.js'

/** NF_IP_PRI_*: who sees a packet first. */
export const PRIORITIES = {
  raw: -300,
  conntrack: -200,
  mangle: -150,
  destinationNat: -100,
  filter: 0,
  sourceNat: 100,
  confirm: Number.MAX_SAFE_INTEGER,
} as const

/** Of netfilter's functions at the hooks: each tells `recorder`. */
const CACHEABLE = { cacheable: true } as const

/** A chain that the first packet of a flow passes to learn how the flow is translated. */
interface NatChain {
  readonly priority: number
  run(packet: Packet, hook: HookName): FinalTarget
}

/** A tracked flow, as conntrack shows it. */
export interface FlowRow {
  readonly original: Readonly<Tuple>
  readonly reply: Readonly<Tuple>
  /** Of TCP only. */
  readonly state: string | undefined
  readonly mark: number
  readonly assured: boolean
  readonly seenReply: boolean
  readonly sourceTranslated: boolean
  readonly destinationTranslated: boolean
  /** When it is forgotten unless another packet comes. */
  readonly expiresAt: Micros
}

/** What is told of a flow when it begins: valid during the call. */
export type FlowTuples = Pick<FlowRow, 'original' | 'reply'>

export class Netfilter {
  /** ipsets, which rules may name. */
  readonly sets: IpSets
  /** Hears of each flow when its first packet has passed all hooks. */
  onNewFlow: ((flow: FlowTuples) => void) | undefined
  /** Hears of each packet of no known flow that a rule rejected. */
  onRefusedFlow: ((flow: FlowTuples) => void) | undefined
  readonly #nft: NftTables<CompiledRule>
  /** Established flows whose packets may be spared the way through the rules, and how that is learnt. */
  readonly cache = new FlowCache()
  readonly recorder = new FlowRecorder()
  readonly #stack: Stack
  readonly #iptables: Readonly<Record<AddressFamily, Iptables>>
  readonly #recent = new RecentLists()
  readonly #tracer = new Tracer()
  readonly #traversal: Traversal
  readonly #conntrack: Conntrack
  readonly #nat: Nat
  /** Chains that decide about the translation of new flows, by hook and in order of priority. */
  readonly #natChains: Record<HookName, NatChain[]> = {
    PREROUTING: [],
    INPUT: [],
    FORWARD: [],
    OUTPUT: [],
    POSTROUTING: [],
  }

  constructor(stack: Stack, random: Random) {
    this.#stack = stack
    this.sets = new IpSets((set) => this.#referencesTo(set))
    const hasSet = (set: string) => this.sets.get(set) !== undefined
    this.#iptables = { IPv4: new Iptables('IPv4', hasSet), IPv6: new Iptables('IPv6', hasSet) }
    const matcher = new Matcher(stack, random.fork('statistic'), this.sets, this.#recent, this.recorder)
    this.#traversal = new Traversal(matcher, this.#tracer, this.recorder)
    this.#conntrack = new Conntrack(random.fork('conntrack'), this.cache, this.recorder)
    const ports = {
      decide: (packet: Packet, hook: HookName) => this.#decide(packet, hook),
      interfaces: () => stack.interfaces(),
    }
    this.#nat = new Nat(this.#conntrack, random.fork('nat'), ports, this.#tracer)
    const host = {
      get now() {
        return stack.now
      },
      changed: () => this.rulesChanged(),
      enter: (family: AddressFamily, chain: NftChain<CompiledRule>, run: NatChain['run']) =>
        this.#enter(family, chain.base!, run),
    }
    const evaluation = new NftEvaluation(host, matcher, random.fork('numgen'), this.#tracer, this.recorder)
    this.#nft = new NftTables(evaluation)
    this.#register()
  }

  // ---- rules; those of iptables unless the family says ip6tables

  /**
   * Puts `rules` in the place of what a chain had; a chain that is not there is made. Takes effect with the next
   * packet, in the nat table with the next flow. Throws ChainError for a jump to a chain that is not there.
   */
  replaceChain(
    table: TableName,
    chain: string,
    rules: readonly Rule[],
    family: AddressFamily = 'IPv4',
  ): void {
    this.#iptables[family].replace(table, chain, rules)
    this.rulesChanged()
  }

  /**
   * Replaces many chains of a table at once, as `iptables-restore --noflush` does: chains that are missing are made
   * first, so that the order does not matter. Throws ChainError.
   */
  restore(restore: Restore): void {
    this.#iptables[restore.family ?? 'IPv4'].restore(restore)
    this.rulesChanged()
  }

  /** Adds a rule to the end of a chain. */
  appendRule(table: TableName, chain: string, rule: Rule, family: AddressFamily = 'IPv4'): void {
    const tables = this.#iptables[family]
    tables.replace(table, chain, [...tables.rules(table, chain), rule])
    this.rulesChanged()
  }

  /** Puts a rule before the others of a chain. */
  insertRule(table: TableName, chain: string, rule: Rule, family: AddressFamily = 'IPv4'): void {
    const tables = this.#iptables[family]
    tables.replace(table, chain, [rule, ...tables.rules(table, chain)])
    this.rulesChanged()
  }

  /** Removes a chain of the user. Throws ChainError when it is built in or in use. */
  removeChain(table: TableName, chain: string, family: AddressFamily = 'IPv4'): void {
    this.#iptables[family].remove(table, chain)
    this.rulesChanged()
  }

  setPolicy(table: TableName, chain: string, policy: Policy, family: AddressFamily = 'IPv4'): void {
    this.#iptables[family].setPolicy(table, chain, policy)
    this.rulesChanged()
  }

  /** Chains with their rules and counters: built-in ones first, then by name. */
  chains(table: TableName, family: AddressFamily = 'IPv4'): readonly Readonly<Chain>[] {
    this.recorder.settle()
    return this.#iptables[family].chains(table)
  }

  /**
   * As iptables-save or ip6tables-save print it, one table or all, without the comment lines that carry a date.
   * `counters`: with those of each rule (`-c`).
   */
  save(
    table?: TableName,
    options: { readonly counters?: boolean; readonly family?: AddressFamily } = {},
  ): string {
    this.recorder.settle()
    return this.#iptables[options.family ?? 'IPv4'].save(table, options.counters ?? false)
  }

  /** Tables of nftables, beside those of iptables; asked for each time that counters are read. */
  get nft(): NftTables<CompiledRule> {
    this.recorder.settle()
    return this.#nft
  }

  /** As `nft list ruleset` prints it. */
  ruleset(): string {
    this.recorder.settle()
    return this.#nft
      .list()
      .map((table) => tableText(table, this.#stack.now))
      .join('')
  }

  /** As `ipset list` prints it. */
  setsText(): string {
    return this.sets
      .list()
      .map((set) => ipSetText(set, this.sets.references(set.name)))
      .join('\n')
  }

  /** What the lists of `-m recent` remember. */
  recent(): RecentRow[] {
    return this.#recent.rows()
  }

  /** Tells of every packet what happens to it at each hook (as the TRACE target would); undefined ends it. */
  trace(listener: TraceListener | undefined): void {
    this.#tracer.listener = listener
    this.rulesChanged()
  }

  /** Tells whoever traces that IPVS has translated `packet`, one end of which was `before`. */
  translatedByIpvs(part: 'source' | 'destination', before: Endpoint, hook: HookName, packet: Packet): void {
    if (this.#tracer.active) this.#tracer.nat('ipvs', part, before, hook, packet)
  }

  // ---- flows

  /** Flows, the oldest first. */
  flows(): FlowRow[] {
    return [...this.#conntrack.flows(this.#stack.now)].map(rowOf)
  }

  /** As `conntrack -L` prints them: all, or those for which `matches` holds. */
  flowsText(matches: (flow: FlowRow) => boolean = () => true): string {
    const { now } = this.#stack
    const flows = [...this.#conntrack.flows(now)].filter((flow) => matches(rowOf(flow)))
    return flows.map((flow) => `${flowText(flow, now)}\n`).join('')
  }

  /** Forgets flows: all, or those for which `matches` holds (`conntrack -D`); how many. */
  flushConntrack(matches: (flow: FlowRow) => boolean = () => true): number {
    return this.#conntrack.flush((flow) => matches(rowOf(flow)))
  }

  /** Forgets the flows for which all of `filter` holds (`conntrack -D --orig-dst ... --dst-nat ...`); how many. */
  deleteFlows(filter: FlowFilter): number {
    return this.#conntrack.flush((flow) => matchesFilter(flow, filter))
  }

  /** Forgets one flow: of a connection that IPVS, which translates its packets, knows to be over. */
  forgetFlow(flow: Flow): void {
    this.#conntrack.forget(flow)
  }

  /** Sysctls of conntrack: table size, time-outs. Asked for before each change. */
  get conntrackSettings(): ConntrackSettings {
    this.emptyCache()
    return this.#conntrack.settings
  }

  /** Refuses a packet as the target REJECT does: for IPVS, whose virtual service has no server for it. */
  refuse(packet: Packet, hook: HookName): HookVerdict {
    return this.#enforce({ target: 'REJECT' }, packet, hook)
  }

  /** What conntrack dropped or could not place. */
  get conntrackCounters(): { readonly full: number; readonly clash: number; readonly invalid: number } {
    return this.#conntrack.counters
  }

  // ---- the flow cache

  /** Whether packets may be spared the rules at all: somebody who traces wants to hear of every one. */
  get isCacheable(): boolean {
    return !this.#tracer.active
  }

  /** Later packets of known flows may fare otherwise. */
  rulesChanged(): void {
    this.#stack.changes.value++
  }

  /** Whether `expireFlows` may have something to do. */
  isExpiryDue(now: Micros): boolean {
    return this.#conntrack.isExpiryDue(now)
  }

  /** Forgets flows that are over, as `track` does for every packet; whether there were any. */
  expireFlows(now: Micros): boolean {
    return this.#conntrack.expire(now)
  }

  /** Brings everything up to date that packets would have changed which passed by the cache, and empties it. */
  emptyCache(): void {
    this.#conntrack.settle()
    this.recorder.clear()
    this.cache.clear()
    this.#stack.changes.value++
  }

  // ---- hooks

  #register(): void {
    const { hooks } = this.#stack
    for (const hook of this.#iptables.IPv4.tables.nat.hooks) {
      const priority =
        hook === 'PREROUTING' || hook === 'OUTPUT' ? PRIORITIES.destinationNat : PRIORITIES.sourceNat
      this.#addNatChain(hook, { priority, run: (packet: Packet) => this.#walk('nat', packet, hook) })
    }
    hooks.trackingOfAnswer = (about) => this.#conntrack.trackingOfAnswer(about)
    for (const name of ['raw', 'mangle', 'filter'] as const) {
      for (const hook of this.#iptables.IPv4.tables[name].hooks) {
        const chain = this.#iptables.IPv4.tables[name].chain(hook)!
        const chain6 = this.#iptables.IPv6.tables[name].chain(hook)!
        const run = (packet: Packet): HookVerdict => {
          if (this.#traversal.passes(isIpv6(packet.header.source) ? chain6 : chain, packet)) return 'ACCEPT'
          return this.#enforce(this.#walk(name, packet, hook), packet, hook)
        }
        hooks.register(hook, PRIORITIES[name], run, CACHEABLE)
      }
    }
    for (const hook of ['PREROUTING', 'OUTPUT'] as const) {
      hooks.register(hook, PRIORITIES.conntrack, (packet) => this.#track(packet, hook), CACHEABLE)
      const translate = (packet: Packet) => this.#translate(packet, hook)
      hooks.register(hook, PRIORITIES.destinationNat, translate, CACHEABLE)
    }
    for (const hook of ['INPUT', 'POSTROUTING'] as const) {
      const translate = (packet: Packet) => this.#translate(packet, hook)
      hooks.register(hook, PRIORITIES.sourceNat, translate, CACHEABLE)
      hooks.register(hook, PRIORITIES.confirm, (packet) => this.#confirm(packet, hook), CACHEABLE)
    }
  }

  /** Through a table of iptables or ip6tables, by the packet's family. */
  #walk(table: TableName, packet: Packet, hook: HookName): FinalTarget {
    const { family, tables } = this.#iptables[familyOf(packet.header.source)]
    return this.#traversal.run(tables[table], family, hook, packet)
  }

  /** A base chain of nftables: one that translates takes part in deciding about flows, another one sees every packet. */
  #enter(family: AddressFamily, base: NftBase, run: NatChain['run']): () => void {
    const { hook, priority } = base
    const runOwn: NatChain['run'] = (packet, at) =>
      familyOf(packet.header.source) === family ? run(packet, at) : ACCEPT
    if (base.type === 'nat') return this.#addNatChain(hook, { priority, run: runOwn })
    const enforce = (packet: Packet) => this.#enforce(runOwn(packet, hook), packet, hook)
    return this.#stack.hooks.register(hook, priority, enforce, CACHEABLE)
  }

  #addNatChain(hook: HookName, chain: NatChain): () => void {
    this.#natChains[hook] = [...this.#natChains[hook], chain].sort((a, b) => a.priority - b.priority)
    return () => {
      this.#natChains[hook] = this.#natChains[hook].filter((other) => other !== chain)
    }
  }

  /** The first chain that translates or refuses decides (Linux: nf_nat_inet_fn). */
  #decide(packet: Packet, hook: HookName): FinalTarget {
    for (const chain of this.#natChains[hook]) {
      const target = chain.run(packet, hook)
      if (target.target !== 'ACCEPT') return target
    }
    return ACCEPT
  }

  #track(packet: Packet, hook: HookName): HookVerdict {
    // Something that was sent meanwhile would be counted for the packet that is recorded.
    if (hook === 'OUTPUT') this.recorder.spoil()
    const verdict = this.#conntrack.track(packet, this.#stack.now)
    if (this.#tracer.active) {
      const tracking = trackingOf(packet)
      this.#tracer.track(tracking?.state ?? 'INVALID', tracking?.reply ?? false, hook, packet)
    }
    return verdict
  }

  #translate(packet: Packet, hook: HookName): HookVerdict {
    return this.#ended(this.#nat.run(packet, hook), packet, hook)
  }

  #ended(verdict: HookVerdict, packet: Packet, hook: HookName): HookVerdict {
    if (verdict === 'DROP') this.recorder.spoil()
    if (verdict === 'DROP' && this.#tracer.active) this.#tracer.end('DROP', hook, packet)
    return verdict
  }

  #confirm(packet: Packet, hook: HookName): HookVerdict {
    const flow = trackingOf(packet)?.flow
    const isNew = flow !== undefined && !flow.confirmed
    const verdict = this.#ended(this.#conntrack.confirm(packet), packet, hook)
    if (isNew && flow.confirmed) this.onNewFlow?.(flow)
    if (hook === 'INPUT' && verdict === 'ACCEPT' && this.#tracer.active) this.#tracer.deliver(hook, packet)
    return verdict
  }

  /** Does what a table that does not translate has said of a packet. */
  #enforce(target: FinalTarget, packet: Packet, hook: HookName): HookVerdict {
    if (target.target === 'DROP') return this.#ended('DROP', packet, hook)
    if (target.target !== 'REJECT') return 'ACCEPT'
    this.recorder.spoil()
    // Told before the answer is sent: that passes these hooks itself, and the packet is not to be read afterwards.
    if (this.#tracer.active) this.#tracer.end('REJECT', hook, packet)
    const flow = trackingOf(packet)?.flow
    if (flow !== undefined && !flow.confirmed) this.onRefusedFlow?.(flow)
    const how = target.with ?? DEFAULT_REJECTION[familyOf(packet.header.source)]
    reject(this.#stack.rejection, packet, how)
    return 'DROP'
  }

  #referencesTo(set: string): number {
    const { IPv4, IPv6 } = this.#iptables
    return IPv4.referencesTo(set) + IPv6.referencesTo(set)
  }
}

/** Linux: nf_send_unreach and nf_send_reset. */
function reject(rejection: Rejection, packet: Packet, how: RejectWith): void {
  if (how === 'tcp-reset') rejection.sendReset(packet)
  else rejection.sendIcmpError(packet, ICMP_DEST_UNREACHABLE, UNREACHABLE_CODES[how])
}

function matchesFilter({ original, reply, destinationTranslated }: Flow, filter: FlowFilter): boolean {
  const { protocol } = filter
  return (
    (protocol === undefined || original.protocol === PROTOCOL_NUMBERS[protocol]) &&
    isOrAny(filter.originalSource, original.source) &&
    isOrAny(filter.originalDestination, original.destination) &&
    (filter.originalDestinationPort ?? original.destinationPort) === original.destinationPort &&
    isOrAny(filter.replySource, reply.source) &&
    (filter.replySourcePort ?? reply.sourcePort) === reply.sourcePort &&
    (filter.destinationTranslated === undefined || filter.destinationTranslated === destinationTranslated)
  )
}

function isOrAny(wanted: IpAddress | undefined, value: IpAddress): boolean {
  return wanted === undefined || wanted === value
}

function rowOf(flow: Flow): FlowRow {
  return {
    original: flow.original,
    reply: flow.reply,
    state: flow.tcpState === 'NONE' ? undefined : flow.tcpState,
    mark: flow.mark,
    assured: flow.assured,
    seenReply: flow.seenReply,
    sourceTranslated: flow.sourceTranslated,
    destinationTranslated: flow.destinationTranslated,
    expiresAt: flow.expiresAt,
  }
}
