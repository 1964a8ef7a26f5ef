// A pipe as pipe(2) makes it: bytes in memory, a bounded buffer, waiting on both sides, EPIPE for a writer whose
// reader is gone. Also the ends that other streams are built of: the empty reader and the discarding writer.

import { SystemError } from '../base/errors.js'
import { Wakeup } from './abort.js'
import type { ByteReader, ByteWriter } from './process.js'

/** Linux' default pipe capacity. */
const CAPACITY_BYTES = 65_536

const encoder = new TextEncoder()

export function toBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? encoder.encode(content) : content
}

export class Pipe {
  readonly reader: ByteReader
  readonly writer: ByteWriter
  #input: Promise<void> = Promise.resolve()
  readonly #chunks: Uint8Array[] = []
  #buffered = 0
  #ended = false
  #broken = false
  readonly #readable = new Wakeup()
  readonly #writable = new Wakeup()

  constructor() {
    this.reader = {
      isTTY: false,
      read: () => this.#read(),
      readAtHand: () => this.#take(),
      unread: (bytes) => this.#unread(bytes),
    }
    this.writer = { isTTY: false, write: (content) => this.#write(content) }
  }

  /** Writes after what was given before; rejects when nobody reads any more. For input that comes by itself. */
  input(bytes: Uint8Array): Promise<void> {
    this.#input = this.#input.then(() => this.#write(bytes))
    return this.#input
  }

  /** The end of `input`, after what was given before. */
  inputEnd(): void {
    const end = () => this.endWriting()
    this.#input.then(end, end)
  }

  /** The last writer is gone: the reader sees the end after what is buffered. */
  endWriting(): void {
    this.#ended = true
    this.#readable.wake()
  }

  /** The last reader is gone: writers get EPIPE. */
  closeReading(): void {
    this.#broken = true
    this.#chunks.length = 0
    this.#buffered = 0
    this.#writable.wake()
    this.#readable.wake()
  }

  async #read(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#ended || this.#broken) return undefined
      await this.#readable.wait()
    }
    return this.#take()
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return undefined
    this.#buffered -= chunk.length
    this.#writable.wake()
    return chunk
  }

  #unread(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#broken) return
    this.#chunks.unshift(bytes)
    this.#buffered += bytes.length
    this.#readable.wake()
  }

  async #write(content: Uint8Array | string): Promise<void> {
    // Copied: the pipe keeps the bytes, the writer may use its buffer again.
    const bytes = typeof content === 'string' ? encoder.encode(content) : content.slice()
    for (let offset = 0; offset < bytes.length; ) {
      if (this.#broken || this.#ended) throw new SystemError('EPIPE', 'write')
      const room = CAPACITY_BYTES - this.#buffered
      if (room <= 0) {
        await this.#writable.wait()
        continue
      }
      const chunk = bytes.subarray(offset, offset + room)
      this.#chunks.push(chunk)
      this.#buffered += chunk.length
      offset += chunk.length
      this.#readable.wake()
    }
  }
}

/** Standard input from nothing: at its end at once. */
export function emptyReader(): ByteReader {
  return readerOf(new Uint8Array(0))
}

/** Standard input from bytes at hand (a file, a here-document). */
export function readerOf(content: Uint8Array | string): ByteReader {
  const chunks = [toBytes(content)].filter((chunk) => chunk.length > 0)
  return {
    isTTY: false,
    read: async () => chunks.shift(),
    readAtHand: () => chunks.shift(),
    unread: (bytes) => {
      if (bytes.length > 0) chunks.unshift(bytes)
    },
  }
}

/** /dev/null. */
export function discardingWriter(): ByteWriter {
  return { isTTY: false, write: async () => {} }
}

/** Keeps all that is written, for `$(...)` and tests. `hold` hears of every byte before it is kept (Process.hold). */
export class CollectingWriter implements ByteWriter {
  readonly isTTY = false
  readonly #hold: (bytes: number) => void
  readonly #chunks: Uint8Array[] = []
  #length = 0

  constructor(hold: (bytes: number) => void = () => {}) {
    this.#hold = hold
  }

  get length(): number {
    return this.#length
  }

  async write(content: Uint8Array | string): Promise<void> {
    const bytes = typeof content === 'string' ? encoder.encode(content) : content.slice()
    this.#hold(bytes.length)
    this.#chunks.push(bytes)
    this.#length += bytes.length
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#length)
    let offset = 0
    for (const chunk of this.#chunks) {
      all.set(chunk, offset)
      offset += chunk.length
    }
    return all
  }

  text(): string {
    return new TextDecoder().decode(this.bytes())
  }
}

/** Reads to the end; `hold` as for CollectingWriter. */
export async function readAll(reader: ByteReader, hold?: (bytes: number) => void): Promise<Uint8Array> {
  const collected = new CollectingWriter(hold)
  for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
    await collected.write(chunk)
  }
  return collected.bytes()
}
