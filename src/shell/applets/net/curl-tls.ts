// curl's https: the handshake on a connection, whom it trusts, what -v tells of it. Unlike curl, which shows each message
// of the handshake: those are encrypted from the second one on, and OpenSSL is not asked for them.

import { SystemError } from '../../../base/errors.js'
import { resolvePath } from '../../../posix/file-system.js'
import type { Connection } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import {
  type DistinguishedName,
  type SecureConnection,
  TlsError,
  type TlsSession,
  type TlsVersion,
} from '../../../posix/tls.js'
import {
  CURLE_PEER_FAILED_VERIFICATION,
  CURLE_SSL_CONNECT_ERROR,
  CurlError,
  CurlUsageError,
} from './curl-error.js'
import type { ParsedOptions } from './options.js'

export interface CurlTlsOptions {
  readonly insecure: boolean
  /** --cacert; default: the file where Linux has everybody's. */
  readonly authorityFile: string | undefined
  /** The text of that file; undefined where there is none. */
  readonly authorities: string | undefined
  readonly certificate: { readonly cert: string; readonly key: string } | undefined
  readonly minVersion: TlsVersion | undefined
  readonly maxVersion: TlsVersion | undefined
}

export const SYSTEM_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
const APPLICATION_PROTOCOL = 'http/1.1'
/** X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY and its like, as %{ssl_verify_result} gives them. */
const VERIFY_RESULTS: Readonly<Record<string, number>> = {
  'certificate is not yet valid': 9,
  'certificate has expired': 10,
  'self-signed certificate': 18,
  'self-signed certificate in certificate chain': 19,
  'unable to get local issuer certificate': 20,
}
const VERSIONS: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

type Tell = (text: string) => Promise<void>

/** Throws CurlUsageError. */
export function readTls(process: Process, parsed: ParsedOptions): CurlTlsOptions {
  const authorityFile = parsed.value('cacert')
  const cert = parsed.value('E')?.replace(/:[^/]*$/, '')
  const key = parsed.value('key') ?? cert
  const wanted = VERSIONS.filter(
    (version) =>
      parsed.has(version.toLowerCase()) ||
      (version === 'TLSv1' && (parsed.has('1') || parsed.has('tlsv1.0'))),
  )
  const most = parsed.value('tls-max')
  const maxVersion = VERSIONS.find((version) => version === `TLSv${most === '1.0' ? '1' : most}`)
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

/** 0 when the certificate was trusted. */
export function verifyResult({ distrust }: TlsSession): number {
  return distrust === undefined ? 0 : (VERIFY_RESULTS[distrust] ?? 1)
}

/** Fails with CurlError; `handshaken` hears of the session before it is looked at. */
export async function secureConnection(
  process: Process,
  connection: Connection,
  host: string,
  options: CurlTlsOptions,
  handshaken: (session: TlsSession) => void,
  tell: Tell,
  signal: AbortSignal,
): Promise<SecureConnection> {
  const { insecure, authorities, authorityFile, certificate, minVersion, maxVersion } = options
  await refuseVersions(options, tell)
  await tell(`ALPN: offers ${APPLICATION_PROTOCOL}`)
  if (!insecure) {
    await tell(` CAfile: ${authorityFile ?? SYSTEM_AUTHORITIES}`)
    await tell(' CApath: /etc/ssl/certs')
  }
  let secure: SecureConnection
  try {
    secure = await process.system.net.secure(connection, {
      host,
      authorities: authorities === undefined ? [] : [authorities],
      protocols: [APPLICATION_PROTOCOL],
      ...(certificate && { certificate }),
      ...(minVersion && { minVersion }),
      ...(maxVersion && { maxVersion }),
      signal,
    })
  } catch (error) {
    const message = handshakeText(error, host, connection.remote.port)
    if (message === undefined) throw error
    await tell(message)
    throw new CurlError(CURLE_SSL_CONNECT_ERROR, message)
  }
  handshaken(secure.tls)
  const problem = await look(secure.tls, host, insecure, tell)
  if (problem === undefined) return secure
  await tell(problem)
  secure.close()
  throw new CurlError(CURLE_PEER_FAILED_VERIFICATION, problem)
}

async function refuseVersions({ minVersion, maxVersion }: CurlTlsOptions, tell: Tell): Promise<void> {
  if (minVersion === undefined || maxVersion === undefined) return
  if (VERSIONS.indexOf(minVersion) <= VERSIONS.indexOf(maxVersion)) return
  const message = 'CURL_SSLVERSION_MAX incompatible with CURL_SSLVERSION'
  await tell(message)
  throw new CurlError(CURLE_SSL_CONNECT_ERROR, message)
}

/** In curl's words; undefined for what is no failure of the handshake. */
function handshakeText(error: unknown, host: string, port: number): string | undefined {
  if (error instanceof TlsError) return `OpenSSL: error:${error.reason}`
  if (!(error instanceof SystemError)) return undefined
  return `OpenSSL SSL_connect: Connection reset by peer in connection to ${host}:${port} `
}

/** Tells of the session; gives why its certificate is refused. */
async function look(
  session: TlsSession,
  host: string,
  insecure: boolean,
  tell: Tell,
): Promise<string | undefined> {
  const { version, cipher, protocol, peer, distrust, isForHost } = session
  // OpenSSL refuses in the middle of the handshake: nothing was told by then.
  if (distrust !== undefined && !insecure) return `SSL certificate problem: ${distrust}`
  await tell(`SSL connection using ${version} / ${cipher}`)
  await tell(
    protocol === undefined
      ? 'ALPN: server did not agree on a protocol. Uses default.'
      : `ALPN: server accepted ${protocol}`,
  )
  await tell('Server certificate:')
  await tell(` subject: ${nameText(peer?.subject ?? [])}`)
  await tell(` start date: ${peer?.validFrom ?? ''}`)
  await tell(` expire date: ${peer?.validTo ?? ''}`)
  if (!insecure) {
    if (!isForHost) {
      await tell(` subjectAltName does not match ${host}`)
      return `SSL: no alternative certificate subject name matches target host name '${host}'`
    }
    await tell(
      ` subjectAltName: host "${host}" matched cert's "${matchedName(peer?.alternativeNames, host)}"`,
    )
  }
  await tell(` issuer: ${nameText(peer?.issuer ?? [])}`)
  await tell(
    distrust === undefined
      ? ' SSL certificate verify ok.'
      : ` SSL certificate verify result: ${distrust} (${verifyResult(session)}), continuing anyway.`,
  )
  await tell('using HTTP/1.1')
  return undefined
}

/** `O=system:masters; CN=kubernetes-admin`. */
function nameText(name: DistinguishedName): string {
  return name.map(([attribute, value]) => `${attribute}=${value}`).join('; ')
}

/** That of the certificate's names which the host was found under: itself, or a wildcard. */
function matchedName(alternativeNames = '', host: string): string {
  const names = alternativeNames.split(', ').map((name) => name.replace(/^[^:]*:/, ''))
  const wildcard = `*${host.slice(Math.max(0, host.indexOf('.')))}`
  return (
    names.find((name) => name.toLowerCase() === host.toLowerCase()) ??
    names.find((name) => name === wildcard) ??
    host
  )
}
