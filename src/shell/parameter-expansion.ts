// `$name` and `${name...}` (POSIX 2.6.2, and bash's slices, replacements and case changes): looks the parameter
// up, applies the operation to it (or to each element of a list) and hands the result to the sink.

import type { ParameterExpansionPart, ParameterOperation, SimpleExpansionPart, Word } from 'unbash'
import { CommandError } from './control-flow.js'
import type { ExpansionSink } from './expansion-sink.js'
import { patternSource } from './pattern.js'
import type { Io, Shell } from './shell.js'

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
    const name = prefix === '!' ? this.#pointedTo(parameter) : parameter
    const value = await this.#value(name)
    if (prefix === '#') return this.#emit({ kind: 'text', text: String(lengthOf(value, name, this.#shell)) })
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
    const items = [...this.#shell.state.variables.keys()].filter((name) => name.startsWith(prefix)).sort()
    return { kind: 'list', items, joined }
  }

  #pointedTo(name: string): string {
    const target = this.#shell.state.get(name)
    if (target === undefined || target === '')
      throw new CommandError(`${name}: invalid indirect expansion`, 1)
    return target
  }

  async #value(name: string): Promise<Value> {
    const { index } = this.#part
    if (index === undefined) return parameterValue(this.#shell, name)
    if (index.text === '@' || index.text === '*') {
      return { kind: 'list', items: this.#shell.state.elements(name), joined: index.text === '*' }
    }
    const text = await this.#operands.expandText(this.#shell, index, this.#io)
    const at = Number(await this.#operands.evaluateArithmetic(this.#shell, text, this.#io))
    const value = this.#shell.state.variables.get(name)?.value
    return { kind: 'text', text: typeof value === 'object' ? value.at(at) : at === 0 ? value : undefined }
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
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new CommandError(`$${name}: cannot assign in this way`, 2, true)
      this.#shell.state.set(name, text)
      return this.#emit({ kind: 'text', text })
    }
    const reason = text !== '' ? text : emptyCounts ? 'parameter null or not set' : 'parameter not set'
    throw new CommandError(`${name}: ${reason}`, 2, true)
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
        const replacement = await this.#operands.expandText(this.#shell, operation.replacement, this.#io)
        return perItem(replacer(operation.operator, pattern, replacement))
      }
      case 'CaseModification':
        return perItem(caseChanger(operation.operator))
      case 'Slice':
        return await this.#slice(operation, value, name)
      case 'Transform':
        if (operation.operand.text === 'Q') return perItem(quoteForShell)
        if (operation.operand.text === 'U') return perItem((text) => text.toUpperCase())
        if (operation.operand.text === 'L') return perItem((text) => text.toLowerCase())
        throw badSubstitution(this.#part)
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
    const end = (from: number, size: number) =>
      length === undefined ? size : length < 0 ? size + length : from + length
    const start = (size: number) => (offset < 0 ? Math.max(0, size + offset) : offset)
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
        const from = start(all.length)
        return all.slice(from === 0 && all !== items && offset !== 0 ? 1 : from, end(from, all.length))
      },
    }
  }
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
    throw new CommandError(`${name}: parameter not set`, 2, true)
  }
  return value
}

function parameterValue(shell: Shell, name: string): Value {
  const { state } = shell
  if (name === '@' || name === '*') return { kind: 'list', items: state.positional, joined: name === '*' }
  return { kind: 'text', text: /^[A-Za-z_]/.test(name) ? variable(shell, name) : special(shell, name) }
}

function variable(shell: Shell, name: string): string | undefined {
  const value = shell.state.get(name)
  if (value !== undefined) return value
  if (name === 'RANDOM') return String(shell.process.system.random.int(32768))
  if (name === 'SECONDS') return String(Math.floor(shell.process.system.clock.now() / 1_000_000))
  return undefined
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

function replacer(operator: string, pattern: string, replacement: string): (text: string) => string {
  // An empty pattern matches nothing, but at an anchor it matches there.
  if (pattern === '' && operator !== '/#' && operator !== '/%') return (text) => text
  const source = `(?:${patternSource(pattern)})`
  const anchored = operator === '/#' ? `^${source}` : operator === '/%' ? `${source}$` : source
  const expression = new RegExp(anchored, operator === '//' ? 'gsu' : 'su')
  return (text) => text.replace(expression, () => replacement)
}

function caseChanger(operator: string): (text: string) => string {
  const change = (text: string) => (operator.startsWith('^') ? text.toUpperCase() : text.toLowerCase())
  return operator.length === 2 ? change : (text) => change(text.slice(0, 1)) + text.slice(1)
}

/** In single quotes, as `set` and `trap` print values. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function badSubstitution(part: ParameterExpansionPart): CommandError {
  return new CommandError(`${part.text}: bad substitution`, 2, true)
}
