// What the operations of `${...}` do to a text and to a list: `#` and `%` remove, `/` replaces, `^` and `,` change case,
// `:` cuts a slice. Pure: patterns and numbers were expanded before, by parameter-expansion.ts.

import { CommandError } from './control-flow.js'
import type { ParameterValue } from './parameter-value.js'
import { patternSource, unquotePattern } from './pattern.js'
import type { Shell } from './shell.js'
import { variableValue } from './special-variables.js'
import { elementsOf } from './variable.js'

/** What an operation does to one text and to a list. */
export interface Change {
  text(text: string): string
  list(items: readonly string[]): readonly string[]
}

export function perItem(change: (text: string) => string): Change {
  return { text: change, list: (items) => items.map(change) }
}

export function remover(operator: string, pattern: string): (text: string) => string {
  const greedy = operator.length === 2
  const source = patternSource(pattern, greedy)
  if (operator.startsWith('#')) {
    const front = new RegExp(`^(?:${source})`, 'su')
    return (text) => text.replace(front, '')
  }
  // The shortest suffix is the match that begins last, which a regular expression does not look for by itself.
  const back = new RegExp(greedy ? `(?:${source})$` : `^(.*)(?:${source})$`, 'su')
  return (text) => (greedy ? text.replace(back, '') : (back.exec(text)?.[1] ?? text))
}

/** `replacement` is a pattern's text: what was quoted has backslashes, and an `&` without one is what matched. */
export function replacer(
  operator: string,
  pattern: string,
  replacement: string,
  extras: ReadonlySet<string>,
): (text: string) => string {
  // An empty pattern matches nothing, but at an anchor it matches there.
  if (pattern === '' && operator !== '/#' && operator !== '/%') return (text) => text
  const source = `(?:${patternSource(pattern)})`
  const anchored = operator === '/#' ? `^${source}` : operator === '/%' ? `${source}$` : source
  const flags = `${operator === '//' ? 'g' : ''}su${extras.has('nocasematch') ? 'i' : ''}`
  const expression = new RegExp(anchored, flags)
  if (!/&/.test(replacement) || !extras.has('patsub_replacement')) {
    const plain = unquotePattern(replacement)
    return (text) => text.replace(expression, () => plain)
  }
  return (text) =>
    text.replace(expression, (match) =>
      replacement.replace(/\\([\s\S])|&/g, (_, quoted: string | undefined) => quoted ?? match),
    )
}

export function caseChanger(operator: string, pattern: string): (text: string) => string {
  const matches = new RegExp(`^(?:${patternSource(pattern)})$`, 'su')
  const turned = (c: string) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())
  const raise = operator.startsWith('^') ? (c: string) => c.toUpperCase() : (c: string) => c.toLowerCase()
  const change = operator.startsWith('~') ? turned : raise
  return (text) => {
    const characters = [...text]
    const last = operator.length === 2 ? characters.length : Math.min(1, characters.length)
    for (let at = 0; at < last; at++)
      if (matches.test(characters[at]!)) characters[at] = change(characters[at]!)
    return characters.join('')
  }
}

/** `${name:offset:length}`; `lengthText` is how the length was written, for messages. */
export interface Slice {
  readonly offset: number
  readonly length: number | undefined
  readonly lengthText: string | undefined
}

export function slicer(shell: Shell, slice: Slice, value: ParameterValue, name: string): Change {
  const { offset, length } = slice
  if (length !== undefined && length < 0 && value.kind === 'text') {
    const size = [...(value.text ?? '')].length
    const from = offset < 0 ? size + offset : offset
    if (size + length < from && from <= size) throw negativeLength(slice)
  }
  const end = (from: number, size: number) =>
    length === undefined ? size : length < 0 ? size + length : from + length
  const start = (size: number) => (offset >= 0 ? offset : size + offset < 0 ? size : size + offset)
  return {
    text: (text) => {
      const characters = [...text]
      const from = start(characters.length)
      return characters.slice(from, Math.max(from, end(from, characters.length))).join('')
    },
    list: (items) => {
      // `${@:0}` begins with $0.
      const all =
        value.kind === 'list' && (name === '@' || name === '*') ? [shell.state.name, ...items] : items
      if (length !== undefined && length < 0 && all === items) throw negativeLength(slice)
      const variable = all === items ? variableValue(shell, name) : undefined
      if (Array.isArray(variable)) return elementsFrom(variable, offset, length)
      if (offset < 0 && -offset > all.length) return []
      const from = start(all.length)
      return all.slice(from === 0 && all !== items && offset !== 0 ? 1 : from, end(from, all.length))
    },
  }
}

function negativeLength({ lengthText }: Slice): CommandError {
  return new CommandError(`${lengthText}: substring expression < 0`, 1, true)
}

/** `${a[@]:offset:length}`: offset is an index, length counts elements that are set. */
function elementsFrom(
  elements: readonly (string | undefined)[],
  offset: number,
  length: number | undefined,
): readonly string[] {
  const from = offset < 0 ? elements.length + offset : offset
  if (from < 0) return []
  return elementsOf(elements.slice(from)).slice(0, length)
}
