// less, as people use it: moving, searching, following the size of the terminal; of pipes it shows what has come so far.
// Without a terminal it is cat. Not here: marks, several windows, `v`, `|` and `!`.

import type { Process, Program } from '../../../posix/process.js'
import { compileRegularExpression } from '../../regular-expression.js'
import { readLines } from '../../streams.js'
import { openInputs } from '../inputs.js'
import { applet, parseOptions, UsageError } from '../options.js'
import { Keyboard } from './keyboard.js'
import { rowsOf } from './page-text.js'

const ENTER_SCREEN = '\x1b[?1049h\x1b[H\x1b[2J'
const LEAVE_SCREEN = '\x1b[?1049l'
const REVERSE = '\x1b[7m'
const PLAIN = '\x1b[m'
const HELP = [
  'SUMMARY OF COMMANDS',
  '',
  '  q  Q               Exit.',
  '  SPACE  f  ^F       Forward one screen.        b  ^B   Backward one screen.',
  '  d  ^D              Forward half a screen.     u  ^U   Backward half a screen.',
  '  j  ENTER  DOWN     Forward one line.          k  UP   Backward one line.',
  '  g  <  HOME         Go to the first line.      G  >  END   Go to the last line.',
  '  /pattern           Search forward.            ?pattern    Search backward.',
  '  n                  Repeat the search.         N   Repeat it in the other direction.',
  '  LEFT  RIGHT        Half a screen across, with -S.',
  '  r  ^L              Draw the screen anew.      =   Tell where this is.',
  '  NUMBER before a command: so many lines, or that line.',
]

export const less: Program = applet(async (process, args) => {
  const plus = args.filter((arg) => arg.startsWith('+'))
  const options = parseOptions(
    args.filter((arg) => !arg.startsWith('+')),
    'NSRrXFiIeEnmMsfKp:x:',
    { 'LINE-NUMBERS': 'N', 'chop-long-lines': 'S', 'quit-if-one-screen': 'F', 'ignore-case': 'i' },
  )
  const text = new PagerText()
  let status = 0
  const inputs = openInputs(process, options.operands, () => (status = 1))
  if (options.operands.length === 0 && process.stdin.isTTY) {
    throw new UsageError('Missing filename ("less --help" for help)')
  }
  const keyboard = process.stdout.isTTY ? Keyboard.of(process) : undefined
  if (keyboard === undefined) {
    for await (const { reader } of inputs) {
      for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
        await process.stdout.write(chunk)
      }
    }
    return status
  }
  const reading = (async () => {
    for await (const { reader } of inputs) {
      for await (const { text: line } of readLines(reader)) {
        process.hold(line.length * 2)
        text.lines.push(line)
        keyboard.wake()
      }
    }
    text.isWhole = true
    keyboard.wake()
  })()
  // What fails here ends the program: its text would stay half.
  reading.catch(() => keyboard.close())
  const pager = new Less(process, keyboard, text, {
    name: options.operands[0] ?? '',
    numbers: options.has('N'),
    chop: options.has('S'),
    ignoreCase: options.has('i') || options.has('I'),
    quitIfShort: options.has('F'),
    start: plus.map((arg) => arg.slice(1)),
  })
  try {
    await pager.run()
  } finally {
    keyboard.close()
  }
  return status
})

class PagerText {
  readonly lines: string[] = []
  isWhole = false
}

interface LessSettings {
  readonly name: string
  readonly numbers: boolean
  readonly chop: boolean
  readonly ignoreCase: boolean
  readonly quitIfShort: boolean
  /** Commands to begin with: `G`, `/pattern`, a line's number. */
  readonly start: readonly string[]
}

class Less {
  readonly #process: Process
  readonly #keyboard: Keyboard
  readonly #text: PagerText
  readonly #settings: LessSettings
  /** Line at the top of the screen, from 0. */
  #top = 0
  /** Columns to the left of the screen, with -S. */
  #left = 0
  #pattern: RegExp | undefined
  #backward = false
  #message: string
  /** Goes to the end of the text when that has come. */
  #toEnd = false

  constructor(process: Process, keyboard: Keyboard, text: PagerText, settings: LessSettings) {
    this.#process = process
    this.#keyboard = keyboard
    this.#text = text
    this.#settings = settings
    this.#message = settings.name
  }

