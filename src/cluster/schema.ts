// Which fields each kind has, and of which type: what the API server's decoder knows from its Go structures. Fields
// that Podwire keeps without reading them have the type 'any'. Decoding against it is decode.ts.

export type FieldType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'bool'
  /** Base64. */
  | 'bytes'
  /** metav1.Time: text. */
  | 'time'
  /** resource.Quantity: text or number. */
  | 'quantity'
  /** intstr.IntOrString. */
  | 'intstr'
  | 'any'
  | { readonly list: FieldType }
  | { readonly map: FieldType }
  | StructType

/** A structure; `struct` is its Go name, which decoding errors show. */
export interface StructType {
  readonly struct: string
  readonly fields: Readonly<Record<string, FieldType>>
}

function struct(name: string, fields: Record<string, FieldType>): StructType {
  return { struct: name, fields }
}

function list(item: FieldType): FieldType {
  return { list: item }
}

/** Fields of type 'any'. */
function opaque(names: string): Record<string, FieldType> {
  return Object.fromEntries(names.split(' ').map((name) => [name, 'any' as const]))
}

const STRING_MAP: FieldType = { map: 'string' }
const BYTES_MAP: FieldType = { map: 'bytes' }
const STRINGS: FieldType = { list: 'string' }

const OBJECT_META = struct('ObjectMeta', {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  selfLink: 'string',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'int64',
  creationTimestamp: 'time',
  deletionTimestamp: 'time',
  deletionGracePeriodSeconds: 'int64',
  labels: STRING_MAP,
  annotations: STRING_MAP,
  ownerReferences: list(
    struct('OwnerReference', {
      apiVersion: 'string',
      kind: 'string',
      name: 'string',
      uid: 'string',
      controller: 'bool',
      blockOwnerDeletion: 'bool',
    }),
  ),
  finalizers: STRINGS,
  managedFields: 'any',
})

const LABEL_SELECTOR = struct('LabelSelector', {
  matchLabels: STRING_MAP,
  matchExpressions: list(
    struct('LabelSelectorRequirement', { key: 'string', operator: 'string', values: STRINGS }),
  ),
})

const KEY_TO_PATH = struct('KeyToPath', { key: 'string', path: 'string', mode: 'int32' })
const EXEC_ACTION = struct('ExecAction', { command: STRINGS })
const HTTP_GET_ACTION = struct('HTTPGetAction', {
  path: 'string',
  port: 'intstr',
  host: 'string',
  scheme: 'string',
  httpHeaders: list(struct('HTTPHeader', { name: 'string', value: 'string' })),
})
const TCP_SOCKET_ACTION = struct('TCPSocketAction', { port: 'intstr', host: 'string' })

const PROBE = struct('Probe', {
  exec: EXEC_ACTION,
  httpGet: HTTP_GET_ACTION,
  tcpSocket: TCP_SOCKET_ACTION,
  grpc: 'any',
  initialDelaySeconds: 'int32',
  timeoutSeconds: 'int32',
  periodSeconds: 'int32',
  successThreshold: 'int32',
  failureThreshold: 'int32',
  terminationGracePeriodSeconds: 'int64',
})

const LIFECYCLE_HANDLER = struct('LifecycleHandler', {
  exec: EXEC_ACTION,
  httpGet: HTTP_GET_ACTION,
  tcpSocket: TCP_SOCKET_ACTION,
  sleep: struct('SleepAction', { seconds: 'int64' }),
})

const ENV_VAR = struct('EnvVar', {
  name: 'string',
  value: 'string',
  valueFrom: struct('EnvVarSource', {
    fieldRef: struct('ObjectFieldSelector', { apiVersion: 'string', fieldPath: 'string' }),
    configMapKeyRef: struct('ConfigMapKeySelector', { name: 'string', key: 'string', optional: 'bool' }),
    secretKeyRef: struct('SecretKeySelector', { name: 'string', key: 'string', optional: 'bool' }),
    ...opaque('resourceFieldRef'),
  }),
})

