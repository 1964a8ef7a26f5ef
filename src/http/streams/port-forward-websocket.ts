// port-forward in the channels of a WebSocket, as client-node and Python's client ask for it: one connection to each
// port of the query, with the channels 2i for data and 2i + 1 for errors. The first message of each says the port.
// There is no half-close: the socket ends when all connections have.

import type { PodPorts } from '../../api/request.js'
import type { ByteStream } from './byte-stream.js'
import type { ChannelSocket } from './channel-socket.js'
import { forwardPort } from './port-forward.js'

export const WEBSOCKET_FORWARD_PROTOCOLS = [
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'portforward.k8s.io',
]

export function serveWebSocketForward(
  socket: ChannelSocket,
  ports: PodPorts,
  wanted: readonly number[],
): void {
  const streams = wanted.map((port, index) => {
    const pair = {
      port,
      data: new ChannelStream(socket, 2 * index),
      error: new ChannelStream(socket, 2 * index + 1),
    }
    const number = Buffer.alloc(2)
    number.writeUInt16LE(port)
    void pair.data.write(number)
    void pair.error.write(number)
    return pair
  })
  socket.onMessage = (channel, bytes) => {
    const pair = streams[channel >> 1]
    if (pair !== undefined && channel % 2 === 0) return pair.data.onBytes?.(bytes)
    return undefined
  }
  socket.onClose = () => {
    for (const { data } of streams) data.onClose?.()
  }
  let left = streams.length
  for (const pair of streams) {
    forwardPort(pair, ports, () => {
      if (--left === 0) socket.close(1000)
    })
  }
}

/** A channel as a stream; its client can't end it, and is not told when we do. */
class ChannelStream implements ByteStream {
  onBytes: ByteStream['onBytes']
  onEnd: (() => void) | undefined
  onClose: (() => void) | undefined
  readonly #socket: ChannelSocket
  readonly #channel: number

  constructor(socket: ChannelSocket, channel: number) {
    this.#socket = socket
    this.#channel = channel
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#socket.send(this.#channel, bytes)
  }

  /** The pod's side sends no more: as nobody can tell the client, its own side ends as well. */
  end(): void {
    this.onEnd?.()
  }

  finish(): void {}
}
