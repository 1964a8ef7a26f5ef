// A FlowEvent as one line of text, for the way between threads: what is copied there by the thousand a second costs by the
// number of its properties and strings.

import type { FlowEvent } from './emulation.js'

/** No property holds a tab. */
const SEPARATOR = '\t'

export function flowLine({ at, node, protocol, client, service, clusterIP, endpoint }: FlowEvent): string {
  return `${at}\t${node}\t${protocol}\t${client}\t${service}\t${clusterIP}\t${endpoint ?? ''}`
}

/** Reads what `flowLine` wrote. */
export function parseFlowLine(line: string): FlowEvent {
  const [at, node, protocol, client, service, clusterIP, endpoint] = line.split(SEPARATOR)
  return {
    at: Number(at),
    node: node!,
    protocol: protocol as FlowEvent['protocol'],
    client: client!,
    service: service!,
    clusterIP: clusterIP!,
    endpoint: endpoint === '' ? undefined : endpoint,
  }
}
