// How curl gets a connection: names (--resolve, --connect-to), addresses in their order, local ends, TLS. What is said on the
// connection is curl-transfer.ts.

import { SystemError } from '../../../base/errors.js'
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
import {
  CURLE_COULDNT_CONNECT,
  CURLE_COULDNT_RESOLVE_HOST,
  CURLE_COULDNT_RESOLVE_PROXY,
  CURLE_INTERFACE_FAILED,
  CURLE_OPERATION_TIMEDOUT,
  CURLE_RECV_ERROR,
  CurlError,
  receiveError,
} from './curl-error.js'
import type { Narrator } from './curl-narrator.js'
import type { CurlOptions } from './curl-options.js'
import { isTunnelled, tunnelRequest } from './curl-proxy.js'
import type { Transfer } from './curl-record.js'
import { secureConnection } from './curl-tls.js'
import { HttpConnection } from './http-client.js'
import { strerror } from './strerror.js'
import { TimeLimitExceeded, withinLimit } from './time-limit.js'
import type { HttpUrl } from './url.js'

/** A connection, by the number that -v gives it. */
export interface Pooled {
  readonly http: HttpConnection
  readonly number: number
}

export class CurlConnector {
  readonly #process: Process
  readonly #options: CurlOptions
  readonly #narrator: Narrator
  readonly #nextNumber: () => number

  constructor(
    process: Process,
    options: CurlOptions,
    { narrator, nextNumber }: { readonly narrator: Narrator; nextNumber(): number },
  ) {
    this.#process = process
    this.#options = options
    this.#narrator = narrator
    this.#nextNumber = nextNumber
  }

  /** Fails with CurlError. */
  async connect(
    transfer: Transfer,
    url: HttpUrl,
    proxy: HttpUrl | undefined,
    outer: AbortSignal,
  ): Promise<Pooled> {
    const started = this.#process.system.clock.now()
    const elapsed = () => Math.round((this.#process.system.clock.now() - started) / 1000)
    let phase = 'Resolving'
    try {
      return await withinLimit(
        { signal: outer, clock: this.#process.system.clock },
        this.#options.connectTimeout,
        async (signal) => {
          const { unixSocket } = this.#options
          if (unixSocket !== undefined) throw await this.#noUnixSocket(unixSocket, url, elapsed())
          const to = proxy ?? this.#redirected(url)
          const addresses = await this.#addresses(to, signal, proxy === undefined ? 'host' : 'proxy')
          transfer.nameLookup = this.#process.system.clock.now() - transfer.started
          phase = 'Connection'
          return await this.#connectTo(transfer, url, proxy, to, addresses, elapsed, signal)
        },
      )
    } catch (error) {
      if (error instanceof TimeLimitExceeded)
        throw new CurlError(CURLE_OPERATION_TIMEDOUT, `${phase} timed out after ${elapsed()} milliseconds`)
      throw error
    }
  }

  /** There are no sockets of that family here. */
  async #noUnixSocket(path: string, { host, port }: HttpUrl, elapsed: number): Promise<CurlError> {
    await this.#narrator.tell(`  Trying ${path}:0...`)
    await this.#narrator.tell(`Immediate connect fail for ${path}: No such file or directory`)
    const message = `Failed to connect to ${host} port ${port} after ${elapsed} ms: Couldn't connect to server`
    await this.#narrator.tell(message)
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

  async #addresses(url: HttpUrl, signal: AbortSignal, what: 'host' | 'proxy'): Promise<readonly IpAddress[]> {
    const given = this.#options.resolve.get(poolKey(url)) ?? this.#options.resolve.get(`*:${url.port}`)
    if (given !== undefined) {
      await this.#narrator.tell(`Hostname ${url.host} was found in DNS cache`)
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
      const message = `Could not resolve ${what}: ${url.host}`
      await this.#narrator.tell(message)
      throw new CurlError(what === 'host' ? CURLE_COULDNT_RESOLVE_HOST : CURLE_COULDNT_RESOLVE_PROXY, message)
    }
  }

  /** The addresses in their order, until one takes the connection. */
  async #connectTo(
    transfer: Transfer,
    url: HttpUrl,
    proxy: HttpUrl | undefined,
    { port }: HttpUrl,
    addresses: readonly IpAddress[],
    elapsed: () => number,
    signal: AbortSignal,
  ): Promise<Pooled> {
    let last: SystemError | undefined
    for (const address of addresses) {
      const text = formatAddress(address)
      await this.#narrator.tell(`  Trying ${formatEndpoint({ address, port })}...`)
      try {
        const connection = await this.#dial({ address, port }, signal)
        connection.setNoDelay(true)
        transfer.connected = this.#process.system.clock.now() - transfer.started
        transfer.connects++
        transfer.local = connection.local
        transfer.remote = connection.remote
        const number = this.#nextNumber()
        const { host } = proxy ?? url
        await this.#narrator.tell(`Connected to ${host} (${text}) port ${port} (#${number})`)
        if (proxy !== undefined && isTunnelled(this.#options, url))
          await this.#openTunnel(transfer, url, proxy, connection, number, signal)
        return {
          http: new HttpConnection(await this.#secure(transfer, url, connection, number, signal)),
          number,
        }
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
        last = error
        await this.#narrator.tell(`connect to ${text} port ${port} failed: ${strerror(error)}`)
      }
    }
    const isLate = last?.code === 'ETIMEDOUT'
    const message = `Failed to connect to ${(proxy ?? url).host} port ${port} after ${elapsed()} ms: Couldn't connect to server`
    await this.#narrator.tell(message)
    await this.#narrator.tell(`Closing connection ${this.#nextNumber()}`)
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

  /** Has a proxy connect to the server: what is said from then on is said to that. */
  async #openTunnel(
    transfer: Transfer,
    url: HttpUrl,
    proxy: HttpUrl,
    connection: Connection,
    number: number,
    signal: AbortSignal,
  ): Promise<void> {
    const tell = (text: string) => this.#narrator.tell(text)
    const text = tunnelRequest(this.#options, url, proxy)
    await tell('allocate connect buffer')
    await tell(`Establish HTTP proxy tunnel to ${url.host}:${url.port}`)
    await this.#narrator.sends(text.split('\r\n').slice(0, -1))
    try {
      await connection.write(text, signal)
      const head = await new HttpConnection(connection).readHead(signal)
      for (const line of [...head.lines, '']) await this.#narrator.receives(line)
      transfer.connectStatus = head.status
      if (head.status >= 200 && head.status < 300) {
        await tell('CONNECT phase completed')
        return await tell(`CONNECT tunnel established, response ${head.status}`)
      }
      await tell(`CONNECT tunnel failed, response ${head.status}`)
      throw new CurlError(CURLE_RECV_ERROR, `CONNECT tunnel failed, response ${head.status}`)
    } catch (error) {
      connection.close()
      await tell(`Closing connection ${number}`)
      throw receiveError(error)
    }
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
    const tell = (text: string) => this.#narrator.tell(text)
    try {
      const secure = await secureConnection(this.#process, connection, host, tls, handshaken, tell, signal)
      transfer.secured = this.#process.system.clock.now() - transfer.started
      return secure
    } catch (error) {
      connection.close()
      await this.#narrator.tell(`Closing connection ${number}`)
      throw error
    }
  }
}

/** `host:port`, as --resolve names what it knows. */
export function poolKey(url: HttpUrl): string {
  return `${url.host.toLowerCase()}:${url.port}`
}
