// Reads a line from a terminal as readline does: emacs' keys, history, search in it, completion. The terminal is raw
// while it reads, and as it was otherwise, so that programs find the usual line discipline.

import type { ByteReader, ByteWriter } from '../../posix/process.js'
import type { TerminalControl } from '../../posix/terminal.js'
import { type Completer, commonPrefix } from './completion.js'
import { charactersOf, EditedLine } from './edited-line.js'
import type { History } from './history.js'
import { wordsOf } from './history-expansion.js'
import { type Command, KeyDecoder } from './keys.js'
import { ScreenLines } from './screen-lines.js'

/** How reading ended: a line, ^C, or the end of input (^D on an empty line, the terminal is gone). */
export type ReadLine = { readonly line: string } | { readonly end: 'interrupt' | 'end-of-input' }

export interface LineEditorOptions {
  readonly reader: ByteReader
  readonly writer: ByteWriter
  readonly terminal: TerminalControl
  readonly history: History
  readonly complete: Completer
  /** Whether the terminal is to tell what is pasted from what is typed. */
  readonly marksPastes: boolean
}

const MARK_PASTES = '\x1b[?2004h'
const MARK_NO_PASTES = '\x1b[?2004l'

/** More candidates than this are only counted. */
const MAX_SHOWN_CANDIDATES = 100

export class LineEditor {
  readonly #options: LineEditorOptions
  readonly #screen: ScreenLines

  constructor(options: LineEditorOptions) {
    this.#options = options
    this.#screen = new ScreenLines(options.writer, () => options.terminal.columns)
  }

  /** Shows `prompt` and reads a line. Rejects as the reader and the writer do. */
  async read(prompt: string): Promise<ReadLine> {
    const { terminal, writer, marksPastes } = this.#options
    const reading = new Reading(this.#options, this.#screen, prompt)
    terminal.setRaw(true)
    const stop = terminal.onResize(() => reading.redraw())
    if (marksPastes) await writer.write(MARK_PASTES)
    try {
      return await reading.toEnd()
    } finally {
      stop()
      // A terminal that is gone is told nothing.
      if (marksPastes) await writer.write(MARK_NO_PASTES).catch(() => {})
      terminal.setRaw(false)
    }
  }
}

/** One line while it is being read. */
class Reading {
  readonly #options: LineEditorOptions
  readonly #screen: ScreenLines
  readonly #prompt: string
  readonly #line = new EditedLine()
  /** Where in the history the line is from; its length: it is the new one. */
  #position: number
  /** The new line, while one of the history is shown. */
  #draft = ''
  /** The key before was Tab as well: candidates are wanted. */
  #asked = false
  /** What Alt-. inserted, and how many lines back it is from, while it is pressed again and again. */
  #recalled: { readonly text: string; readonly back: number } | undefined
  #search: { query: string; found: number | undefined; readonly before: string } | undefined

  constructor(options: LineEditorOptions, screen: ScreenLines, prompt: string) {
    this.#options = options
    this.#screen = screen
    this.#prompt = prompt
    this.#position = options.history.lines.length
  }

  async toEnd(): Promise<ReadLine> {
    const { reader } = this.#options
    const keys = new KeyDecoder()
    await this.#draw()
    for (;;) {
      const bytes = await reader.read()
      if (bytes === undefined) return { end: 'end-of-input' }
      for (const [index, byte] of bytes.entries()) {
        const key = keys.push(byte)
        if (key === undefined) continue
        const result = 'text' in key ? this.#type(key.text) : await this.#do(key.command)
        if (result === undefined) continue
        reader.unread(bytes.subarray(index + 1))
        return result
      }
      await this.#draw()
    }
  }

  /** After a change of the terminal's size. */
  redraw(): void {
    this.#screen.redrawAll()
    // A client that is gone ends the reading itself.
    this.#draw().catch(() => {})
  }

  async #draw(): Promise<void> {
    await this.#screen.draw(this.#shownPrompt(), this.#line)
  }

  #shownPrompt(): string {
    if (this.#search === undefined) return this.#prompt
    const failed = this.#search.found === undefined && this.#search.query !== '' ? 'failed ' : ''
    return `(${failed}reverse-i-search)\`${this.#search.query}': `
  }

  #type(text: string): undefined {
    this.#asked = false
    this.#recalled = undefined
    this.#line.endKilling()
    if (this.#search === undefined) this.#line.insert(text)
    else {
      this.#search.query += text
      this.#find(this.#search.found ?? this.#options.history.lines.length - 1)
    }
  }

