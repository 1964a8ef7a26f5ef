// Rows of the scale subresource: `kubectl get deployment web --subresource=scale`.

import type { KubeObject } from '../../cluster/objects.js'
import { ageSince } from '../human-duration.js'
import { columns, type Printer } from './table.js'

/** autoscaling/v1 Scale. */
export interface Scale extends KubeObject {
  readonly spec: { readonly replicas?: number }
  readonly status: { readonly replicas: number; readonly selector: string }
}

export const scalePrinter: Printer<Scale> = {
  columns: columns('Name', 'Desired#', 'Available#', 'Age'),
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.replicas ?? 0,
    status.replicas,
    ageSince(metadata.creationTimestamp, now),
  ],
}
