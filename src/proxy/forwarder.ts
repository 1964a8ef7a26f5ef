// What the TCP and UDP forwarders of the userspace mode share: the service port they serve, the node they run
// on, and the report of each flow. Read next: tcp-forwarder.ts, udp-forwarder.ts.

import { SystemError } from '../base/errors.js'
import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { TimerHeap } from '../base/timer-heap.js'
import { EPHEMERAL_PORTS, type SocketApi } from '../stack/socket.js'
import type { Endpoint, IpAddress, Port } from '../wire/address.js'
import type { RoundRobin } from './round-robin.js'
import type { ServicePortInfo } from './service-port.js'

/** A connection or datagram association that a proxy took on. */
export interface ProxyFlow {
  readonly at: Micros
  readonly protocol: 'TCP' | 'UDP'
  readonly client: Endpoint
  /** `namespace/service:port`. */
  readonly service: string
  readonly clusterIP: IpAddress
  /** Undefined when there was no endpoint, or none could be reached. */
  readonly endpoint: Endpoint | undefined
}

/** A deadline's owner. */
export interface Timed {
  due(now: Micros): void
}

/** What a forwarder works with. */
export interface Forwarding {
  readonly info: ServicePortInfo
  readonly balancer: RoundRobin
  readonly sockets: SocketApi
  readonly timers: TimerHeap<Timed>
  readonly random: Random
  readonly udpTimeout: Micros
  readonly onFlow: ((flow: ProxyFlow) => void) | undefined
}

/** The local end of one service port: rules send the cluster IP's traffic to it. */
export interface Forwarder {
  /** Local port that it listens on. */
  readonly port: Port
  /** Stops taking new clients: the service port is gone. */
  close(): void
  /** Gives up clients that have no connection to an endpoint yet: the program ends. */
  abort(): void
}

/** endpointDialTimeouts of kube-proxy: how long each attempt to reach an endpoint may take. */
export const DIAL_TIMEOUTS: readonly Micros[] = [250_000, 500_000, 1_000_000, 2_000_000]

const PORT_ATTEMPTS = 32

/** Opens something on a random free port: the seeded counterpart of listening on port 0. */
export function onRandomPort<Socket>(random: Random, open: (port: Port) => Socket): Socket {
  const count = EPHEMERAL_PORTS.last - EPHEMERAL_PORTS.first + 1
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    try {
      return open(EPHEMERAL_PORTS.first + random.int(count))
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EADDRINUSE') throw error
    }
  }
  return open(0)
}

export function reportFlow(forwarding: Forwarding, client: Endpoint, endpoint: Endpoint | undefined): void {
  const { info, onFlow, sockets } = forwarding
  onFlow?.({
    at: sockets.now,
    protocol: info.protocol === 'UDP' ? 'UDP' : 'TCP',
    client,
    service: info.name,
    clusterIP: info.clusterIP,
    endpoint: endpoint && { address: endpoint.address, port: endpoint.port },
  })
}
