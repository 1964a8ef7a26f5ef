// Simple commands (POSIX 2.9.1): assignments, redirections, expansion, then a function, a builtin or a program.

import type { Assignment, Command, Word } from 'unbash'
import { resolvePath } from '../posix/file-system.js'
import { assign } from './assignment.js'
import { type Awaitable, andThen, attempt, inTurn } from './awaitable.js'
import { builtins } from './builtins/index.js'
import { foreground } from './builtins/jobs.js'
import { wrongOption } from './builtins/usage.js'
import { runCompound } from './compound-command.js'
import { CommandError, ExitShell, ReturnFromFunction } from './control-flow.js'
import { statusOfFailure } from './failure.js'
import { closeUnreferenced, redirect } from './redirection.js'
import type { Io, Shell } from './shell.js'
import { ReadOnlyVariable, type ShellFunction } from './state.js'
import { parseWords } from './syntax.js'
import { assignmentShown, traceCommand, traceLine } from './trace.js'
import type { Variable } from './variable.js'
import { expandFields, expandText } from './word-expansion.js'

/** Calls deep enough that a real shell would have run out of stack. */
const MAX_FUNCTION_DEPTH = 500

/** Builtins whose arguments of the form `name=value` are assignments, which are not split. */
const DECLARATIONS = new Set(['export', 'readonly', 'local', 'declare', 'typeset'])

export function runSimpleCommand(shell: Shell, node: Command, io: Io): Awaitable<number> {
  return andThen(shell.step(io), () => {
    const debug = shell.state.traps.has('DEBUG') ? shell.runTrap('DEBUG', io) : undefined
    return andThen(debug, () => {
      shell.substitutionStatus = 0
      const aliased = aliasedText(shell, node)
      if (aliased !== undefined) return runAliased(shell, aliased, io)
      return andThen(argumentsOf(shell, node, io), ({ argv, arrays }) =>
        runExpanded(shell, node, argv, arrays, io),
      )
    })
  })
}

function runExpanded(
  shell: Shell,
  node: Command,
  argv: readonly string[],
  arrays: Arrays | undefined,
  io: Io,
): Awaitable<number> {
  const { state } = shell
  const traced = state.options.has('xtrace')
  if (argv.length === 0) {
    return andThen(redirect(shell, node.redirects, io), () =>
      andThen(runAssignments(shell, node, io), () => shell.substitutionStatus),
    )
  }
  if (argv[0] === 'exec') {
    const shown = traced ? traceCommand(shell, argv, io) : undefined
    return andThen(shown, () => execBuiltin(shell, node, argv, io))
  }
  return andThen(redirect(shell, node.redirects, io), (streams) => {
    state.lastArgument = argv.at(-1)!
    const assignments = node.prefix.filter((part) => part.type === 'Assignment')
    if (assignments.length > 0) return runAssigned(shell, assignments, argv, arrays, streams, io)
    if (!traced) return runTelling(shell, argv, streams, arrays)
    return traceCommand(shell, argv, io).then(() => runTelling(shell, argv, streams, arrays))
  })
}

/** Assignments without a command: they stay. */
function runAssignments(shell: Shell, node: Command, io: Io): Awaitable<void> {
  return inTurn(node.prefix, (part) => {
    if (part.type !== 'Assignment') return
    return andThen(assign(shell, part, io), () => {
      if (shell.state.options.has('xtrace')) return traceLine(shell, assignmentShown(shell, part), io)
    })
  })
}

/** A command with assignments that are for it alone. */
async function runAssigned(
  shell: Shell,
  assignments: readonly Assignment[],
  argv: readonly string[],
  arrays: Arrays | undefined,
  streams: Io,
  io: Io,
): Promise<number> {
  const { state } = shell
  const saved = await assignTemporarily(shell, assignments, streams)
  try {
    if (state.options.has('xtrace')) {
      for (const assignment of assignments) await traceLine(shell, assignmentShown(shell, assignment), io)
      await traceCommand(shell, argv, io)
    }
    return await runTelling(shell, argv, streams, arrays)
  } finally {
    for (const [name, variable] of saved) {
      if (variable === undefined) state.variables.delete(name)
      else state.variables.set(name, variable)
    }
  }
}

