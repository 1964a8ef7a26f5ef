// Redirections: from the streams that a command would have to those that it gets, in the order written. Opened
// files need no closing; messages are those of ash.

import type { Redirection } from 'unbash'
import { resolvePath } from '../posix/file-system.js'
import { readerOf } from '../posix/pipe.js'
import type { ByteReader, ByteWriter } from '../posix/process.js'
import { CommandError } from './control-flow.js'
import type { Io, Shell } from './shell.js'
import { closedWriter, createFile, openFile, reasonOf } from './streams.js'
import { expandQuotedParts, expandText } from './word-expansion.js'

/** The streams after `redirections`; throws CommandError when one cannot be made. */
export async function redirect(shell: Shell, redirections: readonly Redirection[], io: Io): Promise<Io> {
  let streams = io
  for (const redirection of redirections) streams = await redirectOne(shell, redirection, streams)
  return streams
}

async function redirectOne(shell: Shell, redirection: Redirection, io: Io): Promise<Io> {
  const descriptor =
    redirection.descriptor?.type === 'FileDescriptor' ? redirection.descriptor.value : undefined
  if (redirection.type === 'HereDoc')
    return withStream(io, descriptor ?? 0, readerOf(await bodyOf(shell, redirection, io)))
  const target = redirection.target === undefined ? '' : await expandText(shell, redirection.target, io)
  if (redirection.type === 'HereString') return withStream(io, descriptor ?? 0, readerOf(`${target}\n`))
  switch (redirection.operator) {
    case '<':
    case '<>':
      return withStream(io, descriptor ?? 0, openForReading(shell, target, io))
    case '>':
    case '>|':
      return withStream(io, descriptor ?? 1, openForWriting(shell, target, false, io))
    case '>>':
      return withStream(io, descriptor ?? 1, openForWriting(shell, target, true, io))
    case '<&':
      return duplicate(io, descriptor ?? 0, target)
    case '>&':
      if (!/^(\d+|-)$/.test(target) && descriptor === undefined) return bothTo(shell, target, false, io)
      return duplicate(io, descriptor ?? 1, target)
    case '&>':
    case '&>>':
      return bothTo(shell, target, redirection.operator === '&>>', io)
  }
}

async function bodyOf(shell: Shell, document: Redirection & { type: 'HereDoc' }, io: Io): Promise<string> {
  const { body, delimiter, operator } = document
  const text = body.parts === undefined ? body.text : await expandQuotedParts(shell, body.parts, io)
  const plain =
    body.parts === undefined && !delimiter?.quoted
      ? text.replace(/\\([$`\\])/g, '$1').replace(/\\\n/g, '')
      : text
  return operator === '<<-' ? plain.replace(/^\t+/gm, '') : plain
}

function openForReading(shell: Shell, path: string, io: Io): ByteReader {
  const special = standardStream(path, io)
  if (special !== undefined) return asReader(special, path)
  try {
    return openFile(shell.process.system.fs, resolvePath(shell.process.cwd, path))
  } catch (error) {
    const reason = reasonOf(error)
    throw new CommandError(
      `can't open ${path}: ${reason === 'No such file or directory' ? 'no such file' : reason}`,
      1,
    )
  }
}

function openForWriting(shell: Shell, path: string, append: boolean, io: Io): ByteWriter {
  const special = standardStream(path, io)
  if (special !== undefined) return asWriter(special, path)
  try {
    return createFile(shell.process.system.fs, resolvePath(shell.process.cwd, path), append)
  } catch (error) {
    const reason = reasonOf(error)
    throw new CommandError(
      `can't create ${path}: ${reason === 'No such file or directory' ? 'nonexistent directory' : reason}`,
      1,
    )
  }
}

function bothTo(shell: Shell, path: string, append: boolean, io: Io): Io {
  const writer = openForWriting(shell, path, append, io)
  return { ...io, stdout: writer, stderr: writer }
}

function standardStream(path: string, io: Io): ByteReader | ByteWriter | undefined {
  switch (path) {
    case '/dev/stdin':
      return io.stdin
    case '/dev/stdout':
      return io.stdout
    case '/dev/stderr':
      return io.stderr
    default: {
      const descriptor = /^\/dev\/fd\/(\d+)$/.exec(path)?.[1]
      return descriptor === undefined ? undefined : streamOf(io, Number(descriptor))
    }
  }
}

function duplicate(io: Io, descriptor: number, target: string): Io {
  if (target === '-') return withStream(io, descriptor, descriptor === 0 ? readerOf('') : closedWriter())
  const stream = /^\d+$/.test(target) ? streamOf(io, Number(target)) : undefined
  if (stream === undefined) throw new CommandError(`${target}: Bad file descriptor`, 1)
  return withStream(io, descriptor, stream)
}

/** The stream behind a file descriptor. */
export function streamOf(io: Io, descriptor: number): ByteReader | ByteWriter | undefined {
  return [io.stdin, io.stdout, io.stderr][descriptor] ?? io.others.get(descriptor)
}

function withStream(io: Io, descriptor: number, stream: ByteReader | ByteWriter): Io {
  if (descriptor === 0) return { ...io, stdin: asReader(stream, '0') }
  if (descriptor === 1) return { ...io, stdout: asWriter(stream, '1') }
  if (descriptor === 2) return { ...io, stderr: asWriter(stream, '2') }
  return { ...io, others: new Map(io.others).set(descriptor, stream) }
}

export function asReader(stream: ByteReader | ByteWriter, name: string): ByteReader {
  if ('read' in stream) return stream
  throw new CommandError(`${name}: Bad file descriptor`, 1)
}

function asWriter(stream: ByteReader | ByteWriter, name: string): ByteWriter {
  if ('write' in stream) return stream
  throw new CommandError(`${name}: Bad file descriptor`, 1)
}
