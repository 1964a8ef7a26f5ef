// Names of the chains of kube-proxy's iptables mode. Those of a service port or an endpoint end in a hash, because a
// chain's name may have 28 characters only: the first 16 of the base32 of a SHA-256, as in
// pkg/proxy/iptables/proxier.go of Kubernetes, so that they are the same as on every node of any cluster.

import { sha256 } from '../../base/sha256.js'
import type { ServicePortInfo } from '../service-port.js'

export const SERVICES = 'KUBE-SERVICES'
export const EXTERNAL_SERVICES = 'KUBE-EXTERNAL-SERVICES'
export const NODE_PORTS = 'KUBE-NODEPORTS'
export const POSTROUTING = 'KUBE-POSTROUTING'
export const MARK_MASQ = 'KUBE-MARK-MASQ'
export const FORWARD = 'KUBE-FORWARD'
export const PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL'
/** Made by the kubelet as well. */
export const KUBELET_FIREWALL = 'KUBE-FIREWALL'

const BASE32 = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'].map((letter) => letter.charCodeAt(0))

/** The chains of one service port. */
export interface ServiceChains {
  /** KUBE-SVC-: picks among the endpoints of policy Cluster. */
  readonly cluster: string
  /** KUBE-SVL-: picks among the endpoints of policy Local. */
  readonly local: string
  /** KUBE-EXT-: traffic to node port, external IPs and load balancer addresses. */
  readonly external: string
  /** KUBE-FW-: the load balancer's source ranges. */
  readonly firewall: string
}

export function serviceChains(info: ServicePortInfo): ServiceChains {
  const hash = hash16(info.name + info.protocol.toLowerCase())
  return {
    cluster: `KUBE-SVC-${hash}`,
    local: `KUBE-SVL-${hash}`,
    external: `KUBE-EXT-${hash}`,
    firewall: `KUBE-FW-${hash}`,
  }
}

/** KUBE-SEP-: sends to one endpoint, `address:port`, of one service port. */
export function endpointChain(info: ServicePortInfo, endpoint: string): string {
  return `KUBE-SEP-${hash16(info.name + info.protocol.toLowerCase() + endpoint)}`
}

/** Base32 (RFC 4648 section 6) of ten bytes of the digest are 16 characters. */
function hash16(text: string): string {
  const digest = sha256(text)
  const codes: number[] = []
  for (let at = 0; at < 10; at += 5) {
    const high = (digest[at]! << 12) | (digest[at + 1]! << 4) | (digest[at + 2]! >> 4)
    const low = ((digest[at + 2]! & 15) << 16) | (digest[at + 3]! << 8) | digest[at + 4]!
    for (const bits of [high, low]) {
      for (let shift = 15; shift >= 0; shift -= 5) codes.push(BASE32[(bits >> shift) & 31]!)
    }
  }
  return String.fromCharCode(...codes)
}
