// Redirections: from the streams that a command would have to those that it gets, in the order written. Opened
// files need no closing; messages are those of ash.

import type { Redirection } from 'unbash'
import { SystemError } from '../base/errors.js'
import { resolvePath } from '../posix/file-system.js'
import { ResolveError } from '../posix/net.js'
import { readerOf } from '../posix/pipe.js'
import type { ByteReader, ByteWriter } from '../posix/process.js'
import { assignReference, parseReference } from './assignment.js'
import type { Awaitable } from './awaitable.js'
import { CommandError } from './control-flow.js'
import { type DuplexStream, networkPath, openConnection, openDevice, openForBoth } from './device-streams.js'
import type { Io, Shell } from './shell.js'
import { variableValue } from './special-variables.js'
import { closedWriter, createFile, openFile, reasonOf } from './streams.js'
import { elementOf, textOf } from './variable.js'
import { expandFields, expandQuotedParts, expandText } from './word-expansion.js'

/** The streams after `redirections`; throws CommandError when one cannot be made. */
export function redirect(shell: Shell, redirections: readonly Redirection[], io: Io): Awaitable<Io> {
  return redirections.length === 0 ? io : redirectInTurn(shell, redirections, io)
}

async function redirectInTurn(shell: Shell, redirections: readonly Redirection[], io: Io): Promise<Io> {
  let streams = io
  for (const redirection of redirections) streams = await redirectOne(shell, redirection, streams)
  return streams
}

async function redirectOne(shell: Shell, redirection: Redirection, io: Io): Promise<Io> {
  const target = await targetOf(shell, redirection, io)
  const descriptor = await descriptorOf(shell, redirection, target, io)
  if (redirection.type === 'HereDoc') {
    return withStream(io, descriptor ?? 0, readerOf(await bodyOf(shell, redirection, io)))
  }
  if (redirection.type === 'HereString') return withStream(io, descriptor ?? 0, readerOf(`${target}\n`))
  const connection = await connectionOf(shell, target, io)
  switch (redirection.operator) {
    case '<':
      return withStream(io, descriptor ?? 0, connection ?? openForReading(shell, target, io))
    case '<>':
      return withStream(io, descriptor ?? 0, connection ?? openBoth(shell, target, io))
    case '>':
      refuseToOverwrite(shell, target)
      return withStream(io, descriptor ?? 1, connection ?? openForWriting(shell, target, false, io))
    case '>|':
      return withStream(io, descriptor ?? 1, connection ?? openForWriting(shell, target, false, io))
    case '>>':
      return withStream(io, descriptor ?? 1, connection ?? openForWriting(shell, target, true, io))
    case '<&':
      return duplicate(io, descriptor ?? 0, target)
    case '>&':
      if (!/^(\d+-?|-)$/.test(target) && descriptor === undefined) return bothTo(shell, target, false, io)
      return duplicate(io, descriptor ?? 1, target)
    case '&>':
    case '&>>':
      return bothTo(shell, target, redirection.operator === '&>>', io)
  }
}

