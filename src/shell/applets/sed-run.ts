// The cycle of sed: a script (sed-script.ts) run over lines. Options and files are sed.ts'.

import type { SedFiles, SedOutput } from './sed-output.js'
import { replacementText, visibleText } from './sed-replacement.js'
import type { SedAddress, SedCommand, Substitution } from './sed-script.js'

export interface SedOptions {
  /** -n: nothing is printed by itself. */
  readonly silent: boolean
  /** Where l folds lines. */
  readonly width: number
  /** The file that is read, for F. */
  readonly name: () => string
}

interface Line {
  readonly text: string
  readonly terminated: boolean
}

/** What a command asks of the cycle. */
type Outcome = 'next' | 'endCycle' | 'deleteCycle' | 'restart' | 'quit' | { readonly jump: number }

export class SedRun {
  readonly #commands: readonly SedCommand[]
  readonly #lines: AsyncIterator<Line>
  readonly #output: SedOutput
  readonly #files: SedFiles
  readonly #options: SedOptions
  #next: IteratorResult<Line> | undefined
  #number = 0
  #pattern = ''
  #terminated = true
  #hold = ''
  #substituted = false
  /** What a, r and R write at the end of the cycle. */
  readonly #after: (() => Promise<void>)[] = []
  status = 0
  /** Whether q or Q ended it, so that no other file is read. */
  hasQuit = false

  constructor(
    commands: readonly SedCommand[],
    lines: AsyncIterator<Line>,
    output: SedOutput,
    files: SedFiles,
    options: SedOptions,
  ) {
    this.#commands = commands
    this.#lines = lines
    this.#output = output
    this.#files = files
    this.#options = options
    // `0,/x/` has begun before the first line.
    for (const command of commands) command.active = command.from?.kind === 'line' && command.from.line === 0
  }

  async run(): Promise<void> {
    let keep = false
    while (keep || (await this.#readLine())) {
      keep = false
      const outcome = await this.#cycle()
      if (outcome !== 'deleteCycle' && outcome !== 'restart' && !this.#options.silent)
        await this.#print(this.#pattern)
      await this.#flushAppended()
      if (outcome === 'quit' || this.hasQuit) return
      if (outcome === 'restart') keep = true
    }
  }

  async #readLine(append = false): Promise<boolean> {
    const result = this.#next ?? (await this.#lines.next())
    this.#next = undefined
    if (result.done) return false
    this.#number++
    this.#pattern = append ? `${this.#pattern}\n${result.value.text}` : result.value.text
    this.#terminated = result.value.terminated
    return true
  }

  async #isLast(): Promise<boolean> {
    this.#next ??= await this.#lines.next()
    return this.#next.done === true
  }

