// Names in kube-proxy's nftables table. Those of a service port or an endpoint say what they are for, behind eight
// letters of a hash that keep them apart when they are cut; as in pkg/proxy/nftables/proxier.go of Kubernetes, so that
// they are the same as on every node of any cluster.

import { sha256 } from '../../base/sha256.js'
import { type Endpoint, formatAddress } from '../../wire/address.js'
import type { ServicePortInfo } from '../service-port.js'

export const TABLE = 'kube-proxy'

export const SERVICES = 'services'
export const MARK_FOR_MASQUERADE = 'mark-for-masquerade'
export const MASQUERADING = 'masquerading'
export const FIREWALL_CHECK = 'firewall-check'
export const SERVICE_ENDPOINTS_CHECK = 'service-endpoints-check'
export const NODE_PORT_ENDPOINTS_CHECK = 'nodeport-endpoints-check'
export const CLUSTER_IPS_CHECK = 'cluster-ips-check'
export const REJECT = 'reject-chain'

export const CLUSTER_IPS = 'cluster-ips'
export const NODE_PORT_IPS = 'nodeport-ips'
export const SERVICE_IPS = 'service-ips'
export const SERVICE_NODE_PORTS = 'service-nodeports'
export const NO_ENDPOINT_SERVICES = 'no-endpoint-services'
export const NO_ENDPOINT_NODE_PORTS = 'no-endpoint-nodeports'
export const FIREWALL_IPS = 'firewall-ips'

/** The longest name that the kernel takes is 256 characters; 16 are kept for the prefix. */
const LONGEST_BASE = 240
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The chains of one service port. */
export interface ServiceChains {
  /** Picks among the endpoints of policy Cluster. */
  readonly cluster: string
  /** Picks among the endpoints of policy Local. */
  readonly local: string
  /** Traffic to node port, external IPs and load balancer addresses. */
  readonly external: string
  /** The load balancer's source ranges. */
  readonly firewall: string
}

/** `namespace/service/protocol/port`, the stem of all names of a service port. */
function stemOf({ service, protocol, portName }: ServicePortInfo): string {
  return `${service}/${protocol.toLowerCase()}/${portName}`
}

export function serviceChains(info: ServicePortInfo): ServiceChains {
  const base = hashed(stemOf(info))
  return {
    cluster: `service-${base}`,
    local: `local-${base}`,
    external: `external-${base}`,
    firewall: `firewall-${base}`,
  }
}

/** The chain that sends to one endpoint of one service port. No name may have a colon: those of IPv6 become dots. */
export function endpointChain(info: ServicePortInfo, { address, port }: Endpoint): string {
  const text = formatAddress(address).replaceAll(':', '.')
  return `endpoint-${hashed(`${stemOf(info)}__${text}/${port}`)}`
}

/** The set of clients that are bound to the endpoint of a chain. */
export function affinitySet(chain: string): string {
  return `affinity-${chain.slice('endpoint-'.length)}`
}

function hashed(name: string): string {
  const full = `${hash8(name)}-${name}`
  return full.length > LONGEST_BASE ? `${full.slice(0, LONGEST_BASE - 3)}...` : full
}

/** Base32 (RFC 4648 section 6) of five bytes of the digest are eight letters. */
function hash8(text: string): string {
  const digest = sha256(text)
  let encoded = ''
  let bits = 0
  let held = 0
  for (let i = 0; i < 5; i++) {
    held = ((held << 8) | digest[i]!) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) encoded += BASE32[(held >> (bits - 5)) & 31]
  }
  return encoded
}
