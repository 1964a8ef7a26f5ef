// How IPVS and netfilter's conntrack agree about a flow (ip_vs_nfct.c of Linux, sysctl net.ipv4.vs.conntrack=1). IPVS
// translates destinations itself, but conntrack has to know from whom answers will come, so that it can undo what
// POSTROUTING does to the source (kube-proxy's masquerading).

import { type Flow, trackingOf } from '../netfilter/flow.js'
import type { Netfilter } from '../netfilter/netfilter.js'
import type { Packet } from '../stack/hooks.js'
import type { Endpoint } from '../wire/address.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'

export class ConntrackFlows {
  readonly #netfilter: Netfilter

  constructor(netfilter: Netfilter) {
    this.#netfilter = netfilter
  }

  flowOf(packet: Packet): Flow | undefined {
    return trackingOf(packet)?.flow
  }

  /** Whether conntrack has the packet's flow in its table: it leads where it led before. */
  isConfirmed(packet: Packet): boolean {
    return this.flowOf(packet)?.confirmed ?? false
  }

  /** Of the flow that the packet begins: answers will come from `server`. */
  alterReply(packet: Packet, server: Endpoint): void {
    const tracking = trackingOf(packet)
    const flow = tracking?.flow
    if (flow === undefined || flow.confirmed || tracking?.reply) return
    const { protocol } = flow.original
    const hasPorts = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP
    const sourcePort = hasPorts ? server.port : flow.reply.sourcePort
    flow.reply = { ...flow.reply, source: server.address, sourcePort }
  }

  /** The connection is over: a later one between the same ports may go elsewhere. */
  forget(flow: Flow | undefined): void {
    if (flow !== undefined) this.#netfilter.forgetFlow(flow)
  }
}
