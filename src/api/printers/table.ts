// `Table` of meta.k8s.io/v1: how the server prints objects for people (kubectl get). A printer gives the cells of
// one kind; what the columns mean is told by their definitions.

import type { KubeObject } from '../../cluster/objects.js'

export interface TableColumn {
  readonly name: string
  readonly type: 'string' | 'integer'
  readonly format: '' | 'name'
  readonly description: string
  /** 0 always shown, 1 only with `-o wide`. */
  readonly priority: 0 | 1
}

export type Cell = string | number

export interface TableRow {
  readonly cells: readonly Cell[]
  /** The object, or its metadata alone (PartialObjectMetadata). */
  readonly object?: Record<string, unknown>
}

export interface Table {
  readonly kind: 'Table'
  readonly apiVersion: 'meta.k8s.io/v1'
  readonly metadata: Record<string, unknown>
  readonly columnDefinitions: readonly TableColumn[]
  readonly rows: readonly TableRow[]
}

/** Columns and cells of one kind; `now` is milliseconds since the Unix epoch, for ages. */
export interface Printer<Obj extends KubeObject = KubeObject> {
  readonly columns: readonly TableColumn[]
  cells(object: Obj, now: number): Cell[]
}

/** `Name` and the like: the first column has the format `name`. */
export function columns(...specs: readonly string[]): TableColumn[] {
  return specs.map((spec, index) => {
    const wide = spec.startsWith('+')
    const integer = spec.endsWith('#')
    const name = spec.slice(wide ? 1 : 0, integer ? -1 : undefined)
    return {
      name,
      type: integer ? 'integer' : 'string',
      format: index === 0 && name === 'Name' ? 'name' : '',
      description: '',
      priority: wide ? 1 : 0,
    }
  })
}

/** `a=b,c=d` in the order of the keys; `<none>` when empty. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',')
}
