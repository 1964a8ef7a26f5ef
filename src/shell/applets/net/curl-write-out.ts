// curl -w: the format's variables and escapes, from what a transfer did.

import type { Micros } from '../../../base/time.js'
import { formatAddress } from '../../../wire/address.js'
import { CURL_VERSION } from './curl-options.js'
import type { Transfer } from './curl-record.js'
import { verifyResult } from './curl-tls.js'
import { header } from './http-client.js'

/** What is known when a transfer is over. */
export interface Outcome {
  readonly transfer: Transfer
  readonly exitCode: number
  readonly errorMessage: string
  readonly fileName: string
  /** From 0. */
  readonly urlNumber: number
  readonly referer: string | undefined
}

type Variable = (outcome: Outcome) => string

const seconds = (time: Micros) => (time / 1_000_000).toFixed(6)
const status: Variable = ({ transfer }) => String(transfer.head?.status ?? 0).padStart(3, '0')

const VARIABLES: Readonly<Record<string, Variable>> = {
  http_code: status,
  response_code: status,
  http_connect: ({ transfer }) => String(transfer.connectStatus).padStart(3, '0'),
  http_version: ({ transfer }) => transfer.head?.version.replace(/^HTTP\//, '') ?? '0',
  size_download: ({ transfer }) => String(transfer.downloaded),
  size_upload: ({ transfer }) => String(transfer.uploaded),
  size_header: ({ transfer }) => String(transfer.headBytes),
  size_request: ({ transfer }) => String(transfer.requestBytes),
  speed_download: ({ transfer }) =>
    String(transfer.total > 0 ? Math.floor((transfer.downloaded * 1_000_000) / transfer.total) : 0),
  speed_upload: ({ transfer }) =>
    String(transfer.total > 0 ? Math.floor((transfer.uploaded * 1_000_000) / transfer.total) : 0),
  time_namelookup: ({ transfer }) => seconds(transfer.nameLookup),
  time_connect: ({ transfer }) => seconds(transfer.connected),
  time_appconnect: ({ transfer }) => seconds(transfer.secured),
  time_pretransfer: ({ transfer }) => seconds(Math.max(transfer.secured, transfer.connected)),
  time_starttransfer: ({ transfer }) => seconds(transfer.firstByte),
  time_redirect: ({ transfer }) => seconds(transfer.redirectTime),
  time_total: ({ transfer }) => seconds(transfer.total),
  num_connects: ({ transfer }) => String(transfer.connects),
  num_headers: ({ transfer }) => String(transfer.head?.headers.length ?? 0),
  num_redirects: ({ transfer }) => String(transfer.redirects),
  redirect_url: ({ transfer }) => transfer.redirectUrl,
  remote_ip: ({ transfer }) => (transfer.remote ? formatAddress(transfer.remote.address) : ''),
  remote_port: ({ transfer }) => String(transfer.remote?.port ?? 0),
  local_ip: ({ transfer }) => (transfer.local ? formatAddress(transfer.local.address) : ''),
  local_port: ({ transfer }) => String(transfer.local?.port ?? 0),
  url: ({ transfer }) => transfer.url,
  urlnum: ({ urlNumber }) => String(urlNumber),
  proxy_ssl_verify_result: () => '0',
  num_certs: ({ transfer }) => String(transfer.tls?.peer ? 1 : 0),
  certs: () => '',
  referer: ({ referer }) => referer ?? '',
  ftp_entry_path: () => '',
  url_effective: ({ transfer }) => transfer.effectiveUrl,
  method: ({ transfer }) => transfer.method,
  scheme: ({ transfer }) => (transfer.head ? (transfer.tls ? 'HTTPS' : 'HTTP') : ''),
  content_type: ({ transfer }) => (transfer.head && header(transfer.head, 'content-type')) ?? '',
  errormsg: ({ errorMessage }) => errorMessage,
  exitcode: ({ exitCode }) => String(exitCode),
  filename_effective: ({ fileName }) => fileName,
  onerror: () => '',
  ssl_verify_result: ({ transfer }) => String(transfer.tls ? verifyResult(transfer.tls) : 0),
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** Text for standard output and standard error: `%{stderr}` and `%{stdout}` switch between them. */
export function writeOut(
  format: string,
  outcome: Outcome,
): { readonly stdout: string; readonly stderr: string } {
  const text = { stdout: '', stderr: '' }
  let to: 'stdout' | 'stderr' = 'stdout'
  for (const [piece, field, name, letter] of format.matchAll(
    /%header\{([^}]*)\}|%\{([^}]*)\}|\\(.)|%%|[^%\\]+|[%\\]/gs,
  )) {
    if (field !== undefined) text[to] += (outcome.transfer.head && header(outcome.transfer.head, field)) ?? ''
    else if (name === 'json') text[to] += jsonOf(outcome)
    else if (name === 'header_json') text[to] += headerJson(outcome)
    else if (name === 'stdout' || name === 'stderr') to = name
    // `%{onerror}`: what follows is for failed transfers only.
    else if (name === 'onerror' && outcome.exitCode === 0) break
    else if (name !== undefined) {
      const variable = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined
      if (variable === undefined) text.stderr += `curl: unknown --write-out variable: '${name}'\n`
      else text[to] += variable(outcome)
    } else if (letter !== undefined) text[to] += ESCAPES[letter] ?? piece
    else text[to] += piece === '%%' ? '%' : piece
  }
  return text
}

/** Variables whose values are numbers in JSON, with as many digits as they have there. */
const NUMBERS =
  /^(exitcode|http_code|http_connect|local_port|num_|proxy_ssl|remote_port|response_code|size_|speed_|ssl_|time_|urlnum)/

/** `%{json}`: every variable, in the order of their names, and the version last. */
function jsonOf(outcome: Outcome): string {
  const members = Object.entries(VARIABLES)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, variable]) => {
      if (name === 'onerror') return []
      const value = variable(outcome)
      const isNull = value === '' && name !== 'certs'
      const shown = NUMBERS.test(name)
        ? value.replace(/^0+(?=\d)/, '')
        : isNull
          ? 'null'
          : JSON.stringify(value)
      return [`${JSON.stringify(name)}:${shown}`]
    })
  const last = members.findIndex((member) => member.startsWith('"urlnum"'))
  const [number = ''] = members.splice(last, 1)
  return `{${[...members, number, `"curl_version":"libcurl/${CURL_VERSION}"`].join(',')}}`
}

/** `%{header_json}`: names in lower case, all values of each. */
function headerJson({ transfer }: Outcome): string {
  const values = new Map<string, string[]>()
  for (const [name, value] of transfer.head?.headers ?? []) {
    const key = name.toLowerCase()
    values.set(key, [...(values.get(key) ?? []), value])
  }
  return `{${[...values].map(([name, all]) => `${JSON.stringify(name)}:${JSON.stringify(all)}`).join(',\n')}\n}`
}
