// Columns of NodeMetrics and PodMetrics, as metrics-server's own.

import { parseQuantity } from '../../cluster/quantity.js'
import type { MetricsObject, Quantities } from '../metrics.js'
import { columns, type Printer } from './table.js'

export const metricsPrinter: Printer<MetricsObject> = {
  columns: columns('Name', 'cpu', 'memory', 'Window'),
  cells: (object) => {
    const usages = object.usage ? [object.usage] : (object.containers ?? []).map(({ usage }) => usage)
    const sum = (name: keyof Quantities) =>
      usages.reduce((total, usage) => total + (parseQuantity(usage[name]) ?? 0), 0)
    const cpu = `${Math.round(sum('cpu') * 1e9)}n`
    return [object.metadata.name, cpu, `${Math.round(sum('memory') / 1024)}Ki`, object.window]
  },
}
