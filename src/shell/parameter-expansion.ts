// `$name` and `${name...}` (POSIX 2.6.2, and bash's slices, replacements and case changes): looks the parameter
// up, applies the operation to it (or to each element of a list) and hands the result to the sink.

import type { ParameterExpansionPart, ParameterOperation, SimpleExpansionPart, Word } from 'unbash'
import { assignText, keyOf, keyOfText, parseReference } from './assignment.js'
import { CommandError } from './control-flow.js'
import { assignmentText, attributeLetters } from './declaration-text.js'
import type { ExpansionSink } from './expansion-sink.js'
import { patternSource, unquotePattern } from './pattern.js'
import { promptText } from './prompt.js'
import { doubleQuoted, quoteAsReadable, unescapeAnsiC } from './quoting.js'
import type { Io, Shell } from './shell.js'
import { madeUpNames, variableValue } from './special-variables.js'
import { elementOf, elementsOf, keysOf, textOf } from './variable.js'

/** The expansion of operands, handed in because it comes back here. */
export interface OperandExpansion {
  expandInto(
    shell: Shell,
    word: Word,
    sink: ExpansionSink,
    io: Io,
    context: { readonly quoted: boolean; readonly operand: boolean },
  ): Promise<void>
  expandText(shell: Shell, word: Word, io: Io): Promise<string>
  expandPattern(shell: Shell, word: Word, io: Io): Promise<string>
  expandReplacement(shell: Shell, word: Word, io: Io): Promise<string>
  evaluateArithmetic(shell: Shell, text: string, io: Io): Promise<bigint>
}

/** A parameter's value: one text, or a list (`$@`, `$*`, `${array[@]}`). */
type Value =
  | { readonly kind: 'text'; readonly text: string | undefined }
  | { readonly kind: 'list'; readonly items: readonly string[]; readonly joined: boolean }

export async function expandParameter(
  shell: Shell,
  part: SimpleExpansionPart | ParameterExpansionPart,
  sink: ExpansionSink,
  io: Io,
  quoted: boolean,
  operands: OperandExpansion,
): Promise<void> {
  if (part.type === 'SimpleExpansion') {
    const name = part.text.slice(1)
    emit(shell, orUnset(shell, name, parameterValue(shell, name)), sink, quoted)
    return
  }
  await new Expansion(shell, part, sink, io, quoted, operands).run()
}

class Expansion {
  readonly #shell: Shell
  readonly #part: ParameterExpansionPart
  readonly #sink: ExpansionSink
  readonly #io: Io
  readonly #quoted: boolean
  readonly #operands: OperandExpansion

  constructor(
    shell: Shell,
    part: ParameterExpansionPart,
    sink: ExpansionSink,
    io: Io,
    quoted: boolean,
    operands: OperandExpansion,
  ) {
    this.#shell = shell
    this.#part = part
    this.#sink = sink
    this.#io = io
    this.#quoted = quoted
    this.#operands = operands
  }

