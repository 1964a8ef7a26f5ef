// One URL of a curl command: request, response, redirects, connections that are used again. The body goes chunk by chunk to
// a sink. Connecting is curl-connect.ts; what happened is kept in curl-record.ts' Transfer.

import { SystemError } from '../../../base/errors.js'
import { type Micros, SECOND } from '../../../base/time.js'
import type { Process } from '../../../posix/process.js'
import type { CurlBody } from './curl-body.js'
import { CurlConnector, type Pooled, poolKey } from './curl-connect.js'
import { unpackedBody } from './curl-content.js'
import {
  CURLE_FILESIZE_EXCEEDED,
  CURLE_GOT_NOTHING,
  CURLE_HTTP_RETURNED_ERROR,
  CURLE_OPERATION_TIMEDOUT,
  CURLE_SEND_ERROR,
  CURLE_TOO_MANY_REDIRECTS,
  CURLE_UNSUPPORTED_PROTOCOL,
  CURLE_URL_MALFORMAT,
  CurlError,
  receiveError,
} from './curl-error.js'
import { Narrator } from './curl-narrator.js'
import type { CurlOptions } from './curl-options.js'
import type { Transfer } from './curl-record.js'
import { curlRequest } from './curl-request.js'
import { type HttpConnection, type HttpHead, type HttpRequest, header, requestHead } from './http-client.js'
import { strerror } from './strerror.js'
import { TimeLimitExceeded, withinLimit } from './time-limit.js'
import { formatUrl, type HttpUrl, parseUrl, resolveLocation } from './url.js'

/** For a server that is asked whether it wants a body. */
const CONTINUE_WAIT = SECOND

/** Takes the output of one transfer. */
export interface TransferSink {
  head(lines: readonly string[]): Promise<void>
  body(bytes: Uint8Array): Promise<void>
}

/** Carries out transfers of one command, which share connections. */
export class CurlSession {
  readonly #process: Process
  readonly #options: CurlOptions
  readonly #pool = new Map<string, Pooled>()
  readonly #narrator: Narrator
  readonly #connector: CurlConnector

  constructor(process: Process, options: CurlOptions) {
    this.#process = process
    this.#options = options
    this.#narrator = new Narrator(process, options.verbose)
    this.#connector = new CurlConnector(process, options, this.#narrator)
  }

  /** Closes the connections that were kept for further URLs. */
  close(): void {
    for (const { http } of this.#pool.values()) http.close()
    this.#pool.clear()
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
    for (;;) {
      const url = parseUrl(transfer.effectiveUrl)
      if (url === undefined)
        throw new CurlError(CURLE_URL_MALFORMAT, 'URL using bad/illegal format or missing URL')
      // Simplified: this curl is one that was built with no other protocol.
      if (url.scheme !== 'http' && url.scheme !== 'https')
        throw new CurlError(
          CURLE_UNSUPPORTED_PROTOCOL,
          `Protocol "${url.scheme}" not supported or disabled in libcurl`,
        )
      transfer.effectiveUrl = formatUrl(url)
      transfer.method = method
      const location = await this.#exchange(transfer, url, { method, body }, sink, signal)
      if (location === undefined) return
      if (transfer.redirects >= options.maxRedirects)
        throw new CurlError(CURLE_TOO_MANY_REDIRECTS, `Maximum (${options.maxRedirects}) redirects followed`)
      transfer.redirects++
      transfer.redirectTime = this.#since(transfer)
      transfer.effectiveUrl = location
      const status = transfer.head!.status
      // As browsers do, RFC 9110 sections 15.4.2 to 15.4.4: a POST that is sent elsewhere becomes a GET.
      if (status === 303 || ((status === 301 || status === 302) && method === 'POST')) {
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
    { method, body }: { method: string; body: CurlBody | undefined },
    sink: TransferSink,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const request = curlRequest(this.#options, url, method, body)
    const { pooled, head } = await this.#ask(transfer, url, request, signal)
    await this.#narrator.lines('<', [...head.lines, ''])
    await sink.head(head.lines)
    const target = header(head, 'location')
    const redirect =
      head.status >= 300 && head.status < 400 && target !== undefined
        ? resolveLocation(url, target)
        : undefined
    const { follow, fail, failWithBody } = this.#options
    transfer.redirectUrl = follow ? '' : (redirect ?? '')
    const failed = head.status >= 400 && (fail || failWithBody)
    const error = new CurlError(CURLE_HTTP_RETURNED_ERROR, `The requested URL returned error: ${head.status}`)
    if (failed && fail) {
      await this.#release(url, pooled)
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
        await sink.body(chunk)
      }
    } catch (caught) {
      pooled.http.close()
      const failure = receiveError(caught)
      if (failure instanceof CurlError) await this.#narrator.tell(failure.message)
      await this.#narrator.tell(`Closing connection ${pooled.number}`)
      throw failure
    }
    await this.#release(url, pooled)
    if (failed) throw error
    return wanted ? undefined : redirect
  }

  /** Sends the request and reads the head; a kept connection that turns out dead is replaced by a new one. */
  async #ask(
    transfer: Transfer,
    url: HttpUrl,
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<{ pooled: Pooled; head: HttpHead }> {
    const key = connectionKey(url)
    const kept = this.#pool.get(key)
    this.#pool.delete(key)
    if (kept !== undefined) {
      await this.#narrator.tell(`Re-using existing connection #${kept.number} with host ${url.host}`)
      try {
        return { pooled: kept, head: await this.#converse(transfer, kept, request, signal) }
      } catch (error) {
        kept.http.close()
        if (!(error instanceof CurlError) || transfer.head !== undefined) throw error
        await this.#narrator.tell('Connection died, retrying a fresh connect')
      }
    }
    const pooled = await this.#connector.connect(transfer, url, signal)
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
    await this.#narrator.lines('>', text.split('\r\n').slice(0, -1))
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
    if (!asks) return http.send(request, signal)
    await http.send(request, signal, 'head')
    const status = await http.continues(this.#limits(signal), CONTINUE_WAIT)
    if (status === undefined) await this.#narrator.tell('Done waiting for 100-continue')
    else await this.#narrator.lines('<', status.split('\r\n').slice(0, -1))
    await http.send(request, signal, 'body')
  }

  /** After a response: keeps the connection for the next URL, or closes it. */
  async #release(url: HttpUrl, pooled: Pooled): Promise<void> {
    if (pooled.http.reusable) {
      this.#pool.get(connectionKey(url))?.http.close()
      this.#pool.set(connectionKey(url), pooled)
      return this.#narrator.tell(`Connection #${pooled.number} to host ${url.host} left intact`)
    }
    pooled.http.close()
    return this.#narrator.tell(`Closing connection ${pooled.number}`)
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
