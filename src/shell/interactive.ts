// A shell that takes its commands from standard input, line by line, with more lines while a command is not complete.
// Interactive: prompts (the terminal's line discipline does echo and editing), ^C gives up the line.

import { jobLine } from './builtins/jobs.js'
import { ExitShell, ReturnFromFunction } from './control-flow.js'
import { type Io, LineInterrupted, type Shell } from './shell.js'
import { readOneLine } from './streams.js'
import { needsMoreInput, parseScript } from './syntax.js'

/** Returns the status of the last command, or throws ExitShell. */
export async function runInteractive(shell: Shell, io: Io): Promise<number> {
  for (;;) {
    shell.beginLine()
    try {
      await reportEndedJobs(shell, io)
      const source = await readCommand(shell, io)
      if (source === undefined) {
        if (io.stdin.isTTY) await io.stderr.write('exit\n')
        return shell.state.status
      }
      setSize(shell, io)
      if (source.trim() !== '') await shell.evaluate(source, io)
    } catch (error) {
      if (error instanceof LineInterrupted) shell.state.status = 130
      else if (error instanceof ReturnFromFunction) shell.state.status = error.status
      else if (error instanceof ExitShell) throw error
      else throw error
    }
  }
}

/** COLUMNS and LINES, as bash keeps them with checkwinsize. */
function setSize(shell: Shell, { stdin: { terminal } }: Io): void {
  if (terminal === undefined) return
  shell.state.set('COLUMNS', String(terminal.columns))
  shell.state.set('LINES', String(terminal.rows))
}

/** Runs the commands of standard input as they come, so that they can read what follows them. */
export async function runStandardInput(shell: Shell, io: Io): Promise<number> {
  for (;;) {
    const source = await readCommand(shell, io)
    if (source === undefined) return shell.state.status
    const script = parseScript(source)
    await shell.runList(shell, script, io)
  }
}

/** A complete command, of as many lines as it takes; undefined at the end of input. */
async function readCommand(shell: Shell, io: Io): Promise<string | undefined> {
  const prompt = async (name: string, usual: string) => {
    if (shell.interactive) await io.stderr.write(promptText(shell, shell.state.get(name) ?? usual))
  }
  await prompt('PS1', '\\w \\$ ')
  let source = ''
  for (;;) {
    const line = await readOneLine(shell.ownReader(io.stdin))
    if (line === undefined) return source === '' ? undefined : source
    source += `${line.text}\n`
    if (!needsMoreInput(source)) return source
    await prompt('PS2', '> ')
  }
}

async function reportEndedJobs(shell: Shell, io: Io): Promise<void> {
  for (const job of [...shell.jobs]) {
    if (job.status === undefined) continue
    await io.stderr.write(jobLine(shell, job))
    shell.jobs.splice(shell.jobs.indexOf(job), 1)
  }
}

/** PS1's escapes: \u \h \H \w \W \$ \n \s \e \[ \] and octal characters. */
export function promptText(shell: Shell, prompt: string): string {
  const { process, state } = shell
  const home = state.get('HOME')
  const tilde =
    home !== undefined && home !== '/' && (process.cwd === home || process.cwd.startsWith(`${home}/`))
  const shown = tilde ? `~${process.cwd.slice(home.length)}` : process.cwd
  return prompt.replace(/\\([0-7]{3}|.)/gs, (sequence, code: string) => {
    switch (code) {
      case 'u':
        return state.get('USER') ?? 'root'
      case 'h':
        return process.system.hostname.split('.')[0]!
      case 'H':
        return process.system.hostname
      case 'w':
        return shown
      case 'W':
        return shown === '/' ? '/' : shown.slice(shown.lastIndexOf('/') + 1)
      case '$':
        return '#'
      case 's':
        return state.name
      case 'n':
        return '\n'
      case 'e':
        return '\x1b'
      case '[':
      case ']':
        return ''
      default:
        return /^[0-7]{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : sequence
    }
  })
}
