// What one instance of a container wrote: the newest entries up to a size, as a log file that is rotated, and those
// who follow it.

import type { LogEntry } from '../api/pod-streams.js'

/** The kubelet's containerLogMaxSize is 10Mi; pods are many here. */
const MAX_LOG_BYTES = 1024 * 1024

interface Follower {
  readonly onEntry: (entry: LogEntry) => unknown
  readonly onEnd: () => void
  /** Counted from the first entry that there was. */
  next: number
  busy: boolean
}

export class ContainerLog {
  #entries: LogEntry[] = []
  #bytes = 0
  /** Entries that are no longer kept. */
  #dropped = 0
  #ended = false
  readonly #followers = new Set<Follower>()

  append(entry: LogEntry): void {
    this.#entries.push(entry)
    this.#bytes += entry.bytes.length
    if (this.#bytes > MAX_LOG_BYTES) this.#dropOldest()
    for (const follower of [...this.#followers]) this.#serve(follower)
  }

  entries(): readonly LogEntry[] {
    return this.#entries
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const follower of [...this.#followers]) this.#serve(follower)
  }

  /**
   * Entries from now on; ends at once when the container has ended. A follower whose promise has not settled hears
   * the next entries afterwards, as far as they are still kept.
   */
  follow(onEntry: (entry: LogEntry) => unknown, onEnd: () => void): () => void {
    const follower: Follower = { onEntry, onEnd, next: this.#dropped + this.#entries.length, busy: false }
    this.#followers.add(follower)
    this.#serve(follower)
    return () => this.#followers.delete(follower)
  }

  #serve(follower: Follower): void {
    while (!follower.busy && this.#followers.has(follower)) {
      follower.next = Math.max(follower.next, this.#dropped)
      const entry = this.#entries[follower.next - this.#dropped]
      if (entry === undefined) {
        if (this.#ended && this.#followers.delete(follower)) follower.onEnd()
        return
      }
      follower.next++
      const taken = follower.onEntry(entry)
      if (!(taken instanceof Promise)) continue
      follower.busy = true
      const resume = () => {
        follower.busy = false
        this.#serve(follower)
      }
      // A follower that failed takes no more, but it stops by itself.
      taken.then(resume, () => {})
    }
  }

  /** Drops half at once, so that a chatty container costs no copy per line. */
  #dropOldest(): void {
    let kept = this.#bytes
    let first = 0
    while (kept > MAX_LOG_BYTES / 2) kept -= this.#entries[first++]!.bytes.length
    this.#entries = this.#entries.slice(first)
    this.#dropped += first
    this.#bytes = kept
  }
}
