// A table from a flow's five numbers (two addresses, two ports, protocol) to a value: sockets by their four-tuple,
// conntrack by its tuples. Keys are four words of 32 bits in one array and no objects, so that a lookup builds nothing,
// reads one line of a processor's cache, and tens of thousands of flows are nothing to a garbage collector.

import { addressWord, type IpAddress, isIpv6, type Port } from '../wire/address.js'

/** Words of a key: addresses (of IPv6 what is folded of them), ports, and the protocol; 0 there: the slot is empty. */
const WORDS = 4
const SOURCE = 0
const DESTINATION = 1
const PORTS = 2
const PROTOCOL = 3
/** Beside the protocol: there is a flow, and whether its addresses are more than the words say. */
const USED = 0x100
const WIDE = 0x200

/** Addresses of IPv6, which do not fit into words. */
interface WideKey {
  readonly source: IpAddress
  readonly destination: IpAddress
}

/** Slots of a new table; a power of two. */
const SMALLEST = 16

/** Open addressing; an entry that goes lets those behind it move up. */
export class FlowTable<Value> {
  #keys = new Int32Array(SMALLEST * WORDS)
  #values: (Value | undefined)[] = new Array(SMALLEST).fill(undefined)
  /** By slot; undefined as long as there was no flow of IPv6. */
  #wide: (WideKey | undefined)[] | undefined
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
    const slot = this.#slotOf(source, destination, (sourcePort << 16) | destinationPort, protocol)
    return slot < 0 ? undefined : this.#values[slot]
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
    const sourceWord = addressWord(source) | 0
    const destinationWord = addressWord(destination) | 0
    const ports = (sourcePort << 16) | destinationPort
    const last = protocol | USED | (isIpv6(source) ? WIDE : 0)
    const wide = isIpv6(source) ? { source, destination } : undefined
    this.#place(sourceWord, destinationWord, ports, last, value, wide)
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
    const slot = this.#slotOf(source, destination, (sourcePort << 16) | destinationPort, protocol)
    if (slot >= 0) this.#values[slot] = value
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
    const keys = this.#keys
    const mask = this.#mask
    const sourceWord = addressWord(source) | 0
    const destinationWord = addressWord(destination) | 0
    const ports = (sourcePort << 16) | destinationPort
    const last = protocol | USED | (isIpv6(source) ? WIDE : 0)
    // A flow may be there twice, with values of its own: a connection to itself.
    for (let slot = hash(sourceWord, destinationWord, ports, last) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WORDS
      if (keys[at + PROTOCOL] === 0) return
      if (this.#values[slot] !== value || keys[at + PORTS] !== ports || keys[at + PROTOCOL] !== last) continue
      if (keys[at + SOURCE] !== sourceWord || keys[at + DESTINATION] !== destinationWord) continue
      if ((last & WIDE) !== 0 && !this.#isWide(slot, source, destination)) continue
      this.#size--
      return this.#vacate(slot)
    }
  }

  /** Negative when there is none. */
  #slotOf(source: IpAddress, destination: IpAddress, ports: number, protocol: number): number {
    const keys = this.#keys
    const mask = this.#mask
    const sourceWord = addressWord(source) | 0
    const destinationWord = addressWord(destination) | 0
    const last = protocol | USED | (isIpv6(source) ? WIDE : 0)
    let slot = hash(sourceWord, destinationWord, ports, last) & mask
    for (;;) {
      const at = slot * WORDS
      const found = keys[at + PROTOCOL]!
      if (found === 0) return -1
      if (
        found === last &&
        keys[at + PORTS] === ports &&
        keys[at + SOURCE] === sourceWord &&
        keys[at + DESTINATION] === destinationWord &&
        ((last & WIDE) === 0 || this.#isWide(slot, source, destination))
      )
        return slot
      slot = (slot + 1) & mask
    }
  }

  #isWide(slot: number, source: IpAddress, destination: IpAddress): boolean {
    const wide = this.#wide?.[slot]
    return wide !== undefined && wide.source === source && wide.destination === destination
  }

  #place(
    source: number,
    destination: number,
    ports: number,
    last: number,
    value: Value | undefined,
    wide: WideKey | undefined,
  ): void {
    const keys = this.#keys
    let slot = hash(source, destination, ports, last) & this.#mask
    while (keys[slot * WORDS + PROTOCOL] !== 0) slot = (slot + 1) & this.#mask
    const at = slot * WORDS
    keys[at + SOURCE] = source
    keys[at + DESTINATION] = destination
    keys[at + PORTS] = ports
    keys[at + PROTOCOL] = last
    this.#values[slot] = value
    if (wide !== undefined) this.#wide ??= new Array(this.#values.length).fill(undefined)
    if (this.#wide !== undefined) this.#wide[slot] = wide
  }

  /** Empties a slot: what follows without a gap moves up unless it would pass its own first slot (Knuth 6.4 R). */
  #vacate(slot: number): void {
    const keys = this.#keys
    const values = this.#values
    const mask = this.#mask
    let hole = slot
    for (let next = (slot + 1) & mask; keys[next * WORDS + PROTOCOL] !== 0; next = (next + 1) & mask) {
      if (((next - this.#homeOf(next)) & mask) < ((next - hole) & mask)) continue
      keys.copyWithin(hole * WORDS, next * WORDS, next * WORDS + WORDS)
      values[hole] = values[next]
      if (this.#wide !== undefined) this.#wide[hole] = this.#wide[next]
      hole = next
    }
    keys[hole * WORDS + PROTOCOL] = 0
    values[hole] = undefined
    if (this.#wide !== undefined) this.#wide[hole] = undefined
  }

  /** The slot where the flow in `slot` would be if all were empty. */
  #homeOf(slot: number): number {
    const keys = this.#keys
    const at = slot * WORDS
    return (
      hash(keys[at + SOURCE]!, keys[at + DESTINATION]!, keys[at + PORTS]!, keys[at + PROTOCOL]!) & this.#mask
    )
  }

  #grow(): void {
    const keys = this.#keys
    const values = this.#values
    const wide = this.#wide
    const slots = values.length * 2
    this.#keys = new Int32Array(slots * WORDS)
    this.#values = new Array(slots).fill(undefined)
    this.#wide = wide && new Array(slots).fill(undefined)
    this.#mask = slots - 1
    for (let slot = 0; slot < values.length; slot++) {
      const at = slot * WORDS
      const last = keys[at + PROTOCOL]!
      if (last === 0) continue
      const [source, destination, ports] = [keys[at]!, keys[at + DESTINATION]!, keys[at + PORTS]!]
      this.#place(source, destination, ports, last, values[slot], wide?.[slot])
    }
  }
}

function hash(source: number, destination: number, ports: number, last: number): number {
  let h = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b)
  h ^= Math.imul(ports ^ (last << 8), 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
