// Header blocks of SPDY (SPDY Protocol Draft 3.1, section 2.6.10): names and values behind their lengths, compressed
// by one zlib stream for each direction of a connection. Reading bounds what a small block may grow to. Writing
// stores and does not compress: our blocks are tiny.

import { constants, createInflate } from 'node:zlib'
import { spdyDictionary } from './spdy-dictionary.js'
import { SpdyError } from './spdy-frame.js'

export type SpdyHeaders = ReadonlyMap<string, string>

/** Of a block, when it is read. */
export const LARGEST_BLOCK_BYTES = 64 * 1024
const MOST_HEADERS = 256

export class SpdyHeaderReader {
  readonly #inflate = createInflate({ dictionary: spdyDictionary() })
  #chunks: Buffer[] = []
  #length = 0
  #fail: (error: Error) => void = () => {}
  #failure: SpdyError | undefined

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => {
      this.#length += chunk.length
      if (this.#length > LARGEST_BLOCK_BYTES) this.#broken('a header block is too large')
      else this.#chunks.push(chunk)
    })
    this.#inflate.on('error', (error) => this.#broken(`a header block can't be inflated: ${error.message}`))
    this.#inflate.on('end', () => this.#broken('the compression of header blocks has ended'))
  }

  /** The headers of the next block: every block has to be read, in order, one at a time. Rejects with SpdyError. */
  async read(block: Uint8Array): Promise<SpdyHeaders> {
    if (this.#failure !== undefined) throw this.#failure
    this.#chunks = []
    this.#length = 0
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject
      this.#inflate.write(block)
      this.#inflate.flush(constants.Z_SYNC_FLUSH, () => resolve())
    })
    return parseHeaders(Buffer.concat(this.#chunks))
  }

  close(): void {
    this.#broken('the connection is closed')
  }

  #broken(why: string): void {
    this.#failure ??= new SpdyError(why)
    this.#chunks = []
    this.#fail(this.#failure)
    this.#inflate.destroy()
  }
}

/** Values are bytes; here they are text of one byte a character. Throws SpdyError. */
export function parseHeaders(block: Buffer): SpdyHeaders {
  let offset = 0
  const number = () => {
    if (offset + 4 > block.length) throw new SpdyError('a header block ends early')
    offset += 4
    return block.readUInt32BE(offset - 4)
  }
  const text = () => {
    const length = number()
    if (length > block.length - offset) throw new SpdyError('a header block ends early')
    offset += length
    return block.toString('latin1', offset - length, offset)
  }
  const count = number()
  if (count > MOST_HEADERS) throw new SpdyError(`a header block of ${count} headers`)
  const headers = new Map<string, string>()
  for (let i = 0; i < count; i++) {
    const name = text()
    headers.set(name, text())
  }
  return headers
}

export class SpdyHeaderWriter {
  #first = true

  /** A stored block of deflate, then an empty one: what Go's inflate needs to hand the bytes over (RFC 1951, 3.2.4). */
  write(headers: SpdyHeaders): Uint8Array {
    const content = formatHeaders(headers)
    const stored = (bytes: Uint8Array) => {
      const head = Buffer.alloc(5)
      head.writeUInt16LE(bytes.length, 1)
      head.writeUInt16LE(bytes.length ^ 0xffff, 3)
      return Buffer.concat([head, bytes])
    }
    // RFC 1950, 2.2: deflate with a window of 32 KB, no dictionary.
    const header = this.#first ? Buffer.from([0x78, 0x01]) : Buffer.alloc(0)
    this.#first = false
    return Buffer.concat([header, stored(content), stored(Buffer.alloc(0))])
  }
}

function formatHeaders(headers: SpdyHeaders): Uint8Array {
  const number = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  const parts: Uint8Array[] = [number(headers.size)]
  for (const pair of headers)
    for (const text of pair) parts.push(number(text.length), Buffer.from(text, 'latin1'))
  return Buffer.concat(parts)
}
