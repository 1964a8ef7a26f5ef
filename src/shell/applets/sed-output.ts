// Where sed writes: lines, of which the last lacks its end when that of the input does; and the files of w.

import { resolvePath } from '../../posix/file-system.js'
import type { ByteWriter, Process } from '../../posix/process.js'
import { createFile, reasonOf } from '../streams.js'
import { UsageError } from './options.js'

export class SedOutput {
  readonly #writer: ByteWriter
  /** What ends a line: a line feed, or a NUL with -z. */
  readonly #end: string
  #endIsMissing = false

  constructor(writer: ByteWriter, end: string) {
    this.#writer = writer
    this.#end = end
  }

  async line(text: string, terminated = true): Promise<void> {
    await this.raw(terminated ? `${text}${this.#end}` : text)
    this.#endIsMissing = !terminated
  }

  /** Text that has its line ends. */
  async raw(text: string): Promise<void> {
    if (text === '') return
    await this.#writer.write(this.#endIsMissing ? `${this.#end}${text}` : text)
    this.#endIsMissing = false
  }
}

/** The files of w, each emptied once. */
export class SedFiles {
  readonly #process: Process
  readonly #end: string
  readonly #outputs = new Map<string, SedOutput>()
  /** Lines of files that R takes one by one. */
  readonly #lines = new Map<string, string[]>()

  constructor(process: Process, end: string) {
    this.#process = process
    this.#end = end
  }

  /** Makes the file; throws UsageError. `/dev/stdout` is `standard`. */
  output(name: string, standard: SedOutput): SedOutput {
    if (name === '/dev/stdout') return standard
    let output = this.#outputs.get(name)
    if (output === undefined) {
      output = new SedOutput(this.#open(name), this.#end)
      this.#outputs.set(name, output)
    }
    return output
  }

  #open(name: string): ByteWriter {
    const { system, cwd, stderr } = this.#process
    if (name === '/dev/stderr') return stderr
    try {
      return createFile(system.fs, resolvePath(cwd, name), false)
    } catch (error) {
      throw new UsageError(`couldn't open file ${name}: ${reasonOf(error)}`, 4)
    }
  }

  /** All of a file, for r; nothing when it cannot be read. */
  text(name: string): string {
    const { system, cwd } = this.#process
    try {
      return system.fs.readText(resolvePath(cwd, name))
    } catch {
      return ''
    }
  }

  /** The next line of a file, for R; undefined at its end. */
  nextLine(name: string): string | undefined {
    let lines = this.#lines.get(name)
    if (lines === undefined) {
      lines = this.text(name).split('\n')
      if (lines.at(-1) === '') lines.pop()
      this.#lines.set(name, lines)
    }
    return lines.shift()
  }
}
