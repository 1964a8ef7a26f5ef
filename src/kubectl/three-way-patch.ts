// The patch of client-side apply: what was applied last and is gone now is deleted, what is wanted and differs from
// the live object is changed, and everything else of the live object is left alone. The result is a strategic merge
// patch (api/patch/strategic-merge.ts says what its directives mean).

import { isMap, type Json, type JsonMap } from '../api/patch/json.js'
import type { MergeRule, MergeRules } from '../api/patch/merge-keys.js'
import { equalJson } from '../cluster/json.js'

/** Empty when the live object is as wanted. */
export function threeWayPatch(
  applied: JsonMap | undefined,
  wanted: JsonMap,
  live: JsonMap,
  rules: MergeRules,
): JsonMap {
  return diffMaps(applied ?? {}, wanted, live, rules)
}

function diffMaps(applied: JsonMap, wanted: JsonMap, live: JsonMap, rules: MergeRules): JsonMap {
  const patch: JsonMap = {}
  for (const key of Object.keys(applied)) {
    if (!Object.hasOwn(wanted, key) && Object.hasOwn(live, key)) patch[key] = null
  }
  for (const [key, value] of Object.entries(wanted)) {
    const before = applied[key]
    const now = live[key]
    const rule = rules[key] ?? {}
    if (value === null) {
      if (Object.hasOwn(live, key)) patch[key] = null
    } else if (isMap(value) && isMap(now)) {
      const inner = diffMaps(isMap(before) ? before : {}, value, now, rule.fields ?? {})
      if (Object.keys(inner).length === 0) continue
      patch[key] = rule.retainKeys ? { $retainKeys: Object.keys(value).sort(), ...inner } : inner
    } else if (Array.isArray(value) && Array.isArray(now) && (rule.key !== undefined || rule.set)) {
      diffLists(patch, key, Array.isArray(before) ? before : [], value, now, rule)
    } else if (!equalJson(value, now)) {
      patch[key] = value
    }
  }
  return patch
}

function diffLists(
  patch: JsonMap,
  field: string,
  applied: readonly Json[],
  wanted: readonly Json[],
  live: readonly Json[],
  rule: MergeRule,
): void {
  if (rule.key === undefined) {
    const gone = applied.filter((item) => !has(wanted, item) && has(live, item))
    const added = wanted.filter((item) => !has(live, item))
    if (gone.length > 0) patch[`$deleteFromPrimitiveList/${field}`] = gone
    if (added.length > 0) patch[field] = added
    if (gone.length + added.length > 0) patch[`$setElementOrder/${field}`] = [...wanted]
    return
  }
  const key = rule.key
  const find = (list: readonly Json[], item: JsonMap) =>
    list.find((other): other is JsonMap => isMap(other) && equalJson(other[key], item[key]))
  const changes: Json[] = []
  for (const item of wanted.filter(isMap)) {
    const now = find(live, item)
    if (now === undefined) {
      changes.push(item)
      continue
    }
    const inner = diffMaps(find(applied, item) ?? {}, item, now, rule.fields ?? {})
    if (Object.keys(inner).length === 0) continue
    const retained = rule.retainKeys ? { $retainKeys: Object.keys(item).sort() } : {}
    changes.push({ ...retained, ...inner, [key]: item[key]! })
  }
  for (const item of applied.filter(isMap)) {
    if (find(wanted, item) === undefined && find(live, item) !== undefined) {
      changes.push({ $patch: 'delete', [key]: item[key]! })
    }
  }
  if (changes.length === 0 && inLiveOrder(wanted, live, key)) return
  patch[`$setElementOrder/${field}`] = wanted.filter(isMap).map((item) => ({ [key]: item[key]! }))
  if (changes.length > 0) patch[field] = changes
}

function has(list: readonly Json[], item: Json): boolean {
  return list.some((other) => equalJson(other, item))
}

function inLiveOrder(wanted: readonly Json[], live: readonly Json[], key: string): boolean {
  const positions = wanted
    .filter(isMap)
    .map((item) => live.findIndex((other) => isMap(other) && equalJson(other[key], item[key])))
  return positions.every((position, index) => index === 0 || position > positions[index - 1]!)
}
