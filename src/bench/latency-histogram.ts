// Latencies in constant memory and with a bounded error: the bucket layout of HdrHistogram (Gil Tene) - powers of two,
// each cut into 2,048 equal parts, so that every value is kept to within 1/2048 of itself, from 1 µs to 71 minutes.

import type { Micros } from '../base/time.js'

/** Values below this are exact; above it each power of two has half as many buckets. */
const SUB_BUCKETS = 4096
const HALF = SUB_BUCKETS / 2
const SUB_BUCKET_BITS = 12

export class LatencyHistogram {
  readonly #counts: number[] = []
  count = 0
  max: Micros = 0
  #sum = 0

  /** `value`: whole microseconds, below 2^32. */
  record(value: Micros): void {
    const bucket = bucketOf(value)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.count++
    this.#sum += value
    if (value > this.max) this.max = value
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count
  }

  /** The value that `share` (0..1) of all do not exceed, nearest rank, to the bucket's highest value; 0 when empty. */
  percentile(share: number): Micros {
    const rank = Math.max(1, Math.ceil(share * this.count - 1e-9))
    let seen = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] ?? 0
      if (seen >= rank) return Math.min(highestOf(bucket), this.max)
    }
    return this.max
  }

  /** The occupied buckets, ascending: highest value and count. */
  *buckets(): Generator<readonly [value: Micros, count: number]> {
    for (const [bucket, count] of this.#counts.entries()) if (count) yield [highestOf(bucket), count]
  }
}

function bucketOf(value: Micros): number {
  if (value < SUB_BUCKETS) return value
  // How far the value is to be shifted to have SUB_BUCKET_BITS bits.
  const shift = 32 - Math.clz32(value) - SUB_BUCKET_BITS
  return shift * HALF + (value >>> shift)
}

function highestOf(bucket: number): Micros {
  if (bucket < SUB_BUCKETS) return bucket
  const shift = Math.floor(bucket / HALF) - 1
  return (bucket - shift * HALF + 1) * 2 ** shift - 1
}
