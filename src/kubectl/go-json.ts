// JSON text as Go's encoding/json writes maps: keys in order, and `<`, `>`, `&` escaped.

import { sortKeys } from '../api/yaml-text.js'

const ESCAPED: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** Compact, or with `indent` spaces a level. */
export function goJson(value: unknown, indent = 0): string {
  return (JSON.stringify(sortKeys(value), null, indent) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (character) => ESCAPED[character]!,
  )
}
