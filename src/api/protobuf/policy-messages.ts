// Fields of the protobuf messages of networking, policy, access and the small groups. Read first: field-table.ts.

import type { FieldTables } from './field-table.js'

export const POLICY_MESSAGES: FieldTables = {
  EndpointConditions: '1 ready:bool?; 2 serving:bool?; 3 terminating:bool?',
  ForZone: '1 name',
  EndpointHints: '1 forZones:ForZone[]',
  DiscoveryEndpoint: `
    1 addresses[]; 2 conditions:EndpointConditions; 3 hostname?; 4 targetRef:ObjectReference;
    5 deprecatedTopology:string{}; 6 nodeName?; 7 zone?; 8 hints:EndpointHints`,
  DiscoveryEndpointPort: '1 name?; 2 protocol?; 3 port:int32?; 4 appProtocol?',
  EndpointSlice:
    '1 metadata:ObjectMeta; 2 endpoints:DiscoveryEndpoint[]; 3 ports:DiscoveryEndpointPort[]; 4 addressType',
  LeaseSpec: `
    1 holderIdentity?; 2 leaseDurationSeconds:int32?; 3 acquireTime:microtime; 4 renewTime:microtime;
    5 leaseTransitions:int32?; 6 strategy?; 7 preferredHolder?`,
  Lease: '1 metadata:ObjectMeta; 2 spec:LeaseSpec',
  Eviction: '1 metadata:ObjectMeta; 2 deleteOptions:DeleteOptions',
  PodDisruptionBudgetSpec:
    '1 minAvailable:intstr; 2 selector:LabelSelector; 3 maxUnavailable:intstr; 4 unhealthyPodEvictionPolicy?',
  PodDisruptionBudgetStatus: `
    1 observedGeneration:int64; 2 disruptedPods:time{}; 3 disruptionsAllowed:int32; 4 currentHealthy:int32;
    5 desiredHealthy:int32; 6 expectedPods:int32; 7 conditions:Condition[]`,
  PodDisruptionBudget:
    '1 metadata:ObjectMeta; 2 spec:PodDisruptionBudgetSpec; 3 status:PodDisruptionBudgetStatus',
  PolicyRule: '1 verbs[]; 2 apiGroups[]; 3 resources[]; 4 resourceNames[]; 5 nonResourceURLs[]',
  Role: '1 metadata:ObjectMeta; 2 rules:PolicyRule[]',
  AggregationRule: '1 clusterRoleSelectors:LabelSelector[]',
  ClusterRole: '1 metadata:ObjectMeta; 2 rules:PolicyRule[]; 3 aggregationRule:AggregationRule',
  Subject: '1 kind; 2 apiGroup; 3 name; 4 namespace',
  RoleRef: '1 apiGroup; 2 kind; 3 name',
  RoleBinding: '1 metadata:ObjectMeta; 2 subjects:Subject[]; 3 roleRef:RoleRef',
  ClusterRoleBinding: '1 metadata:ObjectMeta; 2 subjects:Subject[]; 3 roleRef:RoleRef',
  ServiceBackendPort: '1 name; 2 number:int32',
  IngressServiceBackend: '1 name; 2 port:ServiceBackendPort',
  IngressBackend: '3 resource:TypedLocalObjectReference; 4 service:IngressServiceBackend',
  IngressTLS: '1 hosts[]; 2 secretName',
  HTTPIngressPath: '1 path; 2 backend:IngressBackend; 3 pathType?',
  HTTPIngressRuleValue: '1 paths:HTTPIngressPath[]',
  IngressRuleValue: '1 http:HTTPIngressRuleValue',
  IngressRule: '1 host; 2 *:IngressRuleValue',
  IngressSpec:
    '1 defaultBackend:IngressBackend; 2 tls:IngressTLS[]; 3 rules:IngressRule[]; 4 ingressClassName?',
  IngressPortStatus: '1 port:int32; 2 protocol; 3 error?',
  IngressLoadBalancerIngress: '1 ip; 2 hostname; 4 ports:IngressPortStatus[]',
  IngressLoadBalancerStatus: '1 ingress:IngressLoadBalancerIngress[]',
  IngressStatus: '1 loadBalancer:IngressLoadBalancerStatus',
  Ingress: '1 metadata:ObjectMeta; 2 spec:IngressSpec; 3 status:IngressStatus',
  IngressClassParametersReference: '1 apiGroup?; 2 kind; 3 name; 4 scope?; 5 namespace?',
  IngressClassSpec: '1 controller?; 2 parameters:IngressClassParametersReference',
  IngressClass: '1 metadata:ObjectMeta; 2 spec:IngressClassSpec',
  NetworkPolicyPort: '1 protocol?; 2 port:intstr; 3 endPort:int32?',
  IPBlock: '1 cidr; 2 except[]',
  NetworkPolicyPeer: '1 podSelector:LabelSelector; 2 namespaceSelector:LabelSelector; 3 ipBlock:IPBlock',
  NetworkPolicyIngressRule: '1 ports:NetworkPolicyPort[]; 2 from:NetworkPolicyPeer[]',
  NetworkPolicyEgressRule: '1 ports:NetworkPolicyPort[]; 2 to:NetworkPolicyPeer[]',
  NetworkPolicySpec: `
    1 podSelector:LabelSelector; 2 ingress:NetworkPolicyIngressRule[]; 3 egress:NetworkPolicyEgressRule[];
    4 policyTypes[]`,
  NetworkPolicy: '1 metadata:ObjectMeta; 2 spec:NetworkPolicySpec',
  FieldSelectorRequirement: '1 key; 2 operator; 3 values[]',
  FieldSelectorAttributes: '1 rawSelector; 2 requirements:FieldSelectorRequirement[]',
  LabelSelectorAttributes: '1 rawSelector; 2 requirements:LabelSelectorRequirement[]',
  ResourceAttributes: `
    1 namespace; 2 verb; 3 group; 4 version; 5 resource; 6 subresource; 7 name;
    8 fieldSelector:FieldSelectorAttributes; 9 labelSelector:LabelSelectorAttributes`,
  NonResourceAttributes: '1 path; 2 verb',
  SelfSubjectAccessReviewSpec:
    '1 resourceAttributes:ResourceAttributes; 2 nonResourceAttributes:NonResourceAttributes',
  SubjectAccessReviewStatus: '1 allowed:bool; 2 reason; 3 evaluationError; 4 denied:bool',
  SelfSubjectAccessReview:
    '1 metadata:ObjectMeta; 2 spec:SelfSubjectAccessReviewSpec; 3 status:SubjectAccessReviewStatus',
  SelfSubjectRulesReviewSpec: '1 namespace',
  ResourceRule: '1 verbs[]; 2 apiGroups[]; 3 resources[]; 4 resourceNames[]',
  NonResourceRule: '1 verbs[]; 2 nonResourceURLs[]',
  SubjectRulesReviewStatus:
    '1 resourceRules:ResourceRule[]; 2 nonResourceRules:NonResourceRule[]; 3 incomplete:bool; 4 evaluationError',
  SelfSubjectRulesReview:
    '1 metadata:ObjectMeta; 2 spec:SelfSubjectRulesReviewSpec; 3 status:SubjectRulesReviewStatus',
  ExtraValue: '1 items[]',
  UserInfo: '1 username; 2 uid; 3 groups[]; 4 extra:ExtraValue{}',
  SelfSubjectReviewStatus: '1 userInfo:UserInfo',
  SelfSubjectReview: '1 metadata:ObjectMeta; 2 status:SelfSubjectReviewStatus',
  TokenReviewSpec: '1 token; 2 audiences[]',
  TokenReviewStatus: '1 authenticated:bool; 2 user:UserInfo; 3 error; 4 audiences[]',
  TokenReview: '1 metadata:ObjectMeta; 2 spec:TokenReviewSpec; 3 status:TokenReviewStatus',
  BoundObjectReference: '1 kind; 2 apiVersion; 3 name; 4 uid',
  TokenRequestSpec: '1 audiences[]; 3 boundObjectRef:BoundObjectReference; 4 expirationSeconds:int64?',
  TokenRequestStatus: '1 token; 2 expirationTimestamp:time',
  TokenRequest: '1 metadata:ObjectMeta; 2 spec:TokenRequestSpec; 3 status:TokenRequestStatus',
  PriorityClass:
    '1 metadata:ObjectMeta; 2 value:int32; 3 globalDefault:bool; 4 description; 5 preemptionPolicy?',
  EventsEvent: `
    1 metadata:ObjectMeta; 2 eventTime:microtime; 3 series:EventSeries; 4 reportingController; 5 reportingInstance;
    6 action; 7 reason; 8 regarding:ObjectReference; 9 related:ObjectReference; 10 note; 11 type;
    12 deprecatedSource:EventSource; 13 deprecatedFirstTimestamp:time; 14 deprecatedLastTimestamp:time;
    15 deprecatedCount:int32`,
}
