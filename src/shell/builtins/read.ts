// The builtin `read`: a line, or so many characters, or up to a delimiter, split by IFS into variables (POSIX, and bash's
// options). Input that comes after it stays in the stream for whoever reads next.

import { NO_LONGER_NEEDED } from '../../posix/abort.js'
import type { ByteReader } from '../../posix/process.js'
import { assignReference, parseReference } from '../assignment.js'
import { type Awaitable, andThen, attempt, inTurn } from '../awaitable.js'
import { CommandError } from '../control-flow.js'
import { asReader, streamOf } from '../redirection.js'
import type { Io, Shell } from '../shell.js'
import { type Line, readOneLine } from '../streams.js'
import type { Builtin } from './builtin.js'

interface ReadOptions {
  raw: boolean
  prompt: string
  timeoutSeconds: number | undefined
  array: boolean
  silent: boolean
  descriptor: number
  /** What ends the input; undefined: nothing but its end. */
  delimiter: string | undefined
  /** Characters; undefined: any number. */
  limit: number | undefined
  readonly names: string[]
}

function readOptions(args: readonly string[]): ReadOptions {
  const options: ReadOptions = {
    raw: false,
    prompt: '',
    timeoutSeconds: undefined,
    array: false,
    silent: false,
    descriptor: 0,
    delimiter: '\n',
    limit: undefined,
    names: [],
  }
  let at = 0
  for (; /^-./.test(args[at] ?? '') && args[at] !== '--'; at++) {
    const arg = args[at]!
    for (let offset = 1; offset < arg.length; offset++) {
      const letter = arg[offset]!
      if (!'ptunNdi'.includes(letter)) {
        setFlag(options, letter)
        continue
      }
      const value = offset + 1 < arg.length ? arg.slice(offset + 1) : args[++at]
      if (value === undefined) throw new CommandError(`read: -${letter}: option requires an argument`, 2)
      setValue(options, letter, value)
      break
    }
  }
  options.names.push(...args.slice(args[at] === '--' ? at + 1 : at))
  return options
}

function setFlag(options: ReadOptions, letter: string): void {
  if (letter === 'r') options.raw = true
  else if (letter === 'a') options.array = true
  else if (letter === 's') options.silent = true
  // Lines of a terminal can always be edited.
  else if (letter !== 'e') throw new CommandError(`read: -${letter}: invalid option`, 2)
}

function setValue(options: ReadOptions, letter: string, value: string): void {
  if (letter === 'p') options.prompt = value
  else if (letter === 't' || letter === 'u') {
    if (!/^\d*\.?\d+$|^\d+\.$/.test(value)) {
      throw new CommandError(
        `read: ${value}: invalid ${letter === 't' ? 'timeout' : 'file descriptor'} specification`,
        1,
      )
    }
    if (letter === 't') options.timeoutSeconds = Number(value)
    else options.descriptor = Number(value)
  } else if (letter === 'd') options.delimiter = value[0] ?? '\0'
  else if (letter === 'n' || letter === 'N') {
    options.limit = Number(value)
    if (!(options.limit > 0)) throw new CommandError(`read: ${value}: invalid number`, 1)
    // -N takes delimiters as any other character.
    if (letter === 'N') options.delimiter = undefined
  }
}

/** As if by SIGALRM. */
const TIMED_OUT_STATUS = 142

const read: Builtin = ({ shell, args, io }) => {
  const options = readOptions(args)
  const reader = asReader(streamOf(io, options.descriptor) ?? io.stdin, String(options.descriptor))
  const prompted = options.prompt !== '' && reader.isTTY ? io.stderr.write(options.prompt) : undefined
  return andThen(prompted, () =>
    andThen(inputOf(shell, reader, options), (input) =>
      andThen(store(shell, options, input, io), () => {
        if (input.timedOut) return TIMED_OUT_STATUS
        return input.ended ? 0 : 1
      }),
    ),
  )
}

function inputOf(shell: Shell, reader: ByteReader, options: ReadOptions): Awaitable<InputPart> {
  const { terminal } = reader
  if (!options.silent || terminal === undefined) return heardInput(shell, reader, options)
  const { echo } = terminal
  terminal.echo = false
  return attempt(
    () => heardInput(shell, reader, options),
    rethrow,
    () => {
      terminal.echo = echo
    },
  )
}

function rethrow(error: unknown): never {
  throw error
}

function heardInput(shell: Shell, reader: ByteReader, options: ReadOptions): Awaitable<InputPart> {
  const isLine = options.delimiter === '\n' && options.limit === undefined
  const take = (own: ByteReader) => (isLine ? logicalLine(own, options.raw) : partOf(own, options))
  if (options.timeoutSeconds === undefined) return take(readerFor(shell, reader))
  const cancel = new AbortController()
  const { clock } = shell.process.system
  const limit = clock.sleep(options.timeoutSeconds * 1_000_000, cancel.signal).then(() => undefined)
  limit.catch(() => {})
  return attempt(
    () => take(readerFor(shell, reader, limit)),
    rethrow,
    () => cancel.abort(NO_LONGER_NEEDED),
  )
}

