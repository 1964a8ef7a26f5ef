// Runs the syntax tree: lists, `&&` and `||`, pipelines (every stage a subshell, all at once), background commands.
// Compound commands are in compound-command.ts, simple ones in simple-command.ts.

import type { AndOr, CommandNode, CompoundList, Pipeline, PipelineNode, Script, Statement } from 'unbash'
import { emptyReader, Pipe } from '../posix/pipe.js'
import type { Child } from '../posix/process.js'
import { type Awaitable, andThen, attempt, inTurn } from './awaitable.js'
import { runCompound } from './compound-command.js'
import { AbandonLine, CommandError, ExitShell } from './control-flow.js'
import { startCoprocess } from './coprocess.js'
import { statusOfFailure } from './failure.js'
import { closeSubstitutions } from './process-substitution.js'
import type { Io, Shell } from './shell.js'
import { runSimpleCommand } from './simple-command.js'
import type { Source } from './state.js'
import { readScript } from './syntax.js'
import { reportSyntaxError } from './syntax-report.js'

/** Parses and runs source text in `shell`; a syntax error is told and is status 2. */
export async function runSource(
  shell: Shell,
  text: string,
  io: Io,
  place: Partial<Source> = {},
): Promise<number> {
  const { source, command } = shell
  shell.source = { text, firstLine: 1, name: source.name, ...place }
  shell.command = { pos: 0, end: 0 }
  try {
    const { script, error } = readScript(text)
    if (error === undefined) return await runList(shell, script, io)
    if (script.commands.length > 0) await runList(shell, script, io)
    await reportSyntaxError(shell, error, io)
    return (shell.state.status = 2)
  } finally {
    shell.source = source
    shell.command = command
  }
}

/** As runSource, for text inside of what runs: `eval`, traps, and with a name files. */
export async function runNested(shell: Shell, text: string, io: Io, name?: string): Promise<number> {
  shell.traceDepth++
  try {
    const place = name === undefined ? { firstLine: shell.line, input: 'eval' } : { name }
    return await runSource(shell, text, io, place)
  } finally {
    shell.traceDepth--
  }
}

export function runList(shell: Shell, list: Script | CompoundList, io: Io): Awaitable<number> {
  if (list.type === 'Script') return runScript(shell, list, io)
  return andThen(
    inTurn(list.commands, (statement) =>
      isWithoutExecution(shell) ? undefined : runStatement(shell, statement, io),
    ),
    () => (list.commands.length === 0 ? (shell.state.status = 0) : shell.state.status),
  )
}

/** All of a text that was read: with `set -v` its lines are shown. */
async function runScript(shell: Shell, list: Script, io: Io): Promise<number> {
  const shown = { end: 0 }
  let abandoned = 0
  for (const statement of list.commands) {
    if (statement.pos < abandoned) continue
    if (shell.state.options.has('verbose')) await showSource(shell, statement, shown, io)
    else shown.end = lineEnd(shell.source.text, statement.end)
    if (isWithoutExecution(shell)) return 0
    try {
      await runStatement(shell, statement, io)
    } catch (error) {
      if (!(error instanceof AbandonLine) || shell.state.depth > 0) throw error
      shell.state.status = error.status
      abandoned = lineEnd(shell.source.text, statement.end)
    }
  }
  return list.commands.length === 0 ? (shell.state.status = 0) : shell.state.status
}

/** `set -n` */
function isWithoutExecution({ state, interactive }: Shell): boolean {
  return state.options.has('noexec') && !interactive
}

/** `set -v`: the lines up to the end of `statement` that were not shown yet. */
async function showSource(shell: Shell, statement: Statement, shown: { end: number }, io: Io): Promise<void> {
  const end = lineEnd(shell.source.text, statement.end)
  if (end > shown.end) await io.stderr.write(shell.source.text.slice(shown.end, end))
  shown.end = Math.max(end, shown.end)
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at < 0 ? text.length : at + 1
}

function runStatement(shell: Shell, statement: Statement, io: Io): Awaitable<void> {
  if (statement.background) {
    runInBackground(shell, statement, io)
    shell.state.status = 0
    return
  }
  return andThen(runAndOr(shell, statement.command, io), (status) => {
    shell.state.status = status
  })
}

