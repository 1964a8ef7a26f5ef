// Fields of the protobuf messages of workloads: the groups apps, batch and autoscaling. Read first: field-table.ts.

import type { FieldTables } from './field-table.js'

export const WORKLOAD_MESSAGES: FieldTables = {
  RollingUpdateDeployment: '1 maxUnavailable:intstr; 2 maxSurge:intstr',
  DeploymentStrategy: '1 type; 2 rollingUpdate:RollingUpdateDeployment',
  DeploymentSpec: `
    1 replicas:int32?; 2 selector:LabelSelector; 3 template:PodTemplateSpec; 4 strategy:DeploymentStrategy;
    5 minReadySeconds:int32; 6 revisionHistoryLimit:int32?; 7 paused:bool; 9 progressDeadlineSeconds:int32?`,
  DeploymentCondition:
    '1 type; 2 status; 4 reason; 5 message; 6 lastUpdateTime:time; 7 lastTransitionTime:time',
  DeploymentStatus: `
    1 observedGeneration:int64; 2 replicas:int32; 3 updatedReplicas:int32; 4 availableReplicas:int32;
    5 unavailableReplicas:int32; 6 conditions:DeploymentCondition[]; 7 readyReplicas:int32; 8 collisionCount:int32?;
    9 terminatingReplicas:int32?`,
  Deployment: '1 metadata:ObjectMeta; 2 spec:DeploymentSpec; 3 status:DeploymentStatus',
  ReplicaSetSpec:
    '1 replicas:int32?; 2 selector:LabelSelector; 3 template:PodTemplateSpec; 4 minReadySeconds:int32',
  ReplicaSetCondition: '1 type; 2 status; 3 lastTransitionTime:time; 4 reason; 5 message',
  ReplicaSetStatus: `
    1 replicas:int32; 2 fullyLabeledReplicas:int32; 3 observedGeneration:int64; 4 readyReplicas:int32;
    5 availableReplicas:int32; 6 conditions:ReplicaSetCondition[]; 7 terminatingReplicas:int32?`,
  ReplicaSet: '1 metadata:ObjectMeta; 2 spec:ReplicaSetSpec; 3 status:ReplicaSetStatus',
  ReplicationControllerSpec:
    '1 replicas:int32?; 2 selector:string{}; 3 template:PodTemplateSpec; 4 minReadySeconds:int32',
  ReplicationControllerCondition: '1 type; 2 status; 3 lastTransitionTime:time; 4 reason; 5 message',
  ReplicationControllerStatus: `
    1 replicas:int32; 2 fullyLabeledReplicas:int32; 3 observedGeneration:int64; 4 readyReplicas:int32;
    5 availableReplicas:int32; 6 conditions:ReplicationControllerCondition[]`,
  ReplicationController:
    '1 metadata:ObjectMeta; 2 spec:ReplicationControllerSpec; 3 status:ReplicationControllerStatus',
  RollingUpdateDaemonSet: '1 maxUnavailable:intstr; 2 maxSurge:intstr',
  DaemonSetUpdateStrategy: '1 type; 2 rollingUpdate:RollingUpdateDaemonSet',
  DaemonSetSpec: `
    1 selector:LabelSelector; 2 template:PodTemplateSpec; 3 updateStrategy:DaemonSetUpdateStrategy;
    4 minReadySeconds:int32; 6 revisionHistoryLimit:int32?`,
  DaemonSetCondition: '1 type; 2 status; 3 lastTransitionTime:time; 4 reason; 5 message',
  DaemonSetStatus: `
    1 currentNumberScheduled:int32; 2 numberMisscheduled:int32; 3 desiredNumberScheduled:int32; 4 numberReady:int32;
    5 observedGeneration:int64; 6 updatedNumberScheduled:int32; 7 numberAvailable:int32; 8 numberUnavailable:int32;
    9 collisionCount:int32?; 10 conditions:DaemonSetCondition[]`,
  DaemonSet: '1 metadata:ObjectMeta; 2 spec:DaemonSetSpec; 3 status:DaemonSetStatus',
  ControllerRevision: '1 metadata:ObjectMeta; 2 data:json; 3 revision:int64',
  VolumeResourceRequirements: '1 limits:quantity{}; 2 requests:quantity{}',
  TypedObjectReference: '1 apiGroup; 2 kind; 3 name; 4 namespace',
  PersistentVolumeClaimSpec: `
    1 accessModes[]; 2 resources:VolumeResourceRequirements; 3 volumeName; 4 selector:LabelSelector;
    5 storageClassName; 6 volumeMode; 7 dataSource:TypedLocalObjectReference; 8 dataSourceRef:TypedObjectReference;
    9 volumeAttributesClassName`,
  PersistentVolumeClaimCondition:
    '1 type; 2 status; 3 lastProbeTime:time; 4 lastTransitionTime:time; 5 reason; 6 message',
  ModifyVolumeStatus: '1 targetVolumeAttributesClassName; 2 status',
  PersistentVolumeClaimStatus: `
    1 phase; 2 accessModes[]; 3 capacity:quantity{}; 4 conditions:PersistentVolumeClaimCondition[];
    5 allocatedResources:quantity{}; 7 allocatedResourceStatuses:string{}; 8 currentVolumeAttributesClassName;
    9 modifyVolumeStatus:ModifyVolumeStatus`,
  PersistentVolumeClaim:
    '1 metadata:ObjectMeta; 2 spec:PersistentVolumeClaimSpec; 3 status:PersistentVolumeClaimStatus',
  RollingUpdateStatefulSetStrategy: '1 partition:int32?; 2 maxUnavailable:intstr',
  StatefulSetUpdateStrategy: '1 type; 2 rollingUpdate:RollingUpdateStatefulSetStrategy',
  StatefulSetPersistentVolumeClaimRetentionPolicy: '1 whenDeleted; 2 whenScaled',
  StatefulSetOrdinals: '1 start:int32',
  StatefulSetSpec: `
    1 replicas:int32?; 2 selector:LabelSelector; 3 template:PodTemplateSpec;
    4 volumeClaimTemplates:PersistentVolumeClaim[]; 5 serviceName; 6 podManagementPolicy;
    7 updateStrategy:StatefulSetUpdateStrategy; 8 revisionHistoryLimit:int32?; 9 minReadySeconds:int32;
    10 persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy;
    11 ordinals:StatefulSetOrdinals`,
  StatefulSetCondition: '1 type; 2 status; 3 lastTransitionTime:time; 4 reason; 5 message',
  StatefulSetStatus: `
    1 observedGeneration:int64; 2 replicas:int32; 3 readyReplicas:int32; 4 currentReplicas:int32;
    5 updatedReplicas:int32; 6 currentRevision; 7 updateRevision; 9 collisionCount:int32?;
    10 conditions:StatefulSetCondition[]; 11 availableReplicas:int32`,
  StatefulSet: '1 metadata:ObjectMeta; 2 spec:StatefulSetSpec; 3 status:StatefulSetStatus',
  PodFailurePolicyOnExitCodesRequirement: '1 containerName?; 2 operator; 3 values:int32[]',
  PodFailurePolicyOnPodConditionsPattern: '1 type; 2 status',
  PodFailurePolicyRule: `
    1 action; 2 onExitCodes:PodFailurePolicyOnExitCodesRequirement;
    3 onPodConditions:PodFailurePolicyOnPodConditionsPattern[]`,
  PodFailurePolicy: '1 rules:PodFailurePolicyRule[]',
  SuccessPolicyRule: '1 succeededIndexes?; 2 succeededCount:int32?',
  SuccessPolicy: '1 rules:SuccessPolicyRule[]',
  JobSpec: `
    1 parallelism:int32?; 2 completions:int32?; 3 activeDeadlineSeconds:int64?; 4 selector:LabelSelector;
    5 manualSelector:bool?; 6 template:PodTemplateSpec; 7 backoffLimit:int32?; 8 ttlSecondsAfterFinished:int32?;
    9 completionMode?; 10 suspend:bool?; 11 podFailurePolicy:PodFailurePolicy; 12 backoffLimitPerIndex:int32?;
    13 maxFailedIndexes:int32?; 14 podReplacementPolicy?; 15 managedBy?; 16 successPolicy:SuccessPolicy`,
  JobCondition: '1 type; 2 status; 3 lastProbeTime:time; 4 lastTransitionTime:time; 5 reason; 6 message',
  UncountedTerminatedPods: '1 succeeded[]; 2 failed[]',
  JobStatus: `
    1 conditions:JobCondition[]; 2 startTime:time; 3 completionTime:time; 4 active:int32; 5 succeeded:int32;
    6 failed:int32; 7 completedIndexes; 8 uncountedTerminatedPods:UncountedTerminatedPods; 9 ready:int32?;
    10 failedIndexes?; 11 terminating:int32?`,
  Job: '1 metadata:ObjectMeta; 2 spec:JobSpec; 3 status:JobStatus',
  JobTemplateSpec: '1 metadata:ObjectMeta; 2 spec:JobSpec',
  CronJobSpec: `
    1 schedule; 2 startingDeadlineSeconds:int64?; 3 concurrencyPolicy; 4 suspend:bool?;
    5 jobTemplate:JobTemplateSpec; 6 successfulJobsHistoryLimit:int32?; 7 failedJobsHistoryLimit:int32?; 8 timeZone?`,
  CronJobStatus: '1 active:ObjectReference[]; 4 lastScheduleTime:time; 5 lastSuccessfulTime:time',
  CronJob: '1 metadata:ObjectMeta; 2 spec:CronJobSpec; 3 status:CronJobStatus',
  ScaleSpec: '1 replicas:int32',
  ScaleStatus: '1 replicas:int32; 2 selector',
  Scale: '1 metadata:ObjectMeta; 2 spec:ScaleSpec; 3 status:ScaleStatus',
  CrossVersionObjectReference: '1 kind; 2 name; 3 apiVersion',
  MetricTarget: '1 type; 2 value:quantity; 3 averageValue:quantity; 4 averageUtilization:int32?',
  MetricIdentifier: '1 name; 2 selector:LabelSelector',
  ObjectMetricSource:
    '1 describedObject:CrossVersionObjectReference; 2 target:MetricTarget; 3 metric:MetricIdentifier',
  PodsMetricSource: '1 metric:MetricIdentifier; 2 target:MetricTarget',
  ResourceMetricSource: '1 name; 2 target:MetricTarget',
  ContainerResourceMetricSource: '1 name; 2 target:MetricTarget; 3 container',
  ExternalMetricSource: '1 metric:MetricIdentifier; 2 target:MetricTarget',
  MetricSpec: `
    1 type; 2 object:ObjectMetricSource; 3 pods:PodsMetricSource; 4 resource:ResourceMetricSource;
    5 external:ExternalMetricSource; 7 containerResource:ContainerResourceMetricSource`,
  HPAScalingPolicy: '1 type; 2 value:int32; 3 periodSeconds:int32',
  HPAScalingRules: '1 selectPolicy?; 2 policies:HPAScalingPolicy[]; 3 stabilizationWindowSeconds:int32?',
  HorizontalPodAutoscalerBehavior: '1 scaleUp:HPAScalingRules; 2 scaleDown:HPAScalingRules',
  HorizontalPodAutoscalerSpec: `
    1 scaleTargetRef:CrossVersionObjectReference; 2 minReplicas:int32?; 3 maxReplicas:int32; 4 metrics:MetricSpec[];
    5 behavior:HorizontalPodAutoscalerBehavior`,
  MetricValueStatus: '1 value:quantity; 2 averageValue:quantity; 3 averageUtilization:int32?',
  ObjectMetricStatus:
    '1 metric:MetricIdentifier; 2 current:MetricValueStatus; 3 describedObject:CrossVersionObjectReference',
  PodsMetricStatus: '1 metric:MetricIdentifier; 2 current:MetricValueStatus',
  ResourceMetricStatus: '1 name; 2 current:MetricValueStatus',
  ContainerResourceMetricStatus: '1 name; 2 current:MetricValueStatus; 3 container',
  ExternalMetricStatus: '1 metric:MetricIdentifier; 2 current:MetricValueStatus',
  MetricStatus: `
    1 type; 2 object:ObjectMetricStatus; 3 pods:PodsMetricStatus; 4 resource:ResourceMetricStatus;
    5 external:ExternalMetricStatus; 7 containerResource:ContainerResourceMetricStatus`,
  HorizontalPodAutoscalerCondition: '1 type; 2 status; 3 lastTransitionTime:time; 4 reason; 5 message',
  HorizontalPodAutoscalerStatus: `
    1 observedGeneration:int64?; 2 lastScaleTime:time; 3 currentReplicas:int32; 4 desiredReplicas:int32;
    5 currentMetrics:MetricStatus[]; 6 conditions:HorizontalPodAutoscalerCondition[]`,
  HorizontalPodAutoscaler:
    '1 metadata:ObjectMeta; 2 spec:HorizontalPodAutoscalerSpec; 3 status:HorizontalPodAutoscalerStatus',
  HorizontalPodAutoscalerSpecV1: `
    1 scaleTargetRef:CrossVersionObjectReference; 2 minReplicas:int32?; 3 maxReplicas:int32;
    4 targetCPUUtilizationPercentage:int32?`,
  HorizontalPodAutoscalerStatusV1: `
    1 observedGeneration:int64?; 2 lastScaleTime:time; 3 currentReplicas:int32; 4 desiredReplicas:int32;
    5 currentCPUUtilizationPercentage:int32?`,
  HorizontalPodAutoscalerV1:
    '1 metadata:ObjectMeta; 2 spec:HorizontalPodAutoscalerSpecV1; 3 status:HorizontalPodAutoscalerStatusV1',
}
