// Reads the frames that a load client writes (pod/load/load-spec.ts) as they come, in pieces of any size.

import {
  type ConnectionRecord,
  FRAME_CONNECTIONS,
  FRAME_HEAD_BYTES,
  FRAME_READY,
  FRAME_REQUESTS,
  FRAME_SUMMARY,
  type LoadSummary,
} from '../pod/load/load-spec.js'

export interface LoadListener {
  /** The client waits to be told when to begin. */
  ready?(): void
  /** Records of RECORD_WORDS words; the listener owns them. */
  requests(words: Uint32Array): void
  connections(records: readonly ConnectionRecord[]): void
  summary(summary: LoadSummary): void
}

export class LoadStream {
  readonly #listener: LoadListener
  #pending = new Uint8Array(0)

  constructor(listener: LoadListener) {
    this.#listener = listener
  }

  push(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#pending.length + bytes.length)
    all.set(this.#pending)
    all.set(bytes, this.#pending.length)
    const head = new DataView(all.buffer)
    let at = 0
    while (at + FRAME_HEAD_BYTES <= all.length) {
      const end = at + FRAME_HEAD_BYTES + head.getUint32(at + 4, true)
      if (end > all.length) break
      this.#frame(head.getUint32(at, true), all.slice(at + FRAME_HEAD_BYTES, end))
      at = end
    }
    this.#pending = all.slice(at)
  }

  #frame(kind: number, body: Uint8Array<ArrayBuffer>): void {
    // A slice has a buffer of its own, so that words are aligned.
    if (kind === FRAME_REQUESTS) return this.#listener.requests(new Uint32Array(body.buffer))
    if (kind === FRAME_READY) return this.#listener.ready?.()
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    if (kind === FRAME_CONNECTIONS) this.#listener.connections(value as ConnectionRecord[])
    else if (kind === FRAME_SUMMARY) this.#listener.summary(value as LoadSummary)
    else throw new Error(`a load client wrote a frame of unknown kind ${kind}`)
  }
}
