// The ipsets of kube-proxy's ipvs mode: names, types and the comments of the rules that use them, as in
// pkg/proxy/ipvs/ipset.go of Kubernetes.

import type { Protocol } from '../../cluster/objects.js'
import type { IpSetType } from '../../netfilter/ip-sets.js'
import type { AddressFamily } from '../../wire/address.js'

export const LOOP_BACK = 'KUBE-LOOP-BACK'
export const CLUSTER_IP = 'KUBE-CLUSTER-IP'
export const EXTERNAL_IP = 'KUBE-EXTERNAL-IP'
export const EXTERNAL_IP_LOCAL = 'KUBE-EXTERNAL-IP-LOCAL'
export const LOAD_BALANCER = 'KUBE-LOAD-BALANCER'
export const LOAD_BALANCER_FW = 'KUBE-LOAD-BALANCER-FW'
export const LOAD_BALANCER_LOCAL = 'KUBE-LOAD-BALANCER-LOCAL'
export const LOAD_BALANCER_SOURCE_IP = 'KUBE-LOAD-BALANCER-SOURCE-IP'
export const LOAD_BALANCER_SOURCE_CIDR = 'KUBE-LOAD-BALANCER-SOURCE-CIDR'
export const HEALTH_CHECK_NODE_PORT = 'KUBE-HEALTH-CHECK-NODE-PORT'
export const IPVS_IPS = 'KUBE-IPVS-IPS'

export const NODE_PORT: Readonly<Record<Protocol, string>> = {
  TCP: 'KUBE-NODE-PORT-TCP',
  UDP: 'KUBE-NODE-PORT-UDP',
  SCTP: 'KUBE-NODE-PORT-SCTP-HASH',
}

export const NODE_PORT_LOCAL: Readonly<Record<Protocol, string>> = {
  TCP: 'KUBE-NODE-PORT-LOCAL-TCP',
  UDP: 'KUBE-NODE-PORT-LOCAL-UDP',
  SCTP: 'KUBE-NODE-PORT-LOCAL-SCTP-HASH',
}

/** IPSET_MAXNAMELEN, without the byte that ends it. */
const LONGEST_NAME = 31

/** What a set is called in a family: IPv6 has sets of its own. */
export function setName(name: string, family: AddressFamily): string {
  return family === 'IPv4' ? name : name.replace('KUBE-', 'KUBE-6-').slice(0, LONGEST_NAME)
}

export interface SetDescription {
  /** Of IPv4. */
  readonly name: string
  readonly type: IpSetType
  /** Comment of the rule that looks packets up in it. */
  readonly comment: string
}

const SCTP_NOTE = "with type 'hash ip:port'"

/** In the order in which they are made. */
export const SETS: readonly SetDescription[] = [
  {
    name: LOOP_BACK,
    type: 'hash:ip,port,ip',
    comment: 'Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose',
  },
  {
    name: CLUSTER_IP,
    type: 'hash:ip,port',
    comment: 'Kubernetes service cluster ip + port for masquerade purpose',
  },
  {
    name: EXTERNAL_IP,
    type: 'hash:ip,port',
    comment: 'Kubernetes service external ip + port for masquerade and filter purpose',
  },
  {
    name: EXTERNAL_IP_LOCAL,
    type: 'hash:ip,port',
    comment: 'Kubernetes service external ip + port with externalTrafficPolicy=local',
  },
  { name: LOAD_BALANCER, type: 'hash:ip,port', comment: 'Kubernetes service lb portal' },
  {
    name: LOAD_BALANCER_FW,
    type: 'hash:ip,port',
    comment: 'Kubernetes service load balancer ip + port for load balancer with sourceRange',
  },
  {
    name: LOAD_BALANCER_LOCAL,
    type: 'hash:ip,port',
    comment: 'Kubernetes service load balancer ip + port with externalTrafficPolicy=local',
  },
  {
    name: LOAD_BALANCER_SOURCE_IP,
    type: 'hash:ip,port,ip',
    comment: 'Kubernetes service load balancer ip + port + source IP for packet filter purpose',
  },
  {
    name: LOAD_BALANCER_SOURCE_CIDR,
    type: 'hash:ip,port,net',
    comment: 'Kubernetes service load balancer ip + port + source cidr for packet filter purpose',
  },
  { name: NODE_PORT.TCP, type: 'bitmap:port', comment: nodePortComment('TCP') },
  { name: NODE_PORT_LOCAL.TCP, type: 'bitmap:port', comment: nodePortLocalComment('TCP') },
  { name: NODE_PORT.UDP, type: 'bitmap:port', comment: nodePortComment('UDP') },
  { name: NODE_PORT_LOCAL.UDP, type: 'bitmap:port', comment: nodePortLocalComment('UDP') },
  { name: NODE_PORT.SCTP, type: 'hash:ip,port', comment: `${nodePortComment('SCTP')} ${SCTP_NOTE}` },
  {
    name: NODE_PORT_LOCAL.SCTP,
    type: 'hash:ip,port',
    comment: `${nodePortLocalComment('SCTP')} ${SCTP_NOTE}`,
  },
  { name: HEALTH_CHECK_NODE_PORT, type: 'bitmap:port', comment: 'Kubernetes health check node port' },
  { name: IPVS_IPS, type: 'hash:ip', comment: 'Addresses on the ipvs interface' },
]

export function commentOf(set: string): string {
  return SETS.find(({ name }) => name === set)!.comment
}

function nodePortComment(protocol: Protocol): string {
  return `Kubernetes nodeport ${protocol} port for masquerade purpose`
}

function nodePortLocalComment(protocol: Protocol): string {
  return `Kubernetes nodeport ${protocol} port with externalTrafficPolicy=local`
}
