// sed(1): options, and the files that it reads, each by itself with -s, and rewrites with -i. The cycle is sed-run.ts'.

import { resolvePath } from '../../posix/file-system.js'
import { CollectingWriter } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { readLines, readWholeFile, reasonOf } from '../streams.js'
import { openInputs } from './inputs.js'
import { baseName } from './operands.js'
import { applet, type Options, parseCount, parseOptions, UsageError } from './options.js'
import { SedFiles, SedOutput } from './sed-output.js'
import { SedRun } from './sed-run.js'
import { parseSedScript, type SedCommand } from './sed-script.js'

const LONG = {
  quiet: 'n',
  silent: 'n',
  'regexp-extended': 'r',
  expression: 'e',
  file: 'f',
  'in-place': 'i',
  separate: 's',
  'null-data': 'z',
  'line-length': 'l',
  unbuffered: 'u',
  posix: 'u',
  sandbox: 'u',
  debug: 'u',
}

async function sourceOf(
  { system, cwd }: Process,
  { letter, value }: { letter: string; value: string },
): Promise<string> {
  if (letter === 'e') return value
  try {
    return (await readWholeFile(system.fs, resolvePath(cwd, value))).replace(/\n$/, '')
  } catch (error) {
    throw new UsageError(`couldn't open file ${value}: ${reasonOf(error)}`)
  }
}

/** One run after the other, of all files together or of each by itself. */
class Editing {
  readonly #process: Process
  readonly #options: Options
  readonly #commands: readonly SedCommand[]
  readonly #files: SedFiles
  readonly #end: string
  readonly #output: SedOutput
  #status = 0
  #name = '-'

  constructor(process: Process, options: Options, source: string) {
    this.#process = process
    this.#options = options
    this.#end = options.has('z') ? '\0' : '\n'
    this.#commands = parseSedScript(source, options.has('r') || options.has('E'))
    this.#files = new SedFiles(process, this.#end)
    this.#output = new SedOutput(process.stdout, this.#end)
    // Files are made though nothing may be written to them.
    for (const { name, text, substitution } of this.#commands) {
      const file = name === 'w' || name === 'W' ? text : substitution?.file
      if (file !== undefined) this.#files.output(file, this.#output)
    }
  }

  async *#lines(names: readonly string[]) {
    const fail = () => {
      this.#status = 2
    }
    const wording = (name: string, reason: string) => `can't read ${name}: ${reason}`
    for await (const { name, reader } of openInputs(this.#process, names, fail, wording)) {
      this.#name = name
      yield* readLines(reader, this.#end)
    }
  }

  async run(names: readonly string[]): Promise<number> {
    if (this.#options.has('i')) return await this.#eachInPlace(names)
    const groups = this.#options.has('s') && names.length > 0 ? names.map((name) => [name]) : [names]
    for (const group of groups) {
      const run = this.#runOf(group, this.#output)
      await run.run()
      if (run.hasQuit) return run.status
    }
    return this.#status
  }

  async #eachInPlace(names: readonly string[]): Promise<number> {
    const { fs } = this.#process.system
    if (names.length === 0) throw new UsageError('no input files', 4)
    for (const name of names) {
      const path = resolvePath(this.#process.cwd, name)
      const collected = new CollectingWriter()
      const before = this.#status
      this.#status = 0
      const run = this.#runOf([name], new SedOutput(collected, this.#end))
      await run.run()
      const isMissing = this.#status !== 0
      this.#status ||= before
      if (isMissing) continue
      const suffix = this.#options.value('i')!
      const backup = suffix.includes('*')
        ? suffix.replaceAll('*', baseName(name))
        : `${baseName(name)}${suffix}`
      if (suffix !== '') fs.writeFile(resolvePath(resolvePath(path, '..'), backup), fs.readFile(path).slice())
      fs.writeFile(path, collected.bytes())
      if (run.hasQuit) return run.status
    }
    return this.#status
  }

  #runOf(names: readonly string[], output: SedOutput): SedRun {
    return new SedRun(this.#commands, this.#lines(names), output, this.#files, {
      silent: this.#options.has('n'),
      width: parseCount(this.#options.value('l') ?? '70'),
      name: () => this.#name,
    })
  }
}

export const sed: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'ne:rEi::f:szul:', LONG)
  const given = options.given.filter(({ letter }) => letter === 'e' || letter === 'f')
  const scripts = await Promise.all(given.map((option) => sourceOf(process, option)))
  const [first, ...rest] = options.operands
  if (scripts.length === 0 && first === undefined) throw new UsageError('no script')
  const source = scripts.length === 0 ? first! : scripts.join('\n')
  return await new Editing(process, options, source).run(scripts.length === 0 ? rest : options.operands)
})
