// What programs need of byte streams beyond read and write: lines, and files as streams.

import { SystemError } from '../base/errors.js'
import type { FileSystem } from '../posix/file-system.js'
import { discardingWriter, emptyReader, readAll, readerOf } from '../posix/pipe.js'
import type { ByteReader, ByteWriter } from '../posix/process.js'
import type { Awaitable } from './awaitable.js'
import { fullWriter } from './device-streams.js'

const NEWLINE = 10

/** What keeping a line costs in memory besides its characters. */
export const LINE_BYTES = 16

/** Lines without what ends them, as they arrive; the last one may lack it (`terminated` false). */
export async function* readLines(
  reader: ByteReader,
  lineEnd = '\n',
): AsyncGenerator<{ text: string; terminated: boolean }> {
  const decoder = new TextDecoder()
  let rest = ''
  for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
    rest += decoder.decode(chunk, { stream: true })
    let start = 0
    for (let end = rest.indexOf(lineEnd); end >= 0; end = rest.indexOf(lineEnd, start)) {
      yield { text: rest.slice(start, end), terminated: true }
      start = end + 1
    }
    rest = rest.slice(start)
  }
  rest += decoder.decode()
  if (rest !== '') yield { text: rest, terminated: false }
}

/** A line without its newline, which the last one of a file may lack. */
export interface Line {
  readonly text: string
  readonly terminated: boolean
}

/** One line and not a byte more: what follows goes back to the stream. undefined at the end. */
export function readOneLine(reader: ByteReader): Awaitable<Line | undefined> {
  const chunk = reader.readAtHand?.()
  if (chunk === undefined) return restOfLine(reader, [])
  const end = chunk.indexOf(NEWLINE)
  if (end < 0) return restOfLine(reader, [chunk])
  reader.unread(chunk.subarray(end + 1))
  return { text: plainDecoder.decode(chunk.subarray(0, end)), terminated: true }
}

async function restOfLine(reader: ByteReader, chunks: Uint8Array[]): Promise<Line | undefined> {
  for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
    const end = chunk.indexOf(NEWLINE)
    if (end < 0) {
      chunks.push(chunk)
      continue
    }
    chunks.push(chunk.subarray(0, end))
    reader.unread(chunk.subarray(end + 1))
    return { text: decode(chunks), terminated: true }
  }
  const text = decode(chunks)
  return text === '' ? undefined : { text, terminated: false }
}

/** For whole texts: it keeps nothing from one to the next. */
const plainDecoder = new TextDecoder()

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder()
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode()
}

/** A file opened for reading: its content at this moment; what comes, of a pipe. */
export function openFile(fs: FileSystem, path: string): ByteReader {
  const pipe = fs.pipeAt(path)
  if (pipe !== undefined) return pipe.reader
  return path === '/dev/null' ? emptyReader() : readerOf(fs.readFile(path).slice())
}

/** All that a file says; of a pipe, all that comes. */
export async function readWholeFile(fs: FileSystem, path: string): Promise<string> {
  return new TextDecoder().decode(await readAll(openFile(fs, path)))
}

/** A file opened for writing, empty unless `append`. Simplified: every write goes to its end. */
export function createFile(fs: FileSystem, path: string, append: boolean): ByteWriter {
  if (path === '/dev/null') return discardingWriter()
  if (path === '/dev/full') return fullWriter()
  const pipe = fs.pipeAt(path)
  if (pipe !== undefined) return pipe.writer
  if (append) fs.appendFile(path, '')
  else fs.writeFile(path, '')
  return {
    isTTY: false,
    write: async (content) => fs.appendFile(path, content),
  }
}

/** A stream that was closed (`>&-`), or that has the wrong direction. */
export function closedWriter(): ByteWriter {
  return { isTTY: false, write: () => Promise.reject(new SystemError('EBADF', 'write')) }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EBADF: 'Bad file descriptor',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EEXIST: 'File exists',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENETUNREACH: 'Network is unreachable',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
  ETIMEDOUT: 'Connection timed out',
  EXDEV: 'Invalid cross-device link',
}

/** strerror(3) of a failed system call; any other error is passed on. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof SystemError) || error.code === 'EPIPE') throw error
  return REASONS[error.code] ?? error.code
}
