// The answer to a watch: a line of JSON for each event, for as long as the client stays. A client that reads slowly
// costs references to objects, not their text, and is left when it falls too far behind, as upstream does: it lists
// and watches anew. Who asks for bookmarks has one every minute.

import type { ServerResponse } from 'node:http'
import type { Api, ApiRequest, Status, WatchLine } from '../api/request.js'
import { RequestError } from '../api/status.js'
import { flag, parameter } from '../api/target.js'

/** Events that wait for a client, besides those that it is told of at first. */
const MOST_PENDING = 10_000
/** Lines that were written are let go of so many at a time. */
const KEPT_LINES = 10_000
const LONGEST_TIMEOUT_SECONDS = 2_000_000
const EXPIRED = 410

/** Throws a RequestError when the watch is refused. */
export function streamWatch(
  api: Api,
  request: ApiRequest,
  response: ServerResponse,
  bookmarkMillis: number,
): void {
  const lines = new LineStream(response, MOST_PENDING)
  const stop = api.watch(request, (line) => lines.push(line))
  const refusal = lines.refusal()
  if (refusal !== undefined) throw new RequestError(refusal)
  response.on('close', stop)
  response.writeHead(200, { 'content-type': 'application/json' })
  // A client that waits for its first event wants to know before that it is being told.
  response.flushHeaders()
  lines.start()
  if (api.bookmark !== undefined && flag(request, 'allowWatchBookmarks')) {
    const tell = () => lines.push(api.bookmark!(request))
    const timer = setInterval(tell, bookmarkMillis)
    response.on('close', () => clearInterval(timer))
  }
  const seconds = Math.min(Number(parameter(request, 'timeoutSeconds') ?? 0), LONGEST_TIMEOUT_SECONDS)
  if (!(seconds > 0)) return
  const timer = setTimeout(() => response.end(), seconds * 1000)
  response.on('close', () => clearTimeout(timer))
}

/** Lines on their way to one client. */
export class LineStream {
  readonly #response: ServerResponse
  readonly #mostPending: number
  #pending: WatchLine[] = []
  /** Of #pending, how many have been written. */
  #written = 0
  #most = Number.POSITIVE_INFINITY
  #flowing = false

  /** `mostPending`: lines that wait, besides those that came before `start`. */
  constructor(response: ServerResponse, mostPending: number) {
    this.#response = response
    this.#mostPending = mostPending
  }

  /** Why there is no watch, if that is the first thing that was said. A version that is too old is told as an event. */
  refusal(): Status | undefined {
    const [first] = this.#pending
    if (first?.type !== 'ERROR') return undefined
    const status = first.object as Status
    return status.code === EXPIRED ? undefined : status
  }

  start(): void {
    this.#most = this.#pending.length + this.#mostPending
    this.#flowing = true
    this.#response.on('drain', () => {
      this.#flowing = true
      this.#write()
    })
    this.#write()
  }

  push(line: WatchLine): void {
    if (this.#response.destroyed) return
    this.#pending.push(line)
    if (this.#flowing) this.#write()
    else if (this.#pending.length - this.#written > this.#most) this.#response.destroy()
  }

  #write(): void {
    while (this.#flowing && this.#written < this.#pending.length && !this.#response.writableEnded) {
      const line = this.#pending[this.#written++]!
      this.#flowing = this.#response.write(`${JSON.stringify(line)}\n`)
      if (line.type === 'ERROR') this.#response.end()
    }
    if (this.#written === this.#pending.length || this.#written > KEPT_LINES) {
      this.#pending = this.#pending.slice(this.#written)
      this.#written = 0
    }
  }
}
