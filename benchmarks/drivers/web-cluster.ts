// The cluster that the benchmarks of the data path load: a Service `web` with three pods of the image nginx on two
// nodes, and room for clients. Only what packets need - wires, nodes, kube-proxy, pods -, no control plane.

import { resolveClusterConfig } from '../../src/cluster/cluster-config.js'
import type { ClusterChange } from '../../src/cluster/feed.js'
import type { ContainerSpec, SandboxSpec } from '../../src/cluster/sandbox.js'

export const CLUSTER_IP = '10.97.0.1'
export const WEB_PORT = 80
export const DNS = { clusterDomain: 'cluster.local', strict: false }

const MEBIBYTE = 1024 * 1024

export const config = resolveClusterConfig()

export const CLIENT = sandbox('client', 'k8s-node1', 2)
export const SERVERS = [
  sandbox('web-1', 'k8s-node1', 3),
  sandbox('web-2', 'k8s-node2', 3),
  sandbox('web-3', 'k8s-node2', 4),
]

export const NGINX: ContainerSpec = {
  name: 'nginx',
  image: 'nginx',
  env: [],
  mounts: [],
  stdin: false,
  stdinOnce: false,
  tty: false,
  netAdmin: false,
}

/** A pod on a node of the default cluster, by the last part of its address. */
export function sandbox(name: string, nodeName: string, host: number): SandboxSpec {
  const node = config.nodes.find((each) => each.name === nodeName)!
  const [network, prefixLength] = node.podRange.split('/')
  return {
    uid: `uid-${name}`,
    namespace: 'default',
    name,
    hostname: name,
    nodeName,
    hostNetwork: false,
    hostPorts: [],
    address: `${network!.replace(/\d+$/, String(host))}/${prefixLength}`,
    gateway: node.gateway,
    mtuBytes: config.mtuBytes,
    resolvConf: '',
    hosts: '',
    volumes: [],
    memoryLimitBytes: 256 * MEBIBYTE,
  }
}

/** What tells kube-proxies of a Service `name` in front of `pods`. */
export function serviceChanges(
  name: string,
  clusterIP: string,
  pods: readonly SandboxSpec[],
  port = WEB_PORT,
): ClusterChange[] {
  return [
    {
      type: 'ADDED',
      resource: 'services',
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'default' },
        spec: {
          type: 'ClusterIP',
          clusterIP,
          clusterIPs: [clusterIP],
          ports: [{ port, targetPort: port, protocol: 'TCP' }],
        },
      },
    },
    {
      type: 'ADDED',
      resource: 'endpointslices',
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        endpoints: pods.map(({ address, nodeName }) => ({
          addresses: [address.split('/')[0]!],
          conditions: { ready: true },
          nodeName,
        })),
        ports: [{ port, protocol: 'TCP' }],
      },
    },
  ]
}