const CONTAINER = struct('Container', {
  name: 'string',
  image: 'string',
  command: STRINGS,
  args: STRINGS,
  workingDir: 'string',
  ports: list(
    struct('ContainerPort', {
      name: 'string',
      hostPort: 'int32',
      containerPort: 'int32',
      protocol: 'string',
      hostIP: 'string',
    }),
  ),
  envFrom: list(
    struct('EnvFromSource', {
      prefix: 'string',
      configMapRef: struct('ConfigMapEnvSource', { name: 'string', optional: 'bool' }),
      secretRef: struct('SecretEnvSource', { name: 'string', optional: 'bool' }),
    }),
  ),
  env: list(ENV_VAR),
  resources: struct('ResourceRequirements', {
    limits: { map: 'quantity' },
    requests: { map: 'quantity' },
    claims: 'any',
  }),
  volumeMounts: list(
    struct('VolumeMount', {
      name: 'string',
      readOnly: 'bool',
      mountPath: 'string',
      subPath: 'string',
      ...opaque('recursiveReadOnly mountPropagation subPathExpr'),
    }),
  ),
  livenessProbe: PROBE,
  readinessProbe: PROBE,
  startupProbe: PROBE,
  imagePullPolicy: 'string',
  stdin: 'bool',
  stdinOnce: 'bool',
  tty: 'bool',
  terminationMessagePath: 'string',
  terminationMessagePolicy: 'string',
  lifecycle: struct('Lifecycle', {
    postStart: LIFECYCLE_HANDLER,
    preStop: LIFECYCLE_HANDLER,
    stopSignal: 'string',
  }),
  ...opaque('resizePolicy restartPolicy volumeDevices securityContext'),
})

const VOLUME = struct('Volume', {
  name: 'string',
  emptyDir: struct('EmptyDirVolumeSource', { medium: 'string', sizeLimit: 'quantity' }),
  configMap: struct('ConfigMapVolumeSource', {
    name: 'string',
    items: list(KEY_TO_PATH),
    defaultMode: 'int32',
    optional: 'bool',
  }),
  secret: struct('SecretVolumeSource', {
    secretName: 'string',
    items: list(KEY_TO_PATH),
    defaultMode: 'int32',
    optional: 'bool',
  }),
  ...opaque(
    'hostPath gcePersistentDisk awsElasticBlockStore gitRepo nfs iscsi glusterfs persistentVolumeClaim rbd',
  ),
  ...opaque('flexVolume cinder cephfs flocker downwardAPI fc azureFile vsphereVolume quobyte azureDisk'),
  ...opaque('photonPersistentDisk projected portworxVolume scaleIO storageos csi ephemeral image'),
})

const NODE_SELECTOR_REQUIREMENTS = list(
  struct('NodeSelectorRequirement', { key: 'string', operator: 'string', values: STRINGS }),
)

const AFFINITY = struct('Affinity', {
  nodeAffinity: struct('NodeAffinity', {
    requiredDuringSchedulingIgnoredDuringExecution: struct('NodeSelector', {
      nodeSelectorTerms: list(
        struct('NodeSelectorTerm', {
          matchExpressions: NODE_SELECTOR_REQUIREMENTS,
          matchFields: NODE_SELECTOR_REQUIREMENTS,
        }),
      ),
    }),
    ...opaque('preferredDuringSchedulingIgnoredDuringExecution'),
  }),
  ...opaque('podAffinity podAntiAffinity'),
})

const POD_SPEC = struct('PodSpec', {
  volumes: list(VOLUME),
  initContainers: list(CONTAINER),
  containers: list(CONTAINER),
  restartPolicy: 'string',
  terminationGracePeriodSeconds: 'int64',
  activeDeadlineSeconds: 'int64',
  dnsPolicy: 'string',
  nodeSelector: STRING_MAP,
  serviceAccountName: 'string',
  serviceAccount: 'string',
  automountServiceAccountToken: 'bool',
  nodeName: 'string',
  hostNetwork: 'bool',
  hostPID: 'bool',
  hostIPC: 'bool',
  shareProcessNamespace: 'bool',
  hostname: 'string',
  subdomain: 'string',
  schedulerName: 'string',
  tolerations: list(
    struct('Toleration', {
      key: 'string',
      operator: 'string',
      value: 'string',
      effect: 'string',
      tolerationSeconds: 'int64',
    }),
  ),
  hostAliases: list(struct('HostAlias', { ip: 'string', hostnames: STRINGS })),
  priorityClassName: 'string',
  priority: 'int32',
  dnsConfig: struct('PodDNSConfig', {
    nameservers: STRINGS,
    searches: STRINGS,
    options: list(struct('PodDNSConfigOption', { name: 'string', value: 'string' })),
  }),
  readinessGates: list(struct('PodReadinessGate', { conditionType: 'string' })),
  enableServiceLinks: 'bool',
  affinity: AFFINITY,
  ...opaque('ephemeralContainers securityContext imagePullSecrets runtimeClassName preemptionPolicy'),
  ...opaque(
    'overhead topologySpreadConstraints setHostnameAsFQDN os hostUsers schedulingGates resourceClaims',
  ),
})

const POD_TEMPLATE_SPEC = struct('PodTemplateSpec', { metadata: OBJECT_META, spec: POD_SPEC })

