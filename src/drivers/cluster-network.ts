// The cluster's wires in one thread: every node's host with its kube-proxy, the switch between the nodes, and a
// wire to each pod. Pods are Machines to it - stacks of this thread under the virtual clock, ends of rings to
// other threads in real time. Where nodes are dealt over several threads, each has one of these with its own nodes and a
// switch that trunks join to all others'. Knows no clock: the driver runs it.

import type { Machine } from '../base/machine.js'
import type { Random } from '../base/random.js'
import { hash32 } from '../base/random.js'
import type { Slab } from '../base/slab.js'
import { type Micros, NEVER } from '../base/time.js'
import type { ClusterConfig, NodeConfig } from '../cluster/cluster-config.js'
import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import type { Ipv6Config, Ipv6NodeConfig } from '../cluster/ipv6-config.js'
import type { ProbeRequest, ProbeResult } from '../cluster/prober.js'
import type { HostPort, PodUid } from '../cluster/sandbox.js'
import { Bridge } from '../fabric/bridge.js'
import type { LinkOptions } from '../fabric/link.js'
import { type Attachment, type LinkId, type MachineId, Network } from '../fabric/network.js'
import { lanRoutes } from '../host/node-host.js'
import type { PortMapping } from '../host/port-map.js'
import type { FlowTuples } from '../netfilter/netfilter.js'
import { DEFAULT_PROXY_SETTING, type ProxySetting } from '../proxy/proxy-mode.js'
import type { RouteTable } from '../stack/routes.js'
import {
  addAddress,
  cidr,
  formatAddress,
  formatEndpoint,
  type InterfaceAddress,
  ip,
  ipv4,
  ipv4Cidr,
  type Mac,
  parseCidr,
  parseInterfaceAddress,
} from '../wire/address.js'
import { PROTOCOL_TCP } from '../wire/ip.js'
import type { FlowEvent, LinkTarget } from './emulation.js'
import { type NodeNetwork, ProxyNode } from './proxy-node.js'
import { ServiceAddresses } from './service-addresses.js'

export interface ClusterNetworkOptions {
  readonly config: ClusterConfig
  /** Names of the nodes that live here; default all. */
  readonly nodes?: ReadonlySet<string>
  readonly random: Random
  /** What a packet needs from a pod's stack to the node's end of its veth pair. Zero in real time: computing takes time. */
  readonly podDelay: Micros
  /** Nodes' frames may leave with work left to do (base/offload.ts): in real time, where it would cost time. */
  readonly offload?: boolean
  /** Where nodes take large frames from: whoever has sent one on gives it back. */
  readonly frames?: Slab
  /** How the kube-proxy of a node works at first; default userspace. */
  readonly proxy?: (node: string) => ProxySetting
  readonly onFlow: (event: FlowEvent) => void
  /** Hears how the requests given to `probe` went. */
  readonly onProbeResult?: (id: number, result: ProbeResult) => void
}

/** Hears every frame on an interface, seen from the machine that owns it. */
export type FrameListener = (direction: 'in' | 'out', frame: Uint8Array, now: Micros) => void

/** Ports of the node that lead to a pod, which has `address` (with the prefix length of its range). */
export interface PodPorts {
  readonly address: string
  readonly hostPorts: readonly HostPort[]
}

interface PodPlug {
  readonly name: string
  readonly nodeName: string
  readonly at: Attachment
  readonly machine: MachineId | undefined
  readonly ports: PodPorts | undefined
}

interface PodWire {
  readonly node: ProxyNode
  readonly nodePort: number
  /** A machine of the pod alone; undefined when its eth0 is a port among others. */
  readonly machine: MachineId | undefined
  readonly plugged: PluggedWire
}

/** The cable of a pod or a node; `ab` is what that sends. */
interface Wire {
  readonly id: LinkId
  ab: LinkOptions
  ba: LinkOptions
}

/** An end host's wire, and what pulls it. */
interface PluggedWire {
  readonly wire: Wire
  readonly unplug: () => void
}

/** The interfaces that a capture of the cluster shows. */
export interface CapturePoint {
  /** `curl:eth0`, `kube-system/coredns-...:eth0`, `k8s-node1:eth0`. */
  readonly name: string
  readonly description: string
  readonly listen: (listener: FrameListener) => void
}

