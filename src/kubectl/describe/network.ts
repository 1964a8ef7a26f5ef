// Descriptions of Service and Endpoints.

import { formatEndpoints } from '../../api/printers/network.js'
import type { Endpoints, Service } from '../../cluster/objects.js'
import {
  type DescriptionWriter,
  describeEvents,
  describeMetadata,
  labelLines,
  type Subject,
} from './writer.js'

export function describeService(writer: DescriptionWriter, subject: Subject): void {
  const service = subject.object as Service
  const { spec, metadata, status } = service
  const { client, mapper } = subject.context
  const endpoints = client.find<Endpoints>(mapper.find('endpoints'), metadata.namespace, metadata.name)
  describeMetadata(writer, service)
  writer.field(0, 'Selector', labelLines(spec.selector).join(',') || '<none>')
  writer.field(0, 'Type', spec.type ?? 'ClusterIP')
  if (spec.ipFamilyPolicy) writer.field(0, 'IP Family Policy', spec.ipFamilyPolicy)
  if (spec.ipFamilies?.length) writer.field(0, 'IP Families', spec.ipFamilies.join(','))
  writer.field(0, 'IP', spec.clusterIP ?? '')
  writer.field(0, 'IPs', spec.clusterIPs?.join(',') || '<none>')
  if (spec.externalIPs?.length) writer.field(0, 'External IPs', spec.externalIPs.join(','))
  if (spec.loadBalancerIP) writer.field(0, 'Desired LoadBalancer IP', spec.loadBalancerIP)
  if (spec.externalName) writer.field(0, 'External Name', spec.externalName)
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
  if (ingress.length > 0) writer.field(0, 'LoadBalancer Ingress', ingress.join(', '))
  for (const { name = '', port, protocol = 'TCP', targetPort, nodePort } of spec.ports ?? []) {
    writer.field(0, 'Port', `${name || '<unset>'}\t${port}/${protocol}`)
    writer.field(0, 'TargetPort', `${targetPort ?? port}/${protocol}`)
    if (nodePort) writer.field(0, 'NodePort', `${name || '<unset>'}\t${nodePort}/${protocol}`)
    writer.field(0, 'Endpoints', formatEndpoints(endpoints, name))
  }
  writer.field(0, 'Session Affinity', spec.sessionAffinity ?? 'None')
  if (spec.externalTrafficPolicy) writer.field(0, 'External Traffic Policy', spec.externalTrafficPolicy)
  if (spec.internalTrafficPolicy) writer.field(0, 'Internal Traffic Policy', spec.internalTrafficPolicy)
  describeEvents(writer, subject)
}

export function describeEndpoints(writer: DescriptionWriter, subject: Subject): void {
  const endpoints = subject.object as Endpoints
  describeMetadata(writer, endpoints)
  writer.line(0, 'Subsets:')
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    writer.field(1, 'Addresses', addresses.map(({ ip }) => ip).join(',') || '<none>')
    writer.field(1, 'NotReadyAddresses', notReadyAddresses.map(({ ip }) => ip).join(',') || '<none>')
    if (ports.length > 0) {
      writer.line(1, 'Ports:')
      writer.line(2, 'Name\tPort\tProtocol')
      writer.line(2, '----\t----\t--------')
      for (const { name, port, protocol = 'TCP' } of ports) {
        writer.line(2, `${name || '<unset>'}\t${port}\t${protocol}`)
      }
    }
    writer.line(0, '')
  }
  describeEvents(writer, subject)
}
