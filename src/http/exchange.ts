// One HTTP request and its answer: an ApiRequest out of the one, the other out of an ApiResponse. Watches and logs
// that are followed are streams of their own (watch-stream.ts, log-stream.ts); bodies are read by request-body.ts.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzip } from 'node:zlib'
import { watchedPath } from '../api/paths.js'
import { mediaTypeOf } from '../api/representation.js'
import type { Api, ApiRequest, ApiResponse, Status, Verb } from '../api/request.js'
import { badRequestUrl, internalError, methodNotAllowed, statusOf, statusResponse } from '../api/status.js'
import { flag, isSet, parameter } from '../api/target.js'
import { yamlText } from '../api/yaml-text.js'
import type { UserInfo } from '../cluster/service-account-tokens.js'
import type { Access } from './access.js'
import { streamLog } from './log-stream.js'
import { answerOwn, type OwnResources } from './own-resource.js'
import { type Dial, proxyRequest } from './proxy.js'
import { proxyTargetOf } from './proxy-target.js'
import { readBody } from './request-body.js'
import { streamWatch } from './watch-stream.js'

const VERBS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const BODIES: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE']

/** Bodies up to this size are sent as they are, and zipped as upstream does it: fast rather than small. */
const LARGEST_PLAIN = 128 * 1024
const GZIP_LEVEL = 1
const LINGER_MS = 2_000

export interface Served {
  readonly api: Api
  readonly own: OwnResources
  /** How pods are reached for the proxy subresource. */
  readonly dial: Dial | undefined
  /** Between two bookmarks of a watch. */
  readonly bookmarkMillis: number
}

/** The URL that was asked for, with the Host as it was sent; undefined when it is none. */
export function urlOf(request: IncomingMessage): URL | undefined {
  const { url = '/', headers } = request
  const text = `https://${headers.host}${url}`
  return url.startsWith('/') && URL.canParse(text) ? new URL(text) : undefined
}

/** Answers `request`; whatever goes wrong becomes a Status. */
export function answerRequest(
  served: Served,
  access: Access,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const admitted = access(request)
  if (admitted.refused !== undefined) return send(request, response, statusResponse(admitted.refused))
  answer(served, admitted.user, request, response).catch((error: unknown) => {
    send(request, response, statusResponse(statusOf(error) ?? faultStatus(error)))
  })
}

function faultStatus(error: unknown): Status {
  return internalError(error instanceof Error ? error.message : String(error)).status
}

async function answer(
  { api, own, dial, bookmarkMillis }: Served,
  user: UserInfo,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '' } = request
  if (method === 'OPTIONS') {
    response.writeHead(200, { allow: `${VERBS.join(', ')}, HEAD, OPTIONS`, 'content-length': 0 }).end()
    return
  }
  const verb = method === 'HEAD' ? 'GET' : method
  if (!VERBS.includes(verb)) throw methodNotAllowed()
  const url = urlOf(request)
  const target = dial && url && proxyTargetOf(api, url.pathname)
  if (dial !== undefined && url !== undefined && target !== undefined) {
    if (target.path !== '') return proxyRequest(dial, target, url.search, request, response)
    // Or what a page says of its neighbours would be about ours.
    response.writeHead(301, { location: `${url.pathname}/${url.search}`, 'content-length': 0 }).end()
    return
  }
  const body = BODIES.includes(verb) ? await readBody(request) : undefined
  const asked = withWatch({ ...apiRequestOf(request, verb as Verb, body), user })
  const ownResource = Object.hasOwn(own, asked.path) ? own[asked.path] : undefined
  if (ownResource !== undefined) {
    const answered = await answerOwn(ownResource, asked, response)
    return answered && send(request, response, answered)
  }
  if (verb === 'GET' && method !== 'HEAD') {
    if (flag(asked, 'watch')) return streamWatch(api, asked, response, bookmarkMillis)
    if (asked.path.endsWith('/log') && flag(asked, 'follow')) return streamLog(api, asked, response)
  }
  send(request, response, api.request(asked))
}

/** What the older form of a watch asks for, in today's. */
function withWatch(asked: ApiRequest): ApiRequest {
  const watched = watchedPath(asked.path)
  if (watched === undefined) return asked
  if (asked.method !== 'GET') throw methodNotAllowed()
  const { path, name } = watched
  const selectors = [parameter(asked, 'fieldSelector'), name && `metadata.name=${name}`].filter(Boolean)
  const fieldSelector = selectors.length > 0 && { fieldSelector: selectors.join(',') }
  return { ...asked, path, query: { ...asked.query, watch: 'true', ...fieldSelector } }
}

function apiRequestOf(request: IncomingMessage, method: Verb, body: unknown): ApiRequest {
  const url = urlOf(request)
  if (url === undefined) throw badRequestUrl(request.url ?? '')
  // Without a prototype: `__proto__` is a name like any other.
  const query: Record<string, string | readonly string[]> = Object.create(null)
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name)
    query[name] = values.length === 1 ? values[0]! : values
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return { method, path: url.pathname, query, headers, ...(body !== undefined && { body }) }
}

function send(request: IncomingMessage, response: ServerResponse, asked: ApiResponse): void {
  // Too late for an answer: all that is left is not to look like a whole one.
  if (response.headersSent || response.destroyed) return void response.destroy()
  const answer = inYaml(asked, request.headers.accept)
  const bytes = encode(answer.body, wantsPretty(request))
  const headers: Record<string, string | number> = { ...answer.headers, vary: 'Accept-Encoding' }
  if (hasBody(request) && !request.complete) closeAfter(request, response, headers)
  const isZipped = bytes.length > LARGEST_PLAIN && /\bgzip\b/.test(String(request.headers['accept-encoding']))
  if (!isZipped) return finish(request, response, answer.status, headers, bytes)
  gzip(bytes, { level: GZIP_LEVEL }, (error, zipped) => {
    if (error !== null) return void response.destroy()
    finish(request, response, answer.status, { ...headers, 'content-encoding': 'gzip' }, zipped)
  })
}

function finish(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  headers: Readonly<Record<string, string | number>>,
  bytes: Uint8Array,
): void {
  response.writeHead(code, { ...headers, 'content-length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Nobody reads the rest of a body that was refused: it is thrown away for a moment, so that the answer is heard. */
function closeAfter(
  request: IncomingMessage,
  response: ServerResponse,
  headers: Record<string, string | number>,
): void {
  headers['connection'] = 'close'
  const { socket } = request
  request.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  response.on('close', () => clearTimeout(timer))
}

/** Objects and refusals, which are JSON otherwise, for who wants YAML. */
function inYaml(answer: ApiResponse, accept: string | undefined): ApiResponse {
  const type = mediaTypeOf(accept)
  const isData = answer.headers['content-type'] === 'application/json' && typeof answer.body !== 'string'
  if (type !== 'application/yaml' || !isData || answer.body instanceof Uint8Array) return answer
  return { ...answer, headers: { ...answer.headers, 'content-type': type }, body: yamlText(answer.body) }
}

/** Bytes and text as they are, everything else as JSON. */
function encode(body: unknown, pretty: boolean): Uint8Array {
  if (body instanceof Uint8Array) return body
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.from(pretty ? JSON.stringify(body, undefined, 2) : `${JSON.stringify(body)}\n`)
}

/** As upstream: who asks for it, and programs that people read the answers of. */
function wantsPretty(request: IncomingMessage): boolean {
  const asked = urlOf(request)?.searchParams.get('pretty')
  if (asked !== null && asked !== undefined) return isSet(asked)
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers['user-agent'] ?? '')
}
