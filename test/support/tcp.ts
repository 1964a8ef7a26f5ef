// TCP by script, in the manner of packetdrill: segments go in and are expected out as text, with sequence numbers
// relative to both ISNs. `S. 0(0) ack 1 win 1000 <mss 1460,wscale 7>`: flags, first octet (length of text), then
// what else matters; what is not said is not compared. Every segment that comes out must be expected.

import * as assert from 'uvu/assert'
import { MILLISECOND, type Micros } from '../../src/base/time.js'
import type { TcpConnection } from '../../src/tcp/connection.js'
import { TcpConnection as Connection } from '../../src/tcp/connection.js'
import { acceptSyn } from '../../src/tcp/listen.js'
import { seqAdd, seqDistance } from '../../src/tcp/seq.js'
import type { TcpState } from '../../src/tcp/state.js'
import type { TcpOptions } from '../../src/tcp/tcb.js'
import { ipv4 } from '../../src/wire/address.js'
import {
  ACK,
  CWR,
  ECE,
  FIN,
  PSH,
  RST,
  type Seq,
  SYN,
  type TcpSegment,
  tcpSegment,
  URG,
} from '../../src/wire/tcp.js'

const FLAGS: readonly (readonly [string, number])[] = [
  ['S', SYN],
  ['F', FIN],
  ['R', RST],
  ['P', PSH],
  ['.', ACK],
  ['U', URG],
  ['E', ECE],
  ['W', CWR],
]
const SEGMENT_TEXT = /^(\S+) (\d+)\((\d+)\)(?: ack (\d+))?(?: win (\d+))?(?: <([^>]*)>)?$/

/** Byte `offset` of a test stream: no period that a buffer size could hide. */
export function streamByte(offset: number): number {
  return (offset * 31 + (offset >>> 8) * 17 + (offset >>> 16) * 101) & 255
}

export function streamBytes(start: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => streamByte(start + i))
}

export const LOCAL = { address: ipv4('192.0.2.1'), port: 8080 }
export const REMOTE = { address: ipv4('192.0.2.2'), port: 40000 }

export interface ScriptOptions extends Partial<TcpOptions> {
  /** The peer's ISN. */
  readonly irs?: Seq
}

interface Sent {
  readonly at: Micros
  readonly text: string
  readonly segment: TcpSegment
}

export class TcpScript {
  connection!: TcpConnection
  now: Micros = 1_000_000
  readonly #options: TcpOptions
  readonly #irs: Seq
  readonly #start: Micros
  readonly #sent: Sent[] = []
  #written = 0

  constructor(options: ScriptOptions = {}) {
    const { irs, ...rest } = options
    this.#irs = irs ?? 0x2000_0000
    this.#options = { local: LOCAL, remote: REMOTE, initialSequence: 0x1000_0000, mss: 1460, ...rest }
    this.#start = this.now
  }