function runInBackground(shell: Shell, statement: Statement, io: Io): void {
  const { command } = statement
  // POSIX 2.9.3: without job control its standard input is /dev/null.
  const stdin = shell.controlsJobs ? io.stdin : emptyReader()
  const child = shell.fork(
    labelOf(shell, command),
    { ...io, stdin },
    (subshell, inner) => runAndOr(replaceableBy(subshell, command), command, inner),
    shell.groupAfter(undefined),
  )
  const job = shell.addJob(child, textOf(shell, command))
  if (shell.interactive) void io.stderr.write(`[${job.id}] ${child.pid}\n`).catch(() => {})
}

/** A subshell for one simple command makes way for its program, as after fork and exec. */
function replaceableBy(subshell: Shell, command: PipelineNode | AndOr): Shell {
  subshell.replaceable = command.type === 'Command'
  return subshell
}

/** What `jobs` shows. */
function textOf(shell: Shell, { pos, end }: { readonly pos: number; readonly end: number }): string {
  return shell.source.text.slice(pos, end)
}

/** What `ps` shows of a subshell: the words of a simple command, the shell's name for others. */
function labelOf(shell: Shell, node: PipelineNode | AndOr): readonly string[] {
  if (node.type !== 'Command' || node.name === undefined) return [shell.state.name]
  return [node.name.value, ...node.args.map((word) => (word.type === 'Word' ? word.value : word.text))]
}

function runAndOr(shell: Shell, node: PipelineNode | AndOr, io: Io): Awaitable<number> {
  return node.type === 'AndOr' ? runInOrder(shell, node, io) : runPipeline(shell, node, io)
}

async function runInOrder(shell: Shell, node: AndOr, io: Io): Promise<number> {
  let status = 0
  for (const [index, command] of node.commands.entries()) {
    const operator = node.operators[index - 1]
    if (operator !== undefined && (status === 0) !== (operator === '&&')) continue
    const last = index === node.commands.length - 1
    const ended = last ? runPipeline(shell, command, io) : shell.guard(() => runPipeline(shell, command, io))
    status = ended instanceof Promise ? await ended : ended
    shell.state.status = status
  }
  return status
}

function runPipeline(shell: Shell, node: PipelineNode, io: Io): Awaitable<number> {
  if (node.type === 'Pipeline') return runPrefixed(shell, node, io)
  return andThen(runCommand(shell, node, io), (status) => {
    shell.state.pipeStatus = [status]
    return checkStatus(shell, node, status, io)
  })
}

/** A pipeline with `!` or `time` before it, or of several commands. */
async function runPrefixed(shell: Shell, node: Pipeline, io: Io): Promise<number> {
  const negated = node.prefixes.filter((prefix) => prefix.type === 'Negation').length % 2 === 1
  const timed = node.prefixes.some((prefix) => prefix.type === 'Time')
  const posix = node.prefixes.some((prefix) => prefix.type === 'Time' && prefix.posix !== undefined)
  const started = shell.process.system.clock.now()
  const body = () => runStages(shell, node, io)
  const status = await (negated ? shell.guard(body) : body())
  if (timed) await reportTime(shell, started, posix, io)
  if (negated) return status === 0 ? 1 : 0
  return await checkStatus(shell, node, status, io)
}

const BASH_TIMES = '\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS'
const ASH_TIMES = 'real\t%2lR\nuser\t%2lU\nsys\t%2lS'

/** `time`: as TIMEFORMAT says, or in the format of `-p`. Computing is told apart nowhere here: it is all real time. */
async function reportTime(shell: Shell, started: number, posix: boolean, io: Io): Promise<void> {
  const seconds = (shell.process.system.clock.now() - started) / 1_000_000
  const format = posix
    ? 'real %2R\nuser %2U\nsys %2S'
    : (shell.state.get('TIMEFORMAT') ?? (shell.isBash ? BASH_TIMES : ASH_TIMES))
  if (format === '') return
  const text = format.replace(
    /%(%|P|([0-3]?)(l?)([RUS]))/g,
    (_, kind: string, digits: string, long: string, letter: string) => {
      if (kind === '%') return '%'
      if (kind === 'P') return '0.00'
      const value = letter === 'R' ? seconds : 0
      const places = digits === '' ? 3 : Number(digits)
      if (long === '') return value.toFixed(places)
      return `${Math.floor(value / 60)}m${shell.isBash ? '' : ' '}${(value % 60).toFixed(places)}s`
    },
  )
  await io.stderr.write(`${text}\n`)
}

