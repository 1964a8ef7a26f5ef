// What a sender has left undone of a frame's TCP segment because whoever needs real packets can do it later, as in the
// header that virtio puts before a frame (virtio 1.2 section 5.1.6): the checksum, and the cutting into segments of
// the path's size. One number goes along with a frame; 0: nothing is left to do, and the frame is only lent.
// wire/segmentation.ts makes real packets.

/**
 * Bits 0-15: text of each segment in bytes, 0 for a frame that is one packet. Bit 16: the checksum is not computed.
 * Bit 17: the frame is given away.
 */
export type Offload = number

export const NOTHING_LEFT: Offload = 0
/** CHECKSUM_PARTIAL of Linux; what stands in the checksum's place means nothing. */
export const CHECKSUM_LEFT: Offload = 0x1_0000

/**
 * Nobody else uses the frame any more: its receiver may change it in place, and use it until the burst ends in which it
 * came. Who keeps it longer, or sends it to several, copies it.
 */
export const GIVEN_AWAY: Offload = 0x2_0000

/** Text of each segment to cut, 0 when the frame is one packet (gso_size of Linux). */
export function segmentBytes(offload: Offload): number {
  return offload & 0xffff
}

/** Whether there is work left: real packets are not simply the frame. */
export function hasWorkLeft(offload: Offload): boolean {
  return (offload & (GIVEN_AWAY - 1)) !== 0
}
