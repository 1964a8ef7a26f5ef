// Domain names as text: labels joined by dots, without the final dot, the root is ''. Comparison ignores case
// (RFC 4343), but the case in which a name was asked is kept in the answer.

import { formatAddress, type IpAddress, isIpv6, parseIpv4 } from '../wire/address.js'

/** The labels of a name, none for the root. */
export function labelsOf(name: string): string[] {
  return name === '' ? [] : name.split('.')
}

/** Whether it can stand in a message: labels of 1 to 63 and names of up to 253 octets (RFC 1035 section 2.3.4). */
export function isDomainName(name: string): boolean {
  return name.length <= 253 && /^[^.\s]{1,63}(\.[^.\s]{1,63})*$/.test(name)
}

/** Whether `name` is `zone` or below it. */
export function isInZone(name: string, zone: string): boolean {
  if (zone === '') return true
  const start = name.length - zone.length
  if (start < 0 || (start > 0 && name[start - 1] !== '.')) return false
  // Nearly always both are in lower case, and nothing has to be made.
  return name.endsWith(zone) || name.slice(start).toLowerCase() === zone.toLowerCase()
}

/** The longest of `zones` that holds `name`, in the case in which it was asked; undefined when none does. */
export function zoneOf(name: string, zones: readonly string[]): string | undefined {
  let longest: string | undefined
  for (const zone of zones) {
    if (isInZone(name, zone) && (longest === undefined || zone.length > longest.length)) longest = zone
  }
  return longest === undefined ? undefined : name.slice(name.length - longest.length)
}

/** `4.3.2.1.in-addr.arpa` of 1.2.3.4 (RFC 1035 section 3.5), nibbles under `ip6.arpa` of IPv6 (RFC 3596). */
export function reverseNameOf(address: IpAddress): string {
  if (isIpv6(address)) return `${[...address.toString(16).padStart(32, '0')].reverse().join('.')}.ip6.arpa`
  return `${formatAddress(address).split('.').reverse().join('.')}.in-addr.arpa`
}

/**
 * The name under which the PTR record of an address is found, IPv4 or IPv6 (RFC 3596 section 2.5), in lower
 * case; undefined when the text is no address. Two spellings of one IPv6 address give the same name.
 */
export function reverseName(address: string): string | undefined {
  const four = parseIpv4(address)
  if (four !== undefined) return reverseNameOf(four)
  const groups = ipv6Groups(address)
  if (groups === undefined) return undefined
  const nibbles = groups.map((group) => group.toString(16).padStart(4, '0')).join('')
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`
}

/** The family of an address written as text; undefined when it is none. */
export function addressFamily(text: string): 4 | 6 | undefined {
  if (parseIpv4(text) !== undefined) return 4
  return ipv6Groups(text) === undefined ? undefined : 6
}

/** The eight groups of an IPv6 address in hexadecimal form (RFC 4291 section 2.2, forms 1 and 2). */
function ipv6Groups(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const written = [...head!, ...(tail ?? [])]
  if (!written.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  const missing = 8 - written.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const zeros = new Array<string>(missing).fill('0')
  return [...head!, ...zeros, ...(tail ?? [])].map((group) => Number.parseInt(group, 16))
}