/** A failure that nobody looks at: runs the trap of ERR, and ends the shell under `set -e` (POSIX 2.14). */
function checkStatus(shell: Shell, node: PipelineNode, status: number, io: Io): Awaitable<number> {
  return status === 0 || shell.guarded > 0 ? status : failedStatus(shell, node, status, io)
}

async function failedStatus(shell: Shell, node: PipelineNode, status: number, io: Io): Promise<number> {
  const ends = shell.state.options.has('errexit')
  if (!ends && !shell.state.traps.has('ERR')) return status
  const checked = node.type === 'Command' || node.type === 'Pipeline' || node.type === 'Subshell'
  if (checked || node.type === 'TestCommand' || node.type === 'ArithmeticCommand') {
    shell.state.status = status
    await shell.runTrap('ERR', io)
    if (ends) throw new ExitShell(status)
  }
  return status
}

async function runStages(shell: Shell, node: Pipeline, io: Io): Promise<number> {
  const [only] = node.commands
  if (node.commands.length === 0) return 0
  if (node.commands.length === 1 && only !== undefined) return await runCommand(shell, only, io)
  const pipes = node.operators.map(() => new Pipe())
  const children: Child[] = []
  const last = shell.state.extras.has('lastpipe') && !shell.controlsJobs ? node.commands.length - 1 : -1
  for (const [index, command] of node.commands.entries()) {
    if (index === last) break
    const before = pipes[index - 1]
    const after = pipes[index]
    const stdout = after?.writer ?? io.stdout
    const stderr = node.operators[index] === '|&' ? stdout : io.stderr
    const streams = { ...io, stdin: before?.reader ?? io.stdin, stdout, stderr }
    const child = shell.fork(
      labelOf(shell, command),
      streams,
      (subshell, inner) => checkedCommand(replaceableBy(subshell, command), command, inner),
      shell.groupAfter(children[0]),
    )
    children.push(child)
    void child.exited.then(() => {
      before?.closeReading()
      after?.endWriting()
    })
  }
  const statuses: number[] = []
  if (last > 0) {
    // shopt -s lastpipe: the last command runs in the shell itself.
    const reader = pipes[last - 1]!.reader
    const status = await runCommand(shell, node.commands[last]!, { ...io, stdin: reader })
    pipes[last - 1]!.closeReading()
    statuses.push(...(await shell.waitPipeline(children)), status)
  } else statuses.push(...(await shell.waitPipeline(children, textOf(shell, node), io)))
  shell.state.pipeStatus = statuses
  if (shell.state.options.has('pipefail')) return statuses.findLast((status) => status !== 0) ?? 0
  return statuses.at(-1)!
}

async function checkedCommand(shell: Shell, command: CommandNode, io: Io): Promise<number> {
  return await checkStatus(shell, command, await runCommand(shell, command, io), io)
}

/** Runs one command of any kind; failures of the shell itself become messages and a status here. */
export function runCommand(shell: Shell, node: CommandNode, io: Io): Awaitable<number> {
  const substitutions = shell.substitutions.length
  shell.command = node
  return attempt(
    () => runNode(shell, node, io),
    (error) => statusOfFailure(shell, error, io),
    () => closeSubstitutions(shell, substitutions),
  )
}

function runNode(shell: Shell, node: CommandNode, io: Io): Awaitable<number> {
  switch (node.type) {
    case 'Command':
      return runSimpleCommand(shell, node, io)
    case 'Function':
      if (node.body.type === 'CompoundList') throw new CommandError('syntax error: bad function', 2)
      shell.state.functions.set(node.name.value, { body: node.body, source: shell.source })
      return 0
    case 'Coproc':
      return startCoprocess(shell, node, io)
    default:
      return runCompound(shell, node, io)
  }
}
