// TCP segments, RFC 9293 section 3.1: header and options to and from a plain record. Knows no state: sequence
// arithmetic and the meaning of the flags are in tcp/.

import type { Flavor } from '../base/flavor.js'
import type { Port } from './address.js'

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
