// curl's options as one record; as they are written: curl-arguments.ts. What they do is in curl.ts and curl-transfer.ts.

import { type Micros, NEVER, SECOND } from '../../../base/time.js'
import { resolvePath } from '../../../posix/file-system.js'
import type { Process } from '../../../posix/process.js'
import { type AddressFamily, type IpAddress, parseAddress } from '../../../wire/address.js'
import { formatDate } from '../../date-format.js'
import type { CurlArguments } from './curl-arguments.js'
import { type CurlBody, readBody, readInput, urlencoded } from './curl-body.js'
import { CurlUsageError } from './curl-error.js'
import { type GlobbedUrl, GlobError, globUrls } from './curl-glob.js'
import { type CurlTlsOptions, readTls } from './curl-tls.js'
import { type ParsedOptions, parseDecimal } from './options.js'
import { parseHttpDate } from './url.js'

/** The version whose words and behaviour are followed, also in User-Agent. */
export const CURL_VERSION = '7.88.1'

export interface CurlOptions {
  readonly urls: readonly GlobbedUrl[]
  /** Where the body of the n-th URL goes: a file, its remote name, or standard output. */
  readonly outputs: readonly (string | 'remote name' | undefined)[]
  readonly createDirectories: boolean
  readonly method: string
  readonly body: CurlBody | undefined
  /** In place of the path of the URL. */
  readonly requestTarget: string | undefined
  readonly http10: boolean
  /** Asks for packed content, and unpacks it. */
  readonly compressed: boolean
  /** Shows chunks as they come. */
  readonly raw: boolean
  readonly largestFile: number
  readonly bearer: string | undefined
  readonly headers: readonly string[]
  readonly userAgent: string
  readonly user: string | undefined
  /** Sent as they are, besides those of the jar. */
  readonly cookies: readonly string[]
  /** Of the command line; '' for none. */
  readonly proxy: string | undefined
  readonly proxyUser: string | undefined
  readonly proxyTunnel: boolean
  readonly proxyHeaders: readonly string[]
  readonly noProxy: string | undefined
  /** A header that asks for what is newer or older. */
  readonly timeCondition: readonly [string, string] | undefined
  /** Bytes that are left out, or as many as the output has. */
  readonly resumeAt: number | 'output' | undefined
  readonly bytesPerSecond: number
  /** Whether other hosts that are redirected to get credentials, too. */
  readonly isTrusting: boolean
  /** After these a POST stays one. */
  readonly keepsPost: readonly number[]
  /** -J: files get the names that servers give them. */
  readonly remoteHeaderName: boolean
  readonly expectWait: Micros
  /** Undefined: all. */
  readonly schemes: readonly string[] | undefined
  readonly failEarly: boolean
  readonly retryAll: boolean
  readonly retryTime: Micros
  readonly referer: string | undefined
  /** Whether redirects are told where they come from. */
  readonly refersItself: boolean
  readonly range: string | undefined
  readonly silent: boolean
  readonly showError: boolean
  readonly includeHead: boolean
  readonly headOnly: boolean
  readonly dumpHeader: string | undefined
  readonly writeOut: string | undefined
  readonly fail: boolean
  readonly failWithBody: boolean
  readonly follow: boolean
  readonly maxRedirects: number
  readonly explicitMethod: boolean
  readonly maxTime: Micros
  readonly connectTimeout: Micros
  /** From -4 and -6. */
  readonly family: AddressFamily | undefined
  /** `host:port` to addresses, from --resolve. */
  readonly resolve: ReadonlyMap<string, readonly IpAddress[]>
  /** `host:port` to where it is connected to, from --connect-to; an empty part matches, or keeps, everything. */
  readonly connectTo: readonly (readonly [host: string, port: string, toHost: string, toPort: string])[]
  readonly localAddress: string | undefined
  readonly localPorts: readonly [first: number, last: number] | undefined
  readonly unixSocket: string | undefined
  /** All URLs at once. */
  readonly parallel: boolean
  readonly meter: 'none' | 'table' | 'bar'
  readonly retries: number
  readonly retryDelay: Micros | undefined
  readonly retryRefused: boolean
  readonly tls: CurlTlsOptions
}

