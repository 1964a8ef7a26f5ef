// TCP segments, RFC 9293 section 3.1: header and options to and from a plain record. Knows no state: sequence
// arithmetic and the meaning of the flags are in tcp/.

import { getUint16, getUint32, setUint16, setUint32 } from '../base/bytes.js'
import type { Flavor } from '../base/flavor.js'
import { CHECKSUM_LEFT, type Offload } from '../base/offload.js'
import type { IpAddress, Port } from './address.js'
import { checksumOf, onesSum, pseudoHeaderSum } from './checksum.js'
import type { DropReason } from './drop-reason.js'
import { PROTOCOL_TCP } from './ip.js'

/** A sequence number, 0..2^32-1. It has no order, only distances (see tcp/seq.ts). */
export type Seq = Flavor<number, 'Seq'>

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10
export const URG = 0x20
export const ECE = 0x40
export const CWR = 0x80

/**
 * One segment. A mutable record that its owner fills again and again: parsing and output allocate nothing.
 * The payload is `bytes[payloadStart, payloadEnd)`; on output `bytes` is not used, the payload is copied
 * straight from the connection's send buffer into the frame (see tcp/connection.ts `copyPayload`).
 */
export interface TcpSegment {
  sourcePort: Port
  destinationPort: Port
  seq: Seq
  ack: Seq
  /** Bit set of FIN..CWR. */
  flags: number
  /** Window field as on the wire, not scaled. */
  window: number
  urgentPointer: number
  /** MSS option (kind 2), 0 when absent. */
  mss: number
  /** Window scale option (kind 3) shift count, -1 when absent. */
  windowScale: number
  /** SACK-permitted option (kind 4). */
  sackPermitted: boolean
  bytes: Uint8Array
  payloadStart: number
  payloadEnd: number
}

/** Without options. */
export const TCP_HEADER_BYTES = 20

export const OPTION_END = 0
export const OPTION_NOP = 1
export const OPTION_MSS = 2
export const OPTION_WINDOW_SCALE = 3
export const OPTION_SACK_PERMITTED = 4

const MAX_WINDOW_SCALE = 14

/** A zeroed record, without options and payload. */
export function tcpSegment(): TcpSegment {
  return {
    sourcePort: 0,
    destinationPort: 0,
    seq: 0,
    ack: 0,
    flags: 0,
    window: 0,
    urgentPointer: 0,
    mss: 0,
    windowScale: -1,
    sackPermitted: false,
    bytes: new Uint8Array(0),
    payloadStart: 0,
    payloadEnd: 0,
  }
}

/**
 * Reads `bytes[start, end)` and verifies its checksum, unless its sender has left that undone; the addresses are those of
 * the IP header.
 */
export function parseTcp(
  bytes: Uint8Array,
  start: number,
  end: number,
  source: IpAddress,
  destination: IpAddress,
  into: TcpSegment,
  offload: Offload = 0,
): DropReason | undefined {
  if (end - start < TCP_HEADER_BYTES) return 'truncated'
  const headerBytes = (bytes[start + 12]! >> 4) * 4
  if (headerBytes < TCP_HEADER_BYTES) return 'bad-header-length'
  if (headerBytes > end - start) return 'truncated'
  if ((offload & CHECKSUM_LEFT) === 0) {
    const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_TCP, end - start)
    if (checksumOf(onesSum(bytes, start, end, pseudo)) !== 0) return 'bad-checksum'
  }
  into.sourcePort = getUint16(bytes, start)
  into.destinationPort = getUint16(bytes, start + 2)
  into.seq = getUint32(bytes, start + 4)
  into.ack = getUint32(bytes, start + 8)
  into.flags = bytes[start + 13]!
  into.window = getUint16(bytes, start + 14)
  into.urgentPointer = getUint16(bytes, start + 18)
  into.mss = 0
  into.windowScale = -1
  into.sackPermitted = false
  into.bytes = bytes
  into.payloadStart = start + headerBytes
  into.payloadEnd = end
  parseOptions(bytes, start + TCP_HEADER_BYTES, start + headerBytes, into)
  return undefined
}

