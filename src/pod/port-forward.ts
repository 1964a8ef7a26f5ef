// One forwarded connection, from the pod's side: what the container runtime does for the kubelet's port-forward. It
// joins the pod's network namespace and connects to a port on its loopback; bytes go both ways, and each way ends by
// itself. Unlike containerd, which allows the other way one second then.

import { SystemError } from '../base/errors.js'
import type { Net } from '../posix/net.js'
import { ipv4 } from '../wire/address.js'
import { ConnectionStream, type ConnectionStreamOptions } from './connection-stream.js'

const LOOPBACK = ipv4('127.0.0.1')

export interface PortForwardOptions
  extends Pick<ConnectionStreamOptions, 'output' | 'outputEnd' | 'inputTaken' | 'exit'> {
  /** The pod's network. */
  readonly net: Net
  readonly port: number
  /** Of the pod, for messages. */
  readonly uid: string
  readonly hostNetwork: boolean
}

/** `exit` hears of errors in the words of kubelet and containerd. */
export function portForward(options: PortForwardOptions): ConnectionStream {
  const { net, port, uid, hostNetwork } = options
  return new ConnectionStream({
    ...options,
    connect: (signal) => net.connect({ address: LOOPBACK, port }, { signal }),
    failure: (error, connection) => {
      const why = error instanceof SystemError ? goError(error) : String(error)
      const namespace = hostNetwork ? 'host' : `/var/run/netns/cni-${uid}`
      const what =
        connection === undefined
          ? `failed to dial ${port}: dial tcp4 127.0.0.1:${port}: connect: ${why}`
          : `read tcp4 127.0.0.1:${connection.local.port}->127.0.0.1:${port}: read: ${why}`
      return `error forwarding port ${port} to pod ${uid}, uid : failed to execute portforward in network namespace "${namespace}": ${what}`
    },
  })
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
