// nl: numbers lines, with logical pages (`\\:\\:\\:`, `\\:\\:`, `\\:`) as POSIX has them.

import type { Program } from '../../posix/process.js'
import { compileRegularExpression } from '../regular-expression.js'
import { inputLines } from './inputs.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'

/** Which lines of a section are numbered. */
function styleOf(text: string): (line: string) => boolean {
  if (text === 'a') return () => true
  if (text === 't') return (line) => line !== ''
  if (text === 'n') return () => false
  if (!text.startsWith('p')) throw new UsageError(`invalid numbering style: '${text}'`)
  const expression = compileRegularExpression(text.slice(1), false)
  return (line) => expression.test(line)
}

const LONG = {
  'body-numbering': 'b',
  'footer-numbering': 'f',
  'header-numbering': 'h',
  'number-format': 'n',
  'number-separator': 's',
  'number-width': 'w',
  'starting-line-number': 'v',
  'line-increment': 'i',
  'no-renumber': 'p',
  'join-blank-lines': 'l',
  'section-delimiter': 'd',
}

export const nl: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'b:f:h:n:s:w:v:i:pl:d:', LONG)
  const width = parseCount(options.value('w') ?? '6')
  const separator = options.value('s') ?? '\t'
  const format = options.value('n') ?? 'rn'
  const start = parseCount(options.value('v') ?? '1')
  const step = parseCount(options.value('i') ?? '1')
  const most = parseCount(options.value('l') ?? '1')
  const delimiter = (options.value('d') ?? '\\:').padEnd(2, ':')
  const sections = [options.value('f') ?? 'n', options.value('b') ?? 't', options.value('h') ?? 'n'].map(
    styleOf,
  )
  let isNumbered = sections[1]!
  let number = start
  let blanks = 0
  let status = 0
  const numberText = () => {
    if (format === 'ln') return String(number).padEnd(width)
    return String(number).padStart(width, format === 'rz' ? '0' : ' ')
  }
  for await (const { text } of inputLines(process, options.operands, () => void (status = 1))) {
    const section = [1, 2, 3].find((times) => text === delimiter.repeat(times))
    if (section !== undefined) {
      isNumbered = sections[section - 1]!
      if (!options.has('p')) number = start
      await process.stdout.write('\n')
      continue
    }
    blanks = text === '' ? blanks + 1 : 0
    const counts = isNumbered(text) && (text !== '' || blanks % most === 0)
    if (!counts) await process.stdout.write(`${' '.repeat(width + separator.length)}${text}\n`)
    else {
      await process.stdout.write(`${numberText()}${separator}${text}\n`)
      number += step
    }
  }
  return status
})
