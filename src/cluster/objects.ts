// Kubernetes objects as they stand in manifests and on the API: the fields that Podwire reads or writes, by the
// names and in the shapes of the Kubernetes API reference (v1, apps/v1, discovery.k8s.io/v1). Objects are plain
// JSON data. Fields that are not named here are kept as they came; which fields are known at all is for
// admission (cluster/schema.ts).

/** RFC 3339 in UTC with seconds, `2021-09-13T12:36:38Z`. */
export type Timestamp = string
export type Labels = Record<string, string>

export interface ObjectMeta {
  name: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: Timestamp
  deletionTimestamp?: Timestamp
  deletionGracePeriodSeconds?: number
  labels?: Labels
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** Any object. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

export interface LabelSelector {
  matchLabels?: Labels
  matchExpressions?: {
    key: string
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
    values?: string[]
  }[]
}

export type IntOrString = number | string
export type Protocol = 'TCP' | 'UDP' | 'SCTP'

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  lastProbeTime?: Timestamp | null
  lastTransitionTime?: Timestamp
  lastUpdateTime?: Timestamp
  lastHeartbeatTime?: Timestamp
  reason?: string
  message?: string
}

export interface Namespace extends KubeObject {
  kind: 'Namespace'
  spec?: { finalizers?: string[] }
  status?: { phase?: 'Active' | 'Terminating' }
}

export interface ConfigMap extends KubeObject {
  kind: 'ConfigMap'
  data?: Record<string, string>
  binaryData?: Record<string, string>
  immutable?: boolean
}

export interface Secret extends KubeObject {
  kind: 'Secret'
  type?: string
  /** Base64. */
  data?: Record<string, string>
  immutable?: boolean
}

export interface ServiceAccount extends KubeObject {
  kind: 'ServiceAccount'
  automountServiceAccountToken?: boolean
}

export interface Node extends KubeObject {
  kind: 'Node'
  spec: { podCIDR?: string; podCIDRs?: string[]; unschedulable?: boolean; taints?: Taint[] }
  status?: {
    addresses?: { type: 'InternalIP' | 'ExternalIP' | 'Hostname'; address: string }[]
    conditions?: Condition[]
    capacity?: Record<string, string>
    allocatable?: Record<string, string>
    nodeInfo?: Record<string, string>
  }
}

export interface Taint {
  key: string
  value?: string
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

export interface ContainerPort {
  name?: string
  containerPort: number
  protocol?: Protocol
  hostPort?: number
  /** The node's address on which hostPort is; all of them by default. */
  hostIP?: string
}

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: {
    fieldRef?: { apiVersion?: string; fieldPath: string }
    configMapKeyRef?: { name: string; key: string; optional?: boolean }
    secretKeyRef?: { name: string; key: string; optional?: boolean }
  }
}

export interface VolumeMount {
  name: string
  mountPath: string
  subPath?: string
  readOnly?: boolean
}

/** What a probe or a hook does: one of them. */
export interface HandlerAction {
  httpGet?: {
    path?: string
    port: IntOrString
    scheme?: 'HTTP' | 'HTTPS'
    host?: string
    httpHeaders?: { name: string; value: string }[]
  }
  tcpSocket?: { port: IntOrString; host?: string }
  exec?: { command: string[] }
}

export interface LifecycleHandler extends HandlerAction {
  sleep?: { seconds: number }
}

export interface Probe extends HandlerAction {
  initialDelaySeconds?: number
  periodSeconds?: number
  timeoutSeconds?: number
  successThreshold?: number
  failureThreshold?: number
  /** Of a liveness or startup probe: how long the container it ends may take, instead of the pod's. */
  terminationGracePeriodSeconds?: number
}

export interface Container {
  name: string
  image: string
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  command?: string[]
  args?: string[]
  workingDir?: string
  ports?: ContainerPort[]
  env?: EnvVar[]
  envFrom?: {
    prefix?: string
    configMapRef?: { name: string; optional?: boolean }
    secretRef?: { name: string; optional?: boolean }
  }[]
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> }
  volumeMounts?: VolumeMount[]
  readinessProbe?: Probe
  livenessProbe?: Probe
  startupProbe?: Probe
  lifecycle?: { postStart?: LifecycleHandler; preStop?: LifecycleHandler }
  stdin?: boolean
  stdinOnce?: boolean
  tty?: boolean
  /** Simplified: of all that it says, whether the container may change its network counts. */
  securityContext?: { privileged?: boolean; capabilities?: { add?: string[]; drop?: string[] } }
}

