// What rules of nftables mean (nft(8), STATEMENTS and EXPRESSIONS): each is made into a row of functions once, and
// packets pass through them. Ends in the same verdicts as the tables of iptables do (traversal.ts).

import { invariant } from '../base/errors.js'
import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { HookName, Packet } from '../stack/hooks.js'
import type { AddressFamily } from '../wire/address.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { PROTOCOL_SCTP } from '../wire/sctp.js'
import type { FlowRecorder } from './flow-recorder.js'
import { inCidr, isInState, type Matcher, portAt } from './matching.js'
import type { NftDataType, NftField, NftRule, NftStatement, NftValue, NftVerdict } from './nft.js'
import { type NftSet, numberOf, packValues } from './nft-sets.js'
import type { NftChain, NftTable } from './nft-tables.js'
import { nftRuleText, verdictText } from './nft-text.js'
import { type PackedKey, packAddressService, packService } from './packed-key.js'
import type { Tracer } from './tracer.js'
import { ACCEPT, DROP, type FinalTarget, marked } from './traversal.js'

/** What a statement says of a packet: go on with the next one, this rule does not match, or a verdict. */
type Outcome = 'next' | 'break' | NftVerdict | FinalTarget
type Step = (packet: Packet) => Outcome
export type CompiledRule = readonly Step[]

/** What the evaluation needs of the host. */
export interface NftHost {
  readonly now: Micros
  /** Rules are others now. */
  changed(): void
  /** Adds a base chain to a hook; what is given back takes it away. */
  enter(
    family: AddressFamily,
    chain: NftChain<CompiledRule>,
    run: (packet: Packet, hook: HookName) => FinalTarget,
  ): () => void
}

/** NFT_JUMP_STACK_SIZE. Simplified: the kernel refuses rules that go deeper, here packets find out. */
const MAX_DEPTH = 16
const CONTINUE: NftVerdict = { verdict: 'continue' }

export class NftEvaluation {
  readonly #host: NftHost
  readonly #matcher: Matcher
  readonly #random: Random
  readonly #tracer: Tracer
  readonly #recorder: FlowRecorder
  #depth = 0

  constructor(host: NftHost, matcher: Matcher, random: Random, tracer: Tracer, recorder: FlowRecorder) {
    this.#recorder = recorder
    this.#host = host
    this.#matcher = matcher
    this.#random = random
    this.#tracer = tracer
  }

  get now(): Micros {
    return this.#host.now
  }

  changed(): void {
    this.#host.changed()
  }

  #compile(table: NftTable<CompiledRule>, rule: NftRule): CompiledRule {
    return rule.statements.map((statement) => this.#step(table, statement))
  }

  enter(table: NftTable<CompiledRule>, chain: NftChain<CompiledRule>): () => void {
    return this.#host.enter(table.family, chain, (packet, hook) => this.#run(table, chain, packet, hook))
  }

  // ---- packets

