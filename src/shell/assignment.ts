// Assignments: `name=text`, `name+=text`, `name[key]=text`, `name=(...)`, and by the text of a reference, as builtins
// name variables (`read a[1]`, `printf -v x`). Variables with the integer attribute get what the text comes to.

import type { ArrayValue, Assignment, Word } from 'unbash'
import { type Awaitable, andThen } from './awaitable.js'
import { CommandError } from './control-flow.js'
import type { Io, Shell } from './shell.js'
import { parseWords } from './syntax.js'
import { elementOf, type Value } from './variable.js'
import { evaluateArithmetic, expandFields, expandText } from './word-expansion.js'

const REFERENCE = /^([A-Za-z_]\w*)(?:\[(.*)\])?$/s

/** The name and, of an element, the subscript of `name` or `name[key]`; undefined for other text. */
export function parseReference(
  text: string,
): { readonly name: string; readonly subscript: string | undefined } | undefined {
  const match = REFERENCE.exec(text)
  return match === null ? undefined : { name: match[1]!, subscript: match[2] }
}

/** Carries out an assignment of the syntax tree; what `set -x` shows of it. */
export function assign(shell: Shell, assignment: Assignment, io: Io): Awaitable<void> {
  const { name, value, append, index } = assignment
  if (value.type === 'ArrayValue') return assignArray(shell, name, value, append ?? false, io)
  return andThen(expandText(shell, value, io, true), (text) => {
    if (index === undefined) return assignText(shell, name, text, append ?? false, io)
    return andThen(keyOf(shell, name, index, io), (key) => {
      const old = append ? elementOf(shell.state.find(name)?.value, key) : undefined
      return andThen(converted(shell, name, text, old, io), (element) =>
        shell.state.setElement(name, key, element),
      )
    })
  })
}

/** `name=text` or `name+=text`; of an array that is its element 0. */
export function assignText(
  shell: Shell,
  name: string,
  text: string,
  append: boolean,
  io: Io,
): Awaitable<void> {
  const { state } = shell
  const old = state.find(name)?.value
  const before = append ? state.get(name) : undefined
  return andThen(converted(shell, name, text, before, io), (value) => {
    if (typeof old === 'object') state.setElement(name, 0, value)
    else state.set(name, value)
  })
}

/** Assigns by the text of a reference; CommandError (status 1) when it is none. */
export function assignReference(shell: Shell, text: string, value: string, io: Io): Awaitable<void> {
  const reference = parseReference(text)
  if (reference === undefined) throw new CommandError(`\`${text}': not a valid identifier`, 1)
  const { name, subscript } = reference
  if (subscript === undefined) return assignText(shell, name, value, false, io)
  return andThen(keyOfText(shell, name, subscript, io), (key) =>
    andThen(converted(shell, name, value, undefined, io), (element) =>
      shell.state.setElement(name, key, element),
    ),
  )
}

/** The text that is kept: with the integer attribute the value of an expression. */
function converted(
  shell: Shell,
  name: string,
  text: string,
  before: string | undefined,
  io: Io,
): Awaitable<string> {
  if (!shell.state.find(name)?.integer) return before === undefined ? text : before + text
  return andThen(evaluateArithmetic(shell, text, io), (value) =>
    String(BigInt.asIntN(64, BigInt(before === undefined || before === '' ? 0 : before) + value)),
  )
}

/** The key that a subscript means: text for an associative array, the value of an expression for others. */
export function keyOf(shell: Shell, name: string, index: Word, io: Io): Awaitable<string | number> {
  return andThen(expandText(shell, index, io), (text): Awaitable<string | number> => {
    if (shell.state.find(name)?.value instanceof Map) return text
    return andThen(evaluateArithmetic(shell, text, io), (value) =>
      checkedIndex(shell, name, Number(value), index.text),
    )
  })
}

