// Addresses as numbers, and the only place that knows ipaddr.js (of IPv6): text is parsed and validated here once,
// packets carry numbers. An IPv4 address is a number and an IPv6 address a bigint, so that the value itself says its family,
// two addresses are equal when === says so, and either is a key of a Map.

import ipaddr from 'ipaddr.js'
import type { Flavor } from '../base/flavor.js'

/** An IPv4 address as an unsigned 32-bit number in host order: 10.0.0.1 is 0x0a000001. */
export type Ipv4 = Flavor<number, 'Ipv4'>
/** An IPv6 address as an unsigned 128-bit integer: ::1 is 1n. */
export type Ipv6 = Flavor<bigint, 'Ipv6'>
/** An address of either family. */
export type IpAddress = Ipv4 | Ipv6
/** The family of an address, as Kubernetes writes it (`ipFamilies`, `addressType`). */
export type AddressFamily = 'IPv4' | 'IPv6'
/** A 48-bit MAC address as a number. */
export type Mac = Flavor<number, 'Mac'>
/** A TCP or UDP port, 0..65535. */
export type Port = Flavor<number, 'Port'>

/** An address and a port: one end of a flow. */
export interface Endpoint<Address extends IpAddress = IpAddress> {
  readonly address: Address
  readonly port: Port
}

/** A prefix, `network` with the host bits zero. */
export interface Cidr<Address extends IpAddress = IpAddress> {
  readonly network: Address
  readonly prefixLength: number
}

/** An interface's address with its prefix: `address` keeps its host bits. */
export interface InterfaceAddress<Address extends IpAddress = IpAddress> {
  readonly address: Address
  readonly prefixLength: number
}

export const IPV4_ANY: Ipv4 = 0
export const IPV4_LOOPBACK: Ipv4 = 0x7f000001
export const IPV4_BROADCAST: Ipv4 = 0xffffffff
export const IPV6_ANY: Ipv6 = 0n
/**
 * What the fields of a record hold that addresses are read into, before there is one. No number: V8 makes a field that
 * has held small numbers alone one of doubles with the first address of 128.0.0.0 or above, and from then on each look
 * at it needs memory for a number. A field that has held something else keeps those below as they are.
 */
export const NO_ADDRESS: IpAddress = IPV6_ANY
export const IPV6_LOOPBACK: Ipv6 = 1n
export const MAC_BROADCAST: Mac = 0xffffffffffff
export const MAC_ZERO: Mac = 0

/** Parses four-part decimal `a.b.c.d` strictly (no leading zeros, no short forms); undefined when it is not one. */
export function parseIpv4(text: string): Ipv4 | undefined {
  // By hand: clusters bring thousands of these, and a parser of every notation takes twenty times as long.
  let address = 0
  let octet = -1
  let octets = 0
  for (let i = 0; i <= text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit >= 0 && digit <= 9) {
      // No leading zeros: some read them as octal.
      if (octet === 0) return undefined
      octet = (octet < 0 ? 0 : octet * 10) + digit
      if (octet > 255) return undefined
    } else {
      if (octet < 0 || (i < text.length && text[i] !== '.')) return undefined
      address = address * 256 + octet
      octet = -1
      octets++
    }
  }
  return octets === 4 ? address : undefined
}

/** As `parseIpv4`, for text that is known to be right; throws a TypeError otherwise. */
export function ipv4(text: string): Ipv4 {
  const address = parseIpv4(text)
  if (address === undefined) throw new TypeError(`not an IPv4 address: ${text}`)
  return address
}

/** Parses an IPv6 address in any form of RFC 4291 section 2.2, without a zone; undefined when it is not one. */
export function parseIpv6(text: string): Ipv6 | undefined {
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined
  return ipaddr.IPv6.parse(text).parts.reduce((number, part) => (number << 16n) | BigInt(part), 0n)
}