  async #do(command: Command): Promise<ReadLine | undefined> {
    const asked = this.#asked
    this.#asked = command === 'complete'
    if (!command.startsWith('kill-')) this.#line.endKilling()
    if (command !== 'last-argument') this.#recalled = undefined
    if (this.#search !== undefined && this.#searchCommand(command)) return undefined
    const line = this.#line
    switch (command) {
      case 'enter':
        return await this.#finish({ line: line.text })
      case 'interrupt':
        await this.#draw()
        await this.#screen.finish(this.#shownPrompt(), line, '^C')
        return { end: 'interrupt' }
      case 'end-of-input':
        if (!line.isEmpty) line.delete()
        else return await this.#finish({ end: 'end-of-input' })
        return undefined
      case 'left':
      case 'right':
      case 'home':
      case 'end':
      case 'word-left':
      case 'word-right':
        line.move(command)
        return undefined
      case 'up':
        this.#show(this.#position - 1)
        return undefined
      case 'down':
        this.#show(this.#position + 1)
        return undefined
      case 'backspace':
        line.backspace()
        return undefined
      case 'delete':
        line.delete()
        return undefined
      case 'kill-to-end':
        line.kill('to-end')
        return undefined
      case 'kill-to-start':
        line.kill('to-start')
        return undefined
      case 'kill-word-left':
        line.kill('word-left')
        return undefined
      case 'kill-word-right':
        line.kill('word-right')
        return undefined
      case 'yank':
        line.yank()
        return undefined
      case 'transpose':
        line.transpose()
        return undefined
      case 'last-argument':
        this.#recallArgument()
        return undefined
      case 'clear':
        await this.#screen.clear()
        return undefined
      case 'search':
        this.#search = { query: '', found: undefined, before: line.text }
        return undefined
      case 'complete':
        await this.#complete(asked)
        return undefined
      case 'abort':
        return undefined
    }
  }

  /** Alt-.: the last word of the line before, and next time of the one before that. */
  #recallArgument(): void {
    const back = (this.#recalled?.back ?? 0) + 1
    const line = this.#options.history.lines.at(-back)
    if (line === undefined) return
    const text = wordsOf(line).at(-1) ?? ''
    this.#line.replaceBefore(this.#recalled?.text.length ?? 0, text)
    this.#recalled = { text, back }
  }

  /** What is typed next appears below. At the end of input nothing has been typed. */
  async #finish(result: ReadLine): Promise<ReadLine> {
    await this.#draw()
    if ('line' in result) await this.#screen.finish(this.#shownPrompt(), this.#line)
    else this.#screen.restart()
    return result
  }

  #show(position: number): void {
    const { lines } = this.#options.history
    if (position < 0 || position > lines.length) return
    if (this.#position === lines.length) this.#draft = this.#line.text
    this.#position = position
    this.#line.set(lines[position] ?? this.#draft)
  }

  /** A key during a search; false when it ends the search and means something else as well. */
  #searchCommand(command: Command): boolean {
    const search = this.#search!
    switch (command) {
      case 'search':
        if (search.found !== undefined) this.#find(search.found - 1)
        return true
      case 'backspace':
        search.query = charactersOf(search.query).slice(0, -1).join('')
        this.#find(this.#options.history.lines.length - 1)
        return true
      case 'abort':
        this.#search = undefined
        this.#line.set(search.before)
        return true
      default:
        this.#search = undefined
        if (search.found !== undefined) this.#position = search.found
        return false
    }
  }

  /** The newest line from `from` backwards that holds what is searched for. */
  #find(from: number): void {
    const search = this.#search!
    const { lines } = this.#options.history
    for (let at = from; at >= 0 && search.query !== ''; at--) {
      if (!lines[at]!.includes(search.query)) continue
      search.found = at
      this.#line.set(lines[at]!)
      return
    }
    search.found = undefined
  }

  /** The first Tab completes as far as there is no choice, the second shows the choice. */
  async #complete(asked: boolean): Promise<void> {
    const { writer, terminal, complete } = this.#options
    const { word, candidates } = await complete(this.#line.beforeCursor)
    if (candidates.length === 0) return
    const common = commonPrefix(candidates.map(({ text }) => text))
    const [only] = candidates
    const ending = candidates.length === 1 ? only!.ending : ''
    if (common.length > word.length || ending !== '') this.#line.replaceBefore(word.length, common + ending)
    else if (asked && candidates.length > 1) {
      await this.#draw()
      await this.#screen.finish(this.#shownPrompt(), this.#line)
      const shown = candidates.map(({ label }) => label)
      const text =
        shown.length > MAX_SHOWN_CANDIDATES
          ? `${shown.length} possibilities\n`
          : inColumns(shown, terminal.columns)
      await writer.write(text)
    }
  }
}

/** Words in columns, downwards, as `ls` shows them. */
function inColumns(words: readonly string[], columns: number): string {
  const width = Math.max(...words.map(({ length }) => length)) + 2
  const across = Math.max(1, Math.floor(columns / width))
  const rows = Math.ceil(words.length / across)
  return Array.from({ length: rows }, (_, row) => {
    const cells = words.filter((_, index) => index % rows === row)
    return `${cells
      .map((cell) => cell.padEnd(width))
      .join('')
      .trimEnd()}\n`
  }).join('')
}