  async #print(text: string): Promise<void> {
    await this.#output.line(text, this.#terminated || !(await this.#isLast()))
  }

  async #flushAppended(): Promise<void> {
    for (const write of this.#after.splice(0)) await write()
  }

  async #cycle(): Promise<Outcome> {
    this.#substituted = false
    for (let at = 0; at < this.#commands.length; at++) {
      const command = this.#commands[at]!
      if ((await this.#selects(command)) === command.negated) {
        if (command.name === '{') at = command.end - 1
        continue
      }
      const outcome = await this.#execute(command)
      if (outcome === 'next') continue
      if (typeof outcome !== 'object') return outcome
      at = outcome.jump - 1
    }
    return 'endCycle'
  }

  async #selects(command: SedCommand): Promise<boolean> {
    if (command.from === undefined) return true
    if (command.to === undefined) return await this.#matches(command.from)
    if (!command.active) {
      if (!(await this.#matches(command.from))) return false
      const { to } = command
      const until = lastLine(to, this.#number)
      command.until = until
      command.active = until === undefined || until > this.#number
      return true
    }
    if (command.until !== undefined) command.active = this.#number < command.until
    else command.active = !(await this.#matches(command.to))
    return true
  }

  async #matches(address: SedAddress): Promise<boolean> {
    switch (address.kind) {
      case 'line':
        return this.#number === address.line
      case 'step':
        return address.step === 0
          ? this.#number === address.first
          : this.#number >= address.first && (this.#number - address.first) % address.step === 0
      case 'last':
        return await this.#isLast()
      case 'match':
        return address.expression.test(this.#pattern)
      case 'plus':
      case 'multiple':
        return false
    }
  }

  async #execute(command: SedCommand): Promise<Outcome> {
    switch (command.name) {
      case 's':
        await this.#substitute(command.substitution!)
        return 'next'
      case 'y':
        this.#pattern = [...this.#pattern].map((c) => command.mapping!.get(c) ?? c).join('')
        return 'next'
      case 'p':
        await this.#print(this.#pattern)
        return 'next'
      case 'P':
        await this.#output.line(this.#pattern.split('\n')[0]!)
        return 'next'
      case '=':
        await this.#output.line(String(this.#number))
        return 'next'
      case 'a':
        this.#after.push(() => this.#output.raw(`${command.text}\n`))
        return 'next'
      case 'r':
        this.#after.push(() => this.#output.raw(this.#files.text(command.text)))
        return 'next'
      case 'R': {
        const line = this.#files.nextLine(command.text)
        if (line !== undefined) this.#after.push(() => this.#output.line(line))
        return 'next'
      }
      case 'w':
        await this.#files.output(command.text, this.#output).line(this.#pattern)
        return 'next'
      case 'W':
        await this.#files.output(command.text, this.#output).line(this.#pattern.split('\n')[0]!)
        return 'next'
      case 'l':
        await this.#output.line(
          visibleText(this.#pattern, command.text === '' ? this.#options.width : Number(command.text)),
        )
        return 'next'
      case 'F':
        await this.#output.line(this.#options.name())
        return 'next'
      case 'i':
        await this.#output.raw(`${command.text}\n`)
        return 'next'
      case 'c':
        if (!command.active) await this.#output.raw(`${command.text}\n`)
        return 'deleteCycle'
      case 'd':
        return 'deleteCycle'
      case 'D':
        if (!this.#pattern.includes('\n')) return 'deleteCycle'
        this.#pattern = this.#pattern.slice(this.#pattern.indexOf('\n') + 1)
        return 'restart'
      case 'n':
        if (await this.#isLast()) return 'quit'
        if (!this.#options.silent) await this.#print(this.#pattern)
        await this.#readLine()
        return 'next'
      case 'N':
        if (await this.#isLast()) return 'quit'
        await this.#readLine(true)
        return 'next'
      case 'q':
      case 'Q':
        this.status = Number(command.text) || 0
        this.hasQuit = true
        return command.name === 'Q' ? 'deleteCycle' : 'quit'
      default:
        return this.#moveText(command)
    }
  }

  /** The hold space and jumps. */
  #moveText(command: SedCommand): Outcome {
    switch (command.name) {
      case 'h':
        this.#hold = this.#pattern
        break
      case 'H':
        this.#hold += `\n${this.#pattern}`
        break
      case 'g':
        this.#pattern = this.#hold
        break
      case 'G':
        this.#pattern += `\n${this.#hold}`
        break
      case 'x':
        ;[this.#pattern, this.#hold] = [this.#hold, this.#pattern]
        break
      case 'b':
        return this.#jump(command.text)
      case 'z':
        this.#pattern = ''
        break
      case 'T':
        if (!this.#substituted) return this.#jump(command.text)
        this.#substituted = false
        break
      case 't':
        if (!this.#substituted) break
        this.#substituted = false
        return this.#jump(command.text)
    }
    return 'next'
  }

  #jump(label: string): Outcome {
    if (label === '') return 'endCycle'
    const target = this.#commands.findIndex((command) => command.name === ':' && command.text === label)
    return { jump: target }
  }

  async #substitute(substitution: Substitution): Promise<void> {
    let index = 0
    let done = false
    let previousEnd = -1
    const { expression, occurrence, global, replacement, print, file } = substitution
    this.#pattern = this.#pattern.replace(expression, (match: string, ...rest: unknown[]) => {
      const position = rest.findIndex((item) => typeof item === 'number')
      const at = rest[position] as number
      // Nothing, right behind a match, is none.
      if (match === '' && at === previousEnd) return match
      previousEnd = at + match.length
      index++
      if (index < occurrence || (done && !global)) return match
      done = true
      return replacementText(replacement, match, rest.slice(0, position) as (string | undefined)[])
    })
    this.#substituted ||= done
    if (!done) return
    if (print) await this.#print(this.#pattern)
    if (file !== undefined) await this.#files.output(file, this.#output).line(this.#pattern)
  }
}

/** The last line of a range that began at line `number`, where its end is a number. */
function lastLine(to: SedAddress, number: number): number | undefined {
  if (to.kind === 'line') return to.line
  if (to.kind === 'plus') return number + to.count
  if (to.kind === 'multiple') return to.count === 0 ? number : Math.ceil(number / to.count) * to.count
  return undefined
}
