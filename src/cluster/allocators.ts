// Who hands out addresses and ports: cluster addresses of Services from serviceSubnet, node ports, addresses of load
// balancers, pod addresses from a node's range.

import type { Random } from '../base/random.js'
import {
  type Cidr,
  cidrContains,
  formatAddress,
  formatCidr,
  type Ipv4,
  ipv4,
  ipv4Cidr,
  lastAddress,
  parseIpv4,
} from '../wire/address.js'

/**
 * Cluster addresses, as Kubernetes hands them out: at random, from the upper part of the range while there is one
 * free, so that fixed addresses in the lower part rarely collide (KEP-3070).
 */
export class ServiceAddresses {
  readonly #range: Cidr<Ipv4>
  readonly #random: Random
  readonly #used = new Set<Ipv4>()
  /** First address of the part for dynamic allocation. */
  readonly #dynamicStart: Ipv4

  constructor(serviceSubnet: string, random: Random) {
    this.#range = ipv4Cidr(serviceSubnet)
    this.#random = random
    const size = 2 ** (32 - this.#range.prefixLength)
    const staticBand = Math.min(Math.max(16, size / 16), 256)
    this.#dynamicStart = this.#range.network + (staticBand < size ? staticBand : 1)
  }

  /** Takes `address`; returns why it cannot be had. */
  take(address: string): string | undefined {
    const number = ipv4(address)
    const last = lastAddress(this.#range)
    if (!cidrContains(this.#range, number) || number === this.#range.network || number === last)
      return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${formatCidr(this.#range)}`
    if (this.#used.has(number)) return 'provided IP is already allocated'
    this.#used.add(number)
    return undefined
  }

  /** A free address; undefined when there is none left. */
  next(): string | undefined {
    const last = lastAddress(this.#range)
    return (
      this.#pick(this.#dynamicStart, last - this.#dynamicStart) ??
      this.#pick(this.#range.network + 1, this.#dynamicStart - this.#range.network - 1)
    )
  }

  release(address: string): void {
    this.#used.delete(ipv4(address))
  }

  /** The first free one of `count` addresses from `start`, beginning at a random place. */
  #pick(start: Ipv4, count: number): string | undefined {
    if (count <= 0) return undefined
    const offset = this.#random.int(count)
    for (let i = 0; i < count; i++) {
      const candidate = start + ((offset + i) % count)
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

/** Pod addresses of one node, in order; a released one comes back when the range has been gone through (next fit). */
export class PodAddresses {
  readonly #first: Ipv4
  readonly #count: number
  readonly #prefixLength: number
  readonly #used = new Set<Ipv4>()
  #next = 0

  /**
   * `gateway` is the bridge's address and is never given to a pod. When it is the first host of the range, pods
   * start behind it; when it is the last, the range is used from its very first address.
   */
  constructor(podRange: string, gateway: string) {
    const range = ipv4Cidr(podRange)
    const bridge = ipv4(gateway)
    const last = lastAddress(range)
    this.#prefixLength = range.prefixLength
    this.#first = bridge === range.network + 1 ? bridge + 1 : range.network
    this.#count = last - this.#first
    this.#used.add(bridge)
  }

  /** `10.36.0.0/16`: a free address with the prefix length of the range; undefined when there is none left. */
  next(): string | undefined {
    for (let i = 0; i < this.#count; i++) {
      const candidate = this.#first + ((this.#next + i) % this.#count)
      if (this.#used.has(candidate)) continue
      this.#used.add(candidate)
      this.#next = (candidate - this.#first + 1) % this.#count
      return `${formatAddress(candidate)}/${this.#prefixLength}`
    }
    return undefined
  }

  /** `address` with or without its prefix length. */
  release(address: string): void {
    this.#used.delete(ipv4(address.split('/')[0]!))
  }
}
