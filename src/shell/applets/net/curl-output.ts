// Where the output of one transfer of curl goes: -o, -O, -J, -D, -i, -C.

import { SystemError } from '../../../base/errors.js'
import { resolvePath } from '../../../posix/file-system.js'
import type { Process } from '../../../posix/process.js'
import { CURLE_WRITE_ERROR, CurlError } from './curl-error.js'
import type { CurlOptions } from './curl-options.js'
import type { TransferSink } from './curl-transfer.js'
import { parseUrl, remoteName } from './url.js'

/** Standard output, or a file that is made with the first byte. */
export class Output implements TransferSink {
  fileName: string
  /** How many bytes of it there are already. */
  readonly resumeAt: number
  readonly #process: Process
  readonly #options: CurlOptions
  #path: string | undefined
  #opened = false
  #dumped = false
  readonly #isNamedByServer: boolean

  constructor(process: Process, options: CurlOptions, index: number) {
    const output = options.outputs[index]
    const url = parseUrl(options.urls[index]!.url)
    this.fileName = output === 'remote name' ? (url === undefined ? '' : remoteName(url)) : (output ?? '')
    this.#process = process
    this.#options = options
    this.#path = output === undefined ? undefined : resolvePath(process.cwd, this.fileName)
    if (output === 'remote name' && this.fileName === '') this.#path = ''
    this.resumeAt = options.resumeAt === 'output' ? this.#size() : (options.resumeAt ?? 0)
    this.#opened = this.resumeAt > 0
    this.#isNamedByServer = options.remoteHeaderName && output === 'remote name'
  }

  #size(): number {
    const { fs } = this.#process.system
    return this.#path !== undefined && fs.exists(this.#path) ? fs.stat(this.#path).size : 0
  }

  /** On the terminal itself. */
  get isSeen(): boolean {
    return this.#path === undefined && this.#process.stdout.isTTY
  }

  async head(lines: readonly string[]): Promise<void> {
    if (this.#isNamedByServer) this.#rename(lines)
    const text = `${lines.join('\r\n')}\r\n\r\n`
    const { dumpHeader, includeHead } = this.#options
    if (dumpHeader === '-') await this.#process.stdout.write(text)
    else if (dumpHeader !== undefined) {
      const path = resolvePath(this.#process.cwd, dumpHeader)
      this.#dumped = this.#toFile(path, text, this.#dumped)
    }
    if (includeHead) await this.#write(text)
  }

  /** By Content-Disposition, without its directories. */
  #rename(lines: readonly string[]): void {
    const line = lines.find((one) => /^content-disposition:/i.test(one)) ?? ''
    const [, quoted, plain] = /;\s*filename=(?:"([^"]*)"|([^;\s]+))/i.exec(line) ?? []
    const name = (quoted ?? plain ?? '').replace(/^.*[/\\]/, '')
    if (name === '') return
    this.fileName = name
    this.#path = resolvePath(this.#process.cwd, name)
  }

  body(bytes: Uint8Array): Promise<void> {
    return this.#write(bytes)
  }

  /** An empty body makes an empty file. */
  finish(): void {
    if (this.#path !== undefined && !this.#opened) this.#opened = this.#toFile(this.#path, '', false)
  }

  async #write(content: Uint8Array | string): Promise<void> {
    if (this.#path === undefined) return this.#toStdout(content)
    if (this.#path === '') throw new CurlError(CURLE_WRITE_ERROR, 'Remote file name has no length!')
    this.#opened = this.#toFile(this.#path, content, this.#opened)
  }

  async #toStdout(content: Uint8Array | string): Promise<void> {
    try {
      await this.#process.stdout.write(content)
    } catch (error) {
      // curl ignores SIGPIPE: a reader that is gone is an output that fails.
      throw error instanceof SystemError ? writeError() : error
    }
  }

  #toFile(path: string, content: Uint8Array | string, append: boolean): true {
    const { fs } = this.#process.system
    try {
      if (this.#options.createDirectories && !append && path.lastIndexOf('/') > 0)
        fs.makeDirectory(path.slice(0, path.lastIndexOf('/')), true)
      if (append) fs.appendFile(path, content)
      else fs.writeFile(path, content)
      return true
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      throw writeError()
    }
  }
}

function writeError(): CurlError {
  return new CurlError(CURLE_WRITE_ERROR, 'Failure writing output to destination')
}
