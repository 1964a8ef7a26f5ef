// One network namespace: what a pod or a node has instead of a kernel's network. Joins the layers - link.ts, ip.ts,
// icmp.ts, the sockets - and is the only thing of this folder that others talk to. Synchronous, without a clock:
// frames and time go in, frames and a deadline come out. Reading order: socket.ts, ip.ts, link.ts, tcp-sockets.ts.

import type { ChangeCount } from '../base/change-count.js'
import { type Offload, segmentBytes } from '../base/offload.js'
import type { Random } from '../base/random.js'
import { Slab } from '../base/slab.js'
import type { Micros } from '../base/time.js'
import { TimerHeap } from '../base/timer-heap.js'
import {
  type Cidr,
  type Endpoint,
  type InterfaceAddress,
  IPV4_LOOPBACK,
  type IpAddress,
  MAC_ZERO,
} from '../wire/address.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { packetBytes, packetCount } from '../wire/segmentation.js'
import type { Counters, Drops } from './counters.js'
import type { Expiring } from './expiring.js'
import type { FrameQueue } from './frame-queue.js'
import type { Hooks, Packet } from './hooks.js'
import { Icmp } from './icmp.js'
import {
  type Interface,
  type InterfaceOptions,
  LOOPBACK_INDEX,
  type PacketTap,
  showToTaps,
} from './interface.js'
import { Ip } from './ip.js'
import type { Neighbor } from './neighbors.js'
import { NetworkSettings } from './network-settings.js'
import { PingSockets } from './ping-sockets.js'
import { RawSockets } from './raw-sockets.js'
import { ReadyQueue } from './ready-queue.js'
import { Rejection } from './rejection.js'
import type { Route, RouteOptions, RouteTable } from './routes.js'
import type {
  PathUdpSocket,
  PingSocket,
  RawSocket,
  SocketApi,
  SocketRow,
  TcpListener,
  TcpSocket,
} from './socket.js'
import { TcpSockets } from './tcp-sockets.js'
import { UdpSockets } from './udp-sockets.js'

export interface StackOptions {
  readonly name: string
  readonly random: Random
  /** net.ipv4.ip_forward. Default false. */
  readonly forwarding?: boolean
  /** lo takes frames with work left to do (base/offload.ts), and TCP windows are large. Default false. */
  readonly offload?: boolean
  /** Where TCP takes its frames from, and gives those back whose text has arrived in a socket; default: a slab of its own. */
  readonly frames?: Slab | undefined
}

/** A frame that leaves through an interface (never lo). Valid until the next call of `transmit`. */
export interface StackFrame {
  interfaceIndex: number
  frame: Uint8Array
  /** Where it leaves the machine, for a frame of `forward`; else negative. */
  port: number
  /** What is left to do of it; only where the interface takes such frames. */
  offload: Offload
}

/** MTU of lo, as in Linux. */
const LOOPBACK_MTU_BYTES = 65_536

