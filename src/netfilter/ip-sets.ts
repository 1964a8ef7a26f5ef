// Sets of addresses, ports and prefixes as ipset(8) has them: kube-proxy's ipvs mode keeps its services in them, and
// the match `set` looks packets up. A look-up costs the same whatever the size of the set.

import {
  type Cidr,
  formatAddress,
  formatCidr,
  type IpAddress,
  isHostCidr,
  maskAddress,
  type Port,
} from '../wire/address.js'
import { type PackedKey, PROTOCOL_NUMBERS, packAddressService, packPrefix } from './packed-key.js'
import type { TransportProtocol } from './rule.js'

export type IpSetType =
  | 'bitmap:port'
  | 'hash:ip'
  | 'hash:net'
  | 'hash:ip,port'
  | 'hash:ip,port,ip'
  | 'hash:ip,port,net'

/** Of the addresses in a set. */
export type IpSetFamily = 'inet' | 'inet6'

/** What the type of its set asks for: `address` (hash:ip...), `protocol` and `port`, `second` (…,ip), `network`. */
export interface IpSetElement {
  readonly address?: IpAddress
  readonly protocol?: TransportProtocol
  readonly port?: Port
  readonly second?: IpAddress
  readonly network?: Cidr
}

/** What a packet says for the dimensions of a set: addresses and ports of the directions that the match names. */
export interface IpSetQuery {
  first: IpAddress
  protocol: number
  /** -1 where the packet has none. */
  port: number
  /** Third dimension. */
  second: IpAddress
}

const MAX_ELEMENTS = 65_536

export class IpSet {
  readonly name: string
  readonly type: IpSetType
  readonly family: IpSetFamily
  readonly #elements = new Map<PackedKey, IpSetElement>()
  /** How many elements have a prefix of this length. */
  readonly #prefixLengths = new Map<number, number>()

  constructor(name: string, type: IpSetType, family: IpSetFamily) {
    this.name = name
    this.type = type
    this.family = family
  }

  get size(): number {
    return this.#elements.size
  }

  /** In the order in which they were added. */
  elements(): IpSetElement[] {
    return [...this.#elements.values()]
  }

  /** False when it was there already, or the set is full. */
  add(element: IpSetElement): boolean {
    const key = keyOf(this.type, element)
    if (this.#elements.has(key) || this.#elements.size >= MAX_ELEMENTS) return false
    this.#elements.set(key, element)
    this.#countPrefix(element, 1)
    return true
  }

  /** False when it was not there. */
  remove(element: IpSetElement): boolean {
    if (!this.#elements.delete(keyOf(this.type, element))) return false
    this.#countPrefix(element, -1)
    return true
  }

  /** Puts `elements` in the place of what was there, by the least changes. */
  replace(elements: readonly IpSetElement[]): void {
    const wanted = new Set(elements.map((element) => keyOf(this.type, element)))
    for (const [key, element] of [...this.#elements]) if (!wanted.has(key)) this.remove(element)
    for (const element of elements) this.add(element)
  }

  /** Whether a packet is in the set. */
  has(query: IpSetQuery): boolean {
    const { first, protocol, port, second } = query
    switch (this.type) {
      case 'bitmap:port':
        return port >= 0 && this.#elements.has(port)
      case 'hash:ip':
        return this.#elements.has(first)
      case 'hash:net':
        return this.#hasPrefix(first, undefined)
      default: {
        if (port < 0) return false
        const service = packAddressService(first, protocol, port)
        if (this.type === 'hash:ip,port') return this.#elements.has(service)
        if (this.type === 'hash:ip,port,ip') return this.#elements.has(`${service}/${second}`)
        return this.#hasPrefix(second, service)
      }
    }
  }

  #hasPrefix(address: IpAddress, service: number | bigint | undefined): boolean {
    for (const prefixLength of this.#prefixLengths.keys()) {
      const prefix = packPrefix(maskAddress(address, prefixLength), prefixLength)
      if (this.#elements.has(service === undefined ? prefix : `${service}/${prefix}`)) return true
    }
    return false
  }

  #countPrefix(element: IpSetElement, by: number): void {
    const prefixLength = element.network?.prefixLength
    if (prefixLength === undefined) return
    const count = (this.#prefixLengths.get(prefixLength) ?? 0) + by
    if (count === 0) this.#prefixLengths.delete(prefixLength)
    else this.#prefixLengths.set(prefixLength, count)
  }
}

/** What `ipset` answers to a command that makes no sense. */
export class IpSetError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'IpSetError'
  }
}

export class IpSets {
  readonly #sets = new Map<string, IpSet>()
  readonly #references: (set: string) => number

  /** `references`: how many rules name a set. */
  constructor(references: (set: string) => number) {
    this.#references = references
  }

  /** The set `name`, made when it is missing. Throws IpSetError when it is there with another type or family. */
  create(name: string, type: IpSetType, family: IpSetFamily = 'inet'): IpSet {
    const known = this.#sets.get(name)
    if (known?.type === type && known.family === family) return known
    if (known !== undefined) throw new IpSetError(`set ${name} is of type ${known.type}, ${known.family}`)
    const set = new IpSet(name, type, family)
    this.#sets.set(name, set)
    return set
  }

  get(name: string): IpSet | undefined {
    return this.#sets.get(name)
  }

  /** Throws IpSetError when rules refer to the set. */
  destroy(name: string): void {
    if (this.references(name) > 0) throw new IpSetError(`set ${name} cannot be destroyed: it is in use`)
    this.#sets.delete(name)
  }

  references(name: string): number {
    return this.#references(name)
  }

  /** In the order in which they were made. */
  list(): IpSet[] {
    return [...this.#sets.values()]
  }
}

function keyOf(type: IpSetType, element: IpSetElement): PackedKey {
  const { address = 0, protocol = 'tcp', port = 0, second = 0, network } = element
  const prefix = packPrefix(network?.network ?? 0, network?.prefixLength ?? 32)
  const service = packAddressService(address, PROTOCOL_NUMBERS[protocol], port)
  switch (type) {
    case 'bitmap:port':
      return port
    case 'hash:ip':
      return address
    case 'hash:net':
      return prefix
    case 'hash:ip,port':
      return service
    case 'hash:ip,port,ip':
      return `${service}/${second}`
    case 'hash:ip,port,net':
      return `${service}/${prefix}`
  }
}

/** An element as ipset prints it: `10.96.0.10,tcp:53`. */
export function elementText(type: IpSetType, element: IpSetElement): string {
  const { address = 0, protocol = 'tcp', port = 0, second = 0, network } = element
  const prefix = network === undefined ? '0.0.0.0/0' : prefixText(network)
  const service = `${formatAddress(address)},${protocol}:${port}`
  switch (type) {
    case 'bitmap:port':
      return String(port)
    case 'hash:ip':
      return formatAddress(address)
    case 'hash:net':
      return prefix
    case 'hash:ip,port':
      return service
    case 'hash:ip,port,ip':
      return `${service},${formatAddress(second)}`
    case 'hash:ip,port,net':
      return `${service},${prefix}`
  }
}

/** ipset prints a host's prefix without its length. */
function prefixText(prefix: Cidr): string {
  return isHostCidr(prefix) ? formatAddress(prefix.network) : formatCidr(prefix)
}
