// wget as busybox has it, for HTTP and HTTPS: -q -O -T --spider -S, redirects. What it tells goes to standard error. Unlike
// busybox: the progress bar is printed once, at the end.

import { SystemError } from '../../../base/errors.js'
import { type Micros, NEVER, SECOND } from '../../../base/time.js'
import { resolvePath } from '../../../posix/file-system.js'
import { type Connection, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { TlsError } from '../../../posix/tls.js'
import { formatAddress, formatEndpoint } from '../../../wire/address.js'
import { HttpConnection, HttpError, type HttpRequest, header } from './http-client.js'
import { busyboxMistake, type ParsedOptions, parseDecimal, parseOptions, splitOnce } from './options.js'
import { strerror } from './strerror.js'
import { TimeLimitExceeded, withinLimit } from './time-limit.js'
import { type HttpUrl, hostHeader, parseUrl, remoteName, resolveLocation } from './url.js'

const USAGE = `Usage: wget [-qS] [--spider] [-O FILE] [--header STR] [--post-data STR]
	[-U AGENT] [-T SEC] URL...

Retrieve files via HTTP

	--spider	Only check URL existence: $? is 0 if exists
	--header STR	Add STR (of form 'header: value') to headers
	--post-data STR	Send STR using POST method
	-q		Quiet
	-S		Show server response
	-T SEC		Network read timeout is SEC seconds
	-O FILE		Save to FILE ('-' for stdout)
	-U AGENT	Use AGENT for User-Agent header
`

const MAX_REDIRECTS = 20
const DEFAULT_TIMEOUT_SECONDS = 900

/** Ends the program with `wget: MESSAGE` and status 1. */
class WgetError extends Error {}

export async function wget(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [
    ['q', 'quiet'],
    ['O', 'output-document='],
    ['T', 'timeout='],
    ['spider'],
    ['S', 'server-response'],
    ['U', 'user-agent='],
    ['header='],
    ['post-data='],
    ['P', 'directory-prefix='],
    ['t', 'tries='],
    ['no-check-certificate'],
  ])
  if ('mistake' in parsed || parsed.operands.length === 0) {
    if ('mistake' in parsed) await process.stderr.write(busyboxMistake('wget', parsed))
    await process.stderr.write(USAGE)
    return 1
  }
  try {
    for (const url of parsed.operands) await retrieve(process, parsed, url)
    return 0
  } catch (error) {
    if (!(error instanceof WgetError)) throw error
    await process.stderr.write(`wget: ${error.message}\n`)
    return 1
  }
}

async function retrieve(process: Process, options: ParsedOptions, urlText: string): Promise<void> {
  const seconds = options.has('T') ? parseDecimal(options.value('T')!) : DEFAULT_TIMEOUT_SECONDS
  if (seconds === undefined) throw new WgetError(`invalid number '${options.value('T')}'`)
  const limit = seconds === 0 ? NEVER : seconds * SECOND
  let url = parseHttpUrl(urlText)
  const file = new TargetFile(process, options, url)
  for (let redirects = 0; ; redirects++) {
    if (redirects > MAX_REDIRECTS) throw new WgetError('too many redirections')
    const location = await exchange(process, options, url, file, limit)
    if (location === undefined) return
    url = parseHttpUrl(location)
  }
}

function parseHttpUrl(text: string): HttpUrl {
  const url = parseUrl(text)
  if (url === undefined) throw new WgetError(`bad address '${text}'`)
  if (url.scheme !== 'http' && url.scheme !== 'https') throw new WgetError(`not an http or ftp url: ${text}`)
  return url
}

/** One request; gives where to go on to. The limit is for silence: every step forward lets it begin anew. */
async function exchange(
  process: Process,
  options: ParsedOptions,
  url: HttpUrl,
  file: TargetFile,
  limit: Micros,
): Promise<string | undefined> {
  const tell: Tell = (text) => (options.has('q') ? Promise.resolve() : process.stderr.write(text))
  let http: HttpConnection | undefined
  try {
    const outer = { signal: process.signal, clock: process.system.clock }
    return await withinLimit(outer, limit, async (signal, restart) => {
      http = await connect(process, url, tell, signal)
      restart()
      const method = options.has('spider') ? 'HEAD' : options.has('post-data') ? 'POST' : 'GET'
      await http.send(requestFor(options, url, method), signal)
      const head = await http.readHead(signal)
      restart()
      if (options.has('S')) await process.stderr.write(head.lines.map((line) => `  ${line}\n`).join(''))
      const location = header(head, 'location')
      if (head.status >= 300 && head.status < 400 && location !== undefined)
        return resolveLocation(url, location)
      if (head.status < 200 || head.status >= 300)
        throw new WgetError(`server returned error: ${head.lines[0]}`)
      if (method === 'HEAD') await tell('remote file exists\n')
      else await download(http.body(head, method, signal), file, tell, restart)
      return undefined
    })
  } catch (error) {
    throw asWgetError(error)
  } finally {
    http?.close()
  }
}

