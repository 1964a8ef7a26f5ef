// What a load client is told to do and what it tells of it: plain data, JSON on its command line and frames on its
// standard output. The client is load-client.ts; who reads the frames and counts is bench/.

import type { Micros } from '../../base/time.js'

/** What exec calls the load client, in a container of any image. */
export const LOAD_COMMAND = 'podwire-load'

export type LoadProtocol = 'http' | 'tcp' | 'udp'

/** What an HTTP request has besides its path. */
export interface HttpRequestSpec {
  /** Default GET. */
  readonly method?: string
  /** `Name: value`; one of Host replaces the Service's. */
  readonly headers?: readonly string[]
  /** Sent as it is, with its Content-Length. */
  readonly body?: string
}

export interface LoadSpec {
  readonly protocol: LoadProtocol
  /** A name or an address; with several addresses each connection takes the first of what it is told. */
  readonly host: string
  readonly port: number
  /** Looks the name up for every connection, as clients without a cache do; else once. */
  readonly resolveEach: boolean
  /** What is sent: the path of an HTTP request; text for tcp and udp ('' for tcp: connect and be done). */
  readonly payload: string
  readonly http?: HttpRequestSpec
  readonly connections: number
  /** One connection for many requests, or one each. */
  readonly keepAlive: boolean
  /** Open loop: requests a second of this client; 0: closed loop, each connection sends when it has its answer. */
  readonly rate: number
  /** Open loop: when the first request is due, so that several clients send in turn; default 0. */
  readonly firstDue?: Micros
  /**
   * When the first request is sent, on the cluster's clock; at once when that is over. Undefined: the client tells that it
   * is ready, and is told by a line with the number on its standard input.
   */
  readonly startAt?: Micros
  readonly duration: Micros
  /** How long a connection or an answer may take. */
  readonly timeout: Micros
}

/** How a request ended; the place is its code in records. An HTTP status that is no success is its own code. */
export const OUTCOMES = [
  'ok',
  'connection refused',
  'timeout',
  'connection reset',
  'connection closed',
  'name not resolved',
  'unreachable',
  'no local port',
] as const
export type Outcome = (typeof OUTCOMES)[number] | `HTTP ${number}`

export function outcomeCode(outcome: Outcome): number {
  const code = OUTCOMES.indexOf(outcome as (typeof OUTCOMES)[number])
  return code >= 0 ? code : Number(outcome.slice(5))
}

export function outcomeText(code: number): Outcome {
  return OUTCOMES[code] ?? `HTTP ${code}`
}

/** Words of a record; each request is one: slot, connection, intended start, delay until sent, latency, outcome. */
export const RECORD_WORDS = 6
export const SLOT = 0
export const CONNECTION = 1
/** Microseconds since `startAt` at which the request was due. */
export const START = 2
/** How much later than that it was sent. */
export const LATE = 3
/** From when it was due to the end of its answer. */
export const LATENCY = 4
export const OUTCOME = 5

/** A connection, in the order in which they were begun; told before its requests' records. */
export interface ConnectionRecord {
  readonly connection: number
  readonly slot: number
  /** Since `startAt`. */
  readonly opened: Micros
  readonly local: string
  readonly remote: string
}

/** At the end. */
export interface LoadSummary {
  /** Frames and bytes of all but the loopback interface, both directions, during the load. */
  readonly frames: number
  readonly bytes: number
  /** Since `startAt`: when the last request had ended. */
  readonly ended: Micros
}

/** The kinds of frames on standard output: `kind` and length, 32 bits each, little endian, then so many bytes. */
export const FRAME_REQUESTS = 1
export const FRAME_CONNECTIONS = 2
export const FRAME_SUMMARY = 3
/** Empty: all is there to begin. */
export const FRAME_READY = 4
export const FRAME_HEAD_BYTES = 8
