// The cluster's certificate authority and what it signs, made anew with each cluster: X.509 (RFC 5280) written with
// asn1js, keys and signatures by node:crypto. Everything is synchronous and takes a few milliseconds, because pods have
// the authority's certificate among their files from the start.

import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import {
  type BaseBlock,
  BitString,
  Boolean as Bool,
  Constructed,
  fromBER,
  GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Primitive,
  Sequence,
  Set as SetOf,
  UTCTime,
  Utf8String,
} from 'asn1js'
import { addressBits, type IpAddress, parseAddress } from '../wire/address.js'

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** Where keys and serial numbers come from (certificate-keys.ts). */
export interface CertificateKeys {
  privateKey(): KeyObject
  /** 8 bytes, positive as a number. */
  serial(): Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Object identifiers of RFC 5280, X.520, RFC 5758 and RFC 8410. */
const COMMON_NAME = '2.5.4.3'
const ORGANIZATION = '2.5.4.10'
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14'
const KEY_USAGE = '2.5.29.15'
const SUBJECT_ALT_NAME = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const ED25519 = '1.3.101.112'

/** KeyUsage is a bit string, the first bit leftmost. */
const DIGITAL_SIGNATURE = 0b1000_0000
const CERT_SIGN_AND_CRL_SIGN = 0b0000_0110

/** GeneralName's tags. */
const DNS_NAME = 2
const IP_ADDRESS = 7

/** Years that UTCTime cannot tell (RFC 5280 section 4.1.2.5). */
const GENERALIZED_TIME_FROM = 2050

const AUTHORITY_NAME = 'kubernetes'

interface Holder {
  readonly commonName: string
  readonly organization?: string
  readonly extensions: readonly Sequence[]
}

export class CertificateAuthority {
  /** PEM. */
  readonly certificate: string
  readonly #keys: CertificateKeys
  readonly #key: KeyObject
  readonly #keyIdentifier: ArrayBuffer

