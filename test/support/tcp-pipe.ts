// Two TCP connections joined by a path that loses, duplicates and delays segments, under a virtual clock. The
// segments pass through the codec as bytes, so that what is compared at the end went over a wire.

import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { MILLISECOND, type Micros, NEVER } from '../../src/base/time.js'
import { TcpConnection } from '../../src/tcp/connection.js'
import { acceptSyn } from '../../src/tcp/listen.js'
import type { TcpOptions } from '../../src/tcp/tcb.js'
import { parseTcp, tcpHeaderBytes, tcpSegment, writeTcp } from '../../src/wire/tcp.js'
import { LOCAL, REMOTE } from './tcp.js'

export interface PathOptions {
  /** One-way delay; up to `jitter` is added to each segment, so that they overtake each other. */
  readonly delay?: Micros
  readonly jitter?: Micros
  readonly lossRatio?: number
  readonly duplicateRatio?: number
  /** Bits per second each way; unlimited when absent. */
  readonly rate?: number
  readonly seed?: string
  readonly client?: Partial<TcpOptions>
  readonly server?: Partial<TcpOptions>
}

interface Flying {
  readonly at: Micros
  readonly toServer: boolean
  readonly bytes: Uint8Array
}

export class TcpPipe {
  readonly client: TcpConnection
  server: TcpConnection | undefined
  now: Micros = 0
  /** Segments that left each side, and what of the path they met. */
  sent = 0
  lost = 0
  readonly #options: PathOptions
  readonly #random: Random
  readonly #flying: Flying[] = []
  readonly #segment = tcpSegment()
  readonly #busyUntil: [Micros, Micros] = [0, 0]

  constructor(options: PathOptions = {}) {
    this.#options = options
    this.#random = new Random(options.seed ?? 'pipe')
    this.client = TcpConnection.connect(
      { local: REMOTE, remote: LOCAL, initialSequence: 0xffff_0000, mss: 1460, ...options.client },
      0,
    )
    this.#drain(this.client, true)
  }

  /** Runs until `done` or `limit`; `done` and `work` (the users of both ends) run after every event. */
  run(work: () => void, done: () => boolean, limit: Micros): boolean {
    for (;;) {
      work()
      this.#drain(this.client, true)
      if (this.server !== undefined) this.#drain(this.server, false)
      if (done()) return true
      const next = Math.min(
        this.#flying[0]?.at ?? NEVER,
        this.client.deadline(),
        this.server?.deadline() ?? NEVER,
      )
      if (next > limit) return false
      this.now = Math.max(this.now, next)
      this.client.advance(this.now)
      this.server?.advance(this.now)
      while (this.#flying.length > 0 && this.#flying[0]!.at <= this.now) this.#deliver(this.#flying.shift()!)
    }
  }

  #deliver(flying: Flying): void {
    const segment = this.#segment
    const [source, destination] = flying.toServer
      ? [REMOTE.address, LOCAL.address]
      : [LOCAL.address, REMOTE.address]
    assert.is(parseTcp(flying.bytes, 0, flying.bytes.length, source, destination, segment), undefined)
    if (!flying.toServer) return this.client.input(segment, this.now)
    if (this.server !== undefined) return this.server.input(segment, this.now)
    this.server = acceptSyn(
      segment,
      { local: LOCAL, remote: REMOTE, initialSequence: 0x7fff_ff00, mss: 1460, ...this.#options.server },
      this.now,
    )
  }

  #drain(connection: TcpConnection, toServer: boolean): void {
    const { delay = 10 * MILLISECOND, jitter = 0, lossRatio = 0, duplicateRatio = 0 } = this.#options
    const segment = this.#segment
    while (connection.output(segment, this.now)) {
      this.sent++
      const length = segment.payloadEnd
      const header = tcpHeaderBytes(segment)
      const bytes = new Uint8Array(header + length)
      connection.copyPayload(segment, bytes, header)
      const [source, destination] = toServer
        ? [REMOTE.address, LOCAL.address]
        : [LOCAL.address, REMOTE.address]
      writeTcp(bytes, 0, segment, length, source, destination)
      const at = this.#departure(toServer, bytes.length) + delay
      if (this.#random.float() < lossRatio) this.lost++
      else this.#launch(at + this.#random.int(jitter + 1), toServer, bytes)
      if (this.#random.float() < duplicateRatio)
        this.#launch(at + this.#random.int(jitter + 1), toServer, bytes)
    }
  }

  #departure(toServer: boolean, bytes: number): Micros {
    const side = toServer ? 0 : 1
    const took = this.#options.rate === undefined ? 0 : Math.ceil((bytes * 8 * 1e6) / this.#options.rate)
    return (this.#busyUntil[side] = Math.max(this.now, this.#busyUntil[side]) + took)
  }

  /** Keeps the list sorted by time, ties in the order of departure. */
  #launch(at: Micros, toServer: boolean, bytes: Uint8Array): void {
    let index = this.#flying.length
    while (index > 0 && this.#flying[index - 1]!.at > at) index--
    this.#flying.splice(index, 0, { at, toServer, bytes })
  }
}

export interface Transfer {
  readonly finished: boolean
  /** Virtual time it took. */
  readonly time: Micros
  readonly sent: number
  readonly lost: number
  /** What each end received. */
  readonly atServer: Uint8Array
  readonly atClient: Uint8Array
}

/** Sends `up` to the server and `down` to the client at the same time, then closes both sides. */
export function transfer(options: PathOptions, up: Uint8Array, down: Uint8Array, limit: Micros): Transfer {
  const pipe = new TcpPipe(options)
  const ends = [
    { give: up, given: 0, got: new Uint8Array(down.length + 1), taken: 0, closed: false },
    { give: down, given: 0, got: new Uint8Array(up.length + 1), taken: 0, closed: false },
  ]
  const work = () => {
    for (const [side, end] of ends.entries()) {
      const connection = side === 0 ? pipe.client : pipe.server
      if (connection === undefined) continue
      if (connection.error !== undefined) throw connection.error
      if (end.given < end.give.length) {
        const chunk = end.give.subarray(end.given, end.given + 65_536)
        end.given += connection.write(chunk, pipe.now)
      } else if (!end.closed && connection.state !== 'SYN-SENT' && connection.state !== 'SYN-RECEIVED') {
        end.closed = true
        connection.shutdown(pipe.now)
      }
      end.taken += connection.readInto(end.got.subarray(end.taken))
    }
  }
  const done = () => pipe.client.ended && pipe.server?.ended === true
  const finished = pipe.run(work, done, limit)
  return {
    finished,
    time: pipe.now,
    sent: pipe.sent,
    lost: pipe.lost,
    atServer: ends[1]!.got.subarray(0, ends[1]!.taken),
    atClient: ends[0]!.got.subarray(0, ends[0]!.taken),
  }
}
