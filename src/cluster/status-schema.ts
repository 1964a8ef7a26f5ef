// The fields of the status of each kind, as in the API reference. Read schema-type.ts first; the kinds are in schema.ts.

import { type FieldType, list, opaque, STRING_MAP, STRINGS, struct } from './schema-type.js'

/** metav1.Condition and its older kin; Pods and Nodes have other times than workloads. */
const CONDITIONS = list(
  struct('Condition', {
    type: 'string',
    status: 'string',
    observedGeneration: 'int64',
    lastProbeTime: 'time',
    lastHeartbeatTime: 'time',
    lastUpdateTime: 'time',
    lastTransitionTime: 'time',
    reason: 'string',
    message: 'string',
  }),
)

const CONTAINER_STATE = struct('ContainerState', {
  waiting: struct('ContainerStateWaiting', { reason: 'string', message: 'string' }),
  running: struct('ContainerStateRunning', { startedAt: 'time' }),
  terminated: struct('ContainerStateTerminated', {
    exitCode: 'int32',
    signal: 'int32',
    reason: 'string',
    message: 'string',
    startedAt: 'time',
    finishedAt: 'time',
    containerID: 'string',
  }),
})

const CONTAINER_STATUSES = list(
  struct('ContainerStatus', {
    name: 'string',
    state: CONTAINER_STATE,
    lastState: CONTAINER_STATE,
    ready: 'bool',
    restartCount: 'int32',
    image: 'string',
    imageID: 'string',
    containerID: 'string',
    started: 'bool',
    ...opaque('allocatedResources resources volumeMounts user allocatedResourcesStatus stopSignal'),
  }),
)

const HOST_IPS = list(struct('HostIP', { ip: 'string' }))
const POD_IPS = list(struct('PodIP', { ip: 'string' }))

export const POD_STATUS = struct('PodStatus', {
  observedGeneration: 'int64',
  phase: 'string',
  conditions: CONDITIONS,
  message: 'string',
  reason: 'string',
  nominatedNodeName: 'string',
  hostIP: 'string',
  hostIPs: HOST_IPS,
  podIP: 'string',
  podIPs: POD_IPS,
  startTime: 'time',
  initContainerStatuses: CONTAINER_STATUSES,
  containerStatuses: CONTAINER_STATUSES,
  ephemeralContainerStatuses: CONTAINER_STATUSES,
  qosClass: 'string',
  ...opaque('resize resourceClaimStatuses'),
})

const RESOURCES: FieldType = { map: 'quantity' }

export const NODE_STATUS = struct('NodeStatus', {
  capacity: RESOURCES,
  allocatable: RESOURCES,
  phase: 'string',
  conditions: CONDITIONS,
  addresses: list(struct('NodeAddress', { type: 'string', address: 'string' })),
  daemonEndpoints: struct('NodeDaemonEndpoints', {
    kubeletEndpoint: struct('DaemonEndpoint', { Port: 'int32' }),
  }),
  nodeInfo: struct('NodeSystemInfo', {
    machineID: 'string',
    systemUUID: 'string',
    bootID: 'string',
    kernelVersion: 'string',
    osImage: 'string',
    containerRuntimeVersion: 'string',
    kubeletVersion: 'string',
    kubeProxyVersion: 'string',
    operatingSystem: 'string',
    architecture: 'string',
    ...opaque('swap'),
  }),
  images: list(struct('ContainerImage', { names: STRINGS, sizeBytes: 'int64' })),
  volumesInUse: STRINGS,
  ...opaque('volumesAttached config runtimeHandlers features'),
})

export const NAMESPACE_STATUS = struct('NamespaceStatus', { phase: 'string', conditions: CONDITIONS })

export const SERVICE_STATUS = struct('ServiceStatus', {
  loadBalancer: struct('LoadBalancerStatus', {
    ingress: list(
      struct('LoadBalancerIngress', {
        ip: 'string',
        hostname: 'string',
        ipMode: 'string',
        ...opaque('ports'),
      }),
    ),
  }),
  conditions: CONDITIONS,
})

export const DEPLOYMENT_STATUS = struct('DeploymentStatus', {
  observedGeneration: 'int64',
  replicas: 'int32',
  updatedReplicas: 'int32',
  readyReplicas: 'int32',
  availableReplicas: 'int32',
  unavailableReplicas: 'int32',
  terminatingReplicas: 'int32',
  conditions: CONDITIONS,
  collisionCount: 'int32',
})

export const REPLICA_SET_STATUS = struct('ReplicaSetStatus', {
  replicas: 'int32',
  fullyLabeledReplicas: 'int32',
  readyReplicas: 'int32',
  availableReplicas: 'int32',
  terminatingReplicas: 'int32',
  observedGeneration: 'int64',
  conditions: CONDITIONS,
})

export const REPLICATION_CONTROLLER_STATUS = struct('ReplicationControllerStatus', {
  replicas: 'int32',
  fullyLabeledReplicas: 'int32',
  readyReplicas: 'int32',
  availableReplicas: 'int32',
  observedGeneration: 'int64',
  conditions: CONDITIONS,
})

export const STATEFUL_SET_STATUS = struct('StatefulSetStatus', {
  observedGeneration: 'int64',
  replicas: 'int32',
  readyReplicas: 'int32',
  currentReplicas: 'int32',
  updatedReplicas: 'int32',
  currentRevision: 'string',
  updateRevision: 'string',
  collisionCount: 'int32',
  conditions: CONDITIONS,
  availableReplicas: 'int32',
})

export const DAEMON_SET_STATUS = struct('DaemonSetStatus', {
  currentNumberScheduled: 'int32',
  numberMisscheduled: 'int32',
  desiredNumberScheduled: 'int32',
  numberReady: 'int32',
  observedGeneration: 'int64',
  updatedNumberScheduled: 'int32',
  numberAvailable: 'int32',
  numberUnavailable: 'int32',
  collisionCount: 'int32',
  conditions: CONDITIONS,
})

export const JOB_STATUS = struct('JobStatus', {
  conditions: CONDITIONS,
  startTime: 'time',
  completionTime: 'time',
  active: 'int32',
  succeeded: 'int32',
  failed: 'int32',
  terminating: 'int32',
  completedIndexes: 'string',
  failedIndexes: 'string',
  uncountedTerminatedPods: struct('UncountedTerminatedPods', { succeeded: STRINGS, failed: STRINGS }),
  ready: 'int32',
})

export const DISRUPTION_BUDGET_STATUS = struct('PodDisruptionBudgetStatus', {
  observedGeneration: 'int64',
  disruptedPods: STRING_MAP,
  disruptionsAllowed: 'int32',
  currentHealthy: 'int32',
  desiredHealthy: 'int32',
  expectedPods: 'int32',
  conditions: CONDITIONS,
})
