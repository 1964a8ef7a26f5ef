// Bytes that are counted against a limit. Knows nothing of what they are: files (volume.ts), memory of processes
// (local-system.ts).

/** Counts bytes against a limit: of all files of a pod, or of what its processes keep in memory. */
export class Quota {
  readonly limitBytes: number
  #usedBytes = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  /** A part of this one, without a limit of its own; `onTaken` hears what is taken (negative: given back) by it. */
  part(onTaken: (bytes: number) => void): QuotaView {
    const whole = this
    return {
      limitBytes: this.limitBytes,
      get usedBytes() {
        return whole.usedBytes
      },
      take: (bytes) => {
        const has = this.take(bytes)
        if (has) onTaken(bytes)
        return has
      },
    }
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Takes `bytes` (negative: gives back); false when that would pass the limit. */
  take(bytes: number): boolean {
    if (bytes > 0 && this.#usedBytes + bytes > this.limitBytes) return false
    this.#usedBytes += bytes
    return true
  }
}

/** What is taken from and can be told of a quota. */
export type QuotaView = Pick<Quota, 'take' | 'limitBytes' | 'usedBytes'>
