// Where packets go: this host's own addresses, its routing table, the MTU that routers have told for a destination
// (RFC 1191), and the path that follows from all three, remembered until one of them changes.

import type { ChangeCount } from '../base/change-count.js'
import { MINUTE, type Micros, NEVER } from '../base/time.js'
import {
  anyOf,
  IPV4_BROADCAST,
  IPV4_LOOPBACK,
  type IpAddress,
  isIpv6,
  isLoopback,
  isMulticast,
} from '../wire/address.js'
import { broadcastOf, type Interface, LOOPBACK_INDEX } from './interface.js'
import { RouteTable } from './routes.js'

const PATH_MTU_LIFETIME: Micros = 10 * MINUTE
const MAX_PACKET_BYTES = 65_535
/** More destinations than these are looked up again. */
const MAX_KNOWN_PATHS = 4096

/** Where packets to one destination go. Valid as long as `generation` is the table's. */
export interface Path {
  readonly destination: IpAddress
  readonly output: Interface
  readonly nextHop: IpAddress
  /** Source address for packets that have none yet. */
  readonly source: IpAddress
  /** The interface's MTU, or less when a router said so. */
  readonly mtuBytes: number
  readonly broadcast: boolean
  readonly generation: number
  /** When a smaller MTU than the interface's is forgotten. */
  readonly validUntil: Micros
}

export class Paths {
  readonly routes = new RouteTable()
  readonly #interfaces: ReadonlyMap<number, Interface>
  readonly #local = new Set<IpAddress>()
  readonly #broadcasts = new Set<IpAddress>()
  /**
   * A bit for the last five bits of each IPv4 address in both sets: most packets are for others, and need no look-up to
   * know.
   */
  #marks = 0
  readonly #mtus = new Map<IpAddress, { mtuBytes: number; until: Micros }>()
  /** Counts up when routes, interfaces or path MTUs change: known paths are then looked up again. */
  #generation = 0
  /** Paths of this generation by destination. */
  readonly #known = new Map<IpAddress, Path>()

  readonly #changes: ChangeCount

  constructor(interfaces: ReadonlyMap<number, Interface>, changes: ChangeCount) {
    this.#interfaces = interfaces
    this.#changes = changes
  }

  /** An address of this host, 127.0.0.0/8 included. */
  isLocal(address: IpAddress): boolean {
    return (this.#mayHave(address) && this.#local.has(address)) || isLoopback(address)
  }

  /** 255.255.255.255 or the directed broadcast of an interface's prefix. */
  isBroadcast(address: IpAddress): boolean {
    return address === IPV4_BROADCAST || (this.#mayHave(address) && this.#broadcasts.has(address))
  }

  #mayHave(address: IpAddress): boolean {
    return isIpv6(address) || (this.#marks & (1 << (address & 31))) !== 0
  }

  /** Notes that interfaces came or went. */
  interfacesChanged(): void {
    this.#local.clear()
    this.#broadcasts.clear()
    for (const each of this.#interfaces.values()) {
      for (const address of each.addresses) {
        this.#local.add(address.address)
        const broadcast = broadcastOf(address)
        if (broadcast !== undefined && !each.loopback) this.#broadcasts.add(broadcast)
      }
    }
    this.#marks = 0
    for (const address of [...this.#local, ...this.#broadcasts])
      if (!isIpv6(address)) this.#marks |= 1 << (address & 31)
    this.changed()
  }

  /** Notes that routes came or went. */
  changed(): void {
    this.#generation++
    this.#changes.value++
    this.#known.clear()
  }

  /** The path to `destination`, undefined when there is no route. `held`, when it is still valid, is given back. */
  to(destination: IpAddress, now: Micros, held?: Path): Path | undefined {
    if (held !== undefined && held.destination === destination && this.#isValid(held, now)) return held
    const known = this.#known.get(destination)
    if (known !== undefined && this.#isValid(known, now)) return known
    const path = this.isLocal(destination) ? this.#toSelf(destination) : this.#lookup(destination, now)
    if (path === undefined) return undefined
    if (this.#known.size >= MAX_KNOWN_PATHS) this.#known.clear()
    this.#known.set(destination, path)
    return path
  }

  /** A router on the way to `destination` said that packets longer than `mtuBytes` do not fit. */
  lowerMtu(destination: IpAddress, mtuBytes: number, now: Micros): void {
    if (this.#mtus.size >= MAX_KNOWN_PATHS) this.#mtus.clear()
    this.#mtus.set(destination, { mtuBytes, until: now + PATH_MTU_LIFETIME })
    this.changed()
  }

  #isValid(path: Path, now: Micros): boolean {
    return path.generation === this.#generation && path.validUntil > now
  }

  #toSelf(destination: IpAddress): Path | undefined {
    const output = this.#interfaces.get(LOOPBACK_INDEX)
    if (output === undefined) return undefined
    return {
      destination,
      output,
      nextHop: destination,
      source: isLoopback(destination) && !isIpv6(destination) ? IPV4_LOOPBACK : destination,
      mtuBytes: Math.min(output.mtuBytes, MAX_PACKET_BYTES),
      broadcast: false,
      generation: this.#generation,
      validUntil: NEVER,
    }
  }

  #lookup(destination: IpAddress, now: Micros): Path | undefined {
    const route = this.routes.lookup(destination)
    const output = route && this.#interfaces.get(route.interfaceIndex)
    if (route === undefined || output === undefined || !output.up) return undefined
    const broadcast = this.isBroadcast(destination)
    const mtu = this.#mtus.get(destination)
    const lowered = mtu !== undefined && mtu.until > now ? mtu : undefined
    return {
      destination,
      output,
      nextHop: broadcast || isMulticast(destination) ? destination : (route.gateway ?? destination),
      source: route.source ?? addressOf(output, destination) ?? this.#anyAddress(destination),
      mtuBytes: Math.min(output.mtuBytes, lowered?.mtuBytes ?? MAX_PACKET_BYTES),
      broadcast,
      generation: this.#generation,
      validUntil: lowered?.until ?? NEVER,
    }
  }

  /** For an interface without address: one of another. */
  #anyAddress(destination: IpAddress): IpAddress {
    for (const each of this.#interfaces.values()) {
      const address = each.loopback ? undefined : addressOf(each, destination)
      if (address !== undefined) return address
    }
    return anyOf(destination)
  }
}

/** The primary address of an interface in the family of `destination`. */
function addressOf(output: Interface, destination: IpAddress): IpAddress | undefined {
  return output.addresses.find(({ address }) => isIpv6(address) === isIpv6(destination))?.address
}
