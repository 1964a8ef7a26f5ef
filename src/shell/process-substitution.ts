// `<(list)` and `>(list)`: a subshell behind a pipe that has a name, which is what the word becomes. The pipes of a
// command are closed when the command is over, as bash does; the subshell may go on without them.

import type { ProcessSubstitutionPart } from 'unbash'
import { Pipe } from '../posix/pipe.js'
import { CommandError } from './control-flow.js'
import type { Io, Shell } from './shell.js'

/** Starts the subshell; the path that its pipe has, `/dev/fd/63`. CommandError when the list cannot be read. */
export function substituteProcess(shell: Shell, part: ProcessSubstitutionPart, io: Io): string {
  const { script, operator } = part
  if (script === undefined) throw new CommandError(`syntax error: ${part.text}`, 2)
  const { fs } = shell.process.system
  const pipe = new Pipe()
  const streams = operator === '<' ? { ...io, stdout: pipe.writer } : { ...io, stdin: pipe.reader }
  const child = shell.fork([shell.state.name], streams, (subshell, inner) =>
    subshell.runList(subshell, script, inner),
  )
  const path = fs.addPipe(pipe)
  // The subshell's own end.
  void child.exited.then(() => (operator === '<' ? pipe.endWriting() : pipe.closeReading()))
  shell.substitutions.push(() => {
    fs.remove(path)
    if (operator === '<') pipe.closeReading()
    else pipe.endWriting()
  })
  return path
}

/** Closes the pipes that were made since there were `count` of them. */
export function closeSubstitutions(shell: Shell, count: number): void {
  if (shell.substitutions.length === count) return
  for (const close of shell.substitutions.splice(count)) close()
}
