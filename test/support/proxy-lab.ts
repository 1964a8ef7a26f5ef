// A node with a kube-proxy of some mode and pods on its bridge, for tests that open connections to services and see
// who answers. Lighter than a cluster: objects are given to the proxy by hand.

import { Random } from '../../src/base/random.js'
import type { Micros } from '../../src/base/time.js'
import { MILLISECOND, SECOND } from '../../src/base/time.js'
import type { KubeObject } from '../../src/cluster/objects.js'
import type { Host } from '../../src/host/host.js'
import type { NodeHost } from '../../src/host/node-host.js'
import { createProxy } from '../../src/proxy/create-proxy.js'
import type { ProxyMode } from '../../src/proxy/proxy-mode.js'
import type { ProxyOptions, ServiceProxy } from '../../src/proxy/service-proxy.js'
import type { SocketApi, TcpSocket } from '../../src/stack/socket.js'
import { type AddressFamily, anyOf, cidr, formatAddress, formatEndpoint, ip } from '../../src/wire/address.js'
import { change, service, slice } from './cluster-objects.js'
import { endpoint, Lab } from './hosts.js'

export const CLUSTER_IP = '10.96.0.41'
export const NODE_ADDRESS = '192.168.0.2'

interface Addresses {
  readonly clusterIP: string
  readonly serviceCIDR: string
  readonly node: string
  readonly nodePrefix: string
  readonly podPrefix: string
  readonly pods: string
  readonly bridge: string
  readonly client: string
  readonly server: (number: number) => string
  readonly gateway: string
  readonly outside: string
  readonly everything: string
}

const ADDRESSES: Readonly<Record<AddressFamily, Addresses>> = {
  IPv4: {
    clusterIP: CLUSTER_IP,
    serviceCIDR: '10.96.0.0/16',
    node: NODE_ADDRESS,
    nodePrefix: '/24',
    podPrefix: '/16',
    pods: '10.0.0.0/8',
    bridge: '10.36.0.1',
    client: '10.36.0.2',
    server: (number) => `10.36.1.${number}`,
    gateway: '192.168.0.1',
    outside: '203.0.113.1/24',
    everything: '0.0.0.0/0',
  },
  IPv6: {
    clusterIP: 'fd00:10:96::41',
    serviceCIDR: 'fd00:10:96::/112',
    node: '2001:db8::1',
    nodePrefix: '/64',
    podPrefix: '/64',
    pods: 'fd00:36::/64',
    bridge: 'fd00:36::1',
    client: 'fd00:36::2',
    server: (number) => `fd00:36::1:${number}`,
    gateway: '2001:db8::ff',
    outside: '2001:db8:113::1/64',
    everything: '::/0',
  },
}

export class ProxyLab {
  readonly addresses: Addresses
  readonly lab = new Lab()
  readonly node: NodeHost
  /** Behind eth0, with 203.0.113.0/24 and more. */
  readonly outside: NodeHost
  readonly client: Host
  readonly servers: Host[] = []
  readonly proxy: ServiceProxy

