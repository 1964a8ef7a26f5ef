// Builtins for what was typed: history and fc.

import { resolvePath } from '../../posix/file-system.js'
import { CommandError } from '../control-flow.js'
import { expandHistory } from '../line-editor/history-expansion.js'
import type { Shell } from '../shell.js'
import { reasonOf } from '../streams.js'
import type { Builtin, BuiltinCall } from './builtin.js'

const history: Builtin = async (call) => {
  const { shell, args, io } = call
  const [first, ...rest] = args
  if (first !== undefined && /^-[acdnprsw]+$/.test(first)) return await change(call, first.slice(1), rest)
  if (first !== undefined && !/^\d+$/.test(first)) {
    throw new CommandError(`history: ${first}: numeric argument required`, 1)
  }
  const { lines, first: number } = shell.history
  const from = first === undefined ? 0 : Math.max(0, lines.length - Number(first))
  const shown = lines.slice(from).map((line, at) => `${String(number + from + at).padStart(5)}  ${line}\n`)
  await io.stdout.write(shown.join(''))
  return 0
}

async function change({ shell, io }: BuiltinCall, letters: string, operands: readonly string[]) {
  const known = shell.history
  const letter = letters.at(-1)!
  if (letters.includes('c')) known.clear()
  if (letter === 'd') {
    const index =
      Number(operands[0]) < 0 ? known.lines.length + Number(operands[0]) : Number(operands[0]) - known.first
    if (known.lines[index] === undefined) {
      throw new CommandError(`history: ${operands[0]}: history position out of range`, 1)
    }
    known.remove(index)
  } else if (letter === 's') known.add(operands.join(' '))
  else if (letter === 'p') {
    for (const operand of operands) {
      const expanded = expandHistory(operand, known.lines, known.first)
      if ('error' in expanded) throw new CommandError(`history: ${operand}: history expansion failed`, 1)
      await io.stdout.write(`${expanded.line}\n`)
    }
  } else if (letter === 'r' || letter === 'n') readFile(shell, operands[0])
  else if (letter === 'w' || letter === 'a') writeFile(shell, operands[0])
  return 0
}

function pathOf(shell: Shell, file: string | undefined): string | undefined {
  const name = file ?? shell.state.get('HISTFILE')
  return name === undefined ? undefined : resolvePath(shell.process.cwd, name)
}

function readFile(shell: Shell, file: string | undefined): void {
  const path = pathOf(shell, file)
  if (path === undefined) return
  try {
    for (const line of shell.process.system.fs.readText(path).split('\n')) shell.history.add(line)
  } catch (error) {
    throw new CommandError(`history: ${path}: cannot read: ${reasonOf(error)}`, 1)
  }
}

function writeFile(shell: Shell, file: string | undefined): void {
  const path = pathOf(shell, file)
  if (path === undefined) return
  try {
    shell.process.system.fs.writeFile(path, shell.history.lines.map((line) => `${line}\n`).join(''))
  } catch (error) {
    throw new CommandError(`history: ${path}: cannot create: ${reasonOf(error)}`, 1)
  }
}

/** Lines that are listed without being told which. */
const LISTED = 16

const fc: Builtin = async (call) => {
  const { shell, args, io } = call
  let at = 0
  let flags = ''
  let editor: string | undefined
  for (; /^-[elnrs]/.test(args[at] ?? ''); at++) {
    flags += args[at]!.slice(1)
    if (args[at]!.endsWith('e')) editor = args[++at]
  }
  const operands = args.slice(at)
  // The command itself is the last line, and not meant.
  const lines = shell.interactive ? shell.history.lines.slice(0, -1) : shell.history.lines
  if (flags.includes('s') || editor === '-') return await runAgain(call, lines, operands)
  const isListing = flags.includes('l')
  const start = operands[0] ?? String(isListing ? -LISTED : -1)
  const first = lineAt(shell, lines, start, operands.length === 0)
  const last =
    operands[1] === undefined
      ? isListing
        ? lines.length - 1
        : first
      : lineAt(shell, lines, operands[1], false)
  const chosen = lines
    .map((line, index) => ({ line, number: shell.history.first + index }))
    .slice(Math.min(first, last), Math.max(first, last) + 1)
  if (first > last !== flags.includes('r')) chosen.reverse()
  if (!isListing) return await edit(call, editor, chosen.map(({ line }) => line).join('\n'))
  const text = chosen.map(({ line, number }) => `${flags.includes('n') ? '' : number}\t ${line}\n`)
  await io.stdout.write(text.join(''))
  return 0
}

/** The index that a number, one from the end, or the beginning of a line means. */
function lineAt(shell: Shell, lines: readonly string[], text: string, clamps: boolean): number {
  const number = Number(text)
  const index = !/^-?\d+$/.test(text)
    ? lines.findLastIndex((line) => line.startsWith(text))
    : number <= 0
      ? Math.max(lines.length + number, 0)
      : Math.min(number - shell.history.first, lines.length - 1)
  if (lines[index] === undefined && !(clamps && lines.length > 0)) {
    throw new CommandError('fc: history specification out of range', 1)
  }
  return index
}

/** `fc -s [old=new] [command]` */
async function runAgain({ shell, io }: BuiltinCall, lines: readonly string[], operands: readonly string[]) {
  const substitutions = operands.filter((operand) => operand.includes('='))
  const [named] = operands.filter((operand) => !operand.includes('='))
  let line = lines[lineAt(shell, lines, named ?? '-1', false)]!
  for (const text of substitutions) {
    const at = text.indexOf('=')
    line = line.replaceAll(text.slice(0, at), text.slice(at + 1))
  }
  return await carryOut(shell, line, io)
}

/** The editor works on a file, which is then run. */
async function edit(
  { shell, io, run }: BuiltinCall,
  editor: string | undefined,
  text: string,
): Promise<number> {
  const { fs } = shell.process.system
  const path = `/tmp/bash-fc.${shell.process.pid}`
  fs.writeFile(path, `${text}\n`)
  try {
    const program = editor ?? shell.state.get('FCEDIT') ?? shell.state.get('EDITOR') ?? 'vi'
    const status = await run(shell, [...program.split(' '), path], io)
    return status === 0 ? await carryOut(shell, fs.readText(path).replace(/\n$/, ''), io) : status
  } finally {
    fs.remove(path)
  }
}

/** Shows and runs a line, which takes the place of the `fc` in the history. */
async function carryOut(shell: Shell, line: string, io: BuiltinCall['io']): Promise<number> {
  await io.stderr.write(`${line}\n`)
  if (shell.interactive && /^\s*fc\b/.test(shell.history.lines.at(-1) ?? '')) {
    shell.history.remove(shell.history.lines.length - 1)
    shell.history.add(line)
  }
  return await shell.evaluate(line, io)
}

export const historyBuiltins: Readonly<Record<string, Builtin>> = { history, fc }