/**
 * Options may begin at any byte (MUST-64), unknown ones are skipped by their length (MUST-6). One whose length is
 * illegal, or reaches over the header's end, ends the list: where the next would begin is not known (MUST-7).
 */
function parseOptions(bytes: Uint8Array, at: number, end: number, into: TcpSegment): void {
  while (at < end) {
    const kind = bytes[at]!
    if (kind === OPTION_END) return
    if (kind === OPTION_NOP) {
      at++
      continue
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0
    if (length < 2 || at + length > end) return
    parseOption(bytes, at, kind, length, into)
    at += length
  }
}

/** A known option with a length that is not its own is skipped like an unknown one. */
function parseOption(bytes: Uint8Array, at: number, kind: number, length: number, into: TcpSegment): void {
  // These three mean something only in a SYN (RFC 9293 section 3.2, RFC 7323 section 2.2, RFC 2018 section 2).
  if ((into.flags & SYN) === 0) return
  if (kind === OPTION_MSS && length === 4) into.mss = getUint16(bytes, at + 2)
  // RFC 7323 section 2.3: a larger shift count is to be taken as 14.
  else if (kind === OPTION_WINDOW_SCALE && length === 3)
    into.windowScale = Math.min(bytes[at + 2]!, MAX_WINDOW_SCALE)
  else if (kind === OPTION_SACK_PERMITTED && length === 2) into.sackPermitted = true
}

/** Length of the header that `writeTcp` makes of `segment`, options included: where its payload belongs. */
export function tcpHeaderBytes(segment: TcpSegment): number {
  return (
    TCP_HEADER_BYTES +
    (segment.mss > 0 ? 4 : 0) +
    (segment.windowScale >= 0 ? 4 : 0) +
    (segment.sackPermitted ? 4 : 0)
  )
}

/**
 * Writes the header of `segment`, with a checksum (unless that is left undone) over the payload that already lies at
 * start + tcpHeaderBytes(segment); gives the offset after the payload. Every option is filled up to four bytes with
 * NOPs before it, so the header needs no other padding (MUST-69).
 */
export function writeTcp(
  bytes: Uint8Array,
  start: number,
  segment: TcpSegment,
  payloadLength: number,
  source: IpAddress,
  destination: IpAddress,
  offload: Offload = 0,
): number {
  const headerBytes = tcpHeaderBytes(segment)
  const end = start + headerBytes + payloadLength
  setUint16(bytes, start, segment.sourcePort)
  setUint16(bytes, start + 2, segment.destinationPort)
  setUint32(bytes, start + 4, segment.seq)
  setUint32(bytes, start + 8, segment.ack)
  bytes[start + 12] = (headerBytes / 4) << 4
  bytes[start + 13] = segment.flags
  setUint16(bytes, start + 14, segment.window)
  setUint16(bytes, start + 16, 0)
  setUint16(bytes, start + 18, segment.urgentPointer)
  let at = start + TCP_HEADER_BYTES
  if (segment.mss > 0) {
    setUint32(bytes, at, (OPTION_MSS << 24) | (4 << 16) | segment.mss)
    at += 4
  }
  if (segment.sackPermitted) {
    setUint32(bytes, at, (OPTION_NOP << 24) | (OPTION_NOP << 16) | (OPTION_SACK_PERMITTED << 8) | 2)
    at += 4
  }
  if (segment.windowScale >= 0)
    setUint32(bytes, at, (OPTION_NOP << 24) | (OPTION_WINDOW_SCALE << 16) | (3 << 8) | segment.windowScale)
  if ((offload & CHECKSUM_LEFT) !== 0) return end
  const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_TCP, end - start)
  setUint16(bytes, start + 16, checksumOf(onesSum(bytes, start, end, pseudo)))
  return end
}
