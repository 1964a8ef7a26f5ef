// Objects of the workloads that are more than a number of equal pods: StatefulSet, DaemonSet and ControllerRevision
// (apps/v1), Job and CronJob (batch/v1). Deployment and ReplicaSet are in objects.ts, which says what such types are.

import type {
  Condition,
  IntOrString,
  KubeObject,
  LabelSelector,
  PodTemplateSpec,
  Timestamp,
} from './objects.js'

export interface StatefulSet extends KubeObject {
  kind: 'StatefulSet'
  spec: {
    replicas?: number
    selector: LabelSelector
    template: PodTemplateSpec
    /** The headless Service under which the pods have their names. */
    serviceName?: string
    podManagementPolicy?: 'OrderedReady' | 'Parallel'
    updateStrategy?: {
      type?: 'RollingUpdate' | 'OnDelete'
      /** Pods with a number below `partition` keep their revision. */
      rollingUpdate?: { partition?: number; maxUnavailable?: IntOrString }
    }
    revisionHistoryLimit?: number
    minReadySeconds?: number
    ordinals?: { start?: number }
    volumeClaimTemplates?: { metadata: { name: string } }[]
  }
  status?: {
    observedGeneration?: number
    replicas: number
    readyReplicas?: number
    currentReplicas?: number
    updatedReplicas?: number
    availableReplicas: number
    /** Names of the ControllerRevisions that pods are made from, and are moved to. */
    currentRevision?: string
    updateRevision?: string
    collisionCount?: number
  }
}

export interface DaemonSet extends KubeObject {
  kind: 'DaemonSet'
  spec: {
    selector: LabelSelector
    template: PodTemplateSpec
    updateStrategy?: {
      type?: 'RollingUpdate' | 'OnDelete'
      rollingUpdate?: { maxUnavailable?: IntOrString; maxSurge?: IntOrString }
    }
    minReadySeconds?: number
    revisionHistoryLimit?: number
  }
  status?: {
    currentNumberScheduled: number
    numberMisscheduled: number
    desiredNumberScheduled: number
    numberReady: number
    observedGeneration?: number
    updatedNumberScheduled?: number
    numberAvailable?: number
    numberUnavailable?: number
  }
}

/** A template that a StatefulSet or DaemonSet has had. */
export interface ControllerRevision extends KubeObject {
  kind: 'ControllerRevision'
  /** The part of the owner that it remembers, as a strategic merge patch: `{"spec":{"template":{...}}}`. */
  data?: { spec: { template: PodTemplateSpec & { $patch?: 'replace' } } }
  revision: number
}

export interface JobSpec {
  parallelism?: number
  completions?: number
  activeDeadlineSeconds?: number
  backoffLimit?: number
  selector?: LabelSelector
  manualSelector?: boolean
  template: PodTemplateSpec
  ttlSecondsAfterFinished?: number
  completionMode?: 'NonIndexed' | 'Indexed'
  suspend?: boolean
}

export interface Job extends KubeObject {
  kind: 'Job'
  spec: JobSpec
  status?: {
    conditions?: Condition[]
    startTime?: Timestamp
    completionTime?: Timestamp
    active?: number
    terminating?: number
    ready?: number
    succeeded?: number
    failed?: number
    /** `0-2,4`: of an Indexed Job. */
    completedIndexes?: string
    uncountedTerminatedPods?: Record<string, never>
  }
}

export interface CronJob extends KubeObject {
  kind: 'CronJob'
  spec: {
    schedule: string
    timeZone?: string
    startingDeadlineSeconds?: number
    concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace'
    suspend?: boolean
    jobTemplate: { metadata?: Partial<KubeObject['metadata']>; spec: JobSpec }
    successfulJobsHistoryLimit?: number
    failedJobsHistoryLimit?: number
  }
  status?: {
    active?: { apiVersion: string; kind: string; namespace: string; name: string; uid: string }[]
    lastScheduleTime?: Timestamp
    lastSuccessfulTime?: Timestamp
  }
}

/** Every kind that makes pods by a template and a selector. */
export interface Workload extends KubeObject {
  spec: { replicas?: number; selector?: LabelSelector; template: PodTemplateSpec }
}
