// How a shell tells of a syntax error: ash in one line, bash with the place and the line that it did not understand.

import type { Io, Shell } from './shell.js'
import type { ShellSyntaxError } from './syntax.js'

/** Tells of an error in the text that `shell.source` is. */
export async function reportSyntaxError(shell: Shell, error: ShellSyntaxError, io: Io): Promise<void> {
  if (!shell.isBash) return await shell.complain(io, error.message)
  const { text } = shell.source
  const { problem } = error
  switch (problem.kind) {
    case 'end':
      return await tell(shell, io, lastLine(text) + 1, 'syntax error: unexpected end of file')
    case 'unmatched': {
      // What is inside of `$(` is read as a script, to its end.
      const line =
        text.startsWith('$(', problem.pos) && !text.startsWith('$((', problem.pos)
          ? lastLine(text) + 1
          : lineAt(text, problem.pos)
      return await tell(shell, io, line, `unexpected EOF while looking for matching \`${problem.closing}'`)
    }
    case 'token': {
      const line = lineAt(text, problem.pos)
      await tell(shell, io, line, `syntax error near unexpected token \`${problem.token}'`)
      // At a terminal the line is there to be seen.
      if (shell.interactive && shell.source.input === undefined) return
      await tell(shell, io, line, `\`${text.split('\n')[line - 1]}'`)
    }
  }
}

async function tell(shell: Shell, io: Io, line: number, message: string): Promise<void> {
  const { input, firstLine } = shell.source
  const place = input === undefined ? '' : ` ${input}:`
  const number = shell.interactive && input === undefined ? '' : ` line ${firstLine + line - 1}:`
  await io.stderr.write(`${shell.complainer}:${place}${number} ${message}\n`)
}

function lineAt(text: string, pos: number): number {
  return text.slice(0, pos).split('\n').length
}

/** The number of the last line, whether or not it ends with a newline. */
function lastLine(text: string): number {
  return lineAt(text, text.endsWith('\n') ? text.length - 1 : text.length)
}
