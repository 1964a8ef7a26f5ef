// A node with the kube-proxy under test and stub hosts on both its sides: pods behind cni0, everything else behind
// eth0. New connections are really opened, from any source address, and where they end up is observed.

import { SystemError } from '../base/errors.js'
import type { Random } from '../base/random.js'
import { type Micros, SECOND } from '../base/time.js'
import type { KubeObject, Service } from '../cluster/objects.js'
import { Network } from '../fabric/network.js'
import { type NodeHost, nodeHost } from '../host/node-host.js'
import { PRIORITIES } from '../netfilter/netfilter.js'
import { createProxy } from '../proxy/create-proxy.js'
import { ProxiedMachine } from '../proxy/proxied-machine.js'
import type { ProxyMode } from '../proxy/proxy-mode.js'
import type { ServiceProxy } from '../proxy/service-proxy.js'
import {
  type AddressFamily,
  addressBits,
  type Cidr,
  cidr,
  cidrContains,
  type Endpoint,
  formatEndpoint,
  type IpAddress,
  ip,
  isLoopback,
} from '../wire/address.js'
import type { FlowKind } from './mode-differences.js'
import { type Arrival, type FlowProtocol, StubHosts } from './stub-hosts.js'

/** Settings of kube-proxy that a group of cases asks for. */
export interface LabSettings {
  /** Default IPv4. */
  readonly ipFamily?: AddressFamily
  readonly masqueradeAll?: boolean
  readonly localDetector?: boolean
  readonly nodePortAddresses?: readonly string[]
  readonly localhostNodePorts?: boolean
}

export interface Connection {
  readonly protocol: FlowProtocol
  readonly source: IpAddress
  readonly destination: Endpoint
}

export type Verdict = 'DNAT' | 'REJECT' | 'DROP' | 'NO_MATCH' | 'ACCEPT'

/** What became of one connection. */
export interface Observation {
  readonly verdict: Verdict
  /** Of DNAT: where it arrived. */
  readonly endpoint?: Endpoint
  readonly masqueraded: boolean
  /** Rules that its first packet matched, as `table CHAIN rule`. */
  readonly rules: readonly string[]
}

/** A connection under way. */
interface Opened {
  /** Whether who opened it was told that it is refused. */
  readonly refused: () => boolean
  readonly end: () => void
}

export const NODE_NAME = 'test-node'

interface Addresses {
  /** The first is the node's primary address. */
  readonly node: readonly IpAddress[]
  readonly prefixLength: number
  readonly pods: Cidr
  /** An address of cni0 that no case uses. */
  readonly bridge: IpAddress
  readonly gateway: IpAddress
  readonly everything: Cidr
}

const ADDRESSES: Readonly<Record<AddressFamily, Addresses>> = {
  IPv4: {
    node: ['192.168.0.2', '192.168.1.2', '192.168.99.11'].map(ip),
    prefixLength: 24,
    pods: cidr('10.0.0.0/8'),
    bridge: ip('10.255.255.254'),
    gateway: ip('192.168.0.1'),
    everything: cidr('0.0.0.0/0'),
  },
  IPv6: {
    node: ['2001:db8::1', '2001:db8:1::2'].map(ip),
    prefixLength: 64,
    pods: cidr('fd00:10::/64'),
    bridge: ip('fd00:10::ffff:ffff:ffff:fffe'),
    gateway: ip('2001:db8::ffff'),
    everything: cidr('::/0'),
  },
}
const FIRST_PORT = 10_000
const PORTS = 50_000
/** A node sends one ICMP error a second to the same destination for long. */
const ERROR_INTERVAL: Micros = SECOND
/** IPVS remembers an idle established connection for so long. */
const IPVS_ESTABLISHED: Micros = 900 * SECOND

export class FlowLab {
  readonly family: AddressFamily
  readonly #addresses: Addresses
  readonly #network: Network
  readonly #node: NodeHost
  readonly #proxy: ServiceProxy
  readonly #wire: StubHosts
  readonly #pods: StubHosts
  readonly #machines: { readonly node: number; readonly wire: number; readonly pods: number }
  readonly #services = new Map<string, Service>()
  /** Destinations of packets that the node took for itself since the last look. */
  readonly #delivered: string[] = []
  #rules: string[] = []
  #rejected = false
  #accepted = false
  #now: Micros = SECOND
  #ports = 0

