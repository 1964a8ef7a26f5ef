// Real packets of a frame whose sender left work to do (base/offload.ts): a TCP segment longer than the path takes is
// cut, as GSO does in Linux (net/ipv4/tcp_offload.c), and checksums are computed. Everybody who looks at packets, or
// treats them one by one - captures, faulty links, interfaces without the feature - gets them from here.

import { getUint16, getUint32, setUint16, setUint32 } from '../base/bytes.js'
import { CHECKSUM_LEFT, hasWorkLeft, type Offload, segmentBytes } from '../base/offload.js'
import { checksumOf, onesSum, pseudoHeaderSum } from './checksum.js'
import { ETHERNET_HEADER_BYTES } from './ethernet.js'
import { ipHeader, PROTOCOL_TCP, parseIpHeader } from './ip.js'
import { FIN, PSH } from './tcp.js'

const TCP_FLAGS = 13
const TCP_CHECKSUM = 16

/** Into how many packets `frame` is to be cut. */
export function packetCount(frame: Uint8Array, offload: Offload): number {
  const size = segmentBytes(offload)
  if (size === 0) return 1
  return Math.max(1, Math.ceil((frame.length - textStart(frame)) / size))
}

/** Bytes of all packets together, link headers included. */
export function packetBytes(frame: Uint8Array, offload: Offload): number {
  if (segmentBytes(offload) === 0) return frame.length
  return frame.length + (packetCount(frame, offload) - 1) * textStart(frame)
}

/** Length of the longest IP packet that `frame` becomes. */
export function longestPacket(frame: Uint8Array, offload: Offload): number {
  const size = segmentBytes(offload)
  const whole = frame.length - ETHERNET_HEADER_BYTES
  return size === 0 ? whole : Math.min(whole, textStart(frame) - ETHERNET_HEADER_BYTES + size)
}

/** Calls `emit` with each packet, in order; `frame` itself is not changed, and given on when nothing is left to do. */
export function forEachPacket(frame: Uint8Array, offload: Offload, emit: (packet: Uint8Array) => void): void {
  if (!hasWorkLeft(offload)) return emit(frame)
  const size = segmentBytes(offload)
  const start = textStart(frame)
  const text = frame.length - start
  if (size === 0 || text <= size) {
    const whole = frame.slice()
    if ((offload & CHECKSUM_LEFT) !== 0) writeChecksum(whole)
    return emit(whole)
  }
  for (let at = 0, index = 0; at < text; at += size, index++) {
    emit(cut(frame, start, at, Math.min(size, text - at), index))
  }
}

/** The packet with `length` bytes of text from `offset` on. */
function cut(frame: Uint8Array, start: number, offset: number, length: number, index: number): Uint8Array {
  const packet = new Uint8Array(start + length)
  packet.set(frame.subarray(0, start))
  packet.set(frame.subarray(start + offset, start + offset + length), start)
  const ip = ETHERNET_HEADER_BYTES
  const isV6 = packet[ip]! >> 4 === 6
  const tcp = tcpStart(packet)
  if (isV6) {
    setUint16(packet, ip + 4, packet.length - ip - 40)
  } else {
    setUint16(packet, ip + 2, packet.length - ip)
    setUint16(packet, ip + 4, (getUint16(packet, ip + 4) + index) & 0xffff)
    setUint16(packet, ip + 10, 0)
    setUint16(packet, ip + 10, checksumOf(onesSum(packet, ip, tcp)))
  }
  setUint32(packet, tcp + 4, (getUint32(packet, tcp + 4) + offset) >>> 0)
  // FIN and PSH belong to the last byte.
  if (start + offset + length < frame.length) packet[tcp + TCP_FLAGS]! &= ~(FIN | PSH)
  writeChecksum(packet)
  return packet
}

/** Computes the checksum of the TCP segment in a frame. */
export function writeChecksum(frame: Uint8Array): void {
  const header = ipHeader()
  if (parseIpHeader(frame, ETHERNET_HEADER_BYTES, frame.length, header) !== undefined) return
  if (header.protocol !== PROTOCOL_TCP) return
  const { payloadStart, payloadEnd, source, destination } = header
  setUint16(frame, payloadStart + TCP_CHECKSUM, 0)
  const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_TCP, payloadEnd - payloadStart)
  setUint16(frame, payloadStart + TCP_CHECKSUM, checksumOf(onesSum(frame, payloadStart, payloadEnd, pseudo)))
}

/** Frames with work left come from our own TCP: without IP options or extension headers in IPv6. */
function tcpStart(frame: Uint8Array): number {
  const ip = ETHERNET_HEADER_BYTES
  return ip + (frame[ip]! >> 4 === 6 ? 40 : (frame[ip]! & 0x0f) * 4)
}

function textStart(frame: Uint8Array): number {
  const tcp = tcpStart(frame)
  return tcp + (frame[tcp + 12]! >> 4) * 4
}