  /** `endpoints` pods 10.36.1.1, 10.36.1.2 ... (IPv6: fd00:36::1:1 ...) serve TCP and UDP port 8080 by saying their address. */
  constructor(mode: ProxyMode, endpoints: number, options: Partial<ProxyOptions> = {}) {
    const { lab } = this
    this.addresses = ADDRESSES[options.family ?? 'IPv4']
    const { node, nodePrefix, podPrefix, pods, bridge, gateway, outside, everything } = this.addresses
    lab.recording = false
    const routes = { [everything]: gateway }
    this.node = lab.node('test-node', `${node}${nodePrefix}`, `${bridge}${podPrefix}`, routes)
    this.outside = lab.node('outside', `${gateway}${nodePrefix}`, outside, { [pods]: node })
    lab.cable(this.node, this.outside)
    this.client = this.#pod(this.addresses.client)
    for (let i = 1; i <= endpoints; i++) this.servers.push(this.#pod(this.addresses.server(i)))
    for (const server of this.servers) serve(server)
    this.proxy = createProxy(mode, {
      nodeName: 'test-node',
      nodeAddresses: [ip(node)],
      clusterCIDR: cidr(`${bridge}${podPrefix}`),
      serviceCIDRs: [cidr(this.addresses.serviceCIDR)],
      stack: this.node.stack,
      netfilter: this.node.netfilter,
      random: new Random('proxy'),
      minSyncPeriod: 0,
      ...options,
      ipvs: { kernel: this.node.ipvs, ...options.ipvs },
    })
  }

  get now(): Micros {
    return this.lab.now
  }

  /** Gives the proxy objects and lets it write its rules. */
  apply(...objects: KubeObject[]): void {
    for (const object of objects) this.proxy.apply(change(object))
    this.proxy.sync(this.now)
  }

  remove(...objects: KubeObject[]): void {
    for (const object of objects) this.proxy.apply(change(object, 'DELETED'))
    this.proxy.sync(this.now)
  }

  /** The service `svc` at CLUSTER_IP port 80, with the endpoints of these servers. */
  applyService(spec: Parameters<typeof service>[1] = {}, servers: readonly Host[] = this.servers): void {
    const ports = [
      { name: 'web', port: 80, protocol: 'TCP' as const },
      { name: 'dns', port: 53, protocol: 'UDP' as const },
    ]
    this.apply(
      service('svc', { clusterIP: this.addresses.clusterIP, ports, ...spec }),
      this.endpointsOf(servers),
    )
  }

  endpointsOf(servers: readonly Host[]): KubeObject {
    const endpoints = servers.map(({ name }) => ({ addresses: [name], nodeName: 'test-node' }))
    const made = slice('svc', endpoints, [
      { name: 'web', port: 8080, protocol: 'TCP' },
      { name: 'dns', port: 8080, protocol: 'UDP' },
    ])
    const addressType: AddressFamily = this.addresses === ADDRESSES.IPv6 ? 'IPv6' : 'IPv4'
    return { ...made, addressType }
  }

  /** Lets time pass for the hosts and the proxy. */
  run(duration: Micros): void {
    const end = this.now + duration
    for (let at = this.proxy.deadline(); at <= end; at = this.proxy.deadline()) {
      this.lab.run(Math.max(0, at - this.now))
      this.proxy.advance(this.now)
    }
    this.lab.run(end - this.now)
    this.proxy.advance(this.now)
  }

  /** Connects and says who answered; the socket stays open. */
  connect(
    from: Host = this.client,
    to = this.serviceAt(80),
  ): { socket: TcpSocket; server: string | undefined } {
    const socket = from.stack.tcpConnect(endpoint(to))
    this.lab.run(10 * MILLISECOND)
    return { socket, server: text(socket.read()) }
  }

  /** Who answers each of `count` connections, one after the other. */
  answers(count: number, from?: Host, to?: string): (string | undefined)[] {
    return Array.from({ length: count }, () => {
      const { socket, server } = this.connect(from, to)
      socket.abort()
      this.lab.run(MILLISECOND)
      return server
    })
  }

  /** The cluster IP with a port. */
  serviceAt(port: number): string {
    return formatEndpoint({ address: ip(this.addresses.clusterIP), port })
  }

  /** Asks by UDP from a socket of its own; undefined when nobody answers. */
  ask(from: Host = this.client, to = this.serviceAt(53)): string | undefined {
    const socket = from.stack.udpBind({ address: anyOf(endpoint(to).address) })
    socket.send(new Uint8Array([63]), endpoint(to))
    this.lab.run(10 * MILLISECOND)
    const answer = text(socket.receive()?.bytes)
    socket.close()
    return answer
  }

  #pod(address: string): Host {
    const pod = this.lab.pod(address, `${address}${this.addresses.podPrefix}`, this.addresses.bridge)
    this.lab.plug(pod, this.node)
    return pod
  }
}

/** Says its address and to whom it speaks to everyone who comes. */
function serve(host: Host): void {
  const { stack } = host
  const listener = stack.tcpListen({ address: anyOf(ip(host.name)), port: 8080 })
  listener.onReady = () => {
    for (let socket = listener.accept(); socket !== undefined; socket = listener.accept()) {
      const accepted = socket
      accepted.write(bytes(`${host.name} for ${formatAddress(accepted.remote.address)}`))
      accepted.onReady = () => {
        if (accepted.ended) accepted.close()
      }
    }
  }
  answerDatagrams(stack, host.name)
}

function answerDatagrams(stack: SocketApi, name: string): void {
  const socket = stack.udpBind({ address: anyOf(ip(name)), port: 8080 })
  socket.onReady = () => {
    for (let got = socket.receive(); got !== undefined; got = socket.receive()) {
      socket.send(bytes(`${name} for ${formatAddress(got.source.address)}`), got.source)
    }
  }
}

const bytes = (value: string) => Uint8Array.from(value, (c) => c.charCodeAt(0))
const text = (value: Uint8Array | undefined) => value && String.fromCharCode(...value)

/** `10.36.1.1 for 10.36.0.2` -> how often each server answered. */
export function counts(answers: readonly (string | undefined)[]): Map<string, number> {
  const counted = new Map<string, number>()
  for (const answer of answers) {
    const server = answer?.split(' ')[0] ?? 'nobody'
    counted.set(server, (counted.get(server) ?? 0) + 1)
  }
  return counted
}

/** Pearson's statistic for equal shares. */
export function chiSquare(counted: ReadonlyMap<string, number>, parties: number): number {
  const total = [...counted.values()].reduce((sum, count) => sum + count, 0)
  const expected = total / parties
  const missing = (parties - counted.size) * expected
  return [...counted.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, missing)
}

export { SECOND }
