// The fields of a pod's specification and of what it consists of: containers, probes, volumes, affinity. It stands in
// pods and in the template of every workload (schema.ts). The types of fields are explained in schema-type.ts.

import { type FieldType, list, OBJECT_META, opaque, STRING_MAP, STRINGS, struct } from './schema-type.js'

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

const SECURITY_CONTEXT = struct('SecurityContext', {
  capabilities: struct('Capabilities', { add: STRINGS, drop: STRINGS }),
  privileged: 'bool',
  runAsUser: 'int64',
  runAsGroup: 'int64',
  runAsNonRoot: 'bool',
  readOnlyRootFilesystem: 'bool',
  allowPrivilegeEscalation: 'bool',
  procMount: 'string',
  ...opaque('seLinuxOptions windowsOptions seccompProfile appArmorProfile'),
})

const CONTAINER_FIELDS: Record<string, FieldType> = {
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
  securityContext: SECURITY_CONTEXT,
  ...opaque('resizePolicy restartPolicy volumeDevices'),
}
const CONTAINER = struct('Container', CONTAINER_FIELDS)
const EPHEMERAL_CONTAINER = struct('EphemeralContainer', {
  ...CONTAINER_FIELDS,
  targetContainerName: 'string',
})

const DOWNWARD_FILES = list(
  struct('DownwardAPIVolumeFile', {
    path: 'string',
    fieldRef: struct('ObjectFieldSelector', { apiVersion: 'string', fieldPath: 'string' }),
    mode: 'int32',
    ...opaque('resourceFieldRef'),
  }),
)
const VOLUME_PROJECTIONS = list(
  struct('VolumeProjection', {
    serviceAccountToken: struct('ServiceAccountTokenProjection', {
      audience: 'string',
      expirationSeconds: 'int64',
      path: 'string',
    }),
    configMap: struct('ConfigMapProjection', { name: 'string', items: list(KEY_TO_PATH), optional: 'bool' }),
    secret: struct('SecretProjection', { name: 'string', items: list(KEY_TO_PATH), optional: 'bool' }),
    downwardAPI: struct('DownwardAPIProjection', { items: DOWNWARD_FILES }),
    ...opaque('clusterTrustBundle'),
  }),
)
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
  downwardAPI: struct('DownwardAPIVolumeSource', { items: DOWNWARD_FILES, defaultMode: 'int32' }),
  projected: struct('ProjectedVolumeSource', { sources: VOLUME_PROJECTIONS, defaultMode: 'int32' }),
  hostPath: struct('HostPathVolumeSource', { path: 'string', type: 'string' }),
  ...opaque('gcePersistentDisk awsElasticBlockStore gitRepo nfs iscsi glusterfs persistentVolumeClaim rbd'),
  ...opaque('flexVolume cinder cephfs flocker fc azureFile vsphereVolume quobyte azureDisk'),
  ...opaque('photonPersistentDisk portworxVolume scaleIO storageos csi ephemeral image'),
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

export const POD_SPEC = struct('PodSpec', {
  volumes: list(VOLUME),
  initContainers: list(CONTAINER),
  containers: list(CONTAINER),
  ephemeralContainers: list(EPHEMERAL_CONTAINER),
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
  ...opaque('securityContext imagePullSecrets runtimeClassName preemptionPolicy'),
  ...opaque(
    'overhead topologySpreadConstraints setHostnameAsFQDN os hostUsers schedulingGates resourceClaims',
  ),
})

export const POD_TEMPLATE_SPEC = struct('PodTemplateSpec', { metadata: OBJECT_META, spec: POD_SPEC })