export class ClusterNetwork implements ClusterFollower {
  readonly network: Network
  readonly #lan = new Bridge()
  readonly #lanMachine: MachineId
  readonly #podRoutes: RouteTable
  readonly #options: ClusterNetworkOptions
  readonly #nodes = new Map<string, ProxyNode>()
  readonly #nodeMachines = new Map<string, MachineId>()
  readonly #nodeWires = new Map<string, Wire>()
  readonly #pods = new Map<PodUid, PodWire>()
  /** Removed, in order; `at`: when what they sent has arrived, known at the first `run` after their removal. */
  readonly #leaving: { readonly pod: PodWire; at: Micros | undefined }[] = []
  /** What kube-proxies follow, as it stands: by resource, namespace and name. */
  readonly #objects = new Map<string, ClusterChange>()
  readonly #services = new ServiceAddresses()
  readonly #capturePoints = new Set<CapturePoint>()
  #onCapturePoint: ((point: CapturePoint) => void) | undefined

  constructor(options: ClusterNetworkOptions) {
    const { config, random } = options
    this.#options = options
    this.network = new Network(random.fork('network'))
    this.#lanMachine = this.network.add('lan', this.#lan)
    this.#podRoutes = lanRoutes(
      config.nodes.flatMap(({ podRange, address, ipv6 }) => [
        { destination: cidr(podRange), gateway: ip(address) },
        ...(ipv6 ? [{ destination: cidr(ipv6.podCIDR), gateway: ip(ipv6.address) }] : []),
      ]),
    )
    for (const node of config.nodes) {
      if (options.nodes?.has(node.name) === false) continue
      const made = this.#makeNode(node)
      this.#tellKernelFlows(made, node.name)
      const id = this.network.add(node.name, made.machine)
      this.#nodes.set(node.name, made)
      this.#nodeMachines.set(node.name, id)
      this.#addCapturePoint(`${node.name}:eth0`, `node ${node.name}`, (listener) => {
        this.network.tap({ machine: id, port: 0 }, listener)
      })
      const port = this.#lan.addPort(node.name)
      const wire = this.#connect({ machine: id, port: 0 }, { machine: this.#lanMachine, port }, {})
      this.#nodeWires.set(node.name, wire)
    }
  }

  /** Wires a pod to its node's bridge, and to ports of its node. Port 0 of `machine` is the pod's eth0. */
  addPod(uid: PodUid, name: string, nodeName: string, machine: Machine, ports?: PodPorts): MachineId {
    this.#checkNode(name, nodeName)
    const id = this.network.add(name, machine)
    this.#plug(uid, { name, nodeName, at: { machine: id, port: 0 }, machine: id, ports })
    return id
  }

  /** As `addPod`, for a pod whose eth0 is a port of a machine that is there already: the end of many pods' wires. */
  plugPod(uid: PodUid, name: string, nodeName: string, at: Attachment, ports?: PodPorts): void {
    this.#checkNode(name, nodeName)
    this.#plug(uid, { name, nodeName, at, machine: undefined, ports })
  }

  /** Wires a machine that is neither node nor pod to the nodes' network by its port 0. */
  addToLan(name: string, machine: Machine): MachineId {
    const id = this.network.add(name, machine)
    const far = { machine: this.#lanMachine, port: this.#lan.addPort(name) }
    this.#wire(name, name, { machine: id, port: 0 }, far)
    return id
  }

  /**
   * Joins the switch to that of another part of the cluster, each part to each: what comes by one trunk leaves by none.
   * `machine` takes it there by its port 0. Trunks are no wires of the cluster: no capture shows them.
   */
  addTrunk(name: string, machine: Machine): MachineId {
    const id = this.network.add(name, machine)
    const port = this.#lan.addPort(name, { isolated: true })
    this.#connect({ machine: id, port: 0 }, { machine: this.#lanMachine, port }, {})
    return id
  }

  /**
   * Changes the wire of a pod or a node, in both directions; what `options` does not name stays as it is. A pod that is
   * gone has no wire: then nothing happens. Throws a TypeError when there is no such node.
   */
  setLink(target: LinkTarget, options: LinkOptions): void {
    const wire = 'pod' in target ? this.#pods.get(target.pod)?.plugged.wire : this.#nodeWire(target.node)
    if (wire === undefined) return
    wire.ab = { ...wire.ab, ...options }
    wire.ba = { ...wire.ba, ...options }
    this.network.setLink(wire.id, { ab: wire.ab, ba: wire.ba })
  }

  /**
   * Takes a pod's wire away, after what its stack has sent by now is at the node: the FINs and RSTs of programs that
   * ended leave a veth pair at once, and it is taken down later.
   */
  removePod(uid: PodUid): void {
    const pod = this.#pods.get(uid)
    if (pod === undefined) return
    this.#pods.delete(uid)
    pod.node.portMap.remove(uid)
    if (pod.machine !== undefined) this.network.touch(pod.machine)
    this.#leaving.push({ pod, at: undefined })
  }

  /** A change of the cluster, for every node's kube-proxy. Takes effect at the next `run`. */
  apply(change: ClusterChange): void {
    const { namespace = '', name } = change.object.metadata
    this.#services.apply(change)
    const key = `${change.resource}/${namespace}/${name}`
    if (change.type === 'DELETED') this.#objects.delete(key)
    else this.#objects.set(key, { ...change, type: 'ADDED' })
    for (const node of this.#nodes.values()) node.apply(change)
    this.#touchNodes()
  }

  /**
   * Ends the kube-proxy of a node, or of all nodes, and starts one of another mode. Takes effect at the next `run`.
   * Throws a TypeError when there is no such node.
   */
  setProxy(setting: ProxySetting, nodeName?: string): void {
    if (nodeName !== undefined) this.node(nodeName).setProxy(setting)
    else for (const node of this.#nodes.values()) node.setProxy(setting)
    this.#touchNodes()
  }

  /** Whether every kube-proxy has written rules for all that `apply` brought. */
  synced(): boolean {
    for (const node of this.#nodes.values()) if (!node.synced) return false
    return true
  }

  /** A node by name. Throws a TypeError when there is none here. */
  node(name: string): ProxyNode {
    const node = this.#nodes.get(name)
    if (node !== undefined) return node
    throw new TypeError(`there is no node ${name}; nodes are ${[...this.#nodes.keys()].join(', ')}`)
  }

  /** Something outside used a node's host: the next `run` looks at it. */
  touchNode(name: string): void {
    const id = this.#nodeMachines.get(name)
    if (id !== undefined) this.network.touch(id)
  }

  /** Has a node's kubelet try something on the network; `onProbeResult` hears how it went. */
  probe(request: ProbeRequest): void {
    this.node(request.node).prober.start(request)
    this.touchNode(request.node)
  }

  /** Gives every interface there is, and those to come, to `onPoint`. */
  capture(onPoint: (point: CapturePoint) => void): void {
    for (const point of this.#capturePoints) onPoint(point)
    this.#onCapturePoint = onPoint
  }

  run(now: Micros): void {
    this.network.run(now)
    for (const leaving of this.#leaving) leaving.at ??= now + this.#options.podDelay
    while (this.#leaving.length > 0 && this.#leaving[0]!.at! <= now) this.#unplug(this.#leaving.shift()!.pod)
  }

  deadline(): Micros {
    return Math.min(this.network.deadline(), this.#leaving[0]?.at ?? NEVER)
  }

  #unplug({ plugged, machine, node, nodePort }: PodWire): void {
    plugged.unplug()
    if (machine !== undefined) this.network.remove(machine)
    node.removePod(nodePort)
  }

  /** In every mode but userspace it is the kernel that takes connections on: conntrack knows of them. */
  #tellKernelFlows(node: ProxyNode, name: string): void {
    const { netfilter, stack } = node.kernel
    const tell = ({ original, reply }: FlowTuples, reached: boolean) => {
      if (node.proxySetting.mode === 'userspace') return
      const { protocol, destination, destinationPort } = original
      const port = this.#services.find(protocol, destination, destinationPort, stack.isLocal(destination))
      if (port === undefined) return
      this.#options.onFlow({
        at: stack.now,
        node: name,
        protocol: protocol === PROTOCOL_TCP ? 'TCP' : 'UDP',
        client: formatEndpoint({ address: original.source, port: original.sourcePort }),
        ...port,
        endpoint: reached ? formatEndpoint({ address: reply.source, port: reply.sourcePort }) : undefined,
      })
    }
    netfilter.onNewFlow = (flow) => {
      // IPVS changes the flow itself, whatever nat has noted.
      const { original, reply } = flow
      const isSame = reply.source === original.destination && reply.sourcePort === original.destinationPort
      if (!isSame) tell(flow, true)
    }
    netfilter.onRefusedFlow = (flow) => tell(flow, false)
  }

  #checkNode(pod: string, node: string): void {
    if (!this.#nodes.has(node)) throw new TypeError(`pod ${pod}: there is no node ${node}`)
  }

  #plug(uid: PodUid, pod: PodPlug): void {
    const { name, nodeName, at, machine, ports } = pod
    const node = this.#nodes.get(nodeName)!
    const nodePort = node.addPod(name)
    const far = { machine: this.#nodeMachines.get(nodeName)!, port: nodePort }
    const plugged = this.#wire(name, `pod ${name} on ${nodeName}`, at, far)
    this.#pods.set(uid, { node, nodePort, machine, plugged })
    const address = parseInterfaceAddress(ports?.address ?? '')
    if (address !== undefined) node.portMap.add(uid, address, ports!.hostPorts.map(portMapping))
  }

  #nodeWire(node: string): Wire {
    this.node(node)
    return this.#nodeWires.get(node)!
  }

  /** Plugs a cable in; `ab` is what `from` sends. */
  #connect(from: Attachment, to: Attachment, ab: LinkOptions): Wire {
    return { id: this.network.connect(from, to, { ab, ba: {} }), ab, ba: {} }
  }

  #touchNodes(): void {
    for (const id of this.#nodeMachines.values()) this.network.touch(id)
  }

  /**
   * Wires the eth0 of an end host to the network. Its interface is captured at the far end of the wire, as one listens
   * to a veth pair on a real node: the only delay is then in front of the first place where a packet is seen, and
   * all its sightings have one time stamp (see fabric/capture-order.ts). It ends with the wire.
   */
  #wire(name: string, description: string, at: Attachment, far: Attachment): PluggedWire {
    const wire = this.#connect(at, far, { delay: this.#options.podDelay })
    const taps: (() => void)[] = []
    const point = this.#addCapturePoint(`${name}:eth0`, description, (listener) => {
      const seenFromHost: FrameListener = (direction, frame, now) =>
        listener(direction === 'in' ? 'out' : 'in', frame, now)
      taps.push(this.network.tap(far, seenFromHost))
    })
    return {
      wire,
      unplug: () => {
        for (const untap of taps) untap()
        this.#capturePoints.delete(point)
        this.network.disconnect(wire.id)
      },
    }
  }

  #addCapturePoint(name: string, description: string, listen: CapturePoint['listen']): CapturePoint {
    const point = { name, description, listen }
    this.#capturePoints.add(point)
    this.#onCapturePoint?.(point)
    return point
  }

  #makeNode(node: NodeConfig): ProxyNode {
    const { config, random, onFlow } = this.#options
    const nodes = parseCidr(config.nodeSubnet)!
    const range = cidr(node.podRange)
    const bridge: InterfaceAddress = { address: ipv4(node.gateway), prefixLength: range.prefixLength }
    return new ProxyNode({
      name: node.name,
      mac: nodeMac(node.name),
      address: { address: ipv4(node.address), prefixLength: nodes.prefixLength },
      bridge,
      clusterCIDR: parseCidr(config.podSubnet)!,
      serviceCIDR: parseCidr(config.serviceSubnet)!,
      ipv6: config.ipv6 && node.ipv6 && ipv6Network(config.ipv6, node.ipv6),
      sharedRoutes: this.#podRoutes,
      offload: this.#options.offload ?? false,
      frames: this.#options.frames,
      routes: [
        // The way out: a router that nobody plays. A node's own packets to cluster IPs need a route before their
        // destination is rewritten.
        { destination: cidr('0.0.0.0/0'), gateway: ipv4Cidr(config.nodeSubnet).network + 1 },
        ...(config.ipv6
          ? [{ destination: cidr('::/0'), gateway: addAddress(cidr(config.ipv6.nodeSubnet).network, 1) }]
          : []),
      ],
      random: random.fork(`node/${node.name}`),
      proxy: this.#options.proxy?.(node.name) ?? DEFAULT_PROXY_SETTING,
      replay: (follower) => this.#objects.forEach((change) => void follower.apply(change)),
      onProbeResult: (id, result) => this.#options.onProbeResult?.(id, result),
      onFlow: (flow) =>
        onFlow({
          at: flow.at,
          node: node.name,
          protocol: flow.protocol,
          client: formatEndpoint(flow.client),
          service: flow.service,
          clusterIP: formatAddress(flow.clusterIP),
          endpoint: flow.endpoint && formatEndpoint(flow.endpoint),
        }),
    })
  }
}

function ipv6Network(cluster: Ipv6Config, node: Ipv6NodeConfig): NodeNetwork {
  const inRange = (address: string, range: string): InterfaceAddress => {
    return { address: ip(address), prefixLength: cidr(range).prefixLength }
  }
  return {
    address: inRange(node.address, cluster.nodeSubnet),
    bridge: inRange(node.gateway, node.podCIDR),
    clusterCIDR: cidr(cluster.podSubnet),
    serviceCIDR: cidr(cluster.serviceSubnet),
  }
}

function portMapping({ protocol, hostPort, containerPort, hostIP }: HostPort): PortMapping {
  const everywhere = hostIP === undefined || hostIP === '0.0.0.0'
  return {
    protocol: PROTOCOL_NAMES[protocol],
    hostPort,
    containerPort,
    hostAddress: everywhere ? undefined : ipv4(hostIP),
  }
}

const PROTOCOL_NAMES = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const

function nodeMac(name: string): Mac {
  return 0x5254_0000_0000 + hash32(name)
}
