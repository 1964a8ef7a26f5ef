// What curl tells on standard error, or in a trace file, while it works: -v, --trace, --trace-ascii.

import { resolvePath } from '../../../posix/file-system.js'
import type { Process } from '../../../posix/process.js'
import { formatDate } from '../../date-format.js'
import type { ParsedOptions } from './options.js'

export type TraceForm = 'verbose' | 'hex' | 'ascii'

export interface NarratorOptions {
  readonly form: TraceForm | undefined
  /** Whether lines begin with the time of the day. */
  readonly timed: boolean
  /** Takes what is told. */
  readonly write: (text: string) => Promise<void>
}

const HEX_BYTES = 16
const ASCII_COLUMNS = 64
const CR = 13
const LF = 10

export class Narrator {
  readonly #process: Process
  readonly #options: NarratorOptions

  constructor(process: Process, options: NarratorOptions) {
    this.#process = process
    this.#options = options
  }

  /** What curl does: `* TEXT`. */
  async tell(text: string): Promise<void> {
    if (this.#options.form === 'verbose') await this.#write([`* ${text}\n`])
    else if (this.#options.form !== undefined) await this.#write([`== Info: ${text}\n`])
  }

  /** Lines of a head that is sent. */
  async sends(lines: readonly string[]): Promise<void> {
    if (this.#options.form === 'verbose') await this.#lines('>', lines)
    else if (this.#options.form !== undefined)
      await this.#dump('=> Send header', encoder.encode(lines.map((line) => `${line}\r\n`).join('')))
  }

  /** A line of a head that came. */
  async receives(line: string): Promise<void> {
    if (this.#options.form === 'verbose') await this.#lines('<', [line])
    else if (this.#options.form !== undefined)
      await this.#dump('<= Recv header', encoder.encode(`${line}\r\n`))
  }

  /** A part of a body. */
  async data(direction: 'sent' | 'received', bytes: Uint8Array): Promise<void> {
    if (this.#options.form === 'verbose' || this.#options.form === undefined || bytes.length === 0) return
    await this.#dump(direction === 'sent' ? '=> Send data' : '<= Recv data', bytes)
  }

  #lines(mark: '<' | '>', lines: readonly string[]): Promise<void> {
    return this.#write(lines.map((line) => `${mark} ${line}\r\n`))
  }

  async #dump(title: string, bytes: Uint8Array): Promise<void> {
    const heading = `${title}, ${bytes.length} bytes (0x${bytes.length.toString(16)})\n`
    await this.#write([`${heading}${this.#options.form === 'hex' ? hexDump(bytes) : asciiDump(bytes)}`])
  }

  /** Lines, or a line with a dump below it. */
  #write(texts: readonly string[]): Promise<void> {
    const time = this.#options.timed ? `${this.#time()} ` : ''
    return this.#options.write(texts.map((text) => `${time}${text}`).join(''))
  }

  #time(): string {
    const now = this.#process.system.clock.unixMillis()
    const microseconds = Math.floor((now % 1000) * 1000)
    return `${formatDate(now, '%H:%M:%S')}.${String(microseconds).padStart(6, '0')}`
  }
}

/** As the options of the whole command want it: on standard error, or in a file that is made anew. */
export function narratorOf(process: Process, options: ParsedOptions): Narrator {
  const file = options.value('trace-ascii') ?? options.value('trace')
  const timed = options.has('trace-time')
  const verbose = options.has('v') ? 'verbose' : undefined
  if (file === undefined || file === '-' || file === '%') {
    const to = file === '-' ? process.stdout : process.stderr
    const form = file === undefined ? verbose : options.has('trace-ascii') ? 'ascii' : 'hex'
    return new Narrator(process, { form, timed, write: (text) => to.write(text) })
  }
  const { fs } = process.system
  const path = resolvePath(process.cwd, file)
  fs.writeFile(path, '')
  const form = options.has('trace-ascii') ? 'ascii' : 'hex'
  return new Narrator(process, { form, timed, write: async (text) => fs.appendFile(path, text) })
}

const encoder = new TextEncoder()

function offset(at: number): string {
  return at.toString(16).padStart(4, '0')
}

function shown(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
}

function hexDump(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += HEX_BYTES) {
    const row = bytes.subarray(at, at + HEX_BYTES)
    const hex = [...row].map((byte) => `${byte.toString(16).padStart(2, '0')} `).join('')
    text += `${offset(at)}: ${hex.padEnd(HEX_BYTES * 3)}${[...row].map(shown).join('')}\n`
  }
  return text
}

/** A line for each line. */
function asciiDump(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    let end = at
    const limit = Math.min(bytes.length, at + ASCII_COLUMNS)
    while (end < limit && !(bytes[end] === CR && bytes[end + 1] === LF)) end++
    text += `${offset(at)}: ${[...bytes.subarray(at, end)].map(shown).join('')}\n`
    const isLineEnd = bytes[end] === CR && bytes[end + 1] === LF
    at = isLineEnd ? end + 2 : end
  }
  return text
}
