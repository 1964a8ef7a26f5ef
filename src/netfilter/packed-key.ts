// Keys of sets and maps: what an element says about addresses, protocol and port, packed so that a look-up in a Map
// is one hash and builds no string where 53 bits are enough. Shared by ipsets and nftables' sets.

import { type IpAddress, isIpv6, type Port } from '../wire/address.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { PROTOCOL_SCTP } from '../wire/sctp.js'
import type { TransportProtocol } from './rule.js'

export type PackedKey = number | bigint | string

export const PROTOCOL_NUMBERS: Readonly<Record<TransportProtocol, number>> = {
  icmp: PROTOCOL_ICMP,
  tcp: PROTOCOL_TCP,
  udp: PROTOCOL_UDP,
  sctp: PROTOCOL_SCTP,
  'ipv6-icmp': PROTOCOL_ICMPV6,
}

/** The protocols that have a name, in five bits; 0 for every other one, which no element names. */
export function protocolCode(protocol: number): number {
  switch (protocol) {
    case PROTOCOL_TCP:
      return 1
    case PROTOCOL_UDP:
      return 2
    case PROTOCOL_SCTP:
      return 3
    case PROTOCOL_ICMP:
      return 4
    case PROTOCOL_ICMPV6:
      return 5
    default:
      return 0
  }
}

/** Protocol and port: 21 bits. */
export function packService(protocol: number, port: Port): number {
  return port * 32 + protocolCode(protocol)
}

/** Address, protocol and port: 53 bits of IPv4. */
export function packAddressService(address: IpAddress, protocol: number, port: Port): number | bigint {
  if (isIpv6(address)) return (address << 21n) | BigInt(packService(protocol, port))
  return address * 0x20_0000 + packService(protocol, port)
}

/** A prefix: 38 bits of IPv4. */
export function packPrefix(network: IpAddress, prefixLength: number): number | bigint {
  if (isIpv6(network)) return (network << 8n) | BigInt(prefixLength)
  return network * 64 + prefixLength
}
