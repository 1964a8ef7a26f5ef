// Builtins that steer: break, continue, return, exit, eval, source, command, type, trap.

import { resolvePath } from '../../posix/file-system.js'
import { SIGNAL_NUMBER, type SignalName } from '../../posix/process.js'
import { BreakLoop, CommandError, ContinueLoop, ExitShell, ReturnFromFunction } from '../control-flow.js'
import { functionText } from '../function-text.js'
import { quoteForShell } from '../quoting.js'
import type { Shell } from '../shell.js'
import { readWholeFile, reasonOf } from '../streams.js'
import type { Builtin, BuiltinCall } from './builtin.js'

const KEYWORDS = new Set(
  '! { } [[ ]] case do done elif else esac fi for function if in select then time until while'.split(' '),
)

const leaveLoop: Builtin = ({ shell, name, args, io }) => {
  const levels = args[0] === undefined ? 1 : Number(args[0])
  if (shell.loopDepth === 0) {
    const reason = "only meaningful in a `for', `while', or `until' loop"
    return shell.isBash ? shell.complain(io, `${name}: ${reason}`).then(() => 0) : 0
  }
  if (!Number.isInteger(levels) || (levels < 1 && !shell.isBash))
    throw illegalNumber(shell, name, args[0]!, 128)
  if (levels < 1) {
    // bash leaves all loops then.
    const told = shell.complain(io, `${name}: ${args[0]}: loop count out of range`)
    return told.then(() => {
      shell.state.status = 1
      throw new BreakLoop(shell.loopDepth)
    })
  }
  const enclosing = Math.min(levels, shell.loopDepth)
  throw name === 'break' ? new BreakLoop(enclosing) : new ContinueLoop(enclosing)
}

/** What is no number where one has to be; `status` is bash's. */
export function illegalNumber(shell: Shell, name: string, text: string, status: number): CommandError {
  return shell.isBash
    ? new CommandError(`${name}: ${text}: numeric argument required`, status, status === 128)
    : new CommandError(`${name}: Illegal number: ${text}`, 2, true)
}

/** Throws `leave` with the status that the argument says; bash leaves with 2 when that is no number. */
async function leaveWith(
  { shell, name, args, io }: BuiltinCall,
  leave: (status: number) => Error,
): Promise<never> {
  const [text] = args
  if (text === undefined) throw leave(shell.state.status)
  if (/^[-+]?\d+$/.test(text)) throw leave(Number(text) & 255)
  const error = illegalNumber(shell, name, text, 2)
  if (!shell.isBash) throw error
  await shell.complain(io, error.message)
  throw leave(2)
}

const returnBuiltin: Builtin = async (call) => {
  const { shell, io } = call
  if (!shell.isBash || shell.state.calls.length > 0 || shell.sourcing > 0)
    return await leaveWith(call, (status) => new ReturnFromFunction(status))
  await shell.complain(io, "return: can only `return' from a function or sourced script")
  return 2
}

const source: Builtin = async ({ shell, args, io, name }) => {
  const [file, ...rest] = args
  if (file === undefined) {
    await shell.complain(io, `${name}: filename argument required`)
    if (shell.isBash) await io.stderr.write(`${name}: usage: ${name} filename [arguments]\n`)
    return 2
  }
  const { process, state } = shell
  let text: string
  try {
    const path = file.includes('/') ? undefined : pathOf(shell, file, () => false)
    text = await readWholeFile(process.system.fs, path ?? resolvePath(process.cwd, file))
  } catch (error) {
    if (shell.isBash) throw new CommandError(`${file}: ${reasonOf(error)}`, 1)
    throw new CommandError(`${name}: can't open '${file}': ${reasonOf(error)}`, 2, true)
  }
  const { positional } = state
  if (rest.length > 0) state.positional = rest
  shell.sourcing++
  try {
    return await shell.evaluate(text, io, file)
  } catch (error) {
    if (error instanceof ReturnFromFunction) return error.status
    throw error
  } finally {
    shell.sourcing--
    if (rest.length > 0) state.positional = positional
  }
}

