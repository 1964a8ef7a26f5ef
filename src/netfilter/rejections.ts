// What the target REJECT can answer, as the stack is asked to answer it: by ICMP's codes (RFC 792, RFC 1812 section
// 5.2.7.1), which the stack turns into those of ICMPv6 for a packet of that family (stack/icmp-families.ts).

import type { AddressFamily } from '../wire/address.js'
import {
  ICMP_ADMIN_PROHIBITED,
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_UNREACHABLE,
  ICMP_PORT_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
} from '../wire/icmp.js'
import type { RejectWith } from './rule.js'

/** Of a rule that does not say how. */
export const DEFAULT_REJECTION: Readonly<Record<AddressFamily, RejectWith>> = {
  IPv4: 'icmp-port-unreachable',
  IPv6: 'icmp6-port-unreachable',
}

/** Codes of Destination Unreachable. */
export const UNREACHABLE_CODES: Readonly<Record<Exclude<RejectWith, 'tcp-reset'>, number>> = {
  'icmp-net-unreachable': ICMP_NET_UNREACHABLE,
  'icmp-host-unreachable': ICMP_HOST_UNREACHABLE,
  'icmp-proto-unreachable': ICMP_PROTOCOL_UNREACHABLE,
  'icmp-port-unreachable': ICMP_PORT_UNREACHABLE,
  'icmp-admin-prohibited': ICMP_ADMIN_PROHIBITED,
  'icmp6-no-route': ICMP_NET_UNREACHABLE,
  'icmp6-addr-unreachable': ICMP_HOST_UNREACHABLE,
  'icmp6-port-unreachable': ICMP_PORT_UNREACHABLE,
  'icmp6-adm-prohibited': ICMP_ADMIN_PROHIBITED,
}
