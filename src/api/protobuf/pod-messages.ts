// Fields of the protobuf messages of Pods and the templates that workloads make them of. Read first: field-table.ts.

import type { FieldTables } from './field-table.js'

export const POD_MESSAGES: FieldTables = {
  HostPathVolumeSource: '1 path; 2 type?',
  EmptyDirVolumeSource: '1 medium; 2 sizeLimit:quantity',
  KeyToPath: '1 key; 2 path; 3 mode:int32?',
  SecretVolumeSource: '1 secretName; 2 items:KeyToPath[]; 3 defaultMode:int32?; 4 optional:bool?',
  PersistentVolumeClaimVolumeSource: '1 claimName; 2 readOnly:bool',
  ObjectFieldSelector: '1 apiVersion; 2 fieldPath',
  ResourceFieldSelector: '1 containerName; 2 resource; 3 divisor:quantity',
  DownwardAPIVolumeFile:
    '1 path; 2 fieldRef:ObjectFieldSelector; 3 resourceFieldRef:ResourceFieldSelector; 4 mode:int32?',
  DownwardAPIVolumeSource: '1 items:DownwardAPIVolumeFile[]; 2 defaultMode:int32?',
  ConfigMapVolumeSource:
    '1 *:LocalObjectReference; 2 items:KeyToPath[]; 3 defaultMode:int32?; 4 optional:bool?',
  SecretProjection: '1 *:LocalObjectReference; 2 items:KeyToPath[]; 4 optional:bool?',
  DownwardAPIProjection: '1 items:DownwardAPIVolumeFile[]',
  ConfigMapProjection: '1 *:LocalObjectReference; 2 items:KeyToPath[]; 4 optional:bool?',
  ServiceAccountTokenProjection: '1 audience; 2 expirationSeconds:int64?; 3 path',
  ClusterTrustBundleProjection:
    '1 name?; 2 signerName?; 3 labelSelector:LabelSelector; 4 path; 5 optional:bool?',
  VolumeProjection: `
    1 secret:SecretProjection; 2 downwardAPI:DownwardAPIProjection; 3 configMap:ConfigMapProjection;
    4 serviceAccountToken:ServiceAccountTokenProjection; 5 clusterTrustBundle:ClusterTrustBundleProjection`,
  ProjectedVolumeSource: '1 sources:VolumeProjection[]; 2 defaultMode:int32?',
  VolumeSource: `
    1 hostPath:HostPathVolumeSource; 2 emptyDir:EmptyDirVolumeSource; 6 secret:SecretVolumeSource;
    10 persistentVolumeClaim:PersistentVolumeClaimVolumeSource; 16 downwardAPI:DownwardAPIVolumeSource;
    19 configMap:ConfigMapVolumeSource; 26 projected:ProjectedVolumeSource`,
  Volume: '1 name; 2 *:VolumeSource',
  ContainerPort: '1 name; 2 hostPort:int32; 3 containerPort:int32; 4 protocol; 5 hostIP',
  ConfigMapEnvSource: '1 *:LocalObjectReference; 2 optional:bool?',
  SecretEnvSource: '1 *:LocalObjectReference; 2 optional:bool?',
  EnvFromSource: '1 prefix; 2 configMapRef:ConfigMapEnvSource; 3 secretRef:SecretEnvSource',
  ConfigMapKeySelector: '1 *:LocalObjectReference; 2 key; 3 optional:bool?',
  SecretKeySelector: '1 *:LocalObjectReference; 2 key; 3 optional:bool?',
  EnvVarSource: `
    1 fieldRef:ObjectFieldSelector; 2 resourceFieldRef:ResourceFieldSelector; 3 configMapKeyRef:ConfigMapKeySelector;
    4 secretKeyRef:SecretKeySelector`,
  EnvVar: '1 name; 2 value; 3 valueFrom:EnvVarSource',
  ResourceClaim: '1 name; 2 request',
  ResourceRequirements: '1 limits:quantity{}; 2 requests:quantity{}; 3 claims:ResourceClaim[]',
  ContainerResizePolicy: '1 resourceName; 2 restartPolicy',
  VolumeMount:
    '1 name; 2 readOnly:bool; 3 mountPath; 4 subPath; 5 mountPropagation?; 6 subPathExpr; 7 recursiveReadOnly?',
  VolumeDevice: '1 name; 2 devicePath',
  ExecAction: '1 command[]',
  HTTPHeader: '1 name; 2 value',
  HTTPGetAction: '1 path; 2 port:intstr; 3 host; 4 scheme; 5 httpHeaders:HTTPHeader[]',
  TCPSocketAction: '1 port:intstr; 2 host',
  GRPCAction: '1 port:int32; 2 service?',
  ProbeHandler: '1 exec:ExecAction; 2 httpGet:HTTPGetAction; 3 tcpSocket:TCPSocketAction; 4 grpc:GRPCAction',
  Probe: `
    1 *:ProbeHandler; 2 initialDelaySeconds:int32; 3 timeoutSeconds:int32; 4 periodSeconds:int32;
    5 successThreshold:int32; 6 failureThreshold:int32; 7 terminationGracePeriodSeconds:int64?`,
  SleepAction: '1 seconds:int64',
  LifecycleHandler:
    '1 exec:ExecAction; 2 httpGet:HTTPGetAction; 3 tcpSocket:TCPSocketAction; 4 sleep:SleepAction',
  Lifecycle: '1 postStart:LifecycleHandler; 2 preStop:LifecycleHandler; 3 stopSignal?',
  Capabilities: '1 add[]; 2 drop[]',
  SELinuxOptions: '1 user; 2 role; 3 type; 4 level',
  WindowsSecurityContextOptions:
    '1 gmsaCredentialSpecName?; 2 gmsaCredentialSpec?; 3 runAsUserName?; 4 hostProcess:bool?',
  SeccompProfile: '1 type; 2 localhostProfile?',
  AppArmorProfile: '1 type; 2 localhostProfile?',
  SecurityContext: `
    1 capabilities:Capabilities; 2 privileged:bool?; 3 seLinuxOptions:SELinuxOptions; 4 runAsUser:int64?;
    5 runAsNonRoot:bool?; 6 readOnlyRootFilesystem:bool?; 7 allowPrivilegeEscalation:bool?; 8 runAsGroup:int64?;
    9 procMount?; 10 windowsOptions:WindowsSecurityContextOptions; 11 seccompProfile:SeccompProfile;
    12 appArmorProfile:AppArmorProfile`,
  Container: `
    1 name; 2 image; 3 command[]; 4 args[]; 5 workingDir; 6 ports:ContainerPort[]; 7 env:EnvVar[];
    8 resources:ResourceRequirements; 9 volumeMounts:VolumeMount[]; 10 livenessProbe:Probe; 11 readinessProbe:Probe;
    12 lifecycle:Lifecycle; 13 terminationMessagePath; 14 imagePullPolicy; 15 securityContext:SecurityContext;
    16 stdin:bool; 17 stdinOnce:bool; 18 tty:bool; 19 envFrom:EnvFromSource[]; 20 terminationMessagePolicy;
    21 volumeDevices:VolumeDevice[]; 22 startupProbe:Probe; 23 resizePolicy:ContainerResizePolicy[];
    24 restartPolicy?`,
  EphemeralContainer: '1 *:Container; 2 targetContainerName',
  Sysctl: '1 name; 2 value',
  PodSecurityContext: `
    1 seLinuxOptions:SELinuxOptions; 2 runAsUser:int64?; 3 runAsNonRoot:bool?; 4 supplementalGroups:int64[];
    5 fsGroup:int64?; 6 runAsGroup:int64?; 7 sysctls:Sysctl[]; 8 windowsOptions:WindowsSecurityContextOptions;
    9 fsGroupChangePolicy?; 10 seccompProfile:SeccompProfile; 11 appArmorProfile:AppArmorProfile;
    12 supplementalGroupsPolicy?; 13 seLinuxChangePolicy?`,
  NodeSelectorRequirement: '1 key; 2 operator; 3 values[]',
  NodeSelectorTerm: '1 matchExpressions:NodeSelectorRequirement[]; 2 matchFields:NodeSelectorRequirement[]',
  NodeSelector: '1 nodeSelectorTerms:NodeSelectorTerm[]',
  PreferredSchedulingTerm: '1 weight:int32; 2 preference:NodeSelectorTerm',
  NodeAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution:NodeSelector;
    2 preferredDuringSchedulingIgnoredDuringExecution:PreferredSchedulingTerm[]`,
  PodAffinityTerm: `
    1 labelSelector:LabelSelector; 2 namespaces[]; 3 topologyKey; 4 namespaceSelector:LabelSelector;
    5 matchLabelKeys[]; 6 mismatchLabelKeys[]`,
  WeightedPodAffinityTerm: '1 weight:int32; 2 podAffinityTerm:PodAffinityTerm',
  PodAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution:PodAffinityTerm[];
    2 preferredDuringSchedulingIgnoredDuringExecution:WeightedPodAffinityTerm[]`,
  PodAntiAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution:PodAffinityTerm[];
    2 preferredDuringSchedulingIgnoredDuringExecution:WeightedPodAffinityTerm[]`,
  Affinity: '1 nodeAffinity:NodeAffinity; 2 podAffinity:PodAffinity; 3 podAntiAffinity:PodAntiAffinity',
  Toleration: '1 key; 2 operator; 3 value; 4 effect; 5 tolerationSeconds:int64?',
  HostAlias: '1 ip; 2 hostnames[]',
  PodDNSConfigOption: '1 name; 2 value?',
  PodDNSConfig: '1 nameservers[]; 2 searches[]; 3 options:PodDNSConfigOption[]',
  PodReadinessGate: '1 conditionType',
  TopologySpreadConstraint: `
    1 maxSkew:int32; 2 topologyKey; 3 whenUnsatisfiable; 4 labelSelector:LabelSelector; 5 minDomains:int32?;
    6 nodeAffinityPolicy?; 7 nodeTaintsPolicy?; 8 matchLabelKeys[]`,
  PodOS: '1 name',
  PodSchedulingGate: '1 name',
  PodResourceClaim: '1 name; 3 resourceClaimName?; 4 resourceClaimTemplateName?',
  PodSpec: `
    1 volumes:Volume[]; 2 containers:Container[]; 3 restartPolicy; 4 terminationGracePeriodSeconds:int64?;
    5 activeDeadlineSeconds:int64?; 6 dnsPolicy; 7 nodeSelector:string{}; 8 serviceAccountName; 9 serviceAccount;
    10 nodeName; 11 hostNetwork:bool; 12 hostPID:bool; 13 hostIPC:bool; 14 securityContext:PodSecurityContext;
    15 imagePullSecrets:LocalObjectReference[]; 16 hostname; 17 subdomain; 18 affinity:Affinity; 19 schedulerName;
    20 initContainers:Container[]; 21 automountServiceAccountToken:bool?; 22 tolerations:Toleration[];
    23 hostAliases:HostAlias[]; 24 priorityClassName; 25 priority:int32?; 26 dnsConfig:PodDNSConfig;
    27 shareProcessNamespace:bool?; 28 readinessGates:PodReadinessGate[]; 29 runtimeClassName?;
    30 enableServiceLinks:bool?; 31 preemptionPolicy?; 32 overhead:quantity{};
    33 topologySpreadConstraints:TopologySpreadConstraint[]; 34 ephemeralContainers:EphemeralContainer[];
    35 setHostnameAsFQDN:bool?; 36 os:PodOS; 37 hostUsers:bool?; 38 schedulingGates:PodSchedulingGate[];
    39 resourceClaims:PodResourceClaim[]; 40 resources:ResourceRequirements; 41 hostnameOverride?`,
  PodCondition: `
    1 type; 2 status; 3 lastProbeTime:time; 4 lastTransitionTime:time; 5 reason; 6 message;
    7 observedGeneration:int64`,
  HostIP: '1 ip',
  PodIP: '1 ip',
  ContainerStateWaiting: '1 reason; 2 message',
  ContainerStateRunning: '1 startedAt:time',
  ContainerStateTerminated:
    '1 exitCode:int32; 2 signal:int32; 3 reason; 4 message; 5 startedAt:time; 6 finishedAt:time; 7 containerID',
  ContainerState:
    '1 waiting:ContainerStateWaiting; 2 running:ContainerStateRunning; 3 terminated:ContainerStateTerminated',
  VolumeMountStatus: '1 name; 2 mountPath; 3 readOnly:bool; 4 recursiveReadOnly?',
  LinuxContainerUser: '1 uid:int64; 2 gid:int64; 3 supplementalGroups:int64[]',
  ContainerUser: '1 linux:LinuxContainerUser',
  ResourceHealth: '1 resourceID; 2 health',
  ResourceStatus: '1 name; 2 resources:ResourceHealth[]',
  ContainerStatus: `
    1 name; 2 state:ContainerState; 3 lastState:ContainerState; 4 ready:bool; 5 restartCount:int32; 6 image;
    7 imageID; 8 containerID; 9 started:bool?; 10 allocatedResources:quantity{}; 11 resources:ResourceRequirements;
    12 volumeMounts:VolumeMountStatus[]; 13 user:ContainerUser; 14 allocatedResourcesStatus:ResourceStatus[];
    15 stopSignal?`,
  PodResourceClaimStatus: '1 name; 2 resourceClaimName',
  PodStatus: `
    1 phase; 2 conditions:PodCondition[]; 3 message; 4 reason; 5 hostIP; 6 podIP; 7 startTime:time;
    8 containerStatuses:ContainerStatus[]; 9 qosClass; 10 initContainerStatuses:ContainerStatus[];
    11 nominatedNodeName; 12 podIPs:PodIP[]; 13 ephemeralContainerStatuses:ContainerStatus[]; 14 resize;
    15 resourceClaimStatuses:PodResourceClaimStatus[]; 16 hostIPs:HostIP[]; 17 observedGeneration:int64`,
  Pod: '1 metadata:ObjectMeta; 2 spec:PodSpec; 3 status:PodStatus',
  PodTemplateSpec: '1 metadata:ObjectMeta; 2 spec:PodSpec',
}