const SERVICE_SPEC = struct('ServiceSpec', {
  ports: list(
    struct('ServicePort', {
      name: 'string',
      protocol: 'string',
      appProtocol: 'string',
      port: 'int32',
      targetPort: 'intstr',
      nodePort: 'int32',
    }),
  ),
  selector: STRING_MAP,
  clusterIP: 'string',
  clusterIPs: STRINGS,
  type: 'string',
  externalIPs: STRINGS,
  sessionAffinity: 'string',
  loadBalancerIP: 'string',
  loadBalancerSourceRanges: STRINGS,
  externalName: 'string',
  externalTrafficPolicy: 'string',
  healthCheckNodePort: 'int32',
  publishNotReadyAddresses: 'bool',
  sessionAffinityConfig: struct('SessionAffinityConfig', {
    clientIP: struct('ClientIPConfig', { timeoutSeconds: 'int32' }),
  }),
  ipFamilies: STRINGS,
  ipFamilyPolicy: 'string',
  allocateLoadBalancerNodePorts: 'bool',
  loadBalancerClass: 'string',
  internalTrafficPolicy: 'string',
  trafficDistribution: 'string',
})

const DEPLOYMENT_SPEC = struct('DeploymentSpec', {
  replicas: 'int32',
  selector: LABEL_SELECTOR,
  template: POD_TEMPLATE_SPEC,
  strategy: struct('DeploymentStrategy', {
    type: 'string',
    rollingUpdate: struct('RollingUpdateDeployment', { maxUnavailable: 'intstr', maxSurge: 'intstr' }),
  }),
  minReadySeconds: 'int32',
  revisionHistoryLimit: 'int32',
  paused: 'bool',
  progressDeadlineSeconds: 'int32',
})

const STATEFUL_SET_SPEC = struct('StatefulSetSpec', {
  replicas: 'int32',
  selector: LABEL_SELECTOR,
  template: POD_TEMPLATE_SPEC,
  volumeClaimTemplates: list('any'),
  serviceName: 'string',
  podManagementPolicy: 'string',
  updateStrategy: struct('StatefulSetUpdateStrategy', {
    type: 'string',
    rollingUpdate: struct('RollingUpdateStatefulSetStrategy', {
      partition: 'int32',
      maxUnavailable: 'intstr',
    }),
  }),
  revisionHistoryLimit: 'int32',
  minReadySeconds: 'int32',
  persistentVolumeClaimRetentionPolicy: struct('StatefulSetPersistentVolumeClaimRetentionPolicy', {
    whenDeleted: 'string',
    whenScaled: 'string',
  }),
  ordinals: struct('StatefulSetOrdinals', { start: 'int32' }),
})

const DAEMON_SET_SPEC = struct('DaemonSetSpec', {
  selector: LABEL_SELECTOR,
  template: POD_TEMPLATE_SPEC,
  updateStrategy: struct('DaemonSetUpdateStrategy', {
    type: 'string',
    rollingUpdate: struct('RollingUpdateDaemonSet', { maxUnavailable: 'intstr', maxSurge: 'intstr' }),
  }),
  minReadySeconds: 'int32',
  revisionHistoryLimit: 'int32',
})

const JOB_SPEC = struct('JobSpec', {
  parallelism: 'int32',
  completions: 'int32',
  activeDeadlineSeconds: 'int64',
  backoffLimit: 'int32',
  selector: LABEL_SELECTOR,
  manualSelector: 'bool',
  template: POD_TEMPLATE_SPEC,
  ttlSecondsAfterFinished: 'int32',
  completionMode: 'string',
  suspend: 'bool',
  ...opaque('podFailurePolicy successPolicy backoffLimitPerIndex maxFailedIndexes podReplacementPolicy'),
  managedBy: 'string',
})

const CRON_JOB_SPEC = struct('CronJobSpec', {
  schedule: 'string',
  timeZone: 'string',
  startingDeadlineSeconds: 'int64',
  concurrencyPolicy: 'string',
  suspend: 'bool',
  jobTemplate: struct('JobTemplateSpec', { metadata: OBJECT_META, spec: JOB_SPEC }),
  successfulJobsHistoryLimit: 'int32',
  failedJobsHistoryLimit: 'int32',
})

const LEASE_SPEC = struct('LeaseSpec', {
  holderIdentity: 'string',
  leaseDurationSeconds: 'int32',
  acquireTime: 'time',
  renewTime: 'time',
  leaseTransitions: 'int32',
  strategy: 'string',
  preferredHolder: 'string',
})

