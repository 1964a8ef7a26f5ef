// A variable of the shell: its value - text, an indexed or an associative array - and its attributes.

/**
 * A variable's value: text, the elements of an indexed array (holes are unset), or those of an associative array by
 * key; undefined when it was declared only.
 */
export type Value = string | readonly (string | undefined)[] | ReadonlyMap<string, string> | undefined

export interface Variable {
  readonly value: Value
  readonly exported: boolean
  readonly readOnly: boolean
  /** `declare -i`: what is assigned is evaluated (assignment.ts). */
  readonly integer?: boolean
  /** `declare -u`, `declare -l` */
  readonly letters?: 'upper' | 'lower'
  /** `declare -n`: the value is the name of the variable that is meant. */
  readonly reference?: boolean
}

export const PLAIN: Variable = { value: undefined, exported: false, readOnly: false }

/** What keeping an element costs in memory besides its characters. */
export const ELEMENT_BYTES = 16

/** Bytes that a value takes; an element costs about as much as a short text. */
export function sizeOf(value: Value): number {
  if (value === undefined) return 0
  if (typeof value === 'string') return value.length
  let sum = 0
  for (const element of elementsOf(value)) sum += ELEMENT_BYTES + element.length
  return sum
}

/** What a value is where one text is wanted: element 0 of an array. */
export function textOf(value: Value): string | undefined {
  if (value instanceof Map) return value.get('0')
  return typeof value === 'object' ? (value as readonly string[])[0] : value
}

/** The elements that are set; text is an array of one. */
export function elementsOf(value: Value): string[] {
  if (value === undefined) return []
  if (typeof value === 'string') return [value]
  if (value instanceof Map) return [...value.values()]
  return (value as readonly string[]).filter((element) => element !== undefined)
}

/** The keys of the elements that are set. */
export function keysOf(value: Value): string[] {
  if (value === undefined) return []
  if (typeof value === 'string') return ['0']
  if (value instanceof Map) return [...value.keys()]
  return Object.keys(value).filter((key) => (value as readonly string[])[Number(key)] !== undefined)
}

export function inLetters(value: Value, letters: 'upper' | 'lower'): Value {
  const change = (text: string) => (letters === 'upper' ? text.toUpperCase() : text.toLowerCase())
  if (typeof value === 'string') return change(value)
  if (value instanceof Map) return new Map([...value].map(([key, text]) => [key, change(text)]))
  return (value as readonly (string | undefined)[] | undefined)?.map((text) => text && change(text))
}

/** One element of a value; undefined where there is none. */
export function elementOf(value: Value, key: string | number): string | undefined {
  if (value instanceof Map) return value.get(String(key))
  if (typeof value === 'object') return (value as readonly (string | undefined)[]).at(Number(key))
  return Number(key) === 0 || Number(key) === -1 ? value : undefined
}
