// What a match of iptables means: whether a packet is what it describes (iptables-extensions(8), MATCH EXTENSIONS).

import { getUint16 } from '../base/bytes.js'
import { invariant } from '../base/errors.js'
import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { Packet } from '../stack/hooks.js'
import { type Cidr, cidrContains, type IpAddress, isMulticast } from '../wire/address.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { PROTOCOL_SCTP } from '../wire/sctp.js'
import { trackingOf } from './flow.js'
import type { FlowRecorder } from './flow-recorder.js'
import type { IpSetQuery, IpSets } from './ip-sets.js'
import { PROTOCOL_NUMBERS } from './packed-key.js'
import type { RecentLists } from './recent.js'
import type { AddressType, IpvsMatch, Match, SetMatch, StateWord } from './rule.js'

/** What matches need to know of the host. */
export interface HostAddresses {
  readonly now: Micros
  isLocal(address: IpAddress): boolean
  isBroadcast(address: IpAddress): boolean
}

/** xt_statistic keeps probabilities in 31 bits. */
const PROBABILITY_ONE = 0x8000_0000

/** `--probability` as the kernel keeps it. */
export function keptProbability(probability: number): number {
  return Math.round(probability * PROBABILITY_ONE) / PROBABILITY_ONE
}

export class Matcher {
  readonly sets: IpSets
  readonly recent: RecentLists
  readonly #host: HostAddresses
  readonly #random: Random
  readonly #recorder: FlowRecorder
  /** Packets that came to each statistic-nth match. */
  readonly #counts = new WeakMap<Match, number>()
  readonly #query: IpSetQuery = { first: 0, protocol: 0, port: 0, second: 0 }

  constructor(
    host: HostAddresses,
    random: Random,
    sets: IpSets,
    recent: RecentLists,
    recorder: FlowRecorder,
  ) {
    this.#recorder = recorder
    this.#host = host
    this.#random = random
    this.sets = sets
    this.recent = recent
  }

  /** Whether all of `matches` hold, from left to right: the first that does not keeps the rest from being asked. */
  all(matches: readonly Match[], packet: Packet): boolean {
    for (let i = 0; i < matches.length; i++) {
      const match = matches[i]!
      if (match.match === 'comment' || match.match === 'extension') continue
      if (this.#holds(match, packet) === (match.invert === true)) return false
    }
    return true
  }

  #holds(match: Exclude<Match, { match: 'comment' | 'extension' }>, packet: Packet): boolean {
    const { header } = packet
    switch (match.match) {
      case 'protocol':
        return header.protocol === PROTOCOL_NUMBERS[match.protocol]
      case 'source':
        return inCidr(match.cidr, header.source)
      case 'destination':
        return inCidr(match.cidr, header.destination)
      case 'source-port':
        return portAt(packet, 0) === match.port
      case 'destination-port':
        return portAt(packet, 2) === match.port
      case 'destination-ports':
        return match.ports.includes(portAt(packet, 2))
      case 'in-interface':
        return namesInterface(match.name, packet.input?.name)
      case 'out-interface':
        return namesInterface(match.name, packet.output?.name)
      case 'address-type':
        return this.#isOfType(match.source, match.destination, packet, match.invert === true)
      case 'state':
        return isInState(packet, match.states)
      case 'mark':
        return (packet.mark & (match.mask ?? 0xffffffff)) >>> 0 === match.value
      case 'connmark':
        this.#recorder.spoil()
        return ((trackingOf(packet)?.flow?.mark ?? 0) & (match.mask ?? 0xffffffff)) >>> 0 === match.value
      case 'statistic-random':
        this.#recorder.spoil()
        return this.#random.uint32() >>> 1 < Math.round(match.probability * PROBABILITY_ONE)
      case 'statistic-nth': {
        this.#recorder.spoil()
        const count = this.#counts.get(match) ?? 0
        this.#counts.set(match, (count + 1) % match.every)
        return count === match.packet
      }
      case 'recent':
        this.#recorder.spoil()
        return this.recent.matches(match, match.source ? header.source : header.destination, this.#host.now)
      case 'set':
        this.#recorder.spoil()
        return this.#isInSet(match, packet)
      case 'ipvs':
        this.#recorder.spoil()
        return wasSentTo(match, packet)
    }
  }

  /** Each type that is given has to hold; inverted, each has to fail, so the answer is what `all` turns around. */
  #isOfType(
    source: AddressType | undefined,
    destination: AddressType | undefined,
    packet: Packet,
    inverted: boolean,
  ): boolean {
    const { header } = packet
    const sourceHolds = source === undefined ? undefined : this.typeOf(header.source) === source
    const destinationHolds =
      destination === undefined ? undefined : this.typeOf(header.destination) === destination
    return inverted
      ? sourceHolds === true || destinationHolds === true
      : sourceHolds !== false && destinationHolds !== false
  }

  /** What an address is to this host, as the local routing table and `fib` say it. */
  typeOf(address: IpAddress): AddressType {
    if (this.#host.isLocal(address)) return 'LOCAL'
    if (this.#host.isBroadcast(address)) return 'BROADCAST'
    return isMulticast(address) ? 'MULTICAST' : 'UNICAST'
  }

  #isInSet(match: SetMatch, packet: Packet): boolean {
    const set = this.sets.get(match.set)
    invariant(set !== undefined, `a rule names the set ${match.set}, which is gone`)
    const { header } = packet
    const query = this.#query
    const [first, port = first, second] = match.directions
    query.first = first === 'src' ? header.source : header.destination
    query.protocol = header.protocol
    query.port = portAt(packet, port === 'src' ? 0 : 2)
    query.second = second === 'src' ? header.source : header.destination
    return set.has(query)
  }
}

/** xt_ipvs asks IPVS for the connection; here conntrack knows what was dialled and where it goes instead. */
function wasSentTo(match: IpvsMatch, packet: Packet): boolean {
  const flow = trackingOf(packet)?.flow
  if (flow === undefined || flow.destinationTranslated) return false
  const { destination, destinationPort, protocol } = flow.original
  return (
    destination === match.address &&
    destinationPort === match.port &&
    protocol === PROTOCOL_NUMBERS[match.protocol] &&
    flow.reply.source !== destination
  )
}

export function isInState(packet: Packet, words: readonly StateWord[]): boolean {
  const tracking = trackingOf(packet)
  const state = tracking?.state ?? 'INVALID'
  for (const word of words) {
    if (word === state) return true
    if (word === 'DNAT' && tracking?.flow?.destinationTranslated === true) return true
    if (word === 'SNAT' && tracking?.flow?.sourceTranslated === true) return true
  }
  return false
}

export function inCidr(prefix: Cidr, address: IpAddress): boolean {
  return cidrContains(prefix, address)
}

/** The port at `offset` of the transport header, -1 where there is none. */
export function portAt(packet: Packet, offset: number): number {
  const { bytes, header } = packet
  const { protocol } = header
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP && protocol !== PROTOCOL_SCTP) return -1
  if (header.fragmentOffset > 0 || header.payloadEnd - header.payloadStart < 4) return -1
  return getUint16(bytes, header.payloadStart + offset)
}

/** `veth+` names every interface whose name begins so. */
function namesInterface(pattern: string, name: string | undefined): boolean {
  if (name === undefined) return false
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
