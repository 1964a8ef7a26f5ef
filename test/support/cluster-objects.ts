// Services and EndpointSlices for tests, written as short as the test needs them, and the changes they make.

import type { ClusterChange } from '../../src/cluster/feed.js'
import type { EndpointSlice, KubeObject, Service, SliceEndpoint } from '../../src/cluster/objects.js'
import { formatAddress, ip } from '../../src/wire/address.js'

const RESOURCES: Record<string, string> = {
  Service: 'services',
  EndpointSlice: 'endpointslices',
  Namespace: 'namespaces',
  Pod: 'pods',
}

export function change(object: KubeObject, type: ClusterChange['type'] = 'ADDED'): ClusterChange {
  return { type, resource: RESOURCES[object.kind] ?? object.kind, object }
}

/** The same object in IPv6: every 172.30.0.41 in it becomes fd00:172:30::29, as 41 in hexadecimal. */
export function inIpv6<Made extends KubeObject>(object: Made): Made {
  const text = JSON.stringify(object).replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)(\/\d+)?/g,
    (_all, a: string, b: string, c: string, d: string, length?: string) => {
      const address = formatAddress(ip(`fd00:${a}:${b}::${c}:${Number(d).toString(16)}`))
      return length === undefined ? address : `${address}/${Number(length.slice(1)) + 96}`
    },
  )
  return JSON.parse(text.replace('"addressType":"IPv4"', '"addressType":"IPv6"')) as Made
}

export function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

export function service(name: string, spec: Service['spec'], namespace = 'default'): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec }
}

/** `addresses`: `10.36.0.0` is ready, `!10.36.0.0` is not; an object stands as it is. */
export function slice(
  serviceName: string,
  addresses: readonly (string | SliceEndpoint)[],
  ports: EndpointSlice['ports'] = [{ name: '', port: 80, protocol: 'TCP' }],
  namespace = 'default',
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${serviceName}-abcde`,
      namespace,
      labels: { 'kubernetes.io/service-name': serviceName },
    },
    addressType: 'IPv4',
    endpoints: addresses.map((address) =>
      typeof address === 'string'
        ? { addresses: [address.replace('!', '')], conditions: { ready: !address.startsWith('!') } }
        : address,
    ),
    ports,
  }
}
