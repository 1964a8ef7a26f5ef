// A TCP connection of a stack as a stream across the border of its thread: what comes in on it goes out as events, input
// is written to it, within the windows of stream-window.ts. Bytes go both ways, and each way ends by itself.

import type { Connection } from '../posix/net.js'
import { StreamWindow } from './stream-window.js'

export interface ConnectionStreamOptions {
  /** Makes the connection, or has it already. */
  readonly connect: (signal: AbortSignal) => Promise<Connection>
  readonly output: (bytes: Uint8Array) => void
  readonly outputEnd: () => void
  readonly inputTaken: (bytes: number) => void
  /** The text for an error, before or on the connection. */
  readonly failure: (error: unknown, connection: Connection | undefined) => string
  /** Called once. */
  readonly exit: (error: string | undefined) => void
}

export class ConnectionStream {
  readonly #options: ConnectionStreamOptions
  readonly #window = new StreamWindow()
  readonly #abort = new AbortController()
  readonly #connected: Promise<Connection>
  /** What the client sent, one after the other. */
  #written: Promise<unknown>
  /** Settles when the client has ended its side, or can't go on. */
  readonly #inputEnd: Promise<void>
  #inputEnded: () => void = () => {}
  #inputFailed: (error: unknown) => void = () => {}

  constructor(options: ConnectionStreamOptions) {
    this.#options = options
    this.#connected = options.connect(this.#abort.signal)
    this.#written = this.#connected
    this.#inputEnd = new Promise((resolve, reject) => {
      this.#inputEnded = resolve
      this.#inputFailed = reject
    })
    // Told by what is read as well, as long as that goes on.
    this.#inputEnd.catch(() => {})
    void this.#run()
  }

  input(bytes: Uint8Array): void {
    this.#afterwards(async (connection) => {
      await connection.write(bytes, this.#abort.signal)
      this.#options.inputTaken(bytes.length)
    })
  }

  /** FIN after what was sent. */
  end(): void {
    this.#afterwards(async (connection) => {
      connection.shutdown()
      this.#inputEnded()
    })
  }

  taken(bytes: number): void {
    this.#window.taken(bytes)
  }

  /** The client is gone: RST. */
  close(): void {
    this.#window.open()
    this.#abort.abort()
    this.#inputFailed(this.#abort.signal.reason)
  }

  #afterwards(step: (connection: Connection) => Promise<void>): void {
    this.#written = this.#written.then(async () => step(await this.#connected))
    this.#written.catch(this.#inputFailed)
  }

  async #run(): Promise<void> {
    const { output, outputEnd, exit, failure } = this.#options
    let connection: Connection | undefined
    try {
      connection = await this.#connected
      const { signal } = this.#abort
      for (let bytes = await connection.read(signal); bytes; bytes = await connection.read(signal)) {
        this.#window.sent(bytes.length)
        output(bytes)
        await this.#window.room()
      }
      outputEnd()
      await this.#inputEnd
      connection.close()
      exit(undefined)
    } catch (error) {
      connection?.abort()
      exit(this.#abort.signal.aborted ? undefined : failure(error, connection))
    }
  }
}
