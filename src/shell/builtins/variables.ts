// Builtins for parameters, aliases and numbers: shift, alias, unalias, let, getopts.

import { CommandError } from '../control-flow.js'
import { quoteForShell } from '../quoting.js'
import { evaluateArithmetic } from '../word-expansion.js'
import type { Builtin } from './builtin.js'

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
  for (const text of args) {
    try {
      value = await evaluateArithmetic(shell, text, io)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      throw new CommandError(`let: ${error.message}`, 1)
    }
  }
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
  shift,
  alias,
  unalias,
  let: letBuiltin,
  getopts,
}
