// The values that Kubernetes fills in where a manifest is silent, kind by kind (API reference, "defaults to").
// The functions change the object they are given: admission passes a copy of its own.

import { base64Encode } from '../base/base64.js'
import { utf8Encode } from '../base/bytes.js'
import type {
  Container,
  Deployment,
  EndpointSlice,
  Endpoints,
  Event,
  HandlerAction,
  KubeObject,
  Namespace,
  Node,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ReplicaSet,
  Secret,
  Service,
  VolumeProjection,
} from './objects.js'
import { defaultReplicationController, type ReplicationController } from './replication-controllers.js'
import { isExternallyAccessible } from './service-needs.js'
import type { CronJob, DaemonSet, Job, StatefulSet } from './workload-objects.js'

/** Session affinity lasts three hours. */
const CLIENT_IP_TIMEOUT_SECONDS = 10_800
/** How long a pod stays on a node that is not ready or not reachable. */
const NODE_FAILURE_TOLERATION_SECONDS = 300

/** Fills in the defaults of `object`'s kind, in place. */
export function applyDefaults(object: KubeObject): void {
  DEFAULTERS[object.kind]?.(object)
}

const DEFAULTERS: Readonly<Record<string, (object: KubeObject) => void>> = {
  Namespace: (object) => defaultNamespace(object as Namespace),
  // Controllers and printers count on it, as Go's structures are never absent.
  Node: (object) => {
    ;(object as Partial<Node>).spec ??= {}
  },
  Event: (object) => {
    ;(object as Partial<Event>).involvedObject ??= {}
  },
  Pod: (object) => defaultPod(object as Pod),
  Secret: (object) => defaultSecret(object as Secret),
  Service: (object) => defaultService(object as Service),
  Endpoints: (object) => {
    for (const subset of (object as Endpoints).subsets ?? [])
      for (const port of subset.ports ?? []) port.protocol ??= 'TCP'
  },
  EndpointSlice: (object) => {
    const slice = object as EndpointSlice
    slice.endpoints ??= []
    slice.ports ??= []
    for (const port of slice.ports) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  Deployment: (object) => defaultDeployment(object as Deployment),
  ReplicaSet: (object) => {
    const { spec } = object as ReplicaSet
    if (spec === undefined) return
    spec.replicas ??= 1
    defaultTemplate(spec.template)
  },
  ReplicationController: (object) => {
    const controller = object as ReplicationController
    defaultReplicationController(controller)
    defaultTemplate(controller.spec?.template)
  },
  StatefulSet: (object) => defaultStatefulSet(object as StatefulSet),
  DaemonSet: (object) => defaultDaemonSet(object as DaemonSet),
  Job: (object) => defaultJob(object as Job),
  CronJob: (object) => defaultCronJob(object as CronJob),
}

function defaultNamespace(namespace: Namespace): void {
  namespace.metadata.labels = {
    ...namespace.metadata.labels,
    'kubernetes.io/metadata.name': namespace.metadata.name,
  }
  namespace.spec = { finalizers: ['kubernetes'], ...namespace.spec }
  namespace.status ??= { phase: 'Active' }
}

/** stringData is for writing only: it goes into data. */
function defaultSecret(secret: Secret): void {
  secret.type ??= 'Opaque'
  const texts = secret['stringData'] as Record<string, string> | undefined
  delete secret['stringData']
  for (const [key, text] of Object.entries(texts ?? {}))
    secret.data = { ...secret.data, [key]: base64Encode(utf8Encode(text)) }
}

function defaultService(service: Service): void {
  const { spec } = service
  if (spec === undefined) return
  spec.sessionAffinity ??= 'None'
  spec.type ??= 'ClusterIP'
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {}
    spec.sessionAffinityConfig.clientIP ??= {}
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= CLIENT_IP_TIMEOUT_SECONDS
  }
  for (const port of spec.ports ?? []) {
    port.protocol ??= 'TCP'
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '')
      port.targetPort = port.port
  }
  if (spec.type !== 'ExternalName') {
    spec.internalTrafficPolicy ??= 'Cluster'
  }
  if (isExternallyAccessible(service)) spec.externalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  service.status ??= { loadBalancer: {} }
}

function defaultDeployment(deployment: Deployment): void {
  const { spec } = deployment
  if (spec === undefined) return
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
  spec.strategy ??= {}
  spec.strategy.type ??= 'RollingUpdate'
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {}
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%'
    spec.strategy.rollingUpdate.maxSurge ??= '25%'
  }
  defaultTemplate(spec.template)
}

function defaultStatefulSet({ spec }: StatefulSet): void {
  if (spec === undefined) return
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.podManagementPolicy ??= 'OrderedReady'
  spec.serviceName ??= ''
  spec.updateStrategy ??= {}
  spec.updateStrategy.type ??= 'RollingUpdate'
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {}
    spec.updateStrategy.rollingUpdate.partition ??= 0
  }
  const kept = spec as unknown as Record<string, unknown>
  kept['persistentVolumeClaimRetentionPolicy'] ??= { whenDeleted: 'Retain', whenScaled: 'Retain' }
  defaultTemplate(spec.template)
}

function defaultDaemonSet({ spec }: DaemonSet): void {
  if (spec === undefined) return
  spec.revisionHistoryLimit ??= 10
  spec.updateStrategy ??= {}
  spec.updateStrategy.type ??= 'RollingUpdate'
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {}
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0
  }
  defaultTemplate(spec.template)
}

