// grep, egrep, fgrep: options, and the files that are searched. Lines are grep-search.ts', patterns grep-pattern.ts'.

import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { matchesPattern } from '../pattern.js'
import { expressionOf } from './grep-pattern.js'
import { type Search, searchInput } from './grep-search.js'
import { openInputs } from './inputs.js'
import { baseName } from './operands.js'
import { applet, nameOf, type Options, parseCount, parseOptions, UsageError } from './options.js'

const SPECIFICATION = 'EFPGvicnqowrRlLe:f:A:B:C:m:hHsxyabzIZTUud:D:0::1:2:3:4:5:6:7:K::'

const LONG = {
  'extended-regexp': 'E',
  'fixed-strings': 'F',
  'perl-regexp': 'P',
  'basic-regexp': 'G',
  regexp: 'e',
  file: 'f',
  'ignore-case': 'i',
  'no-ignore-case': 'u',
  'word-regexp': 'w',
  'line-regexp': 'x',
  'null-data': 'z',
  'no-messages': 's',
  'invert-match': 'v',
  'max-count': 'm',
  'byte-offset': 'b',
  'line-number': 'n',
  'line-buffered': 'u',
  'with-filename': 'H',
  'no-filename': 'h',
  label: '1',
  'only-matching': 'o',
  quiet: 'q',
  silent: 'q',
  text: 'a',
  'binary-files': '7',
  directories: 'd',
  devices: 'D',
  recursive: 'r',
  'dereference-recursive': 'R',
  include: '2',
  exclude: '3',
  'exclude-dir': '4',
  'files-without-match': 'L',
  'files-with-matches': 'l',
  count: 'c',
  'initial-tab': 'T',
  null: 'Z',
  'after-context': 'A',
  'before-context': 'B',
  context: 'C',
  'group-separator': '5',
  'no-group-separator': '0',
  color: 'K',
  colour: 'K',
}

async function patternsOf(
  process: Process,
  options: Options,
): Promise<{ patterns: string[]; files: readonly string[] }> {
  const patterns = options.given.filter((option) => option.letter === 'e').map((option) => option.value)
  for (const { letter, value } of options.given)
    if (letter === 'f') patterns.push(...(await listed(process, value)))
  if (options.has('e') || options.has('f')) return { patterns, files: options.operands }
  const [pattern, ...files] = options.operands
  if (pattern === undefined) throw new UsageError('usage: grep [OPTION]... PATTERN [FILE]...', 2)
  return { patterns: [pattern], files }
}

/** The lines of a file of patterns, or of standard input. */
async function listed(process: Process, name: string): Promise<string[]> {
  for await (const { reader } of openInputs(process, [name], () => {})) {
    const text = new TextDecoder().decode(await readAll(reader, process.hold))
    return text === '' ? [] : text.replace(/\n$/, '').split('\n')
  }
  throw new UsageError('no patterns', 2)
}

/** Whether -r looks into a file, by --include and --exclude; the last that fits says. */
function isWanted(name: string, options: Options): boolean {
  const rules = options.given.filter(({ letter }) => letter === '2' || letter === '3')
  const last = rules.findLast(({ value }) => matchesPattern(value, baseName(name)))
  return last === undefined ? rules[0]?.letter !== '2' : last.letter === '2'
}

/** Files below `names`, for -r; links are followed where they are operands, and with -R. */
function filesUnder(process: Process, names: readonly string[], options: Options): string[] {
  const { fs } = process.system
  const without = options.given.filter(({ letter }) => letter === '4').map(({ value }) => value)
  const walk = (name: string, isOperand: boolean): string[] => {
    const path = resolvePath(process.cwd, name)
    if (!fs.exists(path)) return isOperand ? [name] : []
    const { type } = isOperand || options.has('R') ? fs.stat(path) : fs.lstat(path)
    if (type !== 'directory') return type === 'file' && isWanted(name, options) ? [name] : []
    if (!isOperand && without.some((pattern) => matchesPattern(pattern, baseName(name)))) return []
    const prefix = name === '' || name.endsWith('/') ? name : `${name}/`
    return fs.readDirectory(path).flatMap((entry) => walk(`${prefix}${entry}`, false))
  }
  return names.length === 0
    ? walk('', true)
    : names.flatMap((name) => (name === '-' ? [name] : walk(name, true)))
}

/** The operands without -r; `-d skip` leaves directories out. */
function plainFiles({ system, cwd }: Process, files: readonly string[], options: Options): readonly string[] {
  const isSkipped = (name: string) => {
    const path = resolvePath(cwd, name)
    return (
      options.value('d') === 'skip' && system.fs.exists(path) && system.fs.stat(path).type === 'directory'
    )
  }
  return files.filter((name) => isWanted(name, options) && !isSkipped(name))
}

/** `-5` is `-C 5`. */
function modernContext(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return args.flatMap((arg, at) =>
    /^-\d+$/.test(arg) && (end < 0 || at < end) ? ['-C', arg.slice(1)] : [arg],
  )
}

function searchOf(process: Process, options: Options, expression: RegExp, named: boolean): Search {
  const context = options.value('C') ?? '0'
  const when = options.value('K')
  return {
    expression,
    named,
    inverted: options.has('v'),
    quiet: options.has('q'),
    counting: options.has('c'),
    namesOnly: options.given.findLast(({ letter }) => letter === 'l' || letter === 'L')?.letter as
      | 'l'
      | 'L'
      | undefined,
    numbered: options.has('n'),
    offsets: options.has('b'),
    matchesOnly: options.has('o'),
    before: parseCount(options.value('B') ?? context),
    after: parseCount(options.value('A') ?? context),
    most: options.has('m') ? parseCount(options.value('m')!) : Number.POSITIVE_INFINITY,
    separator: options.has('0') ? undefined : (options.value('5') ?? '--'),
    lineEnd: options.has('z') ? '\0' : '\n',
    nameEnd: options.has('Z') ? '\0' : undefined,
    tab: options.has('T') ? '\t' : '',
    colours: when === 'always' || ((when === 'auto' || when === '') && process.stdout.isTTY),
    binary:
      options.has('a') || options.has('z') || options.value('7') === 'text'
        ? 'text'
        : options.has('I')
          ? 'skip'
          : 'tell',
    label: options.value('1') ?? '(standard input)',
  }
}

export const grep: Program = applet(async (process, args) => {
  let options: Options
  try {
    options = parseOptions(modernContext(args), SPECIFICATION, LONG)
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message, 2) : error
  }
  const { patterns, files } = await patternsOf(process, options)
  const recursive = options.has('r') || options.has('R') || options.value('d') === 'recurse'
  const names = recursive ? filesUnder(process, files, options) : plainFiles(process, files, options)
  const expression = expressionOf(patterns, options, nameOf(process))
  const many = files.length > 1 || recursive
  const named = options.has('H') || (many && !options.has('h'))
  const search = searchOf(process, options, expression, named)
  let found = false
  let failed = false
  if (names.length === 0 && (recursive || files.length > 0)) return 1
  const wording = options.has('s') ? () => undefined : undefined
  for await (const input of openInputs(process, names, () => (failed = true), wording)) {
    if (!(await searchInput(process, search, input))) continue
    found = true
    if (search.quiet) return 0
  }
  return failed ? 2 : found ? 0 : 1
})
