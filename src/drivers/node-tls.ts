// TLS by node:tls (OpenSSL) over a program's emulated connection, as posix/tls.ts asks for it: what OpenSSL writes are the
// bytes of the packets. It needs several turns of the event loop for what takes no time on the emulated clock: `stir` is
// told of each step, so that a virtual clock stands still meanwhile.

import { Duplex } from 'node:stream'
import type { PeerCertificate as NodeCertificate, TLSSocket } from 'node:tls'
import { SystemError } from '../base/errors.js'
import { abortable, Wakeup } from '../posix/abort.js'
import type { Connection } from '../posix/net.js'
import { toBytes } from '../posix/pipe.js'
import {
  type DistinguishedName,
  type PeerCertificate,
  type SecureConnection,
  type TlsEngine,
  TlsError,
  type TlsSession,
  type TlsVersion,
} from '../posix/tls.js'
import { parseAddress } from '../wire/address.js'

/** Tells that something is at work, for some turns of the event loop, and anyway until `work` has settled. */
export type Stir = (work?: Promise<unknown>) => void

export function nodeTls(stir: Stir = () => {}): TlsEngine {
  return {
    connect: async (connection, settings) => {
      const loading = loadTls()
      stir(loading)
      const { checkServerIdentity, connect } = await loading
      const { host, authorities, certificate, protocols, minVersion, maxVersion, signal } = settings
      const socket = connect({
        socket: new ConnectionDuplex(connection, stir),
        ca: [...authorities],
        ...certificate,
        ...(protocols && { ALPNProtocols: [...protocols] }),
        ...(minVersion && { minVersion }),
        ...(maxVersion && { maxVersion }),
        ...(parseAddress(host) === undefined && { servername: host }),
        rejectUnauthorized: false,
        // What is wrong with the name is a matter of its own.
        checkServerIdentity: () => undefined,
      })
      const secure = new NodeSecureConnection(connection, socket, stir)
      await secure.handshake(signal)
      secure.tls = sessionOf(socket, host, checkServerIdentity)
      return secure
    },
  }
}

/** Not before somebody speaks TLS: it would cost every pod's thread some milliseconds at its start. */
function loadTls(): Promise<typeof import('node:tls')> {
  return import('node:tls')
}

function sessionOf(
  socket: TLSSocket,
  host: string,
  checkServerIdentity: typeof import('node:tls').checkServerIdentity,
): TlsSession {
  const certificate = socket.getPeerCertificate()
  const isThere = certificate?.subject !== undefined
  const problem = socket.authorizationError as unknown as string | Error | undefined
  return {
    version: socket.getProtocol() as TlsVersion,
    cipher: socket.getCipher().standardName,
    protocol: socket.alpnProtocol || undefined,
    peer: isThere ? peerOf(certificate) : undefined,
    distrust: socket.authorized ? undefined : distrustText(String(problem)),
    isForHost: isThere && checkServerIdentity(host, certificate) === undefined,
  }
}

function peerOf(certificate: NodeCertificate): PeerCertificate {
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    validFrom: certificate.valid_from,
    validTo: certificate.valid_to,
    alternativeNames: certificate.subjectaltname,
    fingerprint256: certificate.fingerprint256,
  }
}

function nameOf(attributes: object): DistinguishedName {
  return Object.entries(attributes).flatMap(([attribute, value]) =>
    [value].flat().map((one) => [attribute, String(one)] as const),
  )
}

/** OpenSSL's text for the code that Node gives (X509_verify_cert_error_string). */
function distrustText(code: string): string {
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'self-signed certificate'
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return 'self-signed certificate in certificate chain'
    // What OpenSSL says first; Node, which goes on, hears what it says last.
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_GET_ISSUER_CERT':
      return 'unable to get local issuer certificate'
    case 'CERT_HAS_EXPIRED':
      return 'certificate has expired'
    case 'CERT_NOT_YET_VALID':
      return 'certificate is not yet valid'
    case 'CERT_SIGNATURE_FAILURE':
      return 'certificate signature failure'
    default:
      return code.toLowerCase().replaceAll('_', ' ')
  }
}

