// One URL of a curl command: request, response, redirects, connections that are used again. The body goes chunk by chunk to
// a sink. Connecting is curl-connect.ts; what happened is kept in curl-record.ts' Transfer.

import { SystemError } from '../../../base/errors.js'
import { type Micros, SECOND } from '../../../base/time.js'
import type { Process } from '../../../posix/process.js'
import { CurlConnector, type Pooled, poolKey } from './curl-connect.js'
import { unpackedBody } from './curl-content.js'
import type { CookieJar } from './curl-cookies.js'
import {
  CURLE_FILESIZE_EXCEEDED,
  CURLE_GOT_NOTHING,
  CURLE_HTTP_RETURNED_ERROR,
  CURLE_OPERATION_TIMEDOUT,
  CURLE_RANGE_ERROR,
  CURLE_SEND_ERROR,
  CURLE_TOO_MANY_REDIRECTS,
  CURLE_UNSUPPORTED_PROTOCOL,
  CURLE_URL_MALFORMAT,
  CurlError,
  receiveError,
} from './curl-error.js'
import type { Narrator } from './curl-narrator.js'
import type { CurlOptions } from './curl-options.js'
import { isTunnelled, proxyFor } from './curl-proxy.js'
import type { Transfer } from './curl-record.js'
import { curlRequest, type RequestCircumstances } from './curl-request.js'
import { type HttpConnection, type HttpHead, type HttpRequest, header, requestHead } from './http-client.js'
import { strerror } from './strerror.js'
import { TimeLimitExceeded, withinLimit } from './time-limit.js'
import { formatUrl, type HttpUrl, parseUrl, resolveLocation } from './url.js'

/** Takes the output of one transfer. */
export interface TransferSink {
  head(lines: readonly string[]): Promise<void>
  body(bytes: Uint8Array): Promise<void>
  /** How many bytes there are already, which are not wanted again. */
  readonly resumeAt: number
}

/** What the transfers of a command have in common. */
export interface CurlShare {
  /** Connections that are kept for further URLs. */
  readonly pool: Map<string, Pooled>
  /** Undefined: cookies are not looked at. */
  readonly cookies: CookieJar | undefined
  readonly narrator: Narrator
  /** Gives the next connection its number. */
  nextNumber(): number
}

/** Carries out transfers with the same options. */
export class CurlSession {
  readonly #process: Process
  readonly #options: CurlOptions
  readonly #pool: Map<string, Pooled>
  readonly #cookies: CookieJar | undefined
  readonly #narrator: Narrator
  readonly #connector: CurlConnector

  constructor(process: Process, options: CurlOptions, shared: CurlShare) {
    this.#process = process
    this.#options = options
    this.#pool = shared.pool
    this.#cookies = shared.cookies
    this.#narrator = shared.narrator
    this.#connector = new CurlConnector(process, options, shared)
  }

  /** Fails with CurlError. */
  async perform(transfer: Transfer, sink: TransferSink): Promise<void> {
    const { maxTime } = this.#options
    try {
      await withinLimit(this.#limits(this.#process.signal), maxTime, (signal) =>
        this.#follow(transfer, sink, signal),
      )
    } catch (error) {
      if (!(error instanceof TimeLimitExceeded)) throw error
      throw new CurlError(CURLE_OPERATION_TIMEDOUT, this.#timeoutText(transfer))
    } finally {
      transfer.total = this.#since(transfer)
    }
  }

  async #follow(transfer: Transfer, sink: TransferSink, signal: AbortSignal): Promise<void> {
    const options = this.#options
    let { method, body } = options
    let first: HttpUrl | undefined
    let referer: string | undefined
    for (;;) {
      const url = parseUrl(transfer.effectiveUrl)
      if (url === undefined)
        throw new CurlError(CURLE_URL_MALFORMAT, 'URL using bad/illegal format or missing URL')
      // Simplified: this curl is one that was built with no other protocol.
      const isKnown = url.scheme === 'http' || url.scheme === 'https'
      if (!isKnown || options.schemes?.includes(url.scheme) === false)
        throw new CurlError(
          CURLE_UNSUPPORTED_PROTOCOL,
          `Protocol "${url.scheme}" not supported or disabled in libcurl`,
        )
      transfer.effectiveUrl = formatUrl(url)
      transfer.method = method
      first ??= url
      const isTrusted = options.isTrusting || connectionKey(first) === connectionKey(url)
      const location = await this.#exchange(transfer, url, { method, body, isTrusted, referer }, sink, signal)
      if (location === undefined) return
      if (options.refersItself) referer = formatUrl(url)
      if (transfer.redirects >= options.maxRedirects)
        throw new CurlError(CURLE_TOO_MANY_REDIRECTS, `Maximum (${options.maxRedirects}) redirects followed`)
      transfer.redirects++
      transfer.redirectTime = this.#since(transfer)
      transfer.effectiveUrl = location
      const status = transfer.head!.status
      // As browsers do, RFC 9110 sections 15.4.2 to 15.4.4: a POST that is sent elsewhere becomes a GET.
      const keeps = options.keepsPost.includes(status)
      if (!keeps && (status === 303 || ((status === 301 || status === 302) && method === 'POST'))) {
        body = undefined
        if (!options.explicitMethod) method = method === 'HEAD' ? 'HEAD' : 'GET'
      }
      await this.#narrator.tell(`Issue another request to this URL: '${location}'`)
    }
  }

