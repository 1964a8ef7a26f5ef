// The functions of Go templates that kubectl has, and how Go prints values.

import { GoTemplateError } from './parser.js'

/** Neither empty nor zero. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

/** As fmt.Print: `map[a:1]`, `[a b]`; `<no value>` for what is not there. */
export function printed(value: unknown): string {
  if (value === null || value === undefined) return '<no value>'
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, item]) => `${key}:${printed(item)}`).join(' ')}]`
}

/** Throws GoTemplateError for a function that is not known, or arguments that do not fit. */
export function callFunction(name: string, args: readonly unknown[]): unknown {
  const [first, second] = args
  switch (name) {
    case 'print':
      return args.map(printed).join(' ')
    case 'println':
      return `${args.map(printed).join(' ')}\n`
    case 'printf':
      return formatted(String(first), args.slice(1))
    case 'len':
      if (typeof first === 'string') return new TextEncoder().encode(first).length
      if (typeof first === 'object' && first !== null) return Object.keys(first).length
      throw new GoTemplateError('error calling len: len of nil pointer')
    case 'index':
      return args.slice(1).reduce(indexed, first)
    case 'not':
      return !isTrue(first)
    case 'and':
      return args.find((value) => !isTrue(value)) ?? args.at(-1)
    case 'or':
      return args.find(isTrue) ?? args.at(-1)
    case 'eq':
      return args.slice(1).some((value) => value === first)
    case 'ne':
      return first !== second
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return compared(name, first, second)
    case 'exists':
      return args.slice(1).reduce((value, key) => indexed(value, key), first) !== undefined
    case 'base64decode':
      return new TextDecoder().decode(Uint8Array.from(atob(String(first)), (unit) => unit.charCodeAt(0)))
  }
  throw new GoTemplateError(`function "${name}" not defined`)
}

function indexed(value: unknown, key: unknown): unknown {
  if (value === null || value === undefined) return undefined
  if (Array.isArray(value)) {
    if (typeof key !== 'number' || key < 0 || key >= value.length)
      throw new GoTemplateError(`error calling index: index out of range: ${printed(key)}`)
    return value[key]
  }
  if (typeof value === 'object')
    return Object.hasOwn(value, String(key)) ? (value as Record<string, unknown>)[String(key)] : undefined
  throw new GoTemplateError(`error calling index: can't index item of type ${typeof value}`)
}

function compared(name: string, a: unknown, b: unknown): boolean {
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string'))
    throw new GoTemplateError(`error calling ${name}: incompatible types for comparison`)
  const [left, right] = [a as number, b as number]
  if (name === 'lt') return left < right
  if (name === 'le') return left <= right
  return name === 'gt' ? left > right : left >= right
}

/** fmt.Sprintf with the verbs s, d, v, q, t, x, f and their width. */
function formatted(format: string, args: readonly unknown[]): string {
  let next = 0
  const text = format.replace(
    /%(-?)(0?)(\d*)(?:\.(\d+))?([a-z%])/g,
    (_all, left, zero, width, precision, verb) => {
      if (verb === '%') return '%'
      if (next >= args.length) return `%!${verb}(MISSING)`
      const value = args[next++]
      const shown = verbText(verb, value, precision)
      const size = Number(width || 0)
      return left === '-' ? shown.padEnd(size) : shown.padStart(size, zero === '0' ? '0' : ' ')
    },
  )
  if (next < args.length) return `${text}%!(EXTRA ${args.slice(next).map(printed).join(', ')})`
  return text
}

function verbText(verb: string, value: unknown, precision: string | undefined): string {
  if (verb === 'q') return JSON.stringify(printed(value))
  if (verb === 'x' && typeof value === 'number') return value.toString(16)
  if (verb === 'f' && typeof value === 'number') return value.toFixed(Number(precision ?? 6))
  if (value === null || value === undefined) return verb === 'v' ? '<nil>' : `%!${verb}(<nil>)`
  const text = printed(value)
  return verb === 's' && precision !== undefined ? text.slice(0, Number(precision)) : text
}
