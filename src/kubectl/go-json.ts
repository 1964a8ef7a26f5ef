// JSON text as Go's encoding/json writes maps: keys in order, and `<`, `>`, `&` escaped.

const ESCAPED: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
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

/** Compact, or with `indent` spaces a level. */
export function goJson(value: unknown, indent = 0): string {
  return (JSON.stringify(sortKeys(value), null, indent) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (character) => ESCAPED[character]!,
  )
}
