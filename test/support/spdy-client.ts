// A SPDY/3.1 client for tests, written from the other end than src/http/streams: it compresses its header blocks with
// zlib as Go's clients do, and keeps what it hears.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { constants, createDeflate, createInflate } from 'node:zlib'
import { spdyDictionary } from '../../src/http/streams/spdy-dictionary.js'

export interface Upgraded {
  /** Undefined when the server refused. */
  readonly socket: Duplex | undefined
  readonly response: IncomingMessage
  /** Of a refusal. */
  readonly body: string
}

/** Asks for an upgrade. */
export function askUpgrade(
  port: number,
  path: string,
  headers: Record<string, string | string[]>,
  method = 'POST',
): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', ...headers },
    })
    sent.on('error', reject)
    sent.on('upgrade', (response, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      resolve({ socket, response, body: '' })
    })
    sent.on('response', async (response) => {
      let body = ''
      for await (const chunk of response.setEncoding('utf8')) body += chunk
      resolve({ socket: undefined, response, body })
    })
    sent.end()
  })
}

export interface HeardFrame {
  readonly control: boolean
  readonly type: number
  readonly flags: number
  /** Stream of a data frame. */
  readonly id: number
  readonly payload: Buffer
}

export const bytes32 = (...words: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(4 * words.length)
  for (const [index, word] of words.entries()) buffer.writeUInt32BE(word >>> 0, 4 * index)
  return buffer
}

export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  return Buffer.concat([bytes32(0x8003_0000 + type, flags * 0x100_0000 + payload.length), payload])
}

export function dataFrame(id: number, payload: Buffer, fin = false): Buffer {
  return Buffer.concat([bytes32(id, (fin ? 0x100_0000 : 0) + payload.length), payload])
}

/** Compresses header blocks, one after the other. */
export class BlockWriter {
  readonly #deflate = createDeflate({ dictionary: spdyDictionary() })
  readonly #chunks: Buffer[] = []

  constructor() {
    this.#deflate.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
  }

  async write(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const texts = Object.entries(headers).flat()
    const parts = texts.flatMap((text) => [bytes32(text.length), Buffer.from(text, 'latin1')])
    return this.compress(Buffer.concat([bytes32(texts.length / 2), ...parts]))
  }

  async compress(bytes: Buffer): Promise<Buffer> {
    this.#deflate.write(bytes)
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()))
    return Buffer.concat(this.#chunks.splice(0))
  }
}

export class SpdyClient {
  readonly socket: Duplex
  /** All that came, by stream. */
  readonly data = new Map<number, Buffer>()
  readonly ended = new Set<number>()
  readonly control: HeardFrame[] = []
  closed = false
  readonly #blocks = new BlockWriter()
  #nextId = 1
  #look: () => void = () => {}

  constructor(socket: Duplex) {
    this.socket = socket
    void this.#read()
  }

  /** Opens a stream and waits for the reply; undefined when it is refused. */
  async open(headers: Readonly<Record<string, string>>): Promise<number | undefined> {
    const id = this.#nextId
    this.#nextId += 2
    const block = await this.#blocks.write(headers)
    this.socket.write(controlFrame(1, 0, Buffer.concat([bytes32(id, 0), Buffer.alloc(2), block])))
    const aboutIt = ({ type, payload }: HeardFrame) =>
      (type === 2 || type === 3) && payload.readUInt32BE(0) === id
    await this.until(() => this.control.some(aboutIt) || this.closed)
    return this.control.some((frame) => frame.type === 3 && aboutIt(frame)) || this.closed ? undefined : id
  }

  send(id: number, payload: Buffer | string, fin = false): void {
    this.socket.write(dataFrame(id, Buffer.from(payload), fin))
  }

  text(id: number): string {
    return this.data.get(id)?.toString() ?? ''
  }

  /** Looks after each frame. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.closed) throw new Error('the connection was closed before it held')
      await new Promise<void>((resolve) => {
        this.#look = resolve
      })
    }
  }

  async closing(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => (this.#look = resolve))
  }

  async #read(): Promise<void> {
    let pending = Buffer.alloc(0)
    this.socket.on('error', () => this.socket.destroy())
    this.socket.on('close', () => {
      this.closed = true
      this.#look()
    })
    this.socket.on('end', () => this.socket.end())
    this.socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 8 && pending.length >= 8 + pending.readUIntBE(5, 3)) {
        const length = pending.readUIntBE(5, 3)
        this.#frame(pending.subarray(0, 8), pending.subarray(8, 8 + length))
        pending = pending.subarray(8 + length)
      }
      this.#look()
    })
  }

  #frame(head: Buffer, payload: Buffer): void {
    const control = (head[0]! & 0x80) !== 0
    const flags = head[4]!
    const id = head.readUInt32BE(0)
    if (control) {
      this.control.push({ control, type: head.readUInt16BE(2), flags, id: 0, payload: Buffer.from(payload) })
      return
    }
    this.data.set(id, Buffer.concat([this.data.get(id) ?? Buffer.alloc(0), payload]))
    if ((flags & 1) !== 0) this.ended.add(id)
  }
}

/** What Go's client makes of the blocks of replies. */
export async function inflateBlocks(blocks: readonly Buffer[]): Promise<Buffer[]> {
  const inflate = createInflate({ dictionary: spdyDictionary() })
  const results: Buffer[] = []
  for (const block of blocks) {
    const chunks: Buffer[] = []
    const keep = (chunk: Buffer) => chunks.push(chunk)
    inflate.on('data', keep)
    inflate.write(block)
    await new Promise<void>((resolve) => inflate.flush(constants.Z_SYNC_FLUSH, () => resolve()))
    inflate.off('data', keep)
    results.push(Buffer.concat(chunks))
  }
  inflate.destroy()
  return results
}

/** The bytes in the binary messages of a WebSocket (RFC 6455, 5.2), as a client that knows no other frames. */
export function tunnelled(socket: Duplex): Duplex {
  let pending = Buffer.alloc(0)
  const inside = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      // FIN and opcode 2, masked by zeros, with a length of 16 bits.
      const head = Buffer.from([0x82, 0xfe, chunk.length >> 8, chunk.length & 255, 0, 0, 0, 0])
      socket.write(Buffer.concat([head, chunk]), () => done())
    },
    destroy: (error, done) => {
      socket.destroy()
      done(error)
    },
  })
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    for (;;) {
      const short = (pending[1] ?? 0) & 127
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10
      if (pending.length < headBytes) return
      const length = short < 126 ? short : short === 126 ? pending.readUInt16BE(2) : pending.readUInt32BE(6)
      if (pending.length < headBytes + length) return
      if ((pending[0]! & 15) === 2) inside.push(pending.subarray(headBytes, headBytes + length))
      pending = pending.subarray(headBytes + length)
    }
  })
  socket.on('close', () => inside.destroy())
  return inside
}
