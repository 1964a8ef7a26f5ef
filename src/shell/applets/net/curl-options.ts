// curl's command line: its options as one record. What they do is in curl.ts and curl-transfer.ts.

import { type Micros, NEVER, SECOND } from '../../../base/time.js'
import { resolvePath } from '../../../posix/file-system.js'
import { readAll } from '../../../posix/pipe.js'
import type { Process } from '../../../posix/process.js'
import type { TlsVersion } from '../../../posix/tls.js'
import { type AddressFamily, type IpAddress, parseAddress } from '../../../wire/address.js'
import { type CurlTlsOptions, SYSTEM_AUTHORITIES } from './curl-tls.js'
import { type OptionNames, type ParsedOptions, parseDecimal, parseOptions, splitOnce } from './options.js'

/** The version whose words and behaviour are followed, also in User-Agent. */
export const CURL_VERSION = '7.81.0'

export interface CurlOptions {
  readonly urls: readonly string[]
  /** Where the body of the n-th URL goes: a file, its remote name, or standard output. */
  readonly outputs: readonly (string | 'remote name' | undefined)[]
  readonly method: string
  readonly body: Uint8Array | undefined
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
  readonly retries: number
  readonly retryDelay: Micros | undefined
  readonly retryRefused: boolean
  readonly tls: CurlTlsOptions
}

/** Ends curl with a message on stderr before any transfer. */
export class CurlUsageError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
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
  // Without effect here: one protocol, nothing is buffered.
  ['capath='],
  ['g', 'globoff'],
  ['http1.1'],
  ['N', 'no-buffer'],
  ['no-progress-meter'],
  ['#', 'progress-bar'],
  ['compressed'],
  ['no-keepalive'],
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
  const urls = [...parsed.values('url'), ...parsed.operands]
  if (urls.length === 0) throw new CurlUsageError(2, '')
  const data = await readData(process, parsed)
  const asQuery = parsed.has('G') && data !== undefined
  const headOnly = parsed.has('I')
  return {
    urls: asQuery ? urls.map((url) => withQuery(url, data)) : urls,
    outputs: readOutputs(parsed, urls.length),
    method: parsed.value('X') ?? (headOnly ? 'HEAD' : data !== undefined && !asQuery ? 'POST' : 'GET'),
    explicitMethod: parsed.has('X'),
    body: asQuery ? undefined : data,
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

/** -o and -O name the outputs of the URLs in their order. Simplified: all -o come before all -O. */
function readOutputs(parsed: ParsedOptions, urls: number): (string | undefined)[] {
  const named = [...parsed.values('o'), ...parsed.values('O').map(() => 'remote name')]
  return Array.from({ length: urls }, (_, index) => (named[index] === '-' ? undefined : named[index]))
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

async function readInput(process: Process, name: string): Promise<Uint8Array> {
  if (name === '-') return readAll(process.stdin, process.hold)
  try {
    return process.system.fs.readFile(resolvePath(process.cwd, name))
  } catch {
    throw new CurlUsageError(26, `Failed to open ${name}`)
  }
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

/** All data options joined by `&`; undefined without any. Simplified: in the order -d, raw, binary, urlencode. */
async function readData(process: Process, parsed: ParsedOptions): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = []
  const encode = (text: string) => new TextEncoder().encode(text)
  for (const text of parsed.values('d')) {
    // Line ends of a file are taken out, as if it had been typed on the command line.
    if (text.startsWith('@'))
      parts.push((await readInput(process, text.slice(1))).filter((byte) => byte !== 10 && byte !== 13))
    else parts.push(encode(text))
  }
  for (const text of parsed.values('data-raw')) parts.push(encode(text))
  for (const text of parsed.values('data-binary'))
    parts.push(text.startsWith('@') ? await readInput(process, text.slice(1)) : encode(text))
  for (const text of parsed.values('data-urlencode')) {
    const [name, value] = splitOnce(text, '=')
    const encoded = encodeURIComponent(value ?? text)
    parts.push(encode(value === undefined || name === '' ? encoded : `${name}=${encoded}`))
  }
  if (parts.length === 0) return undefined
  const joined: number[] = []
  for (const [index, part] of parts.entries()) {
    if (index > 0) joined.push(0x26)
    for (const byte of part) joined.push(byte)
  }
  return Uint8Array.from(joined)
}

function withQuery(url: string, data: Uint8Array): string {
  return `${url}${url.includes('?') ? '&' : '?'}${new TextDecoder().decode(data)}`
}
