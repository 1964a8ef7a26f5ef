// Virtual services and their real servers, as ipvsadm(8) names them: plain state and counters. Who picks a server is
// scheduler.ts; what happens to packets is ipvs.ts.

import type { IpAddress, Port } from '../wire/address.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { PROTOCOL_SCTP } from '../wire/sctp.js'
import type { Scheduler, SchedulerFlag, SchedulerName } from './scheduler.js'

export type IpvsProtocol = 'TCP' | 'UDP' | 'SCTP'

/** What packets a virtual service takes: those to an address and port, or those that carry a firewall mark. */
export type VirtualServiceId =
  | { readonly protocol: IpvsProtocol; readonly address: IpAddress; readonly port: Port }
  | { readonly fwmark: number }

export interface Persistence {
  /** How long a client stays with its server after its last new connection. */
  readonly timeoutSeconds: number
  /** Clients that are one client; default 255.255.255.255. */
  readonly netmask?: IpAddress
}

export interface VirtualServiceOptions {
  /** Default `wlc`, as ipvsadm. */
  readonly scheduler?: SchedulerName
  readonly schedulerFlags?: readonly SchedulerFlag[]
  readonly persistence?: Persistence
}

/** Counters of a service or server since it was made. Bytes count from the IP header on. */
export interface Statistics {
  connections: number
  packetsIn: number
  packetsOut: number
  bytesIn: number
  bytesOut: number
}

export function makeStatistics(): Statistics {
  return { connections: 0, packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0 }
}

/** One backend of a virtual service, reached by masquerading (ipvsadm -m). */
export class RealServer {
  readonly service: VirtualService
  readonly address: IpAddress
  readonly port: Port
  /** 0: no new connections, those that are there go on. */
  weight: number
  /** The last weight that was not 0: hash tables keep a server's share while it is quiesced. */
  lastWeight: number
  /** It is in its service's list; false once removed, while connections still name it. */
  available = true
  /** ActiveConn: TCP connections that are opening or established. */
  activeConnections = 0
  /** InActConn: all others. */
  inactiveConnections = 0
  /** PersistConn: clients that are bound to it. */
  persistentConnections = 0
  readonly statistics = makeStatistics()

  constructor(service: VirtualService, address: IpAddress, port: Port, weight: number) {
    this.service = service
    this.address = address
    this.port = port
    this.weight = weight
    this.lastWeight = weight
  }
}

export class VirtualService {
  readonly id: VirtualServiceId
  scheduler: Scheduler
  schedulerName: SchedulerName
  schedulerFlags: readonly SchedulerFlag[]
  persistence: Persistence | undefined
  /** The one that was added last comes first, as the kernel's list: schedulers walk it in this order. */
  readonly servers: RealServer[]
  readonly statistics = makeStatistics()

  constructor(
    id: VirtualServiceId,
    scheduler: (servers: readonly RealServer[]) => Scheduler,
    name: SchedulerName,
    options: VirtualServiceOptions,
  ) {
    this.id = id
    this.servers = []
    this.scheduler = scheduler(this.servers)
    this.schedulerName = name
    this.schedulerFlags = options.schedulerFlags ?? []
    this.persistence = options.persistence
  }

  server(address: IpAddress, port: Port): RealServer | undefined {
    return this.servers.find((server) => server.address === address && server.port === port)
  }
}

/** By IP protocol number. */
export function protocolName(protocol: number): IpvsProtocol | undefined {
  switch (protocol) {
    case PROTOCOL_TCP:
      return 'TCP'
    case PROTOCOL_UDP:
      return 'UDP'
    case PROTOCOL_SCTP:
      return 'SCTP'
    default:
      return undefined
  }
}