/** Failures are told where the command's redirections lead. */
function runTelling(
  shell: Shell,
  argv: readonly string[],
  io: Io,
  arrays: Arrays | undefined,
): Awaitable<number> {
  return attempt(
    () => runArgv(shell, argv, io, false, arrays),
    (error) => {
      if (!(error instanceof ReadOnlyVariable) || !shell.isBash) return statusOfFailure(shell, error, io)
      // What ends a shell when it is an assignment of its own is a builtin's failure and nothing more.
      const teller = /^(local|declare|typeset)$/.test(argv[0]!) ? `${argv[0]}: ` : ''
      return shell.complain(io, teller + error.message).then(() => 1)
    },
  )
}

/** Runs what `argv` names in this shell: function, builtin, or program. `skipFunctions`: as `command` does. */
export function runArgv(
  shell: Shell,
  argv: readonly string[],
  io: Io,
  skipFunctions = false,
  arrays?: Arrays,
): Awaitable<number> {
  const [name, ...args] = argv
  const found = skipFunctions ? undefined : shell.state.functions.get(name!)
  if (found !== undefined) return callFunction(shell, name!, found, args, io)
  const builtin = builtins.get(name!)
  if (builtin !== undefined) {
    const wrong = shell.isBash ? wrongOption(name!, args) : undefined
    if (wrong !== undefined) return refuseOption(shell, name!, wrong, io)
    return builtin({ shell, name: name!, args, io, run: runArgv, ...(arrays && { arrays }) })
  }
  // `%1` alone is `fg %1`.
  if (name!.startsWith('%') && shell.controlsJobs) {
    return foreground({ shell, name: 'fg', args: [name!], io, run: runArgv })
  }
  return runProgram(shell, argv, io)
}

async function refuseOption(
  shell: Shell,
  name: string,
  { option, usage }: { readonly option: string; readonly usage: string },
  io: Io,
): Promise<number> {
  await shell.complain(io, `${name}: ${option}: invalid option`)
  await io.stderr.write(`${name}: usage: ${usage}\n`)
  return 2
}

/** Array values among the arguments of a declaration, by the argument. */
type Arrays = ReadonlyMap<string, Assignment>

interface Arguments {
  readonly argv: readonly string[]
  readonly arrays?: Arrays
}

function argumentsOf(shell: Shell, node: Command, io: Io): Awaitable<Arguments> {
  if (node.name === undefined) return { argv: [] }
  return andThen(expandFields(shell, [node.name], io), (argv) => {
    if (DECLARATIONS.has(argv[0] ?? '')) return declarationOf(shell, node, argv, io)
    return andThen(expandFields(shell, wordsOf(node), io, argv), () => ({ argv }))
  })
}

/** What looks like an assignment behind the name of a command is a word like any other. */
function wordsOf({ args }: Command): readonly Word[] {
  if (args.every((argument) => argument.type === 'Word')) return args
  return args.flatMap((argument) =>
    argument.type === 'Word' ? [argument] : (parseWords(argument.text) ?? []),
  )
}

/** The arguments of a command whose assignments are not split. */
async function declarationOf(shell: Shell, { args }: Command, argv: string[], io: Io): Promise<Arguments> {
  const arrays = new Map<string, Assignment>()
  for (const argument of args) {
    if (argument.type === 'Word') await expandFields(shell, [argument], io, argv)
    else if (argument.value.type === 'ArrayValue') {
      argv.push(argument.name)
      arrays.set(argument.name, argument)
    } else {
      const { name, index, append, value } = argument
      const subscript = index === undefined ? '' : `[${index.text}]`
      argv.push(`${name}${subscript}${append ? '+' : ''}=${await expandText(shell, value, io, true)}`)
    }
  }
  return { argv, arrays }
}