function store(shell: Shell, options: ReadOptions, { text }: InputPart, io: Io): Awaitable<void> {
  const { state } = shell
  const { names } = options
  const ifs = state.get('IFS') ?? ' \t\n'
  if (options.array) return state.set(names[0] ?? 'REPLY', splitLine(text, ifs, undefined))
  if (names.length === 0) return state.set('REPLY', unquote(text))
  // -N gives all of it to the first name.
  const wrong = names.find((name) => parseReference(name) === undefined)
  if (wrong !== undefined && shell.isBash) {
    throw new CommandError(`read: \`${wrong}': not a valid identifier`, 1)
  }
  const isWhole = options.limit !== undefined && options.delimiter === undefined
  const fields = isWhole ? [unquote(text)] : splitLine(text, ifs, names.length)
  return inTurn(names, (name, index) => assignReference(shell, name, fields[index] ?? '', io))
}

interface InputPart {
  readonly text: string
  /** Whether it ended as it should, with the delimiter. */
  readonly ended: boolean
  readonly timedOut?: boolean
}

/** A read that a trapped signal or the time limit of `-t` ended. */
class ReadGivenUp extends Error {}

/** Input that a trapped signal ends, and `limit`. */
function readerFor(shell: Shell, reader: ByteReader, limit?: Promise<undefined>): ByteReader {
  return shell.ownReader(reader, async (read) => {
    const answer = read.then((bytes) => ({ bytes }))
    const result = await shell.waitOrTrap(limit === undefined ? answer : Promise.race([answer, limit]))
    if (result === undefined) throw new ReadGivenUp()
    return result.bytes
  })
}

/** A line, joined with the next ones at backslashes; a backslash that stays is marked with NUL for splitting. */
function logicalLine(reader: ByteReader, raw: boolean, before = ''): Awaitable<InputPart> {
  return attempt(
    () => andThen(readOneLine(reader), (line) => lineOf(reader, line, raw, before)),
    (error) => {
      if (!(error instanceof ReadGivenUp)) throw error
      return { text: before, ended: false, timedOut: true }
    },
  )
}

function lineOf(
  reader: ByteReader,
  line: Line | undefined,
  raw: boolean,
  before: string,
): Awaitable<InputPart> {
  if (line === undefined) return { text: before, ended: false }
  if (raw || !line.text.includes('\\')) return { text: before + line.text, ended: line.terminated }
  const continued = /(^|[^\\])(\\\\)*\\$/.test(line.text) && line.terminated
  const text = before + (continued ? line.text.slice(0, -1) : line.text).replace(/\\(.)/gs, '\0$1')
  return continued ? logicalLine(reader, raw, text) : { text, ended: line.terminated }
}

/** What `-n` and `-d` ask for: up to so many characters, or to another delimiter, whichever comes first. */
async function partOf(
  reader: ByteReader,
  { delimiter, limit = Number.POSITIVE_INFINITY, raw }: ReadOptions,
): Promise<InputPart> {
  // One character must do where somebody types.
  if (limit !== Number.POSITIVE_INFINITY) reader.terminal?.setRaw(true)
  const decoder = new TextDecoder()
  const quoted = (text: string) => (raw ? text : text.replace(/\\(.)/gs, '\0$1'))
  let text = ''
  try {
    for (;;) {
      const bytes = await reader.read()
      if (bytes === undefined) return { text: quoted(text), ended: false }
      for (const [index, byte] of bytes.entries()) {
        const character = decoder.decode(Uint8Array.of(byte), { stream: true })
        const ended = character === delimiter
        if (!ended) text += character
        if (!ended && text.length < limit) continue
        reader.unread(bytes.subarray(index + 1))
        return { text: quoted(text), ended: true }
      }
    }
  } catch (error) {
    if (!(error instanceof ReadGivenUp)) throw error
    return { text: quoted(text), ended: false, timedOut: true }
  } finally {
    reader.terminal?.setRaw(false)
  }
}

function unquote(text: string): string {
  return text.replace(/\0(.)/gs, '$1')
}

/** Splits by IFS; with a `limit` the last field takes the rest (POSIX read). NUL quotes the next character. */
function splitLine(line: string, ifs: string, limit: number | undefined): string[] {
  const white = [...ifs].filter((c) => ' \t\n'.includes(c)).join('')
  const isWhite = (c: string | undefined) => c !== undefined && white.includes(c)
  const isDelimiter = (c: string | undefined) => c !== undefined && ifs.includes(c)
  const fields: string[] = []
  let at = 0
  while (isWhite(line[at])) at++
  while (at < line.length) {
    if (limit !== undefined && fields.length === limit - 1) {
      fields.push(unquote(trimLast(line.slice(at), isWhite, isDelimiter)))
      return fields
    }
    let field = ''
    while (at < line.length && !isDelimiter(line[at])) {
      if (line[at] === '\0') at++
      field += line[at++] ?? ''
    }
    fields.push(field)
    while (isWhite(line[at])) at++
    if (isDelimiter(line[at])) at++
    while (isWhite(line[at])) at++
  }
  return fields
}

/** The rest of a line without trailing IFS white space, and without a single trailing delimiter. */
function trimLast(
  rest: string,
  isWhite: (c: string | undefined) => boolean,
  isDelimiter: (c: string | undefined) => boolean,
): string {
  let end = rest.length
  while (end > 0 && isWhite(rest[end - 1]) && rest[end - 2] !== '\0') end--
  const inner = rest.slice(0, Math.max(0, end - 1))
  if (isDelimiter(rest[end - 1]) && ![...inner].some((c) => isDelimiter(c))) end--
  return rest.slice(0, end)
}

export const readBuiltins: Readonly<Record<string, Builtin>> = { read }
