// Bytes as text: base64 and hexdump -C.

import { base64Decode, base64Encode } from '../../base/base64.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { cannotOpen, openInputs } from './inputs.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'

/** All bytes of all inputs; undefined after one that cannot be opened. */
async function readInputs(process: Process, names: readonly string[]): Promise<Uint8Array | undefined> {
  let failed = false
  const parts: Uint8Array[] = []
  const fail = () => {
    failed = true
  }
  for await (const { reader } of openInputs(process, names, fail, cannotOpen)) {
    parts.push(await readAll(reader, process.hold))
  }
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return failed ? undefined : bytes
}

export const base64: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'dDw:', { decode: 'd', wrap: 'w' })
  const bytes = await readInputs(process, options.operands.slice(0, 1))
  if (bytes === undefined) return 1
  if (options.has('d') || options.has('D')) {
    const text = new TextDecoder().decode(bytes).replace(/\s/g, '')
    const decoded = base64Decode(text)
    if (decoded instanceof Uint8Array) {
      await process.stdout.write(decoded)
      return 0
    }
    // What can be read of it is written all the same: the parts of a token have no padding.
    const start = base64Decode(text.slice(0, decoded.illegalAt - (decoded.illegalAt % 4)))
    if (start instanceof Uint8Array) await process.stdout.write(start)
    throw new UsageError('truncated input')
  }
  const width = parseCount(options.value('w') ?? '76')
  const text = base64Encode(bytes)
  const lines = width > 0 ? (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []) : [text]
  // Unwrapped text has no line feed at its end.
  await process.stdout.write(width > 0 ? lines.map((line) => `${line}\n`).join('') : text)
  return 0
})

/** Only the canonical form, -C: offset, bytes in hexadecimal, characters. */
export const hexdump: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'Cvn:')
  if (!options.has('C')) throw new UsageError('only the canonical form is known: hexdump -C [FILE]...')
  const all = await readInputs(process, options.operands)
  if (all === undefined) return 1
  const bytes = all.subarray(0, parseCount(options.value('n') ?? String(all.length)))
  const offset = (at: number) => at.toString(16).padStart(8, '0')
  const lines: string[] = []
  let previous = ''
  let repeats = false
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const text = hexdumpRow(row)
    // Rows that repeat are one `*`, unless -v.
    if (text === previous && row.length === 16 && !options.has('v')) {
      if (!repeats) lines.push('*\n')
      repeats = true
      continue
    }
    lines.push(`${offset(at)}  ${text}\n`)
    previous = text
    repeats = false
  }
  if (bytes.length > 0) lines.push(`${offset(bytes.length)}\n`)
  await process.stdout.write(lines.join(''))
  return 0
})

function hexdumpRow(row: Uint8Array): string {
  const cells = Array.from({ length: 16 }, (_, index) => row[index]?.toString(16).padStart(2, '0') ?? '  ')
  const characters = [...row]
    .map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.'))
    .join('')
  return `${cells.slice(0, 8).join(' ')}  ${cells.slice(8).join(' ')}  |${characters}|`
}