type Kind = 'alias' | 'keyword' | 'function' | 'builtin' | 'file'

/** What `name` can mean, the first being what runs. */
function kindsOf(shell: Shell, name: string, isBuiltin: (name: string) => boolean): Kind[] {
  const { state } = shell
  const kinds: Kind[] = []
  const expands = shell.interactive || !shell.isBash || state.extras.has('expand_aliases')
  if (state.aliases.has(name) && expands) kinds.push('alias')
  if (KEYWORDS.has(name)) kinds.push('keyword')
  if (state.functions.has(name)) kinds.push('function')
  if (isBuiltin(name)) kinds.push('builtin')
  if (pathOf(shell, name) !== undefined) kinds.push('file')
  return kinds
}

/** As `type` words it. */
function describe(shell: Shell, name: string, kind: Kind): string {
  const { state } = shell
  switch (kind) {
    case 'alias': {
      const text = state.aliases.get(name)!
      return shell.isBash ? `${name} is aliased to \`${text}'` : `${name} is an alias for ${text}`
    }
    case 'keyword':
      return `${name} is a shell keyword`
    case 'function': {
      const text = shell.isBash ? `\n${functionText(name, state.functions.get(name)!)}` : ''
      return `${name} is a function${text}`
    }
    case 'builtin':
      return `${name} is a shell builtin`
    case 'file':
      return `${name} is ${pathOf(shell, name)}`
  }
}

