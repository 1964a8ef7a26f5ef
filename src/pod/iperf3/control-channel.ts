// iperf3's control connection: states of one byte, JSON behind a length of four bytes, big endian; before anything else
// the client's cookie. What is said when is client.ts and server.ts. (The protocol has no RFC: this is what 3.x speaks.)

import type { Connection } from '../../posix/net.js'

export const STATE = {
  TEST_START: 1,
  TEST_RUNNING: 2,
  TEST_END: 4,
  PARAM_EXCHANGE: 9,
  CREATE_STREAMS: 10,
  SERVER_TERMINATE: 11,
  CLIENT_TERMINATE: 12,
  EXCHANGE_RESULTS: 13,
  DISPLAY_RESULTS: 14,
  IPERF_DONE: 16,
  /** -1 and -2 as bytes. */
  ACCESS_DENIED: 255,
  SERVER_ERROR: 254,
} as const

/** 36 characters and a NUL; every data connection begins with it as well. */
export const COOKIE_BYTES = 37
const COOKIE_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz234567'
/** More than any test's parameters or results. */
const LONGEST_JSON = 1024 * 1024

/** What both sides tell each other at the end; fields in iperf3's own words. */
export interface StreamResult {
  readonly id: number
  readonly bytes: number
  readonly retransmits: number
  /** Seconds. */
  readonly jitter: number
  readonly errors: number
  readonly packets: number
  readonly start_time: number
  readonly end_time: number
}

export interface TestResult {
  readonly cpu_util_total: number
  readonly cpu_util_user: number
  readonly cpu_util_system: number
  readonly sender_has_retransmits: number
  readonly streams: readonly StreamResult[]
}

/** The test as the client wants it. */
export interface TestParameters {
  readonly tcp?: boolean
  readonly udp?: boolean
  readonly omit: number
  readonly time: number
  readonly num: number
  readonly blockcount: number
  readonly parallel: number
  readonly reverse?: boolean
  readonly len: number
  readonly bandwidth?: number
  readonly client_version: string
}

/** Ends the program with `iperf3: error - MESSAGE`. */
export class IperfError extends Error {}

export class ControlChannel {
  readonly connection: Connection
  readonly #signal: AbortSignal
  #pending: Uint8Array = new Uint8Array(0)

  constructor(connection: Connection, signal: AbortSignal) {
    this.connection = connection
    this.#signal = signal
    connection.setNoDelay(true)
  }

  /** The next so many bytes; undefined when the other side ends before. */
  async read(length: number): Promise<Uint8Array | undefined> {
    while (this.#pending.length < length) {
      const bytes = await this.connection.read(this.#signal)
      if (bytes === undefined) return undefined
      const all = new Uint8Array(this.#pending.length + bytes.length)
      all.set(this.#pending)
      all.set(bytes, this.#pending.length)
      this.#pending = all
    }
    const taken = this.#pending.slice(0, length)
    this.#pending = this.#pending.slice(length)
    return taken
  }

  /** undefined when the other side is gone. */
  async readState(): Promise<number | undefined> {
    return (await this.read(1))?.[0]
  }

  sendState(state: number): Promise<void> {
    return this.connection.write(Uint8Array.of(state), this.#signal)
  }

  /** Throws IperfError for what is no JSON. */
  async readJson(): Promise<unknown> {
    const head = await this.read(4)
    const length = head === undefined ? 0 : new DataView(head.buffer).getUint32(0)
    const body = length > LONGEST_JSON ? undefined : await this.read(length)
    if (body === undefined) throw new IperfError('control socket has closed unexpectedly')
    try {
      return JSON.parse(new TextDecoder().decode(body))
    } catch {
      throw new IperfError('unable to receive parameters from the other side: no JSON')
    }
  }

  async sendJson(value: unknown): Promise<void> {
    const body = new TextEncoder().encode(JSON.stringify(value))
    const message = new Uint8Array(4 + body.length)
    new DataView(message.buffer).setUint32(0, body.length)
    message.set(body, 4)
    await this.connection.write(message, this.#signal)
  }

  close(): void {
    this.connection.close()
  }
}

export function makeCookie(random: { int(limit: number): number }): Uint8Array {
  const cookie = new Uint8Array(COOKIE_BYTES)
  for (let i = 0; i < COOKIE_BYTES - 1; i++)
    cookie[i] = COOKIE_CHARACTERS.charCodeAt(random.int(COOKIE_CHARACTERS.length))
  return cookie
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
