// Initial sequence numbers, RFC 6528 (MUST-8, SHLD-1): ISN = M + F(connection, key), M a clock of 4 µs ticks and F
// a keyed pseudo-random function (HalfSipHash-2-4 with 32-bit output, Aumasson and Bernstein). Time and key come
// from outside; the key never leaves the host (MUST-9).

import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import { addressWord, type Endpoint } from '../wire/address.js'
import type { Seq } from '../wire/tcp.js'
import { seqAdd } from './seq.js'

/** Secret of one host, 64 bits. */
export interface IsnKey {
  readonly k0: number
  readonly k1: number
}

export function isnKey(random: Random): IsnKey {
  return { k0: random.uint32(), k1: random.uint32() }
}

/** The ISN of a connection that begins now. */
export function initialSequence(key: IsnKey, local: Endpoint, remote: Endpoint, now: Micros): Seq {
  const ticks = Math.floor(now / 4)
  const hash = halfSipHash(
    key,
    addressWord(local.address),
    addressWord(remote.address),
    ((local.port << 16) | remote.port) >>> 0,
  )
  return (ticks + hash) >>> 0
}

/**
 * The ISN for a connection that follows one in TIME-WAIT (MAY-2): larger than any sequence number of the old
 * one, by more than its window, as Linux does.
 */
export function sequenceAfter(previousSndNxt: Seq): Seq {
  return seqAdd(previousSndNxt, 65_537)
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits))
}

/** Rounds for each of four words, the last of which is the length, and at the end. */
const WORD_ROUNDS = 2
const LAST_ROUNDS = 4
const WORDS = 4
const LENGTH_WORD = 12 << 24

/** HalfSipHash-2-4 of three 32-bit words. */
function halfSipHash({ k0, k1 }: IsnKey, a: number, b: number, c: number): number {
  let v0 = k0 | 0
  let v1 = k1 | 0
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  for (let word = 0; word <= WORDS; word++) {
    const value = word === 0 ? a : word === 1 ? b : word === 2 ? c : LENGTH_WORD
    if (word < WORDS) v3 ^= value
    else v2 ^= 0xff
    const rounds = word < WORDS ? WORD_ROUNDS : LAST_ROUNDS
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0
      v1 = rotate(v1, 5) ^ v0
      v0 = rotate(v0, 16)
      v2 = (v2 + v3) | 0
      v3 = rotate(v3, 8) ^ v2
      v0 = (v0 + v3) | 0
      v3 = rotate(v3, 7) ^ v0
      v2 = (v2 + v1) | 0
      v1 = rotate(v1, 13) ^ v2
      v2 = rotate(v2, 16)
    }
    if (word < WORDS) v0 ^= value
  }
  return (v1 ^ v3) >>> 0
}
