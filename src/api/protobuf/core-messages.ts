// Fields of the protobuf messages of the other kinds of the core group. Read first: field-table.ts.

import type { FieldTables } from './field-table.js'

export const CORE_MESSAGES: FieldTables = {
  ServicePort: '1 name; 2 protocol; 3 port:int32; 4 targetPort:intstr; 5 nodePort:int32; 6 appProtocol?',
  ClientIPConfig: '1 timeoutSeconds:int32?',
  SessionAffinityConfig: '1 clientIP:ClientIPConfig',
  ServiceSpec: `
    1 ports:ServicePort[]; 2 selector:string{}; 3 clusterIP; 4 type; 5 externalIPs[]; 7 sessionAffinity;
    8 loadBalancerIP; 9 loadBalancerSourceRanges[]; 10 externalName; 11 externalTrafficPolicy;
    12 healthCheckNodePort:int32; 13 publishNotReadyAddresses:bool; 14 sessionAffinityConfig:SessionAffinityConfig;
    17 ipFamilyPolicy?; 18 clusterIPs[]; 19 ipFamilies[]; 20 allocateLoadBalancerNodePorts:bool?;
    21 loadBalancerClass?; 22 internalTrafficPolicy?; 23 trafficDistribution?`,
  PortStatus: '1 port:int32; 2 protocol; 3 error?',
  LoadBalancerIngress: '1 ip; 2 hostname; 3 ipMode?; 4 ports:PortStatus[]',
  LoadBalancerStatus: '1 ingress:LoadBalancerIngress[]',
  ServiceStatus: '1 loadBalancer:LoadBalancerStatus; 2 conditions:Condition[]',
  Service: '1 metadata:ObjectMeta; 2 spec:ServiceSpec; 3 status:ServiceStatus',
  ConfigMap: '1 metadata:ObjectMeta; 2 data:string{}; 3 binaryData:bytes{}; 4 immutable:bool?',
  Secret: '1 metadata:ObjectMeta; 2 data:bytes{}; 3 type; 4 stringData:string{}; 5 immutable:bool?',
  NamespaceSpec: '1 finalizers[]',
  NamespaceCondition: '1 type; 2 status; 4 lastTransitionTime:time; 5 reason; 6 message',
  NamespaceStatus: '1 phase; 2 conditions:NamespaceCondition[]',
  Namespace: '1 metadata:ObjectMeta; 2 spec:NamespaceSpec; 3 status:NamespaceStatus',
  ServiceAccount: `
    1 metadata:ObjectMeta; 2 secrets:ObjectReference[]; 3 imagePullSecrets:LocalObjectReference[];
    4 automountServiceAccountToken:bool?`,
  Taint: '1 key; 2 value; 3 effect; 4 timeAdded:time',
  NodeSpec: '1 podCIDR; 2 externalID; 3 providerID; 4 unschedulable:bool; 5 taints:Taint[]; 7 podCIDRs[]',
  NodeCondition: '1 type; 2 status; 3 lastHeartbeatTime:time; 4 lastTransitionTime:time; 5 reason; 6 message',
  NodeAddress: '1 type; 2 address',
  DaemonEndpoint: '1 Port:int32',
  NodeDaemonEndpoints: '1 kubeletEndpoint:DaemonEndpoint',
  NodeSystemInfo: `
    1 machineID; 2 systemUUID; 3 bootID; 4 kernelVersion; 5 osImage; 6 containerRuntimeVersion; 7 kubeletVersion;
    8 kubeProxyVersion; 9 operatingSystem; 10 architecture`,
  ContainerImage: '1 names[]; 2 sizeBytes:int64',
  NodeRuntimeHandlerFeatures: '1 recursiveReadOnlyMounts:bool; 2 userNamespaces:bool',
  NodeRuntimeHandler: '1 name; 2 features:NodeRuntimeHandlerFeatures',
  NodeFeatures: '1 supplementalGroupsPolicy:bool?',
  NodeStatus: `
    1 capacity:quantity{}; 2 allocatable:quantity{}; 3 phase; 4 conditions:NodeCondition[];
    5 addresses:NodeAddress[]; 6 daemonEndpoints:NodeDaemonEndpoints; 7 nodeInfo:NodeSystemInfo;
    8 images:ContainerImage[]; 9 volumesInUse[]; 12 runtimeHandlers:NodeRuntimeHandler[]; 13 features:NodeFeatures`,
  Node: '1 metadata:ObjectMeta; 2 spec:NodeSpec; 3 status:NodeStatus',
  EndpointAddress: '1 ip; 2 targetRef:ObjectReference; 3 hostname; 4 nodeName?',
  EndpointPort: '1 name; 2 port:int32; 3 protocol; 4 appProtocol?',
  EndpointSubset:
    '1 addresses:EndpointAddress[]; 2 notReadyAddresses:EndpointAddress[]; 3 ports:EndpointPort[]',
  Endpoints: '1 metadata:ObjectMeta; 2 subsets:EndpointSubset[]',
  Event: `
    1 metadata:ObjectMeta; 2 involvedObject:ObjectReference; 3 reason; 4 message; 5 source:EventSource;
    6 firstTimestamp:time; 7 lastTimestamp:time; 8 count:int32; 9 type; 10 eventTime:microtime;
    11 series:EventSeries; 12 action; 13 related:ObjectReference; 14 reportingComponent; 15 reportingInstance`,
  ScopedResourceSelectorRequirement: '1 scopeName; 2 operator; 3 values[]',
  ScopeSelector: '1 matchExpressions:ScopedResourceSelectorRequirement[]',
  ResourceQuotaSpec: '1 hard:quantity{}; 2 scopes[]; 3 scopeSelector:ScopeSelector',
  ResourceQuotaStatus: '1 hard:quantity{}; 2 used:quantity{}',
  ResourceQuota: '1 metadata:ObjectMeta; 2 spec:ResourceQuotaSpec; 3 status:ResourceQuotaStatus',
  LimitRangeItem: `
    1 type; 2 max:quantity{}; 3 min:quantity{}; 4 default:quantity{}; 5 defaultRequest:quantity{};
    6 maxLimitRequestRatio:quantity{}`,
  LimitRangeSpec: '1 limits:LimitRangeItem[]',
  LimitRange: '1 metadata:ObjectMeta; 2 spec:LimitRangeSpec',
  Binding: '1 metadata:ObjectMeta; 2 target:ObjectReference',
}
