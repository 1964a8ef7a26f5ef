// The shape of a cluster with every value settled: nodes, ranges, addresses. The default is the three-node cluster
// that most introductions show: a control plane node and two workers.

import {
  type Cidr,
  cidrContains,
  formatAddress,
  formatCidr,
  type Ipv4,
  ipv4,
  lastAddress,
  parseIpv4,
  parseIpv4Cidr,
} from '../wire/address.js'
import type { NodePortRange } from './allocators.js'
import { type Ipv6Config, type Ipv6NodeConfig, nodeIpv6, rangesOf, resolveIpv6 } from './ipv6-config.js'
import type { Labels } from './objects.js'

export interface NodeConfig {
  readonly name: string
  /** Address on the nodes' network. */
  readonly address: string
  readonly podCIDR: string
  /** Where pod addresses come from: podCIDR, or the range of an overlay with address management of its own. */
  readonly podRange: string
  /** The bridge's address in podRange, default gateway of the node's pods. */
  readonly gateway: string
  /** Of a dual-stack cluster. */
  readonly ipv6?: Ipv6NodeConfig
  readonly controlPlane: boolean
  readonly labels: Labels
}

export interface ClusterConfig {
  readonly nodes: readonly NodeConfig[]
  readonly podSubnet: string
  readonly serviceSubnet: string
  readonly nodeSubnet: string
  /** Undefined: the cluster has IPv4 only. */
  readonly ipv6?: Ipv6Config
  /** Ports of the nodes for Services of type NodePort and LoadBalancer. */
  readonly nodePortRange: NodePortRange
  /** Addresses for Services of type LoadBalancer. */
  readonly loadBalancerPool: string
  readonly clusterDomain: string
  /** ClusterIP of kube-dns: the tenth address of serviceSubnet. */
  readonly dnsAddress: string
  readonly dnsReplicas: number
  /** Data of the ConfigMap `coredns`, over kubeadm's: the Corefile, and files that it names in /etc/coredns. */
  readonly dnsConfig: Readonly<Record<string, string>>
  /** Where the Service `kubernetes` leads to. */
  readonly apiServer: { readonly address: string; readonly port: number }
  readonly mtuBytes: number
}

/** What a user may say of a cluster; everything else is derived. */
export interface ClusterConfigInput {
  readonly nodes?: readonly {
    readonly name: string
    readonly address?: string
    readonly podCIDR?: string
    readonly podRange?: string
    readonly controlPlane?: boolean
    readonly labels?: Labels
  }[]
  /** These three: a prefix of IPv4, and for a dual-stack cluster one of IPv6 behind a comma. */
  readonly podSubnet?: string
  readonly serviceSubnet?: string
  readonly nodeSubnet?: string
  /** `30000-32767`. */
  readonly nodePortRange?: string
  /** Default: the last 16 addresses of nodeSubnet. */
  readonly loadBalancerPool?: string
  readonly clusterDomain?: string
  readonly dns?: { readonly replicas?: number; readonly config?: Readonly<Record<string, string>> }
}

const DEFAULT_NODES: NonNullable<ClusterConfigInput['nodes']> = [
  { name: 'k8s-master', controlPlane: true },
  { name: 'k8s-node1' },
  { name: 'k8s-node2' },
]

/** Prefix length of the pod range that each node gets from podSubnet, kube-controller-manager's default. */
const NODE_CIDR_MASK_SIZE = 24
const FIRST_NODE_HOST = 10
const API_SERVER_PORT = 6443
const MTU_BYTES = 1500
/** Size of the pool of load balancers' addresses, unless it is given. */
const LOAD_BALANCER_PREFIX_LENGTH = 28

