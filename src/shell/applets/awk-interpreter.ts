// Evaluates awk's tree. Everything is asynchronous, because any expression may read (getline) or run a command.
// Reading the records and running the rules is in awk.ts.

import { Random } from '../../base/random.js'
import type { Process } from '../../posix/process.js'
import { awkRegex, awkReplacement, callPure, splitFields } from './awk-functions.js'
import { AwkStreams } from './awk-streams.js'
import type { AwkExpression, AwkProgram, AwkStatement } from './awk-syntax.js'
import {
  type AwkValue,
  compareValues,
  formatAwk,
  fromOutside,
  isTrue,
  toNumber,
  toText,
} from './awk-values.js'
import { UsageError } from './options.js'
import { runCommand } from './system.js'

export type AwkArray = Map<string, AwkValue>

/** Leaves what runs: `next`, `nextfile`, `exit`, `return`, `break`, `continue`. */
export class AwkJump extends Error {
  readonly kind: 'next' | 'nextfile' | 'exit' | 'return' | 'break' | 'continue'
  readonly value: AwkValue
  constructor(kind: AwkJump['kind'], value?: AwkValue) {
    super(kind)
    this.kind = kind
    this.value = value
  }
}

/** Emulated time of one turn of a loop. */
const STEP_MICROS = 1

export class AwkInterpreter {
  readonly variables = new Map<string, AwkValue>([
    ['FS', ' '],
    ['OFS', ' '],
    ['ORS', '\n'],
    ['RS', '\n'],
    ['SUBSEP', '\x1c'],
    ['CONVFMT', '%.6g'],
    ['OFMT', '%.6g'],
    ['NR', 0],
    ['FNR', 0],
    ['RSTART', 0],
    ['RLENGTH', -1],
  ])
  readonly arrays = new Map<string, AwkArray>()
  readonly streams: AwkStreams
  readonly #process: Process
  readonly #program: AwkProgram
  readonly #regexes = new Map<string, RegExp>()
  /** Parameters of the functions that run, innermost last. */
  readonly #frames: Map<string, AwkValue | AwkArray>[] = []
  /** The next record of the main input for getline; false at the end. */
  readonly #nextRecord: () => Promise<string | undefined>
  #random: Random
  #seed: AwkValue = 0
  #record = ''
  #fields: string[] | undefined

  constructor(process: Process, program: AwkProgram, nextRecord: () => Promise<string | undefined>) {
    this.#process = process
    this.#program = program
    this.#nextRecord = nextRecord
    this.streams = new AwkStreams(process)
    this.#random = new Random('awk/0')
  }

  setRecord(text: string): void {
    this.#record = text
    this.#fields = undefined
  }

  countRecord(): void {
    for (const name of ['NR', 'FNR']) this.variables.set(name, toNumber(this.variables.get(name)) + 1)
  }

  get record(): string {
    return this.#record
  }

  async isTrue(expression: AwkExpression): Promise<boolean> {
    return isTrue(await this.evaluate(expression))
  }

