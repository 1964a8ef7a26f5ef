// The simple filters: cat, tee, head, tail, wc, yes, rev, tac. Longer ones have files of their own.

import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { ByteReader, ByteWriter, Process, Program } from '../../posix/process.js'
import { createFile, LINE_BYTES, readLines, reasonOf } from '../streams.js'
import { cannotOpen, openInputs } from './inputs.js'
import { applet, parseCount, parseDuration, parseOptions } from './options.js'

const NEWLINE = 10

export const cat: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'nbsetuvAET', {
    number: 'n',
    'number-nonblank': 'b',
    'squeeze-blank': 's',
    'show-all': 'A',
    'show-ends': 'E',
    'show-tabs': 'T',
    'show-nonprinting': 'v',
  })
  let status = 0
  let number = 1
  let blanks = 0
  const fail = () => (status = 1)
  const has = (...letters: string[]) => letters.some((letter) => options.has(letter))
  const [ends, tabs, odd] = [has('e', 'E', 'A'), has('t', 'T', 'A'), has('v', 'e', 't', 'A')]
  for await (const { reader } of openInputs(process, options.operands, fail, cannotOpen)) {
    if (!has('n', 'b', 's') && !ends && !tabs && !odd) {
      for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
        await process.stdout.write(chunk)
      }
      continue
    }
    for await (const { text, terminated } of readLines(reader)) {
      blanks = text === '' ? blanks + 1 : 0
      if (options.has('s') && blanks > 1) continue
      const numbered = options.has('b') ? text !== '' : options.has('n')
      const prefix = numbered ? `${String(number++).padStart(6)}\t` : ''
      const shown = odd ? visible(text, tabs) : tabs ? text.replaceAll('\t', '^I') : text
      await process.stdout.write(`${prefix}${shown}${terminated ? `${ends ? '$' : ''}\n` : ''}`)
    }
  }
  return status
})

/** `^X` and `M-` for what is not printed, as cat -v has it. */
function visible(text: string, tabs: boolean): string {
  let shown = ''
  for (const byte of new TextEncoder().encode(text)) {
    const low = byte & 127
    if (byte >= 128) shown += 'M-'
    if (low === 9 && byte < 128 && !tabs) shown += '\t'
    else
      shown += low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low)
  }
  return shown
}

export const tee: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'aip', { append: 'a', 'ignore-interrupts': 'i' })
  let status = 0
  const writers: ByteWriter[] = [process.stdout]
  for (const name of options.operands) {
    try {
      writers.push(createFile(process.system.fs, resolvePath(process.cwd, name), options.has('a')))
    } catch (error) {
      status = 1
      await process.stderr.write(`tee: ${name}: ${reasonOf(error)}\n`)
    }
  }
  for (let chunk = await process.stdin.read(); chunk !== undefined; chunk = await process.stdin.read()) {
    for (const writer of writers) await writer.write(chunk)
  }
  return status
})

/** `-5` as `-n 5`, the old form of head and tail. */
function modernCounts(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    // `-n -5` is the new form already.
    const isValue = args[index - 1] === '-n' || args[index - 1] === '-c'
    return /^-\d+$/.test(arg) && !isValue ? ['-n', arg.slice(1)] : [arg]
  })
}

const HEAD_LONG = {
  lines: 'n',
  bytes: 'c',
  quiet: 'q',
  silent: 'q',
  verbose: 'v',
  'zero-terminated': 'z',
  follow: 'f',
  retry: 'F',
  'sleep-interval': 's',
  pid: 'P',
}

/** `+4` as `-n +4`, where tail has it as its first argument. */
function fromLine(args: readonly string[]): readonly string[] {
  return /^\+\d+$/.test(args[0] ?? '') ? ['-n', ...args] : args
}