/** Parses an address of either family; undefined when it is none. */
export function parseAddress(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** As `parseAddress`, for text that is known to be right; throws a TypeError otherwise. */
export function ip(text: string): IpAddress {
  const address = parseAddress(text)
  if (address === undefined) throw new TypeError(`not an IP address: ${text}`)
  return address
}

export function isIpv6(address: IpAddress): address is Ipv6 {
  return typeof address === 'bigint'
}

export function isIpv4(address: IpAddress): address is Ipv4 {
  return typeof address === 'number'
}

export function familyOf(address: IpAddress): AddressFamily {
  return isIpv6(address) ? 'IPv6' : 'IPv4'
}

/** 0.0.0.0 or ::. */
export function isUnspecified(address: IpAddress): boolean {
  return address === IPV4_ANY || address === IPV6_ANY
}

/** The unspecified address of the family of `address`. */
export function anyOf(address: IpAddress): IpAddress {
  return isIpv6(address) ? IPV6_ANY : IPV4_ANY
}

/** `a.b.c.d`, or an IPv6 address as RFC 5952 wants it. */
export function formatAddress(address: IpAddress): string {
  if (isIpv6(address)) return new ipaddr.IPv6(ipv6Parts(address)).toRFC5952String()
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** The eight 16-bit words of an address. */
function ipv6Parts(address: Ipv6): number[] {
  return Array.from({ length: 8 }, (_, i) => Number((address >> BigInt(112 - 16 * i)) & 0xffffn))
}

/** Bits of an address of this family: 32 or 128. */
export function addressBits(address: IpAddress): 32 | 128 {
  return isIpv6(address) ? 128 : 32
}

/** The address `distance` behind `address`. */
export function addAddress<Address extends IpAddress>(address: Address, distance: number): Address
export function addAddress(address: IpAddress, distance: number): IpAddress {
  return isIpv6(address) ? address + BigInt(distance) : address + distance
}

/** The netmask of a prefix length 0..32 as an unsigned number. */
export function netmask(prefixLength: number): Ipv4 {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0
}

const IPV6_ALL_ONES = (1n << 128n) - 1n

function netmask6(prefixLength: number): Ipv6 {
  return (IPV6_ALL_ONES << BigInt(128 - prefixLength)) & IPV6_ALL_ONES
}

/** `address` with the bits behind the prefix cleared. */
export function maskAddress<Address extends IpAddress>(address: Address, prefixLength: number): Address
export function maskAddress(address: IpAddress, prefixLength: number): IpAddress {
  return isIpv6(address) ? address & netmask6(prefixLength) : (address & netmask(prefixLength)) >>> 0
}

/** Parses `address/length` of either family; undefined when it is not one. Host bits are kept in `address`. */
export function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const [addressText, lengthText, rest] = text.split('/')
  if (addressText === undefined || lengthText === undefined || rest !== undefined) return undefined
  const address = parseAddress(addressText)
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined
  const prefixLength = Number(lengthText)
  return prefixLength > addressBits(address) ? undefined : { address, prefixLength }
}

/** Parses a prefix `address/length` of either family and clears its host bits; undefined when it is not one. */
export function parseCidr(text: string): Cidr | undefined {
  const parsed = parseInterfaceAddress(text)
  return parsed && networkOf(parsed)
}

/** As `parseCidr`, of IPv4 only. */
export function parseIpv4Cidr(text: string): Cidr<Ipv4> | undefined {
  const parsed = parseCidr(text)
  return parsed !== undefined && isIpv4Cidr(parsed) ? parsed : undefined
}

export function isIpv4Cidr(prefix: Cidr): prefix is Cidr<Ipv4> {
  return isIpv4(prefix.network)
}

/** As `cidr`, of IPv4 only. */
export function ipv4Cidr(text: string): Cidr<Ipv4> {
  const parsed = parseIpv4Cidr(text)
  if (parsed === undefined) throw new TypeError(`not an IPv4 prefix: ${text}`)
  return parsed
}

/** As `parseCidr`, for text that is known to be right; throws a TypeError otherwise. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text)
  if (parsed === undefined) throw new TypeError(`not a prefix: ${text}`)
  return parsed
}

/** The prefix that holds nothing but `address`: /32 or /128. */
export function hostCidr(address: IpAddress): Cidr {
  return { network: address, prefixLength: addressBits(address) }
}

/** Whether a prefix holds one address only. */
export function isHostCidr({ network, prefixLength }: Cidr): boolean {
  return prefixLength === addressBits(network)
}

export function formatCidr(prefix: Cidr): string {
  return `${formatAddress(prefix.network)}/${prefix.prefixLength}`
}

export function networkOf<Address extends IpAddress>(address: InterfaceAddress<Address>): Cidr<Address> {
  const { prefixLength } = address
  return { network: maskAddress(address.address, prefixLength), prefixLength }
}

/** Whether `address` is of the prefix's family and in it. */
export function cidrContains(prefix: Cidr, address: IpAddress): boolean {
  if (typeof prefix.network !== typeof address) return false
  return maskAddress(address, prefix.prefixLength) === prefix.network
}

/** The highest address of a prefix: in IPv4 its directed broadcast. */
export function lastAddress<Address extends IpAddress>(prefix: Cidr<Address>): Address
export function lastAddress({ network, prefixLength }: Cidr): IpAddress {
  if (isIpv6(network)) return network | (IPV6_ALL_ONES >> BigInt(prefixLength))
  return (network | ~netmask(prefixLength)) >>> 0
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return isIpv6(address) ? `[${formatAddress(address)}]:${port}` : `${formatAddress(address)}:${port}`
}

/** A value that two endpoints share when they are the same: a key of a Map. A number for IPv4, which is quicker. */
export function endpointKey({ address, port }: Endpoint): number | string {
  return isIpv6(address) ? formatEndpoint({ address, port }) : address * 65_536 + port
}

/** 32 bits for hashing: an IPv4 address itself, the words of an IPv6 address XORed (as Linux' ipv6_addr_hash). */
export function addressWord(address: IpAddress): number {
  if (!isIpv6(address)) return address
  const folded = address ^ (address >> 64n)
  return Number((folded ^ (folded >> 32n)) & 0xffff_ffffn)
}

/** Order of addresses: IPv4 before IPv6, each by value. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (typeof a !== typeof b) return isIpv6(a) ? 1 : -1
  return a < b ? -1 : a > b ? 1 : 0
}

/** Six lower-case hexadecimal pairs, as `ip link` prints them. */
export function formatMac(mac: Mac): string {
  return mac.toString(16).padStart(12, '0').match(/../g)!.join(':')
}

/** Parses `aa:bb:cc:dd:ee:ff`; undefined when it is not one. */
export function parseMac(text: string): Mac | undefined {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)
    ? Number.parseInt(text.replaceAll(':', ''), 16)
    : undefined
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(address: IpAddress): boolean {
  return isIpv6(address) ? address >> 120n === 0xffn : address >>> 28 === 0xe
}

/** 127.0.0.0/8 or ::1. */
export function isLoopback(address: IpAddress): boolean {
  return isIpv6(address) ? address === IPV6_LOOPBACK : address >>> 24 === 127
}

/** fe80::/10: addresses of one link. */
export function isLinkLocal(address: Ipv6): boolean {
  return address >> 118n === 0x3fan
}
