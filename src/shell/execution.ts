// Runs the syntax tree: lists, `&&` and `||`, pipelines (every stage a subshell, all at once), background commands.
// Compound commands are in compound-command.ts, simple ones in simple-command.ts.

import type { AndOr, CommandNode, CompoundList, Pipeline, PipelineNode, Script, Statement } from 'unbash'
import { SystemError } from '../base/errors.js'
import { emptyReader, Pipe } from '../posix/pipe.js'
import type { Child } from '../posix/process.js'
import { runCompound } from './compound-command.js'
import { CommandError, ExitShell } from './control-flow.js'
import { closeSubstitutions } from './process-substitution.js'
import type { Io, Shell } from './shell.js'
import { runSimpleCommand } from './simple-command.js'
import { ReadOnlyVariable } from './state.js'
import { parseScript, ShellSyntaxError } from './syntax.js'

const BROKEN_PIPE_STATUS = 141

/** Parses and runs source text in `shell`; a syntax error is told and is status 2. */
export async function runSource(shell: Shell, source: string, io: Io): Promise<number> {
  try {
    return await runList(shell, parseScript(source), io)
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error
    await shell.complain(io, error.message)
    return (shell.state.status = 2)
  }
}

export async function runList(shell: Shell, list: Script | CompoundList, io: Io): Promise<number> {
  for (const statement of list.commands) await runStatement(shell, statement, io)
  return list.commands.length === 0 ? (shell.state.status = 0) : shell.state.status
}

async function runStatement(shell: Shell, statement: Statement, io: Io): Promise<void> {
  if (statement.background) {
    runInBackground(shell, statement, io)
    shell.state.status = 0
    return
  }
  shell.state.status = await runAndOr(shell, statement.command, io)
}

function runInBackground(shell: Shell, statement: Statement, io: Io): void {
  const { command } = statement
  // POSIX 2.9.3: without job control its standard input is /dev/null.
  const child = shell.fork(labelOf(shell, command), { ...io, stdin: emptyReader() }, (subshell, inner) =>
    runAndOr(replaceableBy(subshell, command), command, inner),
  )
  const job = shell.addJob(child, labelOf(shell, command).join(' '))
  if (shell.interactive) void io.stderr.write(`[${job.id}] ${child.pid}\n`).catch(() => {})
}

/** A subshell for one simple command makes way for its program, as after fork and exec. */
function replaceableBy(subshell: Shell, command: PipelineNode | AndOr): Shell {
  subshell.replaceable = command.type === 'Command'
  return subshell
}

/** What `ps` and `jobs` show of a subshell: the words of a simple command, the shell's name for others. */
function labelOf(shell: Shell, node: PipelineNode | AndOr): readonly string[] {
  if (node.type !== 'Command' || node.name === undefined) return [shell.state.name]
  return [node.name.value, ...node.args.map((word) => (word.type === 'Word' ? word.value : word.text))]
}

async function runAndOr(shell: Shell, node: PipelineNode | AndOr, io: Io): Promise<number> {
  if (node.type !== 'AndOr') return await runPipeline(shell, node, io)
  let status = 0
  for (const [index, command] of node.commands.entries()) {
    const operator = node.operators[index - 1]
    if (operator !== undefined && (status === 0) !== (operator === '&&')) continue
    const last = index === node.commands.length - 1
    status = await (last
      ? runPipeline(shell, command, io)
      : shell.guard(() => runPipeline(shell, command, io)))
    shell.state.status = status
  }
  return status
}

async function runPipeline(shell: Shell, node: PipelineNode, io: Io): Promise<number> {
  if (node.type !== 'Pipeline') return await checkStatus(shell, node, await runCommand(shell, node, io))
  const negated = node.prefixes.filter((prefix) => prefix.type === 'Negation').length % 2 === 1
  const timed = node.prefixes.some((prefix) => prefix.type === 'Time')
  const started = shell.process.system.clock.now()
  const body = () => runStages(shell, node, io)
  const status = await (negated ? shell.guard(body) : body())
  if (timed) await reportTime(shell, started, io)
  if (negated) return status === 0 ? 1 : 0
  return await checkStatus(shell, node, status)
}

