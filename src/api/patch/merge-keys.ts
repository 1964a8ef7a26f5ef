// How the lists of built-in kinds merge in a strategic merge patch: the `patchMergeKey` and `patchStrategy` of the
// Kubernetes API types. A list that is not named here is replaced as a whole; a map always merges key by key.

export interface MergeRule {
  /** Items are maps, the same when this field is. */
  readonly key?: string
  /** Items are primitives and the list is a set. */
  readonly set?: true
  /** `$retainKeys` is generated for this map (or for each item of this list). */
  readonly retainKeys?: true
  /** Rules of the fields inside (of each item, for a list). */
  readonly fields?: MergeRules
}

export interface MergeRules {
  readonly [field: string]: MergeRule
}

const METADATA: MergeRule = { fields: { ownerReferences: { key: 'uid' }, finalizers: { set: true } } }

const CONTAINER: MergeRules = {
  ports: { key: 'containerPort' },
  env: { key: 'name' },
  volumeMounts: { key: 'mountPath' },
  volumeDevices: { key: 'devicePath' },
}

const POD_SPEC: MergeRule = {
  fields: {
    containers: { key: 'name', fields: CONTAINER },
    initContainers: { key: 'name', fields: CONTAINER },
    ephemeralContainers: { key: 'name', fields: CONTAINER },
    volumes: {
      key: 'name',
      retainKeys: true,
      fields: { projected: { fields: {} } },
    },
    imagePullSecrets: { key: 'name' },
    hostAliases: { key: 'ip' },
    topologySpreadConstraints: { key: 'topologyKey' },
    resourceClaims: { key: 'name', retainKeys: true },
    schedulingGates: { key: 'name' },
  },
}

const POD_TEMPLATE: MergeRule = { fields: { metadata: METADATA, spec: POD_SPEC } }
const CONDITIONS: MergeRule = { fields: { conditions: { key: 'type' } } }

const BY_KIND: Readonly<Record<string, MergeRules>> = {
  Pod: {
    spec: POD_SPEC,
    status: {
      fields: { conditions: { key: 'type' }, podIPs: { key: 'ip' }, hostIPs: { key: 'ip' } },
    },
  },
  Service: {
    spec: { fields: { ports: { key: 'port' } } },
    status: CONDITIONS,
  },
  Deployment: {
    spec: { fields: { template: POD_TEMPLATE, strategy: { retainKeys: true } } },
    status: CONDITIONS,
  },
  ReplicaSet: { spec: { fields: { template: POD_TEMPLATE } }, status: CONDITIONS },
  ReplicationController: { spec: { fields: { template: POD_TEMPLATE } }, status: CONDITIONS },
  StatefulSet: { spec: { fields: { template: POD_TEMPLATE } }, status: CONDITIONS },
  DaemonSet: { spec: { fields: { template: POD_TEMPLATE } }, status: CONDITIONS },
  Job: { spec: { fields: { template: POD_TEMPLATE } }, status: CONDITIONS },
  CronJob: {
    spec: {
      fields: {
        jobTemplate: { fields: { metadata: METADATA, spec: { fields: { template: POD_TEMPLATE } } } },
      },
    },
  },
  Node: {
    spec: { fields: { podCIDRs: { set: true } } },
    status: { fields: { conditions: { key: 'type' }, addresses: { key: 'type' } } },
  },
  Namespace: { status: CONDITIONS },
  ServiceAccount: { secrets: { key: 'name' } },
}

/** Rules of a kind's top level; a kind of its own (a custom resource) has none. */
export function mergeRulesOf(kind: string): MergeRules {
  return { metadata: METADATA, ...BY_KIND[kind] }
}