export const head: Program = applet(async (process, args) => {
  const options = parseOptions(modernCounts(args), 'n:c:qvz', HEAD_LONG)
  const bytes = options.value('c')
  const text = bytes ?? options.value('n') ?? '10'
  const dropped = text.startsWith('-') ? parseCount(text.slice(1)) : undefined
  const count = dropped ?? parseCount(text)
  const lineEnd = options.has('z') ? 0 : NEWLINE
  let status = 0
  let first = true
  const titled = options.has('v') || (options.operands.length > 1 && !options.has('q'))
  for await (const { name, reader } of openInputs(process, options.operands, () => (status = 1))) {
    if (titled)
      await process.stdout.write(`${first ? '' : '\n'}==> ${name === '-' ? 'standard input' : name} <==\n`)
    first = false
    if (dropped !== undefined) {
      await allButLast(process, reader, dropped, bytes !== undefined)
      continue
    }
    let left = count
    while (left > 0) {
      const chunk = await reader.read()
      if (chunk === undefined) break
      const end =
        bytes === undefined
          ? endOfLines(chunk, left, lineEnd)
          : { at: Math.min(left, chunk.length), lines: 0 }
      left -= bytes === undefined ? end.lines : end.at
      await process.stdout.write(chunk.subarray(0, end.at))
      if (end.at < chunk.length) reader.unread(chunk.subarray(end.at))
    }
  }
  return status
})

/** `head -n -COUNT` and `-c -COUNT`: everything but the last lines, or bytes. */
async function allButLast(
  process: Process,
  reader: ByteReader,
  count: number,
  isBytes: boolean,
): Promise<void> {
  const content = await readAll(reader, process.hold)
  let end = content.length
  if (isBytes) end -= count
  // The last line may lack its newline.
  else
    for (let lines = 0; lines < count && end > 0; lines++)
      end = end < 2 ? 0 : content.lastIndexOf(NEWLINE, end - 2) + 1
  await process.stdout.write(content.subarray(0, Math.max(0, end)))
}

/** Where the first `count` lines of `chunk` end, and how many there are. */
function endOfLines(
  chunk: Uint8Array,
  count: number,
  lineEnd = NEWLINE,
): { readonly at: number; readonly lines: number } {
  let at = 0
  for (let lines = 0; lines < count; lines++) {
    const newline = chunk.indexOf(lineEnd, at)
    if (newline < 0) return { at: chunk.length, lines }
    at = newline + 1
  }
  return { at, lines: count }
}

export const tail: Program = applet(async (process, args) => {
  const options = parseOptions(modernCounts(fromLine(args)), 'n:c:qvfFs:zP:', HEAD_LONG)
  const bytes = options.value('c')
  const text = bytes ?? options.value('n') ?? '10'
  const fromStart = text.startsWith('+')
  const count = Math.abs(parseCount(text))
  let status = 0
  let first = true
  const titled = options.has('v') || (options.operands.length > 1 && !options.has('q'))
  for await (const { name, reader } of openInputs(
    process,
    options.operands,
    () => (status = 1),
    cannotOpen,
  )) {
    if (titled)
      await process.stdout.write(`${first ? '' : '\n'}==> ${name === '-' ? 'standard input' : name} <==\n`)
    first = false
    const chunks: Uint8Array[] = []
    for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) chunks.push(chunk)
    const content = Buffer.concat(chunks)
    await process.stdout.write(content.subarray(startOfTail(content, count, fromStart, bytes !== undefined)))
  }
  const followed = options.operands.filter((name) => name !== '-')
  if ((options.has('f') || options.has('F')) && followed.length > 0) {
    return await follow(process, followed, parseDuration(options.value('s') ?? '1'), options.value('P'))
  }
  return status
})

function startOfTail(content: Uint8Array, count: number, fromStart: boolean, inBytes: boolean): number {
  if (inBytes) return fromStart ? Math.max(0, count - 1) : Math.max(0, content.length - count)
  if (fromStart) return count <= 1 ? 0 : endOfLines(content, count - 1).at
  if (count === 0) return content.length
  let at = content.at(-1) === NEWLINE ? content.length - 1 : content.length
  for (let lines = 0; at > 0; at--) {
    if (content[at - 1] === NEWLINE && ++lines === count) return at
  }
  return 0
}

/** `tail -f`: looks every second whether the files have grown; until process `pid` is gone, where one is told. */
async function follow(
  process: Process,
  names: readonly string[],
  interval: number,
  pid: string | undefined,
): Promise<number> {
  const { fs, clock } = process.system
  const sizeOf = (path: string) => (fs.exists(path) ? fs.stat(path).size : 0)
  const files = names.map((name) => {
    const path = resolvePath(process.cwd, name)
    return { name, path, size: sizeOf(path) }
  })
  let last = files.at(-1)
  for (;;) {
    await clock.sleep(interval, process.signal)
    for (const file of files) {
      const size = sizeOf(file.path)
      if (size > file.size) {
        const grown = fs.readFile(file.path).slice(file.size, size)
        if (files.length > 1 && last !== file) await process.stdout.write(`\n==> ${file.name} <==\n`)
        last = file
        await process.stdout.write(grown)
      }
      file.size = size
    }
    if (pid !== undefined && !process.system.processes().some((row) => row.pid === Number(pid))) return 0
  }
}