  /** Active OPEN; the SYN waits to be expected. */
  connect(): this {
    this.connection = Connection.connect(this.#options, this.now)
    return this.#drain()
  }

  /** A SYN at a listener. */
  listen(syn: string): this {
    const connection = acceptSyn(this.#parse(syn), this.#options, this.now)
    assert.ok(connection, 'the listener accepts')
    this.connection = connection
    return this.#drain()
  }

  /** A segment of the peer; its text, if any, is the test stream's from its sequence number on. */
  in(text: string): this {
    this.silent()
    this.connection.input(this.#parse(text), this.now)
    return this.#drain()
  }

  /** The next segment that left. */
  out(text: string): this {
    const sent = this.#sent.shift()
    assert.ok(sent, `expected ${text}, nothing was sent`)
    assert.is(this.#describe(sent.segment, text), text)
    return this
  }

  /** As `out`, and it left so many milliseconds after the script began. */
  outAt(ms: number, text: string): this {
    const at = this.#sent[0]?.at
    this.out(text)
    assert.is((at! - this.#start) / MILLISECOND, ms, `time of ${text}`)
    return this
  }

  /** Nothing left that was not expected. */
  silent(): this {
    assert.is(this.#sent.map((sent) => sent.text).join('; '), '', 'segments nobody expected')
    return this
  }

  /** Lets time pass, with every timer on its way. */
  after(ms: number): this {
    return this.until(this.now + ms * MILLISECOND)
  }

  /** Lets time pass to so many milliseconds after the script began. */
  at(ms: number): this {
    return this.until(this.#start + ms * MILLISECOND)
  }

  until(end: Micros): this {
    while (this.connection.deadline() <= end) {
      this.now = Math.max(this.now, this.connection.deadline())
      this.connection.advance(this.now)
      this.#drain()
    }
    this.now = end
    return this
  }

  /** Any call of the user. */
  do(call: (connection: TcpConnection, now: Micros) => void): this {
    call(this.connection, this.now)
    return this.#drain()
  }

  /** The user writes the next `length` bytes of the test stream, and all are taken. */
  write(length: number): this {
    const bytes = streamBytes(1 + this.#written, length)
    this.#written += length
    return this.do((connection, now) => assert.is(connection.write(bytes, now), length, 'bytes taken'))
  }

  read(length: number): this {
    return this.do((connection) => assert.is(connection.read(length)?.length ?? 0, length, 'bytes read'))
  }

  shutdown(): this {
    return this.do((connection, now) => connection.shutdown(now))
  }

  close(): this {
    return this.do((connection, now) => connection.close(now))
  }

  state(state: TcpState): this {
    assert.is(this.connection.state, state)
    return this
  }

  /** The code of the connection's error, undefined for none. */
  error(code: string | undefined): this {
    assert.is(this.connection.error?.code, code)
    return this
  }

  /** Forgets what left, where a test is about something else. */
  skip(): this {
    this.#sent.length = 0
    return this
  }

  /** Takes what left, as text. */
  taken(): string[] {
    return this.#sent.splice(0).map((sent) => sent.text)
  }

  #drain(): this {
    for (let i = 0; ; i++) {
      assert.ok(i < 10_000, 'output comes to an end')
      const segment = tcpSegment()
      if (!this.connection.output(segment, this.now)) return this
      if (segment.payloadEnd > 0) {
        segment.bytes = new Uint8Array(segment.payloadEnd)
        this.connection.copyPayload(segment, segment.bytes, 0)
        const first = seqDistance(this.#options.initialSequence, segment.seq)
        assert.equal(segment.bytes, streamBytes(first, segment.payloadEnd), 'text that was sent')
      }
      this.#sent.push({ at: this.now, text: this.#describe(segment), segment })
    }
  }

  #parse(text: string): TcpSegment {
    const match = SEGMENT_TEXT.exec(text)
    assert.ok(match, `not a segment: ${text}`)
    const [, letters, seq, length, ack, window, options] = match
    const segment = tcpSegment()
    segment.sourcePort = this.#options.remote.port
    segment.destinationPort = this.#options.local.port
    segment.seq = seqAdd(this.#irs, Number(seq))
    segment.ack = ack === undefined ? 0 : seqAdd(this.#options.initialSequence, Number(ack))
    segment.window = window === undefined ? 0xffff : Number(window)
    segment.flags = flagBits(letters!)
    segment.mss = 0
    segment.windowScale = -1
    for (const option of options?.split(',') ?? []) {
      const [name, value] = option.trim().split(' ')
      if (name === 'mss') segment.mss = Number(value)
      else if (name === 'wscale') segment.windowScale = Number(value)
    }
    segment.bytes = streamBytes(Number(seq), Number(length))
    segment.payloadStart = 0
    segment.payloadEnd = segment.bytes.length
    return segment
  }

  /** Says of `segment` what `like` says of one; everything without it. */
  #describe(segment: TcpSegment, like = ' ack win <>'): string {
    const letters = FLAGS.filter(([, bit]) => (segment.flags & bit) !== 0).map(([letter]) => letter)
    // RST alone has the sequence number the peer acknowledged.
    let text = `${letters.join('')} ${seqDistance(this.#options.initialSequence, segment.seq) >>> 0}`
    text += `(${segment.payloadEnd})`
    if ((segment.flags & ACK) !== 0 && like.includes(' ack'))
      text += ` ack ${seqDistance(this.#irs, segment.ack) >>> 0}`
    if (like.includes(' win')) text += ` win ${segment.window}`
    const options = []
    if (segment.mss > 0) options.push(`mss ${segment.mss}`)
    if (segment.windowScale >= 0) options.push(`wscale ${segment.windowScale}`)
    if (like.includes('<') && (options.length > 0 || like !== ' ack win <>'))
      text += ` <${options.join(',')}>`
    return text
  }
}

export function flagBits(letters: string): number {
  return FLAGS.reduce((bits, [letter, bit]) => (letters.includes(letter) ? bits | bit : bits), 0)
}

/** A script whose connection was opened by us and is established; the peer's MSS is 1000. */
export function established(
  options: ScriptOptions = {},
  synAck = 'S. 0(0) ack 1 win 60000 <mss 1000>',
): TcpScript {
  const script = new TcpScript(options).connect().out('S 0(0)')
  return script.in(synAck).out('. 1(0) ack 1').state('ESTABLISHED')
}

/** The same, opened by the peer. */
export function accepted(options: ScriptOptions = {}): TcpScript {
  const script = new TcpScript(options).listen('S 0(0) win 60000 <mss 1000>').out('S. 0(0) ack 1')
  return script.in('. 1(0) ack 1 win 60000').state('ESTABLISHED').silent()
}
