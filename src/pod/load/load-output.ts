// The frames a load client writes: requests as words, connections and the summary as JSON. Kept until there are
// many or somebody flushes, because writing costs more than counting.

import type { ByteWriter } from '../../posix/process.js'
import {
  type ConnectionRecord,
  FRAME_CONNECTIONS,
  FRAME_HEAD_BYTES,
  FRAME_READY,
  FRAME_REQUESTS,
  FRAME_SUMMARY,
  type LoadSummary,
  RECORD_WORDS,
} from './load-spec.js'

const RECORDS_KEPT = 8192
const CONNECTIONS_KEPT = 512

export class LoadOutput {
  readonly #out: ByteWriter
  readonly #encoder = new TextEncoder()
  #records = new Uint32Array(RECORDS_KEPT * RECORD_WORDS)
  #words = 0
  #connections: ConnectionRecord[] = []

  constructor(out: ByteWriter) {
    this.#out = out
  }

  /** True when it is time to flush. */
  get full(): boolean {
    return this.#words === this.#records.length || this.#connections.length >= CONNECTIONS_KEPT
  }

  /** There is room for RECORDS_KEPT between two flushes; more make room. */
  request(slot: number, connection: number, start: number, late: number, latency: number, outcome: number) {
    if (this.#words === this.#records.length) {
      const larger = new Uint32Array(this.#records.length * 2)
      larger.set(this.#records)
      this.#records = larger
    }
    const at = this.#words
    this.#records[at] = slot
    this.#records[at + 1] = connection
    this.#records[at + 2] = start
    this.#records[at + 3] = late
    this.#records[at + 4] = latency
    this.#records[at + 5] = outcome
    this.#words = at + RECORD_WORDS
  }

  connection(record: ConnectionRecord): void {
    this.#connections.push(record)
  }

  async flush(): Promise<void> {
    const connections = this.#connections
    const records = this.#records.slice(0, this.#words)
    this.#connections = []
    this.#words = 0
    if (connections.length > 0) await this.#json(FRAME_CONNECTIONS, connections)
    if (records.length > 0) await this.#frame(FRAME_REQUESTS, new Uint8Array(records.buffer))
  }

  ready(): Promise<void> {
    return this.#frame(FRAME_READY, new Uint8Array(0))
  }

  async end(summary: LoadSummary): Promise<void> {
    await this.flush()
    await this.#json(FRAME_SUMMARY, summary)
  }

  #json(kind: number, value: unknown): Promise<void> {
    return this.#frame(kind, this.#encoder.encode(JSON.stringify(value)))
  }

  async #frame(kind: number, bytes: Uint8Array): Promise<void> {
    const frame = new Uint8Array(FRAME_HEAD_BYTES + bytes.length)
    const head = new DataView(frame.buffer)
    head.setUint32(0, kind, true)
    head.setUint32(4, bytes.length, true)
    frame.set(bytes, FRAME_HEAD_BYTES)
    await this.#out.write(frame)
  }
}
