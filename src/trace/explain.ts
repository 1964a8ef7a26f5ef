// Explains where a packet goes, by sending it: resolves the name as the client would, tries many connections from an
// injected source, and puts together what was seen of them. Nothing is read out of the rules.

import type { Pod } from '../cluster/objects.js'
import { type Endpoint, formatAddress, formatEndpoint, type IpAddress } from '../wire/address.js'
import { portsAt, type ServiceInfo, serviceAt, servicesOf } from './destination.js'
import type { EndpointOdds, Explanation, Verdict } from './explanation.js'
import { journeyOf, routeText } from './journey.js'
import type { Client, Lab } from './lab.js'
import { notesOf } from './notes.js'
import { type Probe, probe, type Transport } from './probe.js'
import { Recorder } from './recorder.js'
import type { NameResolution } from './resolution.js'

export interface TraceTarget {
  readonly address: IpAddress
  readonly port: number
  readonly resolution?: NameResolution
  /** Of a headless name: the service whose endpoints it gave. */
  readonly headless?: ServiceInfo
}

/** Connections that are tried: enough that an endpoint with a fair share of a dozen is not missed. */
export const CONNECTIONS = 64

export async function explain(
  lab: Lab,
  client: Client,
  target: TraceTarget,
  transport: Transport,
  connections = CONNECTIONS,
): Promise<Explanation> {
  const { emulation } = lab
  const to: Endpoint = { address: target.address, port: target.port }
  const recorder = new Recorder(emulation.network, lab.nodes, () => emulation.now())
  const stackOf = (node: string) => emulation.network.node(node).host.stack
  const isNode = lab.nodes.some((node) => stackOf(node).isLocal(to.address))
  const services = servicesOf(emulation.api)
  const service = target.headless ?? serviceAt(services, to.address, to.port, transport, isNode)
  const portsThere = portsAt(services, to.address)

  const own: Probe[] = []
  let conntrack: string[] = []
  for (let i = 0; i < connections; i++) {
    own.push(await probe(lab, recorder, client, to, transport))
    if (i === 0) conntrack = entriesOf(lab, own[0]!)
  }
  const others: Probe[] = []
  if (service?.affinitySeconds !== undefined) {
    for (const other of lab.lookalikes(client, connections))
      others.push(await probe(lab, recorder, other, to, transport))
  }
  const first = own[0]!
  const verdict = verdictOf(first)
  // A client with affinity always comes to the same endpoint: the odds are those of the others.
  const odds = verdict === 'DNAT' ? oddsOf(lab, others.length > 0 ? others : own) : []
  const node = firstNode(first) ?? client.node
  const masquerade = first.arrival !== undefined && first.arrival.source.address !== first.client.address
  const explanation: Explanation = {
    verdict,
    endpoints: odds.map(({ endpoint }) => endpoint),
    masquerade: verdict === 'DNAT' && masquerade,
    from: client.name,
    to: formatEndpoint(to),
    protocol: transport,
    node,
    proxyMode: emulation.proxyMode(node),
    ...(target.resolution === undefined ? {} : { resolution: target.resolution }),
    ...(service === undefined ? {} : { service }),
    route: routeText(client.stack, to.address),
    connections: {
      tried: own.length,
      answered: countOf(own, 'answered'),
      refused: countOf(own, 'refused'),
      unreachable: countOf(own, 'unreachable'),
      silent: countOf(own, 'silent'),
    },
    ...(first.arrival === undefined
      ? {}
      : {
          chosen: formatEndpoint(first.arrival.destination),
          seenAs: formatEndpoint(first.arrival.source),
        }),
    odds,
    journey: journeyOf(first, stackOf),
    ...(service?.affinitySeconds !== undefined && own[1] !== undefined
      ? { again: journeyOf(own[1], stackOf) }
      : {}),
    conntrack,
    notes: [],
  }
  return { ...explanation, notes: notesOf(explanation, { client, first, others: others.length, portsThere }) }
}

/** The node whose netfilter saw the packet first: from outside, the one that was sent to. */
function firstNode({ records }: Probe): string | undefined {
  return records.flatMap((record) => (record.type === 'netfilter' ? record.node : []))[0]
}

/** What became of a connection, from where its packets were seen. */
export function verdictOf({ arrival, outcome, records, to }: Probe): Verdict {
  if (arrival !== undefined) {
    const { address, port } = arrival.destination
    return address === to.address && port === to.port ? 'NO_MATCH' : 'DNAT'
  }
  const ends = records.flatMap((record) =>
    record.type === 'netfilter' && record.event.event === 'end' ? record.event.verdict : [],
  )
  if (ends.includes('REJECT')) return 'REJECT'
  if (ends.includes('DROP')) return 'DROP'
  if (outcome === 'answered') return translated(records) ? 'DNAT' : 'ACCEPT'
  // Refused by no rule: by a host where nobody listens, or because there is no way.
  return outcome === 'silent' ? 'DROP' : 'NO_MATCH'
}

/** Whether a destination was rewritten to something on a node itself: a host-network endpoint. */
function translated(records: Probe['records']): boolean {
  return records.some(
    (record) =>
      record.type === 'netfilter' && record.event.event === 'rule' && record.event.verdict === 'DNAT',
  )
}

function countOf(probes: readonly Probe[], outcome: Probe['outcome']): number {
  return probes.filter((one) => one.outcome === outcome).length
}

function oddsOf(lab: Lab, probes: readonly Probe[]): EndpointOdds[] {
  const counts = new Map<string, number>()
  for (const one of probes) {
    const reached = destinationOf(one)
    if (reached !== undefined) counts.set(reached, (counts.get(reached) ?? 0) + 1)
  }
  const pods = podsByAddress(lab)
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([endpoint, connections]) => {
      const pod = pods.get(endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, ''))
      return {
        endpoint,
        ...(pod === undefined
          ? {}
          : { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, node: pod.spec.nodeName ?? '' }),
        connections,
      }
    })
}

function destinationOf({ arrival, records, to }: Probe): string | undefined {
  if (arrival !== undefined) return formatEndpoint(arrival.destination)
  for (const record of records) {
    if (record.type !== 'netfilter' || record.event.event !== 'nat') continue
    const { part, after, before } = record.event
    if (part === 'destination' && before.address === to.address) return formatEndpoint(after)
  }
  return undefined
}

function podsByAddress(lab: Lab): Map<string, Pod> {
  const response = lab.emulation.api.request({ method: 'GET', path: '/api/v1/pods' })
  const pods = (response.body as { items: Pod[] }).items
  const rows = pods.flatMap((pod): [string, Pod][] => {
    const { podIP, podIPs = [], phase } = pod.status ?? {}
    // The address of a pod that has ended may be another's by now.
    if (podIP === undefined || phase === 'Succeeded' || phase === 'Failed') return []
    return [podIP, ...podIPs.map(({ ip }) => ip)].map((address) => [address, pod])
  })
  return new Map(rows)
}

/** Lines of `conntrack -L` on every node that are about a connection. */
function entriesOf(lab: Lab, { client, to }: Probe): string[] {
  const entries: string[] = []
  for (const name of lab.nodes) {
    const lines = lab.emulation.network.node(name).host.netfilter.flowsText().split('\n')
    for (const line of lines) {
      const own =
        line.includes(`src=${formatAddress(client.address)} `) && line.includes(` sport=${client.port} `)
      if (own && line.includes(` dport=${to.port} `)) entries.push(`${name}: ${line.trim()}`)
    }
  }
  return entries
}
