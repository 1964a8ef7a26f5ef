// xargs: builds command lines of what comes in, and runs them, several at once with -P. Simplified: all input is read
// before the first command starts.

import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { readWholeFile, reasonOf } from '../streams.js'
import { confirmed } from './confirmation.js'
import { applet, type Options, parseCount, parseOptions, UsageError } from './options.js'
import { runCommand } from './system.js'

const SPECIFICATION = '+n:I:0rtpxP:L:l::i::d:s:E:e::a:'
const LONG = {
  null: '0',
  'max-args': 'n',
  replace: 'i',
  'no-run-if-empty': 'r',
  verbose: 't',
  'max-procs': 'P',
  'max-lines': 'l',
  delimiter: 'd',
  'max-chars': 's',
  'arg-file': 'a',
  interactive: 'p',
  exit: 'x',
  eof: 'e',
}

/** What the arguments of one command may take, as GNU has it. */
const MOST_BYTES = 131_072

/** A word, and the line it ends when it is the last of one. */
interface Item {
  readonly text: string
  readonly endsLine: boolean
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '\\': '\\', r: '\r' }

/** Words with quotes and backslashes; a blank at its end continues a line. Throws UsageError. */
function wordsOf(text: string): Item[] {
  const items: Item[] = []
  for (const line of text.replace(/[ \t]\n+/g, ' ').split('\n')) {
    const words: string[] = []
    let rest = line.replace(/^[ \t]+/, '')
    while (rest !== '') {
      const word = /^(?:"[^"]*"|'[^']*'|\\[\s\S]|[^\s"'\\])+/.exec(rest)?.[0]
      if (word === undefined || /^["']/.test(rest.slice(word.length))) {
        const quote = rest[word?.length ?? 0] === '"' ? 'double' : 'single'
        throw new UsageError(
          `unmatched ${quote} quote; by default quotes are special to xargs unless you use the -0 option`,
        )
      }
      words.push(
        word.replace(
          /"([^"]*)"|'([^']*)'|\\([\s\S])/g,
          (_, double, single, escaped) => double ?? single ?? escaped ?? '',
        ),
      )
      rest = rest.slice(word.length).replace(/^[ \t\r\v\f]+/, '')
    }
    for (const [at, word] of words.entries()) items.push({ text: word, endsLine: at === words.length - 1 })
  }
  return items
}

function itemsOf(text: string, options: Options): Item[] {
  const delimiter = options.has('0')
    ? '\0'
    : options.value('d')?.replace(/^\\(.)$/, (_, letter: string) => ESCAPES[letter] ?? letter)
  if (delimiter !== undefined) {
    const items = text.split(delimiter)
    if (items.at(-1) === '') items.pop()
    return items.map((item) => ({ text: item, endsLine: true }))
  }
  const all = options.has('I') || options.has('i') ? linesOf(text) : wordsOf(text)
  const end = options.value('E') ?? options.value('e')
  const at = end === undefined ? -1 : all.findIndex((item) => item.text === end)
  return at < 0 ? all : all.slice(0, at)
}

/** Lines without the blanks before them, for -I. */
function linesOf(text: string): Item[] {
  return text
    .split('\n')
    .map((line) => ({
      text: line.replace(/^[ \t]+/, '').replace(/"([^"]*)"|'([^']*)'|\\(.)/g, '$1$2$3'),
      endsLine: true,
    }))
    .filter((line) => line.text !== '')
}

/** The command lines to run, one after the other. */
function invocationsOf(items: readonly Item[], options: Options): string[][] {
  const command = options.operands.length === 0 ? ['echo'] : [...options.operands]
  const replaced = options.has('I')
    ? options.value('I')!
    : options.has('i')
      ? options.value('i') || '{}'
      : undefined
  if (replaced !== undefined)
    return items.map(({ text }) => command.map((word) => word.replaceAll(replaced, text)))
  if (items.length === 0) return options.has('r') ? [] : [command]
  const mostItems = options.has('n') ? parseCount(options.value('n')!) : Number.POSITIVE_INFINITY
  const lines = options.value('L') ?? (options.has('l') ? options.value('l') || '1' : undefined)
  const mostLines = lines === undefined ? Number.POSITIVE_INFINITY : parseCount(lines)
  const mostBytes = parseCount(options.value('s') ?? String(MOST_BYTES))
  const own = command.reduce((sum, word) => sum + word.length + 1, 0)
  const invocations: string[][] = []
  let [argv, bytes, lineCount, count] = [[...command], own, 0, 0]
  const finish = () => {
    if (count > 0) invocations.push(argv)
    ;[argv, bytes, lineCount, count] = [[...command], own, 0, 0]
  }
  for (const { text, endsLine } of items) {
    if (bytes + text.length + 1 > mostBytes) finish()
    argv.push(text)
    bytes += text.length + 1
    count++
    if (endsLine) lineCount++
    if (count >= mostItems || lineCount >= mostLines) finish()
  }
  finish()
  return invocations
}

async function inputOf(process: Process, options: Options): Promise<string> {
  const file = options.value('a')
  if (file === undefined) return new TextDecoder().decode(await readAll(process.stdin, process.hold))
  try {
    return await readWholeFile(process.system.fs, resolvePath(process.cwd, file))
  } catch (error) {
    throw new UsageError(`${file}: ${reasonOf(error)}`)
  }
}

export const xargs: Program = applet(async (process, args) => {
  const options = parseOptions(args, SPECIFICATION, LONG)
  const waiting = invocationsOf(itemsOf(await inputOf(process, options), options), options)
  const most = parseCount(options.value('P') ?? '1') || waiting.length
  let status = 0
  let ends = false
  /** Takes one command after the other until there is none left, or one says to stop. */
  const worker = async (): Promise<void> => {
    for (let argv = waiting.shift(); argv !== undefined && !ends; argv = waiting.shift()) {
      if (options.has('p') && !(await confirmed(process, `${argv.join(' ')} ?...`))) continue
      if (options.has('t')) await process.stderr.write(`${argv.join(' ')}\n`)
      const result = await runCommand(process, argv)
      if (result === 126 || result === 127 || result === 255) {
        ends = true
        status = result === 255 ? 124 : result
      } else if (result !== 0 && !ends) status = result > 128 ? 125 : 123
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, waiting.length) }, worker))
  return status
})
