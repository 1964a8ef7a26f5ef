// Tables of `kubectl get`: what the server printed, with the columns that the client adds (namespace, kind, labels).

import type { Table, TableRow } from '../api/printers/table.js'
import type { KubeObject } from '../cluster/objects.js'
import { type KubectlResource, typeName } from './resources.js'

export interface TableStyle {
  readonly wide: boolean
  readonly withNamespace: boolean
  readonly withKind: boolean
  readonly showLabels: boolean
  readonly labelColumns: readonly string[]
}

/** The header of a table that the server made. */
export function headerOf(table: Pick<Table, 'columnDefinitions'>, style: TableStyle): string[] {
  const names = table.columnDefinitions
    .filter(({ priority }) => priority === 0 || style.wide)
    .map(({ name }) => name.toUpperCase())
  return [
    ...(style.withNamespace ? ['NAMESPACE'] : []),
    ...names,
    ...style.labelColumns.map((label) => label.split('/').at(-1)!.toUpperCase()),
    ...(style.showLabels ? ['LABELS'] : []),
  ]
}

/** The cells of one row, as text. Line breaks in a cell are shown as `\n`. */
export function cellsOf(
  row: TableRow,
  columns: Table['columnDefinitions'],
  resource: KubectlResource,
  style: TableStyle,
): string[] {
  const metadata = (row.object as KubeObject | undefined)?.metadata
  const labels = metadata?.labels ?? {}
  const shown = row.cells.filter((_cell, index) => columns[index]?.priority === 0 || style.wide).map(String)
  const nameAt = columns.findIndex(({ format }) => format === 'name')
  if (style.withKind && nameAt >= 0) shown[nameAt] = `${typeName(resource)}/${shown[nameAt]}`
  const all = Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`)
    .join(',')
  const cells = [
    ...(style.withNamespace ? [metadata?.namespace ?? ''] : []),
    ...shown,
    ...style.labelColumns.map((label) => labels[label] ?? '<none>'),
    ...(style.showLabels ? [all || '<none>'] : []),
  ]
  return cells.map((cell) => cell.replaceAll('\n', '\\n'))
}
