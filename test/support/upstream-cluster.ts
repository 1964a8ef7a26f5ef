// The cluster of kube-proxy's own test of all its rules (TestOverallNFTablesRules, TestOverallIPTablesRules): six
// services that between them use every kind of address and policy. Written anew for these tests.

import type { KubeObject, Service } from '../../src/cluster/objects.js'
import { service, slice } from './cluster-objects.js'

const PORT = [{ name: 'p80', port: 80, protocol: 'TCP' as const }]

function withIngress(object: Service, ip: string): Service {
  return { ...object, status: { loadBalancer: { ingress: [{ ip }] } } }
}

const port = (nodePort?: number) => [{ ...PORT[0]!, ...(nodePort !== undefined && { nodePort }) }]

export const UPSTREAM_CLUSTER: readonly KubeObject[] = [
  service('svc1', { type: 'ClusterIP', clusterIP: '172.30.0.41', ports: port() }, 'ns1'),
  withIngress(
    service(
      'svc2',
      {
        type: 'LoadBalancer',
        clusterIP: '172.30.0.42',
        ports: port(3001),
        externalTrafficPolicy: 'Local',
        externalIPs: ['192.168.99.22'],
        healthCheckNodePort: 30000,
      },
      'ns2',
    ),
    '1.2.3.4',
  ),
  service('svc3', { type: 'NodePort', clusterIP: '172.30.0.43', ports: port(3003) }, 'ns3'),
  service(
    'svc4',
    { type: 'NodePort', clusterIP: '172.30.0.44', ports: port(), externalIPs: ['192.168.99.33'] },
    'ns4',
  ),
  withIngress(
    service(
      'svc5',
      {
        type: 'LoadBalancer',
        clusterIP: '172.30.0.45',
        ports: port(3002),
        externalTrafficPolicy: 'Cluster',
        loadBalancerSourceRanges: [' 203.0.113.0/25'],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      },
      'ns5',
    ),
    '5.6.7.8',
  ),
  service('svc6', { type: 'ClusterIP', clusterIP: '172.30.0.46', ports: port() }, 'ns6'),
  slice('svc1', ['10.180.0.1'], PORT, 'ns1'),
  slice('svc2', ['10.180.0.2'], PORT, 'ns2'),
  slice('svc3', ['10.180.0.3'], PORT, 'ns3'),
  slice('svc4', ['10.180.0.4', { addresses: ['10.180.0.5'], nodeName: 'test-node' }], PORT, 'ns4'),
  slice('svc5', ['10.180.0.3'], PORT, 'ns5'),
]
