// The server's side of a SPDY/3.1 connection as kubectl uses it for exec and port-forward: streams that the client
// opens, without methods, priorities or pushes. Unlike the protocol: no flow control by WINDOW_UPDATE, because the
// clients (moby/spdystream) have none; when too much of what came is not yet taken, the whole connection is not read.

import type { Duplex } from 'node:stream'
import type { ByteStream } from './byte-stream.js'
import {
  GoAwayStatus,
  goAwayFrame,
  pingFrame,
  RstStatus,
  rstStreamFrame,
  SpdyError,
  type SpdyFrame,
  SpdyFrameReader,
  synReplyFrame,
} from './spdy-frame.js'
import { SpdyHeaderReader, type SpdyHeaders, SpdyHeaderWriter } from './spdy-headers.js'
import { SpdyStream } from './spdy-stream.js'

/** What may have come and not be taken, over all streams. */
const UNTAKEN_BYTES = 4 * 1024 * 1024
/** Answers of ours (to PING and the like) that the client has not read: after so many, nothing more is read. */
const UNREAD_ANSWERS_BYTES = 1024 * 1024
const MOST_STREAMS = 4096
/** A connection that is not read does not show that its client is gone; a write to it does. */
const PING_INTERVAL_MS = 1_000
/** After our end, until the client has closed. */
const LINGER_MS = 10_000

export interface SpdyHandler {
  /** A stream of the client; false refuses it. */
  onStream(stream: ByteStream, headers: SpdyHeaders): boolean
  /** Called once; `reason` when the client broke the protocol. */
  onClose(reason: string | undefined): void
}

export class SpdyConnection {
  readonly #transport: Duplex
  readonly #handler: SpdyHandler
  readonly #frames = new SpdyFrameReader()
  readonly #headers = new SpdyHeaderReader()
  readonly #replies = new SpdyHeaderWriter()
  readonly #streams = new Map<number, SpdyStream>()
  readonly #pings: NodeJS.Timeout
  #untaken = 0
  /** Data of streams waits with its writer and is not counted. */
  #unreadAnswers = 0
  #lastStreamId = 0
  #closed = false
  /** Lets what reads look again whether there is room. */
  #wake: () => void = () => {}

  constructor(transport: Duplex, handler: SpdyHandler) {
    this.#transport = transport
    this.#handler = handler
    let pingId = 0
    this.#pings = setInterval(() => {
      if (!this.#isFull()) return
      // Ids of the server are even.
      pingId = (pingId + 2) % 0x7fff_fffe
      this.send(pingFrame(pingId))
    }, PING_INTERVAL_MS)
    this.#pings.unref()
    transport.on('drain', () => this.#wake())
    transport.on('close', () => this.#end(undefined))
    transport.on('error', () => this.#end(undefined))
    void this.#read()
  }

  /** Ends all streams and the connection, after what was written. */
  close(status: number = GoAwayStatus.ok, reason?: string): void {
    if (this.#closed) return
    this.send(goAwayFrame(this.#lastStreamId, status))
    this.#end(reason)
    this.#transport.end()
    const linger = setTimeout(() => this.#transport.destroy(), LINGER_MS)
    this.#transport.once('close', () => clearTimeout(linger))
  }

  /** For streams. Resolves when the bytes are with the system, or the connection is gone. */
  send(frame: Uint8Array): Promise<void> {
    const transport = this.#transport
    if (this.#closed || transport.destroyed || transport.writableEnded) return Promise.resolve()
    return new Promise((resolve) => transport.write(frame, () => resolve()))
  }

  /** For streams: bytes came (positive) or were taken (negative). */
  untaken(bytes: number): void {
    this.#untaken += bytes
    if (bytes < 0) this.#wake()
  }

  /** For streams: neither side has anything more to say. */
  forget(id: number): void {
    this.#streams.delete(id)
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#transport) {
        // What comes after our end is not wanted, but has to be read for the client's end to be seen.
        if (!this.#closed) await this.#chunk(chunk as Uint8Array)
      }
      this.close()
    } catch {
      // The transport's own failure; closing it is what tells everybody.
      this.#transport.destroy()
    }
  }

  async #chunk(bytes: Uint8Array): Promise<void> {
    try {
      this.#frames.push(bytes)
      for (let frame = this.#frames.next(); frame && !this.#closed; frame = this.#frames.next()) {
        const pending = this.#take(frame)
        if (pending !== undefined) await pending
        if (this.#isFull()) await this.#room()
      }
    } catch (error) {
      if (!(error instanceof SpdyError)) throw error
      this.close(GoAwayStatus.protocolError, error.message)
    }
  }

  #isFull(): boolean {
    if (this.#closed) return false
    return this.#untaken > UNTAKEN_BYTES || this.#unreadAnswers > UNREAD_ANSWERS_BYTES
  }

  #answer(frame: Uint8Array): void {
    this.#unreadAnswers += frame.length
    this.send(frame).then(() => {
      this.#unreadAnswers -= frame.length
      this.#wake()
    })
  }

  async #room(): Promise<void> {
    while (this.#isFull()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** A promise where something has to be waited for before the next frame. */
  #take(frame: SpdyFrame): Promise<void> | undefined {
    switch (frame.type) {
      case 'DATA':
        this.#data(frame.streamId, frame.bytes, frame.fin)
        return undefined
      case 'SYN_STREAM':
        return this.#open(frame.streamId, frame.fin, frame.block)
      case 'HEADERS':
      case 'SYN_REPLY':
        return this.#skipHeaders(frame.streamId, frame.fin, frame.block)
      case 'RST_STREAM':
        this.#streams.get(frame.streamId)?.reset()
        return undefined
      case 'PING':
        // Even ids are answers to our own.
        if (frame.id % 2 === 1) this.#answer(pingFrame(frame.id))
        return undefined
      case 'GOAWAY':
      case 'other':
        return undefined
    }
  }

  #data(id: number, bytes: Uint8Array, fin: boolean): void {
    const stream = this.#streams.get(id)
    if (stream !== undefined) {
      if (bytes.length > 0) stream.receive(bytes)
      if (fin) stream.receiveEnd()
    } else if (id > this.#lastStreamId || id === 0) {
      this.#answer(rstStreamFrame(id, RstStatus.invalidStream))
    }
    // What comes for a stream that was there is late, and nothing is wrong with that.
  }

  async #open(id: number, fin: boolean, block: Uint8Array): Promise<void> {
    const headers = await this.#headers.read(block)
    if (this.#closed) return
    if (id % 2 === 0 || id <= this.#lastStreamId)
      throw new SpdyError(`stream ${id} after ${this.#lastStreamId}`)
    this.#lastStreamId = id
    if (this.#streams.size >= MOST_STREAMS) return this.#answer(rstStreamFrame(id, RstStatus.refusedStream))
    const stream = new SpdyStream(id, this)
    this.#streams.set(id, stream)
    // First, because the handler may write at once.
    this.#answer(synReplyFrame(id, this.#replies.write(new Map())))
    if (!this.#handler.onStream(stream, headers)) {
      this.#streams.delete(id)
      return this.#answer(rstStreamFrame(id, RstStatus.protocolError))
    }
    if (fin) stream.receiveEnd()
  }

  async #skipHeaders(id: number, fin: boolean, block: Uint8Array): Promise<void> {
    await this.#headers.read(block)
    if (fin) this.#streams.get(id)?.receiveEnd()
  }

  #end(reason: string | undefined): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#pings)
    this.#headers.close()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const stream of streams) stream.reset()
    this.#handler.onClose(reason)
    this.#wake()
  }
}
