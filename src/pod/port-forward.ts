// One forwarded connection, from the pod's side: what the container runtime does for the kubelet's port-forward. It
// joins the pod's network namespace and connects to a port on its loopback; bytes go both ways, and each way ends by
// itself. Unlike containerd, which allows the other way one second then.

import { SystemError } from '../base/errors.js'
import type { Connection, Net } from '../posix/net.js'
import { ipv4 } from '../wire/address.js'
import { StreamWindow } from './stream-window.js'

const LOOPBACK = ipv4('127.0.0.1')

export interface PortForwardOptions {
  /** The pod's network. */
  readonly net: Net
  readonly port: number
  /** Of the pod, for messages. */
  readonly uid: string
  readonly hostNetwork: boolean
  readonly output: (bytes: Uint8Array) => void
  readonly outputEnd: () => void
  readonly inputTaken: (bytes: number) => void
  /** Called once; `error` in the words of kubelet and containerd. */
  readonly exit: (error: string | undefined) => void
}

export class PortForward {
  readonly #options: PortForwardOptions
  readonly #window = new StreamWindow()
  readonly #abort = new AbortController()
  readonly #connected: Promise<Connection>
  /** What the client sent, one after the other. */
  #written: Promise<unknown>
  /** Settles when the client has ended its side, or can't go on. */
  readonly #inputEnd: Promise<void>
  #inputEnded: () => void = () => {}
  #inputFailed: (error: unknown) => void = () => {}

  constructor(options: PortForwardOptions) {
    this.#options = options
    const to = { address: LOOPBACK, port: options.port }
    this.#connected = options.net.connect(to, { signal: this.#abort.signal })
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
    const { output, outputEnd, exit } = this.#options
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
      exit(this.#abort.signal.aborted ? undefined : this.#failure(error, connection))
    }
  }

  #failure(error: unknown, connection: Connection | undefined): string {
    const { port, uid, hostNetwork } = this.#options
    const why = error instanceof SystemError ? goError(error) : String(error)
    const namespace = hostNetwork ? 'host' : `/var/run/netns/cni-${uid}`
    const what =
      connection === undefined
        ? `failed to dial ${port}: dial tcp4 127.0.0.1:${port}: connect: ${why}`
        : `read tcp4 127.0.0.1:${connection.local.port}->127.0.0.1:${port}: read: ${why}`
    return `error forwarding port ${port} to pod ${uid}, uid : failed to execute portforward in network namespace "${namespace}": ${what}`
  }
}

/** The text of an error as programs in Go print it. */
function goError({ code }: SystemError): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused'
    case 'ECONNRESET':
      return 'connection reset by peer'
    case 'ETIMEDOUT':
      return 'connection timed out'
    default:
      return code
  }
}
