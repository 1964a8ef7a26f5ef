// One forwarded connection between its client, on whichever transport, and a port of the pod.

import type { PodPorts } from '../../api/request.js'
import type { ByteStream } from './byte-stream.js'

/** A connection as the client sees it: its bytes, and words when something is wrong. */
export interface ForwardClient {
  readonly port: number
  readonly data: ByteStream
  readonly error: ByteStream
}

/** Joins the two. `onEnd`: it is over, with both sides told. */
export function forwardPort(
  { port, data, error }: ForwardClient,
  ports: PodPorts,
  onEnd: () => void = () => {},
): void {
  const remote = ports.dial(port)
  let over = false
  remote.onOutput = (_stream, bytes) => data.write(bytes)
  remote.onOutputEnd = () => {
    data.end()
    // kubectl waits for this one before it ends its own side.
    error.end()
  }
  data.onClose = () => remote.close()
  remote.onExit = (exit) => {
    if (over) return
    over = true
    if (exit.error !== undefined) void error.write(Buffer.from(exit.error))
    data.onBytes = () => undefined
    data.finish()
    error.finish()
    onEnd()
  }
  data.onBytes = (bytes) => remote.write(bytes)
  data.onEnd = () => remote.end()
}

/** A TCP port, of decimal digits; undefined when it is none. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}
