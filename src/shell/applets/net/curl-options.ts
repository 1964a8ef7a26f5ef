// curl's command line: its options as one record. What they do is in curl.ts and curl-transfer.ts.

import { type Micros, NEVER, SECOND } from '../../../base/time.js'
import { resolvePath } from '../../../posix/file-system.js'
import type { Process } from '../../../posix/process.js'
import type { TlsVersion } from '../../../posix/tls.js'
import { type AddressFamily, type IpAddress, parseAddress } from '../../../wire/address.js'
import { type CurlBody, readBody, readInput, urlencoded } from './curl-body.js'
import { CurlUsageError } from './curl-error.js'
import { type GlobbedUrl, GlobError, globUrls } from './curl-glob.js'
import { type CurlTlsOptions, SYSTEM_AUTHORITIES } from './curl-tls.js'
import { type OptionNames, type ParsedOptions, parseDecimal, parseOptions } from './options.js'

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
  readonly cookies: readonly string[]
  readonly referer: string | undefined
  readonly range: string | undefined
  readonly silent: boolean
  readonly showError: boolean
  readonly verbose: boolean
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

const SPECIFICATION: readonly OptionNames[] = [
  ['s', 'silent'],
  ['S', 'show-error'],
  ['v', 'verbose'],
  ['i', 'include'],
  ['I', 'head'],
  ['o', 'output='],
  ['O', 'remote-name'],
  ['w', 'write-out='],
  ['X', 'request='],
  ['d', 'data', 'data-ascii='],
  ['data-raw='],
  ['data-binary='],
  ['data-urlencode='],
  ['G', 'get'],
  ['H', 'header='],
  ['A', 'user-agent='],
  ['u', 'user='],
  ['b', 'cookie='],
  ['e', 'referer='],
  ['r', 'range='],
  ['D', 'dump-header='],
  ['m', 'max-time='],
  ['connect-timeout='],
  ['L', 'location'],
  ['max-redirs='],
  ['f', 'fail'],
  ['fail-with-body'],
  ['resolve='],
  ['retry='],
  ['retry-delay='],
  ['retry-connrefused'],
  ['url='],
  ['url-query='],
  ['F', 'form='],
  ['form-string='],
  ['T', 'upload-file='],
  ['json='],
  ['0', 'http1.0'],
  ['compressed'],
  ['raw'],
  ['request-target='],
  ['max-filesize='],
  ['oauth2-bearer='],
  ['connect-to='],
  ['interface='],
  ['local-port='],
  ['unix-socket='],
  ['Z', 'parallel'],
  ['g', 'globoff'],
  ['create-dirs'],
  ['output-dir='],
  ['no-progress-meter'],
  ['#', 'progress-bar'],
  ['4', 'ipv4'],
  ['6', 'ipv6'],
  ['V', 'version'],
  ['h', 'help'],
  ['k', 'insecure'],
  ['cacert='],
  ['E', 'cert='],
  ['key='],
  ['1', 'tlsv1'],
  ['tlsv1.0'],
  ['tlsv1.1'],
  ['tlsv1.2'],
  ['tlsv1.3'],
  ['tls-max='],
  // Without effect here: one version of HTTP, one way to show who one is, nothing is buffered, paths are kept as they are.
  ['capath='],
  ['http1.1'],
  ['http2'],
  ['basic'],
  ['path-as-is'],
  ['N', 'no-buffer'],
  ['no-keepalive'],
  ['keepalive-time='],
  ['tcp-nodelay'],
  ['noproxy='],
  ['q', 'disable'],
  ['parallel-immediate'],
  ['parallel-max='],
]

/** Throws CurlUsageError; 'help' and 'version' are what is to be shown instead of a transfer. */
export async function readCurlOptions(process: Process): Promise<CurlOptions | 'help' | 'version'> {
  const parsed = parseOptions(process.argv.slice(1), SPECIFICATION)
  if ('mistake' in parsed) {
    const what = parsed.mistake === 'unknown' ? 'is unknown' : 'requires parameter'
    throw new CurlUsageError(2, `option ${parsed.option}: ${what}`)
  }
  if (parsed.has('h')) return 'help'
  if (parsed.has('V')) return 'version'
  const patterns = [...parsed.values('url'), ...parsed.operands]
  if (patterns.length === 0) throw new CurlUsageError(2, '')
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
    headers: parsed.values('H'),
    userAgent: parsed.value('A') ?? `curl/${CURL_VERSION}`,
    user: parsed.value('u'),
    cookies: parsed.values('b'),
    referer: parsed.value('e'),
    range: parsed.value('r'),
    family: parsed.has('6') ? 'IPv6' : parsed.has('4') ? 'IPv4' : undefined,
    silent: parsed.has('s'),
    showError: parsed.has('S'),
    verbose: parsed.has('v'),
    includeHead: parsed.has('i') || headOnly,
    headOnly,
    dumpHeader: parsed.value('D'),
    writeOut: await readWriteOut(process, parsed.value('w')),
    fail: parsed.has('f'),
    failWithBody: parsed.has('fail-with-body'),
    follow: parsed.has('L'),
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

/**
 * -o and -O name the outputs of the patterns in their order; all URLs of a pattern go to the same, but for `#1` in a name.
 * Simplified: all -o come before all -O.
 */
function readUrls(
  parsed: ParsedOptions,
  patterns: readonly string[],
  queries: readonly string[],
): Pick<CurlOptions, 'urls' | 'outputs'> {
  const named = [...parsed.values('o'), ...parsed.values('O').map(() => 'remote name')]
  const directory = parsed.value('output-dir')
  const urls: GlobbedUrl[] = []
  const outputs: (string | undefined)[] = []
  for (const [index, pattern] of patterns.entries()) {
    const name = named[index] === '-' ? undefined : named[index]
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

const TLS_VERSIONS: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

function readTls(process: Process, parsed: ParsedOptions): CurlTlsOptions {
  const authorityFile = parsed.value('cacert')
  const cert = parsed.value('E')?.replace(/:[^/]*$/, '')
  const key = parsed.value('key') ?? cert
  const wanted = TLS_VERSIONS.filter(
    (version) =>
      parsed.has(version.toLowerCase()) ||
      (version === 'TLSv1' && (parsed.has('1') || parsed.has('tlsv1.0'))),
  )
  const most = parsed.value('tls-max')
  const maxVersion = TLS_VERSIONS.find((version) => version === `TLSv${most === '1.0' ? '1' : most}`)
  if (most !== undefined && most !== 'default' && maxVersion === undefined)
    throw new CurlUsageError(2, 'option --tls-max: is badly used here')
  return {
    insecure: parsed.has('k'),
    authorityFile,
    authorities: readPem(process, authorityFile ?? SYSTEM_AUTHORITIES),
    certificate:
      cert === undefined
        ? undefined
        : { cert: requirePem(process, cert), key: requirePem(process, key ?? cert) },
    minVersion: wanted.at(-1),
    maxVersion,
  }
}

function readPem({ cwd, system }: Process, path: string): string | undefined {
  try {
    return system.fs.readText(resolvePath(cwd, path))
  } catch {
    return undefined
  }
}

function requirePem(process: Process, path: string): string {
  const text = readPem(process, path)
  if (text !== undefined) return text
  const why = 'OpenSSL error error:80000002:system library::No such file or directory'
  throw new CurlUsageError(
    58,
    `(58) could not load PEM client certificate, ${why}, (no key found, wrong pass phrase, or wrong file format?)`,
  )
}

function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}