/** Fills in what `input` leaves out. Throws a TypeError that names the value which cannot be. */
export function resolveClusterConfig(input: ClusterConfigInput = {}): ClusterConfig {
  const pods = rangesOf(input.podSubnet ?? '10.244.0.0/16', 'podSubnet')
  const services = rangesOf(input.serviceSubnet ?? '10.96.0.0/12', 'serviceSubnet')
  const lan = rangesOf(input.nodeSubnet ?? '192.168.56.0/24', 'nodeSubnet')
  const podSubnet = range(pods.ipv4, 'podSubnet')
  const serviceSubnet = range(services.ipv4, 'serviceSubnet')
  const nodeSubnet = range(lan.ipv4, 'nodeSubnet')
  const ipv6 = resolveIpv6({
    podSubnet: pods.ipv6,
    serviceSubnet: services.ipv6,
    nodeSubnet: lan.ipv6,
  })
  if (serviceSubnet.prefixLength > 28)
    throw new TypeError(`serviceSubnet ${formatCidr(serviceSubnet)}: too small, at most /28`)
  const list = input.nodes ?? DEFAULT_NODES
  if (list.length === 0) throw new TypeError('nodes: a cluster has at least one node')
  const nodes = list.map((node, index) => {
    const resolved = resolveNode(node, index, podSubnet, nodeSubnet)
    return ipv6 === undefined ? resolved : { ...resolved, ipv6: nodeIpv6(ipv6, index, node.name) }
  })
  refuseDuplicates(nodes)
  refuseOverlaps({ podSubnet, serviceSubnet, nodeSubnet }, nodes)
  const master = nodes.find((node) => node.controlPlane) ?? nodes[0]!
  return {
    nodes,
    podSubnet: formatCidr(podSubnet),
    serviceSubnet: formatCidr(serviceSubnet),
    nodeSubnet: formatCidr(nodeSubnet),
    ...(ipv6 && { ipv6 }),
    nodePortRange: portRange(input.nodePortRange ?? '30000-32767'),
    loadBalancerPool: loadBalancerPool(input.loadBalancerPool, nodeSubnet, nodes),
    clusterDomain: input.clusterDomain ?? 'cluster.local',
    dnsAddress: formatAddress(serviceSubnet.network + 10),
    dnsReplicas: input.dns?.replicas ?? 2,
    dnsConfig: input.dns?.config ?? {},
    apiServer: { address: master.address, port: API_SERVER_PORT },
    mtuBytes: MTU_BYTES,
  }
}

function resolveNode(
  node: NonNullable<ClusterConfigInput['nodes']>[number],
  index: number,
  podSubnet: Cidr<Ipv4>,
  nodeSubnet: Cidr<Ipv4>,
): NodeConfig {
  const address = node.address ?? formatAddress(nodeSubnet.network + FIRST_NODE_HOST + index)
  const parsed = parseIpv4(address)
  if (parsed === undefined)
    throw new TypeError(`node ${node.name}: address ${address} is not an IPv4 address`)
  if (!cidrContains(nodeSubnet, parsed))
    throw new TypeError(
      `node ${node.name}: address ${address} is not in nodeSubnet ${formatCidr(nodeSubnet)}`,
    )
  const podCIDR = range(node.podCIDR ?? nthPodCidr(podSubnet, index, node.name), `node ${node.name}: podCIDR`)
  const podRange = range(node.podRange ?? formatCidr(podCIDR), `node ${node.name}: podRange`)
  if (podRange.prefixLength > 30)
    throw new TypeError(`node ${node.name}: podRange ${formatCidr(podRange)}: too small, at most /30`)
  return {
    name: node.name,
    address,
    podCIDR: formatCidr(podCIDR),
    podRange: formatCidr(podRange),
    gateway: formatAddress(gatewayOf(podRange, formatCidr(podRange) === formatCidr(podCIDR))),
    controlPlane: node.controlPlane ?? false,
    labels: { ...node.labels },
  }
}

/** podSubnet is cut in /24 ranges; in a subnet of that size or less the first node has it all. */
function nthPodCidr(podSubnet: Cidr<Ipv4>, index: number, node: string): string {
  const prefixLength = Math.max(podSubnet.prefixLength, NODE_CIDR_MASK_SIZE)
  const network = podSubnet.network + index * 2 ** (32 - prefixLength)
  if (!cidrContains(podSubnet, network))
    throw new TypeError(`node ${node}: podSubnet ${formatCidr(podSubnet)} has no range left for it`)
  return formatCidr({ network, prefixLength })
}

/**
 * The bridge's address. With podCIDR it is the first host, as the bridge plugin of CNI has it; an overlay's range is
 * used from its very first address (`10.36.0.0` is a pod), so there it is the last host.
 */
