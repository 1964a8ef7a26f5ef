// `$name` and `${name...}` (POSIX 2.6.2, and bash's slices, replacements and case changes): looks the parameter
// up, applies the operation to it (or to each element of a list) and hands the result to the sink. Values are looked up
// by parameter-value.ts; what operations do is in parameter-change.ts.

import type { ParameterExpansionPart, ParameterOperation, SimpleExpansionPart, Word } from 'unbash'
import { assignText, keyOf, keyOfText, parseReference } from './assignment.js'
import { type Awaitable, andThen } from './awaitable.js'
import { CommandError } from './control-flow.js'
import { assignmentText, attributeLetters } from './declaration-text.js'
import type { ExpansionSink } from './expansion-sink.js'
import { type Change, caseChanger, perItem, remover, replacer, slicer } from './parameter-change.js'
import { lengthOf, orUnset, type ParameterValue, parameterValue } from './parameter-value.js'
import { promptText } from './prompt.js'
import { doubleQuoted, quoteAsReadable, unescapeAnsiC } from './quoting.js'
import type { Io, Shell } from './shell.js'
import { madeUpNames, variableValue } from './special-variables.js'
import { elementOf, elementsOf, keysOf } from './variable.js'

/** The expansion of operands, handed in because it comes back here. */
export interface OperandExpansion {
  expandInto(
    shell: Shell,
    word: Word,
    sink: ExpansionSink,
    io: Io,
    context: { readonly quoted: boolean; readonly operand: boolean },
  ): Awaitable<void>
  expandText(shell: Shell, word: Word, io: Io): Awaitable<string>
  expandPattern(shell: Shell, word: Word, io: Io): Awaitable<string>
  expandReplacement(shell: Shell, word: Word, io: Io): Awaitable<string>
  evaluateArithmetic(shell: Shell, text: string, io: Io): Awaitable<bigint>
}