/** For debugging: no ports, probes or resources of its own; it starts once and does not count for the pod. */
export interface EphemeralContainer extends Container {
  /** Whose processes it wants to see. Simplified: it sees its own alone, as with runtimes that cannot share them. */
  targetContainerName?: string
}

/** One of the terms that a node must match; all that a term names must hold. */
export interface NodeSelectorTerm {
  matchExpressions?: NodeSelectorRequirement[]
  /** Of the fields, only `metadata.name` can be named. */
  matchFields?: NodeSelectorRequirement[]
}

export interface NodeSelectorRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
  values?: string[]
}

export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}

/** The files of a volume out of a ConfigMap or Secret; modes are permission bits, 0 to 0777. */
export interface VolumeItems {
  items?: { key: string; path: string; mode?: number }[]
  defaultMode?: number
  optional?: boolean
}

/** A field of the pod as a file. */
export interface DownwardFile {
  path: string
  fieldRef?: { apiVersion?: string; fieldPath: string }
  mode?: number
}

/** One of them; a part of a projected volume. */
export interface VolumeProjection {
  serviceAccountToken?: { path: string; audience?: string; expirationSeconds?: number }
  configMap?: Omit<VolumeItems, 'defaultMode'> & { name: string }
  secret?: Omit<VolumeItems, 'defaultMode'> & { name: string }
  downwardAPI?: { items?: DownwardFile[] }
}

export interface Volume {
  name: string
  emptyDir?: { medium?: string; sizeLimit?: string }
  configMap?: VolumeItems & { name: string }
  secret?: VolumeItems & { secretName: string }
  downwardAPI?: { items?: DownwardFile[]; defaultMode?: number }
  projected?: { sources?: VolumeProjection[]; defaultMode?: number }
  /** Simplified: nodes have no files of their own, so it is an emptyDir. */
  hostPath?: { path: string; type?: string }
}

export interface PodSpec {
  containers: Container[]
  initContainers?: Container[]
  /** Added while the pod runs, through the subresource of this name. */
  ephemeralContainers?: EphemeralContainer[]
  volumes?: Volume[]
  nodeName?: string
  nodeSelector?: Labels
  restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  terminationGracePeriodSeconds?: number
  hostname?: string
  subdomain?: string
  dnsPolicy?: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None'
  dnsConfig?: { nameservers?: string[]; searches?: string[]; options?: { name: string; value?: string }[] }
  hostNetwork?: boolean
  hostAliases?: { ip: string; hostnames: string[] }[]
  enableServiceLinks?: boolean
  serviceAccountName?: string
  automountServiceAccountToken?: boolean
  readinessGates?: { conditionType: string }[]
  tolerations?: Toleration[]
  affinity?: {
    nodeAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] }
      [preference: string]: unknown
    }
    [kind: string]: unknown
  }
}

export interface ContainerState {
  waiting?: { reason: string; message?: string }
  running?: { startedAt: Timestamp }
  terminated?: {
    exitCode: number
    signal?: number
    reason?: string
    message?: string
    startedAt?: Timestamp
    finishedAt?: Timestamp
    containerID?: string
  }
}

