// port-forward over SPDY, directly or in the tunnel of a WebSocket: for every connection an error and a data stream of
// the same requestid; when both are there, the port is dialled.

import type { Duplex } from 'node:stream'
import type { PodPorts } from '../../api/request.js'
import type { ByteStream } from './byte-stream.js'
import { forwardPort, parsePort } from './port-forward.js'
import { SpdyConnection } from './spdy-connection.js'
import { GoAwayStatus } from './spdy-frame.js'
import type { SpdyHeaders } from './spdy-headers.js'

export const SPDY_FORWARD_PROTOCOL = 'portforward.k8s.io'

/** As the kubelet's streamCreationTimeout: for the second stream of a pair. */
const CREATION_TIMEOUT_MS = 30_000

interface Half {
  readonly type: string
  readonly port: number
  readonly stream: ByteStream
  readonly timeout: NodeJS.Timeout
}

export function serveSpdyForward(transport: Duplex, ports: PodPorts): void {
  const halves = new Map<string, Half>()
  const connection = new SpdyConnection(transport, {
    onStream: (stream, headers) => {
      const type = headers.get('streamtype') ?? ''
      const port = parsePort(headers.get('port') ?? '')
      if (port === undefined || (type !== 'data' && type !== 'error')) return false
      const key = pairOf(headers, port)
      const other = halves.get(key)
      if (other === undefined) {
        const late = () => connection.close(GoAwayStatus.protocolError, 'a stream without its pair')
        halves.set(key, { type, port, stream, timeout: setTimeout(late, CREATION_TIMEOUT_MS) })
        return true
      }
      if (other.type === type || other.port !== port) return false
      clearTimeout(other.timeout)
      halves.delete(key)
      const [data, error] = type === 'data' ? [stream, other.stream] : [other.stream, stream]
      forwardPort({ port, data, error }, ports)
      return true
    },
    onClose: () => {
      for (const { timeout } of halves.values()) clearTimeout(timeout)
    },
  })
}

/** Clients from before requestid open both streams of a port one after the other. */
function pairOf(headers: SpdyHeaders, port: number): string {
  const requestId = headers.get('requestid')
  return requestId === undefined ? `port ${port}` : `request ${requestId}`
}
