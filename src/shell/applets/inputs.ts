// The inputs of a filter: the files named as operands, `-` and no operand for standard input; a missing file is told
// and the others are still read.

import { resolvePath } from '../../posix/file-system.js'
import type { ByteReader, Process } from '../../posix/process.js'
import { openDevice } from '../device-streams.js'
import { openFile, readLines, reasonOf } from '../streams.js'
import { nameOf } from './options.js'

export interface Input {
  /** As named; `-` for standard input. */
  readonly name: string
  readonly reader: ByteReader
}

/** Opens one after another. `failed` is told of each that cannot be opened, before the message (if it has words). */
export async function* openInputs(
  process: Process,
  names: readonly string[],
  failed: () => void,
  wording: (name: string, reason: string) => string | undefined = (name, reason) => `${name}: ${reason}`,
): AsyncGenerator<Input> {
  for (const name of names.length === 0 ? ['-'] : names) {
    if (name === '-') {
      yield { name, reader: process.stdin }
      continue
    }
    let reader: ByteReader
    try {
      const path = resolvePath(process.cwd, name)
      reader = openDevice(process, path) ?? openFile(process.system.fs, path)
    } catch (error) {
      failed()
      const message = wording(name, reasonOf(error))
      if (message !== undefined) await process.stderr.write(`${nameOf(process)}: ${message}\n`)
      continue
    }
    yield { name, reader }
  }
}

/** The wording of cat, tail and others of busybox. */
export function cannotOpen(name: string, reason: string): string {
  return `can't open '${name}': ${reason}`
}

/** All lines of all inputs, as one stream. */
export async function* inputLines(
  process: Process,
  names: readonly string[],
  failed: () => void,
  wording?: (name: string, reason: string) => string,
  lineEnd = '\n',
): AsyncGenerator<{ text: string; terminated: boolean }> {
  for await (const { reader } of openInputs(process, names, failed, wording))
    yield* readLines(reader, lineEnd)
}
