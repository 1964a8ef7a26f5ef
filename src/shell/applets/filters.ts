// The simple filters: cat, tee, head, tail, wc, tr and cut have files of their own where they are longer.

import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { ByteReader, ByteWriter, Process, Program } from '../../posix/process.js'
import { createFile, LINE_BYTES, readLines, reasonOf } from '../streams.js'
import { cannotOpen, openInputs } from './inputs.js'
import { applet, parseCount, parseDuration, parseOptions, UsageError } from './options.js'

const NEWLINE = 10

export const cat: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'nbetuvA')
  let status = 0
  let number = 1
  const fail = () => (status = 1)
  for await (const { reader } of openInputs(process, options.operands, fail, cannotOpen)) {
    if (!options.has('n') && !options.has('b')) {
      for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
        await process.stdout.write(chunk)
      }
      continue
    }
    for await (const { text, terminated } of readLines(reader)) {
      const numbered = options.has('n') || text !== ''
      const prefix = numbered ? `${String(number++).padStart(6)}\t` : ''
      await process.stdout.write(`${prefix}${text}${terminated ? '\n' : ''}`)
    }
  }
  return status
})

export const tee: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'ai')
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

export const head: Program = applet(async (process, args) => {
  const options = parseOptions(modernCounts(args), 'n:c:qv')
  const bytes = options.value('c')
  const text = bytes ?? options.value('n') ?? '10'
  const dropped = text.startsWith('-') ? parseCount(text.slice(1)) : undefined
  const count = dropped ?? parseCount(text)
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
        bytes === undefined ? endOfLines(chunk, left) : { at: Math.min(left, chunk.length), lines: 0 }
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
function endOfLines(chunk: Uint8Array, count: number): { readonly at: number; readonly lines: number } {
  let at = 0
  for (let lines = 0; lines < count; lines++) {
    const newline = chunk.indexOf(NEWLINE, at)
    if (newline < 0) return { at: chunk.length, lines }
    at = newline + 1
  }
  return { at, lines: count }
}

export const tail: Program = applet(async (process, args) => {
  const options = parseOptions(modernCounts(args), 'n:c:qvfFs:')
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
    return await follow(process, followed, parseDuration(options.value('s') ?? '1'))
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

/** `tail -f`: looks every second whether the files have grown. */
async function follow(process: Process, names: readonly string[], interval: number): Promise<never> {
  const { fs, clock } = process.system
  const sizeOf = (path: string) => (fs.exists(path) ? fs.stat(path).size : 0)
  const files = names.map((name) => {
    const path = resolvePath(process.cwd, name)
    return { path, size: sizeOf(path) }
  })
  for (;;) {
    await clock.sleep(interval, process.signal)
    for (const file of files) {
      const size = sizeOf(file.path)
      if (size > file.size) await process.stdout.write(fs.readFile(file.path).slice(file.size, size))
      file.size = size
    }
  }
}

interface Counts {
  lines: number
  words: number
  characters: number
  bytes: number
}

export const wc: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'lwcmL')
  const columns = (['l', 'w', 'm', 'c'] as const).filter((letter) => options.has(letter))
  const shown = columns.length > 0 ? columns : (['l', 'w', 'c'] as const)
  const total: Counts = { lines: 0, words: 0, characters: 0, bytes: 0 }
  let status = 0
  const row = (counts: Counts, name: string) => {
    const numbers = shown.map(
      (letter) => ({ l: counts.lines, w: counts.words, m: counts.characters, c: counts.bytes })[letter],
    )
    // busybox pads as soon as there is more than one column.
    const text = numbers.map((n) => (numbers.length > 1 ? String(n).padStart(9) : String(n))).join(' ')
    return `${text}${name === '' ? '' : ` ${name}`}\n`
  }
  for await (const { name, reader } of openInputs(process, options.operands, () => (status = 1))) {
    const counts: Counts = { lines: 0, words: 0, characters: 0, bytes: 0 }
    let inWord = false
    for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
      inWord = count(counts, chunk, inWord)
    }
    for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key]
    await process.stdout.write(row(counts, options.operands.length === 0 ? '' : name))
  }
  if (options.operands.length > 1) await process.stdout.write(row(total, 'total'))
  return status
})

