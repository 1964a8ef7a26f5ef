// A table from a flow's five numbers (two addresses, two ports, protocol) to a value: sockets by their four-tuple,
// conntrack by its tuples. Numbers are hashed to 32 bits, so that a lookup builds no string.

import { addressWord, type IpAddress, type Port } from '../wire/address.js'

interface Entry<Value> {
  readonly source: IpAddress
  readonly destination: IpAddress
  /** Both ports in 32 bits. */
  readonly ports: number
  readonly protocol: number
  value: Value
}

function hash(source: IpAddress, destination: IpAddress, ports: number, protocol: number): number {
  let h = Math.imul(addressWord(source), 0x9e3779b1) ^ Math.imul(addressWord(destination), 0x85ebca6b)
  h ^= Math.imul(ports ^ (protocol << 8), 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

/** Slots of a new table; a power of two. */
const SMALLEST = 16

/** Open addressing: a slot's hash is looked at before its entry, and an entry that goes lets those behind it move up. */
export class FlowTable<Value> {
  #hashes = new Int32Array(SMALLEST)
  #entries: (Entry<Value> | undefined)[] = new Array(SMALLEST).fill(undefined)
  #mask = SMALLEST - 1
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
    return this.#entry(source, destination, (sourcePort << 16) | destinationPort, protocol)?.value
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
    if ((this.#size + 1) * 2 > this.#mask) this.#grow()
    const ports = (sourcePort << 16) | destinationPort
    this.#place(hash(source, destination, ports, protocol), {
      source,
      destination,
      ports,
      protocol,
      value,
    })
    this.#size++
  }

  /** Gives a flow that is in the table another value. */
  replace(
    source: IpAddress,
    destination: IpAddress,
    sourcePort: Port,
    destinationPort: Port,
    protocol: number,
    value: Value,
  ): void {
    const entry = this.#entry(source, destination, (sourcePort << 16) | destinationPort, protocol)
    if (entry !== undefined) entry.value = value
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
    for (let slot = key & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#entries[slot]
      if (entry === undefined) return
      if (entry.value !== value || entry.ports !== ports || entry.source !== source) continue
      if (entry.destination !== destination || entry.protocol !== protocol) continue
      this.#size--
      return this.#vacate(slot)
    }
  }

  #entry(
    source: IpAddress,
    destination: IpAddress,
    ports: number,
    protocol: number,
  ): Entry<Value> | undefined {
    const hashes = this.#hashes
    const entries = this.#entries
    const mask = this.#mask
    const key = hash(source, destination, ports, protocol)
    for (let slot = key & mask; ; slot = (slot + 1) & mask) {
      // A place whose hash is another one is passed by without a look at its entry.
      if (hashes[slot] !== key) {
        if (entries[slot] === undefined) return undefined
        continue
      }
      const entry = entries[slot]
      if (entry === undefined) return undefined
      if (
        entry.ports === ports &&
        entry.source === source &&
        entry.destination === destination &&
        entry.protocol === protocol
      )
        return entry
    }
  }

  #place(key: number, entry: Entry<Value>): void {
    let slot = key & this.#mask
    while (this.#entries[slot] !== undefined) slot = (slot + 1) & this.#mask
    this.#hashes[slot] = key
    this.#entries[slot] = entry
  }

  /** Empties a slot: what follows without a gap moves up unless it would pass its own first slot (Knuth 6.4 R). */
  #vacate(slot: number): void {
    const mask = this.#mask
    let hole = slot
    for (let next = (slot + 1) & mask; this.#entries[next] !== undefined; next = (next + 1) & mask) {
      const home = this.#hashes[next]! & mask
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      this.#hashes[hole] = this.#hashes[next]!
      this.#entries[hole] = this.#entries[next]
      hole = next
    }
    this.#entries[hole] = undefined
  }

  #grow(): void {
    const hashes = this.#hashes
    const entries = this.#entries
    const slots = entries.length * 2
    this.#hashes = new Int32Array(slots)
    this.#entries = new Array(slots).fill(undefined)
    this.#mask = slots - 1
    for (let slot = 0; slot < entries.length; slot++) {
      const entry = entries[slot]
      if (entry !== undefined) this.#place(hashes[slot]!, entry)
    }
  }
}
