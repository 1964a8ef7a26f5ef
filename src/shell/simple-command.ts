// Simple commands (POSIX 2.9.1): assignments, redirections, expansion, then a function, a builtin or a program.

import type { ArrayValue, Assignment, Command } from 'unbash'
import { resolvePath } from '../posix/file-system.js'
import { builtins } from './builtins/index.js'
import { runCompound } from './compound-command.js'
import { CommandError, ExitShell, ReturnFromFunction } from './control-flow.js'
import { redirect } from './redirection.js'
import type { Io, Shell } from './shell.js'
import type { FunctionBody, Variable } from './state.js'
import { parseWords } from './syntax.js'
import { evaluateArithmetic, expandFields, expandText } from './word-expansion.js'

/** Calls deep enough that a real shell would have run out of stack. */
const MAX_FUNCTION_DEPTH = 500

/** Builtins whose arguments of the form `name=value` are assignments, which are not split. */
const DECLARATIONS = new Set(['export', 'readonly', 'local', 'declare', 'typeset'])

export async function runSimpleCommand(shell: Shell, node: Command, io: Io): Promise<number> {
  await shell.step(io)
  shell.substitutionStatus = 0
  const assignments = node.prefix.filter((part) => part.type === 'Assignment')
  const argv = await argumentsOf(shell, node, io)
  if (argv.length === 0) {
    await redirect(shell, node.redirects, io)
    for (const assignment of assignments) await assign(shell, assignment, io)
    if (shell.state.options.has('xtrace'))
      await trace(
        shell,
        assignments.map((part) => part.text),
        io,
      )
    return shell.substitutionStatus
  }
  if (shell.state.options.has('xtrace'))
    await trace(shell, [...assignments.map((part) => part.text), ...argv], io)
  if (argv[0] === 'exec') return await execBuiltin(shell, node, argv, io)
  const streams = await redirect(shell, node.redirects, io)
  if (assignments.length === 0) return await runArgv(shell, argv, streams)
  const saved = await assignTemporarily(shell, assignments, streams)
  try {
    return await runArgv(shell, argv, streams)
  } finally {
    for (const [name, variable] of saved) {
      if (variable === undefined) shell.state.variables.delete(name)
      else shell.state.variables.set(name, variable)
    }
  }
}

/** Runs what `argv` names in this shell: function, builtin, or program. `skipFunctions`: as `command` does. */
export async function runArgv(
  shell: Shell,
  argv: readonly string[],
  io: Io,
  skipFunctions = false,
): Promise<number> {
  const [name, ...args] = argv
  const body = skipFunctions ? undefined : shell.state.functions.get(name!)
  if (body !== undefined) return await callFunction(shell, body, args, io)
  const builtin = builtins.get(name!)
  if (builtin !== undefined) return await builtin({ shell, name: name!, args, io, run: runArgv })
  return await runProgram(shell, argv, io)
}

async function argumentsOf(shell: Shell, node: Command, io: Io): Promise<string[]> {
  if (node.name === undefined) return []
  const alias =
    shell.interactive || shell.state.aliases.size > 0 ? shell.state.aliases.get(node.name.text) : undefined
  const nameWords = alias === undefined ? [node.name] : (parseWords(alias) ?? [node.name])
  const argv = await expandFields(shell, nameWords, io)
  const declaration = DECLARATIONS.has(argv[0] ?? '')
  for (const argument of node.args) {
    if (argument.type === 'Word') {
      argv.push(...(await expandFields(shell, [argument], io)))
    } else if (argument.value.type === 'ArrayValue') {
      if (declaration) await assign(shell, argument, io)
      argv.push(argument.name)
    } else if (declaration) {
      argv.push(`${argument.name}=${await expandText(shell, argument.value, io, true)}`)
    } else {
      argv.push(...(await expandFields(shell, parseWords(argument.text) ?? [], io)))
    }
  }
  return argv
}

async function trace(shell: Shell, words: readonly string[], io: Io): Promise<void> {
  const shown = words.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  )
  await io.stderr.write(`${shell.state.get('PS4') ?? '+ '}${shown.join(' ')}\n`)
}

