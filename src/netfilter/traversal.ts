// A packet's way through the chains of one table (iptables(8), TARGETS): rule by rule, into chains and back, to a
// verdict. Gives rules and matches their meaning.

import { getUint16 } from '../base/bytes.js'
import type { Packet } from '../stack/hooks.js'
import { type Cidr, type Ipv4, isMulticast, netmask } from '../wire/address.js'
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.js'
import { trackingOf } from './conntrack.js'
import type { Match, Rule, Target, TransportProtocol } from './rule.js'
import type { Chain, Table } from './tables.js'

/** Targets that end the way through a table. */
export type FinalTarget = Exclude<Target, { readonly target: 'jump' | 'RETURN' }>

/** A rule that a packet matched on its way. */
export interface MatchedRule {
  readonly table: string
  readonly chain: string
  /** From 1, as `iptables -L --line-numbers`. */
  readonly number: number
  readonly rule: Rule
}

/** What matches need to know of the host. */
export interface HostAddresses {
  isLocal(address: Ipv4): boolean
  isBroadcast(address: Ipv4): boolean
}

const PROTOCOL_NUMBERS: Readonly<Record<TransportProtocol, number>> = {
  icmp: PROTOCOL_ICMP,
  tcp: PROTOCOL_TCP,
  udp: PROTOCOL_UDP,
}

const ACCEPT: FinalTarget = { target: 'ACCEPT' }
const DROP: FinalTarget = { target: 'DROP' }

export class Traversal {
  readonly #host: HostAddresses
  /** Hears of every rule that a packet matched, in order. */
  onMatch: ((matched: MatchedRule, packet: Packet) => void) | undefined

  constructor(host: HostAddresses) {
    this.#host = host
  }

  /** The verdict of `table` about a packet at the built-in chain `hook`: a target, or the chain's policy. */
  run(table: Table, hook: string, packet: Packet): FinalTarget {
    const chain = table.chain(hook)!
    const verdict = this.#walk(table, chain, packet)
    if (verdict !== undefined) return verdict
    chain.packets++
    chain.bytes += packet.header.totalLength
    return chain.policy === 'DROP' ? DROP : ACCEPT
  }

  /** Undefined when the end of the chain was reached or a rule returned. Table.replace allows no circle. */
  #walk(table: Table, chain: Chain, packet: Packet): FinalTarget | undefined {
    for (let index = 0; index < chain.rules.length; index++) {
      const entry = chain.rules[index]!
      const { rule } = entry
      if (!rule.matches.every((match) => this.#matches(match, packet))) continue
      entry.packets++
      entry.bytes += packet.header.totalLength
      this.onMatch?.({ table: table.name, chain: chain.name, number: index + 1, rule }, packet)
      const { target } = rule
      if (target.target === 'RETURN') return undefined
      if (target.target !== 'jump') return target
      const verdict = this.#walk(table, table.chain(target.chain)!, packet)
      if (verdict !== undefined) return verdict
    }
    return undefined
  }

  #matches(match: Match, packet: Packet): boolean {
    const { header } = packet
    switch (match.match) {
      case 'protocol':
        return (header.protocol === PROTOCOL_NUMBERS[match.protocol]) !== (match.invert ?? false)
      case 'source':
        return inCidr(match.cidr, header.source) !== (match.invert ?? false)
      case 'destination':
        return inCidr(match.cidr, header.destination) !== (match.invert ?? false)
      case 'source-port':
        return portAt(packet, 0) === match.port
      case 'destination-port':
        return portAt(packet, 2) === match.port
      case 'in-interface':
        return namesInterface(match.name, packet.input?.name) !== (match.invert ?? false)
      case 'out-interface':
        return namesInterface(match.name, packet.output?.name) !== (match.invert ?? false)
      case 'destination-type':
        return (this.#typeOf(header.destination) === match.type) !== (match.invert ?? false)
      case 'state':
        return match.states.includes(trackingOf(packet)?.state ?? 'INVALID')
      case 'comment':
        return true
    }
  }

  #typeOf(address: Ipv4): 'LOCAL' | 'UNICAST' | 'BROADCAST' | 'MULTICAST' {
    if (this.#host.isLocal(address)) return 'LOCAL'
    if (this.#host.isBroadcast(address)) return 'BROADCAST'
    return isMulticast(address) ? 'MULTICAST' : 'UNICAST'
  }
}

function inCidr(prefix: Cidr, address: Ipv4): boolean {
  return (address & netmask(prefix.prefixLength)) >>> 0 === prefix.network
}

/** The port at `offset` of the transport header, -1 where there is none. */
function portAt(packet: Packet, offset: number): number {
  const { bytes, header } = packet
  if (header.protocol !== PROTOCOL_TCP && header.protocol !== PROTOCOL_UDP) return -1
  if (header.fragmentOffset > 0 || header.payloadEnd - header.payloadStart < 4) return -1
  return getUint16(bytes, header.payloadStart + offset)
}

/** `veth+` names every interface whose name begins so. */
function namesInterface(pattern: string, name: string | undefined): boolean {
  if (name === undefined) return false
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