interface Counts {
  lines: number
  words: number
  characters: number
  bytes: number
  /** Of the longest line. */
  width: number
}

function noCounts(): Counts {
  return { lines: 0, words: 0, characters: 0, bytes: 0, width: 0 }
}

const WC_LONG = { lines: 'l', words: 'w', bytes: 'c', chars: 'm', 'max-line-length': 'L' }

export const wc: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'lwcmL', WC_LONG)
  const columns = (['l', 'w', 'm', 'c', 'L'] as const).filter((letter) => options.has(letter))
  const shown = columns.length > 0 ? columns : (['l', 'w', 'c'] as const)
  const total = noCounts()
  let status = 0
  const row = (counts: Counts, name: string) => {
    const numbers = shown.map(
      (letter) =>
        ({ l: counts.lines, w: counts.words, m: counts.characters, c: counts.bytes, L: counts.width })[
          letter
        ],
    )
    // busybox pads as soon as there is more than one column.
    const text = numbers.map((n) => (numbers.length > 1 ? String(n).padStart(9) : String(n))).join(' ')
    return `${text}${name === '' ? '' : ` ${name}`}\n`
  }
  for await (const { name, reader } of openInputs(process, options.operands, () => (status = 1))) {
    const counts = noCounts()
    const place = { inWord: false, column: 0 }
    for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
      count(counts, chunk, place)
    }
    for (const key of ['lines', 'words', 'characters', 'bytes'] as const) total[key] += counts[key]
    total.width = Math.max(total.width, counts.width)
    await process.stdout.write(row(counts, options.operands.length === 0 ? '' : name))
  }
  if (options.operands.length > 1) await process.stdout.write(row(total, 'total'))
  return status
})

/** Counts on, from `place` within a word and a line. */
function count(counts: Counts, chunk: Uint8Array, place: { inWord: boolean; column: number }): void {
  counts.bytes += chunk.length
  for (const byte of chunk) {
    const isCharacter = (byte & 0xc0) !== 0x80
    if (isCharacter) counts.characters++
    if (byte === NEWLINE) counts.lines++
    const white = byte === 32 || (byte >= 9 && byte <= 13)
    if (!white && !place.inWord) counts.words++
    place.inWord = !white
    if (byte === NEWLINE || byte === 13 || byte === 12) place.column = 0
    else if (byte === 9) place.column += 8 - (place.column % 8)
    else if (isCharacter && byte >= 32) place.column++
    if (place.column > counts.width) counts.width = place.column
  }
}

/** Many lines in one write, as `yes` of coreutils has it. */
const BLOCK_CHARACTERS = 8192

export const yes: Program = applet(async (process, args) => {
  const line = `${args.length === 0 ? 'y' : args.join(' ')}\n`
  const block = line.repeat(Math.max(1, Math.floor(BLOCK_CHARACTERS / line.length)))
  for (;;) await process.stdout.write(block)
})

export const rev: Program = applet(async (process, args) => {
  let status = 0
  for await (const { reader } of openInputs(process, args, () => (status = 1))) {
    for await (const { text, terminated } of readLines(reader))
      await process.stdout.write(`${[...text].reverse().join('')}${terminated ? '\n' : ''}`)
  }
  return status
})

export const tac: Program = applet(async (process, args) => {
  const options = parseOptions(args, 's:b', { separator: 's', before: 'b' })
  const separator = options.value('s') ?? '\n'
  let status = 0
  for await (const { reader } of openInputs(process, options.operands, () => (status = 1))) {
    const records: string[] = []
    for await (const { text, terminated } of readLines(reader, separator)) {
      process.hold(text.length + LINE_BYTES)
      if (!options.has('b')) records.push(terminated ? `${text}${separator}` : text)
      else records.push(records.length > 0 ? `${separator}${text}` : text)
    }
    await process.stdout.write(records.reverse().join(''))
  }
  return status
})
