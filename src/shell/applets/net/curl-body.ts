// What curl sends: the data options joined, or a form of several parts (RFC 7578), or a file.

import { resolvePath } from '../../../posix/file-system.js'
import { readAll } from '../../../posix/pipe.js'
import type { Process } from '../../../posix/process.js'
import type { CurlArguments } from './curl-arguments.js'
import { CurlUsageError } from './curl-error.js'
import { type ParsedOptions, splitOnce } from './options.js'

export interface CurlBody {
  readonly bytes: Uint8Array
  /** Undefined: curl says none. */
  readonly contentType: string | undefined
  /** From -T: sent by PUT, after the server has said that it wants it. */
  readonly upload?: boolean
  /** Of a length that is not known before. */
  readonly chunked?: boolean
  /** From --json, which asks for JSON too. */
  readonly accept?: string
}

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const BOUNDARY_DIGITS = 16

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Undefined when no option gives one. Throws CurlUsageError. */
export async function readBody(process: Process, parsed: CurlArguments): Promise<CurlBody | undefined> {
  const json = parsed.values('json')
  if (json.length > 0) {
    const parts: Uint8Array[] = []
    for (const text of json) parts.push(await contentOf(process, text))
    return { bytes: joined(parts, ''), contentType: JSON_TYPE, accept: JSON_TYPE }
  }
  const upload = parsed.value('T')
  if (upload !== undefined)
    return {
      bytes: await readInput(process, upload),
      contentType: undefined,
      upload: true,
      chunked: upload === '-',
    }
  if (parsed.values('F').length > 0 || parsed.values('form-string').length > 0)
    return formBody(process, parsed)
  const bytes = await readData(process, parsed)
  return bytes && { bytes, contentType: FORM }
}

/** The file that an option names; `-` is standard input. */
export async function readInput(process: Process, name: string): Promise<Uint8Array> {
  if (name === '-') return readAll(process.stdin, process.hold)
  try {
    return process.system.fs.readFile(resolvePath(process.cwd, name))
  } catch {
    throw new CurlUsageError(26, `Failed to open ${name}`)
  }
}

/** `@file`, or the text itself. Unlike others, a data option whose file is not there sends nothing of it. */
async function contentOf(process: Process, text: string): Promise<Uint8Array> {
  if (!text.startsWith('@')) return encode(text)
  try {
    return await readInput(process, text.slice(1))
  } catch (error) {
    if (!(error instanceof CurlUsageError)) throw error
    if (!process.argv.includes('-s'))
      await process.stderr.write(
        `Warning: Couldn't read data from file "${text.slice(1)}", this makes an empty \nWarning: POST.\n`,
      )
    return new Uint8Array(0)
  }
}

/** All data options joined by `&`; undefined without any. */
async function readData(process: Process, parsed: CurlArguments): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = []
  for (const [name, text] of parsed.ordered) {
    if (name === 'data-raw') parts.push(encode(text))
    else if (name === 'data-binary') parts.push(await contentOf(process, text))
    else if (name === 'data-urlencode') parts.push(encode(await urlencoded(process, text)))
    else if (name === 'd') {
      const bytes = await contentOf(process, text)
      // Line ends of a file are taken out, as if it had been typed on the command line.
      parts.push(text.startsWith('@') ? bytes.filter((byte) => byte !== 10 && byte !== 13) : bytes)
    }
  }
  return parts.length === 0 ? undefined : joined(parts, '&')
}

/** `content`, `=content`, `name=content`, `@file`, `name@file` (curl(1), --data-urlencode). */
export async function urlencoded(process: Process, text: string): Promise<string> {
  const [, name = '', mark, rest = ''] = /^([^=@]*)([=@])(.*)$/s.exec(text) ?? []
  const content =
    mark === undefined
      ? text
      : mark === '='
        ? rest
        : new TextDecoder().decode(await contentOf(process, `@${rest}`))
  const encoded = encodeURIComponent(content)
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
  return name === '' ? encoded : `${name}=${encoded}`
}

function joined(parts: readonly Uint8Array[], separator: string): Uint8Array {
  const between = encode(separator)
  const bytes: number[] = []
  for (const [index, part] of parts.entries()) {
    if (index > 0) for (const byte of between) bytes.push(byte)
    for (const byte of part) bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

async function formBody(process: Process, parsed: ParsedOptions): Promise<CurlBody> {
  const { random } = process.system
  const digits = Array.from({ length: BOUNDARY_DIGITS }, () => random.int(16).toString(16)).join('')
  const boundary = `${'-'.repeat(24)}${digits}`
  const parts: Uint8Array[] = []
  for (const text of parsed.values('F')) parts.push(...(await formPart(process, boundary, text)))
  for (const text of parsed.values('form-string')) {
    const [name, value = ''] = splitOnce(text, '=')
    parts.push(encode(`${partHead(boundary, name)}\r\n\r\n${value}\r\n`))
  }
  parts.push(encode(`--${boundary}--\r\n`))
  return { bytes: joined(parts, ''), contentType: `multipart/form-data; boundary=${boundary}` }
}

function partHead(boundary: string, name: string, fileName?: string): string {
  const file = fileName === undefined ? '' : `; filename="${fileName}"`
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}`
}

/** `name=value`, `name=@file`, `name=<file`, with `;type=` and `;filename=`. */
async function formPart(process: Process, boundary: string, text: string): Promise<Uint8Array[]> {
  const [name, content] = splitOnce(text, '=')
  if (content === undefined) throw new CurlUsageError(2, 'option -F: is badly used here')
  const [value = '', ...settings] = content.split(';')
  const setting = (key: string) =>
    settings
      .find((one) => one.trim().startsWith(`${key}=`))
      ?.trim()
      .slice(key.length + 1)
  const isFile = value.startsWith('@')
  const isRead = isFile || value.startsWith('<')
  const bytes = isRead ? await readInput(process, value.slice(1)) : encode(value)
  const fileName = isFile ? (setting('filename') ?? value.slice(value.lastIndexOf('/') + 1)) : undefined
  const type = setting('type') ?? (isFile ? typeOf(value) : undefined)
  const typeLine = type === undefined ? '' : `\r\nContent-Type: ${type}`
  const head = `${partHead(boundary, name, fileName?.replace(/^@/, ''))}${typeLine}\r\n\r\n`
  return [encode(head), bytes, encode('\r\n')]
}

const TYPES: Readonly<Record<string, string>> = {
  gif: 'image/gif',
  htm: 'text/html',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  xml: 'application/xml',
}

/** By the end of a file's name, as curl guesses. */
function typeOf(path: string): string {
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(TYPES, ending) ? TYPES[ending]! : 'application/octet-stream'
}