export function expandParameter(
  shell: Shell,
  part: SimpleExpansionPart | ParameterExpansionPart,
  sink: ExpansionSink,
  io: Io,
  quoted: boolean,
  operands: OperandExpansion,
): Awaitable<void> {
  if (part.type !== 'SimpleExpansion') return new Expansion(shell, part, sink, io, quoted, operands).run()
  const name = part.text.slice(1)
  emit(shell, orUnset(shell, name, parameterValue(shell, name)), sink, quoted)
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

  run(): Awaitable<void> {
    const { parameter, prefix, operation } = this.#part
    if (operation?.type === 'Names') return this.#emit(this.#names(parameter, operation.operator === '*'))
    const all = this.#part.index?.text
    if (prefix === '!' && operation === undefined && (all === '@' || all === '*')) {
      const items = keysOf(variableValue(this.#shell, parameter))
      return this.#emit({ kind: 'list', items, joined: all === '*' })
    }
    if (prefix !== '!') {
      return andThen(this.#value(parameter), (value) => this.#finish(parameter, value))
    }
    return andThen(this.#pointedTo(), (pointed) => {
      if (this.#isReference(parameter)) return this.#emit({ kind: 'text', text: pointed })
      return andThen(this.#pointedValue(pointed), (value) => this.#finish(pointed, value))
    })
  }

  /** Applies the operation to the value of `name`. */
  #finish(name: string, value: ParameterValue): Awaitable<void> {
    const { prefix, operation } = this.#part
    if (prefix === '#') {
      return this.#emit({ kind: 'text', text: String(lengthOf(value, name, this.#shell)) })
    }
    if (operation === undefined) return this.#emit(orUnset(this.#shell, this.#shown(name), value))
    if (operation.type === 'Default') return this.#orDefault(name, value, operation)
    return andThen(this.#change(operation, value, name), (change) => {
      const known = orUnset(this.#shell, this.#shown(name), value)
      if (known.kind === 'list') this.#emit({ ...known, items: change.list(known.items) })
      else this.#emit({ kind: 'text', text: change.text(known.text ?? '') })
    })
  }

  /** The name as messages have it. */
  #shown(name: string): string {
    const { index, prefix } = this.#part
    return index === undefined || prefix === '!' || !this.#shell.isBash ? name : `${name}[${index.text}]`
  }

  #emit(value: ParameterValue): void {
    emit(this.#shell, value, this.#sink, this.#quoted)
  }

  #names(prefix: string, joined: boolean): ParameterValue {
    const names = new Set([...this.#shell.state.variables.keys(), ...madeUpNames()])
    return { kind: 'list', items: [...names].filter((name) => name.startsWith(prefix)).sort(), joined }
  }

  /** `${!name}` of a `declare -n` name is the name that it refers to. */
  #isReference(name: string): boolean {
    return this.#part.index === undefined && this.#shell.state.variables.get(name)?.reference === true
  }

  #pointedTo(): Awaitable<string> {
    const { parameter } = this.#part
    if (this.#isReference(parameter)) return this.#shell.state.resolve(parameter)
    return andThen(this.#value(parameter), (value) => {
      const target = value.kind === 'text' ? value.text : value.items[0]
      if (target === undefined || !/^([A-Za-z_]\w*(\[.*\])?|\d+|[@*#?$!-])$/s.test(target)) {
        const reason =
          target === undefined || target === '' ? 'invalid indirect expansion' : 'invalid variable name'
        throw new CommandError(`${target || parameter}: ${reason}`, 1, true)
      }
      return target
    })
  }

  /** The value of what is only text: `name`, `name[key]`, `@`, `2`. */
  #pointedValue(target: string): Awaitable<ParameterValue> {
    const reference = parseReference(target)
    if (reference?.subscript === undefined) return parameterValue(this.#shell, target)
    const { name, subscript } = reference
    const value = variableValue(this.#shell, name)
    if (subscript === '@' || subscript === '*') {
      return { kind: 'list', items: elementsOf(value), joined: subscript === '*' }
    }
    return andThen(keyOfText(this.#shell, name, subscript, this.#io), (key) => ({
      kind: 'text',
      text: elementOf(value, key),
    }))
  }

  #value(name: string): Awaitable<ParameterValue> {
    const { index } = this.#part
    if (index === undefined) return parameterValue(this.#shell, name)
    const value = variableValue(this.#shell, name)
    if (index.text === '@' || index.text === '*') {
      return { kind: 'list', items: elementsOf(value), joined: index.text === '*' }
    }
    return andThen(keyOf(this.#shell, name, index, this.#io), (key) => ({
      kind: 'text',
      text: elementOf(value, key),
    }))
  }

  /** `-`, `=`, `?`, `+`, each with `:` for "or empty". */
  #orDefault(
    name: string,
    value: ParameterValue,
    operation: ParameterOperation & { type: 'Default' },
  ): Awaitable<void> {
    const emptyCounts = operation.operator.startsWith(':')
    const missing =
      value.kind === 'list'
        ? value.items.length === 0 || (emptyCounts && value.items.join('') === '')
        : value.text === undefined || (emptyCounts && value.text === '')
    const kind = operation.operator.at(-1)
    if (kind === '+') return missing ? undefined : this.#expandOperand(operation.operand)
    if (!missing) return this.#emit(value)
    if (kind === '-') return this.#expandOperand(operation.operand)
    return andThen(this.#operands.expandText(this.#shell, operation.operand, this.#io), async (text) => {
      if (kind === '=') return await this.#assignDefault(name, text)
      const reason = text !== '' ? text : emptyCounts ? 'parameter null or not set' : 'parameter not set'
      throw new CommandError(`${name}: ${reason}`, this.#shell.isBash ? 127 : 2, true)
    })
  }

  async #assignDefault(name: string, text: string): Promise<void> {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new CommandError(`$${name}: cannot assign in this way`, 1, true)
    const { index } = this.#part
    if (index === undefined) await assignText(this.#shell, name, text, false, this.#io)
    else this.#shell.state.setElement(name, await keyOf(this.#shell, name, index, this.#io), text)
    this.#emit({ kind: 'text', text })
  }

  #expandOperand(word: Word): Awaitable<void> {
    if (this.#quoted) this.#sink.quotes()
    const context = { quoted: this.#quoted, operand: true }
    return this.#operands.expandInto(this.#shell, word, this.#sink, this.#io, context)
  }

  #change(operation: ParameterOperation, value: ParameterValue, name: string): Awaitable<Change> {
    const pattern = (word: Word) => this.#operands.expandPattern(this.#shell, word, this.#io)
    switch (operation.type) {
      case 'Remove':
        return andThen(pattern(operation.operand), (source) => perItem(remover(operation.operator, source)))
      case 'Replace':
        return andThen(pattern(operation.pattern), (source) =>
          andThen(
            this.#operands.expandReplacement(this.#shell, operation.replacement, this.#io),
            (replacement) =>
              perItem(replacer(operation.operator, source, replacement, this.#shell.state.extras)),
          ),
        )
      case 'CaseModification':
        return andThen(operation.operand === undefined ? '' : pattern(operation.operand), (source) =>
          perItem(caseChanger(operation.operator, source || '?')),
        )
      case 'Slice':
        return andThen(this.#number(operation.offset), (offset) =>
          andThen(operation.length && this.#number(operation.length), (length) =>
            slicer(this.#shell, { offset, length, lengthText: operation.length?.text }, value, name),
          ),
        )
      case 'Transform':
        return this.#transform(operation.operand.text, value, name)
      case 'Unknown':
        if (/^~~?$/.test(operation.operator)) return perItem(caseChanger(operation.operator, '?'))
        throw badSubstitution(this.#part)
      default:
        throw badSubstitution(this.#part)
    }
  }

  #number(word: Word): Awaitable<number> {
    return andThen(this.#operands.expandText(this.#shell, word, this.#io), (text) =>
      andThen(this.#operands.evaluateArithmetic(this.#shell, text, this.#io), Number),
    )
  }

  #transform(letter: string, value: ParameterValue, name: string): Change {
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
}

function emit(shell: Shell, value: ParameterValue, sink: ExpansionSink, quoted: boolean): void {
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

function badSubstitution(part: ParameterExpansionPart): CommandError {
  return new CommandError(`${part.text}: bad substitution`, 1, true)
}
