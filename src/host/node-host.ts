// A node's network as one Machine: a forwarding stack with netfilter, eth0 on the nodes' LAN (port 0), and the bridge
// cni0 with one port for each pod (a veth). The bridge hands frames for the node itself to the stack at once; only
// frames from pod to pod are copied.

import { invariant } from '../base/errors.js'
import type { Outgoing } from '../base/machine.js'
import { GIVEN_AWAY, type Offload } from '../base/offload.js'
import type { Random } from '../base/random.js'
import type { Slab } from '../base/slab.js'
import type { Micros } from '../base/time.js'
import { Bridge, FLOOD, NOWHERE } from '../fabric/bridge.js'
import { EgressQueue } from '../fabric/egress-queue.js'
import { Ipvs } from '../ipvs/ipvs.js'
import { Netfilter } from '../netfilter/netfilter.js'
import { RouteTable } from '../stack/routes.js'
import { Stack } from '../stack/stack.js'
import {
  type Cidr,
  cidrContains,
  type InterfaceAddress,
  type IpAddress,
  type Mac,
  maskAddress,
} from '../wire/address.js'
import { FastPath } from './fast-path.js'
import type { Host } from './host.js'
import { PortMap } from './port-map.js'

export interface NodeHostOptions {
  readonly name: string
  /** Of eth0. */
  readonly mac: Mac
  /** Of eth0, on the nodes' LAN. */
  readonly address: InterfaceAddress
  /** Of cni0: the gateway of this node's pods. */
  readonly bridge: InterfaceAddress
  /** The same of the other family, on a dual-stack node. */
  readonly secondary?: { readonly address: InterfaceAddress; readonly bridge: InterfaceAddress } | undefined
  /** Of cni0; default: eth0's made locally administered, another second octet. */
  readonly bridgeMac?: Mac
  readonly mtuBytes?: number
  /** Frames may leave with work left to do (base/offload.ts); those that come may always. Default false. */
  readonly offload?: boolean
  /** Where TCP takes its frames from, and gives those back whose text has arrived in a socket; default: a slab of its own. */
  readonly frames?: Slab | undefined
  /** Established flows pass bridge, stack and rules by (fast-path.ts); nothing differs by it but speed. Default true. */
  readonly fastPath?: boolean
  readonly random: Random
  /** Routes that all nodes of a LAN have: `lanRoutes`. */
  readonly sharedRoutes?: RouteTable
  /** Other nodes' pods, each behind that node's LAN address; also a default route if there is one. */
  readonly routes?: readonly { readonly destination: Cidr; readonly gateway: IpAddress }[]
}

const DEFAULT_MTU_BYTES = 1500
/** Machine port of eth0. */
const ETH0_PORT = 0
/** Interface index of eth0. */
const ETH0_INDEX = 2

