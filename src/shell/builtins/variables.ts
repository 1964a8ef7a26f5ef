// Builtins that change variables, parameters and options: export, readonly, unset, set, shift, local, alias, let,
// getopts.

import { CommandError } from '../control-flow.js'
import { quoteForShell } from '../parameter-expansion.js'
import type { Shell } from '../shell.js'
import type { ShellOption } from '../state.js'
import { evaluateArithmetic } from '../word-expansion.js'
import type { Builtin } from './builtin.js'

const OPTION_LETTERS: Readonly<Record<string, ShellOption>> = {
  e: 'errexit',
  u: 'nounset',
  x: 'xtrace',
  f: 'noglob',
  n: 'noexec',
  v: 'verbose',
  a: 'allexport',
}

const OPTIONS = new Set<string>([...Object.values(OPTION_LETTERS), 'pipefail'])

function splitAssignment(text: string): { readonly name: string; readonly value: string | undefined } {
  const match = /^([^=]*)(?:=(.*))?$/s.exec(text)!
  if (!/^[A-Za-z_]\w*$/.test(match[1]!)) throw new CommandError(`${text}: bad variable name`, 2)
  return { name: match[1]!, value: match[2] }
}

const exportBuiltin: Builtin = async ({ shell, name, args, io }) => {
  const { state } = shell
  const operands = args.filter((arg) => !arg.startsWith('-'))
  if (operands.length === 0) {
    for (const [variable, { value, exported, readOnly }] of [...state.variables].sort(([a], [b]) =>
      a < b ? -1 : 1,
    )) {
      if ((name === 'export' ? exported : readOnly) && typeof value === 'string') {
        await io.stdout.write(`${name} ${variable}=${quoteForShell(value)}\n`)
      }
    }
    return 0
  }
  for (const operand of operands) {
    const { name: variable, value } = splitAssignment(operand)
    if (value !== undefined) state.set(variable, value)
    if (name === 'readonly') state.markReadOnly(variable)
    else if (args.includes('-n')) state.export(variable, false)
    else if (value !== undefined || state.variables.has(variable)) state.export(variable)
  }
  return 0
}

const local: Builtin = ({ shell, name, args }) => {
  const { state } = shell
  const flags = args.filter((arg) => /^-[a-zA-Z]+$/.test(arg)).join('')
  for (const operand of args.filter((arg) => !arg.startsWith('-'))) {
    const { name: variable, value } = splitAssignment(operand)
    const isLocal = !flags.includes('g') && state.makeLocal(variable)
    if (!isLocal && name === 'local') throw new CommandError('local: not in a function', 2)
    if (value !== undefined) state.set(variable, value)
    else if (isLocal && name === 'local' && !Array.isArray(state.variables.get(variable)?.value))
      state.set(variable, '')
    if (flags.includes('x')) state.export(variable)
    if (flags.includes('a') && typeof state.variables.get(variable)?.value !== 'object')
      state.set(variable, [])
    if (flags.includes('r')) state.markReadOnly(variable)
  }
  return 0
}

const unset: Builtin = ({ shell, args }) => {
  const functions = args[0] === '-f'
  for (const operand of args.filter((arg) => !arg.startsWith('-'))) {
    const element = /^(\w+)\[(\d+)\]$/.exec(operand)
    if (functions) shell.state.functions.delete(operand)
    else if (element !== null) unsetElement(shell, element[1]!, Number(element[2]))
    else if (shell.state.variables.has(operand)) shell.state.unset(operand)
    else if (args[0] !== '-v') shell.state.functions.delete(operand)
  }
  return 0
}

function unsetElement(shell: Shell, name: string, index: number): void {
  const value = shell.state.variables.get(name)?.value
  if (typeof value !== 'object') return
  shell.state.set(
    name,
    value.map((element, at) => (at === index ? undefined : element)),
  )
}

const set: Builtin = async ({ shell, args, io }) => {
  if (args.length === 0) {
    for (const [name, { value }] of [...shell.state.variables].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (typeof value === 'string') await io.stdout.write(`${name}=${quoteForShell(value)}\n`)
    }
    return 0
  }
  const operands = [...args]
  while (operands.length > 0 && /^[-+]/.test(operands[0]!)) {
    const flag = operands.shift()!
    if (flag === '--' || flag === '-') {
      shell.state.positional = operands
      return 0
    }
    for (const letter of flag.slice(1)) {
      if (letter === 'o') await longOption(shell, flag.startsWith('-'), operands.shift(), io.stdout)
      else setOption(shell, OPTION_LETTERS[letter], flag.startsWith('-'), `${flag[0]}${letter}`)
    }
  }
  if (operands.length > 0) shell.state.positional = operands
  return 0
}