/** What a redirection leads to: in bash exactly one word, however it was made. */
async function targetOf(shell: Shell, redirection: Redirection, io: Io): Promise<string> {
  if (redirection.type === 'HereDoc' || redirection.target === undefined) return ''
  const { target } = redirection
  if (!shell.isBash || redirection.type === 'HereString' || !/[$`*?[{]/.test(target.text)) {
    return await expandText(shell, target, io)
  }
  const fields = await expandFields(shell, [target], io)
  if (fields.length !== 1) throw new CommandError(`${target.text}: ambiguous redirect`, 1)
  return fields[0]!
}

/** Where `{name}>file` begins to look for a free descriptor. */
const FIRST_NAMED_DESCRIPTOR = 10

/** The number in front; for `{name}` a free one, which the variable then has, or, to close it, the one that it has. */
async function descriptorOf(
  shell: Shell,
  { descriptor }: Redirection,
  target: string,
  io: Io,
): Promise<number | undefined> {
  if (descriptor === undefined || descriptor.type === 'FileDescriptor') return descriptor?.value
  const { name } = descriptor
  if (target === '-') {
    const reference = parseReference(name)
    const key = reference?.subscript
    const value = reference && variableValue(shell, reference.name)
    const text = key === undefined ? textOf(value) : elementOf(value, key)
    if (text === undefined) throw new CommandError(`${name}: ambiguous redirect`, 1)
    return Number(text)
  }
  let free = FIRST_NAMED_DESCRIPTOR
  while (io.others.has(free)) free++
  await assignReference(shell, name, String(free), io)
  return free
}

/** `/dev/tcp/HOST/PORT` is a connection of the shell's own process. */
async function connectionOf(shell: Shell, target: string, io: Io): Promise<DuplexStream | undefined> {
  const place = networkPath(target)
  if (place === undefined || !shell.isBash) return undefined
  try {
    const connection = await shell.wait(openConnection(shell.process, place))
    shell.substitutions.push(() => connection.close?.())
    return connection
  } catch (error) {
    if (error instanceof ResolveError) {
      await shell.complain(io, `${place.host}: Name or service not known`)
      throw new CommandError(`${target}: Invalid argument`, 1)
    }
    if (!(error instanceof SystemError)) throw error
    await shell.complain(io, `connect: ${reasonOf(error)}`)
    throw new CommandError(`${target}: ${reasonOf(error)}`, 1)
  }
}

function openBoth(shell: Shell, path: string, io: Io): ByteReader | ByteWriter {
  const special = standardStream(path, io)
  if (special !== undefined) return special
  try {
    return openForBoth(shell.process.system.fs, resolvePath(shell.process.cwd, path))
  } catch (error) {
    throw new CommandError(`${path}: ${reasonOf(error)}`, 1)
  }
}

/** `set -C` */
function refuseToOverwrite(shell: Shell, path: string): void {
  if (!shell.state.options.has('noclobber')) return
  const { fs } = shell.process.system
  const full = resolvePath(shell.process.cwd, path)
  if (fs.exists(full) && fs.stat(full).type === 'file') {
    throw new CommandError(`${path}: cannot overwrite existing file`, 1)
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
    if (path === '') throw new SystemError('ENOENT', 'open')
    const full = resolvePath(shell.process.cwd, path)
    return openDevice(shell.process, full) ?? openFile(shell.process.system.fs, full)
  } catch (error) {
    const reason = reasonOf(error)
    if (shell.isBash) throw new CommandError(`${path}: ${reason}`, 1)
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
    if (path === '') throw new SystemError('ENOENT', 'open')
    return createFile(shell.process.system.fs, resolvePath(shell.process.cwd, path), append)
  } catch (error) {
    const reason = reasonOf(error)
    if (shell.isBash) throw new CommandError(`${path}: ${reason}`, 1)
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
  if (target === '-') {
    if (descriptor <= 2) return withStream(io, descriptor, descriptor === 0 ? readerOf('') : closedWriter())
    const others = new Map(io.others)
    others.delete(descriptor)
    return { ...io, others }
  }
  const stream = /^\d+-?$/.test(target) ? streamOf(io, Number.parseInt(target, 10)) : undefined
  if (stream === undefined) throw new CommandError(`${target}: Bad file descriptor`, 1)
  const copied = withStream(io, descriptor, stream)
  // `3>&4-` moves it.
  return target.endsWith('-') ? duplicate(copied, Number.parseInt(target, 10), '-') : copied
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

/** Gives up what no descriptor leads to any more, after `exec` changed them. */
export function closeUnreferenced(before: Io, after: Io): void {
  const kept = new Set([after.stdin, after.stdout, after.stderr, ...after.others.values()])
  for (const stream of before.others.values()) if (!kept.has(stream)) stream.close?.()
}
