// A packet's way through the chains of one table of iptables or ip6tables (iptables(8), TARGETS): rule by rule, into chains and
// back, to a verdict. What a match means is matching.ts.

import type { HookName, Packet } from '../stack/hooks.js'
import type { AddressFamily } from '../wire/address.js'
import { trackingOf, UNTRACKED } from './flow.js'
import type { FlowRecorder } from './flow-recorder.js'
import type { Matcher } from './matching.js'
import type { ConnmarkTarget, MarkTarget, Target } from './rule.js'
import type { Chain, Table } from './tables.js'
import type { Tracer } from './tracer.js'

type Passing = 'jump' | 'goto' | 'RETURN' | 'none' | 'MARK' | 'CONNMARK' | 'NOTRACK'

/** Targets that end the way through a table. */
export type FinalTarget = Exclude<Target, { readonly target: Passing }>

export const ACCEPT: FinalTarget = { target: 'ACCEPT' }
export const DROP: FinalTarget = { target: 'DROP' }

export class Traversal {
  readonly #matcher: Matcher
  readonly #tracer: Tracer
  readonly #recorder: FlowRecorder
  #hook: HookName = 'PREROUTING'
  #family: AddressFamily = 'IPv4'

  constructor(matcher: Matcher, tracer: Tracer, recorder: FlowRecorder) {
    this.#recorder = recorder
    this.#matcher = matcher
    this.#tracer = tracer
  }

  /** The verdict of `table` about a packet at the built-in chain `hook`: a target, or the chain's policy. */
  run(table: Table, family: AddressFamily, hook: HookName, packet: Packet): FinalTarget {
    this.#hook = hook
    this.#family = family
    const chain = table.chain(hook)!
    const verdict = this.#walk(table, chain, packet)
    if (verdict !== undefined) return verdict
    chain.packets++
    chain.bytes += packet.header.totalLength
    this.#recorder.count(chain)
    if (this.#tracer.active && (chain.rules.length > 0 || chain.policy === 'DROP')) {
      this.#tracer.policy('iptables', table.name, chain.name, chain.policy ?? 'ACCEPT', hook, packet)
    }
    return chain.policy === 'DROP' ? DROP : ACCEPT
  }

  /** The short way for a built-in chain without rules: counts and lets pass; false when `run` has to decide. */
  passes(chain: Chain, packet: Packet): boolean {
    if (chain.rules.length > 0 || chain.policy !== 'ACCEPT') return false
    chain.packets++
    chain.bytes += packet.header.totalLength
    this.#recorder.count(chain)
    return true
  }

  /** Undefined when the end of the chain was reached or a rule returned. Tables allow no circle. */
  #walk(table: Table, chain: Chain, packet: Packet): FinalTarget | undefined {
    const { rules } = chain
    for (let index = 0; index < rules.length; index++) {
      const entry = rules[index]!
      const { matches, target } = entry.rule
      if (!this.#matcher.all(matches, packet)) continue
      entry.packets++
      entry.bytes += packet.header.totalLength
      this.#recorder.count(entry)
      if (this.#tracer.active) {
        const { name } = chain
        this.#tracer.rule(this.#family, table.name, name, index, entry.rule, this.#hook, packet)
      }
      switch (target.target) {
        case 'none':
          break
        case 'MARK':
          packet.mark = marked(packet.mark, target)
          break
        case 'CONNMARK':
          this.#recorder.spoil()
          markFlow(packet, target)
          break
        case 'NOTRACK':
          packet.tracking ??= UNTRACKED
          break
        case 'RETURN':
          return undefined
        case 'goto':
          return this.#walk(table, table.chain(target.chain)!, packet)
        case 'jump': {
          const verdict = this.#walk(table, table.chain(target.chain)!, packet)
          if (verdict !== undefined) return verdict
          break
        }
        default:
          return target
      }
    }
    return undefined
  }
}

/** The mark that a MARK target leaves. */
export function marked(mark: number, target: MarkTarget): number {
  const { operation, value, mask = 0xffffffff } = target
  switch (operation) {
    case 'or':
      return (mark | value) >>> 0
    case 'xor':
      return (mark ^ value) >>> 0
    case 'set':
      return ((mark & ~mask) | value) >>> 0
  }
}

function markFlow(packet: Packet, target: ConnmarkTarget): void {
  const flow = trackingOf(packet)?.flow
  if (flow === undefined) return
  const { action, value = 0, mask = 0xffffffff } = target
  if (action === 'restore') packet.mark = ((packet.mark & ~mask) | (flow.mark & mask)) >>> 0
  else if (action === 'save') flow.mark = ((flow.mark & ~mask) | (packet.mark & mask)) >>> 0
  else flow.mark = ((flow.mark & ~mask) | value) >>> 0
}
