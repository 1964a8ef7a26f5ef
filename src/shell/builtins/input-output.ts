// Builtins that read and write: echo, printf, read, cd, pwd, test, and those that do nothing.

import { resolvePath } from '../../posix/file-system.js'
import type { ByteReader } from '../../posix/process.js'
import { conditionsOf, testArguments } from '../conditional.js'
import { CommandError } from '../control-flow.js'
import { echoText, formatPrintf } from '../printf-format.js'
import { asReader, streamOf } from '../redirection.js'
import type { Shell } from '../shell.js'
import { readOneLine } from '../streams.js'
import type { Builtin } from './builtin.js'

const echo: Builtin = async ({ args, io }) => {
  await io.stdout.write(echoText(args))
  return 0
}

const printf: Builtin = async ({ shell, args, io }) => {
  const variable = args[0] === '-v' ? args[1] : undefined
  const [format, ...rest] = variable !== undefined ? args.slice(2) : args[0] === '--' ? args.slice(1) : args
  if (format === undefined) throw new CommandError('printf: usage: printf FORMAT [ARG]...', 2)
  const { text, errors } = formatPrintf(format, rest)
  if (variable !== undefined) shell.state.set(variable, text)
  else await io.stdout.write(text)
  for (const error of errors) await shell.complain(io, `printf: ${error}`)
  return errors.length > 0 ? 1 : 0
}

interface ReadOptions {
  raw: boolean
  prompt: string
  timeoutSeconds: number | undefined
  array: boolean
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
    descriptor: 0,
    delimiter: '\n',
    limit: undefined,
    names: [],
  }
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    if (!/^-./.test(arg)) options.names.push(arg)
    else if (arg === '-p') options.prompt = args[++at] ?? ''
    else if (arg === '-t') options.timeoutSeconds = Number(args[++at])
    else if (arg === '-u') options.descriptor = Number(args[++at])
    else if (arg === '-n' || arg === '-N') {
      options.limit = Number(args[++at])
      if (!(options.limit > 0)) throw new CommandError(`read: ${args[at]}: invalid number`, 1)
      // -N takes delimiters as any other character.
      if (arg === '-N') options.delimiter = undefined
    } else if (arg === '-d') options.delimiter = (args[++at] ?? '')[0] ?? '\0'
    else if (/^-[rsa]+$/.test(arg)) {
      options.raw ||= arg.includes('r')
      options.array ||= arg.includes('a')
    } else throw new CommandError(`read: illegal option ${arg}`, 2)
  }
  return options
}

const read: Builtin = async ({ shell, args, io }) => {
  const options = readOptions(args)
  const reader = asReader(streamOf(io, options.descriptor) ?? io.stdin, String(options.descriptor))
  if (options.prompt !== '' && reader.isTTY) await io.stderr.write(options.prompt)
  const cancel = new AbortController()
  const own = readerFor(shell, reader, options.timeoutSeconds, cancel.signal)
  const isLine = options.delimiter === '\n' && options.limit === undefined
  const reading = isLine ? logicalLine(own, options.raw) : partOf(own, options)
  const line = await reading.finally(() => cancel.abort())
  const { state } = shell
  const names = options.names.length > 0 ? options.names : ['REPLY']
  const fields = splitLine(line.text, state.get('IFS') ?? ' \t\n', options.array ? undefined : names.length)
  if (options.array) state.set(names[0]!, fields)
  else if (options.names.length === 0) state.set('REPLY', unquote(line.text))
  else for (const [index, name] of names.entries()) state.set(name, fields[index] ?? '')
  return line.ended ? 0 : 1
}

/** A read that a trapped signal or the time limit of `-t` ended. */
class ReadGivenUp extends Error {}

function readerFor(
  shell: Shell,
  reader: ByteReader,
  timeoutSeconds: number | undefined,
  canceled: AbortSignal,
): ByteReader {
  const { clock } = shell.process.system
  const limit =
    timeoutSeconds === undefined
      ? undefined
      : clock.sleep(timeoutSeconds * 1_000_000, canceled).then(() => undefined)
  limit?.catch(() => {})
  return shell.ownReader(reader, async (read) => {
    const answer = read.then((bytes) => ({ bytes }))
    const result = await shell.waitOrTrap(limit === undefined ? answer : Promise.race([answer, limit]))
    if (result === undefined) throw new ReadGivenUp()
    return result.bytes
  })
}

/** A line, joined with the next ones at backslashes; a backslash that stays is marked with NUL for splitting. */
async function logicalLine(reader: ByteReader, raw: boolean): Promise<{ text: string; ended: boolean }> {
  let text = ''
  for (;;) {
    let line: Awaited<ReturnType<typeof readOneLine>>
    try {
      line = await readOneLine(reader)
    } catch (error) {
      if (!(error instanceof ReadGivenUp)) throw error
    }
    if (line === undefined) return { text, ended: false }
    if (raw) return { text: line.text, ended: line.terminated }
    const continued = /(^|[^\\])(\\\\)*\\$/.test(line.text) && line.terminated
    text += (continued ? line.text.slice(0, -1) : line.text).replace(/\\(.)/gs, '\0$1')
    if (!continued) return { text, ended: line.terminated }
  }
}

/** What `-n` and `-d` ask for: up to so many characters, or to another delimiter, whichever comes first. */
async function partOf(
  reader: ByteReader,
  { delimiter, limit = Number.POSITIVE_INFINITY, raw }: ReadOptions,
): Promise<{ text: string; ended: boolean }> {
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
    return { text: quoted(text), ended: false }
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

const cd: Builtin = async ({ shell, args, io }) => {
  const { process, state } = shell
  const [operand] = args.filter((arg) => arg !== '-P' && arg !== '-L' && arg !== '--')
  const back = operand === '-'
  const target = back ? state.get('OLDPWD') : (operand ?? state.get('HOME'))
  if (target === undefined) throw new CommandError(`cd: ${back ? 'OLDPWD' : 'HOME'} not set`, 1)
  const path = resolvePath(process.cwd, target)
  const { fs } = process.system
  if (!fs.exists(path)) throw new CommandError(`cd: can't cd to ${target}: No such file or directory`, 1)
  if (fs.stat(path).type !== 'directory')
    throw new CommandError(`cd: can't cd to ${target}: Not a directory`, 1)
  state.set('OLDPWD', process.cwd)
  process.cwd = path
  state.set('PWD', path)
  if (back) await io.stdout.write(`${path}\n`)
  return 0
}

const pwd: Builtin = async ({ shell, io }) => {
  await io.stdout.write(`${shell.process.cwd}\n`)
  return 0
}

const test: Builtin = async ({ shell, name, args, io }) => {
  if (name === '[' && args.at(-1) !== ']') throw new CommandError('[: missing ]', 2)
  try {
    return testArguments(name === '[' ? args.slice(0, -1) : args, conditionsOf(shell, io)) ? 0 : 1
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError(error.message, 2)
    throw error
  }
}

const times: Builtin = async ({ io }) => {
  await io.stdout.write('0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n')
  return 0
}

export const inputOutputBuiltins: Readonly<Record<string, Builtin>> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  umask: () => 0,
  hash: () => 0,
  echo,
  printf,
  read,
  cd,
  pwd,
  test,
  '[': test,
  times,
}