  constructor(mode: ProxyMode, settings: LabSettings, random: Random) {
    this.family = settings.ipFamily ?? 'IPv4'
    this.#addresses = ADDRESSES[this.family]
    const { node: nodeAddresses, prefixLength, pods, bridge, gateway, everything } = this.#addresses
    const node = nodeHost({
      name: NODE_NAME,
      mac: 0x5254_0000_0001,
      address: { address: nodeAddresses[0]!, prefixLength },
      bridge: { address: bridge, prefixLength: pods.prefixLength },
      random: random.fork('node'),
      routes: [{ destination: everything, gateway }],
    })
    this.#node = node
    const { stack, netfilter } = node
    const interfaces = new Map(stack.interfaces().map((each) => [each.name, each]))
    const eth0 = interfaces.get('eth0')!
    const others = nodeAddresses.slice(1).map((address) => {
      return { address, prefixLength: addressBits(address) }
    })
    stack.setAddresses(eth0.index, [...eth0.addresses, ...others])
    this.#proxy = createProxy(mode, {
      ...settings,
      nodeName: NODE_NAME,
      family: this.family,
      nodeAddresses,
      clusterCIDR: pods,
      podCIDR: pods,
      stack,
      netfilter,
      random: random.fork('kube-proxy'),
      minSyncPeriod: 0,
    })
    const isNode = (address: IpAddress) => stack.isLocal(address)
    this.#wire = new StubHosts(0x5254_0000_0002, eth0.mac, isNode)
    this.#pods = new StubHosts(0x5254_0000_0003, interfaces.get('cni0')!.mac, isNode)
    this.#network = new Network(random.fork('network'))
    this.#machines = {
      node: this.#network.add(NODE_NAME, new ProxiedMachine(node, this.#proxy)),
      wire: this.#network.add('wire', this.#wire),
      pods: this.#network.add('pods', this.#pods),
    }
    const ids = this.#machines
    this.#network.connect({ machine: ids.node, port: 0 }, { machine: ids.wire, port: 0 }, { delay: 0 })
    const veth = node.addPod('pods')
    this.#network.connect({ machine: ids.node, port: veth }, { machine: ids.pods, port: 0 }, { delay: 0 })
    this.#observe()
    this.#run()
  }

  /** Rules as the node has them, for reports. */
  get rules(): string {
    return this.#node.netfilter.save(undefined, { family: this.family })
  }

  /** Those of eth0: a proxy may have added others to the node. */
  get nodeAddresses(): readonly IpAddress[] {
    return this.#addresses.node
  }

  /** Whether a connection from `address` is the node's own. */
  isNode(address: IpAddress): boolean {
    return this.#node.stack.isLocal(address)
  }

  /** What the sender of a packet is to the node. */
  sourceKind(address: IpAddress): FlowKind['source'] {
    if (isLoopback(address)) return 'localhost'
    if (cidrContains(this.#addresses.pods, address)) return 'pod'
    return this.isNode(address) ? 'node' : 'external'
  }

  /** Objects that came or changed. Nothing is validated or defaulted: these are objects as a proxy may see them. */
  apply(objects: readonly KubeObject[]): void {
    for (const object of objects) {
      if (object.kind === 'Service') this.#services.set(nameOf(object), object as Service)
      this.#proxy.apply({ type: 'ADDED', resource: resourceOf(object.kind), object })
    }
    this.#proxy.sync(this.#now)
    this.#run()
  }

  /** Objects that went, by `Kind/namespace/name`. */
  remove(names: readonly string[]): void {
    for (const text of names) {
      const [kind = '', namespace = '', name = ''] = text.split('/')
      this.#services.delete(`${namespace}/${name}`)
      // A proxy looks at who it is; of a slice also at whose it was.
      const metadata = { namespace, name }
      const object = { apiVersion: 'v1', kind, metadata, spec: {} } as unknown as KubeObject
      this.#proxy.apply({ type: 'DELETED', resource: resourceOf(kind), object })
    }
    this.#proxy.sync(this.#now)
    this.#run()
  }

  /** Opens one connection that no memory of earlier ones can decide. */
  connect(connection: Connection): Observation {
    this.#now += this.#memory()
    this.#run()
    this.#forget()
    const port = FIRST_PORT + (this.#ports++ % PORTS)
    const from: Endpoint = { address: connection.source, port }
    const opened = this.isNode(from.address)
      ? this.#openOnNode(connection, from)
      : this.#openOnWire(connection, from)
    this.#run()
    const observation = this.#judge(connection, from, opened.refused())
    opened.end()
    this.#run()
    return observation
  }

  #openOnWire({ protocol, destination }: Connection, from: Endpoint): Opened {
    const side = cidrContains(this.#addresses.pods, from.address) ? 'pods' : 'wire'
    const hosts = side === 'pods' ? this.#pods : this.#wire
    hosts.open(protocol, from, destination)
    this.#network.touch(this.#machines[side])
    return { refused: () => hosts.arrivals.some(({ what }) => what === 'refused'), end: () => {} }
  }

  /** The node's own connections are those of its sockets. */
  #openOnNode({ protocol, destination }: Connection, from: Endpoint): Opened {
    const { stack } = this.#node
    stack.setNow(this.#now)
    this.#network.touch(this.#machines.node)
    if (protocol === 'TCP') {
      const socket = stack.tcpConnect(destination, from)
      const end = () => {
        socket.abort()
        this.#network.touch(this.#machines.node)
      }
      return { refused: () => socket.error?.code === 'ECONNREFUSED', end }
    }
    if (protocol === 'SCTP') throw new TypeError('a node has no SCTP sockets')
    const socket = stack.udpBind(from)
    socket.connect(destination)
    try {
      socket.send(new Uint8Array([0]))
    } catch (error) {
      // What rules drop or reject at OUTPUT; which of them it was, they tell.
      if (!(error instanceof SystemError && error.code === 'EPERM')) throw error
    }
    return { refused: () => socket.takeError() !== undefined, end: () => socket.close() }
  }

  #judge({ destination }: Connection, from: Endpoint, refused: boolean): Observation {
    const arrivals = [...this.#wire.arrivals, ...this.#pods.arrivals]
    const rules = this.#rules
    const opened = arrivals.find(({ what }) => what === 'opened')
    if (opened !== undefined) {
      const untouched = sameEndpoint(opened.destination, destination)
      return {
        verdict: untouched ? 'NO_MATCH' : 'DNAT',
        ...(!untouched && { endpoint: opened.destination }),
        masqueraded: !untouched && this.#isMasqueraded(opened, from),
        rules,
      }
    }
    if (this.#delivered.includes(formatEndpoint(destination))) {
      const answered = arrivals.some(({ what }) => what === 'answered')
      return { verdict: answered || this.#accepted ? 'ACCEPT' : 'NO_MATCH', masqueraded: false, rules }
    }
    return { verdict: refused || this.#rejected ? 'REJECT' : 'DROP', masqueraded: false, rules }
  }

  /** The node's own address may be put in the place of the same address: then the port tells. */
  #isMasqueraded({ source }: Arrival, from: Endpoint): boolean {
    return !sameEndpoint(source, from) && this.#node.stack.isLocal(source.address)
  }

  /**
   * Time after which no session affinity binds a client any more, and the limit for ICMP errors is none. IPVS keeps
   * a client's template for as long as a connection of his lives.
   */
  #memory(): Micros {
    let affinity = 0
    for (const { spec } of this.#services.values()) {
      if (spec.sessionAffinity !== 'ClientIP') continue
      const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800
      affinity = Math.max(affinity, seconds * SECOND + IPVS_ESTABLISHED)
    }
    return affinity + ERROR_INTERVAL
  }

  #forget(): void {
    this.#wire.arrivals.length = 0
    this.#pods.arrivals.length = 0
    this.#delivered.length = 0
    this.#rules = []
    this.#rejected = false
    this.#accepted = false
  }

  #observe(): void {
    const { stack, netfilter } = this.#node
    stack.hooks.register('INPUT', PRIORITIES.confirm, ({ bytes, header }) => {
      const at = header.payloadStart + 2
      const port = (bytes[at]! << 8) | bytes[at + 1]!
      this.#delivered.push(formatEndpoint({ address: header.destination, port }))
      return 'ACCEPT'
    })
    netfilter.trace((event, hook) => {
      if (event.event === 'end') this.#rejected ||= event.verdict === 'REJECT'
      if (event.event !== 'rule') return
      this.#accepted ||= hook === 'INPUT' && event.verdict === 'ACCEPT'
      this.#rules.push(`${hook} ${event.table} ${event.chain} ${event.text}`)
    })
  }

  #run(): void {
    this.#network.run(this.#now)
  }
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`
}

function resourceOf(kind: string): string {
  return `${kind.toLowerCase()}s`
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port
}