export class Stack implements SocketApi {
  readonly name: string
  readonly #timers = new TimerHeap<Expiring>()
  readonly #ready = new ReadyQueue()
  readonly #ip: Ip
  readonly #tcp: TcpSockets
  readonly #udp: UdpSockets
  readonly #pings: PingSockets
  /** Answers to packets that a firewall refuses. */
  readonly rejection: Rejection
  /** What `ip` changes. */
  readonly settings: NetworkSettings
  readonly #outgoing: StackFrame = {
    interfaceIndex: 0,
    frame: new Uint8Array(0),
    port: -1,
    offload: 0,
  }

  constructor(options: StackOptions) {
    this.name = options.name
    const { random } = options
    this.#ip = new Ip({
      random: random.fork('ip'),
      forwarding: options.forwarding ?? false,
      timers: this.#timers,
    })
    const frames = options.frames ?? new Slab()
    this.#tcp = new TcpSockets(this.#ip, random.fork('tcp'), this.#ready, this.#timers, frames)
    this.#udp = new UdpSockets(this.#ip, random.fork('udp'), this.#ready)
    this.#pings = new PingSockets(this.#ip, random.fork('ping'), this.#ready)
    this.#ip.raw = new RawSockets(this.#ip, this.#ready)
    this.#ip.transports.set(PROTOCOL_TCP, this.#tcp)
    this.#ip.transports.set(PROTOCOL_UDP, this.#udp)
    const icmp = new Icmp(this.#ip, this.#pings)
    this.#ip.transports.set(PROTOCOL_ICMP, icmp)
    this.#ip.transports.set(PROTOCOL_ICMPV6, icmp)
    this.rejection = new Rejection(this.#ip)
    this.settings = new NetworkSettings(this.#ip)
    this.addInterface({
      name: 'lo',
      mac: MAC_ZERO,
      mtuBytes: LOOPBACK_MTU_BYTES,
      addresses: [{ address: IPV4_LOOPBACK, prefixLength: 8 }],
      loopback: true,
      offload: options.offload ?? false,
    })
  }

  // ---- configuration

  /** Adds an interface and the routes to the prefixes of its addresses; gives its index. */
  addInterface(options: InterfaceOptions): number {
    const added = this.#ip.link.add(options)
    for (const address of added.addresses) this.settings.addConnectedRoute(added, address)
    this.#ip.paths.interfacesChanged()
    return added.index
  }

  /** Takes an interface away with its routes and neighbours. */
  removeInterface(index: number): void {
    this.#ip.link.remove(index)
    this.#ip.paths.routes.removeInterface(index)
    this.#ip.paths.interfacesChanged()
  }

  /**
   * Gives an interface other addresses, all at once (`ip addr add`, `ip addr del`). Routes to their prefixes are not
   * made or removed: for addresses of their own (/32), as on a dummy interface.
   */
  setAddresses(index: number, addresses: readonly InterfaceAddress[]): void {
    const changed = this.#ip.link.interfaces.get(index)
    if (changed === undefined) return
    changed.addresses = [...addresses]
    this.#ip.paths.interfacesChanged()
  }

  /** Broadcasts the addresses of an interface by ARP, so that who knew an earlier owner of them learns the new MAC. */
  announce(index: number): void {
    const output = this.#ip.link.interfaces.get(index)
    if (output !== undefined && !output.loopback) this.#ip.link.announce(output)
  }

  addRoute(route: RouteOptions): void {
    this.#ip.paths.routes.add(route)
    this.#ip.paths.changed()
  }

  /** Adds all routes of a table that other stacks have too; it must not change any more. */
  shareRoutes(table: RouteTable): void {
    this.#ip.paths.routes.share(table)
    this.#ip.paths.changed()
  }

  /** Removes the routes to exactly `destination`, of one gateway when it is given; how many there were. */
  removeRoute(destination: Cidr, gateway?: IpAddress): number {
    const removed = this.#ip.paths.routes.remove(destination, gateway)
    this.#ip.paths.changed()
    return removed
  }

  /** net.ipv4.conf.all.route_localnet: whether 127.0.0.0/8 may be translated to and from other interfaces. */
  get routeLocalnet(): boolean {
    return this.#ip.routeLocalnet
  }

  set routeLocalnet(allowed: boolean) {
    this.#ip.routeLocalnet = allowed
  }

  /** The five hook points, for netfilter. */
  get hooks(): Hooks {
    return this.#ip.hooks
  }

  /** Sends a packet on that a hook has taken and given another destination, through OUTPUT and POSTROUTING. */
  resend(packet: Packet): void {
    this.#ip.resend(packet)
  }

  // ---- the wire

  receive(interfaceIndex: number, frame: Uint8Array, now: Micros, offload: Offload = 0): void {
    this.setNow(now)
    const input = this.#ip.link.interfaces.get(interfaceIndex)
    if (input === undefined) return this.#ip.drops.count('no-interface')
    this.#ip.receive(input, frame, undefined, 0, offload)
    this.#ready.flush()
  }

  /**
   * A bridge of which this stack has the interface `interfaceIndex` forwards a frame between two of its ports: IPv4
   * passes the hook points on its way (net.bridge.bridge-nf-call-iptables, which Kubernetes needs so that answers
   * between pods of one node are translated back). `output` is called for each frame that the bridge shall forward;
   * a packet whose destination was translated is routed by the stack instead.
   */
  bridge(
    interfaceIndex: number,
    frame: Uint8Array,
    now: Micros,
    offload: Offload,
    output: (frame: Uint8Array) => void,
  ): void {
    this.setNow(now)
    const bridge = this.#ip.link.interfaces.get(interfaceIndex)
    if (bridge === undefined) return this.#ip.drops.count('no-interface')
    this.#ip.bridge(bridge, frame, offload, output)
    this.#ready.flush()
  }

  /**
   * Shows every packet of an interface to `tap`, until the returned function is called: what comes in before any rule
   * sees it, what leaves after all of them. Packets of lo are seen once.
   */
  tap(interfaceIndex: number, tap: PacketTap): () => void {
    const device = this.#ip.link.interfaces.get(interfaceIndex)
    if (device === undefined) return () => {}
    device.taps = new Set(device.taps).add(tap)
    return () => {
      const others = new Set(device.taps)
      others.delete(tap)
      device.taps = others.size === 0 ? undefined : others
    }
  }

  /** A frame passes a bridge without reaching its interface of this stack: only those see it who capture there. */
  passBy(interfaceIndex: number, frame: Uint8Array, now: Micros, offload: Offload): void {
    const taps = this.#ip.link.interfaces.get(interfaceIndex)?.taps
    if (taps !== undefined) showToTaps(taps, frame, offload, 'in', now)
  }

  // ---- beside the layers: packets of known flows, see host/fast-path.ts

  /** Counts when packets of a known flow may go another way than before, or meet other hook functions or rules. */
  get changes(): ChangeCount {
    return this.#ip.changes
  }

  /** Where packets to `destination` go, when that is one known neighbour on a wire. */
  nextHop(destination: IpAddress): { readonly output: Interface; readonly neighbor: Neighbor } | undefined {
    const path = this.#ip.path(destination)
    if (path === undefined || path.broadcast || path.output.loopback) return undefined
    const neighbor = this.#ip.link.neighbors.get(path.output, path.nextHop)
    return neighbor && { output: path.output, neighbor }
  }

  /** Frames that wait to be transmitted. */
  get waiting(): FrameQueue {
    return this.#ip.link.queue
  }

  /** Counts a frame as received, forwarded and sent that went past the stack. */
  countForwarded(input: Interface, output: Interface, frame: Uint8Array, offload: Offload): void {
    const { counters } = this.#ip
    const isOne = segmentBytes(offload) === 0
    const frames = isOne ? 1 : packetCount(frame, offload)
    const bytes = isOne ? frame.length : packetBytes(frame, offload)
    input.receivedFrames += frames
    input.receivedBytes += bytes
    counters.IpInReceives++
    counters.IpForwDatagrams++
    output.sentFrames += frames
    output.sentBytes += bytes
  }

  /** Lets time-outs that are due happen, delivers what is on lo, and calls the owners of ready sockets. */
  advance(now: Micros): void {
    this.setNow(now)
    for (let timer = this.#timers.due(now); timer !== undefined; timer = this.#timers.due(now)) {
      timer.owner.expire(now)
    }
    this.#ready.flush()
  }

  /** Next frame that leaves. Drained until undefined, it also delivers what this host sends to itself. */
  transmit(): StackFrame | undefined {
    const queue = this.#ip.link.queue
    for (;;) {
      const frame = queue.shift()
      if (frame !== undefined) {
        if (queue.interfaceIndex === LOOPBACK_INDEX) {
          this.#loop(frame, queue.tracking, queue.mark, queue.offload)
          continue
        }
        this.#outgoing.interfaceIndex = queue.interfaceIndex
        this.#outgoing.frame = frame
        this.#outgoing.offload = queue.offload
        this.#outgoing.port = queue.port
        return this.#outgoing
      }
      if (this.#tcp.output()) continue
      if (!this.#ready.pending) return undefined
      this.#ready.flush()
      if (queue.length === 0 && !this.#tcp.hasOutput) return undefined
    }
  }

  /** When `advance` wants to be called; `now` when there is something to transmit or an owner to be called. */
  deadline(): Micros {
    if (this.#ready.pending || this.#ip.link.queue.length > 0 || this.#tcp.hasOutput) return this.#ip.now
    return this.#timers.next()
  }

  #loop(frame: Uint8Array, tracking: unknown, mark: number, offload: Offload): void {
    const lo = this.#ip.link.interfaces.get(LOOPBACK_INDEX)
    if (lo !== undefined) this.#ip.receive(lo, frame, tracking, mark, offload)
  }

  // ---- sockets

  get now(): Micros {
    return this.#ip.now
  }

  /** Lets time go on, never back; whether it is `now` here. */
  setNow(now: Micros): boolean {
    if (now > this.#ip.now) this.#ip.now = now
    return now === this.#ip.now
  }

  tcpConnect(to: Endpoint, from?: Partial<Endpoint>): TcpSocket {
    return this.#tcp.connect(to, from ?? {})
  }

  tcpListen(on: Endpoint, backlog?: number): TcpListener {
    return this.#tcp.listen(on, backlog)
  }

  udpBind(on?: Partial<Endpoint>): PathUdpSocket {
    return this.#udp.bind(on ?? {})
  }

  ping(): PingSocket {
    return this.#pings.open()
  }

  raw(protocol: number): RawSocket {
    return this.#ip.raw.open(protocol)
  }

  sockets(): SocketRow[] {
    return [...this.#udp.rows(), ...this.#tcp.rows()]
  }

  // ---- read-outs

  interfaces(): readonly Interface[] {
    return [...this.#ip.link.interfaces.values()]
  }

  routes(): readonly Route[] {
    return this.#ip.paths.routes.list()
  }

  neighbors(): readonly Neighbor[] {
    return this.#ip.link.neighbors.list()
  }

  get counters(): Readonly<Counters> {
    return this.#ip.counters
  }

  get drops(): Drops {
    return this.#ip.drops
  }

  /** An address of this host (addrtype LOCAL), 127.0.0.0/8 included. */
  isLocal(address: IpAddress): boolean {
    return this.#ip.isLocal(address)
  }

  /** 255.255.255.255 or the highest address of one of this host's prefixes (addrtype BROADCAST). */
  isBroadcast(address: IpAddress): boolean {
    return this.#ip.isBroadcast(address)
  }
}
