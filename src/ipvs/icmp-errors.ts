// ICMP and ICMPv6 errors about packets that IPVS translated: the packet that they quote is given the addresses that its sender
// used, and the error goes there (ip_vs_nat_icmp of Linux).

import { refreshIcmpChecksum, rewriteAddress, rewriteQuoted } from '../netfilter/rewrite.js'
import { isIcmpErrorPacket } from '../netfilter/tuple.js'
import type { Packet } from '../stack/hooks.js'
import { parseQuotedPacket, quotedPacket } from '../stack/quoted-packet.js'
import { ICMP_HEADER_BYTES } from '../wire/icmp.js'
import type { ConnectionTable } from './connection.js'

export class IcmpErrors {
  readonly #connections: ConnectionTable
  readonly #quoted = quotedPacket()

  constructor(connections: ConnectionTable) {
    this.#connections = connections
  }

  /** Whether it was an error about a connection, and is translated now. `requests`: also about a server's answers. */
  translate(packet: Packet, requests: boolean): boolean {
    const { bytes, header } = packet
    if (!isIcmpErrorPacket(packet)) return false
    const quoted = this.#quoted
    if (!parseQuotedPacket(bytes, header.payloadStart + ICMP_HEADER_BYTES, header.payloadEnd, quoted))
      return false
    const source = { address: quoted.source, port: quoted.sourcePort }
    const destination = { address: quoted.destination, port: quoted.destinationPort }
    // About a packet from the client to the server: for the client it went to the virtual service.
    const sent = this.#connections.byReply(destination, source, quoted.protocol)
    if (sent !== undefined) {
      rewriteQuoted(quoted, false, sent.virtual.address, sent.virtual.port)
      rewriteAddress(packet, true, sent.virtual.address)
      refreshIcmpChecksum(packet)
      return true
    }
    // About an answer from the virtual service to the client: the server sent it.
    const answered = requests && this.#connections.byRequest(destination, source, quoted.protocol)
    if (!answered) return false
    rewriteQuoted(quoted, true, answered.server.address, answered.server.port)
    rewriteAddress(packet, false, answered.server.address)
    refreshIcmpChecksum(packet)
    return true
  }
}