async function assign(shell: Shell, assignment: Assignment, io: Io): Promise<void> {
  const { name, value, append, index } = assignment
  const { state } = shell
  if (value.type === 'ArrayValue') {
    const elements = await elementsOf(shell, value, io)
    state.set(name, append ? [...state.elements(name), ...elements] : elements)
    return
  }
  const text = await expandText(shell, value, io, true)
  if (index !== undefined) {
    const at = Number(await evaluateArithmetic(shell, await expandText(shell, index, io), io))
    const old = append ? elementAt(state.variables.get(name), at) : ''
    state.setElement(name, at, old + text)
    return
  }
  const old = state.variables.get(name)?.value
  if (typeof old === 'object') state.setElement(name, 0, append ? (old[0] ?? '') + text : text)
  else state.set(name, append ? (old ?? '') + text : text)
}

async function elementsOf(shell: Shell, value: ArrayValue, io: Io): Promise<(string | undefined)[]> {
  const elements: (string | undefined)[] = []
  for (const word of value.elements) {
    const keyed = /^\[([^\]]+)\]=(.*)$/s.exec(word.text)
    if (keyed === null) {
      elements.push(...(await expandFields(shell, [word], io)))
      continue
    }
    const [valueWord] = parseWords(keyed[2]!) ?? []
    const at = Number(await evaluateArithmetic(shell, keyed[1]!, io))
    elements[at] = valueWord === undefined ? '' : await expandText(shell, valueWord, io)
  }
  return elements
}

function elementAt(variable: Variable | undefined, index: number): string {
  const value = variable?.value
  return (typeof value === 'object' ? value.at(index) : index === 0 ? value : undefined) ?? ''
}

/** `name=value command`: exported, for this command only. Returns what to put back. */
async function assignTemporarily(
  shell: Shell,
  assignments: readonly Assignment[],
  io: Io,
): Promise<ReadonlyMap<string, Variable | undefined>> {
  const saved = new Map<string, Variable | undefined>()
  for (const assignment of assignments) {
    if (!saved.has(assignment.name)) saved.set(assignment.name, shell.state.variables.get(assignment.name))
    await assign(shell, assignment, io)
    shell.state.export(assignment.name)
  }
  return saved
}

async function callFunction(
  shell: Shell,
  body: FunctionBody,
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { state } = shell
  if (state.locals.length >= MAX_FUNCTION_DEPTH) {
    throw new CommandError('maximum function nesting level exceeded', 2, true)
  }
  const { positional } = state
  const { loopDepth } = shell
  state.positional = args
  shell.loopDepth = 0
  state.enterFunction()
  try {
    return await runCompound(shell, body, io)
  } catch (error) {
    if (error instanceof ReturnFromFunction) return error.status
    throw error
  } finally {
    state.leaveFunction()
    state.positional = positional
    shell.loopDepth = loopDepth
  }
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
  if (script === 'directory') throw new CommandError(`${argv[0]}: Permission denied`, 126)
  const started = script === undefined ? argv : ['sh', script, ...argv.slice(1)]
  const options = { argv: started, env: state.environment(), cwd: process.cwd, stdin, stdout, stderr }
  if (inPlace) {
    const name = started[0]!
    const program = process.system.programs.get(name.slice(name.lastIndexOf('/') + 1))
    if (program !== undefined) return await program({ ...process, ...options })
  }
  const child = started[0] === '' ? undefined : process.system.spawn(options)
  if (child === undefined) throw new CommandError(`${argv[0]}: not found`, 127)
  return await shell.waitForeground(child)
}

/**
 * The file that `name` leads to when it is a script: programs are not files here, so a file that is found is one.
 * A name without a slash is looked up in PATH after the programs.
 */
function scriptFile(shell: Shell, name: string): string | 'directory' | undefined {
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
  if (fs.stat(path).type === 'directory') return 'directory'
  const isScript = fs.readText(path).startsWith('#!') || !programs.has(name.slice(name.lastIndexOf('/') + 1))
  return isScript ? path : undefined
}

/** `exec`: without a command its redirections stay; with one, the program takes the place of the shell. */
async function execBuiltin(shell: Shell, node: Command, argv: readonly string[], io: Io): Promise<number> {
  const streams = await redirect(shell, node.redirects, io)
  if (argv.length > 1) throw new ExitShell(await runProgram(shell, argv.slice(1), streams, true))
  Object.assign(io, streams)
  return 0
}
