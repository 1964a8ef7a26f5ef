// All lines of some inputs at once, for filters that have to see the last before they write the first.

import type { Process } from '../../posix/process.js'
import { inputLines } from './inputs.js'

export async function linesOf(
  process: Process,
  names: readonly string[],
  failed: () => void,
  lineEnd = '\n',
): Promise<string[]> {
  const lines: string[] = []
  for await (const { text } of inputLines(process, names, failed, undefined, lineEnd)) {
    process.hold(text.length * 2 + 16)
    lines.push(text)
  }
  return lines
}