/** The same of a subscript that is only text. */
export async function keyOfText(shell: Shell, name: string, text: string, io: Io): Promise<string | number> {
  const isMap = shell.state.find(name)?.value instanceof Map
  const [word] = isMap || /[$`]/.test(text) ? (parseWords(text) ?? []) : []
  const key = word === undefined || /\s/.test(text) ? text : await expandText(shell, word, io)
  if (isMap) return key
  return checkedIndex(shell, name, Number(await evaluateArithmetic(shell, key, io)), text)
}

function checkedIndex(shell: Shell, name: string, index: number, text: string): number {
  const value = shell.state.find(name)?.value
  const length = Array.isArray(value) ? value.length : value === undefined ? 0 : 1
  if (index < -length) throw new CommandError(`${name}[${text}]: bad array subscript`, 1)
  return index
}

async function assignArray(
  shell: Shell,
  name: string,
  node: ArrayValue,
  append: boolean,
  io: Io,
): Promise<void> {
  const { state } = shell
  if (state.find(name)?.value instanceof Map) return await assignMap(shell, name, node, append, io)
  const elements: (string | undefined)[] = append ? [] : ([] as string[])
  const base = append ? lengthOf(state.find(name)?.value) : 0
  let next = 0
  for (const word of node.elements) {
    const keyed = keyedElement(word)
    if (keyed === undefined) {
      for (const field of await expandFields(shell, [word], io)) elements[next++] = field
      continue
    }
    const at = Number(await evaluateArithmetic(shell, await keyText(shell, keyed.key, io), io))
    next = append ? at - base : at
    const old = keyed.append ? elements[next] : undefined
    elements[next++] = await converted(shell, name, await valueText(shell, keyed.value, io), old, io)
  }
  if (state.find(name)?.integer) {
    for (const index in elements) {
      elements[index] = await converted(shell, name, elements[index]!, undefined, io)
    }
  }
  if (append) state.append(name, elements)
  else state.set(name, elements)
}

function lengthOf(value: Value): number {
  return Array.isArray(value) ? value.length : value === undefined ? 0 : 1
}

/** `name=([key]=value ...)`, or keys and values in turn. */
async function assignMap(
  shell: Shell,
  name: string,
  node: ArrayValue,
  append: boolean,
  io: Io,
): Promise<void> {
  const { state } = shell
  const old = state.find(name)?.value
  const map = new Map(append && old instanceof Map ? old : [])
  const loose: string[] = []
  for (const word of node.elements) {
    const keyed = keyedElement(word)
    if (keyed === undefined) {
      loose.push(await expandText(shell, word, io))
      continue
    }
    const key = await keyText(shell, keyed.key, io)
    const before = keyed.append ? map.get(key) : undefined
    map.set(key, await converted(shell, name, await valueText(shell, keyed.value, io), before, io))
  }
  for (let at = 0; at < loose.length; at += 2) map.set(loose[at]!, loose[at + 1] ?? '')
  state.set(name, map)
}

function keyedElement(
  word: Word,
): { readonly key: string; readonly value: string; readonly append: boolean } | undefined {
  if (!word.text.startsWith('[')) return undefined
  const end = closingBracket(word.text)
  const rest = word.text.slice(end + 1)
  if (end < 0 || !/^\+?=/.test(rest)) return undefined
  const append = rest.startsWith('+')
  return { key: word.text.slice(1, end), value: rest.slice(append ? 2 : 1), append }
}

function closingBracket(text: string): number {
  let quote = ''
  for (let at = 1; at < text.length; at++) {
    const c = text[at]!
    if (quote !== '') quote = c === quote ? '' : quote
    else if (c === '"' || c === "'") quote = c
    else if (c === '\\') at++
    else if (c === ']') return at
  }
  return -1
}

async function keyText(shell: Shell, source: string, io: Io): Promise<string> {
  const [word] = /[$`"'\\]/.test(source) ? (parseWords(source) ?? []) : []
  return word === undefined ? source : await expandText(shell, word, io)
}

async function valueText(shell: Shell, source: string, io: Io): Promise<string> {
  const [word] = parseWords(source) ?? []
  return word === undefined ? '' : await expandText(shell, word, io, true)
}
