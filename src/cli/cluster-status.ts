// What a running cluster looks like just now, in a few lines: nodes, pods, services and where their connections went.

import type { Node, Pod, Service } from '../cluster/objects.js'
import type { FlowEvent } from '../drivers/emulation.js'
import { type PodState, podState } from '../scenario/pod-state.js'
import type { Paint } from '../scenario/reporters/pretty.js'
import type { RunningCluster } from '../scenario/running-cluster.js'

export interface ClusterStatus {
  readonly nodes: readonly { readonly name: string; readonly ready: boolean; readonly proxyMode: string }[]
  readonly pods: readonly (PodState & { readonly name: string; readonly address: string })[]
  readonly services: readonly {
    readonly name: string
    readonly address: string
    /** Connections by endpoint so far. */
    readonly connections: Readonly<Record<string, number>>
    /** Connections for which there was no endpoint. */
    readonly failed: number
  }[]
  /** Why the capture is not whole. */
  readonly captureProblem?: string
}

/** Connections of a Service by endpoint; '' when there was none. */
type Counts = Map<string, number>

/** Counts connections, and keeps no more of them: a cluster may stay for days. */
export class FlowCounts {
  /** By `namespace/name` of the Service. */
  readonly #services = new Map<string, Counts>()

  add({ service, endpoint = '' }: FlowEvent): void {
    const name = service.split(':', 1)[0]!
    let counts = this.#services.get(name)
    if (counts === undefined) this.#services.set(name, (counts = new Map()))
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1)
  }

  of(service: string): { connections: Record<string, number>; failed: number } {
    const counts = [...(this.#services.get(service) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
    const connections = Object.fromEntries(counts.filter(([endpoint]) => endpoint !== ''))
    return { connections, failed: this.#services.get(service)?.get('') ?? 0 }
  }
}

/** A terminal's height is not asked for: more pods than this are counted, not listed. */
const PODS_LISTED = 20

export function clusterStatus(cluster: RunningCluster, flows: FlowCounts): ClusterStatus {
  const list = <Kind>(path: string): Kind[] =>
    (cluster.api.request({ method: 'GET', path }).body as { items: Kind[] }).items
  const nodes = list<Node>('/api/v1/nodes').map(({ metadata, status }) => ({
    name: metadata.name,
    ready: isTrue(status?.conditions, 'Ready'),
    proxyMode: cluster.emulation.proxyMode(metadata.name),
  }))
  const pods = list<Pod>('/api/v1/pods').map((pod) => ({
    name: nameOf(pod.metadata),
    ...podState(pod),
    address: pod.status?.podIP ?? '',
  }))
  const services = list<Service>('/api/v1/services').map(({ metadata, spec }) => ({
    name: nameOf(metadata),
    address: spec.clusterIP ?? '',
    ...flows.of(`${metadata.namespace}/${metadata.name}`),
  }))
  const { captureProblem } = cluster.emulation
  return { nodes, pods, services, ...(captureProblem !== undefined && { captureProblem }) }
}

export function statusText(status: ClusterStatus, paint: Paint): string {
  const { nodes, pods, services, captureProblem } = status
  const ready = pods.filter((pod) => pod.ready).length
  const lines = [
    ...(captureProblem === undefined ? [] : [paint('red', `${captureProblem}; it is not whole`)]),
    `${paint('bold', 'nodes')}     ${nodes.map((node) => paint(node.ready ? 'green' : 'yellow', node.name)).join('  ')}  ${paint('dim', `kube-proxy: ${[...new Set(nodes.map((node) => node.proxyMode))].join(', ')}`)}`,
    `${paint('bold', 'pods')}      ${paint(ready === pods.length ? 'green' : 'yellow', `${ready}/${pods.length} ready`)}`,
    ...pods
      .filter((pod) => pods.length <= PODS_LISTED || !pod.ready)
      .slice(0, PODS_LISTED)
      .map(
        (pod) =>
          `  ${paint(pod.ready ? 'green' : 'yellow', pod.ready ? '●' : '○')} ${pod.name.padEnd(46)} ${pod.address.padEnd(15)} ${paint('dim', pod.state)}`,
      ),
    `${paint('bold', 'services')}  ${services.length}`,
    ...services.flatMap(({ name, address, connections, failed }) => [
      `  ${name.padEnd(48)} ${address}${failed > 0 ? paint('red', `  ${failed} without endpoint`) : ''}`,
      ...Object.entries(connections).map(([endpoint, count]) => `      ${endpoint.padEnd(21)} ${count}`),
    ]),
  ]
  return `${lines.join('\n')}\n`
}

function nameOf({ namespace, name }: { readonly namespace?: string; readonly name: string }): string {
  return namespace === undefined || namespace === 'default' ? name : `${namespace}/${name}`
}

function isTrue(
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
): boolean {
  return conditions?.some((one) => one.type === type && one.status === 'True') ?? false
}
