// A table from a flow's five numbers (two addresses, two ports, protocol) to a value: sockets by their four-tuple,
// conntrack by its tuples. Numbers are hashed to 32 bits and clashes are chained, so that a lookup builds no string.

import { addressWord, type IpAddress, type Port } from '../wire/address.js'

interface Entry<Value> {
  readonly source: IpAddress
  readonly destination: IpAddress
  /** Both ports in 32 bits. */
  readonly ports: number
  readonly protocol: number
  readonly value: Value
  next: Entry<Value> | undefined
}

function hash(source: IpAddress, destination: IpAddress, ports: number, protocol: number): number {
  let h = Math.imul(addressWord(source), 0x9e3779b1) ^ Math.imul(addressWord(destination), 0x85ebca6b)
  h ^= Math.imul(ports ^ (protocol << 8), 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

export class FlowTable<Value> {
  readonly #buckets = new Map<number, Entry<Value>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(
    source: IpAddress,
    destination: IpAddress,
    sourcePort: Port,
    destinationPort: Port,
    protocol: number,
  ): Value | undefined {
    const ports = (sourcePort << 16) | destinationPort
    let entry = this.#buckets.get(hash(source, destination, ports, protocol))
    while (entry !== undefined) {
      if (
        entry.ports === ports &&
        entry.source === source &&
        entry.destination === destination &&
        entry.protocol === protocol
      ) {
        return entry.value
      }
      entry = entry.next
    }
    return undefined
  }

  /** Adds a flow that is not in the table yet. */
  add(
    source: IpAddress,
    destination: IpAddress,
    sourcePort: Port,
    destinationPort: Port,
    protocol: number,
    value: Value,
  ): void {
    const ports = (sourcePort << 16) | destinationPort
    const key = hash(source, destination, ports, protocol)
    const next = this.#buckets.get(key)
    this.#buckets.set(key, { source, destination, ports, protocol, value, next })
    this.#size++
  }

  /** Removes the flow if its value is `value`. */
  remove(
    source: IpAddress,
    destination: IpAddress,
    sourcePort: Port,
    destinationPort: Port,
    protocol: number,
    value: Value,
  ): void {
    const ports = (sourcePort << 16) | destinationPort
    const key = hash(source, destination, ports, protocol)
    let before: Entry<Value> | undefined
    for (let entry = this.#buckets.get(key); entry !== undefined; before = entry, entry = entry.next) {
      if (entry.value !== value || entry.ports !== ports || entry.source !== source) continue
      if (entry.destination !== destination || entry.protocol !== protocol) continue
      if (before !== undefined) before.next = entry.next
      else if (entry.next !== undefined) this.#buckets.set(key, entry.next)
      else this.#buckets.delete(key)
      this.#size--
      return
    }
  }
}
