// What of the flows of kube-proxy's iptables mode is not so in another mode, by the kind of flow, with the reason.

import type { ProxyMode } from '../proxy/proxy-mode.js'
import type { Verdict } from './flow-lab.js'

/** A flow as a mode's difference sees it. */
export interface FlowKind {
  readonly protocol: string
  readonly verdict: Verdict
  readonly masqueraded: boolean
  /** Which kind of address of a Service it is sent to; undefined when it is none. */
  readonly to: 'clusterIP' | 'nodePort' | 'loadBalancer' | 'externalIP' | 'healthCheck' | undefined
  /** The kind of the destination where it is an address of services, not the node's, but the port is none of theirs. */
  readonly unknownPortOf: 'clusterIP' | 'loadBalancer' | 'externalIP' | undefined
  readonly source: 'pod' | 'node' | 'localhost' | 'external'
  /** The Service under that address has these policies. */
  readonly internalPolicyLocal: boolean
  readonly externalPolicyLocal: boolean
  readonly sourceRanges: boolean
  /** The sender is in none of the Service's source ranges, though it has some. */
  readonly outsideRanges: boolean
  readonly ownVip: boolean
}

/** What a mode does with a flow, where it is not what iptables mode does. */
export interface ModeDifference {
  readonly reason: string
  /** What must hold in that mode; undefined: nothing that can be said of all flows of the kind. */
  readonly instead?: { readonly verdict: Verdict }
}

interface Difference extends ModeDifference {
  readonly applies: (flow: FlowKind) => boolean
}

/** Of the modes whose firewall does not ask whether there are endpoints. */
const FIREWALL_FIRST: Difference = {
  applies: ({ to, verdict, outsideRanges }) => to === 'loadBalancer' && verdict === 'REJECT' && outsideRanges,
  reason: 'source ranges are looked at before the lack of endpoints',
  instead: { verdict: 'DROP' },
}

const DIFFERENCES: Readonly<Partial<Record<ProxyMode, readonly Difference[]>>> = {
  userspace: [
    {
      applies: ({ protocol }) => protocol === 'SCTP',
      reason: 'the userspace proxy has no SCTP sockets',
    },
    {
      applies: ({ to }) => to !== undefined && to !== 'clusterIP',
      reason: 'the userspace proxy serves cluster IPs only',
    },
    {
      applies: ({ internalPolicyLocal, externalPolicyLocal }) => internalPolicyLocal || externalPolicyLocal,
      reason: 'the userspace proxy knows no traffic policies',
    },
    {
      applies: ({ verdict }) => verdict === 'REJECT' || verdict === 'DROP',
      reason: 'the userspace proxy accepts a connection before it looks for an endpoint',
    },
    {
      applies: ({ verdict, masqueraded }) => verdict === 'DNAT' && !masqueraded,
      reason: 'every connection of the userspace proxy to an endpoint is the node’s own',
    },
  ],
  ipvs: [
    {
      applies: ({ source, to }) => source === 'localhost' && to === 'nodePort',
      reason: 'there are no node ports on 127.0.0.1',
    },
    FIREWALL_FIRST,
    {
      applies: ({ unknownPortOf }) => unknownPortOf !== undefined,
      reason: 'KUBE-IPVS-FILTER rejects the ports of a service’s address that no service has',
      instead: { verdict: 'REJECT' },
    },
    {
      applies: ({ to, verdict, internalPolicyLocal }) =>
        internalPolicyLocal && to === 'clusterIP' && verdict === 'DROP',
      reason: 'a virtual server without destinations rejects, whatever other nodes have',
      instead: { verdict: 'REJECT' },
    },
    {
      applies: ({ to, verdict, externalPolicyLocal }) =>
        externalPolicyLocal && to !== 'clusterIP' && verdict === 'DROP',
      reason: 'a virtual server gets the endpoints of other nodes when none is local',
    },
    {
      applies: ({ to, source, sourceRanges }) => to === 'loadBalancer' && source === 'node' && sourceRanges,
      reason: 'the node’s own packets are scheduled at OUTPUT, before KUBE-PROXY-FIREWALL sees them',
    },
    {
      applies: ({ to, source, externalPolicyLocal }) =>
        externalPolicyLocal && to !== 'clusterIP' && source !== 'external',
      reason: 'a virtual server has the same destinations for pods and nodes as for those outside',
    },
  ],
  nftables: [
    FIREWALL_FIRST,
    {
      applies: ({ unknownPortOf }) => unknownPortOf === 'clusterIP',
      reason: 'ports of a cluster IP that no service has are rejected',
      instead: { verdict: 'REJECT' },
    },
    {
      applies: ({ source, to }) => source === 'localhost' && to === 'nodePort',
      reason: 'there are no node ports on 127.0.0.1',
    },
    {
      applies: ({ to }) => to === 'healthCheck',
      reason: 'no rule accepts health checks',
    },
  ],
}

/** Why a flow does not hold in a mode, and what does; undefined when it must hold. */
export function modeDifference(mode: ProxyMode, flow: FlowKind): ModeDifference | undefined {
  return DIFFERENCES[mode]?.find(({ applies }) => applies(flow))
}