const OBJECT_REFERENCE = struct('ObjectReference', {
  kind: 'string',
  namespace: 'string',
  name: 'string',
  uid: 'string',
  apiVersion: 'string',
  resourceVersion: 'string',
  fieldPath: 'string',
})

const ENDPOINT_ADDRESSES = list(
  struct('EndpointAddress', {
    ip: 'string',
    hostname: 'string',
    nodeName: 'string',
    targetRef: OBJECT_REFERENCE,
  }),
)

const ENDPOINT_PORTS = list(
  struct('EndpointPort', { name: 'string', port: 'int32', protocol: 'string', appProtocol: 'string' }),
)

const NODE_SPEC = struct('NodeSpec', {
  podCIDR: 'string',
  podCIDRs: STRINGS,
  providerID: 'string',
  unschedulable: 'bool',
  taints: list(struct('Taint', { key: 'string', value: 'string', effect: 'string', timeAdded: 'time' })),
  ...opaque('configSource externalID'),
})

/** A kind with metadata, and `fields` beside it. */
function kind(name: string, fields: Record<string, FieldType>): StructType {
  return struct(name, { kind: 'string', apiVersion: 'string', metadata: OBJECT_META, ...fields })
}

/** The structure of each kind that a client may write. */
export const SCHEMAS: Readonly<Record<string, StructType>> = {
  Namespace: kind('Namespace', {
    spec: struct('NamespaceSpec', { finalizers: STRINGS }),
    status: 'any',
  }),
  Node: kind('Node', { spec: NODE_SPEC, status: 'any' }),
  Pod: kind('Pod', { spec: POD_SPEC, status: 'any' }),
  ConfigMap: kind('ConfigMap', { data: STRING_MAP, binaryData: BYTES_MAP, immutable: 'bool' }),
  Secret: kind('Secret', {
    data: BYTES_MAP,
    stringData: STRING_MAP,
    type: 'string',
    immutable: 'bool',
  }),
  ServiceAccount: kind('ServiceAccount', {
    automountServiceAccountToken: 'bool',
    ...opaque('secrets imagePullSecrets'),
  }),
  Service: kind('Service', { spec: SERVICE_SPEC, status: 'any' }),
  Endpoints: kind('Endpoints', {
    subsets: list(
      struct('EndpointSubset', {
        addresses: ENDPOINT_ADDRESSES,
        notReadyAddresses: ENDPOINT_ADDRESSES,
        ports: ENDPOINT_PORTS,
      }),
    ),
  }),
  EndpointSlice: kind('EndpointSlice', {
    addressType: 'string',
    endpoints: list(
      struct('Endpoint', {
        addresses: STRINGS,
        conditions: struct('EndpointConditions', { ready: 'bool', serving: 'bool', terminating: 'bool' }),
        hostname: 'string',
        targetRef: OBJECT_REFERENCE,
        deprecatedTopology: STRING_MAP,
        nodeName: 'string',
        zone: 'string',
        hints: 'any',
      }),
    ),
    ports: ENDPOINT_PORTS,
  }),
  Deployment: kind('Deployment', { spec: DEPLOYMENT_SPEC, status: 'any' }),
  ReplicaSet: kind('ReplicaSet', {
    spec: struct('ReplicaSetSpec', {
      replicas: 'int32',
      minReadySeconds: 'int32',
      selector: LABEL_SELECTOR,
      template: POD_TEMPLATE_SPEC,
    }),
    status: 'any',
  }),
  StatefulSet: kind('StatefulSet', { spec: STATEFUL_SET_SPEC, status: 'any' }),
  DaemonSet: kind('DaemonSet', { spec: DAEMON_SET_SPEC, status: 'any' }),
  ControllerRevision: kind('ControllerRevision', { data: 'any', revision: 'int64' }),
  Job: kind('Job', { spec: JOB_SPEC, status: 'any' }),
  CronJob: kind('CronJob', { spec: CRON_JOB_SPEC, status: 'any' }),
  Lease: kind('Lease', { spec: LEASE_SPEC }),
  PodDisruptionBudget: kind('PodDisruptionBudget', {
    spec: struct('PodDisruptionBudgetSpec', {
      minAvailable: 'intstr',
      maxUnavailable: 'intstr',
      selector: LABEL_SELECTOR,
      unhealthyPodEvictionPolicy: 'string',
    }),
    status: 'any',
  }),
  Event: kind('Event', {
    involvedObject: OBJECT_REFERENCE,
    reason: 'string',
    message: 'string',
    source: 'any',
    firstTimestamp: 'time',
    lastTimestamp: 'time',
    count: 'int32',
    type: 'string',
    reportingComponent: 'string',
    reportingInstance: 'string',
    ...opaque('eventTime series action related'),
  }),
}