  async execute(node: AwkStatement): Promise<void> {
    switch (node.kind) {
      case 'expression':
        await this.evaluate(node.expression)
        return
      case 'block':
        for (const statement of node.body) await this.execute(statement)
        return
      case 'print':
        return await this.#print(node)
      case 'if':
        if (await this.isTrue(node.test)) await this.execute(node.yes)
        else if (node.no !== undefined) await this.execute(node.no)
        return
      case 'while':
        if (node.bodyFirst && !(await this.#turn(node.body))) return
        while (await this.isTrue(node.test)) if (!(await this.#turn(node.body))) return
        return
      case 'for':
        if (node.start !== undefined) await this.execute(node.start)
        while (node.test === undefined || (await this.isTrue(node.test))) {
          if (!(await this.#turn(node.body))) return
          if (node.next !== undefined) await this.execute(node.next)
        }
        return
      case 'forIn':
        for (const key of [...this.array(node.array).keys()]) {
          this.#assignVariable(node.name, fromOutside(key))
          if (!(await this.#turn(node.body))) return
        }
        return
      case 'delete':
        if (node.index === undefined) this.array(node.name).clear()
        else this.array(node.name).delete(await this.#key(node.index))
        return
      case 'exit':
      case 'return':
        throw new AwkJump(node.kind, node.value === undefined ? undefined : await this.evaluate(node.value))
      default:
        throw new AwkJump(node.kind)
    }
  }

  /** One turn of a loop; false after `break`. */
  async #turn(body: AwkStatement): Promise<boolean> {
    await this.#process.system.clock.spend(STEP_MICROS)
    this.#process.signal.throwIfAborted()
    try {
      await this.execute(body)
      return true
    } catch (error) {
      if (!(error instanceof AwkJump) || (error.kind !== 'break' && error.kind !== 'continue')) throw error
      return error.kind === 'continue'
    }
  }

  async #print(node: AwkStatement & { kind: 'print' }): Promise<void> {
    const values: AwkValue[] = []
    for (const arg of node.args) values.push(await this.evaluate(arg))
    const format = toText(this.variables.get('OFMT'))
    const line = () => {
      const texts = node.args.length === 0 ? [this.#record] : values.map((value) => toText(value, format))
      return texts.join(toText(this.variables.get('OFS'))) + toText(this.variables.get('ORS'))
    }
    const text = node.formatted ? formatAwk(toText(values[0]), values.slice(1)) : line()
    if (node.redirection === undefined) await this.#process.stdout.write(text)
    else {
      const target = await this.#text(node.redirection.target)
      await this.streams.write(node.redirection.operator, target, text)
    }
  }

  async #text(expression: AwkExpression): Promise<string> {
    return toText(await this.evaluate(expression), toText(this.variables.get('CONVFMT')))
  }

  async evaluate(node: AwkExpression): Promise<AwkValue> {
    switch (node.kind) {
      case 'number':
      case 'string':
        return node.value
      case 'regex':
        return awkRegex(node.source, this.#regexes).test(this.#record) ? 1 : 0
      case 'variable':
        return this.#variable(node.name)
      case 'element': {
        const array = this.array(node.name)
        const key = await this.#key(node.index)
        // Looking at an element makes it (POSIX).
        if (!array.has(key)) array.set(key, undefined)
        return array.get(key)
      }
      case 'field':
        return this.#field(toNumber(await this.evaluate(node.index)))
      case 'group':
        return node.items.length === 1 ? await this.evaluate(node.items[0]!) : await this.#key(node.items)
      case 'assign':
        return await this.#assignment(node)
      case 'step': {
        const old = toNumber(await this.evaluate(node.target))
        await this.#assign(node.target, old + node.by)
        return node.prefix ? old + node.by : old
      }
      case 'unary': {
        const value = await this.evaluate(node.operand)
        if (node.operator === '!') return isTrue(value) ? 0 : 1
        return node.operator === '-' ? -toNumber(value) : toNumber(value)
      }
      case 'binary':
        return await this.#binary(node)
      case 'ternary':
        return await this.evaluate((await this.isTrue(node.test)) ? node.yes : node.no)
      case 'in':
        return this.array(node.name).has(await this.#key(node.index)) ? 1 : 0
      case 'getline':
        return await this.#getline(node)
      case 'call':
        return await this.#call(node.name, node.args)
    }
  }

  async #binary(node: AwkExpression & { kind: 'binary' }): Promise<AwkValue> {
    const { operator, left, right } = node
    if (operator === '&&') return (await this.isTrue(left)) && (await this.isTrue(right)) ? 1 : 0
    if (operator === '||') return (await this.isTrue(left)) || (await this.isTrue(right)) ? 1 : 0
    if (operator === ' ') return (await this.#text(left)) + (await this.#text(right))
    if (operator === '~' || operator === '!~') {
      const text = await this.#text(left)
      return (await this.#regex(right)).test(text) === (operator === '~') ? 1 : 0
    }
    const [a, b] = [await this.evaluate(left), await this.evaluate(right)]
    if (/^[<>=!]/.test(operator)) return holds(operator, compareValues(a, b)) ? 1 : 0
    return calculate(operator, toNumber(a), toNumber(b))
  }

  async #regex(expression: AwkExpression): Promise<RegExp> {
    return awkRegex(
      expression.kind === 'regex' ? expression.source : await this.#text(expression),
      this.#regexes,
    )
  }

  async #assignment(node: AwkExpression & { kind: 'assign' }): Promise<AwkValue> {
    const value = await this.evaluate(node.value)
    const operator = node.operator.slice(0, -1).replace('**', '^')
    const result =
      operator === ''
        ? value
        : calculate(operator, toNumber(await this.evaluate(node.target)), toNumber(value))
    await this.#assign(node.target, result)
    return result
  }

  async #assign(target: AwkExpression, value: AwkValue): Promise<void> {
    if (target.kind === 'variable') this.#assignVariable(target.name, value)
    else if (target.kind === 'element') this.array(target.name).set(await this.#key(target.index), value)
    else if (target.kind === 'field')
      this.#assignField(toNumber(await this.evaluate(target.index)), toText(value))
    else if (target.kind === 'group' && target.items.length === 1) await this.#assign(target.items[0]!, value)
  }

  #variable(name: string): AwkValue {
    const local = this.#frames.at(-1)?.get(name)
    if (this.#frames.at(-1)?.has(name)) return local instanceof Map ? undefined : local
    if (name === 'NF') return this.#split().length
    return this.variables.get(name)
  }

  #assignVariable(name: string, value: AwkValue): void {
    const frame = this.#frames.at(-1)
    if (frame?.has(name)) frame.set(name, value)
    else if (name === 'NF') this.#resize(toNumber(value))
    else this.variables.set(name, value)
  }

  array(name: string): AwkArray {
    const frame = this.#frames.at(-1)
    const arrays: Map<string, AwkValue | AwkArray> = frame?.has(name) ? frame : this.arrays
    const known = arrays.get(name)
    if (known instanceof Map) return known
    const made: AwkArray = new Map()
    arrays.set(name, made)
    return made
  }

  async #key(index: readonly AwkExpression[]): Promise<string> {
    const parts: string[] = []
    for (const part of index) parts.push(await this.#text(part))
    return parts.join(toText(this.variables.get('SUBSEP')))
  }

  #split(): string[] {
    this.#fields ??= splitFields(this.#record, toText(this.variables.get('FS')), this.#regexes)
    return this.#fields
  }

  #field(index: number): AwkValue {
    if (index < 0) throw new UsageError('access to negative field', 2)
    if (index === 0) return fromOutside(this.#record)
    const text = this.#split()[Math.trunc(index) - 1]
    return text === undefined ? undefined : fromOutside(text)
  }

  #assignField(index: number, text: string): void {
    if (index === 0) {
      this.setRecord(text)
      return
    }
    const fields = this.#split()
    while (fields.length < index) fields.push('')
    fields[index - 1] = text
    this.#record = fields.join(toText(this.variables.get('OFS')))
  }

  #resize(count: number): void {
    const fields = this.#split()
    while (fields.length < count) fields.push('')
    fields.length = count
    this.#record = fields.join(toText(this.variables.get('OFS')))
  }

  async #getline(node: AwkExpression & { kind: 'getline' }): Promise<AwkValue> {
    const source = node.command ?? node.file
    const line =
      source === undefined
        ? await this.#nextRecord()
        : await this.streams.readLine(await this.#text(source), node.command !== undefined)
    if (line === null) return -1
    if (line === undefined) return 0
    if (source === undefined) this.countRecord()
    else if (node.command !== undefined) this.variables.set('NR', toNumber(this.variables.get('NR')) + 1)
    if (node.target === undefined) this.setRecord(line)
    else await this.#assign(node.target, fromOutside(line))
    return 1
  }

  async #call(name: string, args: readonly AwkExpression[]): Promise<AwkValue> {
    if (this.#program.functions.has(name)) return await this.#callFunction(name, args)
    switch (name) {
      case 'length': {
        const [only] = args
        if (only?.kind === 'variable' && this.#isArray(only.name)) return this.array(only.name).size
        return [...(only === undefined ? this.#record : await this.#text(only))].length
      }
      case 'split':
        return await this.#splitInto(args)
      case 'sub':
      case 'gsub':
        return await this.#substitute(args, name === 'gsub')
      case 'match': {
        const text = await this.#text(args[0]!)
        const match = (await this.#regex(args[1]!)).exec(text)
        this.variables.set('RSTART', match === null ? 0 : match.index + 1)
        this.variables.set('RLENGTH', match === null ? -1 : match[0].length)
        return match === null ? 0 : match.index + 1
      }
      case 'system':
        return await runCommand(this.#process, ['sh', '-c', await this.#text(args[0]!)])
      case 'close':
        return await this.streams.close(await this.#text(args[0]!))
      case 'fflush':
        return 0
      case 'rand':
        return this.#random.float()
      case 'srand': {
        const old = this.#seed
        const now = Math.floor(this.#process.system.clock.unixMillis() / 1000)
        this.#seed = args.length === 0 ? now : await this.evaluate(args[0]!)
        this.#random = new Random(`awk/${toText(this.#seed)}`)
        return old
      }
      case 'systime':
        return Math.floor(this.#process.system.clock.unixMillis() / 1000)
    }
    const values: AwkValue[] = []
    for (const arg of args) values.push(await this.evaluate(arg))
    const result = callPure(name, values)
    if (result === null) throw new UsageError(`call to undefined function '${name}'`)
    return result
  }

  #isArray(name: string): boolean {
    const frame = this.#frames.at(-1)
    return frame?.has(name) ? frame.get(name) instanceof Map : this.arrays.has(name)
  }

  async #callFunction(name: string, args: readonly AwkExpression[]): Promise<AwkValue> {
    const { parameters, body } = this.#program.functions.get(name)!
    if (this.#frames.length > 500) throw new UsageError(`${name}: recursion too deep`, 2)
    const frame = new Map<string, AwkValue | AwkArray>()
    for (const [index, parameter] of parameters.entries()) {
      const arg = args[index]
      const known = arg?.kind === 'variable' && (this.#isArray(arg.name) || this.#isUnset(arg.name))
      // An unset name may be an array that the function fills.
      if (known) frame.set(parameter, this.#isArray(arg.name) ? this.array(arg.name) : undefined)
      else frame.set(parameter, arg === undefined ? undefined : await this.evaluate(arg))
    }
    this.#frames.push(frame)
    try {
      await this.execute(body)
      return undefined
    } catch (error) {
      if (error instanceof AwkJump && error.kind === 'return') return error.value
      throw error
    } finally {
      this.#frames.pop()
      this.#adoptArrays(parameters, args, frame)
    }
  }

  /** Arrays that a function made of unset arguments become the caller's. */
  #adoptArrays(
    parameters: readonly string[],
    args: readonly AwkExpression[],
    frame: ReadonlyMap<string, AwkValue | AwkArray>,
  ): void {
    for (const [index, parameter] of parameters.entries()) {
      const arg = args[index]
      const value = frame.get(parameter)
      if (!(value instanceof Map) || arg?.kind !== 'variable' || this.#isArray(arg.name)) continue
      const caller = this.#frames.at(-1)
      if (caller?.has(arg.name)) caller.set(arg.name, value)
      else this.arrays.set(arg.name, value)
    }
  }

  #isUnset(name: string): boolean {
    const frame = this.#frames.at(-1)
    return frame?.has(name) ? frame.get(name) === undefined : name !== 'NF' && !this.variables.has(name)
  }

  async #splitInto(args: readonly AwkExpression[]): Promise<AwkValue> {
    const [source, target, separator] = args
    if (source === undefined || target?.kind !== 'variable') throw new UsageError('split: bad arguments')
    const text = await this.#text(source)
    const by =
      separator === undefined
        ? toText(this.variables.get('FS'))
        : separator.kind === 'regex'
          ? separator.source
          : await this.#text(separator)
    const parts = splitFields(text, by, this.#regexes)
    const array = this.array(target.name)
    array.clear()
    for (const [index, part] of parts.entries()) array.set(String(index + 1), fromOutside(part))
    return parts.length
  }

  async #substitute(args: readonly AwkExpression[], everywhere: boolean): Promise<AwkValue> {
    const [pattern, replacement, target = { kind: 'field', index: { kind: 'number', value: 0 } } as const] =
      args
    if (pattern === undefined || replacement === undefined) throw new UsageError('sub: bad arguments')
    const template = await this.#text(replacement)
    const text = await this.#text(target)
    const expression = await this.#regex(pattern)
    let count = 0
    let previousEnd = -1
    const result = text.replace(expression, (match: string, ...rest: unknown[]) => {
      const at = rest.find((item) => typeof item === 'number') as number
      // Nothing, right behind a match, is none.
      if ((!everywhere && count > 0) || (match === '' && at === previousEnd)) return match
      previousEnd = at + match.length
      count++
      return awkReplacement(template, match)
    })
    if (count > 0) await this.#assign(target, result)
    return count
  }
}

function holds(operator: string, order: number): boolean {
  switch (operator) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '==':
      return order === 0
    case '!=':
      return order !== 0
    case '>':
      return order > 0
    default:
      return order >= 0
  }
}

function calculate(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '^':
      return a ** b
    default:
      if (b === 0) throw new UsageError('Division by zero')
      return operator === '/' ? a / b : a % b
  }
}
