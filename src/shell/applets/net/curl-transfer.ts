// One URL of a curl command: names, connection, request, response, redirects. The body goes chunk by chunk to a sink.
// What happened is kept in a Transfer record, for -w and for the exit status.

import { SystemError } from '../../../base/errors.js'
import { type Micros, SECOND } from '../../../base/time.js'
import { type Connection, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import type { TlsSession } from '../../../posix/tls.js'
import {
  type Endpoint,
  familyOf,
  formatAddress,
  formatEndpoint,
  type IpAddress,
  parseAddress,
} from '../../../wire/address.js'
import type { CurlBody } from './curl-body.js'
import { unpackedBody } from './curl-content.js'
import {
  CURLE_COULDNT_CONNECT,
  CURLE_COULDNT_RESOLVE_HOST,
  CURLE_FILESIZE_EXCEEDED,
  CURLE_GOT_NOTHING,
  CURLE_HTTP_RETURNED_ERROR,
  CURLE_INTERFACE_FAILED,
  CURLE_OPERATION_TIMEDOUT,
  CURLE_SEND_ERROR,
  CURLE_TOO_MANY_REDIRECTS,
  CURLE_UNSUPPORTED_PROTOCOL,
  CURLE_URL_MALFORMAT,
  CurlError,
  receiveError,
} from './curl-error.js'
import type { CurlOptions } from './curl-options.js'
import { curlRequest } from './curl-request.js'
import { secureConnection } from './curl-tls.js'
import { HttpConnection, type HttpHead, type HttpRequest, header, requestHead } from './http-client.js'
import { strerror } from './strerror.js'
import { TimeLimitExceeded, withinLimit } from './time-limit.js'
import { formatUrl, type HttpUrl, parseUrl, resolveLocation } from './url.js'

/** For a server that is asked whether it wants a body. */
const CONTINUE_WAIT = SECOND

/** What a transfer did so far; the last response's where there were several. Times count from its start. */
export interface Transfer {
  readonly started: Micros
  url: string
  effectiveUrl: string
  method: string
  head: HttpHead | undefined
  nameLookup: Micros
  connected: Micros
  /** When the TLS handshake was over. */
  secured: Micros
  tls: TlsSession | undefined
  requestSent: Micros
  firstByte: Micros
  redirectTime: Micros
  total: Micros
  redirects: number
  connects: number
  redirectUrl: string
  local: Endpoint | undefined
  remote: Endpoint | undefined
  downloaded: number
  uploaded: number
  headBytes: number
  requestBytes: number
}

export function newTransfer(url: string, started: Micros): Transfer {
  return {
    started,
    url,
    effectiveUrl: url,
    method: '',
    head: undefined,
    nameLookup: 0,
    connected: 0,
    secured: 0,
    tls: undefined,
    requestSent: 0,
    firstByte: 0,
    redirectTime: 0,
    total: 0,
    redirects: 0,
    connects: 0,
    redirectUrl: '',
    local: undefined,
    remote: undefined,
    downloaded: 0,
    uploaded: 0,
    headBytes: 0,
    requestBytes: 0,
  }
}

/** Takes the output of one transfer. */
export interface TransferSink {
  head(lines: readonly string[]): Promise<void>
  body(bytes: Uint8Array): Promise<void>
}

interface Pooled {
  readonly http: HttpConnection
  readonly number: number
}

/** Carries out transfers of one command, which share connections. */
export class CurlSession {
  readonly #process: Process
  readonly #options: CurlOptions
  readonly #pool = new Map<string, Pooled>()
  #connections = 0

  constructor(process: Process, options: CurlOptions) {
    this.#process = process
    this.#options = options
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
      await this.#tell(`Issue another request to this URL: '${location}'`)
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
    await this.#tellLines('<', [...head.lines, ''])
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
      if (failure instanceof CurlError) await this.#tell(failure.message)
      await this.#tell(`Closing connection ${pooled.number}`)
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
      await this.#tell(`Re-using existing connection #${kept.number} with host ${url.host}`)
      try {
        return { pooled: kept, head: await this.#converse(transfer, kept, request, signal) }
      } catch (error) {
        kept.http.close()
        if (!(error instanceof CurlError) || transfer.head !== undefined) throw error
        await this.#tell('Connection died, retrying a fresh connect')
      }
    }
    const pooled = await this.#connect(transfer, url, signal)
    try {
      return { pooled, head: await this.#converse(transfer, pooled, request, signal) }
    } catch (error) {
      pooled.http.close()
      if (error instanceof CurlError && error.code === CURLE_GOT_NOTHING)
        await this.#tell('Empty reply from server')
      await this.#tell(`Closing connection ${pooled.number}`)
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
    await this.#tellLines('>', text.split('\r\n').slice(0, -1))
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
    if (status === undefined) await this.#tell('Done waiting for 100-continue')
    else await this.#tellLines('<', status.split('\r\n').slice(0, -1))
    await http.send(request, signal, 'body')
  }

  async #connect(transfer: Transfer, url: HttpUrl, outer: AbortSignal): Promise<Pooled> {
    const started = this.#process.system.clock.now()
    const elapsed = () => Math.round((this.#process.system.clock.now() - started) / 1000)
    let phase = 'Resolving'
    try {
      return await withinLimit(this.#limits(outer), this.#options.connectTimeout, async (signal) => {
        const { unixSocket } = this.#options
        if (unixSocket !== undefined) throw await this.#noUnixSocket(unixSocket, url, elapsed())
        const to = this.#redirected(url)
        const addresses = await this.#addresses(to, signal)
        transfer.nameLookup = this.#since(transfer)
        phase = 'Connection'
        return await this.#connectTo(transfer, url, to, addresses, elapsed, signal)
      })
    } catch (error) {
      if (error instanceof TimeLimitExceeded)
        throw new CurlError(CURLE_OPERATION_TIMEDOUT, `${phase} timed out after ${elapsed()} milliseconds`)
      throw error
    }
  }

  /** There are no sockets of that family here. */
  async #noUnixSocket(path: string, { host, port }: HttpUrl, elapsed: number): Promise<CurlError> {
    await this.#tell(`  Trying ${path}:0...`)
    await this.#tell(`Immediate connect fail for ${path}: No such file or directory`)
    const message = `Failed to connect to ${host} port ${port} after ${elapsed} ms: Couldn't connect to server`
    await this.#tell(message)
    return new CurlError(CURLE_COULDNT_CONNECT, message)
  }

  /** Where --connect-to has a URL connected to. */
  #redirected(url: HttpUrl): HttpUrl {
    const rule = this.#options.connectTo.find(
      ([host, port]) =>
        (host === '' || host.toLowerCase() === url.host.toLowerCase()) &&
        (port === '' || Number(port) === url.port),
    )
    if (rule === undefined) return url
    const [, , toHost, toPort] = rule
    return {
      ...url,
      host: toHost === '' ? url.host : toHost,
      port: toPort === '' ? url.port : Number(toPort),
    }
  }

  async #addresses(url: HttpUrl, signal: AbortSignal): Promise<readonly IpAddress[]> {
    const given = this.#options.resolve.get(poolKey(url)) ?? this.#options.resolve.get(`*:${url.port}`)
    if (given !== undefined) {
      await this.#tell(`Hostname ${url.host} was found in DNS cache`)
      return given
    }
    try {
      const { family } = this.#options
      const { addresses } = await this.#process.system.net.resolve(url.host, signal)
      const wanted = addresses.filter((address) => family === undefined || familyOf(address) === family)
      if (wanted.length > 0) return wanted
      if (parseAddress(url.host) !== undefined)
        throw new CurlError(CURLE_COULDNT_CONNECT, "Couldn't connect to server")
      throw new ResolveError('ENODATA', url.host)
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error
      await this.#tell(`Could not resolve host: ${url.host}`)
      throw new CurlError(CURLE_COULDNT_RESOLVE_HOST, `Could not resolve host: ${url.host}`)
    }
  }

  /** The addresses in their order, until one takes the connection. */
  async #connectTo(
    transfer: Transfer,
    url: HttpUrl,
    { port }: HttpUrl,
    addresses: readonly IpAddress[],
    elapsed: () => number,
    signal: AbortSignal,
  ): Promise<Pooled> {
    let last: SystemError | undefined
    for (const address of addresses) {
      const text = formatAddress(address)
      await this.#tell(`  Trying ${formatEndpoint({ address, port })}...`)
      try {
        const connection = await this.#dial({ address, port }, signal)
        connection.setNoDelay(true)
        transfer.connected = this.#since(transfer)
        transfer.connects++
        transfer.local = connection.local
        transfer.remote = connection.remote
        const number = this.#connections++
        await this.#tell(`Connected to ${url.host} (${text}) port ${port} (#${number})`)
        return {
          http: new HttpConnection(await this.#secure(transfer, url, connection, number, signal)),
          number,
        }
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
        last = error
        await this.#tell(`connect to ${text} port ${port} failed: ${strerror(error)}`)
      }
    }
    const isLate = last?.code === 'ETIMEDOUT'
    const message = `Failed to connect to ${url.host} port ${port} after ${elapsed()} ms: Couldn't connect to server`
    await this.#tell(message)
    await this.#tell(`Closing connection ${this.#connections++}`)
    throw new CurlError(isLate ? CURLE_OPERATION_TIMEDOUT : CURLE_COULDNT_CONNECT, message)
  }

  /** From the address and the first free one of the ports that are asked for. */
  async #dial(to: Endpoint, signal: AbortSignal): Promise<Connection> {
    const { localAddress, localPorts = [0, 0] } = this.#options
    const { net } = this.#process.system
    const address = localAddress === undefined ? undefined : this.#localAddress(localAddress, to.address)
    const [first, last] = localPorts
    for (let port = first; ; port++) {
      const from = { ...(address !== undefined && { address }), ...(port !== 0 && { port }) }
      try {
        return await net.connect(to, { signal, from })
      } catch (error) {
        if (!(error instanceof SystemError && error.code === 'EADDRINUSE')) throw error
        if (port >= last)
          throw new CurlError(CURLE_INTERFACE_FAILED, 'bind failed with errno 98: Address already in use')
      }
    }
  }

  /** Of an interface, or as it is given. */
  #localAddress(text: string, to: IpAddress): IpAddress {
    const device = this.#process.system.net.interfaces().find(({ name }) => name === text)
    const own = device?.addresses.map((address) => parseAddress(address.split('/')[0]!))
    const address =
      own?.find((one) => one !== undefined && familyOf(one) === familyOf(to)) ?? parseAddress(text)
    if (address === undefined) throw new CurlError(CURLE_INTERFACE_FAILED, `Couldn't bind to '${text}'`)
    return address
  }

  /** Speaks TLS for https. */
  async #secure(
    transfer: Transfer,
    { scheme, host }: HttpUrl,
    connection: Connection,
    number: number,
    signal: AbortSignal,
  ): Promise<Connection> {
    if (scheme !== 'https') return connection
    const { tls } = this.#options
    const handshaken = (session: TlsSession) => {
      transfer.tls = session
    }
    const tell = (text: string) => this.#tell(text)
    try {
      const secure = await secureConnection(this.#process, connection, host, tls, handshaken, tell, signal)
      transfer.secured = this.#since(transfer)
      return secure
    } catch (error) {
      connection.close()
      await this.#tell(`Closing connection ${number}`)
      throw error
    }
  }

  /** After a response: keeps the connection for the next URL, or closes it. */
  async #release(url: HttpUrl, pooled: Pooled): Promise<void> {
    if (pooled.http.reusable) {
      this.#pool.get(connectionKey(url))?.http.close()
      this.#pool.set(connectionKey(url), pooled)
      return this.#tell(`Connection #${pooled.number} to host ${url.host} left intact`)
    }
    pooled.http.close()
    return this.#tell(`Closing connection ${pooled.number}`)
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

  async #tell(text: string): Promise<void> {
    if (this.#options.verbose) await this.#process.stderr.write(`* ${text}\n`)
  }

  async #tellLines(mark: '<' | '>', lines: readonly string[]): Promise<void> {
    if (this.#options.verbose)
      await this.#process.stderr.write(lines.map((line) => `${mark} ${line}\r\n`).join(''))
  }
}

function poolKey(url: HttpUrl): string {
  return `${url.host.toLowerCase()}:${url.port}`
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
