// grep, egrep, fgrep.

import { resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { compileRegularExpression, literalExpression } from '../regular-expression.js'
import { readLines, readWholeFile } from '../streams.js'
import { type Input, openInputs } from './inputs.js'
import { applet, nameOf, type Options, parseCount, parseOptions, UsageError } from './options.js'

interface Search {
  readonly expression: RegExp
  readonly inverted: boolean
  readonly quiet: boolean
  readonly counting: boolean
  readonly namesOnly: 'l' | 'L' | undefined
  readonly numbered: boolean
  readonly matchesOnly: boolean
  readonly named: boolean
  readonly before: number
  readonly after: number
  readonly most: number
}

async function patternsOf(
  process: Process,
  options: Options,
): Promise<{ patterns: string[]; files: readonly string[] }> {
  const patterns = options.given.filter((option) => option.letter === 'e').map((option) => option.value)
  for (const { letter, value } of options.given) {
    if (letter === 'f')
      patterns.push(
        ...(await readWholeFile(process.system.fs, resolvePath(process.cwd, value))).trimEnd().split('\n'),
      )
  }
  if (patterns.length > 0) return { patterns, files: options.operands }
  const [pattern, ...files] = options.operands
  if (pattern === undefined) throw new UsageError('no pattern', 2)
  return { patterns: [pattern], files }
}

function expressionOf(patterns: readonly string[], options: Options, name: string): RegExp {
  const fixed = options.has('F') || name === 'fgrep'
  const extended = options.has('E') || options.has('P') || name === 'egrep'
  const sources = patterns
    .flatMap((pattern) => pattern.split('\n'))
    .map((pattern) => (fixed ? literalExpression(pattern) : compileSource(pattern, extended)))
  const joined = sources.map((source) => `(?:${source})`).join('|')
  const bounded = options.has('w')
    ? `(?<!\\w)(?:${joined})(?!\\w)`
    : options.has('x')
      ? `^(?:${joined})$`
      : joined
  return new RegExp(bounded, options.has('i') || options.has('y') ? 'gi' : 'g')
}

function compileSource(pattern: string, extended: boolean): string {
  try {
    const { source } = compileRegularExpression(pattern, extended)
    return source === '(?:)' ? '' : source
  } catch (error) {
    throw new UsageError(`bad regex '${pattern}': ${(error as Error).message}`, 2)
  }
}

/** Files below `names`, for -r. */
function filesUnder(process: Process, names: readonly string[]): string[] {
  const { fs } = process.system
  const walk = (name: string): string[] => {
    const path = resolvePath(process.cwd, name)
    if (!fs.exists(path) || fs.stat(path).type !== 'directory') return [name]
    return fs
      .readDirectory(path)
      .flatMap((entry) => walk(name.endsWith('/') ? `${name}${entry}` : `${name}/${entry}`))
  }
  return (names.length === 0 ? ['.'] : names).flatMap(walk)
}

export const grep: Program = applet(async (process, args) => {
  // busybox has no long options here; these are used often enough.
  const options = parseOptions(args, 'EFPGvicnqowrRlLe:f:A:B:C:m:hHsxya', {
    'ignore-case': 'i',
    'invert-match': 'v',
    count: 'c',
    quiet: 'q',
    color: 'a',
    'only-matching': 'o',
    'line-buffered': 'a',
    recursive: 'r',
    'line-number': 'n',
  })
  const { patterns, files } = await patternsOf(process, options)
  const recursive = options.has('r') || options.has('R')
  const names = recursive ? filesUnder(process, files) : files
  const context = parseCount(options.value('C') ?? '0')
  const search: Search = {
    expression: expressionOf(patterns, options, nameOf(process)),
    inverted: options.has('v'),
    quiet: options.has('q'),
    counting: options.has('c'),
    namesOnly: options.has('l') ? 'l' : options.has('L') ? 'L' : undefined,
    numbered: options.has('n'),
    matchesOnly: options.has('o'),
    named: options.has('H') || ((names.length > 1 || recursive) && !options.has('h')),
    before: options.has('B') ? parseCount(options.value('B')!) : context,
    after: options.has('A') ? parseCount(options.value('A')!) : context,
    most: options.has('m') ? parseCount(options.value('m')!) : Number.POSITIVE_INFINITY,
  }
  let found = false
  let failed = false
  for await (const input of openInputs(process, names, () => (failed = true))) {
    if (!(await searchInput(process, search, input))) continue
    found = true
    if (search.quiet) return 0
  }
  return failed ? 2 : found ? 0 : 1
})

async function searchInput(process: Process, search: Search, { name, reader }: Input): Promise<boolean> {
  const shownName = name === '-' ? '(standard input)' : name
  const label = (mark: string, number: number) =>
    `${search.named ? `${shownName}${mark}` : ''}${search.numbered ? `${number}${mark}` : ''}`
  const printing = !search.quiet && !search.counting && search.namesOnly === undefined
  const earlier: string[] = []
  let count = 0
  let number = 0
  let lastShown = 0
  let trailing = 0
  for await (const { text } of readLines(reader)) {
    number++
    search.expression.lastIndex = 0
    const selected = search.expression.test(text) !== search.inverted
    if (selected) {
      count++
      if (search.quiet || search.namesOnly !== undefined) break
      if (printing) {
        const gap = lastShown > 0 && lastShown < number - earlier.length - 1
        if (gap && search.before + search.after > 0) await process.stdout.write('--\n')
        for (const [index, line] of earlier.entries()) {
          await process.stdout.write(`${label('-', number - earlier.length + index)}${line}\n`)
        }
        await process.stdout.write(selectedText(search, text, label(':', number)))
        lastShown = number
        trailing = search.after
      }
      earlier.length = 0
    } else if (printing && trailing > 0) {
      trailing--
      lastShown = number
      await process.stdout.write(`${label('-', number)}${text}\n`)
    } else if (search.before > 0) {
      earlier.push(text)
      if (earlier.length > search.before) earlier.shift()
    }
    if (count >= search.most && trailing === 0) break
  }
  if (search.counting && !search.quiet)
    await process.stdout.write(`${search.named ? `${shownName}:` : ''}${count}\n`)
  if (search.namesOnly !== undefined && count > 0 === (search.namesOnly === 'l')) {
    await process.stdout.write(`${shownName}\n`)
  }
  return search.namesOnly === 'L' ? count === 0 : count > 0
}

function selectedText(search: Search, text: string, label: string): string {
  if (!search.matchesOnly) return `${label}${text}\n`
  if (search.inverted) return ''
  search.expression.lastIndex = 0
  return [...text.matchAll(search.expression)]
    .filter(([match]) => match !== '')
    .map(([match]) => `${label}${match}\n`)
    .join('')
}