function count(counts: Counts, chunk: Uint8Array, inWord: boolean): boolean {
  counts.bytes += chunk.length
  for (const byte of chunk) {
    if ((byte & 0xc0) !== 0x80) counts.characters++
    if (byte === NEWLINE) counts.lines++
    const white = byte === 32 || (byte >= 9 && byte <= 13)
    if (!white && !inWord) counts.words++
    inWord = !white
  }
  return inWord
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
    for await (const { text } of readLines(reader))
      await process.stdout.write(`${[...text].reverse().join('')}\n`)
  }
  return status
})

export const tac: Program = applet(async (process, args) => {
  let status = 0
  for await (const { reader } of openInputs(process, args, () => (status = 1))) {
    const lines: string[] = []
    for await (const { text, terminated } of readLines(reader)) {
      process.hold(text.length + LINE_BYTES)
      lines.push(terminated ? `${text}\n` : text)
    }
    await process.stdout.write(lines.reverse().join(''))
  }
  return status
})

export const nl: Program = applet(async (process, args) => {
  let status = 0
  let number = 1
  for await (const { reader } of openInputs(process, args, () => (status = 1))) {
    for await (const { text } of readLines(reader)) {
      await process.stdout.write(text === '' ? '\n' : `${String(number++).padStart(6)}\t${text}\n`)
    }
  }
  return status
})

/** `tr` sets: ranges, classes, escapes. */
function characterSet(text: string): string[] {
  const set: string[] = []
  const pieces = /\[:([a-z]+):\]|\\([0-7]{1,3}|.)|([\s\S])-([\s\S])|([\s\S])/gu
  for (const [, name, escaped, from, to, plain] of text.matchAll(pieces)) {
    if (name !== undefined) {
      if (CLASSES[name] === undefined) throw new UsageError(`bad class '[:${name}:]'`)
      set.push(...characterSet(CLASSES[name]))
    } else if (escaped !== undefined) set.push(escapedCharacter(escaped))
    else if (from !== undefined && to !== undefined) {
      for (let code = from.codePointAt(0)!; code <= to.codePointAt(0)!; code++)
        set.push(String.fromCodePoint(code))
    } else set.push(plain!)
  }
  return set
}

const CLASSES: Readonly<Record<string, string>> = {
  lower: 'a-z',
  upper: 'A-Z',
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: '0-9A-Za-z',
  space: '\t\n\v\f\r ',
  blank: ' \t',
  punct: '!-/:-@[-`{-~',
  xdigit: '0-9A-Fa-f',
}

function escapedCharacter(text: string): string {
  if (/^[0-7]/.test(text)) return String.fromCharCode(Number.parseInt(text, 8))
  return { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07', b: '\b' }[text] ?? text
}

export const tr: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'cCds')
  const [first, second] = options.operands
  if (first === undefined) throw new UsageError('missing operand')
  const complement = options.has('c') || options.has('C')
  const source = characterSet(first)
  const from = new Map(source.map((c, index) => [c, index]))
  const to = second === undefined ? [] : characterSet(second)
  const isIn = (c: string) => from.has(c) !== complement
  const squeezed = new Set(second === undefined ? [] : to)
  const isSqueezed = (c: string) => options.has('s') && (second === undefined ? isIn(c) : squeezed.has(c))
  const translate = !options.has('d') && to.length > 0
  const decoder = new TextDecoder()
  let last = ''
  for (let chunk = await process.stdin.read(); chunk !== undefined; chunk = await process.stdin.read()) {
    let output = ''
    for (const c of decoder.decode(chunk, { stream: true })) {
      if (options.has('d') && isIn(c)) continue
      const at = complement ? to.length - 1 : Math.min(from.get(c) ?? 0, to.length - 1)
      const result = translate && isIn(c) ? to[at]! : c
      if (result === last && isSqueezed(result)) continue
      last = result
      output += result
    }
    await process.stdout.write(output)
  }
  return 0
})
