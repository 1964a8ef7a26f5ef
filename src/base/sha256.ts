// SHA-256 (FIPS 180-4) of a text, for names that Kubernetes derives by hashing. Not for secrets and not for bulk.

import { getUint32, setUint32, utf8Encode } from './bytes.js'

/** Square roots of the first eight primes, cube roots of the first 64: their first 32 fractional bits. */
const INITIAL = Int32Array.from(primes(8), (prime) => fraction(prime ** (1 / 2)))
const ROUND = Int32Array.from(primes(64), (prime) => fraction(prime ** (1 / 3)))

/** Scratch of `sha256`: nothing of it outlives a call. Words are signed, which engines compute with more quickly. */
const SCHEDULE = new Int32Array(64)
const STATE = new Int32Array(8)

/** The 32 bytes of the digest of `text` in UTF-8. */
export function sha256(text: string): Uint8Array {
  const padded = pad(text)
  STATE.set(INITIAL)
  for (let block = 0; block < padded.length; block += 64) compress(padded, block)
  const digest = new Uint8Array(32)
  for (let i = 0; i < 8; i++) setUint32(digest, i * 4, STATE[i]! >>> 0)
  return digest
}

/** The text's bytes, a one bit, zeros, and the length in bits, to a multiple of 64 bytes. */
function pad(text: string): Uint8Array {
  const bytes = isAscii(text) ? undefined : utf8Encode(text)
  const length = bytes?.length ?? text.length
  const padded = new Uint8Array(Math.ceil((length + 9) / 64) * 64)
  if (bytes !== undefined) padded.set(bytes)
  else for (let i = 0; i < length; i++) padded[i] = text.charCodeAt(i)
  padded[length] = 0x80
  setUint32(padded, padded.length - 4, length * 8)
  return padded
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function compress(bytes: Uint8Array, start: number): void {
  const w = SCHEDULE
  for (let t = 0; t < 16; t++) w[t] = getUint32(bytes, start + t * 4)
  for (let t = 16; t < 64; t++) {
    const early = w[t - 15]!
    const late = w[t - 2]!
    const sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
    const sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
    w[t] = w[t - 16]! + sigma0 + w[t - 7]! + sigma1
  }
  let a = STATE[0]!
  let b = STATE[1]!
  let c = STATE[2]!
  let d = STATE[3]!
  let e = STATE[4]!
  let f = STATE[5]!
  let g = STATE[6]!
  let h = STATE[7]!
  for (let t = 0; t < 64; t++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const choice = (e & f) ^ (~e & g)
    const first = (h + sum1 + choice + ROUND[t]! + w[t]!) | 0
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + sum0 + majority) | 0
  }
  STATE[0]! += a
  STATE[1]! += b
  STATE[2]! += c
  STATE[3]! += d
  STATE[4]! += e
  STATE[5]! += f
  STATE[6]! += g
  STATE[7]! += h
}

const rotate = (word: number, bits: number) => (word >>> bits) | (word << (32 - bits))

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32)
}

function primes(count: number): number[] {
  const found: number[] = []
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n)
  return found
}
