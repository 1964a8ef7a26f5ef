// Reading an archive as a stream, entry by entry, never as a whole; one that gzip has made is read through gunzip.

import { Gunzip } from 'fflate'
import type { ByteReader } from '../../posix/process.js'
import { UsageError } from './options.js'
import { BLOCK_BYTES, padded, parseHeader, parseLongName, parsePax, type TarHeader } from './tar-format.js'

/** A name, or the records of a pax header: more is no archive. */
const LARGEST_EXTRA = 1024 * 1024

/** The first bytes of what gzip makes. */
const GZIP_MAGIC = [0x1f, 0x8b]

/** The entries of an archive, one after the other. Throws UsageError when it is none. */
export class Archive {
  readonly #source: ByteReader
  #pending: Uint8Array = new Uint8Array(0)
  /** Of the present entry, that are not read; and what fills its last block. */
  #left = 0
  #padding = 0
  #started = false
  #gunzip: Gunzip | undefined
  /** What came out of gunzip and is not read. */
  readonly #inflated: Uint8Array[] = []

  constructor(source: ByteReader) {
    this.#source = source
  }

  async next(): Promise<TarHeader | undefined> {
    let longName: string | undefined
    let longLink: string | undefined
    let pax: ReadonlyMap<string, string> = new Map()
    for (;;) {
      await this.#skip()
      const block = await this.#take(BLOCK_BYTES)
      if (block === undefined) {
        if (!this.#started) throw new UsageError('short read')
        return undefined
      }
      this.#started = true
      if (block.every((byte) => byte === 0)) return this.#end()
      const header = parseHeader(block)
      if (header === undefined) throw new UsageError('invalid tar magic')
      const size = Number(pax.get('size') ?? header.sizeBytes)
      if (!Number.isSafeInteger(size) || size < 0) throw new UsageError('invalid tar magic')
      const hasContent = !['directory', 'link', 'symlink'].includes(header.type)
      this.#left = hasContent ? size : 0
      this.#padding = padded(this.#left) - this.#left
      if (header.type === 'longName') longName = parseLongName(await this.#extra())
      else if (header.type === 'longLink') longLink = parseLongName(await this.#extra())
      else if (header.type === 'pax') pax = parsePax(await this.#extra())
      else if (header.type !== 'other' || header.name !== 'pax_global_header') {
        const linkName = longLink ?? pax.get('linkpath') ?? header.linkName
        return { ...header, name: longName ?? pax.get('path') ?? header.name, linkName, sizeBytes: size }
      }
    }
  }

  /** The present entry's bytes, in pieces. */
  async *content(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      const bytes = await this.#some(this.#left)
      if (bytes === undefined) throw new UsageError('short read')
      this.#left -= bytes.length
      yield bytes
    }
  }

  /** Content that is about another entry. */
  async #extra(): Promise<Uint8Array> {
    if (this.#left > LARGEST_EXTRA) throw new UsageError('invalid tar magic')
    const bytes = await this.#take(this.#left)
    if (bytes === undefined) throw new UsageError('short read')
    this.#left = 0
    return bytes
  }

  async #skip(): Promise<void> {
    for (let left = this.#left + this.#padding; left > 0; ) {
      const bytes = await this.#some(left)
      if (bytes === undefined) throw new UsageError('short read')
      left -= bytes.length
    }
    this.#left = 0
    this.#padding = 0
  }

  /** The writer may still be writing zeros: it must not find a closed pipe. */
  async #end(): Promise<undefined> {
    this.#pending = new Uint8Array(0)
    while ((await this.#read()) !== undefined);
    return undefined
  }

  /** Next bytes of the archive itself. Throws UsageError where they are not what gzip has made. */
  async #read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const inflated = this.#inflated.shift()
      if (inflated !== undefined) return inflated
      const bytes = await this.#source.read()
      const isFirst = !this.#started && this.#gunzip === undefined && this.#pending.length === 0
      if (isFirst && bytes !== undefined && GZIP_MAGIC.every((byte, at) => bytes[at] === byte)) {
        this.#gunzip = new Gunzip((chunk) => void (chunk.length > 0 && this.#inflated.push(chunk)))
      }
      if (this.#gunzip === undefined || bytes === undefined) return bytes
      try {
        this.#gunzip.push(bytes)
      } catch {
        throw new UsageError('corrupted data')
      }
    }
  }

  async #some(most: number): Promise<Uint8Array | undefined> {
    if (this.#pending.length === 0) {
      const bytes = await this.#read()
      if (bytes === undefined) return undefined
      this.#pending = bytes
    }
    const taken = this.#pending.subarray(0, most)
    this.#pending = this.#pending.subarray(taken.length)
    return taken
  }

  async #take(length: number): Promise<Uint8Array | undefined> {
    const whole = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const bytes = await this.#some(length - at)
      if (bytes === undefined) return undefined
      whole.set(bytes, at)
      at += bytes.length
    }
    return whole
  }
}
