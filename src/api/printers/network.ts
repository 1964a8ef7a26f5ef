// Rows of Service, Endpoints and EndpointSlice. Lists are cut after three: `a,b,c + 2 more...`.

import type { EndpointSlice, Endpoints, Service } from '../../cluster/objects.js'
import { ageSince } from '../human-duration.js'
import { columns, formatLabels, type Printer } from './table.js'

const SHOWN = 3

function firstFew(list: readonly string[]): string {
  const shown = list.slice(0, SHOWN).join(',')
  return list.length > SHOWN ? `${shown} + ${list.length - SHOWN} more...` : shown
}

function externalAddress({ spec, status }: Service): string {
  const addresses = spec.externalIPs ?? []
  switch (spec.type) {
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(
        ({ ip, hostname }) => ip ?? hostname ?? [],
      )
      const all = [...ingress, ...addresses]
      return all.length === 0 ? '<pending>' : all.join(',')
    }
    case 'ExternalName':
      return spec.externalName ?? '<none>'
    default:
      return addresses.length === 0 ? '<none>' : addresses.join(',')
  }
}

function servicePorts(service: Service): string {
  const ports = (service.spec.ports ?? []).map(({ port, nodePort, protocol = 'TCP' }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  )
  return ports.length === 0 ? '<none>' : ports.join(',')
}

export const servicePrinter: Printer<Service> = {
  columns: columns('Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', '+Selector'),
  cells(service, now) {
    const { metadata, spec } = service
    return [
      metadata.name,
      spec.type ?? 'ClusterIP',
      spec.clusterIPs?.[0] || spec.clusterIP || '<none>',
      externalAddress(service),
      servicePorts(service),
      ageSince(metadata.creationTimestamp, now),
      formatLabels(spec.selector),
    ]
  },
}

/** `10.36.0.0:80,10.39.0.0:80`: the ready addresses, of the port with this name only when one is given. */
export function formatEndpoints(endpoints: Endpoints | undefined, portName?: string): string {
  const subsets = endpoints?.subsets ?? []
  if (subsets.length === 0) return '<none>'
  const list = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports
          .filter((port) => portName === undefined || (port.name ?? '') === portName)
          .flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`)),
  )
  return firstFew(list)
}

export const endpointsPrinter: Printer<Endpoints> = {
  columns: columns('Name', 'Endpoints', 'Age'),
  cells(endpoints, now) {
    const { name, creationTimestamp } = endpoints.metadata
    return [name, formatEndpoints(endpoints), ageSince(creationTimestamp, now)]
  },
}

export const endpointSlicePrinter: Printer<EndpointSlice> = {
  columns: columns('Name', 'AddressType', 'Ports', 'Endpoints', 'Age'),
  cells({ metadata, addressType, ports, endpoints }, now) {
    const numbers = (ports ?? []).map(({ port }) => (port === undefined ? '*' : String(port)))
    const addresses = (endpoints ?? []).flatMap((endpoint) => endpoint.addresses)
    return [
      metadata.name,
      addressType,
      numbers.length === 0 ? '<unset>' : firstFew(numbers),
      addresses.length === 0 ? '<unset>' : firstFew(addresses),
      ageSince(metadata.creationTimestamp, now),
    ]
  },
}
