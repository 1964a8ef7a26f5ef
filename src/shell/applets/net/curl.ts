// curl for HTTP and HTTPS: the command, its outputs, its exit status. The words are those of curl 7.88, compared with it
// on one server (test/shell/applets/net/curl-against-curl.test.ts). Unlike curl: no proxies, cookie jars and --next.

import { SystemError } from '../../../base/errors.js'
import { type Micros, SECOND } from '../../../base/time.js'
import { resolvePath } from '../../../posix/file-system.js'
import type { Process } from '../../../posix/process.js'
import {
  CURLE_COULDNT_CONNECT,
  CURLE_COULDNT_RESOLVE_HOST,
  CURLE_OPERATION_TIMEDOUT,
  CURLE_PEER_FAILED_VERIFICATION,
  CURLE_WRITE_ERROR,
  CurlError,
  CurlUsageError,
} from './curl-error.js'
import { metered } from './curl-meter.js'
import { CURL_VERSION, type CurlOptions, readCurlOptions } from './curl-options.js'
import { newTransfer, type Transfer } from './curl-record.js'
import { CurlSession, type TransferSink } from './curl-transfer.js'
import { writeOut } from './curl-write-out.js'
import { parseUrl, remoteName } from './url.js'

const HELP = `Usage: curl [options...] <url>
 -d, --data <data>          HTTP POST data
 -f, --fail                 Fail fast with no output on HTTP errors
 -h, --help <category>      Get help for commands
 -i, --include              Include response headers in the output
 -o, --output <file>        Write to file instead of stdout
 -O, --remote-name          Write output to a file named as the remote file
 -s, --silent               Silent mode
 -u, --user <user:password> Server user and password
 -A, --user-agent <name>    Send User-Agent <name> to server
 -v, --verbose              Make the operation more talkative
 -V, --version              Show version number and quit
`

const UNVERIFIED = `More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the web page mentioned above.
`

const WARNING_COLUMNS = 70

export async function curl(process: Process): Promise<number> {
  let options: CurlOptions | 'help' | 'version'
  try {
    options = await readCurlOptions(process)
  } catch (error) {
    if (!(error instanceof CurlUsageError)) throw error
    if (error.message !== '') await process.stderr.write(`curl: ${error.message}\n`)
    if (error.status === 2)
      await process.stderr.write("curl: try 'curl --help' or 'curl --manual' for more information\n")
    return error.status
  }
  if (options === 'help' || options === 'version') {
    await process.stdout.write(
      options === 'help' ? HELP : `curl ${CURL_VERSION} (podwire)\nProtocols: http https\n`,
    )
    return 0
  }
  const session = new CurlSession(process, options)
  try {
    const indexes = [...options.urls.keys()]
    if (options.parallel) {
      // Each on a connection of its own: nothing waits for another to be done.
      const transfers = indexes.map((index) => {
        const own = new CurlSession(process, options)
        return transferWithRetries(process, own, options, index).finally(() => own.close())
      })
      return (await Promise.all(transfers)).findLast((one) => one !== 0) ?? 0
    }
    let status = 0
    for (const index of indexes) status = await transferWithRetries(process, session, options, index)
    return status
  } finally {
    session.close()
  }
}

async function transferWithRetries(
  process: Process,
  session: CurlSession,
  options: CurlOptions,
  index: number,
): Promise<number> {
  let delay: Micros = SECOND
  for (let left = options.retries; ; left--) {
    const transfer = newTransfer(options.urls[index]!.url, process.system.clock.now())
    const output = new Output(process, options, index)
    const meter = process.stderr.isTTY && !output.isSeen ? options.meter : 'none'
    const error = await metered(process, meter, transfer, attempt(session, transfer, output))
    const problem = left > 0 ? transientProblem(transfer, error, options) : undefined
    if (problem === undefined) {
      await report(process, options, transfer, error, output.fileName, index)
      return error?.code ?? 0
    }
    if (error !== undefined) await tellError(process, options, error)
    const wait = options.retryDelay ?? delay
    if (!options.silent)
      await process.stderr.write(
        wrapped(`Problem : ${problem}. Will retry in ${wait / SECOND} seconds. ${left} retries left.`),
      )
    await process.system.clock.sleep(wait, process.signal)
    delay = Math.min(delay * 2, 600 * SECOND)
  }
}

