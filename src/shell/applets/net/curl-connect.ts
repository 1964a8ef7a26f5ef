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
  CURLE_INTERFACE_FAILED,
  CURLE_OPERATION_TIMEDOUT,
  CurlError,
} from './curl-error.js'
import type { Narrator } from './curl-narrator.js'
import type { CurlOptions } from './curl-options.js'
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
  #connections = 0

  constructor(process: Process, options: CurlOptions, narrator: Narrator) {
    this.#process = process
    this.#options = options
    this.#narrator = narrator
  }

  /** Fails with CurlError. */
  async connect(transfer: Transfer, url: HttpUrl, outer: AbortSignal): Promise<Pooled> {
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
          const to = this.#redirected(url)
          const addresses = await this.#addresses(to, signal)
          transfer.nameLookup = this.#process.system.clock.now() - transfer.started
          phase = 'Connection'
          return await this.#connectTo(transfer, url, to, addresses, elapsed, signal)
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

  async #addresses(url: HttpUrl, signal: AbortSignal): Promise<readonly IpAddress[]> {
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
      await this.#narrator.tell(`Could not resolve host: ${url.host}`)
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
      await this.#narrator.tell(`  Trying ${formatEndpoint({ address, port })}...`)
      try {
        const connection = await this.#dial({ address, port }, signal)
        connection.setNoDelay(true)
        transfer.connected = this.#process.system.clock.now() - transfer.started
        transfer.connects++
        transfer.local = connection.local
        transfer.remote = connection.remote
        const number = this.#connections++
        await this.#narrator.tell(`Connected to ${url.host} (${text}) port ${port} (#${number})`)
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
    const message = `Failed to connect to ${url.host} port ${port} after ${elapsed()} ms: Couldn't connect to server`
    await this.#narrator.tell(message)
    await this.#narrator.tell(`Closing connection ${this.#connections++}`)
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
