// A tracked flow as a line of `conntrack -L` (conntrack-tools).

import { type Micros, SECOND } from '../base/time.js'
import { formatAddress } from '../wire/address.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { PROTOCOL_SCTP } from '../wire/sctp.js'
import type { Flow } from './flow.js'
import type { Tuple } from './tuple.js'

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  [PROTOCOL_ICMP]: 'icmp',
  [PROTOCOL_ICMPV6]: 'icmpv6',
  [PROTOCOL_TCP]: 'tcp',
  [PROTOCOL_UDP]: 'udp',
  [PROTOCOL_SCTP]: 'sctp',
}

/** A flow as a line of `conntrack -L`. */
export function flowText(flow: Flow, now: Micros): string {
  const { protocol } = flow.original
  const name = PROTOCOL_NAMES[protocol] ?? 'unknown'
  const seconds = Math.max(0, Math.floor((flow.expiresAt - now) / SECOND))
  const words = [`${name.padEnd(8)} ${protocol} ${seconds}`]
  if (protocol === PROTOCOL_TCP) words.push(flow.tcpState)
  words.push(tupleText(flow.original))
  if (!flow.seenReply) words.push('[UNREPLIED]')
  words.push(tupleText(flow.reply))
  if (flow.assured) words.push('[ASSURED]')
  words.push(`mark=${flow.mark}`, 'use=1')
  return words.join(' ')
}

function tupleText(tuple: Tuple): string {
  const addresses = `src=${formatAddress(tuple.source)} dst=${formatAddress(tuple.destination)}`
  switch (tuple.protocol) {
    case PROTOCOL_TCP:
    case PROTOCOL_UDP:
      return `${addresses} sport=${tuple.sourcePort} dport=${tuple.destinationPort}`
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
      return `${addresses} type=${tuple.destinationPort >> 8} code=${tuple.destinationPort & 255} id=${tuple.sourcePort}`
    default:
      return addresses
  }
}
