// sort(1), in memory: what is compared is in sort-keys.ts. How much memory and how many
// processors it may take (-S, --parallel) changes nothing. Not supported: files larger than memory.

import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { LINE_BYTES, readLines } from '../streams.js'
import { openInputs } from './inputs.js'
import { applet, type Options, parseOptions, UsageError } from './options.js'
import { compareTexts, comparison, keyText, ORDER_LETTERS, parseSortKey } from './sort-keys.js'

const LONG = {
  check: 'c',
  'dictionary-order': 'd',
  'field-separator': 't',
  'general-numeric-sort': 'g',
  'human-numeric-sort': 'h',
  'ignore-case': 'f',
  'ignore-leading-blanks': 'b',
  key: 'k',
  merge: 'm',
  'month-sort': 'M',
  parallel: '1',
  'buffer-size': 'S',
  'temporary-directory': 'T',
  debug: '2',
  sort: '3',
  'numeric-sort': 'n',
  output: 'o',
  'random-sort': 'R',
  reverse: 'r',
  stable: 's',
  unique: 'u',
  'version-sort': 'V',
  'zero-terminated': 'z',
}

type Comparison = (a: string, b: string) => number

/** By the keys alone: 0 is what -u takes for the same. */
function keyComparison(options: Options, chance: () => number): Comparison {
  const named = options.given.filter(({ letter }) => letter === '3').map(({ value }) => orderNamed(value))
  const global = [...ORDER_LETTERS].filter((letter) => options.has(letter) || named.includes(letter)).join('')
  const given = options.given.filter(({ letter }) => letter === 'k').map(({ value }) => parseSortKey(value))
  const separator = options.value('t')
  if (separator !== undefined && separator.length !== 1)
    throw new UsageError(separator === '' ? 'empty tab' : `multi-character tab '${separator}'`, 2)
  const compare = (letters: string) => (letters.includes('R') ? random(chance) : comparison(letters))
  if (given.length === 0) return compare(global)
  const keys = given.map((key) => {
    const letters = key.letters === '' ? global : key.letters
    return { key: { ...key, letters }, order: compare(letters) }
  })
  return (a, b) => {
    for (const { key, order } of keys) {
      const result = order(keyText(a, key, separator), keyText(b, key, separator))
      if (result !== 0) return result
    }
    return 0
  }
}

/** The letter of `--sort=WORD`. */
function orderNamed(word: string): string {
  const words = { general: 'g', human: 'h', month: 'M', numeric: 'n', random: 'R', version: 'V' } as const
  const found = Object.entries(words).find(
    ([name]) => word !== '' && name.startsWith(word.replace(/-numeric$/, '')),
  )
  if (found === undefined) throw new UsageError(`invalid argument '${word}' for '--sort'`, 2)
  return found[1]
}

/** -R: same texts stay together. */
function random(chance: () => number): Comparison {
  const drawn = new Map<string, number>()
  const place = (text: string) => {
    const known = drawn.get(text) ?? chance()
    drawn.set(text, known)
    return known
  }
  return (a, b) => place(a) - place(b)
}

async function readAllLines(process: Process, options: Options, failed: () => void): Promise<string[]> {
  const lines: string[] = []
  for await (const { reader } of openInputs(process, options.operands, failed)) {
    if (options.has('z')) {
      const texts = new TextDecoder().decode(await readAll(reader, process.hold)).split('\0')
      if (texts.at(-1) === '') texts.pop()
      for (const text of texts) lines.push(text)
      continue
    }
    for await (const { text } of readLines(reader)) {
      process.hold(text.length + LINE_BYTES)
      lines.push(text)
    }
  }
  return lines
}

export const sort: Program = applet(async (process, args) => {
  const options = parseOptions(args, `${ORDER_LETTERS}uk:t:o:sc::Cmz1:S:T:23:`, LONG)
  const { random: source } = process.system
  const byKeys = keyComparison(options, () => source.float())
  const isUnique = options.has('u')
  const lastResort: Comparison =
    isUnique || options.has('s') ? () => 0 : options.has('r') ? (a, b) => compareTexts(b, a) : compareTexts
  const compare: Comparison = (a, b) => byKeys(a, b) || lastResort(a, b)
  let status = 0
  const lines = await readAllLines(process, options, () => (status = 2))
  if (options.has('c') || options.has('C')) {
    if (status !== 0) return status
    const at = lines.findIndex((line, index) => {
      const order = index === 0 ? -1 : compare(lines[index - 1]!, line)
      return order > 0 || (isUnique && order === 0)
    })
    if (at < 0) return 0
    if (!options.has('C'))
      await process.stderr.write(`sort: ${options.operands[0] ?? '-'}:${at + 1}: disorder: ${lines[at]}\n`)
    return 1
  }
  lines.sort(compare)
  const kept = isUnique ? lines.filter((line, at) => at === 0 || byKeys(lines[at - 1]!, line) !== 0) : lines
  const end = options.has('z') ? '\0' : '\n'
  const text = kept.map((line) => `${line}${end}`).join('')
  const file = options.value('o')
  if (file === undefined) await process.stdout.write(text)
  else process.system.fs.writeFile(resolvePath(process.cwd, file), text)
  return status
})