type Tell = (text: string) => Promise<void>

async function connect(
  process: Process,
  url: HttpUrl,
  tell: Tell,
  signal: AbortSignal,
): Promise<HttpConnection> {
  const { net } = process.system
  let failure = new WgetError(`bad address '${url.host}'`)
  const { addresses } = await net.resolve(url.host, signal).catch((error) => {
    throw error instanceof ResolveError ? failure : error
  })
  for (const address of addresses) {
    const text = formatAddress(address)
    await tell(`Connecting to ${hostHeader(url)} (${formatEndpoint({ address, port: url.port })})\n`)
    try {
      const connection = await net.connect({ address, port: url.port }, { signal })
      return new HttpConnection(
        url.scheme === 'https' ? await secure(process, connection, url, tell) : connection,
      )
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      failure = new WgetError(`can't connect to remote host (${text}): ${strerror(error)}`)
    }
  }
  throw failure
}

/** As busybox' own TLS, which looks at no certificate. */
async function secure(
  { system, signal }: Process,
  connection: Connection,
  { host }: HttpUrl,
  tell: Tell,
): Promise<Connection> {
  await tell('wget: note: TLS certificate validation not implemented\n')
  try {
    return await system.net.secure(connection, { host, authorities: [], signal })
  } catch (error) {
    connection.close()
    throw error instanceof TlsError
      ? new WgetError('error getting response: Connection reset by peer')
      : error
  }
}

function requestFor(options: ParsedOptions, url: HttpUrl, method: string): HttpRequest {
  const headers: [string, string][] = [
    ['Host', hostHeader(url)],
    ['User-Agent', options.value('U') ?? 'Wget'],
    ['Connection', 'close'],
  ]
  const data = options.value('post-data')
  for (const text of options.values('header')) {
    const [name, value = ''] = splitOnce(text, ':')
    headers.push([name, value.trim()])
  }
  if (data === undefined) return { method, target: url.target, headers }
  const body = new TextEncoder().encode(data)
  headers.push(['Content-Type', 'application/x-www-form-urlencoded'], ['Content-Length', String(body.length)])
  return { method, target: url.target, headers, body }
}

async function download(
  body: AsyncIterable<Uint8Array>,
  file: TargetFile,
  tell: Tell,
  restart: () => void,
): Promise<void> {
  file.open()
  const { name, path } = file
  await tell(path === undefined ? 'writing to stdout\n' : `saving to '${name}'\n`)
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    await file.write(chunk)
    restart()
  }
  const bar = `${name.slice(0, 20).padEnd(20)} 100% |${'*'.repeat(32)}|${String(size).padStart(6)}`
  await tell(`${bar}  0:00:00 ETA\n`)
  await tell(path === undefined ? 'written to stdout\n' : `'${name}' saved\n`)
}

function asWgetError(error: unknown): unknown {
  if (error instanceof TimeLimitExceeded) return new WgetError('download timed out')
  // A reader that is gone ends wget as SIGPIPE does.
  if (error instanceof SystemError && error.code === 'EPIPE') return error
  if (error instanceof SystemError) return new WgetError(`error getting response: ${strerror(error)}`)
  if (error instanceof HttpError)
    return new WgetError(
      error.failure.kind === 'partial' ? 'connection closed prematurely' : 'error getting response',
    )
  return error
}

/** Where the body goes: -O, or the URL's last part in the working directory, or standard output. */
class TargetFile {
  readonly name: string
  /** undefined for standard output. */
  readonly path: string | undefined
  readonly #process: Process
  readonly #replace: boolean

  constructor(process: Process, options: ParsedOptions, url: HttpUrl) {
    const output = options.value('O')
    this.name = output ?? (remoteName(url) || 'index.html')
    const directory = resolvePath(process.cwd, options.value('P') ?? '.')
    this.path =
      output === '-' ? undefined : resolvePath(output === undefined ? directory : process.cwd, this.name)
    this.#process = process
    // A name that was not chosen never overwrites a file.
    this.#replace = output !== undefined
  }

  open(): void {
    if (this.path === undefined) return
    const { fs } = this.#process.system
    if (!this.#replace && fs.exists(this.path)) throw new WgetError(`can't open '${this.name}': File exists`)
    this.#attempt(() => fs.writeFile(this.path!, ''))
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.path === undefined) return this.#process.stdout.write(bytes)
    this.#attempt(() => this.#process.system.fs.appendFile(this.path!, bytes))
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      throw new WgetError(`can't open '${this.name}': ${strerror(error)}`)
    }
  }
}
