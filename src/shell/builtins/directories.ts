// Builtins for the working directory: cd, pwd, pushd, popd, dirs.

import { resolvePath } from '../../posix/file-system.js'
import { CommandError } from '../control-flow.js'
import type { Io, Shell } from '../shell.js'
import type { Builtin } from './builtin.js'

const cd: Builtin = async ({ shell, args, io }) => {
  const { process, state } = shell
  const operands = args.filter((arg) => !/^-[PLe@]+$/.test(arg) && arg !== '--')
  const isPhysical = /P[e@]*$/.test(args.findLast((arg) => /^-[PLe@]+$/.test(arg)) ?? '')
  if (operands.length > 1 && shell.isBash) throw new CommandError('cd: too many arguments', 1)
  const [operand] = operands
  const back = operand === '-'
  const target = back ? state.get('OLDPWD') : (operand ?? state.get('HOME'))
  if (target === undefined) throw new CommandError(`cd: ${back ? 'OLDPWD' : 'HOME'} not set`, 1)
  const path = throughSearchPath(shell, target)
  const named = path ?? resolvePath(process.cwd, target)
  const { fs } = process.system
  enter(shell, 'cd', isPhysical && fs.exists(named) ? fs.realPath(named) : named, target)
  if (back || path !== undefined) await io.stdout.write(`${process.cwd}\n`)
  return 0
}

/** The directory that CDPATH leads to; undefined when that is not asked. */
function throughSearchPath({ process, state }: Shell, target: string): string | undefined {
  const search = state.get('CDPATH') ?? ''
  if (search === '' || target === '' || /^\.{0,2}(\/|$)/.test(target)) return undefined
  const { fs } = process.system
  for (const directory of search.split(':')) {
    const path = resolvePath(resolvePath(process.cwd, directory || '.'), target)
    if (fs.exists(path) && fs.stat(path).type === 'directory') return directory === '' ? undefined : path
  }
  return undefined
}

/** Makes `path` the working directory. `shown` is how the user named it. */
function enter(shell: Shell, command: string, path: string, shown: string): void {
  const { process, state } = shell
  const { fs } = process.system
  const refuse = (reason: string) => {
    throw new CommandError(`${command}: ${shell.isBash ? '' : "can't cd to "}${shown}: ${reason}`, 1)
  }
  if (!fs.exists(path)) refuse('No such file or directory')
  if (fs.stat(path).type !== 'directory') refuse('Not a directory')
  state.set('OLDPWD', process.cwd)
  process.cwd = path
  state.set('PWD', path)
}

const pwd: Builtin = async ({ shell: { process }, args, io }) => {
  const { system, cwd } = process
  await io.stdout.write(`${args.includes('-P') && system.fs.exists(cwd) ? system.fs.realPath(cwd) : cwd}\n`)
  return 0
}

/** The stack from the working directory down, with `~` for the home directory. */
function shownStack(shell: Shell, long: boolean): string[] {
  const home = shell.state.get('HOME') ?? ''
  const short = (path: string) =>
    !long && home !== '' && home !== '/' && (path === home || path.startsWith(`${home}/`))
      ? `~${path.slice(home.length)}`
      : path
  return [shell.process.cwd, ...shell.state.directories].map(short)
}

async function showStack(shell: Shell, io: Io): Promise<void> {
  await io.stdout.write(`${shownStack(shell, false).join(' ')}\n`)
}

/** `+N` counts from the top (the working directory), `-N` from the bottom. */
function indexOf(text: string, size: number): number | undefined {
  const match = /^([-+])(\d+)$/.exec(text)
  if (match === null) return undefined
  return match[1] === '+' ? Number(match[2]) : size - 1 - Number(match[2])
}

const pushd: Builtin = async ({ shell, args, io }) => {
  const { process, state } = shell
  const stays = args.includes('-n')
  const [operand] = args.filter((arg) => arg !== '-n' && arg !== '--')
  const stack = [process.cwd, ...state.directories]
  const index = operand === undefined ? 1 : indexOf(operand, stack.length)
  if (index !== undefined) {
    if (operand === undefined && stack.length < 2) throw new CommandError('pushd: no other directory', 1)
    if (index >= stack.length || index < 0) {
      throw new CommandError(`pushd: ${operand}: directory stack index out of range`, 1)
    }
    const turned =
      operand === undefined
        ? [stack[1]!, stack[0]!, ...stack.slice(2)]
        : [...stack.slice(index), ...stack.slice(0, index)]
    enter(shell, 'pushd', turned[0]!, turned[0]!)
    state.directories = turned.slice(1)
  } else if (stays) {
    state.directories = [resolvePath(process.cwd, operand!), ...state.directories]
  } else {
    enter(shell, 'pushd', resolvePath(process.cwd, operand!), operand!)
    state.directories = stack
  }
  await showStack(shell, io)
  return 0
}

const popd: Builtin = async ({ shell, args, io }) => {
  const { process, state } = shell
  const stack = [process.cwd, ...state.directories]
  if (stack.length < 2) throw new CommandError('popd: directory stack empty', 1)
  const [operand] = args.filter((arg) => arg !== '-n')
  const index = operand === undefined ? 0 : indexOf(operand, stack.length)
  if (index === undefined || index < 0 || index >= stack.length) {
    throw new CommandError(`popd: ${operand}: directory stack index out of range`, 1)
  }
  const rest = stack.filter((_, at) => at !== index)
  if (index === 0) enter(shell, 'popd', rest[0]!, rest[0]!)
  state.directories = rest.slice(1)
  await showStack(shell, io)
  return 0
}

const dirs: Builtin = async ({ shell, args, io }) => {
  const flags = args.filter((arg) => /^-[clpv]+$/.test(arg)).join('')
  if (flags.includes('c')) {
    shell.state.directories = []
    return 0
  }
  const stack = shownStack(shell, flags.includes('l'))
  const one = args.map((arg) => indexOf(arg, stack.length)).find((index) => index !== undefined)
  if (one !== undefined) await io.stdout.write(`${stack[one] ?? ''}\n`)
  else if (flags.includes('v')) {
    for (const [index, path] of stack.entries())
      await io.stdout.write(`${String(index).padStart(2)}  ${path}\n`)
  } else await io.stdout.write(`${stack.join(flags.includes('p') ? '\n' : ' ')}\n`)
  return 0
}

export const directoryBuiltins: Readonly<Record<string, Builtin>> = { cd, pwd, pushd, popd, dirs }