export class NodeHost implements Host {
  readonly name: string
  readonly stack: Stack
  readonly netfilter: Netfilter
  /** Ports of the node that lead to its pods. */
  readonly portMap: PortMap
  readonly #bridge: Bridge
  /** The bridge's port to the stack, where a pod would have its veth. Pods' port numbers are the bridge's. */
  readonly #uplink: number
  readonly #eth0: number
  readonly #cni0: number
  #ipvs: Ipvs | undefined
  /** Ports that the frame at hand leaves through. */
  readonly #egresses: number[] = []
  readonly #fastPath: FastPath | undefined
  readonly #outgoing = new EgressQueue()
  /** What `transmit` gives of the stack's frames. */
  readonly #leaving: { port: number; frame: Uint8Array; offload: Offload } = {
    port: 0,
    frame: new Uint8Array(0),
    offload: 0,
  }
  #now: Micros = 0

  constructor(options: NodeHostOptions) {
    this.name = options.name
    const { random, secondary } = options
    const mtuBytes = options.mtuBytes ?? DEFAULT_MTU_BYTES
    const offload = options.offload ?? false
    this.stack = new Stack({ name: options.name, random, forwarding: true, offload, frames: options.frames })
    this.#bridge = new Bridge(this.stack.changes)
    this.netfilter = new Netfilter(this.stack, random.fork('netfilter'))
    this.portMap = new PortMap(this.netfilter, this.stack)
    this.#eth0 = this.stack.addInterface({
      name: 'eth0',
      mac: options.mac,
      mtuBytes,
      addresses: [options.address, ...(secondary ? [secondary.address] : [])],
      offload,
    })
    this.#cni0 = this.stack.addInterface({
      name: 'cni0',
      mac: options.bridgeMac ?? bridgeMac(options.mac),
      mtuBytes,
      addresses: [options.bridge, ...(secondary ? [secondary.bridge] : [])],
      offload,
    })
    this.#uplink = this.#bridge.addPort('cni0')
    invariant(this.#uplink === ETH0_PORT, 'the first port of a bridge is 0')
    invariant(this.#eth0 === ETH0_INDEX, 'eth0 is the first interface after lo')
    if (options.fastPath ?? true) this.#fastPath = this.#makeFastPath()
    if (options.sharedRoutes !== undefined) this.stack.shareRoutes(options.sharedRoutes)
    for (const route of options.routes ?? []) this.addRoute(route.destination, route.gateway)
  }

  #makeFastPath(): FastPath {
    const interfaceAt = (index: number) => this.stack.interfaces().find((each) => each.index === index)!
    return new FastPath({
      stack: this.stack,
      netfilter: this.netfilter,
      bridge: this.#bridge,
      uplink: this.#uplink,
      lanPort: ETH0_PORT,
      eth0: interfaceAt(this.#eth0),
      cni0: interfaceAt(this.#cni0),
      outgoing: this.#outgoing,
    })
  }

  /** Adds a route through a gateway on one of this node's links. */
  addRoute(destination: Cidr, gateway: IpAddress): void {
    const via = this.stack.routes().find((route) => route.gateway === undefined && covers(route, gateway))
    this.stack.addRoute({ destination, gateway, interfaceIndex: via?.interfaceIndex ?? this.#eth0 })
  }

  /** A new bridge port for a pod named `name`; the machine's port to connect it to. */
  addPod(name: string): number {
    return this.#bridge.addPort(name)
  }

  removePod(port: number): void {
    invariant(port !== ETH0_PORT, 'port 0 is eth0')
    this.#bridge.removePort(port)
    this.#outgoing.removePort(port)
  }

  /** The load balancer of this node's kernel, loaded when it is asked for. */
  get ipvs(): Ipvs {
    this.#ipvs ??= new Ipvs(this.stack, this.netfilter)
    return this.#ipvs
  }

  /** How many frames took the fast path. */
  get fastFrames(): number {
    return this.#fastPath?.frames ?? 0
  }

  /** The bridge cni0, for `bridge fdb` and counters. */
  get bridge(): Bridge {
    return this.#bridge
  }

  receive(port: number, frame: Uint8Array, now: Micros, offload: Offload = 0): void {
    this.#now = now
    const fastPath = this.#fastPath
    if (fastPath === undefined) return this.#receive(port, frame, now, offload)
    if (fastPath.forward(port, frame, now, offload)) return
    fastPath.begin(frame)
    this.#receive(port, frame, now, offload)
    fastPath.end(now)
  }

  #receive(port: number, frame: Uint8Array, now: Micros, offload: Offload): void {
    if (port === ETH0_PORT) return this.stack.receive(this.#eth0, frame, now, offload)
    // A frame of a pod that has just gone.
    if (!this.#bridge.ports().has(port)) return
    const egress = this.#bridge.egress(port, frame, now)
    if (egress === NOWHERE) return
    if (egress === this.#uplink) return this.stack.receive(this.#cni0, frame, now, offload)
    const egresses = this.#egresses
    egresses.length = 0
    if (egress !== FLOOD) egresses.push(egress)
    else
      for (const each of this.#bridge.ports().keys())
        if (each !== port && each !== this.#uplink) egresses.push(each)
    const toStack = egress === FLOOD
    // What goes several ways is nobody's to change.
    const isShared = egresses.length + (toStack ? 1 : 0) > 1
    const given = isShared ? offload & ~GIVEN_AWAY : offload
    if (!toStack) this.stack.passBy(this.#cni0, frame, now, offload)
    if (egresses.length > 0) this.#bridged(frame, now, given)
    if (toStack) this.stack.receive(this.#cni0, frame, now, given)
  }

  /** From pod to pod: through netfilter (as br_netfilter does it), then out of the bridge's ports. */
  #bridged(frame: Uint8Array, now: Micros, offload: Offload): void {
    // A flooded frame passes netfilter once and not once for each port: conntrack would see it again and again.
    this.stack.bridge(this.#cni0, frame, now, offload, (passed) => {
      const isOwn = passed !== frame || (offload & GIVEN_AWAY) !== 0
      const copy = isOwn ? passed : frame.slice()
      const given = this.#egresses.length === 1 ? offload | GIVEN_AWAY : offload & ~GIVEN_AWAY
      for (const port of this.#egresses) this.#outgoing.push(port, copy, given)
    })
  }

  advance(now: Micros): void {
    this.#now = now
    this.stack.advance(now)
  }

  transmit(): Outgoing | undefined {
    const outgoing = this.#outgoing
    for (;;) {
      if (outgoing.shift()) return outgoing
      const out = this.stack.transmit()
      if (out === undefined) return undefined
      const { frame, interfaceIndex, offload, port: known } = out
      // A pod may have gone meanwhile.
      if (known >= 0 && this.#bridge.ports().has(known)) return this.#leave(known, frame, offload)
      if (interfaceIndex === this.#eth0) return this.#leave(ETH0_PORT, frame, offload)
      const egress = this.#bridge.egress(this.#uplink, frame, this.#now)
      if (egress >= 0) return this.#leave(egress, frame, offload)
      if (egress === NOWHERE) continue
      for (const port of this.#bridge.ports().keys())
        if (port !== this.#uplink) outgoing.push(port, frame, offload & ~GIVEN_AWAY)
    }
  }

  #leave(port: number, frame: Uint8Array, offload: Offload): Outgoing {
    const leaving = this.#leaving
    leaving.port = port
    leaving.frame = frame
    leaving.offload = offload
    return leaving
  }

  deadline(): Micros {
    if (this.#outgoing.length > 0) return this.#now
    return this.stack.deadline()
  }
}

/** A node: lo, eth0 (port 0), the bridge cni0 with its pods' ports, forwarding and netfilter. */
export function nodeHost(options: NodeHostOptions): NodeHost {
  return new NodeHost(options)
}

/** Every node's pods behind its LAN address, for the `sharedRoutes` of all of them; a node's own pods are nearer to it. */
export function lanRoutes(
  routes: readonly { readonly destination: Cidr; readonly gateway: IpAddress }[],
): RouteTable {
  const table = new RouteTable()
  for (const route of routes) table.add({ ...route, interfaceIndex: ETH0_INDEX })
  return table
}

function covers(route: { destination: Cidr }, address: IpAddress): boolean {
  const { network, prefixLength } = route.destination
  if (prefixLength === 0) return false
  return cidrContains({ network: maskAddress(network, prefixLength), prefixLength }, address)
}

/** Another locally administered unicast address made from `mac`. */
function bridgeMac(mac: Mac): Mac {
  const high = Math.floor(mac / 0x1_0000_0000)
  return ((high | 0x0200) ^ 0x0001) * 0x1_0000_0000 + (mac % 0x1_0000_0000)
}
