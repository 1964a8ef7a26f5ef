// exec and attach in the channels of a WebSocket: 0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize; in v5 also 255, by
// which the client ends a channel.

import type { RemoteStreams } from '../../api/request.js'
import type { ChannelSocket } from './channel-socket.js'
import {
  type CommandClient,
  type CommandOptions,
  type CommandResult,
  ResizeReader,
  runCommand,
} from './remote-command.js'

export const WEBSOCKET_COMMAND_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
]

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const RESIZE = 4
const CLOSE = 255

export function serveWebSocketCommand(
  socket: ChannelSocket,
  protocol: string,
  remote: RemoteStreams,
  options: CommandOptions,
): void {
  const client = new WebSocketCommandClient(socket, protocol, options)
  runCommand(client, remote, options)
}

class WebSocketCommandClient implements CommandClient {
  onInput: CommandClient['onInput']
  onInputEnd: CommandClient['onInputEnd']
  onResize: CommandClient['onResize']
  onClose: CommandClient['onClose']
  readonly #socket: ChannelSocket
  readonly #protocol: string
  readonly #options: CommandOptions
  #inputEnded = false
  #finished = false

  constructor(socket: ChannelSocket, protocol: string, options: CommandOptions) {
    this.#socket = socket
    this.#protocol = protocol
    this.#options = options
    const sizes = new ResizeReader()
    socket.onMessage = (channel, bytes) => {
      if (this.#finished) return undefined
      if (channel === STDIN && options.stdin && !this.#inputEnded) return this.onInput?.(bytes)
      if (channel === RESIZE) for (const [columns, rows] of sizes.read(bytes)) this.onResize?.(columns, rows)
      if (channel === CLOSE && protocol.startsWith('v5.') && bytes[0] === STDIN) this.#endInput()
      return undefined
    }
    socket.onClose = () => {
      if (!this.#finished) this.onClose?.()
    }
    // As the kubelet does: clients wait for a first message to know that the channels work.
    void socket.send(options.stdout ? STDOUT : options.stderr ? STDERR : ERROR, new Uint8Array(0))
  }

  async output(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> {
    const { stdout, stderr } = this.#options
    if (stream === 'stdout' ? stdout : stderr)
      await this.#socket.send(stream === 'stdout' ? STDOUT : STDERR, bytes)
  }

  finish(result: CommandResult): void {
    this.#finished = true
    const tellsStatus = /^v[45]\./.test(this.#protocol)
    const text = tellsStatus ? JSON.stringify(result) : (result.message ?? '')
    if (text !== '') void this.#socket.send(ERROR, Buffer.from(text))
    this.#socket.close(1000)
  }

  #endInput(): void {
    if (this.#inputEnded || !this.#options.stdin) return
    this.#inputEnded = true
    this.onInputEnd?.()
  }
}
