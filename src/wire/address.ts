// Addresses as numbers, and the only place that knows ipaddr.js: text is parsed and validated here once, packets
// carry numbers. IPv4 and MAC now; IPv6 gets types of its own beside these.

import ipaddr from 'ipaddr.js'
import type { Flavor } from '../base/flavor.js'

/** An IPv4 address as an unsigned 32-bit number in host order: 10.0.0.1 is 0x0a000001. */
export type Ipv4 = Flavor<number, 'Ipv4'>
/** A 48-bit MAC address as a number. */
export type Mac = Flavor<number, 'Mac'>
/** A TCP or UDP port, 0..65535. */
export type Port = Flavor<number, 'Port'>

/** An address and a port: one end of a flow. */
export interface Endpoint {
  readonly address: Ipv4
  readonly port: Port
}

/** A prefix, `network` with the host bits zero. */
export interface Cidr {
  readonly network: Ipv4
  readonly prefixLength: number
}

/** An interface's address with its prefix: `address` keeps its host bits. */
export interface InterfaceAddress {
  readonly address: Ipv4
  readonly prefixLength: number
}

export const IPV4_ANY: Ipv4 = 0
export const IPV4_LOOPBACK: Ipv4 = 0x7f000001
export const IPV4_BROADCAST: Ipv4 = 0xffffffff
export const MAC_BROADCAST: Mac = 0xffffffffffff
export const MAC_ZERO: Mac = 0

/** Parses four-part decimal `a.b.c.d` strictly (no leading zeros, no short forms); undefined when it is not one. */
export function parseIpv4(text: string): Ipv4 | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) || /(^|\.)0\d/.test(text)) return undefined
  return ipaddr.IPv4.parse(text).octets.reduce((number, octet) => number * 256 + octet, 0)
}

/** As `parseIpv4`, for text that is known to be right; throws a TypeError otherwise. */
export function ipv4(text: string): Ipv4 {
  const address = parseIpv4(text)
  if (address === undefined) throw new TypeError(`not an IPv4 address: ${text}`)
  return address
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** The netmask of a prefix length 0..32 as an unsigned number. */
export function netmask(prefixLength: number): Ipv4 {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0
}

/** Parses `a.b.c.d/n`; undefined when it is not one. Host bits are kept in `address`. */
export function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const [addressText, lengthText, rest] = text.split('/')
  if (addressText === undefined || lengthText === undefined || rest !== undefined) return undefined
  const address = parseIpv4(addressText)
  if (address === undefined || !/^(\d|[12]\d|3[0-2])$/.test(lengthText)) return undefined
  return { address, prefixLength: Number(lengthText) }
}

/** Parses a prefix `a.b.c.d/n` and clears its host bits; undefined when it is not one. */
export function parseCidr(text: string): Cidr | undefined {
  const parsed = parseInterfaceAddress(text)
  return parsed && networkOf(parsed)
}

/** As `parseCidr`, for text that is known to be right; throws a TypeError otherwise. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text)
  if (parsed === undefined) throw new TypeError(`not an IPv4 prefix: ${text}`)
  return parsed
}

export function formatCidr(prefix: Cidr): string {
  return `${formatIpv4(prefix.network)}/${prefix.prefixLength}`
}

export function networkOf(address: InterfaceAddress): Cidr {
  return {
    network: (address.address & netmask(address.prefixLength)) >>> 0,
    prefixLength: address.prefixLength,
  }
}

export function cidrContains(prefix: Cidr, address: Ipv4): boolean {
  return (address & netmask(prefix.prefixLength)) >>> 0 === prefix.network
}

/** The highest address of a prefix, its directed broadcast. */
export function lastAddress(prefix: Cidr): Ipv4 {
  return (prefix.network | ~netmask(prefix.prefixLength)) >>> 0
}

export function formatEndpoint(endpoint: Endpoint): string {
  return `${formatIpv4(endpoint.address)}:${endpoint.port}`
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

/** 224.0.0.0/4. */
export function isMulticast(address: Ipv4): boolean {
  return address >>> 28 === 0xe
}

/** 127.0.0.0/8. */
export function isLoopback(address: Ipv4): boolean {
  return address >>> 24 === 127
}