async function attempt(
  session: CurlSession,
  transfer: Transfer,
  output: Output,
): Promise<CurlError | undefined> {
  try {
    await session.perform(transfer, output)
    output.finish()
    return undefined
  } catch (error) {
    if (error instanceof CurlError) return error
    throw error
  }
}

/** What curl takes for worth another try (curl(1), --retry). */
function transientProblem(
  transfer: Transfer,
  error: CurlError | undefined,
  options: CurlOptions,
): string | undefined {
  if (error?.code === CURLE_OPERATION_TIMEDOUT) return 'timeout'
  if (error?.code === CURLE_COULDNT_RESOLVE_HOST) return 'DNS error'
  if (error?.code === CURLE_COULDNT_CONNECT) return options.retryRefused ? 'connection refused' : undefined
  const status = transfer.head?.status ?? 0
  return [408, 429, 500, 502, 503, 504].includes(status) ? 'HTTP error' : undefined
}

async function report(
  process: Process,
  options: CurlOptions,
  transfer: Transfer,
  error: CurlError | undefined,
  fileName: string,
  urlNumber: number,
): Promise<void> {
  if (error !== undefined) await tellError(process, options, error)
  if (options.writeOut === undefined) return
  const outcome = {
    transfer,
    exitCode: error?.code ?? 0,
    errorMessage: error?.message ?? '',
    fileName,
    urlNumber,
    referer: options.referer,
  }
  const { stdout, stderr } = writeOut(options.writeOut, outcome)
  if (stdout !== '') await process.stdout.write(stdout)
  if (stderr !== '') await process.stderr.write(stderr)
}

/** Curl's warnings are cut between words to 79 columns. */
function wrapped(text: string): string {
  const lines: string[] = []
  for (let rest = text; rest !== ''; ) {
    const cut = rest.length <= WARNING_COLUMNS ? rest.length : rest.lastIndexOf(' ', WARNING_COLUMNS - 1) + 1
    const end = cut > 0 ? cut : WARNING_COLUMNS
    lines.push(`Warning: ${rest.slice(0, end)}\n`)
    rest = rest.slice(end)
  }
  return lines.join('')
}

async function tellError(
  { stderr }: Process,
  { silent, showError }: CurlOptions,
  error: CurlError,
): Promise<void> {
  if (!silent || showError) await stderr.write(`curl: (${error.code}) ${error.message}\n${moreAbout(error)}`)
}

function moreAbout({ code }: CurlError): string {
  return code === CURLE_PEER_FAILED_VERIFICATION ? UNVERIFIED : ''
}

/** Where one transfer's output goes: standard output, or a file that is made with the first byte. */
class Output implements TransferSink {
  readonly fileName: string
  readonly #process: Process
  readonly #options: CurlOptions
  readonly #path: string | undefined
  #opened = false
  #dumped = false

  constructor(process: Process, options: CurlOptions, index: number) {
    const output = options.outputs[index]
    const url = parseUrl(options.urls[index]!.url)
    this.fileName = output === 'remote name' ? (url === undefined ? '' : remoteName(url)) : (output ?? '')
    this.#process = process
    this.#options = options
    this.#path = output === undefined ? undefined : resolvePath(process.cwd, this.fileName)
    if (output === 'remote name' && this.fileName === '') this.#path = ''
  }

  /** On the terminal itself. */
  get isSeen(): boolean {
    return this.#path === undefined && this.#process.stdout.isTTY
  }

  async head(lines: readonly string[]): Promise<void> {
    const text = `${lines.join('\r\n')}\r\n\r\n`
    const { dumpHeader, includeHead } = this.#options
    if (dumpHeader === '-') await this.#process.stdout.write(text)
    else if (dumpHeader !== undefined) {
      const path = resolvePath(this.#process.cwd, dumpHeader)
      this.#dumped = this.#toFile(path, text, this.#dumped)
    }
    if (includeHead) await this.#write(text)
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
