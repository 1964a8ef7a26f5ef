// UDP datagrams, RFC 768: the header and its checksum.

import { getUint16, setUint16 } from '../base/bytes.js'
import type { IpAddress, Port } from './address.js'
import { checksumOf, onesSum, pseudoHeaderSum } from './checksum.js'
import type { DropReason } from './drop-reason.js'
import { PROTOCOL_UDP } from './ip.js'

export const UDP_HEADER_BYTES = 8

export interface UdpDatagram {
  sourcePort: Port
  destinationPort: Port
  /** The payload is `bytes[payloadStart, payloadEnd)`. */
  bytes: Uint8Array
  payloadStart: number
  payloadEnd: number
}

/** A zeroed record to parse into. */
export function udpDatagram(): UdpDatagram {
  return { sourcePort: 0, destinationPort: 0, bytes: new Uint8Array(0), payloadStart: 0, payloadEnd: 0 }
}

/** Reads `bytes[start, end)`; addresses are those of the IP header. A checksum of 0 means that there is none. */
export function parseUdp(
  bytes: Uint8Array,
  start: number,
  end: number,
  source: IpAddress,
  destination: IpAddress,
  into: UdpDatagram,
): DropReason | undefined {
  if (end - start < UDP_HEADER_BYTES) return 'truncated'
  const length = getUint16(bytes, start + 4)
  if (length < UDP_HEADER_BYTES) return 'bad-length'
  if (length > end - start) return 'truncated'
  if (getUint16(bytes, start + 6) !== 0) {
    const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_UDP, length)
    if (checksumOf(onesSum(bytes, start, start + length, pseudo)) !== 0) return 'bad-checksum'
  }
  into.sourcePort = getUint16(bytes, start)
  into.destinationPort = getUint16(bytes, start + 2)
  into.bytes = bytes
  into.payloadStart = start + UDP_HEADER_BYTES
  into.payloadEnd = start + length
  return undefined
}

/** Writes the header before a payload that already lies at start + UDP_HEADER_BYTES; gives the offset after it. */
export function writeUdp(
  bytes: Uint8Array,
  start: number,
  sourcePort: Port,
  destinationPort: Port,
  payloadLength: number,
  source: IpAddress,
  destination: IpAddress,
): number {
  const length = UDP_HEADER_BYTES + payloadLength
  setUint16(bytes, start, sourcePort)
  setUint16(bytes, start + 2, destinationPort)
  setUint16(bytes, start + 4, length)
  setUint16(bytes, start + 6, 0)
  const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_UDP, length)
  const checksum = checksumOf(onesSum(bytes, start, start + length, pseudo))
  // A computed 0 is sent as all ones: 0 on the wire says that there is no checksum.
  setUint16(bytes, start + 6, checksum === 0 ? 0xffff : checksum)
  return start + length
}