/** What the options of one group ask for. Throws CurlUsageError. */
export async function readCurlOptions(process: Process, parsed: CurlArguments): Promise<CurlOptions> {
  const patterns = [...parsed.values('url'), ...parsed.operands]
  const body = await readBody(process, parsed)
  const asQuery = parsed.has('G') && body !== undefined
  const queries = asQuery ? [new TextDecoder().decode(body.bytes)] : []
  for (const text of parsed.values('url-query')) queries.push(await urlencoded(process, text))
  const headOnly = parsed.has('I')
  const sent = asQuery ? undefined : body
  const implied = headOnly ? 'HEAD' : sent?.upload ? 'PUT' : sent !== undefined ? 'POST' : 'GET'
  return {
    ...readUrls(parsed, patterns, queries),
    createDirectories: parsed.has('create-dirs'),
    method: parsed.value('X') ?? implied,
    body: sent,
    requestTarget: parsed.value('request-target'),
    http10: parsed.has('0'),
    compressed: parsed.has('compressed'),
    raw: parsed.has('raw'),
    largestFile: readNumber(parsed, 'max-filesize', '--max-filesize') ?? Number.POSITIVE_INFINITY,
    bearer: parsed.value('oauth2-bearer'),
    connectTo: parsed.values('connect-to').map(readConnectTo),
    ...readLocal(parsed.value('interface'), parsed.value('local-port')),
    unixSocket: parsed.value('unix-socket'),
    parallel: parsed.has('Z'),
    meter: parsed.has('s') || parsed.has('no-progress-meter') ? 'none' : parsed.has('#') ? 'bar' : 'table',
    explicitMethod: parsed.has('X'),
    headers: await readHeaders(process, parsed.values('H')),
    userAgent: parsed.value('A') ?? `curl/${CURL_VERSION}`,
    user: parsed.value('u'),
    cookies: parsed.values('b').filter((text) => text.includes('=')),
    ...readProxy(parsed),
    timeCondition: readTimeCondition(process, parsed.value('z')),
    resumeAt: readResume(parsed.value('C')),
    bytesPerSecond: readRate(parsed.value('limit-rate')),
    isTrusting: parsed.has('location-trusted'),
    keepsPost: [301, 302, 303].filter((status) => parsed.has(`post${status}`)),
    remoteHeaderName: parsed.has('J'),
    expectWait: readSeconds(parsed, 'expect100-timeout', '--expect100-timeout') ?? SECOND,
    schemes: readSchemes(parsed.value('proto')),
    failEarly: parsed.has('fail-early'),
    retryAll: parsed.has('retry-all-errors'),
    retryTime: readSeconds(parsed, 'retry-max-time', '--retry-max-time') ?? NEVER,
    ...readReferer(parsed.value('e')),
    range: parsed.value('r'),
    family: parsed.has('6') ? 'IPv6' : parsed.has('4') ? 'IPv4' : undefined,
    silent: parsed.has('s'),
    showError: parsed.has('S'),
    includeHead: parsed.has('i') || headOnly,
    headOnly,
    dumpHeader: parsed.value('D'),
    writeOut: await readWriteOut(process, parsed.value('w')),
    fail: parsed.has('f'),
    failWithBody: parsed.has('fail-with-body'),
    follow: parsed.has('L') || parsed.has('location-trusted'),
    maxRedirects: readNumber(parsed, 'max-redirs', '--max-redirs') ?? 50,
    maxTime: readSeconds(parsed, 'm', '-m') ?? NEVER,
    connectTimeout: readSeconds(parsed, 'connect-timeout', '--connect-timeout') ?? 300 * SECOND,
    resolve: readResolve(parsed.values('resolve')),
    retries: readNumber(parsed, 'retry', '--retry') ?? 0,
    retryDelay: readSeconds(parsed, 'retry-delay', '--retry-delay'),
    retryRefused: parsed.has('retry-connrefused'),
    tls: readTls(process, parsed),
  }
}

