// Turns what happens to a packet into trace events (trace.ts). Everything that could tell something asks `active`
// first, so that nothing is computed when nobody listens.

import type { HookName, Packet } from '../stack/hooks.js'
import type { AddressFamily, Endpoint, IpAddress } from '../wire/address.js'
import { portAt } from './matching.js'
import type { ConntrackState, Rule, Target } from './rule.js'
import { ruleText } from './save.js'
import type { TracedPacket, TraceEvent, TraceListener } from './trace.js'

export class Tracer {
  listener: TraceListener | undefined

  get active(): boolean {
    return this.listener !== undefined
  }

  track(state: ConntrackState, reply: boolean, hook: HookName, packet: Packet): void {
    this.#tell({ event: 'track', state, reply }, hook, packet)
  }

  /** `index` from 0. */
  rule(
    family: AddressFamily,
    table: string,
    chain: string,
    index: number,
    rule: Rule,
    hook: HookName,
    packet: Packet,
  ): void {
    const text = ruleText(rule, family).trimStart()
    const verdict = verdictOf(rule.target)
    this.nftRule({ family: 'iptables', table, chain, number: index + 1, text, verdict }, hook, packet)
  }

  nftRule(rule: Omit<Extract<TraceEvent, { event: 'rule' }>, 'event'>, hook: HookName, packet: Packet): void {
    this.#tell({ event: 'rule', ...rule }, hook, packet)
  }

  policy(
    family: 'iptables' | 'nft',
    table: string,
    chain: string,
    policy: 'ACCEPT' | 'DROP',
    hook: HookName,
    packet: Packet,
  ): void {
    this.#tell({ event: 'policy', family, table, chain, policy }, hook, packet)
  }

  nat(
    by: 'netfilter' | 'ipvs',
    part: 'source' | 'destination',
    before: Endpoint,
    hook: HookName,
    packet: Packet,
  ): void {
    const after = endpointOf(packet, part)
    this.#tell({ event: 'nat', by, part, before, after }, hook, packet)
  }

  deliver(hook: HookName, packet: Packet): void {
    this.#tell({ event: 'deliver' }, hook, packet)
  }

  end(verdict: 'DROP' | 'REJECT', hook: HookName, packet: Packet): void {
    this.#tell({ event: 'end', verdict }, hook, packet)
  }

  #tell(event: TraceEvent, hook: HookName, packet: Packet): void {
    this.listener?.(event, hook, traced(packet))
  }
}

/** Source or destination of a packet with its port, 0 where there is none. */
export function endpointOf(packet: Packet, part: 'source' | 'destination'): Endpoint {
  const address: IpAddress = packet.header[part]
  return { address, port: Math.max(0, portAt(packet, part === 'source' ? 0 : 2)) }
}

function traced(packet: Packet): TracedPacket {
  return {
    protocol: packet.header.protocol,
    source: endpointOf(packet, 'source'),
    destination: endpointOf(packet, 'destination'),
    mark: packet.mark,
    input: packet.input?.name,
    output: packet.output?.name,
  }
}

function verdictOf(target: Target): string {
  if (target.target === 'jump' || target.target === 'goto') return `${target.target} ${target.chain}`
  return target.target === 'none' ? 'continue' : target.target
}
