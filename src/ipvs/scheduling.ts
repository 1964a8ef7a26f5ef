// The choice of a server for a new connection: by the service's scheduler, or for a persistent service by the template
// of the client, which binds it to the server of its first connection (ip_vs_sched_persist of Linux).

import { type Micros, SECOND } from '../base/time.js'
import type { Endpoint, IpAddress } from '../wire/address.js'
import type { Connection, ConnectionTable } from './connection.js'
import type { Persistence, RealServer, VirtualService } from './service.js'

/** What a new connection's first packet says. */
export interface FirstPacket {
  readonly protocol: number
  readonly client: Endpoint
  readonly virtual: Endpoint
}

export interface Choice {
  readonly server: RealServer
  /** The template that the connection belongs to. */
  readonly control: Connection | undefined
}

/** Undefined when no server takes new connections. */
export function chooseServer(
  connections: ConnectionTable,
  service: VirtualService,
  first: FirstPacket,
  now: Micros,
): Choice | undefined {
  const { persistence } = service
  if (persistence !== undefined) return chooseBound(connections, service, persistence, first, now)
  const server = scheduled(service, first, now)
  return server && { server, control: undefined }
}

function chooseBound(
  connections: ConnectionTable,
  service: VirtualService,
  persistence: Persistence,
  first: FirstPacket,
  now: Micros,
): Choice | undefined {
  const client = { address: clientNetwork(first.client.address, persistence.netmask), port: 0 }
  const { virtual, protocol } = first
  let template = connections.byRequest(client, virtual, protocol)
  // expire_quiescent_template=1: who is bound to a server that takes nothing new is bound anew.
  if (template !== undefined && (!template.server.available || template.server.weight === 0)) {
    connections.remove(template)
    template = undefined
  }
  if (template === undefined) {
    const server = scheduled(service, first, now)
    if (server === undefined) return undefined
    template = connections.add({ protocol, client, virtual, service, server, template: true })
  }
  template.timeout = persistence.timeoutSeconds * SECOND
  connections.touch(template, now)
  return { server: template.server, control: template }
}

/** Clients of one network are one client. IPv6 clients are told apart by the whole address. */
function clientNetwork(address: IpAddress, netmask: IpAddress | undefined): IpAddress {
  if (typeof address !== 'number' || typeof netmask !== 'number') return address
  return (address & netmask) >>> 0
}

function scheduled(
  service: VirtualService,
  { client, virtual }: FirstPacket,
  now: Micros,
): RealServer | undefined {
  return service.scheduler.schedule({
    source: client.address,
    sourcePort: client.port,
    destination: virtual.address,
    now,
  })
}