  constructor(keys: CertificateKeys) {
    this.#keys = keys
    this.#key = keys.privateKey()
    const made = this.#sign(this.#key, {
      commonName: AUTHORITY_NAME,
      extensions: [basicConstraintsOfAuthority(), keyUsage(CERT_SIGN_AND_CRL_SIGN)],
    })
    this.certificate = pem('CERTIFICATE', made.certificate)
    this.#keyIdentifier = made.keyIdentifier
  }

  /** `hosts`: names and addresses by which clients reach the server. */
  issueServer(commonName: string, hosts: readonly string[]): KeyPair {
    const extensions = [
      keyUsage(DIGITAL_SIGNATURE),
      extendedKeyUsage(SERVER_AUTH),
      alternativeNames(hosts),
      this.#issuedBy(),
    ]
    return this.#issue({ commonName, extensions })
  }

  issueClient(commonName: string, organization: string): KeyPair {
    const extensions = [keyUsage(DIGITAL_SIGNATURE), extendedKeyUsage(CLIENT_AUTH), this.#issuedBy()]
    return this.#issue({ commonName, organization, extensions })
  }

  #issue(holder: Holder): KeyPair {
    const key = this.#keys.privateKey()
    const { certificate } = this.#sign(key, holder)
    return {
      cert: pem('CERTIFICATE', certificate),
      key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    }
  }

  /** OpenSSL's strict mode, Python's default since 3.13, wants to be told the issuer's key. */
  #issuedBy(): Sequence {
    const identifier = contextPrimitive(0, this.#keyIdentifier)
    return extension(AUTHORITY_KEY_IDENTIFIER, false, new Sequence({ value: [identifier] }))
  }

  /** A certificate for the holder of `key`, and the identifier of that key (RFC 5280 section 4.2.1.2, method 1). */
  #sign(
    key: KeyObject,
    { commonName, organization, extensions }: Holder,
  ): { certificate: ArrayBuffer; keyIdentifier: ArrayBuffer } {
    const publicKey = fromBER(bytesOf(createPublicKey(key).export({ type: 'spki', format: 'der' })))
      .result as Sequence
    const bits = publicKey.valueBlock.value[1] as BitString
    const keyIdentifier = bytesOf(createHash('sha1').update(bits.valueBlock.valueHexView).digest())
    const subject = name(organization, commonName)
    const { notBefore, notAfter } = this.#keys
    const algorithm = signatureAlgorithm(this.#key)
    const all = [
      ...extensions,
      extension(SUBJECT_KEY_IDENTIFIER, false, new OctetString({ valueHex: keyIdentifier })),
    ]
    const signed = new Sequence({
      value: [
        contextConstructed(0, [new Integer({ value: 2 })]),
        new Integer({ valueHex: bytesOf(this.#keys.serial()) }),
        algorithm,
        name(undefined, AUTHORITY_NAME),
        new Sequence({ value: [time(notBefore), time(notAfter)] }),
        subject,
        publicKey,
        contextConstructed(3, [new Sequence({ value: all })]),
      ],
    })
    const signature = sign(hashOf(this.#key), new Uint8Array(signed.toBER()), this.#key)
    const certificate = new Sequence({
      value: [signed, algorithm, new BitString({ valueHex: bytesOf(signature) })],
    }).toBER()
    return { certificate, keyIdentifier }
  }
}

/** Ed25519 hashes by itself. */
function hashOf(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
}

function signatureAlgorithm(key: KeyObject): Sequence {
  const value = key.asymmetricKeyType === 'ed25519' ? ED25519 : ECDSA_WITH_SHA256
  return new Sequence({ value: [new ObjectIdentifier({ value })] })
}

function name(organization: string | undefined, commonName: string): Sequence {
  const part = (type: string, value: string) =>
    new SetOf({
      value: [new Sequence({ value: [new ObjectIdentifier({ value: type }), new Utf8String({ value })] })],
    })
  const first = organization === undefined ? [] : [part(ORGANIZATION, organization)]
  return new Sequence({ value: [...first, part(COMMON_NAME, commonName)] })
}

function time(date: Date): BaseBlock {
  return date.getUTCFullYear() < GENERALIZED_TIME_FROM
    ? new UTCTime({ valueDate: date })
    : new GeneralizedTime({ valueDate: date })
}

function extension(id: string, critical: boolean, value: BaseBlock): Sequence {
  return new Sequence({
    value: [
      new ObjectIdentifier({ value: id }),
      ...(critical ? [new Bool({ value: true })] : []),
      new OctetString({ valueHex: value.toBER() }),
    ],
  })
}

function basicConstraintsOfAuthority(): Sequence {
  return extension(BASIC_CONSTRAINTS, true, new Sequence({ value: [new Bool({ value: true })] }))
}

function keyUsage(bits: number): Sequence {
  const unusedBits = Math.clz32(bits & -bits) ^ 31
  return extension(KEY_USAGE, true, new BitString({ valueHex: new Uint8Array([bits]).buffer, unusedBits }))
}

function extendedKeyUsage(purpose: string): Sequence {
  return extension(
    EXTENDED_KEY_USAGE,
    false,
    new Sequence({ value: [new ObjectIdentifier({ value: purpose })] }),
  )
}

function alternativeNames(hosts: readonly string[]): Sequence {
  const names = hosts.map((host) => {
    const address = parseAddress(host)
    return address === undefined
      ? contextPrimitive(DNS_NAME, bytesOf(Buffer.from(host, 'latin1')))
      : contextPrimitive(IP_ADDRESS, addressBytes(address))
  })
  return extension(SUBJECT_ALT_NAME, false, new Sequence({ value: names }))
}

function contextPrimitive(tagNumber: number, valueHex: ArrayBuffer): Primitive {
  return new Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex })
}

function contextConstructed(tagNumber: number, value: BaseBlock[]): Constructed {
  return new Constructed({ idBlock: { tagClass: 3, tagNumber }, value })
}

/** 4 or 16 bytes. */
function addressBytes(address: IpAddress): ArrayBuffer {
  const digits = address.toString(16).padStart(addressBits(address) / 4, '0')
  return bytesOf(Buffer.from(digits, 'hex'))
}

/** In memory of their own, as asn1js wants them. */
function bytesOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
