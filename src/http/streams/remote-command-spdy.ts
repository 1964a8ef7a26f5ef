// exec and attach over SPDY: one stream each for error, stdin, stdout, stderr and resize, opened by the client, which
// waits for the reply to each. When all are there, the command begins.

import type { Duplex } from 'node:stream'
import type { RemoteStreams } from '../../api/request.js'
import type { ByteStream } from './byte-stream.js'
import {
  type CommandClient,
  type CommandOptions,
  type CommandResult,
  ResizeReader,
  runCommand,
} from './remote-command.js'
import { SpdyConnection } from './spdy-connection.js'
import { GoAwayStatus } from './spdy-frame.js'

/** Best first: v4 tells the result as a Status, v3 has resizing, v2 and the first are before both. */
export const SPDY_COMMAND_PROTOCOLS = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
]

/** As the kubelet's streamCreationTimeout. */
const CREATION_TIMEOUT_MS = 30_000

export function serveSpdyCommand(
  transport: Duplex,
  protocol: string,
  remote: RemoteStreams,
  options: CommandOptions,
): void {
  const client = new SpdyCommandClient(protocol === 'v4.channel.k8s.io')
  const wanted = wantedStreams(protocol, options)
  const timeout = setTimeout(
    () => connection.close(GoAwayStatus.protocolError, 'not all streams were opened'),
    CREATION_TIMEOUT_MS,
  )
  const connection = new SpdyConnection(transport, {
    onStream: (stream, headers) => {
      const type = headers.get('streamtype') ?? ''
      if (!wanted.delete(type)) return false
      client.streams.set(type, stream)
      if (wanted.size > 0) return true
      clearTimeout(timeout)
      client.join(() => connection.close())
      runCommand(client, remote, options)
      return true
    },
    onClose: () => {
      clearTimeout(timeout)
      if (client.onClose === undefined) remote.close()
      else client.onClose()
    },
  })
}

function wantedStreams(protocol: string, { stdin, stdout, stderr, tty }: CommandOptions): Set<string> {
  const wanted = new Set(['error'])
  if (stdin) wanted.add('stdin')
  if (stdout) wanted.add('stdout')
  if (stderr && !tty) wanted.add('stderr')
  if (tty && /^v[34]\./.test(protocol)) wanted.add('resize')
  return wanted
}

class SpdyCommandClient implements CommandClient {
  onInput: CommandClient['onInput']
  onInputEnd: CommandClient['onInputEnd']
  onResize: CommandClient['onResize']
  onClose: CommandClient['onClose']
  readonly streams = new Map<string, ByteStream>()
  readonly #tellsStatus: boolean
  #close: () => void = () => {}

  constructor(tellsStatus: boolean) {
    this.#tellsStatus = tellsStatus
  }

  /** All streams are there. `close`: ends the connection. */
  join(close: () => void): void {
    this.#close = close
    // What came early is handed over once the command listens.
    queueMicrotask(() => {
      const stdin = this.streams.get('stdin')
      const resize = this.streams.get('resize')
      const sizes = new ResizeReader()
      if (resize !== undefined) {
        resize.onBytes = (bytes) => {
          for (const [columns, rows] of sizes.read(bytes)) this.onResize?.(columns, rows)
        }
      }
      if (stdin !== undefined) {
        stdin.onBytes = (bytes) => this.onInput?.(bytes)
        stdin.onEnd = () => this.onInputEnd?.()
      }
    })
  }

  async output(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> {
    await this.streams.get(stream)?.write(bytes)
  }

  finish(result: CommandResult): void {
    const error = this.streams.get('error')
    if (this.#tellsStatus) void error?.write(Buffer.from(JSON.stringify(result)))
    else if (result.message !== undefined) void error?.write(Buffer.from(result.message))
    for (const stream of this.streams.values()) stream.finish()
    this.onClose = () => {}
    this.#close()
  }
}
