// curl for HTTP and HTTPS: the command, its outputs, its exit status. The words are those of curl 7.88, compared with it
// on one server (test/shell/applets/net/curl-against-curl.test.ts). Unlike curl: proxies of HTTP alone, no
// HTTP/2.

import { type Micros, SECOND } from '../../../base/time.js'
import type { Process } from '../../../posix/process.js'
import { type CurlArguments, readArguments } from './curl-arguments.js'
import { readCookies, writeCookies } from './curl-cookie-files.js'
import {
  CURLE_COULDNT_CONNECT,
  CURLE_COULDNT_RESOLVE_HOST,
  CURLE_OPERATION_TIMEDOUT,
  CURLE_PEER_FAILED_VERIFICATION,
  CurlError,
  CurlUsageError,
} from './curl-error.js'
import { metered } from './curl-meter.js'
import { narratorOf } from './curl-narrator.js'
import { CURL_VERSION, type CurlOptions, readCurlOptions } from './curl-options.js'
import { Output } from './curl-output.js'
import { newTransfer, type Transfer } from './curl-record.js'
import { CurlSession, type CurlShare } from './curl-transfer.js'
import { writeOut } from './curl-write-out.js'

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
  let groups: readonly CurlArguments[]
  try {
    groups = await readArguments(process)
  } catch (error) {
    return await tellMistake(process, error)
  }
  const asked = groups.find((group) => group.has('h') || group.has('V'))
  if (asked !== undefined) {
    const version = `curl ${CURL_VERSION} (podwire)\nProtocols: http https\n`
    await process.stdout.write(asked.has('h') ? HELP : version)
    return 0
  }
  const share = await shareOf(process, groups)
  let status = 0
  try {
    for (const [index, group] of groups.entries()) {
      const { values, operands } = group
      if (operands.length === 0 && values('url').length === 0)
        throw new CurlUsageError(2, index === 0 ? '' : 'no URL specified!')
      const options = await readCurlOptions(process, group)
      status = await runGroup(process, options, share)
      if (status !== 0 && options.failEarly) break
    }
    return status
  } catch (error) {
    return await tellMistake(process, error)
  } finally {
    for (const { http } of share.pool.values()) http.close()
    await writeCookies(process, groups, share.cookies)
  }
}

async function runGroup(process: Process, options: CurlOptions, share: CurlShare): Promise<number> {
  const indexes = [...options.urls.keys()]
  if (options.parallel) {
    // Each on a connection of its own: nothing waits for another to be done.
    const transfers = indexes.map(async (index) => {
      const pool: CurlShare['pool'] = new Map()
      const own = new CurlSession(process, options, { ...share, pool })
      const status = await transferWithRetries(process, own, options, index)
      for (const { http } of pool.values()) http.close()
      return status
    })
    return (await Promise.all(transfers)).findLast((one) => one !== 0) ?? 0
  }
  const session = new CurlSession(process, options, share)
  let status = 0
  for (const index of indexes) {
    status = await transferWithRetries(process, session, options, index)
    if (status !== 0 && options.failEarly) break
  }
  return status
}

async function tellMistake(process: Process, error: unknown): Promise<number> {
  if (!(error instanceof CurlUsageError)) throw error
  if (error.message !== '') await process.stderr.write(`curl: ${error.message}\n`)
  if (error.status === 2 || error.message.startsWith('option '))
    await process.stderr.write("curl: try 'curl --help' or 'curl --manual' for more information\n")
  return error.status
}

async function shareOf(process: Process, groups: readonly CurlArguments[]): Promise<CurlShare> {
  let numbers = 0
  return {
    pool: new Map(),
    cookies: await readCookies(process, groups),
    narrator: narratorOf(process, groups[0]!),
    nextNumber: () => numbers++,
  }
}

async function transferWithRetries(
  process: Process,
  session: CurlSession,
  options: CurlOptions,
  index: number,
): Promise<number> {
  let delay: Micros = SECOND
  const { clock } = process.system
  const begun = clock.now()
  for (let left = options.retries; ; left--) {
    const transfer = newTransfer(options.urls[index]!.url, process.system.clock.now())
    const output = new Output(process, options, index)
    const meter = process.stderr.isTTY && !output.isSeen ? options.meter : 'none'
    const error = await metered(process, meter, transfer, attempt(session, transfer, output))
    const isInTime = left > 0 && clock.now() - begun < options.retryTime
    const problem = isInTime ? transientProblem(transfer, error, options) : undefined
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
  if (error?.code === CURLE_COULDNT_CONNECT)
    return options.retryRefused || options.retryAll ? 'connection refused' : undefined
  const status = transfer.head?.status ?? 0
  if ([408, 429, 500, 502, 503, 504].includes(status)) return 'HTTP error'
  return error !== undefined && options.retryAll ? '(retrying all errors)' : undefined
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