  async run(): Promise<void> {
    const { parameter, prefix, operation } = this.#part
    if (operation?.type === 'Names') return this.#emit(this.#names(parameter, operation.operator === '*'))
    const all = this.#part.index?.text
    if (prefix === '!' && operation === undefined && (all === '@' || all === '*')) {
      return this.#emit({
        kind: 'list',
        items: keysOf(variableValue(this.#shell, parameter)),
        joined: all === '*',
      })
    }
    const pointed = prefix === '!' ? await this.#pointedTo() : undefined
    if (pointed !== undefined && this.#isReference(parameter))
      return this.#emit({ kind: 'text', text: pointed })
    const name = pointed ?? parameter
    const value = pointed === undefined ? await this.#value(name) : await this.#pointedValue(pointed)
    if (prefix === '#') {
      return this.#emit({ kind: 'text', text: String(lengthOf(value, name, this.#shell)) })
    }
    if (operation === undefined) return this.#emit(orUnset(this.#shell, name, value))
    if (operation.type === 'Default') return await this.#orDefault(name, value, operation)
    const change = await this.#change(operation, value, name)
    const known = orUnset(this.#shell, name, value)
    if (known.kind === 'list') this.#emit({ ...known, items: change.list(known.items) })
    else this.#emit({ kind: 'text', text: change.text(known.text ?? '') })
  }

  #emit(value: Value): void {
    emit(this.#shell, value, this.#sink, this.#quoted)
  }

  #names(prefix: string, joined: boolean): Value {
    const names = new Set([...this.#shell.state.variables.keys(), ...madeUpNames()])
    return { kind: 'list', items: [...names].filter((name) => name.startsWith(prefix)).sort(), joined }
  }

  /** `${!name}` of a `declare -n` name is the name that it refers to. */
  #isReference(name: string): boolean {
    return this.#part.index === undefined && this.#shell.state.variables.get(name)?.reference === true
  }

  async #pointedTo(): Promise<string> {
    const { parameter } = this.#part
    if (this.#isReference(parameter)) return this.#shell.state.resolve(parameter)
    const value = await this.#value(parameter)
    const target = value.kind === 'text' ? value.text : value.items[0]
    if (target === undefined || !/^([A-Za-z_]\w*(\[.*\])?|\d+|[@*#?$!-])$/s.test(target)) {
      const reason =
        target === undefined || target === '' ? 'invalid indirect expansion' : 'invalid variable name'
      throw new CommandError(`${target || parameter}: ${reason}`, 1, true)
    }
    return target
  }

  /** The value of what is only text: `name`, `name[key]`, `@`, `2`. */
  async #pointedValue(target: string): Promise<Value> {
    const reference = parseReference(target)
    if (reference?.subscript === undefined) return parameterValue(this.#shell, target)
    const { name, subscript } = reference
    const value = variableValue(this.#shell, name)
    if (subscript === '@' || subscript === '*') {
      return { kind: 'list', items: elementsOf(value), joined: subscript === '*' }
    }
    return { kind: 'text', text: elementOf(value, await keyOfText(this.#shell, name, subscript, this.#io)) }
  }

  async #value(name: string): Promise<Value> {
    const { index } = this.#part
    if (index === undefined) return parameterValue(this.#shell, name)
    const value = variableValue(this.#shell, name)
    if (index.text === '@' || index.text === '*') {
      return { kind: 'list', items: elementsOf(value), joined: index.text === '*' }
    }
    return { kind: 'text', text: elementOf(value, await keyOf(this.#shell, name, index, this.#io)) }
  }

  /** `-`, `=`, `?`, `+`, each with `:` for "or empty". */
  async #orDefault(
    name: string,
    value: Value,
    operation: ParameterOperation & { type: 'Default' },
  ): Promise<void> {
    const emptyCounts = operation.operator.startsWith(':')
    const missing =
      value.kind === 'list'
        ? value.items.length === 0 || (emptyCounts && value.items.join('') === '')
        : value.text === undefined || (emptyCounts && value.text === '')
    const kind = operation.operator.at(-1)
    if (kind === '+') {
      if (!missing) await this.#expandOperand(operation.operand)
      return
    }
    if (!missing) return this.#emit(value)
    if (kind === '-') return await this.#expandOperand(operation.operand)
    const text = await this.#operands.expandText(this.#shell, operation.operand, this.#io)
    if (kind === '=') {
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new CommandError(`$${name}: cannot assign in this way`, 1, true)
      const { index } = this.#part
      if (index === undefined) await assignText(this.#shell, name, text, false, this.#io)
      else this.#shell.state.setElement(name, await keyOf(this.#shell, name, index, this.#io), text)
      return this.#emit({ kind: 'text', text })
    }
    const reason = text !== '' ? text : emptyCounts ? 'parameter null or not set' : 'parameter not set'
    throw new CommandError(`${name}: ${reason}`, this.#shell.isBash ? 127 : 2, true)
  }

  async #expandOperand(word: Word): Promise<void> {
    if (this.#quoted) this.#sink.quotes()
    await this.#operands.expandInto(this.#shell, word, this.#sink, this.#io, {
      quoted: this.#quoted,
      operand: true,
    })
  }

  async #change(operation: ParameterOperation, value: Value, name: string): Promise<Change> {
    switch (operation.type) {
      case 'Remove': {
        const pattern = await this.#operands.expandPattern(this.#shell, operation.operand, this.#io)
        return perItem(remover(operation.operator, pattern))
      }
      case 'Replace': {
        const pattern = await this.#operands.expandPattern(this.#shell, operation.pattern, this.#io)
        const replacement = await this.#operands.expandReplacement(
          this.#shell,
          operation.replacement,
          this.#io,
        )
        return perItem(replacer(operation.operator, pattern, replacement, this.#shell.state.extras))
      }
      case 'CaseModification': {
        const pattern =
          operation.operand && (await this.#operands.expandPattern(this.#shell, operation.operand, this.#io))
        return perItem(caseChanger(operation.operator, pattern || '?'))
      }
      case 'Slice':
        return await this.#slice(operation, value, name)
      case 'Transform':
        return this.#transform(operation.operand.text, value, name)
      case 'Unknown':
        if (/^~~?$/.test(operation.operator)) return perItem(caseChanger(operation.operator, '?'))
        throw badSubstitution(this.#part)
      default:
        throw badSubstitution(this.#part)
    }
  }

  #transform(letter: string, value: Value, name: string): Change {
    const variable = this.#shell.state.find(name)
    const whole = value.kind === 'list'
    switch (letter) {
      case 'Q':
        return perItem(quoteAsReadable)
      case 'E':
        return perItem(unescapeAnsiC)
      case 'P':
        return perItem((text) => promptText(this.#shell, text))
      case 'U':
        return perItem((text) => text.toUpperCase())
      case 'u':
        return perItem((text) => text.slice(0, 1).toUpperCase() + text.slice(1))
      case 'L':
        return perItem((text) => text.toLowerCase())
      case 'a': {
        const letters = variable === undefined ? '' : attributeLetters(variable)
        return { text: () => letters, list: (items) => items.map(() => letters) }
      }
      case 'A': {
        const text = variable === undefined ? '' : assignmentText(name, variable, whole)
        return { text: () => text, list: () => [text] }
      }
      case 'K':
      case 'k': {
        const pairs = keysOf(variable?.value).map(
          (key) => [key, elementOf(variable?.value, key) ?? ''] as const,
        )
        return {
          text: quoteAsReadable,
          list: () =>
            letter === 'k'
              ? pairs.flat()
              : [pairs.map(([key, text]) => `${key} ${doubleQuoted(text)}`).join(' ')],
        }
      }
      default:
        throw badSubstitution(this.#part)
    }
  }

  async #slice(
    operation: ParameterOperation & { type: 'Slice' },
    value: Value,
    name: string,
  ): Promise<Change> {
    const number = async (word: Word) =>
      Number(
        await this.#operands.evaluateArithmetic(
          this.#shell,
          await this.#operands.expandText(this.#shell, word, this.#io),
          this.#io,
        ),
      )
    const offset = await number(operation.offset)
    const length = operation.length && (await number(operation.length))
    if (length !== undefined && length < 0 && value.kind === 'text') {
      const size = [...(value.text ?? '')].length
      const from = offset < 0 ? size + offset : offset
      if (size + length < from && from <= size)
        throw new CommandError(`${operation.length?.text}: substring expression < 0`, 1)
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
          value.kind === 'list' && (name === '@' || name === '*') ? [this.#shell.state.name, ...items] : items
        if (length !== undefined && length < 0 && all === items) {
          throw new CommandError(`${operation.length?.text}: substring expression < 0`, 1)
        }
        const variable = all === items ? variableValue(this.#shell, name) : undefined
        if (Array.isArray(variable)) return elementsFrom(variable, offset, length)
        if (offset < 0 && -offset > all.length) return []
        const from = start(all.length)
        return all.slice(from === 0 && all !== items && offset !== 0 ? 1 : from, end(from, all.length))
      },
    }
  }
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

/** What an operation does to one text and to a list. */
interface Change {
  text(text: string): string
  list(items: readonly string[]): readonly string[]
}

function perItem(change: (text: string) => string): Change {
  return { text: change, list: (items) => items.map(change) }
}

function emit(shell: Shell, value: Value, sink: ExpansionSink, quoted: boolean): void {
  if (value.kind === 'text') {
    sink.expanded(value.text ?? '', quoted)
    return
  }
  if (quoted && value.joined) {
    sink.expanded(value.items.join(shell.state.get('IFS')?.slice(0, 1) ?? ' '), true)
    return
  }
  for (const [index, item] of value.items.entries()) {
    if (index > 0) sink.separate()
    if (quoted) sink.quotes()
    sink.expanded(item, quoted)
  }
}

/** Fails under `set -u` when the value is unset. */
function orUnset(shell: Shell, name: string, value: Value): Value {
  if (value.kind === 'text' && value.text === undefined && shell.state.options.has('nounset')) {
    const reason = shell.isBash ? 'unbound variable' : 'parameter not set'
    throw new CommandError(
      `${/^\d/.test(name) && shell.isBash ? '$' : ''}${name}: ${reason}`,
      shell.isBash ? 127 : 2,
      true,
    )
  }
  return value
}

function parameterValue(shell: Shell, name: string): Value {
  const { state } = shell
  if (name === '@' || name === '*') return { kind: 'list', items: state.positional, joined: name === '*' }
  return { kind: 'text', text: /^[A-Za-z_]/.test(name) ? variable(shell, name) : special(shell, name) }
}

function variable(shell: Shell, name: string): string | undefined {
  return name === '_' ? shell.state.lastArgument : textOf(variableValue(shell, name))
}

function special(shell: Shell, name: string): string | undefined {
  const { state } = shell
  switch (name) {
    case '?':
      return String(state.status)
    case '#':
      return String(state.positional.length)
    case '$':
      return String(state.shellPid)
    case '!':
      return state.lastBackgroundPid === undefined ? undefined : String(state.lastBackgroundPid)
    case '0':
      return state.name
    case '-':
      return `${optionLetters(shell)}${shell.interactive ? 'i' : ''}`
    default:
      return state.positional[Number(name) - 1]
  }
}

function optionLetters(shell: Shell): string {
  const letters = {
    errexit: 'e',
    noglob: 'f',
    nounset: 'u',
    xtrace: 'x',
    verbose: 'v',
    allexport: 'a',
    noclobber: 'C',
    errtrace: 'E',
    functrace: 'T',
    monitor: 'm',
  } as const
  return Object.entries(letters)
    .filter(([option]) => shell.state.options.has(option as keyof typeof letters))
    .map(([, letter]) => letter)
    .join('')
}

function lengthOf(value: Value, name: string, shell: Shell): number {
  if (value.kind === 'list') return value.items.length
  return [...((orUnset(shell, name, value) as { text?: string }).text ?? '')].length
}

function remover(operator: string, pattern: string): (text: string) => string {
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
function replacer(
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

function caseChanger(operator: string, pattern: string): (text: string) => string {
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

function badSubstitution(part: ParameterExpansionPart): CommandError {
  return new CommandError(`${part.text}: bad substitution`, 1, true)
}