/** Where a program would lie in a real image. */
function pathOf(
  { process, state }: Shell,
  name: string,
  isProgram = (program: string) => process.system.programs.has(program),
): string | undefined {
  const { fs } = process.system
  const isFile = (path: string) => fs.exists(path) && fs.stat(path).type === 'file'
  if (name.includes('/')) {
    return isProgram(baseName(name)) || isFile(resolvePath(process.cwd, name)) ? name : undefined
  }
  if (isProgram(name)) return `/bin/${name}`
  const directories = (state.get('PATH') ?? '').split(':')
  return directories.map((directory) => resolvePath(directory || process.cwd, name)).find(isFile)
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

type Condition = SignalName | 'EXIT'

/** The signal or `EXIT` that a trap or kill names: `INT`, `SIGINT`, `2`. */
export function conditionNamed(text: string): Condition | undefined {
  return SPELLED[text.toUpperCase()] as Condition | undefined
}

/** `trap -- 'command' SIGINT`, by number as bash lists them; ash leaves the SIG out. */
async function showTraps({ shell, io }: BuiltinCall, names: readonly string[]): Promise<number> {
  const number = (condition: string) =>
    SIGNAL_NUMBER[condition as SignalName] ?? (condition === 'EXIT' ? 0 : 99)
  const wanted = names.map(conditionNamed)
  const traps = [...shell.state.traps].sort(([a], [b]) => number(a) - number(b))
  for (const [condition, command] of traps) {
    if (names.length > 0 && !wanted.includes(condition as Condition)) continue
    const shown = shell.isBash ? condition : condition.replace(/^SIG/, '')
    await io.stdout.write(`trap -- ${quoteForShell(command)} ${shown}\n`)
  }
  return 0
}

const trap: Builtin = async (call) => {
  const { shell, args } = call
  const operands = args[0] === '--' ? args.slice(1) : args
  if (operands.length === 0 || operands[0] === '-p') return await showTraps(call, operands.slice(1))
  if (operands[0] === '-l') return await call.run(shell, ['kill', '-l'], call.io, true)
  const resets = operands[0] === '-' || (operands.length === 1 && conditionNamed(operands[0]!) !== undefined)
  const conditions = resets && operands[0] !== '-' ? operands : operands.slice(1)
  for (const text of conditions) {
    const condition = conditionNamed(text)
    if (condition === undefined) throw new CommandError(`trap: ${text}: invalid signal specification`, 1)
    shell.trap(condition, resets ? undefined : operands[0])
  }
  return 0
}

/** `caller [N]`: line, function and file of the N-th call from here. */
const caller: Builtin = async ({ shell, args, io }) => {
  const calls = [...shell.state.calls].reverse()
  const call = calls[Number(args[0] ?? 0)]
  if (call === undefined) return 1
  const outer = calls[Number(args[0] ?? 0) + 1]
  const name = outer?.name ?? 'main'
  const file = (outer?.source ?? '') || shell.state.name
  await io.stdout.write(args[0] === undefined ? `${call.line} ${file}\n` : `${call.line} ${name} ${file}\n`)
  return 0
}

const hash: Builtin = ({ shell, args }) => {
  const unknown = args.find((name) => !name.startsWith('-') && pathOf(shell, name) === undefined)
  if (unknown !== undefined) throw new CommandError(`hash: ${unknown}: not found`, 1)
  return 0
}

/** The builtins of this file; `isBuiltin` answers for all of them. */
export function controlBuiltins(isBuiltin: (name: string) => boolean): Record<string, Builtin> {
  const type: Builtin = async ({ shell, args, io }) => {
    const flags = args.filter((arg) => /^-[afptP]+$/.test(arg)).join('')
    let status = 0
    for (const name of args.filter((arg) => !/^-[afptP]+$/.test(arg))) {
      const kinds = kindsOf(shell, name, isBuiltin).filter(
        (kind) => kind !== 'function' || !flags.includes('f'),
      )
      const shown = flags.includes('a') ? kinds : kinds.slice(0, 1)
      if (shown.length === 0) {
        status = shell.isBash ? 1 : 127
        if (/[tpP]/.test(flags)) continue
        if (shell.isBash) await shell.complain(io, `type: ${name}: not found`)
        else await io.stdout.write(`${name}: not found\n`)
      }
      for (const kind of shown) {
        if (flags.includes('t')) await io.stdout.write(`${kind}\n`)
        else if (!/[pP]/.test(flags)) await io.stdout.write(`${describe(shell, name, kind)}\n`)
        else if (kind === 'file' || flags.includes('P'))
          await io.stdout.write(`${pathOf(shell, name) ?? ''}\n`)
      }
    }
    return status
  }
  const command: Builtin = async ({ shell, args, io, run }) => {
    const [option, ...names] = args
    if (option !== '-v' && option !== '-V') {
      const argv = option === '-p' || option === '--' ? args.slice(1) : args
      return argv.length === 0 ? 0 : await run(shell, argv, io, true)
    }
    let found = false
    for (const name of names) {
      const [kind] = kindsOf(shell, name, isBuiltin)
      if (kind === undefined) {
        if (option === '-V') await shell.complain(io, `command: ${name}: not found`)
        continue
      }
      found = true
      const short =
        kind === 'alias'
          ? `alias ${name}=${quoteForShell(shell.state.aliases.get(name)!)}`
          : kind === 'file'
            ? pathOf(shell, name)
            : name
      await io.stdout.write(`${option === '-v' ? short : describe(shell, name, kind)}\n`)
    }
    return found ? 0 : shell.isBash ? 1 : 127
  }
  return {
    break: leaveLoop,
    continue: leaveLoop,
    return: returnBuiltin,
    exit: (call) => leaveWith(call, (status) => new ExitShell(status)),
    eval: async ({ shell, args, io }) => (args.length === 0 ? 0 : await shell.evaluate(args.join(' '), io)),
    '.': source,
    source,
    type,
    command,
    builtin: async ({ shell, args, io, run }) => {
      if (args.length === 0) return 0
      if (isBuiltin(args[0]!)) return await run(shell, args, io, true)
      throw new CommandError(`builtin: ${args[0]}: not a shell builtin`, 1)
    },
    trap,
    caller,
    hash,
  }
}
