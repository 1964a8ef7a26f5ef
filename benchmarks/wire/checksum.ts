// The Internet checksum (RFC 1071) over one full segment: as the codecs compute it, and byte pair by byte pair as
// the RFC's own example does.

import { checksumOf, onesSum } from '../../src/wire/checksum.js'
import type { Benchmark } from '../contestant.js'

const SEGMENT_BYTES = 1460

export const checksum: Benchmark = {
  name: 'wire/checksum',
  unit: 'MB/s',
  seconds: 5,
  note: 'one core, 1,460 bytes that stay in the cache; compares two ways in JavaScript, no native code',
  contestants: (quick) => {
    const bytes = Uint8Array.from({ length: SEGMENT_BYTES }, (_, i) => (i * 7) & 255)
    const times = quick ? 20_000 : 100_000
    const amount = (times * SEGMENT_BYTES) / 1e6
    let sink = 0
    return [
      {
        name: 'byte pairs (RFC 1071, section 4.1)',
        run: () => {
          for (let i = 0; i < times; i++) sink ^= pairs(bytes)
          return sink < 0 ? 0 : amount
        },
      },
      {
        name: 'wire/checksum.ts',
        run: () => {
          for (let i = 0; i < times; i++) sink ^= checksumOf(onesSum(bytes, 0, SEGMENT_BYTES))
          return sink < 0 ? 0 : amount
        },
      },
    ]
  },
}

function pairs(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
