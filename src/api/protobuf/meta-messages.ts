// Fields of the protobuf messages of metadata, references and options: what the messages of every group hold. Read first: field-table.ts.

import type { FieldTables } from './field-table.js'

export const META_MESSAGES: FieldTables = {
  OwnerReference: '1 kind; 3 name; 4 uid; 5 apiVersion; 6 controller:bool?; 7 blockOwnerDeletion:bool?',
  ManagedFieldsEntry:
    '1 manager; 2 operation; 3 apiVersion; 4 time:time; 6 fieldsType; 7 fieldsV1:json; 8 subresource',
  ObjectMeta: `
    1 name; 2 generateName; 3 namespace; 4 selfLink; 5 uid; 6 resourceVersion; 7 generation:int64;
    8 creationTimestamp:time; 9 deletionTimestamp:time; 10 deletionGracePeriodSeconds:int64?; 11 labels:string{};
    12 annotations:string{}; 13 ownerReferences:OwnerReference[]; 14 finalizers[];
    17 managedFields:ManagedFieldsEntry[]`,
  LabelSelectorRequirement: '1 key; 2 operator; 3 values[]',
  LabelSelector: '1 matchLabels:string{}; 2 matchExpressions:LabelSelectorRequirement[]',
  Condition: '1 type; 2 status; 3 observedGeneration:int64; 4 lastTransitionTime:time; 5 reason; 6 message',
  Preconditions: '1 uid?; 2 resourceVersion?',
  DeleteOptions: `
    1 gracePeriodSeconds:int64?; 2 preconditions:Preconditions; 3 orphanDependents:bool?; 4 propagationPolicy?;
    5 dryRun[]; 6 ignoreStoreReadErrorWithClusterBreakingPotential:bool?`,
  ObjectReference: '1 kind; 2 namespace; 3 name; 4 uid; 5 apiVersion; 6 resourceVersion; 7 fieldPath',
  LocalObjectReference: '1 name',
  TypedLocalObjectReference: '1 apiGroup?; 2 kind; 3 name',
  EventSource: '1 component; 2 host',
  EventSeries: '1 count:int32; 2 lastObservedTime:microtime',
}
