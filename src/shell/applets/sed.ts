// sed(1): runs a script (sed-script.ts) over the lines of its input; with -i over each file in place.

import { resolvePath } from '../../posix/file-system.js'
import { CollectingWriter } from '../../posix/pipe.js'
import type { ByteWriter, Process, Program } from '../../posix/process.js'
import { inputLines } from './inputs.js'
import { applet, parseOptions, UsageError } from './options.js'
import { parseSedScript, type SedAddress, type SedCommand, type Substitution } from './sed-script.js'

interface Line {
  readonly text: string
  readonly terminated: boolean
}

/** What a command asks of the cycle. */
type Outcome = 'next' | 'endCycle' | 'deleteCycle' | 'restart' | 'quit' | { readonly jump: number }

class SedRun {
  readonly #commands: readonly SedCommand[]
  readonly #lines: AsyncIterator<Line>
  readonly #output: ByteWriter
  readonly #silent: boolean
  #next: IteratorResult<Line> | undefined
  #number = 0
  #pattern = ''
  #terminated = true
  #hold = ''
  #substituted = false
  #after = ''
  status = 0

  constructor(
    commands: readonly SedCommand[],
    lines: AsyncIterator<Line>,
    output: ByteWriter,
    silent: boolean,
  ) {
    this.#commands = commands
    this.#lines = lines
    this.#output = output
    this.#silent = silent
  }

  async run(): Promise<void> {
    let keep = false
    while (keep || (await this.#readLine())) {
      keep = false
      const outcome = await this.#cycle()
      if (outcome !== 'deleteCycle' && outcome !== 'restart' && !this.#silent)
        await this.#print(this.#pattern)
      await this.#flushAppended()
      if (outcome === 'quit') return
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
    await this.#output.write(this.#terminated || !(await this.#isLast()) ? `${text}\n` : text)
  }

  async #flushAppended(): Promise<void> {
    const text = this.#after
    this.#after = ''
    if (text !== '') await this.#output.write(text)
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
      const until = to.kind === 'line' ? to.line : to.kind === 'plus' ? this.#number + to.count : undefined
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
        return false
    }
  }

  async #execute(command: SedCommand): Promise<Outcome> {
    switch (command.name) {
      case 's':
        if (this.#substitute(command.substitution!) && command.substitution!.print)
          await this.#print(this.#pattern)
        return 'next'
      case 'y':
        this.#pattern = [...this.#pattern].map((c) => command.mapping!.get(c) ?? c).join('')
        return 'next'
      case 'p':
        await this.#print(this.#pattern)
        return 'next'
      case 'P':
        await this.#output.write(`${this.#pattern.split('\n')[0]}\n`)
        return 'next'
      case '=':
        await this.#output.write(`${this.#number}\n`)
        return 'next'
      case 'a':
        this.#after += `${command.text}\n`
        return 'next'
      case 'i':
        await this.#output.write(`${command.text}\n`)
        return 'next'
      case 'c':
        if (!command.active) await this.#output.write(`${command.text}\n`)
        return 'deleteCycle'
      case 'd':
        return 'deleteCycle'
      case 'D':
        if (!this.#pattern.includes('\n')) return 'deleteCycle'
        this.#pattern = this.#pattern.slice(this.#pattern.indexOf('\n') + 1)
        return 'restart'
      case 'n':
        if (await this.#isLast()) return 'quit'
        if (!this.#silent) await this.#print(this.#pattern)
        await this.#readLine()
        return 'next'
      case 'N':
        if (await this.#isLast()) return 'quit'
        await this.#readLine(true)
        return 'next'
      case 'q':
      case 'Q':
        this.status = Number(command.text) || 0
        if (command.name === 'Q') this.#pattern = ''
        return command.name === 'Q' && !this.#silent ? await this.#quitSilently() : 'quit'
      default:
        return this.#moveText(command)
    }
  }

  async #quitSilently(): Promise<Outcome> {
    this.#next = { done: true, value: undefined }
    return 'deleteCycle'
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
    if (target < 0) throw new UsageError(`can't find label for jump to '${label}'`)
    return { jump: target }
  }

  #substitute(substitution: Substitution): boolean {
    let index = 0
    let done = false
    this.#pattern = this.#pattern.replace(substitution.expression, (match: string, ...rest: unknown[]) => {
      index++
      if (index < substitution.occurrence || (done && !substitution.global)) return match
      done = true
      const groups = rest.slice(
        0,
        rest.findIndex((item) => typeof item === 'number'),
      ) as (string | undefined)[]
      return replacementText(substitution.replacement, match, groups)
    })
    this.#substituted ||= done
    return done
  }
}

/** `&`, `\1`, `\n` and case changes `\U \L \u \l \E` in a replacement. */
function replacementText(template: string, match: string, groups: readonly (string | undefined)[]): string {
  let result = ''
  let fold: 'U' | 'L' | undefined
  let once: 'u' | 'l' | undefined
  const add = (text: string) => {
    let piece = fold === 'U' ? text.toUpperCase() : fold === 'L' ? text.toLowerCase() : text
    if (once !== undefined && piece !== '') {
      const first = once === 'u' ? piece[0]!.toUpperCase() : piece[0]!.toLowerCase()
      piece = first + piece.slice(1)
      once = undefined
    }
    result += piece
  }
  for (const [piece] of template.matchAll(/\\[\s\S]|&|[^\\&]+/g)) {
    const escaped = piece.startsWith('\\') ? piece.slice(1) : undefined
    if (piece === '&' || escaped === '0') add(match)
    else if (escaped === undefined) add(piece)
    else if (/[1-9]/.test(escaped)) add(groups[Number(escaped) - 1] ?? '')
    else if (escaped === 'U' || escaped === 'L') fold = escaped
    else if (escaped === 'E') fold = undefined
    else if (escaped === 'u' || escaped === 'l') once = escaped
    else add({ n: '\n', t: '\t', r: '\r' }[escaped] ?? escaped)
  }
  return result
}

export const sed: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'ne:rEif:sz', {
    quiet: 'n',
    silent: 'n',
    'regexp-extended': 'r',
    expression: 'e',
    'in-place': 'i',
  })
  const scripts = options.given
    .filter(({ letter }) => letter === 'e' || letter === 'f')
    .map(({ letter, value }) =>
      letter === 'e' ? value : process.system.fs.readText(resolvePath(process.cwd, value)),
    )
  const [first, ...rest] = options.operands
  if (scripts.length === 0 && first === undefined) throw new UsageError('no script')
  const files = scripts.length === 0 ? rest : options.operands
  const source = scripts.length === 0 ? first! : scripts.join('\n')
  const extended = options.has('r') || options.has('E')
  const silent = options.has('n')
  if (options.has('i')) return await editInPlace(process, files, source, extended, silent)
  let status = 0
  const lines = inputLines(process, files, () => (status = 1))
  const run = new SedRun(parseSedScript(source, extended), lines, process.stdout, silent)
  await run.run()
  return status || run.status
})

async function editInPlace(
  process: Process,
  files: readonly string[],
  source: string,
  extended: boolean,
  silent: boolean,
): Promise<number> {
  let status = 0
  for (const name of files) {
    let missing = false
    const output = new CollectingWriter()
    const lines = inputLines(process, [name], () => (missing = true))
    await new SedRun(parseSedScript(source, extended), lines, output, silent).run()
    if (missing) status = 1
    else process.system.fs.writeFile(resolvePath(process.cwd, name), output.bytes())
  }
  return status
}
