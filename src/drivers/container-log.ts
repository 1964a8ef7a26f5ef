// What one instance of a container wrote: the newest entries up to a size, as a log file that is rotated, and those
// who follow it.

import type { LogEntry } from '../api/pod-streams.js'

/** The kubelet's containerLogMaxSize is 10Mi; pods are many here. */
const MAX_LOG_BYTES = 1024 * 1024

interface Follower {
  readonly onEntry: (entry: LogEntry) => void
  readonly onEnd: () => void
}

export class ContainerLog {
  #entries: LogEntry[] = []
  #bytes = 0
  #ended = false
  readonly #followers = new Set<Follower>()

  append(entry: LogEntry): void {
    this.#entries.push(entry)
    this.#bytes += entry.bytes.length
    if (this.#bytes > MAX_LOG_BYTES) this.#dropOldest()
    for (const follower of [...this.#followers]) follower.onEntry(entry)
  }

  entries(): readonly LogEntry[] {
    return this.#entries
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    const followers = [...this.#followers]
    this.#followers.clear()
    for (const follower of followers) follower.onEnd()
  }

  /** Entries from now on; ends at once when the container has ended. */
  follow(onEntry: (entry: LogEntry) => void, onEnd: () => void): () => void {
    if (this.#ended) {
      onEnd()
      return () => {}
    }
    const follower = { onEntry, onEnd }
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  /** Drops half at once, so that a chatty container costs no copy per line. */
  #dropOldest(): void {
    let kept = this.#bytes
    let first = 0
    while (kept > MAX_LOG_BYTES / 2) kept -= this.#entries[first++]!.bytes.length
    this.#entries = this.#entries.slice(first)
    this.#bytes = kept
  }
}
