// sh, ash, bash: `sh -c CMD [NAME [ARG]...]`, `sh FILE [ARG]...`, a script on standard input, and the interactive
// shell when that is a terminal.

import { resolvePath } from '../posix/file-system.js'
import type { Process, Program } from '../posix/process.js'
import { optionOfLetter } from './builtins/options.js'
import { runList, runNested, runSource } from './execution.js'
import { runInteractive, runStandardInput } from './interactive.js'
import { type Io, Shell } from './shell.js'
import { INITIAL_VALUES } from './special-variables.js'
import { type ShellOption, ShellState } from './state.js'
import { readWholeFile, reasonOf } from './streams.js'
import { parseScript } from './syntax.js'

interface Invocation {
  readonly options: readonly ShellOption[]
  readonly interactive: boolean
  readonly command: string | undefined
  readonly operands: readonly string[]
}

function invocationOf(argv: readonly string[]): Invocation | { readonly wrong: string } {
  const options: ShellOption[] = []
  let interactive = false
  let wantsCommand = false
  let at = 1
  for (; /^[-+]./.test(argv[at] ?? ''); at++) {
    const flag = argv[at]!
    if (flag === '--') {
      at++
      break
    }
    if (/^--(login|norc|noprofile|posix)$/.test(flag)) continue
    for (const letter of flag.slice(1)) {
      const option = letter === 'o' ? (argv[++at] as ShellOption) : optionOfLetter(letter)
      if (letter === 'c') wantsCommand = true
      else if (letter === 'i') interactive = true
      else if (option !== undefined) options.push(option)
      else if (!'lsm'.includes(letter)) return { wrong: `illegal option -${letter}` }
    }
  }
  const operands = argv.slice(at)
  if (!wantsCommand) return { options, interactive, command: undefined, operands }
  const [command, ...rest] = operands
  if (command === undefined) return { wrong: '-c requires an argument' }
  return { options, interactive, command, operands: rest }
}

/** A shell of `process` with its environment as exported variables. `name` is `$0`. */
export function shellOf(
  process: Process,
  name: string,
  positional: readonly string[],
  interactive = false,
): Shell {
  const state = new ShellState(name, process.pid, positional)
  for (const [variable, value] of process.env) {
    if (/^[A-Za-z_]\w*$/.test(variable)) {
      state.variables.set(variable, { value, exported: true, readOnly: false })
    }
  }
  for (const [variable, value] of Object.entries(INITIAL_VALUES)) {
    state.variables.set(variable, { value, exported: false, readOnly: false })
  }
  const level = Number(process.env.get('SHLVL') ?? 0) || 0
  state.variables.set('SHLVL', { value: String(level + 1), exported: true, readOnly: false })
  if (!state.variables.has('HOSTNAME')) state.set('HOSTNAME', process.system.hostname)
  state.set('PWD', process.cwd)
  state.variables.set('PPID', { value: String(parentOf(process)), exported: false, readOnly: false })
  if (state.get('PATH') === undefined) {
    state.variables.set('PATH', { value: '/usr/local/bin:/usr/bin:/bin', exported: false, readOnly: false })
  }
  const shell = new Shell(process, state, runList, interactive)
  shell.evaluate = function (this: Shell, source, io, file) {
    return runNested(this, source, io, file)
  }
  importFunctions(shell)
  return shell
}

function parentOf(process: Process): number {
  return process.system.processes().find((row) => row.pid === process.pid)?.ppid ?? 0
}

export const sh: Program = async (process) => {
  const called = process.argv[0] ?? 'sh'
  const name = called.slice(called.lastIndexOf('/') + 1).replace(/^-/, '')
  const invocation = invocationOf(process.argv)
  if ('wrong' in invocation) {
    await process.stderr.write(`${name}: ${invocation.wrong}\n`)
    return 2
  }
  const { command, operands, options } = invocation
  const [first, ...rest] = operands
  if (command !== undefined) return await runText(shellOf(process, first ?? name, rest), command, options)
  if (first === undefined) {
    const interactive = invocation.interactive || process.stdin.isTTY
    const shell = shellOf(process, name, [], interactive)
    if (interactive) {
      shell.state.options.add('histexpand')
      return await shell.runToExit(shell.io, (self, io) => runInteractive(self, io))
    }
    return await runBody(shell, options, (self, io) => runStandardInput(self, io))
  }
  try {
    const text = await readWholeFile(process.system.fs, resolvePath(process.cwd, first))
    const shell = shellOf(process, first, rest)
    shell.state.isScript = true
    return await runText(shell, text, options, first)
  } catch (error) {
    await process.stderr.write(`${name}: can't open '${first}': ${reasonOf(error)}\n`)
    return 2
  }
}

/** Functions that a parent shell exported: `BASH_FUNC_name%%=() { ...}`. */
function importFunctions({ process, state }: Shell): void {
  for (const [variable, value] of process.env) {
    const name = /^BASH_FUNC_(.+)%%$/.exec(variable)?.[1]
    if (name === undefined) continue
    const text = `${name} ${value}`
    const node = parseScript(text).commands[0]?.command
    if (node?.type !== 'Function' || node.body.type === 'CompoundList') continue
    state.functions.set(name, { body: node.body, source: { text, firstLine: 1, name: 'environment' } })
    state.exportedFunctions.set(name, value)
  }
}

async function runText(
  shell: Shell,
  text: string,
  options: readonly ShellOption[],
  name = '',
): Promise<number> {
  const place = name === '' ? { name, input: '-c' } : { name }
  return await runBody(shell, options, (self, io) => runSource(self, text, io, place))
}

async function runBody(
  shell: Shell,
  options: readonly ShellOption[],
  body: (shell: Shell, io: Io) => Promise<number>,
): Promise<number> {
  for (const option of options) shell.state.options.add(option)
  return await shell.runToExit(shell.io, body)
}
