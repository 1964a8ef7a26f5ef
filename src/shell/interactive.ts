// A shell that takes its commands from standard input, line by line, with more lines while a command is not complete.
// Interactive: prompts, and where there is a terminal lines are edited (line-editor/); ^C gives up the line.

import type { ByteReader } from '../posix/process.js'
import type { TerminalControl } from '../posix/terminal.js'
import { ExitShell, ReturnFromFunction } from './control-flow.js'
import { runSource } from './execution.js'
import { isStopped } from './job-table.js'
import { shellCompleter } from './line-editor/completion.js'
import { rulesOf } from './line-editor/history.js'
import { expandHistory } from './line-editor/history-expansion.js'
import { LineEditor } from './line-editor/line-editor.js'
import { matchesPattern } from './pattern.js'
import { promptText } from './prompt.js'
import { type Io, LineInterrupted, type Shell } from './shell.js'
import { readOneLine } from './streams.js'
import { isInsideQuotes, needsMoreInput, readScript } from './syntax.js'
import { expandQuotedParts } from './word-expansion.js'

/** Returns the status of the last command, or throws ExitShell. */
export async function runInteractive(shell: Shell, io: Io): Promise<number> {
  let warned = false
  for (;;) {
    shell.beginLine()
    try {
      await reportEndedJobs(shell, io)
      const source = await readCommand(shell, io)
      if (source === undefined) {
        if (await staysForJobs(shell, warned, io)) {
          warned = true
          continue
        }
        if (io.stdin.isTTY) await io.stderr.write('exit\n')
        return endJobs(shell)
      }
      setSize(shell, io)
      if (source.trim() !== '') await runSource(shell, source, io)
      warned = false
    } catch (error) {
      if (error instanceof LineInterrupted) shell.state.status = error.status
      else if (error instanceof ReturnFromFunction) shell.state.status = error.status
      else if (error instanceof ExitShell && (await staysForJobs(shell, warned, io))) warned = true
      else {
        endJobs(shell)
        throw error
      }
    }
  }
}

/** The first time that somebody leaves with stopped jobs there is a warning, as bash has it. */
async function staysForJobs(shell: Shell, warned: boolean, io: Io): Promise<boolean> {
  if (warned || !shell.jobs.all.some(isStopped)) return false
  await io.stderr.write('There are stopped jobs.\n')
  shell.state.status = 1
  return true
}

/** What is stopped when the shell ends could never go on: it ends as well. Returns the shell's status. */
function endJobs(shell: Shell): number {
  for (const job of shell.jobs.all.filter(isStopped)) {
    shell.signalJob(job, 'SIGHUP')
    shell.signalJob(job, 'SIGCONT')
  }
  return shell.state.status
}

/** COLUMNS and LINES, as bash keeps them with checkwinsize. */
function setSize(shell: Shell, { stdin: { terminal } }: Io): void {
  if (terminal === undefined) return
  shell.state.set('COLUMNS', String(terminal.columns))
  shell.state.set('LINES', String(terminal.rows))
}

/** Runs the commands of standard input as they come, so that they can read what follows them. */
export async function runStandardInput(shell: Shell, io: Io): Promise<number> {
  let firstLine = 1
  for (;;) {
    const source = await readCommand(shell, io)
    if (source === undefined) return shell.state.status
    const status = await runSource(shell, source, io, { firstLine })
    // Nobody knows where the next command would begin.
    if (readScript(source).error !== undefined) return status
    firstLine += source.split('\n').length - 1
  }
}

/** Shows a prompt and reads one line; undefined at the end of input. */
type LineReader = (prompt: string) => Promise<string | undefined>

/** A complete command, of as many lines as it takes; undefined at the end of input. */
async function readCommand(shell: Shell, io: Io): Promise<string | undefined> {
  const readLine = lineReader(shell, io)
  let source = ''
  if (shell.interactive) await runPromptCommand(shell, io)
  let prompt = await promptOf(shell, 'PS1', '\\w \\$ ', io)
  for (;;) {
    const line = await readLine(prompt)
    if (line === undefined) return source === '' ? undefined : source
    source += `${line}\n`
    if (needsMoreInput(source)) {
      prompt = await promptOf(shell, 'PS2', '> ', io)
      continue
    }
    if (shell.interactive) remember(shell, source)
    shell.commandNumber++
    return source
  }
}

