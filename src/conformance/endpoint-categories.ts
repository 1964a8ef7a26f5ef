// Third-party cases of which endpoints a node uses, by policy, readiness and hints.

import type { Service, SliceEndpoint } from '../cluster/objects.js'
import type { EndpointInfo } from '../proxy/endpoint-map.js'
import { servicePortInfo } from '../proxy/service-port.js'
import { categorizeEndpoints } from '../proxy/topology.js'
import { type Endpoint, formatEndpoint, ip } from '../wire/address.js'
import { type CaseResult, failed, passed } from './result.js'

interface CategoryEndpoint extends NonNullable<SliceEndpoint['conditions']> {
  /** `address:port`. */
  readonly endpoint: string
  readonly isLocal?: boolean
  readonly zoneHints?: readonly string[]
  readonly nodeHints?: readonly string[]
}

export interface CategoryCase {
  readonly name: string
  readonly nodeZone?: string | null
  readonly nodeName?: string
  readonly service: {
    readonly internalTrafficPolicy?: 'Cluster' | 'Local'
    readonly externalTrafficPolicy?: 'Cluster' | 'Local'
    readonly nodePort?: number
  }
  readonly endpoints: readonly CategoryEndpoint[]
  /** Sets of `address:port`; null: no such traffic, or nothing for it. */
  readonly cluster: readonly string[] | null
  readonly local: readonly string[] | null
  readonly all: readonly string[] | null
  readonly hasAnyEndpoints: boolean
}

const DEFAULT_NODE = 'node-a'

export function runCategoryCase(given: CategoryCase): CaseResult {
  const name = `categorizeEndpoints: ${given.name}`
  const { nodePort, ...policies } = given.service
  const port = { port: 80, ...(nodePort !== undefined && { nodePort }) }
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'svc', namespace: 'ns' },
    spec: { clusterIP: '10.96.0.1', ports: [port], ...policies },
  }
  const nodeName = given.nodeName ?? DEFAULT_NODE
  const info = servicePortInfo('ns/svc', service, port, 'IPv4')
  const endpoints = given.endpoints.map((endpoint) => endpointInfo(endpoint, nodeName))
  const got = categorizeEndpoints(endpoints, info, { nodeName, zone: given.nodeZone ?? undefined })
  const expected = describe(given.cluster, given.local, given.all, given.hasAnyEndpoints)
  const actual = describe(texts(got.cluster), texts(got.local), texts(got.reachable), got.hasAny)
  return actual === expected
    ? passed(name)
    : failed(name, `expected ${expected}`, `got      ${actual}`, JSON.stringify(given.endpoints))
}

function endpointInfo(given: CategoryEndpoint, nodeName: string): EndpointInfo {
  const colon = given.endpoint.lastIndexOf(':')
  return {
    address: ip(given.endpoint.slice(0, colon).replace(/^\[|\]$/g, '')),
    port: Number(given.endpoint.slice(colon + 1)),
    ready: given.ready ?? true,
    serving: given.serving ?? true,
    terminating: given.terminating ?? false,
    nodeName: given.isLocal ? nodeName : undefined,
    zone: undefined,
    zoneHints: given.zoneHints,
    nodeHints: given.nodeHints,
  }
}

function texts(endpoints: readonly Endpoint[] | undefined): string[] | null {
  return endpoints?.map(formatEndpoint) ?? null
}

type Names = readonly string[] | null

function describe(cluster: Names, local: Names, all: Names, hasAny: boolean): string {
  const set = (names: Names) => `{${[...(names ?? [])].sort().join(' ')}}`
  return `cluster ${set(cluster)} local ${set(local)} all ${set(all)} ${hasAny ? 'some' : 'none'} anywhere`
}