async function longOption(
  shell: Shell,
  on: boolean,
  name: string | undefined,
  stdout: { write(text: string): Promise<void> },
): Promise<void> {
  if (name !== undefined) {
    setOption(shell, OPTIONS.has(name) ? (name as ShellOption) : undefined, on, `${on ? '-' : '+'}o ${name}`)
    return
  }
  for (const option of [...OPTIONS].sort()) {
    await stdout.write(
      `${option.padEnd(16)}${shell.state.options.has(option as ShellOption) ? 'on' : 'off'}\n`,
    )
  }
}

/** Switches an option; letters that have no meaning here (-h, -m, -b) are accepted. */
export function setOption(shell: Shell, option: ShellOption | undefined, on: boolean, text: string): void {
  if (option === undefined) {
    if (/^[-+][hmbCBHPETkpt]$/.test(text)) return
    throw new CommandError(`set: illegal option ${text}`, 2, true)
  }
  if (on) shell.state.options.add(option)
  else shell.state.options.delete(option)
}

/** The option of a letter as in `sh -e`. */
export function optionOfLetter(letter: string): ShellOption | undefined {
  return OPTION_LETTERS[letter]
}

const shift: Builtin = ({ shell, args }) => {
  const count = args[0] === undefined ? 1 : Number(args[0])
  if (!Number.isInteger(count) || count < 0)
    throw new CommandError(`shift: Illegal number: ${args[0]}`, 2, true)
  if (count > shell.state.positional.length) return 1
  shell.state.positional = shell.state.positional.slice(count)
  return 0
}

const alias: Builtin = async ({ shell, args, io }) => {
  const { aliases } = shell.state
  let status = 0
  for (const operand of args.length > 0 ? args : [...aliases.keys()].sort()) {
    const [, name, value] = /^([^=]+)(?:=(.*))?$/s.exec(operand) ?? []
    if (name === undefined) continue
    if (value !== undefined) aliases.set(name, value)
    else if (aliases.has(name)) await io.stdout.write(`alias ${name}=${quoteForShell(aliases.get(name)!)}\n`)
    else {
      await shell.complain(io, `alias: ${name} not found`)
      status = 1
    }
  }
  return status
}

const unalias: Builtin = ({ shell, args }) => {
  if (args[0] === '-a') shell.state.aliases.clear()
  const known = args.map((name) => shell.state.aliases.delete(name))
  return args[0] === '-a' || known.every(Boolean) ? 0 : 1
}

const letBuiltin: Builtin = async ({ shell, args, io }) => {
  let value = 0n
  for (const text of args) value = await evaluateArithmetic(shell, text, io)
  return value === 0n ? 1 : 0
}

const getopts: Builtin = async ({ shell, args, io }) => {
  const { state } = shell
  const [specification, variable, ...rest] = args
  if (specification === undefined || variable === undefined) {
    throw new CommandError('getopts: usage: getopts optstring name [args]', 2)
  }
  const operands = args.length > 2 ? rest : state.positional
  const silent = specification.startsWith(':')
  let index = Number(state.get('OPTIND') ?? 1)
  if (index === 1 && state.get('OPTIND') !== '1') state.getoptsOffset = 1
  const operand = operands[index - 1]
  if (operand === undefined || !/^-./.test(operand) || operand === '--') {
    state.set('OPTIND', String(operand === '--' ? index + 1 : index))
    state.set(variable, '?')
    state.getoptsOffset = 1
    return 1
  }
  const letter = operand[state.getoptsOffset++]!
  const takesArgument = letter !== ':' && specification.includes(`${letter}:`)
  const known = letter !== ':' && specification.includes(letter)
  let value: string | undefined
  if (takesArgument) {
    value = state.getoptsOffset < operand.length ? operand.slice(state.getoptsOffset) : operands[index]
    if (state.getoptsOffset >= operand.length && value !== undefined) index++
    state.getoptsOffset = operand.length
  }
  if (state.getoptsOffset >= operand.length) {
    index++
    state.getoptsOffset = 1
  }
  const missing = takesArgument && value === undefined
  state.set('OPTIND', String(index))
  state.set(variable, !known ? '?' : missing ? (silent ? ':' : '?') : letter)
  if (known && !missing) {
    if (value === undefined) state.unset('OPTARG')
    else state.set('OPTARG', value)
    return 0
  }
  if (silent) state.set('OPTARG', letter)
  else await shell.complain(io, known ? `No arg for -${letter} option` : `Illegal option -${letter}`)
  return 0
}

export const variableBuiltins: Readonly<Record<string, Builtin>> = {
  export: exportBuiltin,
  readonly: exportBuiltin,
  local,
  declare: local,
  typeset: local,
  unset,
  set,
  shift,
  alias,
  unalias,
  let: letBuiltin,
  getopts,
}