async function reportTime(shell: Shell, started: number, io: Io): Promise<void> {
  const seconds = (shell.process.system.clock.now() - started) / 1_000_000
  const text = (value: number) => `${Math.floor(value / 60)}m ${(value % 60).toFixed(2)}s`
  await io.stderr.write(`real\t${text(seconds)}\nuser\t${text(0)}\nsys\t${text(0)}\n`)
}

/** errexit (POSIX 2.14, set -e): a failure that nobody looks at ends the shell. */
async function checkStatus(shell: Shell, node: PipelineNode, status: number): Promise<number> {
  if (status === 0 || shell.guarded > 0 || !shell.state.options.has('errexit')) return status
  const checked = node.type === 'Command' || node.type === 'Pipeline' || node.type === 'Subshell'
  if (checked || node.type === 'TestCommand' || node.type === 'ArithmeticCommand') throw new ExitShell(status)
  return status
}

async function runStages(shell: Shell, node: Pipeline, io: Io): Promise<number> {
  const [only] = node.commands
  if (node.commands.length === 0) return 0
  if (node.commands.length === 1 && only !== undefined) return await runCommand(shell, only, io)
  const pipes = node.operators.map(() => new Pipe())
  const children: Child[] = []
  for (const [index, command] of node.commands.entries()) {
    const before = pipes[index - 1]
    const after = pipes[index]
    const stdout = after?.writer ?? io.stdout
    const stderr = node.operators[index] === '|&' ? stdout : io.stderr
    const streams = { ...io, stdin: before?.reader ?? io.stdin, stdout, stderr }
    const child = shell.fork(labelOf(shell, command), streams, (subshell, inner) =>
      checkedCommand(replaceableBy(subshell, command), command, inner),
    )
    children.push(child)
    void child.exited.then(() => {
      before?.closeReading()
      after?.endWriting()
    })
  }
  const statuses = await Promise.all(children.map((child) => shell.waitForeground(child)))
  if (shell.state.options.has('pipefail')) return statuses.findLast((status) => status !== 0) ?? 0
  return statuses.at(-1)!
}

async function checkedCommand(shell: Shell, command: CommandNode, io: Io): Promise<number> {
  return await checkStatus(shell, command, await runCommand(shell, command, io))
}

/** Runs one command of any kind; failures of the shell itself become messages and a status here. */
export async function runCommand(shell: Shell, node: CommandNode, io: Io): Promise<number> {
  const substitutions = shell.substitutions.length
  try {
    switch (node.type) {
      case 'Command':
        return await runSimpleCommand(shell, node, io)
      case 'Function':
        if (node.body.type === 'CompoundList') throw new CommandError('syntax error: bad function', 2)
        shell.state.functions.set(node.name.value, node.body)
        return 0
      case 'Coproc':
        throw new CommandError('coproc: not supported', 2)
      default:
        return await runCompound(shell, node, io)
    }
  } catch (error) {
    return await statusOfFailure(shell, error, io)
  } finally {
    closeSubstitutions(shell, substitutions)
  }
}

async function statusOfFailure(shell: Shell, error: unknown, io: Io): Promise<number> {
  if (
    error instanceof CommandError ||
    error instanceof ReadOnlyVariable ||
    error instanceof ShellSyntaxError
  ) {
    await shell.complain(io, error.message)
    const status = error instanceof CommandError ? error.status : 2
    const fatal = !(error instanceof CommandError) || error.fatal
    if (fatal && !shell.interactive) throw new ExitShell(status)
    return status
  }
  if (error instanceof SystemError) {
    // A write of the shell itself to a pipe without a reader: SIGPIPE.
    if (error.code === 'EPIPE') throw new ExitShell(BROKEN_PIPE_STATUS)
    if (error.syscall === 'fork') {
      await shell.complain(io, "can't fork: Resource temporarily unavailable")
      throw new ExitShell(2)
    }
    await shell.complain(io, `write error: ${error.message}`)
    return 1
  }
  throw error
}
