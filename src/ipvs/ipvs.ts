// The kernel's load balancer, IP Virtual Server (net/netfilter/ipvs of Linux), on one host's stack: what is sent to a
// virtual service is given a real server's address and sent on, and what comes back gets the service's address again.
// Forwarding is by masquerading (NAT) only. Here: services, servers and the hooks; scheduling.ts is the choice of a server, icmp-errors.ts the errors
// about packets that were translated, ipvsadm.ts the text.
//
// It stands where Linux has it: in INPUT and FORWARD behind the filter table, in OUTPUT behind destination NAT. What it
// sends on passes OUTPUT and POSTROUTING, so that rules may masquerade it (sysctl net.ipv4.vs.conntrack=1).

import { getUint16 } from '../base/bytes.js'
import type { Netfilter } from '../netfilter/netfilter.js'
import { rewriteDestination, rewriteSource } from '../netfilter/rewrite.js'
import { isIcmp } from '../netfilter/tuple.js'
import type { HookName, HookVerdict, Packet } from '../stack/hooks.js'
import type { Stack } from '../stack/stack.js'
import {
  type AddressFamily,
  type Endpoint,
  familyOf,
  formatEndpoint,
  type IpAddress,
  isIpv6,
  type Port,
} from '../wire/address.js'
import { PROTOCOL_TCP } from '../wire/ip.js'
import { SYN } from '../wire/tcp.js'
import { type Connection, ConnectionTable } from './connection.js'
import { ConntrackFlows } from './conntrack-flows.js'
import { IcmpErrors } from './icmp-errors.js'
import { makeScheduler } from './scheduler.js'
import { chooseServer } from './scheduling.js'
import {
  protocolName,
  RealServer,
  VirtualService,
  type VirtualServiceId,
  type VirtualServiceOptions,
} from './service.js'
import { nextTcpState } from './tcp-state.js'
import { DEFAULT_TIMEOUTS, type IpvsTimeouts, timeoutOf } from './timeouts.js'

/** NF_IP_PRI_NAT_SRC - 1, NF_IP_PRI_NAT_DST + 2 and 100: behind filter rules, before source NAT. */
const PRIORITIES = { INPUT: 99, OUTPUT: -98, FORWARD: 99 } as const

/** What ipvsadm answers to a command that makes no sense. */
export class IpvsError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'IpvsError'
  }
}

export class Ipvs {
  readonly #stack: Stack
  readonly #netfilter: Netfilter
  readonly #flows: ConntrackFlows
  readonly #icmp: IcmpErrors
  readonly #services = new Map<string | number, VirtualService>()
  readonly #connections: ConnectionTable
  /** Removed servers that connections still name: added again, they are themselves again. */
  readonly #trash = new Map<string, RealServer>()
  readonly #unregister: (() => void)[] = []
  #fwmarks = 0
  /** The packet that is on its way out through the hooks again (skb->ipvs_property). */
  #sending: Packet | undefined
  timeouts: IpvsTimeouts = DEFAULT_TIMEOUTS

  /** Hooks itself into the stack; `netfilter` is the same stack's. */
  constructor(stack: Stack, netfilter: Netfilter) {
    this.#stack = stack
    this.#netfilter = netfilter
    this.#flows = new ConntrackFlows(netfilter)
    this.#connections = new ConnectionTable((connection) => this.#onEnd(connection))
    this.#icmp = new IcmpErrors(this.#connections)
    const { hooks } = stack
    this.#unregister.push(
      hooks.register('INPUT', PRIORITIES.INPUT, (packet, hook) => this.#guard(packet, hook)),
      hooks.register('OUTPUT', PRIORITIES.OUTPUT, (packet, hook) => this.#guard(packet, hook)),
      hooks.register('FORWARD', PRIORITIES.FORWARD, (packet, hook) => this.#guard(packet, hook), {
        cacheable: true,
      }),
    )
  }

  // ---- services and servers

