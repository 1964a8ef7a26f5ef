// Who hands out addresses and ports: cluster addresses of Services from serviceSubnet, node ports, addresses of load
// balancers, pod addresses from a node's range.

import type { Random } from '../base/random.js'
import {
  addAddress,
  addressBits,
  type Cidr,
  cidr,
  cidrContains,
  formatAddress,
  formatCidr,
  type IpAddress,
  type Ipv4,
  ip,
  ipv4Cidr,
  lastAddress,
  parseIpv4,
} from '../wire/address.js'

/**
 * Cluster addresses, as Kubernetes hands them out: at random, from the upper part of the range while there is one
 * free, so that fixed addresses in the lower part rarely collide (KEP-3070).
 */
export class ServiceAddresses {
  readonly #range: Cidr
  readonly #random: Random
  readonly #used = new Set<IpAddress>()
  /** Addresses of the range, as distances from its first one: 0 and the last are never given to a Service. */
  readonly #size: number
  /** First distance of the part for dynamic allocation. */
  readonly #dynamicStart: number

  /** `serviceSubnet` is a prefix of either family. */
  constructor(serviceSubnet: string, random: Random) {
    this.#range = cidr(serviceSubnet)
    this.#random = random
    const size = 2 ** (addressBits(this.#range.network) - this.#range.prefixLength)
    const staticBand = Math.min(Math.max(16, size / 16), 256)
    this.#size = size
    this.#dynamicStart = staticBand < size ? staticBand : 1
  }

  /** Takes `address`; returns why it cannot be had. */
  take(address: string): string | undefined {
    const taken = ip(address)
    const last = lastAddress(this.#range)
    if (!cidrContains(this.#range, taken) || taken === this.#range.network || taken === last)
      return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${formatCidr(this.#range)}`
    if (this.#used.has(taken)) return 'provided IP is already allocated'
    this.#used.add(taken)
    return undefined
  }

  /** A free address; undefined when there is none left. */
  next(): string | undefined {
    const start = this.#dynamicStart
    return this.#pick(start, this.#size - 1 - start) ?? this.#pick(1, start - 1)
  }

  release(address: string): void {
    this.#used.delete(ip(address))
  }

  /** The first free one of `count` addresses from distance `start`, beginning at a random place. */
  #pick(start: number, count: number): string | undefined {
    if (count <= 0) return undefined
    const offset = this.#random.int(count)
    for (let i = 0; i < count; i++) {
      const candidate = addAddress(this.#range.network, start + ((offset + i) % count))
      if (this.#used.has(candidate)) continue
      this.#used.add(candidate)
      return formatAddress(candidate)
    }
    return undefined
  }
}

/** First and last node port, both usable. */
export interface NodePortRange {
  readonly first: number
  readonly last: number
}

/** Node ports, at random from the upper part of their range while there is one free (KEP-3668). */
export class NodePorts {
  readonly #range: NodePortRange
  readonly #random: Random
  readonly #used = new Set<number>()
  readonly #dynamicStart: number

  constructor(range: NodePortRange, random: Random) {
    this.#range = range
    this.#random = random
    const size = range.last - range.first + 1
    const staticBand = Math.min(Math.max(16, Math.floor(size / 32)), 128)
    this.#dynamicStart = range.first + (staticBand < size ? staticBand : 0)
  }

  /** Takes `port`; returns why it cannot be had. */
  take(port: number): string | undefined {
    const { first, last } = this.#range
    if (port < first || port > last)
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`
    if (this.#used.has(port)) return 'provided port is already allocated'
    this.#used.add(port)
    return undefined
  }

  /** A free port; undefined when there is none left. */
  next(): number | undefined {
    const { first, last } = this.#range
    return this.#pick(this.#dynamicStart, last) ?? this.#pick(first, this.#dynamicStart - 1)
  }

  release(port: number): void {
    this.#used.delete(port)
  }

  #pick(first: number, last: number): number | undefined {
    const count = last - first + 1
    if (count <= 0) return undefined
    const offset = this.#random.int(count)
    for (let i = 0; i < count; i++) {
      const candidate = first + ((offset + i) % count)
      if (this.#used.has(candidate)) continue
      this.#used.add(candidate)
      return candidate
    }
    return undefined
  }
}

/** Addresses of load balancers, the lowest free one first. */
export class LoadBalancerAddresses {
  readonly #pool: Cidr<Ipv4>
  readonly #broadcast: Ipv4
  readonly #used = new Map<Ipv4, string>()

  /** `nodeSubnet` is the network that the addresses are on: its broadcast address is nobody's. */
  constructor(pool: string, nodeSubnet: string) {
    this.#pool = ipv4Cidr(pool)
    this.#broadcast = lastAddress(ipv4Cidr(nodeSubnet))
  }

  /** Takes `address` for `owner`, who may have it already; false when it is not in the pool or not free. */
  take(address: string, owner: string): boolean {
    const number = parseIpv4(address)
    if (number === undefined || !cidrContains(this.#pool, number) || number === this.#broadcast) return false
    const holder = this.#used.get(number)
    if (holder !== undefined && holder !== owner) return false
    this.#used.set(number, owner)
    return true
  }

  /** The lowest free address, for `owner`; undefined when there is none. */
  next(owner: string): string | undefined {
    for (let address = this.#pool.network; address <= lastAddress(this.#pool); address++) {
      if (this.#used.has(address) || address === this.#broadcast) continue
      this.#used.set(address, owner)
      return formatAddress(address)
    }
    return undefined
  }

  /** Gives back everything that `owner` has, but for `kept`; whether that was anything. */
  release(owner: string, kept?: string): boolean {
    let released = false
    for (const [address, holder] of this.#used)
      if (holder === owner && formatAddress(address) !== kept) released = this.#used.delete(address)
    return released
  }
}

/** More pods than this no node has: a range of IPv6 is not gone through to its end. */
const MOST_PODS = 2 ** 32

/** Pod addresses of one node, in order; a released one comes back when the range has been gone through (next fit). */
export class PodAddresses {
  readonly #first: IpAddress
  readonly #count: number
  readonly #prefixLength: number
  readonly #used = new Set<IpAddress>()
  #next = 0

  /**
   * `gateway` is the bridge's address and is never given to a pod. When it is the first host of the range, pods
   * start behind it; when it is the last, the range is used from its very first address. Of either family.
   */
  constructor(podRange: string, gateway: string) {
    const range = cidr(podRange)
    const bridge = ip(gateway)
    const startsBehind = bridge === addAddress(range.network, 1)
    const size = 2 ** (addressBits(range.network) - range.prefixLength)
    this.#prefixLength = range.prefixLength
    this.#first = startsBehind ? addAddress(bridge, 1) : range.network
    this.#count = Math.min(MOST_PODS, size - 1 - (startsBehind ? 2 : 0))
    this.#used.add(bridge)
  }

  /** `10.36.0.0/16`: a free address with the prefix length of the range; undefined when there is none left. */
  next(): string | undefined {
    for (let i = 0; i < this.#count; i++) {
      const distance = (this.#next + i) % this.#count
      const candidate = addAddress(this.#first, distance)
      if (this.#used.has(candidate)) continue
      this.#used.add(candidate)
      this.#next = (distance + 1) % this.#count
      return `${formatAddress(candidate)}/${this.#prefixLength}`
    }
    return undefined
  }

  /** `address` with or without its prefix length. */
  release(address: string): void {
    this.#used.delete(ip(address.split('/')[0]!))
  }
}