function defaultJob({ spec }: Job): void {
  if (spec === undefined) return
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= 6
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  const kept = spec as unknown as Record<string, unknown>
  kept['podReplacementPolicy'] ??= 'TerminatingOrFailed'
  defaultTemplate(spec.template)
}

/** The template of the Jobs is left as it is, but for their pods: a Job gets its own defaults when it is made. */
function defaultCronJob({ spec }: CronJob): void {
  if (spec === undefined) return
  spec.concurrencyPolicy ??= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= 3
  spec.failedJobsHistoryLimit ??= 1
  defaultTemplate(spec.jobTemplate?.spec?.template)
}

function defaultTemplate(template: PodTemplateSpec | undefined): void {
  if (template?.spec !== undefined) defaultPodSpec(template.spec)
}

function defaultPodSpec(spec: PodSpec): void {
  spec.restartPolicy ??= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.dnsPolicy ??= 'ClusterFirst'
  const kept = spec as unknown as Record<string, unknown>
  kept['schedulerName'] ??= 'default-scheduler'
  kept['securityContext'] ??= {}
  if (spec.serviceAccountName !== undefined) kept['serviceAccount'] ??= spec.serviceAccountName
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec
  for (const container of [...initContainers, ...containers, ...ephemeralContainers])
    defaultContainer(container)
  for (const volume of spec.volumes ?? []) {
    if (Object.keys(volume).length === 1) volume.emptyDir = {}
    if (volume.hostPath) volume.hostPath.type ??= ''
    const { configMap, secret, downwardAPI, projected } = volume
    for (const source of [configMap, secret, downwardAPI, projected]) if (source) source.defaultMode ??= 0o644
    defaultProjections([{ ...(downwardAPI && { downwardAPI }) }, ...(projected?.sources ?? [])])
  }
}

function defaultProjections(sources: readonly VolumeProjection[]): void {
  for (const { serviceAccountToken, downwardAPI } of sources) {
    if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= 3600
    for (const { fieldRef } of downwardAPI?.items ?? []) if (fieldRef) fieldRef.apiVersion ??= 'v1'
  }
}

function defaultContainer(container: Container): void {
  container.resources ??= {}
  container.imagePullPolicy ??= isLatest(container.image ?? '') ? 'Always' : 'IfNotPresent'
  const kept = container as unknown as Record<string, unknown>
  kept['terminationMessagePath'] ??= '/dev/termination-log'
  kept['terminationMessagePolicy'] ??= 'File'
  for (const port of container.ports ?? []) port.protocol ??= 'TCP'
  for (const variable of container.env ?? [])
    if (variable.valueFrom?.fieldRef) variable.valueFrom.fieldRef.apiVersion ??= 'v1'
  for (const probe of [container.readinessProbe, container.livenessProbe, container.startupProbe])
    if (probe !== undefined) defaultProbe(probe)
  defaultHttpGet(container.lifecycle?.postStart)
  defaultHttpGet(container.lifecycle?.preStop)
}

function defaultHttpGet(handler: HandlerAction | undefined): void {
  if (handler?.httpGet === undefined) return
  handler.httpGet.path ??= '/'
  handler.httpGet.scheme ??= 'HTTP'
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ??= 1
  probe.periodSeconds ??= 10
  probe.successThreshold ??= 1
  probe.failureThreshold ??= 3
  defaultHttpGet(probe)
}

/** Whether an image name has the tag `latest`, or none and no digest. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false
  const tag = /:([^/:]+)$/.exec(image)?.[1]
  return tag === undefined || tag === 'latest'
}

/** What a pod gets beyond its template: service links, the service account, tolerations of failing nodes. */
function defaultPod(pod: Pod): void {
  const { spec } = pod
  if (spec === undefined) return
  spec.serviceAccountName ??= 'default'
  defaultPodSpec(spec)
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork) defaultHostPorts(spec)
  const kept = spec as unknown as Record<string, unknown>
  kept['priority'] ??= 0
  kept['preemptionPolicy'] ??= 'PreemptLowerPriority'
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const limits = container.resources?.limits
    if (limits) container.resources!.requests = { ...limits, ...container.resources!.requests }
  }
  const tolerations = (spec.tolerations ??= [])
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
    if (!tolerations.some((toleration) => toleration.key === key || toleration.key === undefined))
      tolerations.push({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: NODE_FAILURE_TOLERATION_SECONDS,
      } as (typeof tolerations)[number])
  pod.status = { ...pod.status, phase: pod.status?.phase ?? 'Pending', qosClass: qosClassOf(spec) }
}

/** A pod on its node's network takes the ports of its containers there. Templates are left as they are. */
function defaultHostPorts(spec: PodSpec): void {
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])])
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort
}

/** Guaranteed, Burstable or BestEffort, from the requests and limits of CPU and memory. */
function qosClassOf(spec: PodSpec): string {
  const resources = spec.containers?.map((container) => container.resources ?? {}) ?? []
  const named = (map: Record<string, string> | undefined) => ['cpu', 'memory'].filter((name) => map?.[name])
  if (resources.every(({ limits, requests }) => named(limits).length + named(requests).length === 0))
    return 'BestEffort'
  const guaranteed = resources.every(
    ({ limits, requests }) =>
      named(limits).length === 2 && named(limits).every((name) => requests?.[name] === limits![name]),
  )
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