  /** ipvsadm -A. Throws IpvsError when there is one already. */
  addService(id: VirtualServiceId, options: VirtualServiceOptions = {}): VirtualService {
    const key = keyOf(id)
    if (this.#services.has(key)) throw new IpvsError('Service already exists')
    const name = options.scheduler ?? 'wlc'
    const make = (servers: readonly RealServer[]) =>
      makeScheduler(name, options.schedulerFlags ?? [], servers)
    const service = new VirtualService(id, make, name, options)
    this.#services.set(key, service)
    this.#netfilter.rulesChanged()
    if ('fwmark' in id) this.#fwmarks++
    return service
  }

  /** ipvsadm -E: another scheduler or persistence; connections and counters stay. */
  editService(service: VirtualService, options: VirtualServiceOptions): void {
    const name = options.scheduler ?? 'wlc'
    const flags = options.schedulerFlags ?? []
    if (name !== service.schedulerName || flags.join() !== service.schedulerFlags.join()) {
      service.scheduler = makeScheduler(name, flags, service.servers)
    }
    service.schedulerName = name
    service.schedulerFlags = flags
    service.persistence = options.persistence
  }

  /** ipvsadm -D. Its connections are given up with their next packet. */
  removeService(service: VirtualService): void {
    for (const server of [...service.servers]) this.removeServer(server)
    if (!this.#services.delete(keyOf(service.id))) return
    if ('fwmark' in service.id) this.#fwmarks--
  }

  service(id: VirtualServiceId): VirtualService | undefined {
    return this.#services.get(keyOf(id))
  }

  /** In the order in which they were added. */
  services(): VirtualService[] {
    this.#connections.expire(this.#stack.now)
    return [...this.#services.values()]
  }

  /** ipvsadm -a. Throws IpvsError when there is one already. */
  addServer(service: VirtualService, { address, port }: Endpoint, weight = 1): RealServer {
    if (service.server(address, port) !== undefined) throw new IpvsError('Destination already exists')
    const key = serverKey(service, address, port)
    const server = this.#trash.get(key) ?? new RealServer(service, address, port, weight)
    this.#trash.delete(key)
    server.available = true
    server.weight = weight
    server.lastWeight = weight
    service.servers.unshift(server)
    service.scheduler.changed()
    return server
  }

  /** ipvsadm -e. Weight 0 quiesces: connections go on, new ones are not given to it. */
  setWeight(server: RealServer, weight: number): void {
    server.weight = weight
    if (weight !== 0) server.lastWeight = weight
    server.service.scheduler.changed()
  }

  /** ipvsadm -d. */
  removeServer(server: RealServer): void {
    const { service } = server
    const position = service.servers.indexOf(server)
    if (position < 0) return
    const previous = service.servers[position - 1]
    service.servers.splice(position, 1)
    server.available = false
    service.scheduler.removed(server, previous)
    if (isReferred(server)) this.#trash.set(serverKey(service, server.address, server.port), server)
  }

  /** ipvsadm -C: services, servers and connections go; with a family, only those with addresses of it. */
  flush(family?: AddressFamily): void {
    const goes = (address: IpAddress) => family === undefined || familyOf(address) === family
    for (const connection of [...this.#connections.values()]) {
      if (goes(connection.virtual.address)) this.#connections.remove(connection)
    }
    for (const service of [...this.#services.values()]) {
      const { id } = service
      if ('fwmark' in id ? family === undefined : goes(id.address)) this.removeService(service)
    }
  }

  /** Flushes, and looks at packets no more. */
  close(): void {
    this.flush()
    for (const unregister of this.#unregister) unregister()
  }

  /** Ends the connections that are over: before their numbers are read. */
  expire(): void {
    this.#connections.expire(this.#stack.now)
  }

  /** Connections and templates, the oldest first. */
  connections(): Connection[] {
    this.#connections.expire(this.#stack.now)
    return [...this.#connections.values()]
  }

  // ---- packets

  #guard(packet: Packet, hook: HookName): HookVerdict {
    if (packet === this.#sending) return 'ACCEPT'
    if (this.#services.size === 0 && this.#connections.size === 0) return 'ACCEPT'
    // It counts each packet of a connection: none is spared the way here.
    this.#netfilter.recorder.spoil()
    this.#connections.expire(this.#stack.now)
    // What is forwarded is not sent to a virtual service, whose addresses are this host's.
    const requests = hook !== 'FORWARD'
    if (isIcmp(packet.header.protocol)) {
      if (!this.#icmp.translate(packet, requests)) return 'ACCEPT'
      // Towards a server: it goes on from here.
      return requests && !this.#stack.isLocal(packet.header.destination) ? this.#send(packet) : 'ACCEPT'
    }
    const { bytes, header } = packet
    if (header.payloadEnd - header.payloadStart < 8) return 'ACCEPT'
    const source = { address: header.source, port: getUint16(bytes, header.payloadStart) }
    const destination = { address: header.destination, port: getUint16(bytes, header.payloadStart + 2) }
    if (this.#reply(packet, hook, source, destination)) return 'ACCEPT'
    return requests ? this.#request(packet, hook, source, destination) : 'ACCEPT'
  }

  /** A server's answer: as from the virtual service. False when it is none. */
  #reply(packet: Packet, hook: HookName, server: Endpoint, client: Endpoint): boolean {
    const connection = this.#connections.byReply(server, client, packet.header.protocol)
    if (connection === undefined) return false
    for (const { statistics } of [connection.server, connection.service]) {
      statistics.packetsOut++
      statistics.bytesOut += packet.header.totalLength
    }
    this.#follow(connection, packet, true)
    rewriteSource(packet, connection.virtual.address, connection.virtual.port)
    this.#netfilter.translatedByIpvs('source', server, hook, packet)
    return true
  }

  #request(packet: Packet, hook: HookName, client: Endpoint, virtual: Endpoint): HookVerdict {
    const { protocol, totalLength } = packet.header
    const opens = protocol !== PROTOCOL_TCP || (tcpFlags(packet) & SYN) !== 0
    let connection = this.#connections.byRequest(client, virtual, protocol)
    if (connection !== undefined && this.#isStale(connection, protocol === PROTOCOL_TCP && opens)) {
      const tracked = this.#flows.isConfirmed(packet)
      this.#connections.remove(connection)
      // Its flow still leads to the old server: the client's next attempt begins a new one.
      if (tracked) return 'DROP'
      connection = undefined
    }
    if (connection === undefined) {
      const service = this.#find(packet, virtual)
      if (service === undefined || !opens) return 'ACCEPT'
      connection = this.#schedule(packet, service, client, virtual)
      if (connection === undefined) return this.#netfilter.refuse(packet, hook)
    }
    for (const { statistics } of [connection.server, connection.service]) {
      statistics.packetsIn++
      statistics.bytesIn += totalLength
    }
    this.#follow(connection, packet, false)
    const { server } = connection
    rewriteDestination(packet, server.address, server.port)
    this.#netfilter.translatedByIpvs('destination', virtual, hook, packet)
    this.#flows.alterReply(packet, server)
    // On this very host: it goes on upwards.
    return this.#stack.isLocal(server.address) ? 'ACCEPT' : this.#send(packet)
  }

  /**
   * Whether a connection's packet may not follow it: its server was removed (expire_nodest_conn=1), or a new connection
   * between the same ports begins while the old one is over or its server quiesced (conn_reuse_mode=1).
   */
  #isStale({ server, state, control }: Connection, opens: boolean): boolean {
    if (opens) {
      if (server.weight === 0) return true
      if (control === undefined && (state === 'TIME_WAIT' || state === 'CLOSE')) return true
    }
    return !server.available
  }

  #find(packet: Packet, virtual: Endpoint): VirtualService | undefined {
    if (this.#fwmarks > 0 && packet.mark !== 0) {
      const marked = this.#services.get(keyOf({ fwmark: packet.mark }))
      if (marked !== undefined) return marked
    }
    const protocol = protocolName(packet.header.protocol)
    return protocol && this.#services.get(keyOf({ protocol, ...virtual }))
  }

  #schedule(
    packet: Packet,
    service: VirtualService,
    client: Endpoint,
    virtual: Endpoint,
  ): Connection | undefined {
    const { protocol } = packet.header
    const { now } = this.#stack
    const choice = chooseServer(this.#connections, service, { protocol, client, virtual }, now)
    if (choice === undefined) return undefined
    const { server, control } = choice
    const flow = this.#flows.flowOf(packet)
    server.statistics.connections++
    service.statistics.connections++
    return this.#connections.add({
      protocol,
      client,
      virtual,
      service,
      server,
      template: false,
      control,
      flow,
    })
  }

  #follow(connection: Connection, packet: Packet, fromServer: boolean): void {
    if (connection.protocol === PROTOCOL_TCP) {
      connection.setState(nextTcpState(connection.state, fromServer, tcpFlags(packet)))
    }
    connection.timeout = timeoutOf(this.timeouts, connection)
    this.#connections.touch(connection, this.#stack.now)
  }

  #send(packet: Packet): HookVerdict {
    const outer = this.#sending
    this.#sending = packet
    this.#stack.resend(packet)
    this.#sending = outer
    return 'STOLEN'
  }

  #onEnd(connection: Connection): void {
    const { server } = connection
    if (!connection.template) this.#flows.forget(connection.flow)
    if (!server.available && !isReferred(server)) {
      this.#trash.delete(serverKey(server.service, server.address, server.port))
    }
  }
}

function isReferred(server: RealServer): boolean {
  return server.activeConnections + server.inactiveConnections + server.persistentConnections > 0
}

const PROTOCOL_KEYS = { TCP: 0, UDP: 1, SCTP: 2 } as const

/** A number for an address and port, which packets are looked up by; text for a firewall mark. */
function keyOf(id: VirtualServiceId): number | string {
  if ('fwmark' in id) return `fwmark ${id.fwmark}`
  if (isIpv6(id.address)) return `${id.protocol} ${formatEndpoint(id)}`
  return (PROTOCOL_KEYS[id.protocol] * 0x1_0000_0000 + id.address) * 0x1_0000 + id.port
}

function serverKey(service: VirtualService, address: IpAddress, port: Port): string {
  return `${keyOf(service.id)}/${address}/${port}`
}

function tcpFlags({ bytes, header }: Packet): number {
  return bytes[header.payloadStart + 13] ?? 0
}
