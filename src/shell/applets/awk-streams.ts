// The files and commands that an awk program reads and writes by name; each stays open until close() or the end.

import { resolvePath } from '../../posix/file-system.js'
import { Pipe } from '../../posix/pipe.js'
import type { ByteReader, ByteWriter, Child, Process } from '../../posix/process.js'
import { createFile, openFile, readOneLine } from '../streams.js'

interface Output {
  readonly writer: ByteWriter
  /** Ends the command behind a pipe. */
  readonly finish: () => Promise<number>
}

export class AwkStreams {
  readonly #process: Process
  readonly #outputs = new Map<string, Output>()
  readonly #inputs = new Map<string, ByteReader>()

  constructor(process: Process) {
    this.#process = process
  }

  async write(operator: '>' | '>>' | '|', name: string, text: string): Promise<void> {
    let output = this.#outputs.get(name)
    if (output === undefined) {
      output = operator === '|' ? this.#command(name) : this.#file(name, operator === '>>')
      this.#outputs.set(name, output)
    }
    await output.writer.write(text)
  }

  /** The next line of a file or of a command's output; undefined at the end, null when it cannot be opened. */
  async readLine(name: string, isCommand: boolean): Promise<string | undefined | null> {
    let reader = this.#inputs.get(name)
    if (reader === undefined) {
      try {
        reader = isCommand ? this.#commandOutput(name) : openFile(this.#process.system.fs, this.#path(name))
      } catch {
        return null
      }
      this.#inputs.set(name, reader)
    }
    return (await readOneLine(reader))?.text
  }

  /** close(): the status of a command, -1 for what is not open. */
  async close(name: string): Promise<number> {
    const output = this.#outputs.get(name)
    const known = this.#outputs.delete(name) || this.#inputs.delete(name)
    if (output !== undefined) return await output.finish()
    return known ? 0 : -1
  }

  async closeAll(): Promise<void> {
    for (const name of [...this.#outputs.keys()]) await this.close(name)
  }

  #path(name: string): string {
    return resolvePath(this.#process.cwd, name)
  }

  #file(name: string, append: boolean): Output {
    const finish = async () => 0
    if (name === '/dev/stdout' || name === '-') return { writer: this.#process.stdout, finish }
    if (name === '/dev/stderr') return { writer: this.#process.stderr, finish }
    return { writer: createFile(this.#process.system.fs, this.#path(name), append), finish }
  }

  #start(command: string, stdin: ByteReader, stdout: ByteWriter): Child | undefined {
    const { env, cwd, stderr, system } = this.#process
    return system.spawn({ argv: ['sh', '-c', command], env, cwd, stdin, stdout, stderr })
  }

  #command(command: string): Output {
    const pipe = new Pipe()
    const child = this.#start(command, pipe.reader, this.#process.stdout)
    void child?.exited.then(() => pipe.closeReading())
    const finish = async () => {
      pipe.endWriting()
      return (await child?.exited) ?? 127
    }
    return { writer: pipe.writer, finish }
  }

  #commandOutput(command: string): ByteReader {
    const pipe = new Pipe()
    const child = this.#start(command, this.#process.stdin, pipe.writer)
    if (child === undefined) pipe.endWriting()
    void child?.exited.then(() => pipe.endWriting())
    return pipe.reader
  }
}
