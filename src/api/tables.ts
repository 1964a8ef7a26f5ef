// Objects as Tables, for clients that ask with `Accept: application/json;as=Table;v=v1;g=meta.k8s.io`.

import type { KubeObject } from '../cluster/objects.js'
import { cronJobPrinter, jobPrinter } from './printers/batch.js'
import {
  configMapPrinter,
  eventPrinter,
  leasePrinter,
  namespacePrinter,
  nodePrinter,
  plainPrinter,
  secretPrinter,
  serviceAccountPrinter,
} from './printers/cluster.js'
import { metricsPrinter } from './printers/metrics.js'
import { endpointSlicePrinter, endpointsPrinter, servicePrinter } from './printers/network.js'
import { podPrinter } from './printers/pod.js'
import { disruptionBudgetPrinter } from './printers/policy.js'
import { scalePrinter } from './printers/scale.js'
import type { Printer, Table, TableRow } from './printers/table.js'
import {
  controllerRevisionPrinter,
  daemonSetPrinter,
  deploymentPrinter,
  replicaSetPrinter,
  replicationControllerPrinter,
  statefulSetPrinter,
} from './printers/workload.js'

const PRINTERS: Readonly<Record<string, Printer<never>>> = {
  pods: podPrinter,
  services: servicePrinter,
  endpoints: endpointsPrinter,
  endpointslices: endpointSlicePrinter,
  deployments: deploymentPrinter,
  replicasets: replicaSetPrinter,
  replicationcontrollers: replicationControllerPrinter,
  statefulsets: statefulSetPrinter,
  daemonsets: daemonSetPrinter,
  controllerrevisions: controllerRevisionPrinter,
  jobs: jobPrinter,
  cronjobs: cronJobPrinter,
  leases: leasePrinter,
  nodes: nodePrinter,
  namespaces: namespacePrinter,
  configmaps: configMapPrinter,
  secrets: secretPrinter,
  serviceaccounts: serviceAccountPrinter,
  events: eventPrinter,
  poddisruptionbudgets: disruptionBudgetPrinter,
  scales: scalePrinter,
  nodemetrics: metricsPrinter,
  podmetrics: metricsPrinter,
}

/** What a row carries beside its cells (query parameter includeObject). */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

export function tableOf(
  resource: string,
  objects: readonly KubeObject[],
  options: {
    readonly include: IncludeObject
    readonly now: number
    readonly metadata: Record<string, unknown>
    /** A watch names the columns once only. */
    readonly withColumns: boolean
  },
): Table {
  const printer = (PRINTERS[resource] ?? plainPrinter) as Printer
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata,
    columnDefinitions: options.withColumns ? printer.columns : [],
    rows: objects.map((object) => rowOf(printer, object, options.include, options.now)),
  }
}

function rowOf(printer: Printer, object: KubeObject, include: IncludeObject, now: number): TableRow {
  const cells = printer.cells(object, now)
  if (include === 'None') return { cells }
  if (include === 'Object') return { cells, object }
  return {
    cells,
    object: {
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: object.metadata,
    },
  }
}
