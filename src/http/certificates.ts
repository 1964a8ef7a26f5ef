// The cluster's certificate authority and what it signs, made anew at every start (a few milliseconds: ECDSA P-256):
// a certificate for the server, one for the administrator. The private key of the authority is not kept.

import { webcrypto } from 'node:crypto'
import { BitString, Integer, OctetString, Utf8String } from 'asn1js'
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
} from 'pkijs'
import { addressBits, type IpAddress, parseAddress } from '../wire/address.js'

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface ClusterCertificates {
  /** The authority's certificate, PEM. */
  readonly ca: string
  readonly server: KeyPair
  readonly client: KeyPair
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const
const HOUR_MS = 3_600_000
const LIFETIME_MS = 365 * 24 * HOUR_MS

/** Object identifiers of RFC 5280 and X.520. */
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

/** KeyUsage is a bit string, the first bit leftmost. */
const DIGITAL_SIGNATURE = 0b1000_0000
const CERT_SIGN_AND_CRL_SIGN = 0b0000_0110

/** GeneralName's tags. */
const DNS_NAME = 2
const IP_ADDRESS = 7

interface Holder {
  readonly commonName: string
  readonly organization?: string
  readonly extensions: readonly Extension[]
}

interface Authority {
  readonly certificate: Certificate
  readonly keys: webcrypto.CryptoKeyPair
  readonly keyIdentifier: ArrayBuffer
}

/** `hosts`: names and addresses by which clients reach the server. */
export async function makeCertificates(hosts: readonly string[]): Promise<ClusterCertificates> {
  const authority = await makeAuthority()
  const [server, client] = await Promise.all([
    sign(authority, {
      commonName: 'kube-apiserver',
      extensions: [keyUsage(DIGITAL_SIGNATURE), extendedKeyUsage(SERVER_AUTH), alternativeNames(hosts)],
    }),
    sign(authority, {
      commonName: 'kubernetes-admin',
      organization: 'system:masters',
      extensions: [keyUsage(DIGITAL_SIGNATURE), extendedKeyUsage(CLIENT_AUTH)],
    }),
  ])
  return { ca: pem('CERTIFICATE', authority.certificate.toSchema(true).toBER()), server, client }
}

async function makeAuthority(): Promise<Authority> {
  const keys = await makeKeys()
  const certificate = new Certificate()
  const extensions = [
    new Extension({
      extnID: BASIC_CONSTRAINTS,
      critical: true,
      extnValue: new BasicConstraints({ cA: true }).toSchema().toBER(),
    }),
    keyUsage(CERT_SIGN_AND_CRL_SIGN),
  ]
  const keyIdentifier = await fill(certificate, keys, { commonName: 'podwire-ca', extensions })
  certificate.issuer = certificate.subject
  await certificate.sign(keys.privateKey, 'SHA-256')
  return { certificate, keys, keyIdentifier }
}

async function sign(authority: Authority, holder: Holder): Promise<KeyPair> {
  const keys = await makeKeys()
  const certificate = new Certificate()
  // OpenSSL's strict mode, Python's default since 3.13, wants to be told the issuer's key.
  const issuerKey = new AuthorityKeyIdentifier({
    keyIdentifier: new OctetString({ valueHex: authority.keyIdentifier }),
  })
  const issuedBy = new Extension({
    extnID: AUTHORITY_KEY_IDENTIFIER,
    extnValue: issuerKey.toSchema().toBER(),
  })
  await fill(certificate, keys, { ...holder, extensions: [...holder.extensions, issuedBy] })
  certificate.issuer = authority.certificate.subject
  await certificate.sign(authority.keys.privateKey, 'SHA-256')
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { cert: pem('CERTIFICATE', certificate.toSchema().toBER()), key: pem('PRIVATE KEY', key) }
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

/** Everything but issuer and signature; gives the identifier of the key (RFC 5280 section 4.2.1.2, method 1). */
async function fill(
  certificate: Certificate,
  keys: webcrypto.CryptoKeyPair,
  { commonName, organization, extensions }: Holder,
): Promise<ArrayBuffer> {
  const now = Date.now()
  certificate.version = 2
  // 63 random bits: positive, as serial numbers are.
  const serial = webcrypto.getRandomValues(new Uint8Array(8))
  serial[0] = (serial[0]! & 0x7f) | 0x40
  certificate.serialNumber = new Integer({ valueHex: serial.buffer })
  const name = (type: string, value: string) =>
    certificate.subject.typesAndValues.push(
      new AttributeTypeAndValue({ type, value: new Utf8String({ value }) }),
    )
  if (organization !== undefined) name(ORGANIZATION, organization)
  name(COMMON_NAME, commonName)
  // The clock of a client in a container or a virtual machine may be behind.
  certificate.notBefore.value = new Date(now - HOUR_MS)
  certificate.notAfter.value = new Date(now + LIFETIME_MS)
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey)
  const { valueHexView } = certificate.subjectPublicKeyInfo.subjectPublicKey.valueBlock
  const keyIdentifier = await webcrypto.subtle.digest('SHA-1', valueHexView)
  certificate.extensions = [
    ...extensions,
    new Extension({
      extnID: SUBJECT_KEY_IDENTIFIER,
      extnValue: new OctetString({ valueHex: keyIdentifier }).toBER(),
    }),
  ]
  return keyIdentifier
}

function keyUsage(bits: number): Extension {
  const unusedBits = Math.clz32(bits & -bits) ^ 31
  const value = new BitString({ valueHex: new Uint8Array([bits]).buffer, unusedBits })
  return new Extension({ extnID: KEY_USAGE, critical: true, extnValue: value.toBER() })
}

function extendedKeyUsage(purpose: string): Extension {
  const value = new ExtKeyUsage({ keyPurposes: [purpose] })
  return new Extension({ extnID: EXTENDED_KEY_USAGE, extnValue: value.toSchema().toBER() })
}

function alternativeNames(hosts: readonly string[]): Extension {
  const altNames = hosts.map((host) => {
    const address = parseAddress(host)
    return address === undefined
      ? new GeneralName({ type: DNS_NAME, value: host })
      : new GeneralName({ type: IP_ADDRESS, value: new OctetString({ valueHex: addressBytes(address) }) })
  })
  return new Extension({
    extnID: SUBJECT_ALT_NAME,
    extnValue: new AltName({ altNames }).toSchema().toBER(),
  })
}

/** 4 or 16 bytes. */
function addressBytes(address: IpAddress): ArrayBuffer {
  const digits = address.toString(16).padStart(addressBits(address) / 4, '0')
  return new Uint8Array(Buffer.from(digits, 'hex')).buffer
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
