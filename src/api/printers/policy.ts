// Rows of PodDisruptionBudgets.

import type { PodDisruptionBudget } from '../../cluster/disruption-budget.js'
import { ageSince } from '../human-duration.js'
import { columns, type Printer } from './table.js'

export const disruptionBudgetPrinter: Printer<PodDisruptionBudget> = {
  columns: columns('Name', 'Min Available', 'Max Unavailable', 'Allowed Disruptions#', 'Age'),
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    String(spec?.minAvailable ?? 'N/A'),
    String(spec?.maxUnavailable ?? 'N/A'),
    status?.disruptionsAllowed ?? 0,
    ageSince(metadata.creationTimestamp, now),
  ],
}
