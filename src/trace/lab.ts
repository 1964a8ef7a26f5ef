// A running cluster with what a trace adds to it: a world outside (one machine behind the nodes' default gateway that
// has every address outside), stub hosts for endpoints that no pod stands behind, and clients to send from.

import type { Micros } from '../base/time.js'
import type { ClusterConfig, NodeConfig } from '../cluster/cluster-config.js'
import type { EndpointSlice } from '../cluster/objects.js'
import type { VirtualEmulation } from '../drivers/virtual.js'
import type { MachineId } from '../fabric/network.js'
import { type Host, podHost } from '../host/host.js'
import type { Stack } from '../stack/stack.js'
import {
  type AddressFamily,
  addAddress,
  addressBits,
  anyOf,
  cidr,
  cidrContains,
  familyOf,
  formatAddress,
  hostCidr,
  type IpAddress,
  ip,
  isIpv6,
  lastAddress,
} from '../wire/address.js'

/** Somebody who can open connections. */
export interface Client {
  /** `pod curl`, `node k8s-node1`, `external 203.0.113.2`. */
  readonly name: string
  readonly stack: Stack
  /** The address that connections are opened from. */
  readonly address: IpAddress
  /** Its address of the other family, if it has one. */
  readonly otherAddress?: IpAddress | undefined
  /** The node whose kube-proxy sees the packets first. */
  readonly node: string
  /** Its interface as captures name it, `curl:eth0`. */
  readonly point: string
  readonly touched: () => void
}

const MTU_BYTES = 1500
const MAC_BASE = 0x0a57_0000_0000

export class Lab {
  readonly emulation: VirtualEmulation
  readonly config: ClusterConfig
  readonly #world: Host
  readonly #worldMachine: MachineId
  readonly #stubs = new Map<IpAddress, { readonly host: Host; readonly machine: MachineId; node: string }>()
  #nextMac = 1