  #run(
    table: NftTable<CompiledRule>,
    chain: NftChain<CompiledRule>,
    packet: Packet,
    hook: HookName,
  ): FinalTarget {
    this.#depth = 0
    const verdict = this.#walk(table, chain, packet, hook)
    if (verdict !== undefined) return verdict
    const policy = chain.base?.policy === 'drop' ? 'DROP' : 'ACCEPT'
    if (this.#tracer.active) this.#tracer.policy('nft', table.name, chain.name, policy, hook, packet)
    return policy === 'DROP' ? DROP : ACCEPT
  }

  /** Undefined when the end of the chain was reached or a rule returned. */
  #walk(
    table: NftTable<CompiledRule>,
    chain: NftChain<CompiledRule>,
    packet: Packet,
    hook: HookName,
  ): FinalTarget | undefined {
    const { rules } = chain
    const depth = ++this.#depth
    invariant(depth <= MAX_DEPTH, `${table.name}: chain ${chain.name} is too deep`)
    for (let index = 0; index < rules.length; index++) {
      const entry = rules[index]!
      entry.compiled ??= this.#compile(table, entry.rule)
      const outcome = apply(entry.compiled, packet)
      if (outcome === undefined) continue
      entry.packets++
      entry.bytes += packet.header.totalLength
      this.#recorder.count(entry)
      if (this.#tracer.active) this.#tell(table, chain, index, outcome, hook, packet)
      if ('target' in outcome) return outcome
      switch (outcome.verdict) {
        case 'accept':
          return ACCEPT
        case 'drop':
          return DROP
        case 'return':
          return undefined
        case 'goto':
          return this.#walk(table, table.chain(outcome.chain)!, packet, hook)
        case 'jump': {
          const verdict = this.#walk(table, table.chain(outcome.chain)!, packet, hook)
          if (verdict !== undefined) return verdict
          this.#depth = depth
        }
      }
    }
    return undefined
  }

  #tell(
    table: NftTable<CompiledRule>,
    chain: NftChain<CompiledRule>,
    index: number,
    outcome: NftVerdict | FinalTarget,
    hook: HookName,
    packet: Packet,
  ): void {
    this.#tracer.nftRule(
      {
        family: 'nft',
        table: table.name,
        chain: chain.name,
        number: index + 1,
        text: nftRuleText(chain.rules[index]!),
        verdict: 'target' in outcome ? outcome.target : verdictText(outcome),
      },
      hook,
      packet,
    )
  }

  // ---- statements

  #step(table: NftTable<CompiledRule>, statement: NftStatement): Step {
    switch (statement.statement) {
      case 'match':
        return matching(this.#test(statement.field, [statement.value]), statement.operator)
      case 'match-any':
        return matching(this.#test(statement.field, statement.values), statement.operator)
      case 'match-set': {
        const set = table.set(statement.set)!
        const read = reader(statement.key, set)
        return matching((packet) => this.#find(set, read(packet)) !== undefined, statement.operator)
      }
      case 'match-state': {
        const { states } = statement
        return matching((packet) => isInState(packet, states), statement.operator)
      }
      case 'match-mark': {
        const { mask = 0xffffffff, value } = statement
        return matching((packet) => (packet.mark & mask) >>> 0 === value, statement.operator)
      }
      case 'vmap': {
        const map = table.set(statement.map)!
        const read = reader(statement.key, map)
        return (packet) => this.#find(map, read(packet))?.verdict ?? 'break'
      }
      case 'numgen-vmap': {
        const { verdicts } = statement
        return () => {
          this.#recorder.spoil()
          return verdicts[this.#random.int(verdicts.length)] ?? 'break'
        }
      }
      case 'update':
      case 'add': {
        const set = table.set(statement.set)!
        return this.#noting(set, statement.key, statement.statement === 'update')
      }
      case 'mark':
        return marking(statement.operation, statement.value)
      case 'counter':
        return () => 'next'
      case 'verdict':
        return () => statement.verdict
      default:
        return () => targetOf(statement)
    }
  }

  /** Elements come and go by themselves too. */
  #find(set: NftSet, key: PackedKey | undefined) {
    this.#recorder.spoil()
    return key === undefined ? undefined : set.find(key, this.#host.now)
  }

  /** `update @set { ... }`: a full set ends the rule. */
  #noting(set: NftSet, fields: readonly NftField[], prolong: boolean): Step {
    const read = reader(fields, set)
    return (packet) => {
      this.#recorder.spoil()
      const key = read(packet)
      if (key === undefined) return 'break'
      const values = () => fields.map((field) => fieldOf(field, packet))
      return set.note(key, values, prolong, this.#host.now) ? 'next' : 'break'
    }
  }

  /** Whether a field of a packet is one of `values`. */
  #test(field: NftField, values: readonly (NftValue | string)[]): (packet: Packet) => boolean {
    switch (field) {
      case 'iifname':
        return (packet) => values.some((value) => isNamed(String(value), packet.input?.name))
      case 'oifname':
        return (packet) => values.some((value) => isNamed(String(value), packet.output?.name))
      case 'fib saddr type':
      case 'fib daddr type': {
        const types = values.map((value) => String(value).toUpperCase())
        const part = field === 'fib saddr type' ? 'source' : 'destination'
        return (packet) => types.includes(this.#matcher.typeOf(packet.header[part]))
      }
      default: {
        const prefixes = values.filter((value) => typeof value === 'object')
        const exact = new Set(values.filter((value) => typeof value !== 'object').map(numberOf))
        return (packet) => {
          const value = fieldOf(field, packet)
          return value >= 0 && (exact.has(value) || prefixes.some((prefix) => inCidr(prefix, value)))
        }
      }
    }
  }
}

/** The verdict of a rule that matches, undefined for one that does not. */
function apply(steps: CompiledRule, packet: Packet): NftVerdict | FinalTarget | undefined {
  for (let i = 0; i < steps.length; i++) {
    const outcome = steps[i]!(packet)
    if (outcome === 'break') return undefined
    if (outcome !== 'next') return outcome
  }
  return CONTINUE
}

function matching(test: (packet: Packet) => boolean, operator: '==' | '!=' | undefined): Step {
  const wanted = operator !== '!='
  return (packet) => (test(packet) === wanted ? 'next' : 'break')
}

function marking(operation: 'set' | 'or' | 'xor' | 'and', value: number): Step {
  return (packet) => {
    packet.mark =
      operation === 'and'
        ? (packet.mark & value) >>> 0
        : marked(packet.mark, { target: 'MARK', operation, value })
    return 'next'
  }
}

type Final = Extract<NftStatement, { statement: 'dnat' | 'snat' | 'masquerade' | 'redirect' | 'reject' }>

function targetOf(statement: Final): FinalTarget {
  switch (statement.statement) {
    case 'dnat':
      return { target: 'DNAT', to: statement.to }
    case 'snat':
      return { target: 'SNAT', to: statement.to }
    case 'masquerade':
      return { target: 'MASQUERADE', fullyRandom: statement.fullyRandom ?? false }
    case 'redirect':
      return { target: 'REDIRECT', port: statement.port }
    case 'reject':
      return { target: 'REJECT', ...(statement.with && { with: statement.with }) }
  }
}

/** Value of a field, -1 where the packet has none. */
function fieldOf(field: NftField, packet: Packet): number | bigint {
  const { header } = packet
  switch (field) {
    case 'ip saddr':
    case 'ip6 saddr':
      return header.source
    case 'ip daddr':
    case 'ip6 daddr':
      return header.destination
    case 'meta l4proto':
      return header.protocol
    case 'th sport':
      return portAt(packet, 0)
    case 'th dport':
      return portAt(packet, 2)
    case 'tcp dport':
      return header.protocol === PROTOCOL_TCP ? portAt(packet, 2) : -1
    case 'udp dport':
      return header.protocol === PROTOCOL_UDP ? portAt(packet, 2) : -1
    case 'sctp dport':
      return header.protocol === PROTOCOL_SCTP ? portAt(packet, 2) : -1
    default:
      return -1
  }
}

const FIELD_TYPES: Readonly<Partial<Record<NftField, NftDataType>>> = {
  'ip saddr': 'ipv4_addr',
  'ip daddr': 'ipv4_addr',
  'ip6 saddr': 'ipv6_addr',
  'ip6 daddr': 'ipv6_addr',
  'meta l4proto': 'inet_proto',
  'th sport': 'inet_service',
  'th dport': 'inet_service',
  'tcp dport': 'inet_service',
  'udp dport': 'inet_service',
  'sctp dport': 'inet_service',
}

function isAddressType(type: NftDataType): boolean {
  return type === 'ipv4_addr' || type === 'ipv6_addr'
}

/** Reads the key of a look-up from a packet; undefined when the packet has no such thing. */
function reader(fields: readonly NftField[], set: NftSet): (packet: Packet) => PackedKey | undefined {
  const types = fields.map((field) => FIELD_TYPES[field])
  const { type } = set.options
  invariant(types.join() === type.join(), `${set.name} is of type ${type.join(' . ')}`)
  const [a, b, c] = fields
  if (fields.length === 1) {
    return (packet) => {
      const value = fieldOf(a!, packet)
      return value < 0 ? undefined : value
    }
  }
  if (type.length === 3 && type.slice(1).join() === 'inet_proto,inet_service' && isAddressType(type[0]!)) {
    return (packet) => {
      const port = fieldOf(c!, packet)
      if (port < 0) return undefined
      return packAddressService(fieldOf(a!, packet), packet.header.protocol, Number(port))
    }
  }
  if (type.join() === 'inet_proto,inet_service') {
    return (packet) => {
      const port = fieldOf(b!, packet)
      return port < 0 ? undefined : packService(packet.header.protocol, Number(port))
    }
  }
  return (packet) => {
    const values = fields.map((field) => fieldOf(field, packet))
    return values.some((value) => value < 0) ? undefined : packValues(type, values)
  }
}

/** `eth*` names every interface whose name begins so. */
function isNamed(pattern: string, name: string | undefined): boolean {
  if (name === undefined) return false
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
