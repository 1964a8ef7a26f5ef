// Strategic merge patch, as the Kubernetes API server applies it: maps merge, lists merge by key where the kind's
// rules say so, and `$patch`, `$retainKeys`, `$setElementOrder/x`, `$deleteFromPrimitiveList/x` direct it.
// Making such a patch out of three documents is the client's work (kubectl/three-way-patch.ts).

import { cloneJson, equalJson } from '../../cluster/json.js'
import { isMap, type Json, type JsonMap, setKey } from './json.js'
import type { MergeRule, MergeRules } from './merge-keys.js'

const PATCH = '$patch'
const RETAIN_KEYS = '$retainKeys'
const SET_ELEMENT_ORDER = '$setElementOrder/'
const DELETE_FROM_PRIMITIVES = '$deleteFromPrimitiveList/'

/** A patch that contradicts its own form. */
export class StrategicMergeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StrategicMergeError'
  }
}

/** The document after `patch`; neither argument is changed. */
export function applyStrategicMergePatch(original: JsonMap, patch: JsonMap, rules: MergeRules): JsonMap {
  return mergeMaps(cloneJson(original), cloneJson(patch), rules)
}

/** Both arguments are the callee's to change. */
function mergeMaps(original: JsonMap, patch: JsonMap, rules: MergeRules): JsonMap {
  const directive = patch[PATCH]
  if (directive !== undefined) {
    if (directive === 'replace') return withoutDirectives(patch) as JsonMap
    if (directive === 'delete') return {}
    if (directive !== 'merge') throw new StrategicMergeError(`unknown patch type found: ${String(directive)}`)
    delete patch[PATCH]
  }
  retainKeys(original, patch)
  orderLists(original, patch, rules)
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(DELETE_FROM_PRIMITIVES)) {
      const field = key.slice(DELETE_FROM_PRIMITIVES.length)
      const list = original[field]
      if (Array.isArray(list) && Array.isArray(value)) {
        original[field] = list.filter((item) => !value.some((gone) => equalJson(gone, item)))
      }
    } else if (value === null) {
      delete original[key]
    } else if (Object.hasOwn(original, key)) {
      setKey(original, key, mergeValues(original[key]!, value, rules[key] ?? {}))
    } else {
      setKey(original, key, withoutDirectives(value))
    }
  }
  return original
}

function mergeValues(original: Json, patch: Json, rule: MergeRule): Json {
  if (isMap(original) && isMap(patch)) return mergeMaps(original, patch, rule.fields ?? {})
  if (Array.isArray(original) && Array.isArray(patch)) {
    if (rule.key === undefined && rule.set === undefined) return withoutDirectives(patch)
    return mergeLists(original, patch, rule)
  }
  return withoutDirectives(patch)
}

/** `$retainKeys` names all keys that a union may have afterwards; others of the original go. */
function retainKeys(original: JsonMap, patch: JsonMap): void {
  const keep = patch[RETAIN_KEYS]
  if (keep === undefined) return
  delete patch[RETAIN_KEYS]
  if (!Array.isArray(keep)) throw new StrategicMergeError(`${RETAIN_KEYS} must be a list`)
  for (const key of Object.keys(patch)) {
    if (patch[key] !== null && !key.startsWith('$') && !keep.includes(key)) {
      throw new StrategicMergeError(`bad patch format: ${key} is not in ${RETAIN_KEYS}`)
    }
  }
  for (const key of Object.keys(original)) if (!keep.includes(key)) delete original[key]
}

/** Handles each `$setElementOrder/x` together with the patch's `x`, and takes both out of the patch. */
function orderLists(original: JsonMap, patch: JsonMap, rules: MergeRules): void {
  for (const key of Object.keys(patch).filter((name) => name.startsWith(SET_ELEMENT_ORDER))) {
    const field = key.slice(SET_ELEMENT_ORDER.length)
    const order = patch[key]
    const rule = rules[field] ?? {}
    delete patch[key]
    if (!Array.isArray(order)) throw new StrategicMergeError(`${key} must be a list`)
    const live = original[field]
    const change = patch[field]
    const removed = patch[DELETE_FROM_PRIMITIVES + field]
    delete patch[field]
    delete patch[DELETE_FROM_PRIMITIVES + field]
    let merged: Json[]
    if (Array.isArray(live)) merged = Array.isArray(change) ? mergeLists(live, change, rule) : [...live]
    else if (Array.isArray(change)) merged = withoutDirectives(change) as Json[]
    else continue
    if (Array.isArray(removed))
      merged = merged.filter((item) => !removed.some((gone) => equalJson(gone, item)))
    setKey(original, field, inOrder(merged, order, Array.isArray(live) ? live : [], rule))
  }
}

