// The client's end of a command or shell in a cluster of another process: a WebSocket with the channels of Kubernetes'
// exec, to exec itself (http/streams/pod-upgrade.ts) or to a terminal (http/streams/terminal-upgrade.ts).

import type { IncomingMessage } from 'node:http'
import WebSocket from 'ws'
import { ChannelSocket } from '../http/streams/channel-socket.js'
import { SESSION_HEADER, TERMINAL_PROTOCOLS } from '../http/streams/terminal-protocol.js'
import { type ClusterAddress, ClusterRefusal, messageOf, noAnswer, textOf } from './cluster-client.js'

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const RESIZE = 4
const CLOSE = 255
const TIMEOUT_MS = 10_000
/** How ws calls it. */
const HANDSHAKE_TIMEOUT = 'Opening handshake has timed out'

/** What a command tells. */
export interface CommandListener {
  /** When it returns a promise, the next output comes when that has settled. */
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): unknown
  /** Called once: the exit code, or why there is none. */
  exit(result: CommandEnd): void
}

export interface CommandEnd {
  readonly exitCode: number
  readonly error?: string
}

export class RemoteCommand {
  /** Of a terminal that is kept; undefined without one. */
  readonly session: string | undefined
  readonly #channels: ChannelSocket
  #result: CommandEnd | undefined

  private constructor(channels: ChannelSocket, session: string | undefined, listener: CommandListener) {
    this.session = session
    this.#channels = channels
    channels.onMessage = (channel, bytes) => {
      if (channel === ERROR) this.#result = resultOf(Buffer.from(bytes).toString())
      else if (channel === STDOUT || channel === STDERR)
        return bytes.length > 0 && listener.output(channel === STDOUT ? 'stdout' : 'stderr', bytes)
      return undefined
    }
    channels.onClose = () => {
      listener.exit(this.#result ?? { exitCode: 1, error: 'the connection to the cluster was lost' })
    }
  }

  /** Rejects with ClusterRefusal, or with an Error that says why there is no connection. */
  static open(
    { server, ca, token }: ClusterAddress,
    path: string,
    listener: CommandListener,
  ): Promise<RemoteCommand> {
    const url = new URL(path, server)
    url.protocol = url.protocol.replace('http', 'ws')
    const headers = { authorization: `Bearer ${token}` }
    const socket = new WebSocket(url, TERMINAL_PROTOCOLS, {
      ca,
      headers,
      perMessageDeflate: false,
      handshakeTimeout: TIMEOUT_MS,
    })
    return new Promise((resolve, reject) => {
      socket.on('error', (error) =>
        reject(error.message === HANDSHAKE_TIMEOUT ? noAnswer(TIMEOUT_MS) : error),
      )
      socket.on('unexpected-response', (request, response) => {
        refusalOf(response).then(reject, reject)
        response.on('close', () => request.destroy())
      })
      // The first messages may be in the same packet as the answer: they are listened for now.
      socket.on('upgrade', ({ headers: answered, socket: transport }) => {
        const session = answered[SESSION_HEADER]?.toString()
        const shell = new RemoteCommand(new ChannelSocket(socket, transport, false), session, listener)
        socket.on('open', () => resolve(shell))
      })
    })
  }

  /** Resolves when the bytes are on their way. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#channels.send(STDIN, bytes)
  }

  /** End of standard input. */
  end(): void {
    void this.#channels.send(CLOSE, Uint8Array.of(STDIN))
  }

  resize(columns: number, rows: number): void {
    void this.#channels.send(RESIZE, Buffer.from(JSON.stringify({ Width: columns, Height: rows })))
  }

  /** Goes away: a shell whose terminal is kept stays, another command gets SIGHUP. */
  close(): void {
    this.#channels.close(1000)
  }
}

async function refusalOf(response: IncomingMessage): Promise<ClusterRefusal> {
  const { statusCode = 0 } = response
  return new ClusterRefusal(statusCode, messageOf(statusCode, await textOf(response)))
}

/** Of the Status that tells how a command ended. */
function resultOf(text: string): CommandEnd {
  const status = JSON.parse(text) as {
    status?: string
    reason?: string
    message?: string
    details?: { causes?: { reason?: string; message?: string }[] }
  }
  if (status.status === 'Success') return { exitCode: 0 }
  const code = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message
  if (status.reason === 'NonZeroExitCode' && code !== undefined) return { exitCode: Number(code) }
  return { exitCode: 1, error: status.message ?? 'it failed' }
}