/** `name=value ...command`: exported, for this command only. Returns what to put back. */
async function assignTemporarily(
  shell: Shell,
  assignments: readonly Assignment[],
  io: Io,
): Promise<ReadonlyMap<string, Variable | undefined>> {
  const saved = new Map<string, Variable | undefined>()
  for (const assignment of assignments) {
    if (!saved.has(assignment.name)) saved.set(assignment.name, shell.state.keep(assignment.name))
    await assign(shell, assignment, io)
    shell.state.export(assignment.name)
  }
  return saved
}

async function callFunction(
  shell: Shell,
  name: string,
  { body, source }: ShellFunction,
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { state } = shell
  if (state.locals.length >= MAX_FUNCTION_DEPTH) {
    throw new CommandError('maximum function nesting level exceeded', 2, true)
  }
  const { positional } = state
  const { loopDepth, source: callerSource, command } = shell
  state.calls.push({ name, line: shell.line, source: source.name })
  const hidden = hideTraps(shell)
  state.positional = args
  shell.loopDepth = 0
  shell.source = source
  state.enterFunction()
  // With a stack of its own, however deep the calls are in each other.
  await undefined
  try {
    const status = await functionStatus(shell, body, io)
    state.status = status
    await shell.runTrap('RETURN', io)
    return status
  } finally {
    state.leaveFunction()
    for (const [condition, trap] of hidden) if (!state.traps.has(condition)) state.traps.set(condition, trap)
    state.calls.pop()
    state.positional = positional
    shell.loopDepth = loopDepth
    shell.source = callerSource
    shell.command = command
  }
}

async function functionStatus(shell: Shell, body: ShellFunction['body'], io: Io): Promise<number> {
  try {
    return await runCompound(shell, body, io)
  } catch (error) {
    if (error instanceof ReturnFromFunction) return error.status
    throw error
  }
}

/** Functions do not inherit the traps of ERR, DEBUG and RETURN, unless `set -E` and `set -T` say so. */
function hideTraps({ state }: Shell): [string, string][] {
  if (state.traps.size === 0) return []
  const conditions = [
    ...(state.options.has('errtrace') ? [] : ['ERR']),
    ...(state.options.has('functrace') ? [] : ['DEBUG', 'RETURN']),
  ]
  return conditions.flatMap((condition): [string, string][] => {
    const trap = state.traps.get(condition)
    if (trap === undefined) return []
    state.traps.delete(condition)
    return [[condition, trap]]
  })
}

/** Starts a program and waits for it; `sh: foo: not found`, status 127. */
async function runProgram(
  shell: Shell,
  argv: readonly string[],
  io: Io,
  inPlace = shell.replaceable,
): Promise<number> {
  const { process, state } = shell
  const { stdin, stdout, stderr } = io
  const script = scriptFile(shell, argv[0]!)
  if (script === 'forbidden') throw new CommandError(`${argv[0]}: Permission denied`, 126)
  if (script === 'directory')
    throw new CommandError(`${argv[0]}: ${shell.isBash ? 'Is a directory' : 'Permission denied'}`, 126)
  const started = script === undefined ? argv : [...interpreterOf(shell, script), ...argv.slice(1)]
  const group = shell.groupAfter(undefined)
  const options = {
    argv: started,
    env: state.environment(),
    cwd: process.cwd,
    stdin,
    stdout,
    stderr,
    ...(group !== undefined && { group }),
  }
  if (inPlace) {
    const name = started[0]!
    const program = process.system.programs.get(name.slice(name.lastIndexOf('/') + 1))
    if (program !== undefined) return await program({ ...process, ...options, group: process.group })
  }
  const child = started[0] === '' ? undefined : process.system.spawn(options)
  if (child === undefined) throw new CommandError(notFound(shell, argv[0]!), 127)
  return await shell.waitForeground(child, shell.commandText, io)
}

function notFound(shell: Shell, name: string): string {
  if (!shell.isBash) return `${name}: not found`
  return `${name}: ${name.includes('/') ? 'No such file or directory' : 'command not found'}`
}

/**
 * The file that `name` leads to when it is a script: programs are not files here, so a file that is found is one.
 * A name without a slash is looked up in PATH after the programs.
 */
