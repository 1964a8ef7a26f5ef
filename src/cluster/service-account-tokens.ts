// Tokens of service accounts: JSON Web Tokens (RFC 7519) with the claims that the API server writes
// (pkg/serviceaccount/claims.go). Signed with a key of the cluster (HMAC with SHA-256, RFC 7518 section 3.2) - unlike
// upstream's, which are signed with a private key whose public half is served for others to check them by.

import { hmac } from '@noble/hashes/hmac'
import { sha256 } from '@noble/hashes/sha2'
import { base64Decode, base64Encode } from '../base/base64.js'
import { utf8Decode, utf8Encode } from '../base/bytes.js'
import type { Random } from '../base/random.js'
import type { ClusterClock } from './clock.js'
import { uuid } from './names.js'
import type { Pod, ServiceAccount, Timestamp } from './objects.js'
import type { ObjectStore } from './store.js'

/** Who a request is from: UserInfo of authentication.k8s.io/v1. */
export interface UserInfo {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export interface TokenClaims {
  readonly aud: readonly string[]
  /** Seconds since the Unix epoch. */
  readonly exp: number
  readonly iat: number
  readonly iss: string
  readonly jti: string
  readonly 'kubernetes.io': {
    readonly namespace: string
    readonly pod?: { readonly name: string; readonly uid: string }
    readonly serviceaccount: { readonly name: string; readonly uid: string }
  }
  readonly nbf: number
  readonly sub: string
}

export interface TokenOptions {
  /** Whom it is for; default: the API server. */
  readonly audiences?: readonly string[]
  readonly seconds: number
  /** It ends with this pod. */
  readonly pod?: { readonly name: string; readonly uid: string }
}

export interface IssuedToken {
  readonly token: string
  readonly expirationTimestamp: Timestamp
}

const HEADER = encodeText(JSON.stringify({ alg: 'HS256', typ: 'JWT' }))
const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id'
const POD_NAME = 'authentication.kubernetes.io/pod-name'
const POD_UID = 'authentication.kubernetes.io/pod-uid'

export class ServiceAccountTokens {
  /** The issuer, which is also the audience of tokens for the API server. */
  readonly issuer: string
  readonly #key: Uint8Array
  readonly #ids: Random
  readonly #store: ObjectStore
  readonly #clock: ClusterClock

  /** `key`: 32 bytes; who knows them can be any account. */
  constructor(options: {
    readonly key: Uint8Array
    /** Tokens are numbered from it. */
    readonly random: Random
    readonly clusterDomain: string
    readonly store: ObjectStore
    readonly clock: ClusterClock
  }) {
    this.issuer = `https://kubernetes.default.svc.${options.clusterDomain}`
    this.#key = options.key
    this.#ids = options.random
    this.#store = options.store
    this.#clock = options.clock
  }

  issue({ metadata }: ServiceAccount, { audiences, seconds, pod }: TokenOptions): IssuedToken {
    const { name, namespace = '', uid = '' } = metadata
    const now = this.#now()
    const claims: TokenClaims = {
      aud: audiences?.length ? audiences : [this.issuer],
      exp: now + seconds,
      iat: now,
      iss: this.issuer,
      jti: uuid(this.#ids),
      'kubernetes.io': { namespace, ...(pod && { pod }), serviceaccount: { name, uid } },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    }
    const signed = `${HEADER}.${encodeText(JSON.stringify(claims))}`
    const expirationTimestamp = this.#clock.timestampAt(this.#clock.now + seconds * 1_000_000)
    return { token: `${signed}.${this.#signatureOf(signed)}`, expirationTimestamp }
  }

  /** What a token that is ours says, as long as its time, its account and its pod last; undefined for any other text. */
  verify(token: string): TokenClaims | undefined {
    const end = token.lastIndexOf('.')
    const [signed, signature] = [token.slice(0, Math.max(end, 0)), token.slice(end + 1)]
    if (!sameText(signature, this.#signatureOf(signed))) return undefined
    const claims = JSON.parse(decodeText(signed.slice(signed.indexOf('.') + 1))) as TokenClaims
    const now = this.#now()
    if (now < claims.nbf || now >= claims.exp) return undefined
    const { namespace, serviceaccount, pod } = claims['kubernetes.io']
    const lives = (plural: string, bound: { readonly name: string; readonly uid: string }) =>
      this.#store.get<Pod | ServiceAccount>(plural, namespace, bound.name)?.metadata.uid === bound.uid
    if (!lives('serviceaccounts', serviceaccount)) return undefined
    return pod === undefined || lives('pods', pod) ? claims : undefined
  }

  /** Who shows `token` to the API server; undefined when that is nobody it knows, or the token is for others. */
  authenticate(token: string): UserInfo | undefined {
    const claims = this.verify(token)
    return claims?.aud.includes(this.issuer) ? userOf(claims) : undefined
  }

  #now(): number {
    return Math.floor(this.#clock.unixMicros() / 1_000_000)
  }

  #signatureOf(signed: string): string {
    return encodeUrl(hmac(sha256, this.#key, utf8Encode(signed)))
  }
}

export function userOf({ sub, jti, 'kubernetes.io': bound }: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod } = bound
  return {
    username: sub,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {
      [CREDENTIAL_ID]: [`JTI=${jti}`],
      ...(pod && { [POD_NAME]: [pod.name], [POD_UID]: [pod.uid] }),
    },
  }
}

/** In a time that does not tell where they differ. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < b.length; i++) difference |= (a.charCodeAt(i) || 0) ^ b.charCodeAt(i)
  return difference === 0
}

/** Base64 for URLs, without padding (RFC 7515 appendix C). */
function encodeUrl(bytes: Uint8Array): string {
  return base64Encode(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function encodeText(text: string): string {
  return encodeUrl(utf8Encode(text))
}

/** Of text that `encodeText` has made. */
function decodeText(text: string): string {
  const padded = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .padEnd(Math.ceil(text.length / 4) * 4, '=')
  const bytes = base64Decode(padded)
  return bytes instanceof Uint8Array ? utf8Decode(bytes) : ''
}
