// exec and attach between their client, on whichever transport, and the pod's side: what goes where, and how the end
// is told (the remote command protocol of k8s.io/kubelet's streaming server).

import type { RemoteStreams, Status } from '../../api/request.js'

/** The client's side. */
export interface CommandClient {
  onInput: ((bytes: Uint8Array) => unknown) | undefined
  onInputEnd: (() => void) | undefined
  onResize: ((columns: number, rows: number) => void) | undefined
  /** Gone before it was told the end. */
  onClose: (() => void) | undefined
  /** Resolves when the client has room for more. Output that it did not ask for is dropped. */
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>
  /** Tells how it ended, and ends the connection. */
  finish(result: CommandResult): void
}

/** A Status as the protocol has it: without kind and apiVersion. */
export type CommandResult = Pick<Status, 'metadata' | 'status' | 'message' | 'reason' | 'details' | 'code'>

export interface CommandOptions {
  readonly kind: 'exec' | 'attach'
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/**
 * Unlike the kubelet, a command with a terminal waits for the terminal's size, which clients tell right after the
 * handshake - so that programs that look at it once see the right one - but no longer than this.
 */
const SIZE_WAIT_MS = 200

/** Joins the two; the command starts now, or with the size of its terminal. */
export function runCommand(client: CommandClient, remote: RemoteStreams, options: CommandOptions): void {
  let started = false
  let over = false
  const start = () => {
    clearTimeout(timer)
    if (started || over) return
    started = true
    remote.onOutput = (stream, bytes) => client.output(stream, bytes)
    remote.onExit = (exit) => {
      if (over) return
      over = true
      client.finish(resultOf(options.kind, exit))
    }
  }
  const timer = options.tty && options.kind === 'exec' ? setTimeout(start, SIZE_WAIT_MS) : undefined
  client.onClose = () => {
    over = true
    clearTimeout(timer)
    remote.close()
  }
  client.onResize = (columns, rows) => {
    remote.resize(columns, rows)
    start()
  }
  client.onInput = (bytes) => {
    start()
    return remote.write(bytes)
  }
  client.onInputEnd = () => {
    start()
    remote.end()
  }
  if (timer === undefined) start()
}

/** Unlike exec, attach ends well however the container does: clients look at the pod for that. */
function resultOf(
  kind: CommandOptions['kind'],
  { exitCode, error }: { readonly exitCode: number; readonly error?: string },
): CommandResult {
  if (error !== undefined) {
    const what = kind === 'exec' ? 'error executing command in container' : 'error attaching to container'
    const message = `${what}: ${error}`
    return {
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${message}`,
      reason: 'InternalError',
      details: { causes: [{ message }] },
      code: 500,
    }
  }
  if (kind === 'attach' || exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

/** The sizes in a stream of JSON objects, one behind the other; what is none is passed over. */
export class ResizeReader {
  #text = ''

  /** Columns and rows, of objects that are complete. */
  read(bytes: Uint8Array): (readonly [columns: number, rows: number])[] {
    this.#text += Buffer.from(bytes).toString('latin1')
    const sizes: (readonly [number, number])[] = []
    for (let end = this.#text.indexOf('}'); end >= 0; end = this.#text.indexOf('}')) {
      const size = sizeOf(this.#text.slice(0, end + 1))
      this.#text = this.#text.slice(end + 1)
      if (size !== undefined) sizes.push(size)
    }
    // An object of two numbers is short.
    if (this.#text.length > LONGEST_SIZE) this.#text = ''
    return sizes
  }
}

const LONGEST_SIZE = 256

/** Names in any case, as Go's JSON decoder takes them: client-node writes them in lower case. */
function sizeOf(text: string): readonly [columns: number, rows: number] | undefined {
  const field = (name: string) => Number(new RegExp(`"${name}"\\s*:\\s*(\\d{1,5})\\b`, 'i').exec(text)?.[1])
  const [columns, rows] = [field('width'), field('height')]
  return columns > 0 && rows > 0 ? [columns, rows] : undefined
}
