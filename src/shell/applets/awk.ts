// awk(1): reads records and runs the rules of a program over them. Syntax in awk-parser.ts, evaluation in
// awk-interpreter.ts. Simplified: RS is a newline, one character, empty (paragraphs) or an expression.

import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { readLines, readWholeFile, reasonOf } from '../streams.js'
import { AwkInterpreter, AwkJump } from './awk-interpreter.js'
import { parseAwk } from './awk-parser.js'
import type { AwkProgram, AwkRule } from './awk-syntax.js'
import { fromOutside, toNumber, toText } from './awk-values.js'
import { openInputs } from './inputs.js'
import { applet, parseOptions, UsageError } from './options.js'

class AwkRun {
  readonly #process: Process
  readonly #program: AwkProgram
  readonly #interpreter: AwkInterpreter
  readonly #records: AsyncGenerator<string>
  /** Range patterns that have begun and not ended. */
  readonly #open = new Set<AwkRule>()
  /** Set by nextfile: what is left of the file is not read. */
  #leavesFile = false
  status = 0

  constructor(
    process: Process,
    program: AwkProgram,
    operands: readonly string[],
    separator: string | undefined,
  ) {
    this.#process = process
    this.#program = program
    this.#interpreter = new AwkInterpreter(process, program, async () => {
      const { value, done } = await this.#records.next()
      return done ? undefined : value
    })
    this.#records = this.#readRecords(operands)
    const { variables, arrays } = this.#interpreter
    if (separator !== undefined) variables.set('FS', separator === 't' ? '\t' : unescaped(separator))
    arrays.set('ENVIRON', new Map([...process.env].map(([name, value]) => [name, fromOutside(value)])))
    arrays.set('ARGV', new Map(['awk', ...operands].map((operand, at) => [String(at), fromOutside(operand)])))
    variables.set('ARGC', operands.length + 1)
  }

  /** `name=value`, from -v or between the files. */
  assign(text: string): void {
    const at = text.indexOf('=')
    this.#interpreter.variables.set(text.slice(0, at), fromOutside(unescaped(text.slice(at + 1))))
  }

  async run(): Promise<number> {
    const { rules } = this.#program
    const body = rules.filter((rule) => rule.pattern !== 'BEGIN' && rule.pattern !== 'END')
    let status = await this.#untilExit(async () => {
      await this.#runAll('BEGIN')
      if (body.length > 0 || rules.some((rule) => rule.pattern === 'END')) await this.#runRecords(body)
    })
    // exit ends the input, and the END rules still run (POSIX).
    const last = await this.#untilExit(() => this.#runAll('END'), status)
    status = last ?? status
    await this.#interpreter.streams.closeAll()
    return status ?? this.status
  }

  async #runAll(pattern: 'BEGIN' | 'END'): Promise<void> {
    for (const rule of this.#program.rules) {
      if (rule.pattern === pattern && rule.action !== undefined) await this.#interpreter.execute(rule.action)
    }
  }

  async #runRecords(rules: readonly AwkRule[]): Promise<void> {
    for (let next = await this.#records.next(); !next.done; next = await this.#records.next()) {
      this.#interpreter.setRecord(next.value)
      this.#interpreter.countRecord()
      try {
        for (const rule of rules) if (await this.#selects(rule)) await this.#act(rule)
      } catch (error) {
        if (!(error instanceof AwkJump) || (error.kind !== 'next' && error.kind !== 'nextfile')) throw error
        if (error.kind === 'nextfile') this.#leavesFile = true
      }
    }
  }

  async #act(rule: AwkRule): Promise<void> {
    const { variables, record } = this.#interpreter
    if (rule.action !== undefined) await this.#interpreter.execute(rule.action)
    else await this.#process.stdout.write(record + toText(variables.get('ORS')))
  }

  async #selects(rule: AwkRule): Promise<boolean> {
    const { pattern, until } = rule
    if (pattern === undefined || typeof pattern === 'string') return true
    if (until === undefined) return await this.#interpreter.isTrue(pattern)
    if (!this.#open.has(rule)) {
      if (!(await this.#interpreter.isTrue(pattern))) return false
      this.#open.add(rule)
    }
    if (await this.#interpreter.isTrue(until)) this.#open.delete(rule)
    return true
  }

  /** Status of `exit` inside `body`, `before` where that says none; undefined when it ended by itself. */
  async #untilExit(body: () => Promise<void>, before?: number): Promise<number | undefined> {
    try {
      await body()
      return undefined
    } catch (error) {
      if (!(error instanceof AwkJump) || error.kind !== 'exit') throw error
      return error.value === undefined ? (before ?? 0) : toNumber(error.value) & 255
    }
  }

  async *#readRecords(operands: readonly string[]): AsyncGenerator<string> {
    let anyFile = false
    for (const operand of operands) {
      if (/^[A-Za-z_]\w*=/.test(operand)) {
        this.assign(operand)
        continue
      }
      anyFile = true
      yield* this.#recordsOf([operand])
    }
    if (!anyFile) yield* this.#recordsOf([])
  }

  async *#recordsOf(names: readonly string[]): AsyncGenerator<string> {
    const { variables } = this.#interpreter
    for await (const { name, reader } of openInputs(this.#process, names, () => (this.status = 2))) {
      variables.set('FILENAME', name === '-' ? '' : name)
      variables.set('FNR', 0)
      this.#leavesFile = false
      const separator = toText(variables.get('RS'))
      if (separator === '\n') {
        for await (const { text } of readLines(reader)) {
          yield text
          if (this.#leavesFile) break
        }
        continue
      }
      let text = ''
      for await (const line of readLines(reader)) text += line.terminated ? `${line.text}\n` : line.text
      for (const record of splitRecords(text, separator)) {
        yield record
        if (this.#leavesFile) break
      }
    }
  }
}

function splitRecords(text: string, separator: string): string[] {
  if (separator === '')
    return text
      .split(/\n{2,}/)
      .map((part) => part.replace(/^\n+|\n+$/g, ''))
      .filter((part) => part !== '')
  const records = text.split(separator.length === 1 ? separator : new RegExp(separator))
  if (records.at(-1) === '' || records.at(-1) === '\n') records.pop()
  return records
}

function unescaped(text: string): string {
  return text.replace(
    /\\([ntr\\"])/g,
    (_, letter: string) => ({ n: '\n', t: '\t', r: '\r' })[letter] ?? letter,
  )
}

async function sourceOf({ system, cwd, stdin }: Process, name: string): Promise<string> {
  if (name === '-' || name === '/dev/stdin') return new TextDecoder().decode(await readAll(stdin))
  try {
    return await readWholeFile(system.fs, resolvePath(cwd, name))
  } catch (error) {
    throw new UsageError(`can't open file '${name}': ${reasonOf(error)}`, 2)
  }
}

const LONG = { 'field-separator': 'F', assign: 'v', file: 'f' }

export const awk: Program = applet(async (process, args) => {
  const options = parseOptions(args, '+F:v:f:', LONG)
  const sources = options.given
    .filter(({ letter }) => letter === 'f')
    .map(({ value }) => sourceOf(process, value))
  const operands = [...options.operands]
  const source = sources.length > 0 ? (await Promise.all(sources)).join('\n') : operands.shift()
  if (source === undefined) throw new UsageError('usage: awk [-F SEP] [-v VAR=VAL] PROGRAM [FILE]...')
  const run = new AwkRun(process, parseAwk(source), operands, options.value('F'))
  for (const { letter, value } of options.given) if (letter === 'v') run.assign(value)
  return await run.run()
})
