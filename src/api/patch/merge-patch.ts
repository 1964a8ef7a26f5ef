// JSON Merge Patch (RFC 7396).

import { cloneJson } from '../../cluster/json.js'
import { isMap, type Json, setKey } from './json.js'

/** The document after `patch`; neither argument is changed. */
export function applyMergePatch(target: Json, patch: Json): Json {
  if (!isMap(patch)) return cloneJson(patch)
  const result = isMap(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else setKey(result, key, applyMergePatch(Object.hasOwn(result, key) ? result[key]! : null, value))
  }
  return result
}