function gatewayOf(podRange: Cidr<Ipv4>, isPodCidr: boolean): Ipv4 {
  return isPodCidr ? podRange.network + 1 : lastAddress(podRange) - 1
}

function range(text: string, what: string): Cidr<Ipv4> {
  const parsed = parseIpv4Cidr(text)
  if (parsed === undefined) throw new TypeError(`${what}: ${text} is not an IPv4 prefix like 10.244.0.0/16`)
  return parsed
}

function portRange(text: string): NodePortRange {
  const [first = 0, last = 0] = (/^(\d+)-(\d+)$/.exec(text) ?? []).slice(1).map(Number)
  if (first < 1 || last > 65535 || first > last)
    throw new TypeError(`nodePortRange: ${text} is not a range of ports like 30000-32767`)
  return { first, last }
}

function loadBalancerPool(
  input: string | undefined,
  nodeSubnet: Cidr<Ipv4>,
  nodes: readonly NodeConfig[],
): string {
  const prefixLength = Math.max(nodeSubnet.prefixLength, LOAD_BALANCER_PREFIX_LENGTH)
  const network = lastAddress(nodeSubnet) - (2 ** (32 - prefixLength) - 1)
  const pool = input === undefined ? { network, prefixLength } : range(input, 'loadBalancerPool')
  const node = nodes.find(({ address }) => cidrContains(pool, ipv4(address)))
  // Of a small network the nodes themselves may have the last addresses.
  if (node !== undefined && input !== undefined)
    throw new TypeError(
      `loadBalancerPool ${formatCidr(pool)}: has the address ${node.address} of ${node.name}`,
    )
  return formatCidr(pool)
}

function refuseDuplicates(nodes: readonly NodeConfig[]): void {
  const seen = new Set<string>()
  for (const { name, address } of nodes) {
    if (seen.has(name)) throw new TypeError(`nodes: two nodes are named ${name}`)
    if (seen.has(address)) throw new TypeError(`nodes: two nodes have the address ${address}`)
    seen.add(name).add(address)
  }
}

/** An address must say what it is: of a pod, a Service, a node; and a pod's address which node has it. */
function refuseOverlaps(subnets: Readonly<Record<string, Cidr<Ipv4>>>, nodes: readonly NodeConfig[]): void {
  const apart = Object.entries(subnets)
  const refuse = (one: string, a: Cidr<Ipv4>, other: string, b: Cidr<Ipv4>) => {
    if (cidrContains(a, b.network) || cidrContains(b, a.network))
      throw new TypeError(`${one} ${formatCidr(a)} and ${other} ${formatCidr(b)} overlap`)
  }
  apart.forEach(([name, subnet], index) => {
    for (const [other, otherSubnet] of apart.slice(index + 1)) refuse(name, subnet, other, otherSubnet)
  })
  const ranges = nodes.map((node, index) => ({ node, index, pods: parseIpv4Cidr(node.podRange)! }))
  for (const { node, pods } of ranges) {
    refuse(`node ${node.name}: podRange`, pods, 'serviceSubnet', subnets['serviceSubnet']!)
    refuse(`node ${node.name}: podRange`, pods, 'nodeSubnet', subnets['nodeSubnet']!)
  }
  // Prefixes are nested or apart: in order of their networks, what overlaps at all overlaps its neighbour.
  ranges.sort((a, b) => a.pods.network - b.pods.network || a.pods.prefixLength - b.pods.prefixLength)
  ranges.slice(1).forEach((range, index) => {
    const [one, other] = [ranges[index]!, range].sort((a, b) => a.index - b.index) as [
      typeof range,
      typeof range,
    ]
    const name = `node ${one.node.name}: podRange`
    refuse(name, one.pods, `podRange of node ${other.node.name}`, other.pods)
  })
}

/** The address of the Service `kubernetes`: the first of serviceSubnet. */
export function kubernetesAddress(config: ClusterConfig): string {
  return formatAddress(ipv4(config.serviceSubnet.split('/')[0]!) + 1)
}

/** The node on which the API server listens. */
export function apiServerNode({ nodes, apiServer }: ClusterConfig): string {
  return nodes.find(({ address }) => address === apiServer.address)!.name
}
