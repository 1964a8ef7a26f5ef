// YAML as Kubernetes writes it: keys in order, lists not indented, no folded lines.

import { stringify } from 'yaml'

export function yamlText(value: unknown): string {
  const style = { indentSeq: false, lineWidth: 0, version: '1.1', aliasDuplicateObjects: false } as const
  return stringify(sortKeys(value), style)
}

/** A copy whose keys are in order at every level. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sortKeys(item)]),
  )
}