  constructor(emulation: VirtualEmulation) {
    const { config } = emulation
    this.emulation = emulation
    this.config = config
    // Its own way into the cluster leads through one node, as a load balancer's or a router's.
    const onLan = (range: string, gateway: string) => {
      const { network, prefixLength } = cidr(range)
      return { address: { address: addAddress(network, 1), prefixLength }, gateway: ip(gateway) }
    }
    const { address: node, ipv6 } = this.entry
    this.#world = podHost({
      ...this.#interface(),
      name: 'outside',
      ...onLan(config.nodeSubnet, node),
      secondary: config.ipv6 && ipv6 && onLan(config.ipv6.nodeSubnet, ipv6.address),
    })
    this.#worldMachine = emulation.network.addToLan('outside', this.#world)
  }

  get nodes(): readonly string[] {
    return this.config.nodes.map(({ name }) => name)
  }

  /** The node that packets from outside come to, and that pods without a node are put on. */
  get entry(): NodeConfig {
    return this.config.nodes.find(({ controlPlane }) => !controlPlane) ?? this.config.nodes[0]!
  }

  sleep(duration: Micros): Promise<void> {
    return this.emulation.sleep(duration)
  }

  /** Somebody outside the cluster, with an address of the other family too when it is given. */
  outside(address: IpAddress, otherAddress?: IpAddress): Client {
    for (const own of [address, otherAddress]) if (own !== undefined) this.#giveAddress(own)
    return {
      name: `external ${formatAddress(address)}`,
      stack: this.#world.stack,
      address,
      otherAddress,
      node: this.entry.name,
      point: 'outside:eth0',
      touched: () => this.emulation.touchMachine(this.#worldMachine),
    }
  }

  /** A node itself, with its own addresses or these: 127.0.0.1 and ::1. */
  onNode(name: string, addresses?: readonly [IpAddress, IpAddress]): Client {
    const { stack } = this.emulation.network.node(name).host
    const own = this.config.nodes.find((node) => node.name === name)!
    return {
      name: `node ${name}`,
      stack,
      address: addresses?.[0] ?? ip(own.address),
      otherAddress: own.ipv6 && (addresses?.[1] ?? ip(own.ipv6.address)),
      node: name,
      point: `${name}:eth0`,
      touched: () => this.emulation.touchNode(name),
    }
  }

  /** A pod that is only a network, at `address` on `node`. */
  stub(address: IpAddress, node: string, name = `stub ${formatAddress(address)}`): Client {
    let stub = this.#stubs.get(address)
    if (stub === undefined) {
      const { range: rangeText, gateway } = this.#podNetwork(node, familyOf(address))
      const range = cidr(rangeText)
      const inside = cidrContains(range, address)
      const host = podHost({
        ...this.#interface(),
        name,
        address: { address, prefixLength: inside ? range.prefixLength : addressBits(address) },
        gateway: ip(gateway),
      })
      const machine = this.emulation.network.addPod(`stub/${name}`, name, node, host)
      if (!inside) this.#routeTo(address, node)
      stub = { host, machine, node }
      this.#stubs.set(address, stub)
    }
    const { machine } = stub
    return {
      name,
      stack: stub.host.stack,
      address,
      node,
      point: `${name}:eth0`,
      touched: () => this.emulation.touchMachine(machine),
    }
  }

  /** Clients like `client`, each with another address: pods of its node, or others outside. None for a node. */
  lookalikes(client: Client, count: number): Client[] {
    if (client.name.startsWith('node ')) return []
    if (client.name.startsWith('external ')) {
      return Array.from({ length: count }, (_, i) => this.outside(neighborOf(client.address, i + 1)))
    }
    const last = lastAddress(cidr(this.#podNetwork(client.node, familyOf(client.address)).range))
    return Array.from({ length: count }, (_, i) => this.stub(addAddress(last, -2 - i), client.node))
  }

  /** Puts a stub host behind every endpoint of `slices` that no pod and no node is. */
  addEndpoints(slices: readonly EndpointSlice[], taken: ReadonlySet<IpAddress>): void {
    for (const { endpoints, ports, addressType } of slices) {
      if (addressType === 'FQDN') continue
      for (const { addresses, nodeName } of endpoints ?? []) {
        for (const text of addresses) {
          const address = ip(text)
          if (!taken.has(address)) this.#serve(this.#standIn(address, nodeName), address, ports ?? [])
        }
      }
    }
  }

  #standIn(address: IpAddress, nodeName: string | undefined): Stack {
    const home = this.config.nodes.find(({ name }) => {
      return name === nodeName || cidrContains(cidr(this.#podNetwork(name, familyOf(address)).range), address)
    })
    if (home !== undefined) return this.stub(address, home.name).stack
    this.#giveAddress(address)
    return this.#world.stack
  }

  /** Where pods of a node are, and their gateway. */
  #podNetwork(node: string, family: AddressFamily): { readonly range: string; readonly gateway: string } {
    const { podRange, gateway, ipv6 } = this.config.nodes.find(({ name }) => name === node)!
    if (family === 'IPv4' || ipv6 === undefined) return { range: podRange, gateway }
    return { range: ipv6.podCIDR, gateway: ipv6.gateway }
  }

  #serve(stack: Stack, address: IpAddress, ports: NonNullable<EndpointSlice['ports']>): void {
    for (const { port, protocol = 'TCP' } of ports) {
      if (port === undefined || port === null) continue
      const bound = stack.sockets().some(({ local, protocol: own }) => {
        return (
          local.port === port &&
          own === protocol.toLowerCase() &&
          familyOf(local.address) === familyOf(address)
        )
      })
      if (bound) continue
      if (protocol === 'TCP') {
        const listener = stack.tcpListen({ address: anyOf(address), port })
        listener.onReady = () => {
          for (let socket = listener.accept(); socket !== undefined; socket = listener.accept())
            socket.close()
        }
      } else if (protocol === 'UDP') {
        const socket = stack.udpBind({ address: anyOf(address), port })
        socket.onReady = () => {
          for (let got = socket.receive(); got !== undefined; got = socket.receive())
            socket.send(got.bytes, got.source)
        }
      }
    }
  }

  #giveAddress(address: IpAddress): void {
    const eth0 = this.#world.stack.interfaces().find(({ loopback }) => !loopback)!
    if (eth0.addresses.some((one) => one.address === address)) return
    this.#world.stack.setAddresses(eth0.index, [
      ...eth0.addresses,
      { address, prefixLength: addressBits(address) },
    ])
  }

  /** A pod address outside its node's range needs a route of its own on every node. */
  #routeTo(address: IpAddress, home: string): void {
    const destination = hostCidr(address)
    const { address: own, ipv6 } = this.config.nodes.find(({ name }) => name === home)!
    const homeAddress = ip(isIpv6(address) && ipv6 ? ipv6.address : own)
    for (const name of this.nodes) {
      const { host } = this.emulation.network.node(name)
      const cni0 = host.stack.interfaces().find((one) => one.name === 'cni0')!
      if (name === home) host.stack.addRoute({ destination, interfaceIndex: cni0.index })
      else host.addRoute(destination, homeAddress)
    }
  }

  #interface() {
    const number = this.#nextMac++
    return { mac: MAC_BASE + number, mtuBytes: MTU_BYTES, random: this.emulation.random(`trace ${number}`) }
  }
}

/** Another address beside `address`. */
function neighborOf(address: IpAddress, distance: number): IpAddress {
  return isIpv6(address) ? address ^ BigInt(distance) : (address ^ distance) >>> 0
}