function scriptFile(shell: Shell, name: string): string | 'directory' | 'forbidden' | undefined {
  const { fs, programs } = shell.process.system
  if (!name.includes('/')) {
    if (programs.has(name)) return undefined
    const directories = (shell.state.get('PATH') ?? '').split(':')
    return directories
      .map((directory) => resolvePath(directory || shell.process.cwd, name))
      .find((path) => fs.exists(path) && fs.stat(path).type === 'file')
  }
  const path = resolvePath(shell.process.cwd, name)
  if (!fs.exists(path)) return undefined
  const { type, mode } = fs.stat(path)
  if (type === 'directory') return 'directory'
  const isScript = fs.readText(path).startsWith('#!') || !programs.has(name.slice(name.lastIndexOf('/') + 1))
  if (isScript && (mode & 0o111) === 0) return 'forbidden'
  return isScript ? name : undefined
}

/** What runs a script: the program that its first line names (`#!/usr/bin/env bash`), this kind of shell otherwise. */
function interpreterOf(shell: Shell, script: string): string[] {
  const { fs, programs } = shell.process.system
  const text = fs.readText(resolvePath(shell.process.cwd, script))
  const match = /^#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t]*(?:\n|$)/.exec(text)
  if (match === null) return [shell.isBash ? 'bash' : 'sh', script]
  const name = match[1]!.slice(match[1]!.lastIndexOf('/') + 1)
  if (!programs.has(name)) {
    const reason = 'bad interpreter: No such file or directory'
    throw new CommandError(`${script}: ${match[1]}: ${reason}`, shell.isBash ? 126 : 127)
  }
  return [name, ...(match[2] ? [match[2]] : []), script]
}

/** `exec`: without a command its redirections stay; with one, the program takes the place of the shell. */
async function execBuiltin(shell: Shell, node: Command, argv: readonly string[], io: Io): Promise<number> {
  const open = shell.substitutions.length
  const streams = await redirect(shell, node.redirects, io)
  if (argv.length > 1) throw new ExitShell(await runProgram(shell, argv.slice(1), streams, true))
  // What they opened stays open: connections, process substitutions (`exec > >(tee log)`).
  shell.atExit.push(...shell.substitutions.splice(open))
  const before = { ...io }
  Object.assign(io, streams)
  closeUnreferenced(before, io)
  return 0
}

/** The command with its alias in place of its name; undefined without one. */
function aliasedText(shell: Shell, node: Command): string | undefined {
  const { aliases, extras } = shell.state
  if (aliases.size === 0 || node.name === undefined || node.name.text !== node.name.value) return undefined
  if (shell.isBash && !shell.interactive && !extras.has('expand_aliases')) return undefined
  const text = aliases.get(node.name.text)
  if (text === undefined || shell.activeAliases.has(node.name.text)) return undefined
  const { text: source } = shell.source
  const before = source.slice(node.pos, node.name.pos)
  const rest = source.slice(node.name.end, node.end)
  return before + text + (/[ \t]$/.test(text) ? withNextAlias(shell, rest) : rest)
}

/** After an alias that ends with a blank the next word may be one, too. */
function withNextAlias(shell: Shell, rest: string): string {
  return rest.replace(/^(\s*)([^\s'"\\$`;|&<>()]+)/, (word, blank: string, name: string) => {
    const alias = shell.state.aliases.get(name)
    return alias === undefined ? word : blank + alias
  })
}

async function runAliased(shell: Shell, text: string, io: Io): Promise<number> {
  const names = [...shell.activeAliases]
  // A name is not expanded again inside its own expansion: `alias ls='ls -l'`.
  const name = shell.commandText.match(/[^\s;|&<>()]+/g)?.find((word) => shell.state.aliases.has(word))
  if (name !== undefined) shell.activeAliases.add(name)
  try {
    return await shell.evaluate(text, io)
  } finally {
    shell.activeAliases.clear()
    for (const active of names) shell.activeAliases.add(active)
  }
}
