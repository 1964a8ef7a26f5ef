// Builtins that steer: break, continue, return, exit, eval, source, command, type, trap.

import { resolvePath } from '../../posix/file-system.js'
import { SIGNAL_NUMBER, type SignalName } from '../../posix/process.js'
import { BreakLoop, CommandError, ContinueLoop, ExitShell, ReturnFromFunction } from '../control-flow.js'
import { quoteForShell } from '../quoting.js'
import type { Shell } from '../shell.js'
import { readWholeFile, reasonOf } from '../streams.js'
import type { Builtin, BuiltinCall } from './builtin.js'

const KEYWORDS = new Set(
  '! { } [[ ]] case do done elif else esac fi for function if in select then time until while'.split(' '),
)

const leaveLoop: Builtin = ({ shell, name, args }) => {
  const levels = args[0] === undefined ? 1 : Number(args[0])
  if (!Number.isInteger(levels) || levels < 1)
    throw new CommandError(`${name}: Illegal number: ${args[0]}`, 2, true)
  if (shell.loopDepth === 0) return 0
  const enclosing = Math.min(levels, shell.loopDepth)
  throw name === 'break' ? new BreakLoop(enclosing) : new ContinueLoop(enclosing)
}

function statusArgument({ shell, name, args }: BuiltinCall): number {
  const [text] = args
  if (text === undefined) return shell.state.status
  if (!/^-?\d+$/.test(text)) throw new CommandError(`${name}: Illegal number: ${text}`, 2, true)
  return Number(text) & 255
}

const source: Builtin = async ({ shell, args, io, name }) => {
  const [file, ...rest] = args
  if (file === undefined) throw new CommandError(`${name}: filename argument required`, 2)
  const { process, state } = shell
  let text: string
  try {
    text = await readWholeFile(process.system.fs, resolvePath(process.cwd, file))
  } catch (error) {
    throw new CommandError(`${name}: can't open '${file}': ${reasonOf(error)}`, 2, true)
  }
  const { positional } = state
  if (rest.length > 0) state.positional = rest
  try {
    return await shell.evaluate(text, io, file)
  } catch (error) {
    if (error instanceof ReturnFromFunction) return error.status
    throw error
  } finally {
    if (rest.length > 0) state.positional = positional
  }
}

/** What `name` is, as `type` words it; undefined for what is not found. */
function describe(shell: Shell, name: string, isBuiltin: (name: string) => boolean): string | undefined {
  const { state, process } = shell
  const alias = state.aliases.get(name)
  if (alias !== undefined) return `${name} is an alias for ${alias}`
  if (KEYWORDS.has(name)) return `${name} is a shell keyword`
  if (state.functions.has(name)) return `${name} is a function`
  if (isBuiltin(name)) return `${name} is a shell builtin`
  const path = pathOf(shell, name)
  return path === undefined || !process.system.programs.has(baseName(name)) ? undefined : `${name} is ${path}`
}

/** Where a program would lie in a real image. */
function pathOf(shell: Shell, name: string): string | undefined {
  if (name.includes('/')) return name
  return shell.process.system.programs.has(name) ? `/bin/${name}` : undefined
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

const SPELLED: Readonly<Record<string, string>> = Object.fromEntries([
  ['0', 'EXIT'],
  ['EXIT', 'EXIT'],
  ['ERR', 'ERR'],
  ['DEBUG', 'DEBUG'],
  ['RETURN', 'RETURN'],
  ...Object.entries(SIGNAL_NUMBER).flatMap(([name, number]) => [
    [name, name],
    [name.slice(3), name],
    [String(number), name],
  ]),
])

/** The signal or `EXIT` that a trap or kill names: `INT`, `SIGINT`, `2`. */
export function conditionNamed(text: string): SignalName | 'EXIT' | undefined {
  return SPELLED[text.toUpperCase()] as SignalName | 'EXIT' | undefined
}

const trap: Builtin = async ({ shell, args, io }) => {
  const operands = args[0] === '--' ? args.slice(1) : args
  if (operands.length === 0 || operands[0] === '-p') {
    for (const [condition, command] of shell.state.traps) {
      await io.stdout.write(`trap -- ${quoteForShell(command)} ${condition.replace(/^SIG/, '')}\n`)
    }
    return 0
  }
  const resets = operands[0] === '-' || (operands.length === 1 && conditionNamed(operands[0]!) !== undefined)
  const conditions = resets && operands[0] !== '-' ? operands : operands.slice(1)
  for (const text of conditions) {
    const condition = conditionNamed(text)
    if (condition === undefined) throw new CommandError(`trap: ${text}: invalid signal specification`, 1)
    shell.trap(condition, resets ? undefined : operands[0])
  }
  return 0
}

/** The builtins of this file; `isBuiltin` answers for all of them. */
export function controlBuiltins(isBuiltin: (name: string) => boolean): Record<string, Builtin> {
  const type: Builtin = async ({ shell, args, io }) => {
    let status = 0
    for (const name of args.filter((arg) => !arg.startsWith('-'))) {
      const description = describe(shell, name, isBuiltin)
      if (description === undefined) status = 127
      await io.stdout.write(`${description ?? `${name}: not found`}\n`)
    }
    return status
  }
  const command: Builtin = async ({ shell, args, io, run }) => {
    const [option, name] = args
    if (option !== '-v' && option !== '-V') {
      const argv = option === '-p' || option === '--' ? args.slice(1) : args
      return argv.length === 0 ? 0 : await run(shell, argv, io, true)
    }
    const description = name === undefined ? undefined : describe(shell, name, isBuiltin)
    if (name === undefined || description === undefined) return 127
    const alias = shell.state.aliases.get(name)
    const short =
      alias !== undefined
        ? `alias ${name}='${alias}'`
        : description.includes(' is /')
          ? pathOf(shell, name)
          : name
    await io.stdout.write(`${option === '-v' ? short : description}\n`)
    return 0
  }
  return {
    break: leaveLoop,
    continue: leaveLoop,
    return: (call) => {
      throw new ReturnFromFunction(statusArgument(call))
    },
    exit: (call) => {
      throw new ExitShell(statusArgument(call))
    },
    eval: async ({ shell, args, io }) => (args.length === 0 ? 0 : await shell.evaluate(args.join(' '), io)),
    '.': source,
    source,
    type,
    command,
    builtin: async ({ shell, args, io, run }) => (args.length === 0 ? 0 : await run(shell, args, io, true)),
    trap,
  }
}
