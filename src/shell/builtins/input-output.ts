// Builtins that write and answer: echo, printf, test, and those that do nothing. `read` is in read.ts.

import { assignReference } from '../assignment.js'
import { conditionsOf, testArguments } from '../conditional.js'
import { CommandError } from '../control-flow.js'
import { echoText, formatPrintf, type PrintfTimes } from '../printf-format.js'
import type { Shell } from '../shell.js'
import type { Builtin } from './builtin.js'

const echo: Builtin = async ({ args, io }) => {
  await io.stdout.write(echoText(args))
  return 0
}

const printf: Builtin = async ({ shell, args, io }) => {
  const variable = args[0] === '-v' ? args[1] : undefined
  const [format, ...rest] = variable !== undefined ? args.slice(2) : args[0] === '--' ? args.slice(1) : args
  if (format === undefined) {
    if (!shell.isBash) throw new CommandError('printf: usage: printf FORMAT [ARG]...', 2)
    await io.stderr.write('printf: usage: printf [-v var] format [arguments]\n')
    return 2
  }
  const { text, errors } = formatPrintf(format, rest, timesOf(shell))
  if (variable !== undefined) await assignReference(shell, variable, text, io)
  else await io.stdout.write(text)
  for (const error of errors) await shell.complain(io, `printf: ${shell.isBash ? inBashWords(error) : error}`)
  return errors.length > 0 ? 1 : 0
}

function inBashWords(error: string): string {
  const number = /^invalid number '(.*)'$/s.exec(error)?.[1]
  if (number !== undefined) return `${number}: invalid number`
  return error.replace(/^%(.): invalid format$/, "`$1': invalid format character")
}

/** What `%(format)T` asks for. */
function timesOf({ process, state }: Shell): PrintfTimes {
  const { clock } = process.system
  return {
    nowSeconds: Math.floor(clock.unixMillis() / 1000),
    startSeconds: Math.floor((clock.unixMillis() - clock.now() / 1000) / 1000) + (state.secondsStart ?? 0),
  }
}

const test: Builtin = async ({ shell, name, args, io }) => {
  if (name === '[' && args.at(-1) !== ']')
    throw new CommandError(`[: missing ${shell.isBash ? "`]'" : ']'}`, 2)
  try {
    return testArguments(name === '[' ? args.slice(0, -1) : args, conditionsOf(shell, io)) ? 0 : 1
  } catch (error) {
    if (error instanceof CommandError) {
      throw new CommandError(shell.isBash ? `${name}: ${error.message}` : error.message, 2)
    }
    throw error
  }
}

export const inputOutputBuiltins: Readonly<Record<string, Builtin>> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  echo,
  printf,
  test,
  '[': test,
}