/** -o and -O name the outputs of the patterns in their order; all URLs of a pattern go to the same, but for `#1` in a name. */
function readUrls(
  parsed: CurlArguments,
  patterns: readonly string[],
  queries: readonly string[],
): Pick<CurlOptions, 'urls' | 'outputs'> {
  const named = parsed.ordered
    .filter(([name]) => name === 'o' || name === 'O')
    .map(([name, value]) => (name === 'O' ? 'remote name' : value))
  const directory = parsed.value('output-dir')
  const urls: GlobbedUrl[] = []
  const outputs: (string | undefined)[] = []
  for (const [index, pattern] of patterns.entries()) {
    const given = named[index] ?? (parsed.has('remote-name-all') ? 'remote name' : undefined)
    const name = given === '-' ? undefined : given
    for (const { url, matched } of globbed(pattern, parsed.has('g'))) {
      urls.push({ url: queries.reduce(withQuery, url), matched })
      const filled = name?.replace(/#(\d)/g, (text, digit) => matched[Number(digit) - 1] ?? text)
      const isPlain = filled === undefined || filled === 'remote name' || directory === undefined
      outputs.push(isPlain ? filled : `${directory}/${filled}`)
    }
  }
  return { urls, outputs }
}

function globbed(pattern: string, off: boolean): readonly GlobbedUrl[] {
  if (off) return [{ url: pattern, matched: [] }]
  try {
    return globUrls(pattern)
  } catch (error) {
    throw error instanceof GlobError ? new CurlUsageError(3, `(3) ${error.message}`) : error
  }
}

function readProxy(
  parsed: ParsedOptions,
): Pick<CurlOptions, 'proxy' | 'proxyUser' | 'proxyTunnel' | 'proxyHeaders' | 'noProxy'> {
  return {
    proxy: parsed.value('x'),
    proxyUser: parsed.value('U'),
    proxyTunnel: parsed.has('p'),
    proxyHeaders: parsed.values('proxy-header'),
    noProxy: parsed.value('noproxy'),
  }
}

/** A date, or the file whose time counts; what is neither counts for nothing. */
function readTimeCondition({ cwd, system }: Process, text: string | undefined): [string, string] | undefined {
  if (text === undefined) return undefined
  const isOlder = text.startsWith('-')
  const value = text.replace(/^[-+=]/, '')
  const path = resolvePath(cwd, value)
  const time =
    parseHttpDate(value) ?? (system.fs.exists(path) ? system.fs.stat(path).modifiedMillis : undefined)
  if (time === undefined) return undefined
  const date = formatDate(time, '%a, %d %b %Y %H:%M:%S GMT')
  return [isOlder ? 'If-Unmodified-Since' : 'If-Modified-Since', date]
}

function readResume(text: string | undefined): number | 'output' | undefined {
  if (text === undefined) return undefined
  if (text === '-') return 'output'
  if (!/^\d+$/.test(text)) throw new CurlUsageError(2, 'option -C: expected a proper numerical parameter')
  return Number(text)
}

const RATE_UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** `100k`; without an option, or 0, as fast as can be. */
function readRate(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  const [, number, unit = 'b'] = /^(\d+)([bkmg]?)$/i.exec(text) ?? []
  if (number === undefined) throw new CurlUsageError(2, 'option --limit-rate: is badly used here')
  return Number(number) * RATE_UNITS[unit.toLowerCase() || 'b']! || Number.POSITIVE_INFINITY
}

/** `=https`, `http,https`, `-all,http`. */
function readSchemes(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  let allowed = new Set(text.startsWith('=') ? [] : ['http', 'https'])
  for (const word of text.split(',')) {
    const name = word.replace(/^[-+=]/, '')
    const names = name === 'all' ? ['http', 'https'] : [name]
    if (word.startsWith('=')) allowed = new Set(names)
    else for (const one of names) word.startsWith('-') ? allowed.delete(one) : allowed.add(one)
  }
  return [...allowed]
}

/** `URL;auto`, or `;auto`. */
function readReferer(text: string | undefined): Pick<CurlOptions, 'referer' | 'refersItself'> {
  const refersItself = text?.endsWith(';auto') ?? false
  const referer = text?.replace(/;auto$/, '')
  return { referer: referer === '' ? undefined : referer, refersItself }
}

/** `@FILE` stands for its lines. */
async function readHeaders(process: Process, texts: readonly string[]): Promise<string[]> {
  const headers: string[] = []
  for (const text of texts) {
    if (!text.startsWith('@')) headers.push(text)
    else {
      const lines = new TextDecoder().decode(await readInput(process, text.slice(1))).split(/\r?\n/)
      headers.push(...lines.filter((line) => line !== ''))
    }
  }
  return headers
}

function readConnectTo(text: string): [string, string, string, string] {
  const part = '(\\[[^\\]]*\\]|[^:]*)'
  const [, host = '', port = '', toHost = '', toPort = ''] =
    new RegExp(`^${part}:([^:]*):${part}:([^:]*)$`).exec(text) ?? []
  return [host, port, toHost, toPort]
}

function readLocal(
  address: string | undefined,
  range: string | undefined,
): Pick<CurlOptions, 'localAddress' | 'localPorts'> {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range ?? '') ?? []
  if (range !== undefined && first === undefined)
    throw new CurlUsageError(2, 'option --local-port: is badly used here')
  return {
    localAddress: address,
    localPorts: first === undefined ? undefined : [Number(first), Number(last)],
  }
}

function readNumber(parsed: ParsedOptions, name: string, shown: string): number | undefined {
  const text = parsed.value(name)
  if (text === undefined) return undefined
  if (name === 'max-redirs' && text === '-1') return Number.POSITIVE_INFINITY
  const number = parseDecimal(text)
  if (number === undefined)
    throw new CurlUsageError(2, `option ${shown}: expected a proper numerical parameter`)
  return number
}

/** Seconds with a fraction; 0 means no limit, as in curl. */
function readSeconds(parsed: ParsedOptions, name: string, shown: string): Micros | undefined {
  const seconds = readNumber(parsed, name, shown)
  return seconds === undefined || seconds === 0 ? undefined : Math.round(seconds * SECOND)
}

function readResolve(entries: readonly string[]): Map<string, IpAddress[]> {
  const map = new Map<string, IpAddress[]>()
  for (const entry of entries) {
    const [, key, list] = /^\+?([^:]+:\d+):(.+)$/.exec(entry) ?? []
    const addresses = (list ?? '').split(',').map((text) => parseAddress(text.trim().replace(/^\[|\]$/g, '')))
    if (key === undefined || addresses.includes(undefined))
      throw new CurlUsageError(49, `(49) Couldn't parse CURLOPT_RESOLVE entry '${entry}'`)
    map.set(key.toLowerCase(), addresses as IpAddress[])
  }
  return map
}

async function readWriteOut(process: Process, format: string | undefined): Promise<string | undefined> {
  if (!format?.startsWith('@')) return format
  return new TextDecoder().decode(await readInput(process, format.slice(1)))
}

function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}
