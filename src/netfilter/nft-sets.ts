// Sets and verdict maps of nftables: elements by their packed key, so that a look-up is one hash whatever their number;
// time-outs; prefixes in sets with the flag interval.

import type { Micros } from '../base/time.js'
import { addressBits, type IpAddress, maskAddress } from '../wire/address.js'
import type { NftDataType, NftElementRow, NftKey, NftSetOptions, NftValue, NftVerdict } from './nft.js'
import {
  type PackedKey,
  PROTOCOL_NUMBERS,
  packAddressService,
  packPrefix,
  packService,
} from './packed-key.js'
import type { TransportProtocol } from './rule.js'

/** Elements that rules add at most (the size that nft gives to a dynamic set). */
const MAX_DYNAMIC_ELEMENTS = 65_535

export interface NftElement {
  readonly key: NftKey
  readonly verdict: NftVerdict | undefined
  readonly comment: string | undefined
  expiresAt: Micros | undefined
}

/** What nft answers to a command that makes no sense. */
export class NftError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'NftError'
  }
}

export class NftSet {
  readonly name: string
  readonly options: NftSetOptions
  /** A verdict map. */
  readonly isMap: boolean
  /** Rules that name it. */
  references = 0
  readonly #elements = new Map<PackedKey, NftElement>()
  /** Of an interval set: how many elements have a prefix of this length. */
  readonly #prefixLengths = new Map<number, number>()

  constructor(name: string, options: NftSetOptions, isMap: boolean) {
    this.name = name
    this.options = options
    this.isMap = isMap
  }

  get size(): number {
    return this.#elements.size
  }

  get isInterval(): boolean {
    return this.options.flags?.includes('interval') ?? false
  }

  /** The element that is `key`, or contains it. */
  find(key: PackedKey, now: Micros): NftElement | undefined {
    if (this.isInterval) return this.#findPrefix(key as IpAddress)
    const element = this.#elements.get(key)
    if (element?.expiresAt === undefined || element.expiresAt > now) return element
    this.#elements.delete(key)
    return undefined
  }

  /** Of exactly this key. */
  get(key: NftKey): NftElement | undefined {
    return this.#elements.get(this.#pack(key))
  }

  /** Adds an element, in the place of one with the same key; gives what was there. */
  set(element: NftElement): NftElement | undefined {
    const key = this.#pack(element.key)
    const before = this.#elements.get(key)
    this.#elements.set(key, element)
    if (before === undefined) this.#countPrefix(element.key, 1)
    return before
  }

  /** Gives what was there. */
  delete(key: NftKey): NftElement | undefined {
    const packed = this.#pack(key)
    const before = this.#elements.get(packed)
    if (this.#elements.delete(packed)) this.#countPrefix(key, -1)
    return before
  }

  /** A rule adds an element (`update`, `add`); false when the set is full. */
  note(packed: PackedKey, key: () => NftKey, prolong: boolean, now: Micros): boolean {
    const { timeout } = this.options
    const expiresAt = timeout === undefined ? undefined : now + timeout
    const known = this.find(packed, now)
    if (known !== undefined) {
      if (prolong) known.expiresAt = expiresAt
      return true
    }
    if (this.#elements.size >= MAX_DYNAMIC_ELEMENTS) this.#expire(now)
    if (this.#elements.size >= MAX_DYNAMIC_ELEMENTS) return false
    this.#elements.set(packed, { key: key(), verdict: undefined, comment: undefined, expiresAt })
    return true
  }

  elements(): IterableIterator<NftElement> {
    return this.#elements.values()
  }

  /** What is in it at `now`, in the order in which it was added. */
  rows(now: Micros): NftElementRow[] {
    return [...this.#elements.values()].filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
  }

  #expire(now: Micros): void {
    for (const [key, { expiresAt }] of this.#elements) {
      if (expiresAt !== undefined && expiresAt <= now) this.#elements.delete(key)
    }
  }

  #pack(key: NftKey): PackedKey {
    const { type } = this.options
    if (key.length !== type.length)
      throw new NftError(`${this.name}: ${key.length} values for ${type.length}`)
    if (this.isInterval) {
      const { network, prefixLength } = prefixOf(key[0]!)
      return packPrefix(network, prefixLength)
    }
    return packValues(type, key.map(numberOf))
  }

  #findPrefix(address: IpAddress): NftElement | undefined {
    for (const prefixLength of this.#prefixLengths.keys()) {
      const network = maskAddress(address, prefixLength)
      const element = this.#elements.get(packPrefix(network, prefixLength))
      if (element !== undefined) return element
    }
    return undefined
  }

  #countPrefix(key: NftKey, by: number): void {
    if (!this.isInterval) return
    const { prefixLength } = prefixOf(key[0]!)
    const count = (this.#prefixLengths.get(prefixLength) ?? 0) + by
    if (count === 0) this.#prefixLengths.delete(prefixLength)
    else this.#prefixLengths.set(prefixLength, count)
  }
}

/** Values of these types as one key. */
export function packValues(types: readonly NftDataType[], values: readonly (number | bigint)[]): PackedKey {
  const [a = 0, b = 0, c = 0] = values
  switch (types.join(' . ')) {
    case 'ipv4_addr':
    case 'ipv6_addr':
    case 'inet_service':
    case 'inet_proto':
      return a
    case 'inet_proto . inet_service':
      return packService(Number(a), Number(b))
    case 'ipv4_addr . inet_proto . inet_service':
    case 'ipv6_addr . inet_proto . inet_service':
      return packAddressService(a, Number(b), Number(c))
    default:
      return values.join('/')
  }
}

/** A value of one field as a number: an address, a protocol, a port. */
export function numberOf(value: NftValue): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (typeof value === 'object') return value.network
  const protocol = PROTOCOL_NUMBERS[value as TransportProtocol]
  if (protocol === undefined) throw new NftError(`${value} is no protocol`)
  return protocol
}

export function prefixOf(value: NftValue): { network: IpAddress; prefixLength: number } {
  if (typeof value === 'object') return value
  const network = numberOf(value)
  return { network, prefixLength: addressBits(network) }
}
