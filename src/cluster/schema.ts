// Which fields each kind has, and of which type: what the API server's decoder knows from its Go structures. Fields
// that Podwire keeps without reading them have the type 'any'. Read schema-type.ts first; what is in a pod is
// pod-schema.ts, what is in statuses status-schema.ts, decoding against all of it decode.ts.

import { POD_SPEC, POD_TEMPLATE_SPEC } from './pod-schema.js'
import {
  BYTES_MAP,
  type FieldType,
  LABEL_SELECTOR,
  list,
  OBJECT_META,
  opaque,
  STRING_MAP,
  STRINGS,
  type StructType,
  struct,
} from './schema-type.js'
import {
  DAEMON_SET_STATUS,
  DEPLOYMENT_STATUS,
  DISRUPTION_BUDGET_STATUS,
  JOB_STATUS,
  NAMESPACE_STATUS,
  NODE_STATUS,
  POD_STATUS,
  REPLICA_SET_STATUS,
  REPLICATION_CONTROLLER_STATUS,
  SERVICE_STATUS,
  STATEFUL_SET_STATUS,
} from './status-schema.js'

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

const CRON_JOB_STATUS = struct('CronJobStatus', {
  active: list(OBJECT_REFERENCE),
  lastScheduleTime: 'time',
  lastSuccessfulTime: 'time',
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
    status: NAMESPACE_STATUS,
  }),
  Node: kind('Node', { spec: NODE_SPEC, status: NODE_STATUS }),
  Pod: kind('Pod', { spec: POD_SPEC, status: POD_STATUS }),
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
  Service: kind('Service', { spec: SERVICE_SPEC, status: SERVICE_STATUS }),
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
  Deployment: kind('Deployment', { spec: DEPLOYMENT_SPEC, status: DEPLOYMENT_STATUS }),
  ReplicaSet: kind('ReplicaSet', {
    spec: struct('ReplicaSetSpec', {
      replicas: 'int32',
      minReadySeconds: 'int32',
      selector: LABEL_SELECTOR,
      template: POD_TEMPLATE_SPEC,
    }),
    status: REPLICA_SET_STATUS,
  }),
  ReplicationController: kind('ReplicationController', {
    spec: struct('ReplicationControllerSpec', {
      replicas: 'int32',
      minReadySeconds: 'int32',
      selector: STRING_MAP,
      template: POD_TEMPLATE_SPEC,
    }),
    status: REPLICATION_CONTROLLER_STATUS,
  }),
  StatefulSet: kind('StatefulSet', { spec: STATEFUL_SET_SPEC, status: STATEFUL_SET_STATUS }),
  DaemonSet: kind('DaemonSet', { spec: DAEMON_SET_SPEC, status: DAEMON_SET_STATUS }),
  ControllerRevision: kind('ControllerRevision', { data: 'any', revision: 'int64' }),
  Job: kind('Job', { spec: JOB_SPEC, status: JOB_STATUS }),
  CronJob: kind('CronJob', { spec: CRON_JOB_SPEC, status: CRON_JOB_STATUS }),
  Lease: kind('Lease', { spec: LEASE_SPEC }),
  PodDisruptionBudget: kind('PodDisruptionBudget', {
    spec: struct('PodDisruptionBudgetSpec', {
      minAvailable: 'intstr',
      maxUnavailable: 'intstr',
      selector: LABEL_SELECTOR,
      unhealthyPodEvictionPolicy: 'string',
    }),
    status: DISRUPTION_BUDGET_STATUS,
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
