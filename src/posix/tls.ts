// TLS for programs, over their own connections: the bytes of the handshake and of the records are in the packets. The
// protocol itself is OpenSSL's, by way of the driver (drivers/node-tls.ts).

import type { Connection } from './net.js'

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

export interface TlsClientSettings {
  /** The name or address that the server's certificate has to be for; a name is sent as SNI too. */
  readonly host: string
  /** PEM texts of the authorities that are trusted. */
  readonly authorities: readonly string[]
  /** PEM, for a server that asks. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  readonly protocols?: readonly string[]
  readonly minVersion?: TlsVersion
  readonly maxVersion?: TlsVersion
  readonly signal?: AbortSignal
}

/** Subject or issuer: attributes by their short names, `O`, `CN`, in the certificate's order. */
export type DistinguishedName = readonly (readonly [attribute: string, value: string])[]

export interface PeerCertificate {
  readonly subject: DistinguishedName
  readonly issuer: DistinguishedName
  /** As OpenSSL writes them: `Sep 13 12:36:28 2021 GMT`. */
  readonly validFrom: string
  readonly validTo: string
  /** `DNS:kubernetes, IP Address:10.96.0.1`; undefined without any. */
  readonly alternativeNames: string | undefined
  readonly fingerprint256: string
}

export interface TlsSession {
  readonly version: TlsVersion
  /** `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
  /** The application protocol agreed on (ALPN). */
  readonly protocol: string | undefined
  readonly peer: PeerCertificate | undefined
  /** What is wrong with the peer's certificate, in OpenSSL's words; undefined when it can be trusted. */
  readonly distrust: string | undefined
  /** Whether the certificate, trusted or not, is for the host asked for. */
  readonly isForHost: boolean
}

export interface SecureConnection extends Connection {
  readonly tls: TlsSession
}

/** The handshake failed; the message is OpenSSL's, as curl shows it: `wrong version number`. */
export class TlsError extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.name = 'TlsError'
    this.reason = reason
  }
}

export interface TlsEngine {
  /**
   * Speaks TLS on a connection, whose bytes are its own from now on. Certificates are looked at, not refused: see
   * `TlsSession.distrust`. Rejects with TlsError, or with the connection's SystemError.
   */
  connect(connection: Connection, settings: TlsClientSettings): Promise<SecureConnection>
}