  /** One request and its response; gives where it redirects to, when that is to be followed. */
  async #exchange(
    transfer: Transfer,
    url: HttpUrl,
    asked: Pick<RequestCircumstances, 'method' | 'body' | 'isTrusted' | 'referer'>,
    sink: TransferSink,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { method } = asked
    const proxy = proxyFor(this.#process, this.#options, url)
    const resumeAt = sink.resumeAt
    const request = curlRequest(this.#options, url, {
      ...asked,
      resumeAt,
      cookies: this.#cookies?.cookiesFor(url, this.#now()) ?? [],
      proxy: proxy !== undefined && !isTunnelled(this.#options, url) ? proxy : undefined,
    })
    const { pooled, head } = await this.#ask(transfer, url, proxy, request, signal)
    await this.#tellHead(head, url)
    await sink.head(head.lines)
    const target = header(head, 'location')
    const redirect =
      head.status >= 300 && head.status < 400 && target !== undefined
        ? resolveLocation(url, target)
        : undefined
    const { follow, fail, failWithBody } = this.#options
    transfer.redirectUrl = follow ? '' : (redirect ?? '')
    if (resumeAt > 0 && head.status === 200 && !(follow && redirect !== undefined)) {
      pooled.http.close()
      throw new CurlError(
        CURLE_RANGE_ERROR,
        "HTTP server doesn't seem to support byte ranges. Cannot resume.",
      )
    }
    const failed = head.status >= 400 && (fail || failWithBody)
    const error = new CurlError(CURLE_HTTP_RETURNED_ERROR, `The requested URL returned error: ${head.status}`)
    if (failed && fail) {
      await this.#release(url, proxy, pooled)
      throw error
    }
    const wanted = !(follow && redirect !== undefined)
    transfer.downloaded = 0
    const limit = this.#options.largestFile
    try {
      const received = pooled.http.body(head, method, signal, this.#options.raw)
      const unpacked = this.#options.compressed ? unpackedBody(head, counted(received, transfer)) : received
      if (Number(header(head, 'content-length') ?? 0) > limit) throw tooLarge()
      for await (const chunk of unpacked) {
        if (!wanted) continue
        if (!this.#options.compressed) transfer.downloaded += chunk.length
        if (transfer.downloaded > limit) throw tooLarge()
        await this.#narrator.data('received', chunk)
        await sink.body(chunk)
        await this.#slowDown(transfer, signal)
      }
    } catch (caught) {
      pooled.http.close()
      const failure = receiveError(caught)
      if (failure instanceof CurlError) await this.#narrator.tell(failure.message)
      await this.#narrator.tell(`Closing connection ${pooled.number}`)
      throw failure
    }
    await this.#release(url, proxy, pooled)
    if (failed) throw error
    return wanted ? undefined : redirect
  }

  /** The head line by line, with what its cookies became. */
  async #tellHead(head: HttpHead, url: HttpUrl): Promise<void> {
    for (const line of head.lines) {
      const [, cookie] = /^set-cookie:\s*(.*)$/i.exec(line) ?? []
      const said = cookie === undefined ? undefined : this.#cookies?.receive(cookie, url, this.#now())
      if (said !== undefined) await this.#narrator.tell(said)
      await this.#narrator.receives(line)
    }
    await this.#narrator.receives('')
  }

  /** --limit-rate: waits until so much may have come. */
  async #slowDown(transfer: Transfer, signal: AbortSignal): Promise<void> {
    const { bytesPerSecond } = this.#options
    if (bytesPerSecond === Number.POSITIVE_INFINITY) return
    const due = transfer.requestSent + (transfer.downloaded / bytesPerSecond) * SECOND
    const wait = Math.round(due - this.#since(transfer))
    if (wait > 0) await this.#process.system.clock.sleep(wait, signal)
  }

  #now(): number {
    return this.#process.system.clock.unixMillis()
  }

