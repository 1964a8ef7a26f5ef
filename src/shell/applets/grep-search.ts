// Searching one input of grep, line by line as it comes: what is selected, its context, and how it is shown.

import type { ByteWriter, Process } from '../../posix/process.js'
import { readLines } from '../streams.js'
import type { Input } from './inputs.js'

export interface Search {
  readonly expression: RegExp
  readonly inverted: boolean
  readonly quiet: boolean
  readonly counting: boolean
  readonly namesOnly: 'l' | 'L' | undefined
  readonly numbered: boolean
  /** -b: where lines, or matches with -o, begin. */
  readonly offsets: boolean
  readonly matchesOnly: boolean
  readonly named: boolean
  readonly before: number
  readonly after: number
  /** Selected lines after which an input is left. */
  readonly most: number
  /** Between groups of lines; undefined for none. */
  readonly separator: string | undefined
  readonly lineEnd: string
  /** Behind names of files in place of `:` and line feeds. */
  readonly nameEnd: string | undefined
  readonly tab: string
  readonly colours: boolean
  /** What is done with lines that have a NUL. */
  readonly binary: 'text' | 'skip' | 'tell'
  /** The name of standard input. */
  readonly label: string
}

interface Line {
  readonly text: string
  readonly number: number
  /** In bytes. */
  readonly offset: number
}

/** The colours of GNU's grep. */
const COLOUR = { match: '01;31', name: '35', number: '32', mark: '36' } as const

const encoder = new TextEncoder()

function byteLength(text: string): number {
  return encoder.encode(text).length
}

/** How lines of one input are written. */
class LinePrinter {
  readonly #search: Search
  readonly #output: ByteWriter
  readonly #name: string
  #lastNumber = 0

  constructor(search: Search, output: ByteWriter, name: string) {
    this.#search = search
    this.#output = output
    this.#name = name
  }

  #paint(text: string, colour: keyof typeof COLOUR): string {
    return this.#search.colours ? `\x1b[${COLOUR[colour]}m\x1b[K${text}\x1b[m\x1b[K` : text
  }

  #prefix(mark: ':' | '-', number: number, offset: number): string {
    const { named, numbered, offsets, nameEnd, tab } = this.#search
    const painted = this.#paint(mark, 'mark')
    let text = named ? this.#paint(this.#name, 'name') + (nameEnd ?? painted) : ''
    if (numbered)
      text += this.#paint(tab === '' ? String(number) : String(number).padStart(4), 'number') + painted
    if (offsets) text += this.#paint(String(offset), 'number') + painted
    return text === '' ? '' : text + tab
  }

  async context({ text, number, offset }: Line): Promise<void> {
    await this.#gap(number)
    if (!this.#search.matchesOnly)
      await this.#output.write(`${this.#prefix('-', number, offset)}${text}${this.#search.lineEnd}`)
  }

  async selected({ text, number, offset }: Line): Promise<void> {
    await this.#gap(number)
    const { matchesOnly, inverted, expression, lineEnd } = this.#search
    if (!matchesOnly) {
      await this.#output.write(`${this.#prefix(':', number, offset)}${this.#highlighted(text)}${lineEnd}`)
      return
    }
    if (inverted) return
    expression.lastIndex = 0
    for (const { 0: match, index } of text.matchAll(expression)) {
      if (match === '') continue
      const at = offset + byteLength(text.slice(0, index))
      await this.#output.write(`${this.#prefix(':', number, at)}${this.#paint(match, 'match')}${lineEnd}`)
    }
  }

  #highlighted(text: string): string {
    const { colours, inverted, expression } = this.#search
    if (!colours || inverted) return text
    return text.replace(expression, (match) => (match === '' ? '' : this.#paint(match, 'match')))
  }

  /** A line between groups that are not next to each other. */
  async #gap(number: number): Promise<void> {
    const { before, after, separator } = this.#search
    const isApart = this.#lastNumber > 0 && number > this.#lastNumber + 1
    this.#lastNumber = number
    if (isApart && before + after > 0 && separator !== undefined)
      await this.#output.write(`${this.#paint(separator, 'mark')}\n`)
  }
}

/** Whether something was found. */
export async function searchInput(
  process: Process,
  search: Search,
  { name, reader }: Input,
): Promise<boolean> {
  const shownName = name === '-' ? search.label : name
  const { stdout, stderr } = process
  const printer = new LinePrinter(search, stdout, shownName)
  const printing = !search.quiet && !search.counting && search.namesOnly === undefined
  const { expression, inverted, before, after, most, lineEnd } = search
  const earlier: Line[] = []
  let [count, number, offset, trailing] = [0, 0, 0, 0]
  let isBinary = false
  for await (const { text } of readLines(reader, lineEnd)) {
    const line = { text, number: ++number, offset }
    if (search.offsets) offset += byteLength(text) + 1
    isBinary ||= search.binary !== 'text' && text.includes('\0')
    if (isBinary && search.binary === 'skip') break
    expression.lastIndex = 0
    // Behind the last that is asked for everything is context.
    if (count < most && expression.test(text) !== inverted) {
      count++
      if (search.quiet || search.namesOnly !== undefined) break
      if (isBinary && printing) {
        await stderr.write(`grep: ${shownName}: binary file matches\n`)
        return true
      }
      if (printing) {
        for (const context of earlier.splice(0)) await printer.context(context)
        await printer.selected(line)
        trailing = after
      }
    } else if (printing && trailing > 0) {
      trailing--
      await printer.context(line)
    } else if (printing && before > 0 && count < most) {
      earlier.push(line)
      if (earlier.length > before) earlier.shift()
    }
    if (count >= most && trailing === 0) break
  }
  if (search.counting && !search.quiet && search.namesOnly === undefined)
    await stdout.write(`${search.named ? `${shownName}${search.nameEnd ?? ':'}` : ''}${count}\n`)
  if (search.namesOnly !== undefined && !search.quiet && count > 0 === (search.namesOnly === 'l'))
    await stdout.write(`${shownName}${search.nameEnd ?? '\n'}`)
  return count > 0
}