  async run(): Promise<void> {
    const { quitIfShort, start } = this.#settings
    if (quitIfShort && (await this.#fits())) {
      return await this.#process.stdout.write(this.#text.lines.map((line) => `${line}\n`).join(''))
    }
    this.#keyboard.onSuspend = LEAVE_SCREEN
    this.#keyboard.onResume = ENTER_SCREEN
    await this.#process.stdout.write(ENTER_SCREEN)
    for (const command of start) this.#begin(command)
    await this.#draw()
    try {
      for (let count = ''; ; ) {
        const key = await this.#keyboard.next(this.#process.signal)
        if (key === undefined || key === 'hang-up' || key === 'q' || key === 'Q' || key === '\x03') return
        if (/^\d$/.test(key)) {
          count += key
          await this.#prompt(`:${count}`)
          continue
        }
        await this.#handle(key, count === '' ? undefined : Number(count))
        count = ''
      }
    } finally {
      await this.#process.stdout.write(LEAVE_SCREEN)
    }
  }

  /** Waits until the text is whole or longer than the screen. */
  async #fits(): Promise<boolean> {
    const { columns, rows } = this.#keyboard.terminal
    for (;;) {
      const needed = this.#text.lines.reduce((sum, line) => sum + rowsOf(line, columns).length, 0)
      if (needed >= rows) return false
      if (this.#text.isWhole) return true
      await this.#keyboard.next(this.#process.signal)
    }
  }

  #begin(command: string): void {
    if (command === 'G') this.#toEnd = true
    else if (command.startsWith('/')) this.#search(command.slice(1), 1)
    else if (/^\d+$/.test(command)) this.#goTo(Number(command) - 1)
  }

  async #handle(key: string, count: number | undefined): Promise<void> {
    const page = this.#pageRows()
    const half = Math.max(1, page >> 1)
    if (key !== 'wake' && key !== 'resize') this.#message = ''
    switch (key) {
      case ' ':
      case 'f':
      case '\x06':
      case '\x16':
      case 'page-down':
        this.#move(count ?? page)
        break
      case 'b':
      case '\x02':
      case 'page-up':
        this.#move(-(count ?? page))
        break
      case 'd':
      case '\x04':
        this.#move(count ?? half)
        break
      case 'u':
      case '\x15':
        this.#move(-(count ?? half))
        break
      case 'j':
      case 'e':
      case '\r':
      case '\n':
      case '\x0e':
      case 'down':
        this.#move(count ?? 1)
        break
      case 'k':
      case 'y':
      case '\x10':
      case 'up':
        this.#move(-(count ?? 1))
        break
      case 'g':
      case '<':
      case 'home':
        this.#goTo((count ?? 1) - 1)
        break
      case 'G':
      case '>':
      case 'end':
        if (count === undefined) this.#toEnd = true
        else this.#goTo(count - 1)
        break
      case 'right':
        this.#left += this.#keyboard.terminal.columns >> 1
        break
      case 'left':
        this.#left = Math.max(0, this.#left - (this.#keyboard.terminal.columns >> 1))
        break
      case '/':
      case '?': {
        const pattern = await this.#ask(key)
        if (pattern !== undefined) this.#search(pattern, key === '/' ? 1 : -1)
        break
      }
      case 'n':
      case 'N':
        this.#searchAgain(this.#backward === (key === 'N') ? 1 : -1)
        break
      case '=':
        this.#message = this.#position()
        break
      case 'h':
      case 'H':
        await this.#help()
        break
      case 'wake':
        // Only a screen that is not full has something to show of what came.
        if (!this.#toEnd && !this.#text.isWhole && this.#text.lines.length - this.#top > page) return
        break
    }
    await this.#draw()
  }

  // ---- moving

  #pageRows(): number {
    return Math.max(1, this.#keyboard.terminal.rows - 1)
  }

