// What curl -v tells on standard error while it works.

import type { Process } from '../../../posix/process.js'

export class Narrator {
  readonly #process: Process
  readonly #isVerbose: boolean

  constructor(process: Process, isVerbose: boolean) {
    this.#process = process
    this.#isVerbose = isVerbose
  }

  /** What curl does: `* TEXT`. */
  async tell(text: string): Promise<void> {
    if (this.#isVerbose) await this.#process.stderr.write(`* ${text}\n`)
  }

  /** Lines that are sent (`>`) or received (`<`). */
  async lines(mark: '<' | '>', lines: readonly string[]): Promise<void> {
    if (this.#isVerbose) await this.#process.stderr.write(lines.map((line) => `${mark} ${line}\r\n`).join(''))
  }
}
