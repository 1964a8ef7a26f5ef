// paste: lines of files side by side, or with -s those of each file behind one another. Standard input may be named
// several times (`paste - -`), and gives its lines in turns.

import type { Process, Program } from '../../posix/process.js'
import { LINE_BYTES, readLines } from '../streams.js'
import { openInputs } from './inputs.js'
import { applet, parseOptions } from './options.js'

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '', '\\': '\\' }

/** Delimiters of -d, one for each place in turn; `\\0` is none. */
function delimitersOf(text: string): string[] {
  const list = [...text.matchAll(/\\(.)|([\s\S])/gu)].map(
    ([, escaped, plain]) => plain ?? ESCAPES[escaped!] ?? escaped!,
  )
  return list.length === 0 ? [''] : list
}

/** Sources of lines by name; the same for every `-`. */
async function sourcesOf(process: Process, names: readonly string[], end: string, failed: () => void) {
  const standard = readLines(process.stdin, end)
  const sources: AsyncGenerator<{ text: string }>[] = []
  for (const name of names) {
    if (name === '-') sources.push(standard)
    else
      for await (const { reader } of openInputs(process, [name], failed)) sources.push(readLines(reader, end))
  }
  return sources
}

const LONG = { delimiters: 'd', serial: 's', 'zero-terminated': 'z' }

export const paste: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'sd:z', LONG)
  const delimiters = delimitersOf(options.value('d') ?? '\t')
  const end = options.has('z') ? '\0' : '\n'
  const names = options.operands.length === 0 ? ['-'] : options.operands
  let status = 0
  const sources = await sourcesOf(process, names, end, () => void (status = 1))
  const joined = (cells: readonly string[]) =>
    cells.map((cell, at) => (at === 0 ? cell : delimiters[(at - 1) % delimiters.length]! + cell)).join('') +
    end
  if (options.has('s')) {
    for (const source of sources) {
      const cells: string[] = []
      for await (const { text } of source) {
        process.hold(text.length + LINE_BYTES)
        cells.push(text)
      }
      await process.stdout.write(joined(cells))
    }
    return status
  }
  for (;;) {
    const cells: string[] = []
    let isOver = true
    for (const source of sources) {
      const { value, done } = await source.next()
      if (!done) isOver = false
      cells.push(done ? '' : value.text)
    }
    if (isOver) return status
    await process.stdout.write(joined(cells))
  }
})