/** A connection as Node's streams have it. */
class ConnectionDuplex extends Duplex {
  readonly #connection: Connection
  readonly #stir: Stir

  constructor(connection: Connection, stir: Stir) {
    super()
    this.#connection = connection
    this.#stir = stir
  }

  override _read(): void {
    this.#connection.read().then(
      (bytes) => {
        this.#stir()
        this.push(bytes ?? null)
      },
      (error: Error) => this.destroy(error),
    )
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#stir()
    this.#connection.write(bytes).then(() => {
      this.#stir()
      done()
    }, done)
  }

  override _final(done: () => void): void {
    this.#stir()
    this.#connection.shutdown()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection.close()
    done(error)
  }
}

class NodeSecureConnection implements SecureConnection {
  readonly local
  readonly remote
  tls!: TlsSession
  readonly #connection: Connection
  readonly #socket: TLSSocket
  readonly #stir: Stir
  readonly #wakeup = new Wakeup()
  #secured = false
  #ended = false
  #error: Error | undefined
  #rest: Uint8Array | undefined

  constructor(connection: Connection, socket: TLSSocket, stir: Stir) {
    this.local = connection.local
    this.remote = connection.remote
    this.#connection = connection
    this.#socket = socket
    this.#stir = stir
    const wake = (change: () => void) => () => {
      change()
      this.#wakeup.wake()
    }
    socket.on(
      'secureConnect',
      wake(() => {
        this.#secured = true
      }),
    )
    socket.on(
      'readable',
      wake(() => {}),
    )
    const ended = wake(() => {
      this.#ended = true
    })
    socket.on('end', ended)
    socket.on('close', ended)
    socket.on('error', (error: Error) => {
      this.#error = error
      this.#wakeup.wake()
    })
  }

  async handshake(signal: AbortSignal | undefined): Promise<void> {
    try {
      while (!this.#secured) {
        if (this.#error !== undefined) throw handshakeError(this.#error)
        if (this.#ended) throw new SystemError('ECONNRESET', 'connect')
        await abortable(this.#wakeup.wait(), signal)
      }
    } catch (error) {
      this.#socket.destroy()
      throw error
    }
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.#rest ?? (this.#socket.read() as Buffer | null)
      this.#rest = undefined
      if (bytes !== null) {
        this.#stir()
        return bytes
      }
      if (this.#error !== undefined) throw systemError(this.#error, 'read')
      if (this.#ended) return undefined
      await abortable(this.#wakeup.wait(), signal)
    }
  }

  async readInto(into: Uint8Array, signal?: AbortSignal): Promise<number> {
    const bytes = await this.read(signal)
    if (bytes === undefined) return 0
    const part = bytes.subarray(0, into.length)
    into.set(part)
    if (part.length < bytes.length) this.#rest = bytes.subarray(part.length)
    return part.length
  }

  async write(content: Uint8Array | string, signal?: AbortSignal): Promise<void> {
    if (this.#error !== undefined) throw systemError(this.#error, 'write')
    this.#stir()
    const written = new Promise<void>((resolve, reject) => {
      this.#socket.write(toBytes(content), (error) =>
        error ? reject(systemError(error, 'write')) : resolve(),
      )
    })
    await abortable(written, signal)
  }

  setNoDelay(on: boolean): void {
    this.#connection.setNoDelay(on)
  }

  shutdown(): void {
    this.#stir()
    this.#socket.end()
  }

  close(): void {
    this.#stir()
    // close_notify, if it can still be sent, and then FIN.
    this.#socket.once('finish', () => this.#socket.destroy())
    this.#socket.end()
  }

  abort(): void {
    this.#socket.destroy()
    this.#connection.abort()
  }
}

function systemError(error: Error, syscall: string): Error {
  return error instanceof SystemError ? error : new SystemError('ECONNRESET', syscall)
}

/** `40A7...:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/...` has its reason in the middle. */
function handshakeError(error: Error & { reason?: string; code?: string }): Error {
  if (error instanceof SystemError) return error
  return error.reason === undefined ? new SystemError('ECONNRESET', 'connect') : new TlsError(error.reason)
}
