// Capture files: pcap (draft-ietf-opsawg-pcap) written and read, pcapng (as fabric/capture.ts writes it) read.

/** Link types; SLL2 is what the device `any` gives (LINKTYPE_LINUX_SLL2). */
export const LINK_ETHERNET = 1
export const LINK_SLL2 = 276

const MAGIC_MICROSECONDS = 0xa1b2c3d4
const MAGIC_NANOSECONDS = 0xa1b23c4d
const BLOCK_SECTION = 0x0a0d0d0a
const BLOCK_INTERFACE = 1
const BLOCK_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d

export interface SavedPacket {
  /** Microseconds since the Unix epoch. */
  readonly unixMicros: number
  readonly bytes: Uint8Array
  /** Of the frame on the wire. */
  readonly length: number
}

export interface SavedCapture {
  readonly linkType: number
  readonly snapLength: number
  readonly packets: readonly SavedPacket[]
  /** The file ends within a packet. */
  readonly cut: boolean
}

/** The beginning of a file. */
export function fileHeader(linkType: number, snapLength: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(24))
  view.setUint32(0, MAGIC_MICROSECONDS, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, snapLength, true)
  view.setUint32(20, linkType, true)
  return new Uint8Array(view.buffer)
}

export function packetRecord({ unixMicros, bytes, length }: SavedPacket): Uint8Array {
  const record = new Uint8Array(16 + bytes.length)
  const view = new DataView(record.buffer)
  view.setUint32(0, Math.floor(unixMicros / 1e6), true)
  view.setUint32(4, unixMicros % 1e6, true)
  view.setUint32(8, bytes.length, true)
  view.setUint32(12, length, true)
  record.set(bytes, 16)
  return record
}

/** Reads a whole file; undefined when it is no capture. */
export function readCapture(file: Uint8Array): SavedCapture | undefined {
  if (file.length < 24) return undefined
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (view.getUint32(0, true) === BLOCK_SECTION) return readPcapng(file, view)
  for (const little of [true, false]) {
    const magic = view.getUint32(0, little)
    if (magic === MAGIC_MICROSECONDS) return readPcap(file, view, little, 1)
    if (magic === MAGIC_NANOSECONDS) return readPcap(file, view, little, 1000)
  }
  return undefined
}

function readPcap(file: Uint8Array, view: DataView, little: boolean, unitsPerMicro: number): SavedCapture {
  const packets: SavedPacket[] = []
  let at = 24
  while (at + 16 <= file.length) {
    const captured = view.getUint32(at + 8, little)
    if (at + 16 + captured > file.length) break
    packets.push({
      unixMicros:
        view.getUint32(at, little) * 1e6 + Math.floor(view.getUint32(at + 4, little) / unitsPerMicro),
      bytes: file.subarray(at + 16, at + 16 + captured),
      length: view.getUint32(at + 12, little),
    })
    at += 16 + captured
  }
  const linkType = view.getUint32(20, little) & 0x0fff_ffff
  return { linkType, snapLength: view.getUint32(16, little), packets, cut: at < file.length }
}

/** Sections of all interfaces together, as tcpdump reads them when they are of one link type. */
function readPcapng(file: Uint8Array, view: DataView): SavedCapture | undefined {
  const packets: SavedPacket[] = []
  let linkType: number | undefined
  let snapLength = 0
  let at = 0
  let little = true
  while (at + 12 <= file.length) {
    const type = view.getUint32(at, true)
    if (type === BLOCK_SECTION) little = view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC
    const length = view.getUint32(at + 4, little)
    if (length < 12 || at + length > file.length) break
    const kind = view.getUint32(at, little)
    if (kind === BLOCK_INTERFACE) {
      linkType ??= view.getUint16(at + 8, little)
      snapLength ||= view.getUint32(at + 12, little)
    } else if (kind === BLOCK_PACKET && length >= 32) {
      const captured = view.getUint32(at + 20, little)
      packets.push({
        // Simplified: time stamps are taken as microseconds, if_tsresol's default.
        unixMicros: view.getUint32(at + 12, little) * 0x1_0000_0000 + view.getUint32(at + 16, little),
        bytes: file.subarray(at + 28, at + 28 + captured),
        length: view.getUint32(at + 24, little),
      })
    }
    at += length
  }
  return { linkType: linkType ?? LINK_ETHERNET, snapLength, packets, cut: at < file.length }
}
