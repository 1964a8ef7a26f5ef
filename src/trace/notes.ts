// What someone who knows kube-proxy would say about a trace: a sentence for each thing that is not plain from the
// rules alone.

import type { Explanation } from './explanation.js'
import type { Client } from './lab.js'
import type { Probe } from './probe.js'

interface Context {
  readonly client: Client
  readonly first: Probe
  /** Connections that were tried from other clients. */
  readonly others: number
  /** The service that has this cluster IP, but not this port, with the ports that it has. */
  readonly portsThere: string | undefined
}

export function notesOf(explanation: Explanation, { client, first, others, portsThere }: Context): string[] {
  const { service, verdict, chosen, masquerade, resolution, node } = explanation
  const notes: string[] = []
  if (service?.headless) {
    const count = resolution?.addresses.length ?? 0
    notes.push(
      `${service.name} is headless: the name gives the addresses of ${count} endpoint${count === 1 ? '' : 's'}, no rule of kube-proxy is in the way, and the client itself picks one (here the first)`,
    )
  } else if (verdict === 'NO_MATCH') {
    if (service === undefined && portsThere !== undefined)
      notes.push(`the service has no such port for this protocol: ${portsThere}`)
    notes.push(
      first.arrival === undefined && first.outcome === 'refused'
        ? 'no rule of kube-proxy matches, and nobody listens there'
        : 'no rule of kube-proxy matches: the packet goes on to where it was sent',
    )
  }
  if (
    first.arrival !== undefined &&
    first.arrival.destination.address === client.address &&
    client.name.startsWith('pod') &&
    verdict === 'DNAT'
  )
    notes.push(
      'hairpin: the endpoint chosen is the client itself; its source becomes the address of the node, or it would answer itself directly and the connection would fail',
    )
  else if (masquerade)
    notes.push(
      'the source is masqueraded: the endpoint sees the address of a node, and its answers come back there',
    )
  if (service?.localOnly && verdict !== 'NO_MATCH') notes.push(localNote(explanation, client))
  if (service?.affinitySeconds !== undefined && verdict === 'DNAT') {
    const more = others > 0 ? `; ${others} other clients were tried for the odds` : ''
    notes.push(
      `session affinity: this client stays with ${chosen ?? 'its endpoint'} until ${service.affinitySeconds} s have passed without a new connection${more}`,
    )
  }
  if (verdict === 'REJECT')
    notes.push(
      `the service has no endpoint for this packet: ${node} answers with an ICMP port unreachable, and the client fails at once`,
    )
  if (verdict === 'REJECT' && explanation.connections.silent > 0)
    notes.push('not every connection is answered: a host limits how many ICMP errors it sends')
  if (verdict === 'ACCEPT') notes.push(`the packet is delivered to ${receiver(first) ?? node} itself`)
  return notes
}

/** The node that took the packet for itself. */
function receiver({ records }: Probe): string | undefined {
  return records.flatMap((record) =>
    record.type === 'netfilter' && record.hook === 'INPUT' ? record.node : [],
  )[0]
}

function localNote({ verdict, service, odds, node, proxyMode }: Explanation, client: Client): string {
  const internal = service?.reachedBy === 'cluster IP'
  const policy = internal ? 'internalTrafficPolicy' : 'externalTrafficPolicy'
  if (verdict === 'DROP' || (verdict === 'REJECT' && odds.length === 0))
    return `${policy} is Local and ${node} has no ready endpoint of ${service?.name}: its packets are not sent to other nodes`
  if (proxyMode === 'userspace') return `${policy} is Local, of which the userspace proxy knows nothing`
  const elsewhere = odds.some((one) => one.node !== undefined && one.node !== node)
  if (proxyMode.startsWith('ipvs') && elsewhere)
    return `${policy} is Local, but ${node} has no ready endpoint of ${service?.name}: ipvs mode takes those of other nodes then, which see the client's own address and do not answer through ${node}`
  if (!internal && !proxyMode.startsWith('ipvs') && !client.name.startsWith('external'))
    return `${policy} is Local, but not for packets from inside the cluster: they may go to endpoints on every node`
  return `${policy} is Local: only endpoints on ${node} are chosen`
}
