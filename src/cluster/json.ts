// Plain JSON data: copy, freeze, compare. Kubernetes objects hold nothing else.

/** A deep copy; fields that are undefined are left out, as JSON would. The copy may be changed freely. */
export function cloneJson<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(cloneJson) as Value
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) if (item !== undefined) setOwn(copy, key, cloneJson(item))
  return copy as Value
}

/**
 * A frozen copy. What is frozen already (by this function) is not copied but shared, so that an object that was read,
 * spread and changed in one place costs only that place.
 */
export function frozenJson<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenJson)) as Value
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) if (item !== undefined) setOwn(copy, key, frozenJson(item))
  return Object.freeze(copy) as Value
}

/** An own property named `__proto__` is data in JSON; assignment would set the prototype. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}

/** Whether two JSON values are equal; a field that is undefined equals one that is missing. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return false
  for (const key in left) if (!equalJson(left[key], right[key])) return false
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false
  return true
}

/** JSON text with the keys of objects in order, so that equal values give equal text (for hashes). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, item]) => item !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
