// Builtins for parameters, aliases and numbers: shift, alias, unalias, let, getopts.

import { CommandError } from '../control-flow.js'
import { quoteForShell } from '../quoting.js'
import { evaluateArithmetic } from '../word-expansion.js'
import type { Builtin } from './builtin.js'
import { illegalNumber } from './control.js'

const shift: Builtin = ({ shell, args }) => {
  const count = args[0] === undefined ? 1 : Number(args[0])
  if (!Number.isInteger(count)) throw illegalNumber(shell, 'shift', args[0]!, 1)
  if (count < 0) {
    throw shell.isBash
      ? new CommandError(`shift: ${args[0]}: shift count out of range`, 1)
      : illegalNumber(shell, 'shift', args[0]!, 1)
  }
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
      await shell.complain(io, shell.isBash ? `alias: ${name}: not found` : `alias: ${name} not found`)
      status = 1
    }
  }
  return status
}

const unalias: Builtin = async ({ shell, args, io }) => {
  const { aliases } = shell.state
  if (args[0] === '-a') {
    aliases.clear()
    return 0
  }
  let status = 0
  for (const name of args) {
    if (aliases.delete(name)) continue
    if (shell.isBash) await shell.complain(io, `unalias: ${name}: not found`)
    status = 1
  }
  return status
}

const letBuiltin: Builtin = async ({ shell, args, io }) => {
  if (args.length === 0) throw new CommandError('let: expression expected', 1)
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
  else if (state.get('OPTERR') !== '0') {
    const [missingText, unknownText] = shell.isBash
      ? [`option requires an argument -- ${letter}`, `illegal option -- ${letter}`]
      : [`No arg for -${letter} option`, `Illegal option -${letter}`]
    await io.stderr.write(`${state.name}: ${known ? missingText : unknownText}\n`)
  }
  return 0
}

export const variableBuiltins: Readonly<Record<string, Builtin>> = {
  shift,
  alias,
  unalias,
  let: letBuiltin,
  getopts,
}