function mergeLists(original: Json[], patch: Json[], rule: MergeRule): Json[] {
  if (rule.key === undefined) {
    const merged = [...original]
    for (const item of patch) if (!merged.some((have) => equalJson(have, item))) merged.push(item)
    return inOrder(merged, patch, original, rule)
  }
  const key = rule.key
  const live = [...original]
  const items: JsonMap[] = []
  let replaceAll = false
  for (const item of patch) {
    if (!isMap(item)) throw new StrategicMergeError('a list that merges by key has maps as items')
    if (item[PATCH] === 'replace') replaceAll = true
    else if (item[PATCH] === 'delete') removeMatching(live, key, requiredKey(item, key))
    else items.push(item)
  }
  if (replaceAll) return withoutDirectives(items) as Json[]
  for (const item of items) {
    const value = requiredKey(item, key)
    const at = live.findIndex((have) => isMap(have) && equalJson(have[key], value))
    if (at < 0) live.push(withoutDirectives(item))
    else live[at] = mergeMaps({ ...(live[at] as JsonMap) }, item, rule.fields ?? {})
  }
  return inOrder(live, items, original, rule)
}

function requiredKey(item: JsonMap, key: string): Json {
  const value = item[key]
  if (value === undefined) {
    throw new StrategicMergeError(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
  }
  return value
}

function removeMatching(list: Json[], key: string, value: Json): void {
  for (let at = list.length - 1; at >= 0; at--) {
    const item = list[at]
    if (isMap(item) && equalJson(item[key], value)) list.splice(at, 1)
  }
}

/**
 * Items named in `order` come in that order; the others keep the live order and stand before the first ordered
 * item that was behind them. That puts new items without a live neighbour in front.
 */
function inOrder(
  merged: readonly Json[],
  order: readonly Json[],
  live: readonly Json[],
  rule: MergeRule,
): Json[] {
  const position = (list: readonly Json[], item: Json) =>
    list.findIndex((other) =>
      rule.key === undefined
        ? equalJson(other, item)
        : isMap(other) && isMap(item) && equalJson(other[rule.key], item[rule.key]),
    )
  const by = (list: readonly Json[]) => (a: Json, b: Json) => position(list, a) - position(list, b)
  const ordered = merged.filter((item) => position(order, item) >= 0).sort(by(order))
  const others = merged.filter((item) => position(order, item) < 0).sort(by(live))
  const result: Json[] = []
  while (others.length > 0 && ordered.length > 0) {
    const left = position(live, others[0]!)
    const right = position(live, ordered[0]!)
    result.push(left >= 0 && right >= 0 && left < right ? others.shift()! : ordered.shift()!)
  }
  return [...result, ...ordered, ...others]
}

/** An item of a list that says what is to become of the list, or of another item, and is none itself. */
function isOnlyDirective(item: Json): boolean {
  return (
    isMap(item) && (item[PATCH] === 'delete' || (item[PATCH] !== undefined && Object.keys(item).length === 1))
  )
}

/** A value that is new in the document: what directs merging has nothing to direct there. */
function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) {
    return value.filter((item) => !isOnlyDirective(item)).map(withoutDirectives)
  }
  if (!isMap(value)) return value
  const result: JsonMap = {}
  for (const [key, inner] of Object.entries(value)) {
    const isDirective =
      key === PATCH ||
      key === RETAIN_KEYS ||
      key.startsWith(SET_ELEMENT_ORDER) ||
      key.startsWith(DELETE_FROM_PRIMITIVES)
    if (!isDirective && inner !== null) setKey(result, key, withoutDirectives(inner))
  }
  return result
}
