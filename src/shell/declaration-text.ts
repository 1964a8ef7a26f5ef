// Variables as commands that would make them again: `declare -p`, `${name@A}`, `${name@a}`.

import { doubleQuoted, quoteAsReadable, quoteForShell } from './quoting.js'
import type { Variable } from './variable.js'

/** The letters of a variable's attributes in bash's order; empty without any. */
export function attributeLetters(variable: Variable): string {
  const { value, integer, reference, readOnly, exported, letters } = variable
  return [
    Array.isArray(value) && 'a',
    value instanceof Map && 'A',
    integer && 'i',
    reference && 'n',
    readOnly && 'r',
    exported && 'x',
    letters === 'lower' && 'l',
    letters === 'upper' && 'u',
  ]
    .filter(Boolean)
    .join('')
}

/** `declare -a name=([0]="x")`, as `declare -p` prints it. */
export function declarationText(name: string, variable: Variable): string {
  const flags = attributeLetters(variable) || '-'
  const value = valueText(variable)
  return `declare -${flags} ${name}${value === undefined ? '' : `=${value}`}`
}

/** `name='x'`, or a declaration where there are attributes. `whole`: of an array all of it, not element 0. */
export function assignmentText(name: string, variable: Variable, whole: boolean): string {
  const { value } = variable
  const flags = attributeLetters(variable)
  if (typeof value === 'object' && whole) return `declare -${flags} ${name}=${valueText(variable)}`
  const text = typeof value === 'string' ? quoteAsReadable(value) : "''"
  return flags === '' ? `${name}=${text}` : `declare -${flags} ${name}=${text}`
}

/** `name=value`, as `set` prints it. */
export function settingText(name: string, variable: Variable): string {
  const { value } = variable
  if (typeof value !== 'string') return `${name}=${valueText(variable) ?? ''}`
  return `${name}=${/^[\w@%+:,./-]*$/.test(value) ? value : quoteAsReadable(value)}`
}

function valueText({ value }: Variable): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string') return doubleQuoted(value)
  if (value instanceof Map) {
    const pairs = [...value].map(([key, text]) => `[${keyText(key)}]=${doubleQuoted(text)} `)
    return `(${pairs.join('')})`
  }
  const elements = (value as readonly (string | undefined)[]).flatMap((text, index) =>
    text === undefined ? [] : [`[${index}]=${doubleQuoted(text)}`],
  )
  return `(${elements.join(' ')})`
}

function keyText(key: string): string {
  if (/^[\w@%+:,./-]+$/.test(key)) return key
  return /[$`"\\]/.test(key) ? quoteForShell(key) : `"${key}"`
}