  #move(lines: number): void {
    this.#toEnd = false
    this.#goTo(this.#top + lines)
  }

  #goTo(line: number): void {
    this.#toEnd = false
    this.#top = Math.max(0, Math.min(line, this.#lastTop()))
  }

  /** The first line of the last full screen. */
  #lastTop(): number {
    const { lines } = this.#text
    let rows = 0
    let at = lines.length
    while (at > 0) {
      rows += this.#rows(at - 1).length
      if (rows > this.#pageRows()) break
      at--
    }
    return at
  }

  // ---- searching

  #search(pattern: string, direction: 1 | -1): void {
    this.#backward = direction === -1
    if (pattern !== '') {
      try {
        const { source, flags } = compileRegularExpression(pattern, true)
        // As less -i: capitals in the pattern mean themselves.
        const ignore = this.#settings.ignoreCase && pattern === pattern.toLowerCase()
        this.#pattern = new RegExp(source, `${flags.replaceAll(/[gi]/g, '')}g${ignore ? 'i' : ''}`)
      } catch {
        this.#message = 'Invalid pattern'
        return
      }
    }
    this.#searchAgain(direction)
  }

  #searchAgain(direction: 1 | -1): void {
    const pattern = this.#pattern
    if (pattern === undefined) {
      this.#message = 'No previous regular expression'
      return
    }
    const { lines } = this.#text
    for (let at = this.#top + direction; at >= 0 && at < lines.length; at += direction) {
      pattern.lastIndex = 0
      if (!pattern.test(lines[at]!)) continue
      this.#toEnd = false
      this.#top = at
      return
    }
    this.#message = 'Pattern not found'
  }

  /** A line typed at the bottom of the screen; undefined when it is given up. */
  async #ask(prompt: string): Promise<string | undefined> {
    let text = ''
    for (;;) {
      await this.#prompt(`${prompt}${text}`)
      const key = await this.#keyboard.next(this.#process.signal)
      if (key === undefined || key === 'hang-up' || key === '\x03' || key === '\x1b') return undefined
      if (key === '\r' || key === '\n') return text
      if (key === '\x7f' || key === '\b') {
        if (text === '') return undefined
        text = text.slice(0, -1)
      } else if (key.length <= 2 && key >= ' ') text += key
    }
  }

  // ---- the screen

  #rows(line: number): string[] {
    const { columns } = this.#keyboard.terminal
    const { numbers, chop } = this.#settings
    const number = numbers ? `${String(line + 1).padStart(7)} ` : ''
    const text = this.#text.lines[line]!
    return rowsOf(text, Math.max(1, columns - number.length), chop, this.#left).map((row, index) =>
      number === '' ? row : `${index === 0 ? number : ' '.repeat(number.length)}${row}`,
    )
  }

  async #draw(): Promise<void> {
    if (this.#toEnd) this.#top = this.#lastTop()
    const page = this.#pageRows()
    const rows: string[] = []
    for (let line = this.#top; line < this.#text.lines.length && rows.length < page; line++) {
      rows.push(...this.#rows(line).map((row) => this.#highlighted(row)))
    }
    const shown = rows.slice(0, page)
    while (shown.length < page) shown.push('~')
    const body = shown.map((row) => `\x1b[K${row}${PLAIN}\r\n`).join('')
    await this.#process.stdout.write(`\x1b[H${body}\x1b[K${this.#status()}`)
  }

  #highlighted(row: string): string {
    return this.#pattern === undefined
      ? row
      : row.replace(this.#pattern, (match) => `${REVERSE}${match}${PLAIN}`)
  }

  #status(): string {
    if (this.#message !== '') return `${REVERSE}${this.#message}${PLAIN}`
    return this.#isAtEnd() ? `${REVERSE}(END)${PLAIN}` : ':'
  }

  #isAtEnd(): boolean {
    return this.#text.isWhole && this.#top >= this.#lastTop()
  }

  #position(): string {
    const { lines, isWhole } = this.#text
    const last = Math.min(lines.length, this.#top + this.#pageRows())
    const total = isWhole ? `/${lines.length}` : ''
    const share = isWhole && lines.length > 0 ? ` ${Math.floor((last / lines.length) * 100)}%` : ''
    return `${this.#settings.name === '' ? '' : `${this.#settings.name} `}lines ${this.#top + 1}-${last}${total}${share}`
  }

  async #prompt(text: string): Promise<void> {
    await this.#process.stdout.write(`\x1b[${this.#keyboard.terminal.rows};1H\x1b[K${text}`)
  }

  async #help(): Promise<void> {
    const rows = HELP.slice(0, this.#pageRows())
    const body = rows.map((row) => `${row}\r\n`).join('')
    await this.#process.stdout.write(`\x1b[H\x1b[2J${body}${REVERSE}HELP -- Press RETURN when done${PLAIN}`)
    await this.#keyboard.next(this.#process.signal)
  }
}
