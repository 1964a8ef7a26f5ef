// Who hands out addresses: cluster addresses of Services from serviceSubnet, pod addresses from a node's range.

import type { Random } from '../base/random.js'
import { cidr, cidrContains, formatCidr, formatIpv4, type Ipv4, ipv4, lastAddress } from '../wire/address.js'

/**
 * Cluster addresses, as Kubernetes hands them out: at random, from the upper part of the range while there is one
 * free, so that fixed addresses in the lower part rarely collide (KEP-3070).
 */
export class ServiceAddresses {
  readonly #range: ReturnType<typeof cidr>
  readonly #random: Random
  readonly #used = new Set<Ipv4>()
  /** First address of the part for dynamic allocation. */
  readonly #dynamicStart: Ipv4

  constructor(serviceSubnet: string, random: Random) {
    this.#range = cidr(serviceSubnet)
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
      return formatIpv4(candidate)
    }
    return undefined
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
    const range = cidr(podRange)
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
      return `${formatIpv4(candidate)}/${this.#prefixLength}`
    }
    return undefined
  }

  /** `address` with or without its prefix length. */
  release(address: string): void {
    this.#used.delete(ipv4(address.split('/')[0]!))
  }
}
