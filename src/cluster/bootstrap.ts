// What is in a cluster before the first manifest: nodes, namespaces, the Services `kubernetes` and `kube-dns`, CoreDNS,
// and the ConfigMap that kubeadm leaves. The control plane node comes first and CoreDNS is scheduled while it is
// alone, as when a cluster is set up with kubeadm; the workers join afterwards.

import { base64Encode } from '../base/base64.js'
import { Random } from '../base/random.js'
import type { Admission } from './admission.js'
import type { ClusterClock } from './clock.js'
import type { ClusterConfig, NodeConfig } from './cluster-config.js'
import { addKubernetesService } from './kubernetes-service.js'
import { randomHex, uuid } from './names.js'
import type { ConfigMap, Deployment, Namespace, Node, Service, Taint } from './objects.js'
import { DNS_MEMORY_MEBIBYTES } from './sandbox.js'
import type { ObjectStore } from './store.js'

export const KUBERNETES_VERSION = 'v1.31.0'
const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane'
const COREDNS_IMAGE = 'coredns/coredns:1.11.3'
const DNS_LABELS = { 'k8s-app': 'kube-dns' }

export interface BootstrapTarget {
  readonly store: ObjectStore
  readonly admission: Admission
  readonly clock: ClusterClock
  readonly config: ClusterConfig
  /** Of the API server's authority, PEM; without it there is no ConfigMap `cluster-info`. */
  readonly authority?: string | undefined
}

/** The control plane's part: namespaces, control plane nodes, Services, CoreDNS. */
export function bootstrapControlPlane(target: BootstrapTarget): void {
  const { admission, config, authority } = target
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    admission.create<Namespace>({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  for (const node of firstNodes(config)) addNode(target, node)
  addKubernetesService(target, config)
  addDns(target)
  admission.create<ConfigMap>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kubeadm-config', namespace: 'kube-system' },
    data: { ClusterConfiguration: clusterConfiguration(config) },
  })
  if (authority !== undefined)
    admission.create<ConfigMap>({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cluster-info', namespace: 'kube-public' },
      data: { kubeconfig: clusterInfo(config, authority) },
    })
}

/** The workers join. */
export function joinWorkers(target: BootstrapTarget): void {
  const first = firstNodes(target.config)
  for (const node of target.config.nodes) if (!first.includes(node)) addNode(target, node)
}

/** The control plane's nodes; in a cluster without, all. */
function firstNodes({ nodes }: ClusterConfig): readonly NodeConfig[] {
  const masters = nodes.filter((node) => node.controlPlane)
  return masters.length > 0 ? masters : nodes
}

function addNode({ store, clock, config }: BootstrapTarget, node: NodeConfig): void {
  const now = clock.timestamp()
  const taints: Taint[] = node.controlPlane ? [{ key: CONTROL_PLANE, effect: 'NoSchedule' }] : []
  const healthy = (type: string, reason: string, message: string, status: 'True' | 'False' = 'False') => ({
    type,
    status,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
    reason,
    message,
  })
  const uid = store.newUid()
  const identities = new Random(uid)
  const capacity = { cpu: '4', 'ephemeral-storage': '61255492Ki', memory: '8148600Ki', pods: '110' }
  store.create<Node>({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      uid,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        ...(node.controlPlane && { [CONTROL_PLANE]: '' }),
        ...node.labels,
      },
    },
    spec: {
      podCIDR: node.podCIDR,
      podCIDRs: [node.podCIDR, ...(node.ipv6 ? [node.ipv6.podCIDR] : [])],
      ...(taints.length > 0 && taintable(config) && { taints }),
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: node.address },
        ...(node.ipv6 ? [{ type: 'InternalIP' as const, address: node.ipv6.address }] : []),
        { type: 'Hostname', address: node.name },
      ],
      capacity,
      allocatable: { ...capacity },
      conditions: [
        healthy('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        healthy('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        healthy('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        healthy('Ready', 'KubeletReady', 'kubelet is posting ready status', 'True'),
      ],
      nodeInfo: {
        architecture: 'amd64',
        bootID: uuid(identities),
        containerRuntimeVersion: 'podwire://0.1.0',
        kernelVersion: '6.1.0-podwire',
        kubeProxyVersion: KUBERNETES_VERSION,
        kubeletVersion: KUBERNETES_VERSION,
        machineID: randomHex(identities, 32),
        operatingSystem: 'linux',
        osImage: 'Podwire',
        systemUUID: uuid(identities),
      },
    },
  })
}

/** A control plane node that is alone takes ordinary pods too, or none could run. */
function taintable(config: ClusterConfig): boolean {
  return config.nodes.some((node) => !node.controlPlane)
}

function addDns({ admission, config }: BootstrapTarget): void {
  const namespace = 'kube-system'
  const data = { Corefile: corefile(config), ...config.dnsConfig }
  admission.create<ConfigMap>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'coredns', namespace },
    data,
  })
  admission.create<Service>({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kube-dns',
      namespace,
      labels: {
        ...DNS_LABELS,
        'kubernetes.io/cluster-service': 'true',
        'kubernetes.io/name': 'CoreDNS',
      },
    },
    spec: {
      clusterIP: config.dnsAddress,
      selector: DNS_LABELS,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
      ],
    },
  })
  admission.create<Deployment>({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace, labels: DNS_LABELS },
    spec: {
      replicas: config.dnsReplicas,
      selector: { matchLabels: DNS_LABELS },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels: DNS_LABELS },
        spec: {
          containers: [
            {
              name: 'coredns',
              image: COREDNS_IMAGE,
              imagePullPolicy: 'IfNotPresent',
              args: ['-conf', '/etc/coredns/Corefile'],
              ports: [
                { name: 'dns', containerPort: 53, protocol: 'UDP' },
                { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
              ],
              resources: {
                limits: { memory: `${DNS_MEMORY_MEBIBYTES}Mi` },
                requests: { cpu: '100m', memory: '70Mi' },
              },
              volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
            },
          ],
          // The node's own resolver, not itself.
          dnsPolicy: 'Default',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [
            { key: 'CriticalAddonsOnly', operator: 'Exists' },
            { key: CONTROL_PLANE, effect: 'NoSchedule' },
          ],
          volumes: [
            {
              name: 'config-volume',
              configMap: { name: 'coredns', items: Object.keys(data).map((key) => ({ key, path: key })) },
            },
          ],
        },
      },
    },
  })
}

function corefile({ clusterDomain }: ClusterConfig): string {
  return `.:53 {
    errors
    kubernetes ${clusterDomain} in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    reload
    loadbalance
}
`
}

/** What kubeadm shows to nodes that are to join: where the API server is, and how to know it. */
function clusterInfo({ apiServer: { address, port } }: ClusterConfig, authority: string): string {
  const certificate = Uint8Array.from(authority, (character) => character.charCodeAt(0))
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64Encode(certificate)}
    server: https://${address}:${port}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`
}

function clusterConfiguration(config: ClusterConfig): string {
  const { ipv6 } = config
  return `apiServer: {}
apiVersion: kubeadm.k8s.io/v1beta4
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controlPlaneEndpoint: ${config.apiServer.address}:${config.apiServer.port}
controllerManager: {}
dns: {}
kind: ClusterConfiguration
kubernetesVersion: ${KUBERNETES_VERSION}
networking:
  dnsDomain: ${config.clusterDomain}
  podSubnet: ${[config.podSubnet, ...(ipv6 ? [ipv6.podSubnet] : [])].join(',')}
  serviceSubnet: ${[config.serviceSubnet, ...(ipv6 ? [ipv6.serviceSubnet] : [])].join(',')}
scheduler: {}
`
}