/** A prompt as it is shown: with what its escapes mean, and its variables and commands expanded. */
async function promptOf(shell: Shell, name: string, usual: string, io: Io): Promise<string> {
  if (!shell.interactive) return ''
  const text = promptText(shell, shell.state.get(name) ?? usual)
  return /[$`]/.test(text) ? await expandQuotedParts(shell, shell.partsOf(text), io) : text
}

/** PROMPT_COMMAND: before every prompt of bash, which `$?` does not hear of. */
async function runPromptCommand(shell: Shell, io: Io): Promise<void> {
  if (!shell.isBash) return
  const { status, pipeStatus } = shell.state
  for (const command of shell.state.elements('PROMPT_COMMAND'))
    await runSource(shell, command, io, { input: 'PROMPT_COMMAND' })
  Object.assign(shell.state, { status, pipeStatus })
}

/** A command of several lines is one of the history, put into one line as far as that means the same. */
function remember(shell: Shell, source: string): void {
  const { state } = shell
  const lines = source.trimEnd().split('\n')
  let text = lines[0] ?? ''
  for (const line of lines.slice(1)) text += joint(text) + (joint(text) === '\n' ? line : line.trim())
  const rules = rulesOf(state.get('HISTCONTROL'), state.get('HISTSIZE'))
  const ignored = (state.get('HISTIGNORE') ?? '')
    .split(':')
    .some((pattern) => pattern !== '' && matchesPattern(pattern, text))
  if (!ignored) shell.history.add(text, rules)
}

/** What goes between a line and the next one of the same command. */
function joint(text: string): string {
  if (/<<|\\$/.test(text) || isInsideQuotes(text)) return '\n'
  return /(^|[\s;])(do|then|else|in|\{|\(|!)$|[|&;({]$|\)$/.test(text) ? ' ' : '; '
}

function lineReader(shell: Shell, io: Io): LineReader {
  const reader = shell.ownReader(io.stdin)
  if (shell.interactive && reader.terminal !== undefined)
    return editedLines(shell, io, reader, reader.terminal)
  return async (prompt) => {
    if (shell.interactive) await io.stderr.write(prompt)
    return (await readOneLine(reader))?.text
  }
}

function editedLines(shell: Shell, io: Io, reader: ByteReader, terminal: TerminalControl): LineReader {
  const { history } = shell
  const complete = shellCompleter(shell, () => hostNames(shell))
  const marksPastes = shell.isBash && !['', 'dumb'].includes(shell.state.get('TERM') ?? '')
  const editor = new LineEditor({ reader, writer: io.stderr, terminal, history, complete, marksPastes })
  return async (prompt) => {
    const read = await editor.read(prompt)
    if ('end' in read) {
      if (read.end === 'interrupt') throw new LineInterrupted()
      return undefined
    }
    return await withHistory(shell, read.line, io)
  }
}

/** What `!!` and its like make of a line, which is shown then; one that is not to be run is empty. */
async function withHistory(shell: Shell, line: string, io: Io): Promise<string> {
  if (!shell.isBash || !shell.state.options.has('histexpand') || !/[!^]/.test(line)) return line
  const { lines, first } = shell.history
  const expanded = expandHistory(line, lines, first)
  if ('error' in expanded) {
    await io.stderr.write(`${shell.state.name}: ${expanded.error}\n`)
    throw new LineInterrupted(shell.state.status)
  }
  if (expanded.changed) await io.stderr.write(`${expanded.line}\n`)
  if (!expanded.onlyShown) return expanded.line
  shell.history.add(expanded.line)
  return ''
}

/** What the network knows, or else the Services that the pod's environment names. */
async function hostNames({ process }: Shell): Promise<readonly string[]> {
  const known = await process.system.hostNames?.()
  const services = [...process.env.keys()].flatMap((name) => {
    const service = /^(\w+)_SERVICE_HOST$/.exec(name)?.[1]
    return service === undefined ? [] : [service.toLowerCase().replaceAll('_', '-')]
  })
  return known ?? services
}

async function reportEndedJobs(shell: Shell, io: Io): Promise<void> {
  for (const job of [...shell.jobs.all]) {
    const ended = job.status !== undefined
    if (!ended && (job.told || !isStopped(job))) continue
    await io.stderr.write(shell.jobs.line(job, shell.isBash))
    job.told = true
    if (ended) shell.jobs.forget(job)
  }
}
