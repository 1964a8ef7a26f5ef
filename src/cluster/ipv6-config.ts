// The IPv6 half of a dual-stack cluster: ranges beside those of IPv4, and what each node has of them. IPv4 is always the
// primary family; how users write it is `podSubnet: 10.244.0.0/16,fd00:10:244::/56`, as kubeadm takes it.

import {
  addAddress,
  addressBits,
  type Cidr,
  cidr,
  cidrContains,
  formatAddress,
  formatCidr,
  type Ipv6,
  isIpv6,
  parseCidr,
} from '../wire/address.js'

export interface Ipv6Config {
  readonly podSubnet: string
  readonly serviceSubnet: string
  readonly nodeSubnet: string
}

/** What a node has of IPv6. */
export interface Ipv6NodeConfig {
  /** On the nodes' network. */
  readonly address: string
  readonly podCIDR: string
  /** The bridge's address in podCIDR, default gateway of the node's pods. */
  readonly gateway: string
}

const DEFAULT_NODE_SUBNET = 'fd00:192:168:56::/64'
/** Prefix length of the range that each node gets from podSubnet, kube-controller-manager's default. */
const NODE_CIDR_MASK_SIZE = 64
/** The API server takes no larger range for cluster addresses. */
const LARGEST_SERVICE_SUBNET = 108
const SMALLEST_SERVICE_SUBNET = 124
const FIRST_NODE_HOST = 10

/** The ranges of a text, `IPv4` or `IPv4,IPv6`; `what` names it in the TypeError for what cannot be. */
export function rangesOf(text: string, what: string): { ipv4: string; ipv6: string | undefined } {
  const [ipv4 = '', ipv6, rest] = text.split(',').map((part) => part.trim())
  if (rest !== undefined) throw new TypeError(`${what}: ${text} has more than one prefix of each family`)
  if (ipv6 === undefined) return { ipv4, ipv6: undefined }
  const parsed = parseCidr(ipv6)
  if (parsed === undefined || !isIpv6(parsed.network))
    throw new TypeError(`${what}: ${ipv6} is not an IPv6 prefix like fd00:10:244::/56; IPv4 comes first`)
  return { ipv4, ipv6: formatCidr(parsed) }
}

/** Undefined for a cluster of IPv4 only. Throws a TypeError that names the range which cannot be. */
export function resolveIpv6(ranges: {
  readonly podSubnet: string | undefined
  readonly serviceSubnet: string | undefined
  readonly nodeSubnet: string | undefined
}): Ipv6Config | undefined {
  const { podSubnet, serviceSubnet, nodeSubnet = DEFAULT_NODE_SUBNET } = ranges
  if (podSubnet === undefined && serviceSubnet === undefined && ranges.nodeSubnet === undefined)
    return undefined
  if (podSubnet === undefined || serviceSubnet === undefined)
    throw new TypeError('podSubnet and serviceSubnet: for IPv6 both need a second prefix')
  const { prefixLength } = cidr(serviceSubnet)
  if (prefixLength < LARGEST_SERVICE_SUBNET || prefixLength > SMALLEST_SERVICE_SUBNET)
    throw new TypeError(`serviceSubnet ${serviceSubnet}: must be between /108 and /124`)
  const config = { podSubnet, serviceSubnet, nodeSubnet }
  refuseOverlaps(Object.entries(config))
  return config
}

function refuseOverlaps(ranges: readonly (readonly [name: string, text: string])[]): void {
  for (const [index, [name, text]] of ranges.entries()) {
    for (const [other, otherText] of ranges.slice(index + 1)) {
      const [a, b] = [cidr(text), cidr(otherText)]
      if (cidrContains(a, b.network) || cidrContains(b, a.network))
        throw new TypeError(`${name} ${text} and ${other} ${otherText} overlap`)
    }
  }
}

/** Of the node that comes `index`th, from 0. */
export function nodeIpv6({ podSubnet, nodeSubnet }: Ipv6Config, index: number, node: string): Ipv6NodeConfig {
  const podCIDR = nthPodCidr(cidr(podSubnet) as Cidr<Ipv6>, index, node)
  return {
    address: formatAddress(addAddress(cidr(nodeSubnet).network, FIRST_NODE_HOST + index)),
    podCIDR: formatCidr(podCIDR),
    gateway: formatAddress(addAddress(podCIDR.network, 1)),
  }
}

/** podSubnet is cut in /64 ranges; in a subnet of that size or less the first node has it all. */
function nthPodCidr(podSubnet: Cidr<Ipv6>, index: number, node: string): Cidr<Ipv6> {
  const prefixLength = Math.max(podSubnet.prefixLength, NODE_CIDR_MASK_SIZE)
  const step = 1n << BigInt(addressBits(podSubnet.network) - prefixLength)
  const network = podSubnet.network + BigInt(index) * step
  if (!cidrContains(podSubnet, network))
    throw new TypeError(`node ${node}: podSubnet ${formatCidr(podSubnet)} has no range left for it`)
  return { network, prefixLength }
}
