// The cluster that DNS cases call `ci` and do not bring with them: services and endpoints of the manifest that
// CoreDNS' continuous integration applies, reduced to what a DNS server sees of them.

import type { EndpointSlice, KubeObject, Service } from '../cluster/objects.js'

type Ports = NonNullable<EndpointSlice['ports']>

const UDP: Ports = [{ name: 'c-port', port: 1234, protocol: 'UDP' }]
const HTTP: Ports = [{ name: 'http', port: 80, protocol: 'TCP' }]
const HTTPS: Ports = [{ name: 'https', port: 443, protocol: 'TCP' }]

export function ciObjects(): KubeObject[] {
  return [
    ...['test-1', 'test-2', 'test-3'].map(namespace),
    service('test-1', 'svc-1-a', { clusterIP: '10.96.0.100' }, [...HTTP, ...HTTPS]),
    slice('test-1', 'svc-1-a', [{ addresses: ['172.17.0.253'] }], [...HTTP, ...HTTPS]),
    service('test-1', 'svc-1-b', { clusterIP: '10.96.0.110' }, HTTP),
    service('test-1', 'svc-c', { clusterIP: '10.96.0.115' }, UDP),
    service('test-2', 'svc-c', { clusterIP: '10.96.0.120' }, UDP),
    service('test-2', 'svc-d', { clusterIP: '10.96.0.121' }, UDP),
    slice('test-2', 'svc-d', [{ addresses: ['172.17.0.252'] }], UDP),
    service('test-1', 'svc-unready', { clusterIP: 'None' }, UDP),
    slice('test-1', 'svc-unready', [{ addresses: ['10.244.0.9'], conditions: { ready: false } }], UDP),
    service('test-1', 'headless-svc', { clusterIP: 'None' }, UDP),
    slice('test-1', 'headless-svc', named('headless-svc', ['172.17.0.255', '172.17.0.254'], 1), UDP),
    {
      ...slice(
        'test-1',
        'headless-svc',
        named('headless-svc', ['1234:abcd::1', '1234:abcd::2'], 3),
        UDP,
        'v6',
      ),
      addressType: 'IPv6',
    },
    service('test-1', 'ext-svc', { type: 'ExternalName', externalName: 'example.net' }, UDP),
    service('test-2', 'upriver', { type: 'ExternalName', externalName: 'up.river.local' }, UDP),
    service('test-3', 'headless-1', { clusterIP: 'None' }, HTTP),
    slice('test-3', 'headless-1', [podEndpoint('10.244.0.8', 'test-name')], HTTP),
    service('test-3', 'headless-2', { clusterIP: 'None' }, HTTP),
    slice('test-3', 'headless-2', [podEndpoint('10.244.0.7', LONG_POD_NAME)], HTTP),
  ]
}

/** No label may be as long. */
const LONG_POD_NAME = 'test-name-longer-than-63-characters-making-it-an-invalid-dns-label'

function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

function service(namespaceName: string, name: string, spec: Service['spec'], ports: Ports): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: namespaceName },
    spec: { ...spec, ports: ports.map(({ port = 0, ...rest }) => ({ ...rest, port })) },
  }
}

function slice(
  namespaceName: string,
  name: string,
  endpoints: NonNullable<EndpointSlice['endpoints']>,
  ports: Ports,
  suffix = 'v4',
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${suffix}`,
      namespace: namespaceName,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: 'IPv4',
    endpoints,
    ports,
  }
}

/** Endpoints with the hostnames `base-1`, `base-2`, ..., counted from `first`. */
function named(base: string, addresses: readonly string[], first: number) {
  return addresses.map((address, i) => ({ addresses: [address], hostname: `${base}-${first + i}` }))
}

function podEndpoint(address: string, name: string) {
  return { addresses: [address], targetRef: { kind: 'Pod', name } }
}
