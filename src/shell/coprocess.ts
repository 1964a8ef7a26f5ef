// `coproc NAME command`: a command in the background whose input and output are descriptors of the shell, their numbers
// in the array NAME (COPROC without one).

import type { Coproc } from 'unbash'
import { Pipe } from '../posix/pipe.js'
import { runCompound } from './compound-command.js'
import { CommandError } from './control-flow.js'
import type { Io, Shell } from './shell.js'
import { runSimpleCommand } from './simple-command.js'

/** Descriptors are taken from here downwards, as bash does. */
const HIGHEST_DESCRIPTOR = 63

export async function startCoprocess(shell: Shell, node: Coproc, io: Io): Promise<number> {
  const { body } = node
  if (body.type === 'CompoundList') throw new CommandError('syntax error: bad coprocess', 2)
  const input = new Pipe()
  const output = new Pipe()
  const streams = { ...io, stdin: input.reader, stdout: output.writer }
  const child = shell.fork(
    [shell.state.name],
    streams,
    (subshell, inner) =>
      body.type === 'Command' ? runSimpleCommand(subshell, body, inner) : runCompound(subshell, body, inner),
    shell.groupAfter(undefined),
  )
  const name = node.name?.value ?? 'COPROC'
  const others = new Map(io.others)
  const reading = free(others)
  others.set(reading, { ...output.reader, close: () => output.closeReading() })
  const writing = free(others)
  others.set(writing, { ...input.writer, close: () => input.endWriting() })
  Object.assign(io, { others })
  shell.state.set(name, [String(reading), String(writing)])
  shell.state.set(`${name}_PID`, String(child.pid))
  shell.addJob(child, shell.source.text.slice(node.pos, node.end))
  shell.atExit.push(() => input.endWriting())
  void child.exited.then(() => {
    output.endWriting()
    input.closeReading()
  })
  return 0
}

function free(others: ReadonlyMap<number, unknown>): number {
  let descriptor = HIGHEST_DESCRIPTOR
  while (others.has(descriptor)) descriptor--
  return descriptor
}