  /** Sends the request and reads the head; a kept connection that turns out dead is replaced by a new one. */
  async #ask(
    transfer: Transfer,
    url: HttpUrl,
    proxy: HttpUrl | undefined,
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<{ pooled: Pooled; head: HttpHead }> {
    const key = this.#poolKey(url, proxy)
    const kept = this.#pool.get(key)
    this.#pool.delete(key)
    if (kept !== undefined) {
      await this.#narrator.tell(
        `Re-using existing connection #${kept.number} with ${proxy ? 'proxy' : 'host'} ${(proxy ?? url).host}`,
      )
      try {
        return { pooled: kept, head: await this.#converse(transfer, kept, request, signal) }
      } catch (error) {
        kept.http.close()
        if (!(error instanceof CurlError) || transfer.head !== undefined) throw error
        await this.#narrator.tell('Connection died, retrying a fresh connect')
      }
    }
    const pooled = await this.#connector.connect(transfer, url, proxy, signal)
    try {
      return { pooled, head: await this.#converse(transfer, pooled, request, signal) }
    } catch (error) {
      pooled.http.close()
      if (error instanceof CurlError && error.code === CURLE_GOT_NOTHING)
        await this.#narrator.tell('Empty reply from server')
      await this.#narrator.tell(`Closing connection ${pooled.number}`)
      throw error
    }
  }

  async #converse(
    transfer: Transfer,
    pooled: Pooled,
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<HttpHead> {
    transfer.head = undefined
    const { connection } = pooled.http
    transfer.local = connection.local
    transfer.remote = connection.remote
    const text = requestHead(request)
    await this.#narrator.sends(text.split('\r\n').slice(0, -1))
    try {
      await this.#send(pooled.http, request, signal)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      throw new CurlError(CURLE_SEND_ERROR, `Send failure: ${strerror(error)}`)
    }
    transfer.requestSent = this.#since(transfer)
    transfer.uploaded = request.body?.length ?? 0
    transfer.requestBytes += text.length + transfer.uploaded
    try {
      let head = await pooled.http.readHead(signal)
      transfer.firstByte = this.#since(transfer)
      for (; head.status < 200; head = await pooled.http.readHead(signal)) transfer.headBytes += head.bytes
      transfer.headBytes += head.bytes
      transfer.head = head
      return head
    } catch (error) {
      throw receiveError(error)
    }
  }

  /** A body that the server is asked about first goes when it agrees, or says nothing for a second. */
  async #send(http: HttpConnection, request: HttpRequest, signal: AbortSignal): Promise<void> {
    const asks = request.headers.some(([name, value]) => name === 'Expect' && value === '100-continue')
    const body = request.body ?? new Uint8Array(0)
    if (!asks) {
      await this.#narrator.data('sent', body)
      return http.send(request, signal)
    }
    await http.send(request, signal, 'head')
    const status = await http.continues(this.#limits(signal), this.#options.expectWait)
    if (status === undefined) await this.#narrator.tell('Done waiting for 100-continue')
    else for (const line of status.split('\r\n').slice(0, -1)) await this.#narrator.receives(line)
    await this.#narrator.data('sent', body)
    await http.send(request, signal, 'body')
  }

  /** After a response: keeps the connection for the next URL, or closes it. */
  async #release(url: HttpUrl, proxy: HttpUrl | undefined, pooled: Pooled): Promise<void> {
    if (pooled.http.reusable) {
      const key = this.#poolKey(url, proxy)
      this.#pool.get(key)?.http.close()
      this.#pool.set(key, pooled)
      return this.#narrator.tell(`Connection #${pooled.number} to host ${(proxy ?? url).host} left intact`)
    }
    pooled.http.close()
    return this.#narrator.tell(`Closing connection ${pooled.number}`)
  }

  /** A proxy's connection serves all servers, but for tunnels. */
  #poolKey(url: HttpUrl, proxy: HttpUrl | undefined): string {
    if (proxy === undefined) return connectionKey(url)
    const through = `by ${connectionKey(proxy)}`
    return isTunnelled(this.#options, url) ? `${through} ${connectionKey(url)}` : through
  }

  #limits(signal: AbortSignal) {
    return { signal, clock: this.#process.system.clock }
  }

  #since(transfer: Transfer): Micros {
    return this.#process.system.clock.now() - transfer.started
  }

  #timeoutText(transfer: Transfer): string {
    const elapsed = Math.round(this.#since(transfer) / 1000)
    if (transfer.nameLookup === 0 && transfer.remote === undefined)
      return `Resolving timed out after ${elapsed} milliseconds`
    if (transfer.remote === undefined) return `Connection timed out after ${elapsed} milliseconds`
    const length = transfer.head === undefined ? undefined : header(transfer.head, 'content-length')
    const of = length === undefined ? '' : ` out of ${length}`
    return `Operation timed out after ${elapsed} milliseconds with ${transfer.downloaded}${of} bytes received`
  }
}

function connectionKey(url: HttpUrl): string {
  return `${url.scheme}://${poolKey(url)}`
}

function tooLarge(): CurlError {
  return new CurlError(CURLE_FILESIZE_EXCEEDED, 'Maximum file size exceeded')
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  transfer: Transfer,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) {
    transfer.downloaded += chunk.length
    yield chunk
  }
}