export interface ContainerStatus {
  name: string
  image: string
  imageID: string
  containerID?: string
  ready: boolean
  started?: boolean
  restartCount: number
  state: ContainerState
  lastState: ContainerState
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'

export interface PodStatus {
  phase?: PodPhase
  reason?: string
  message?: string
  hostIP?: string
  hostIPs?: { ip: string }[]
  podIP?: string
  podIPs?: { ip: string }[]
  startTime?: Timestamp
  conditions?: Condition[]
  containerStatuses?: ContainerStatus[]
  initContainerStatuses?: ContainerStatus[]
  ephemeralContainerStatuses?: ContainerStatus[]
  qosClass?: string
}

export interface Pod extends KubeObject {
  kind: 'Pod'
  spec: PodSpec
  status?: PodStatus
}

export interface PodTemplateSpec {
  metadata?: Partial<ObjectMeta>
  spec: PodSpec
}

export interface ReplicaSet extends KubeObject {
  kind: 'ReplicaSet'
  spec: { replicas?: number; minReadySeconds?: number; selector: LabelSelector; template: PodTemplateSpec }
  status?: {
    replicas: number
    fullyLabeledReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    observedGeneration?: number
  }
}

export interface Deployment extends KubeObject {
  kind: 'Deployment'
  spec: {
    replicas?: number
    selector: LabelSelector
    template: PodTemplateSpec
    strategy?: {
      type?: 'RollingUpdate' | 'Recreate'
      rollingUpdate?: { maxSurge?: IntOrString; maxUnavailable?: IntOrString }
    }
    minReadySeconds?: number
    revisionHistoryLimit?: number
    progressDeadlineSeconds?: number
    paused?: boolean
  }
  status?: {
    observedGeneration?: number
    replicas?: number
    updatedReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    unavailableReplicas?: number
    conditions?: Condition[]
  }
}

export interface ServicePort {
  name?: string
  protocol?: Protocol
  appProtocol?: string
  port: number
  targetPort?: IntOrString
  nodePort?: number
}

export interface Service extends KubeObject {
  kind: 'Service'
  spec: {
    type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
    selector?: Labels
    /** `None` makes the service headless. */
    clusterIP?: string
    clusterIPs?: string[]
    ports?: ServicePort[]
    sessionAffinity?: 'None' | 'ClientIP'
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } }
    publishNotReadyAddresses?: boolean
    externalName?: string
    externalIPs?: string[]
    externalTrafficPolicy?: 'Cluster' | 'Local'
    internalTrafficPolicy?: 'Cluster' | 'Local'
    ipFamilies?: ('IPv4' | 'IPv6')[]
    ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
    loadBalancerIP?: string
    loadBalancerSourceRanges?: string[]
    loadBalancerClass?: string
    allocateLoadBalancerNodePorts?: boolean
    healthCheckNodePort?: number
    trafficDistribution?: string
  }
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string; ipMode?: 'VIP' | 'Proxy' }[] } }
}

export interface ObjectReference {
  kind?: string
  namespace?: string
  name?: string
  uid?: string
}

export interface EndpointAddress {
  ip: string
  hostname?: string
  nodeName?: string
  targetRef?: ObjectReference
}

export interface Endpoints extends KubeObject {
  kind: 'Endpoints'
  subsets?: {
    addresses?: EndpointAddress[]
    notReadyAddresses?: EndpointAddress[]
    ports?: { name?: string; port: number; protocol?: Protocol }[]
  }[]
}

export interface SliceEndpoint {
  addresses: string[]
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }
  hostname?: string
  nodeName?: string
  zone?: string
  targetRef?: ObjectReference
  hints?: { forZones?: { name: string }[]; forNodes?: { name: string }[] }
}

/** discovery.k8s.io/v1; belongs to the Service named by its label `kubernetes.io/service-name`. */
export interface EndpointSlice extends KubeObject {
  kind: 'EndpointSlice'
  addressType: 'IPv4' | 'IPv6' | 'FQDN'
  endpoints: SliceEndpoint[]
  ports: { name?: string; port?: number; protocol?: Protocol; appProtocol?: string }[]
}

export interface Event extends KubeObject {
  kind: 'Event'
  involvedObject: ObjectReference & { apiVersion?: string; fieldPath?: string }
  reason?: string
  message?: string
  type?: 'Normal' | 'Warning'
  count?: number
  firstTimestamp?: Timestamp | null
  lastTimestamp?: Timestamp | null
  source?: { component?: string; host?: string }
  /** Who told it; in events.k8s.io/v1 these are reportingController and reportingInstance. */
  reportingComponent?: string
  reportingInstance?: string
}

/** coordination.k8s.io/v1: in kube-node-lease, the sign of life of a node. */
export interface Lease extends KubeObject {
  kind: 'Lease'
  spec?: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    acquireTime?: string
    /** With microseconds: `2021-09-13T12:36:38.000000Z`. */
    renewTime?: string
    leaseTransitions?: number
  }
}

/** The label that ties an EndpointSlice to its Service. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
