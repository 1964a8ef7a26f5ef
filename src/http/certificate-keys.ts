// Keys of a cluster's certificates. Random ones (ECDSA P-256, which every client knows) for a cluster that others can
// reach; for one under the virtual clock, where nothing leaves the process, Ed25519 keys out of its seed: certificates
// and signatures are then the same in every run.

import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { CertificateKeys } from './certificates.js'

const HOUR_MS = 3_600_000
const LIFETIME_MS = 365 * 24 * HOUR_MS
const SERIAL_BYTES = 8
const ED25519_BYTES = 32
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410 section 7). */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** `now`: milliseconds since the Unix epoch. */
export function randomKeys(now: number): CertificateKeys {
  return {
    privateKey: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    serial: () => positive(randomBytes(SERIAL_BYTES)),
    // The clock of a client in a container or a virtual machine may be behind.
    notBefore: new Date(now - HOUR_MS),
    notAfter: new Date(now + LIFETIME_MS),
  }
}

/** `bytes` gives that many, the same in every run. Anybody can know these keys: only where nobody can reach the server. */
export function seededKeys(bytes: (count: number) => Uint8Array): CertificateKeys {
  return {
    privateKey: () =>
      createPrivateKey({
        key: Buffer.concat([ED25519_PREFIX, bytes(ED25519_BYTES)]),
        format: 'der',
        type: 'pkcs8',
      }),
    serial: () => positive(bytes(SERIAL_BYTES)),
    // Certificates are checked against the real date, whatever the emulated one is. The last one there is means: no end
    // (RFC 5280 section 4.1.2.5).
    notBefore: new Date('2000-01-01T00:00:00Z'),
    notAfter: new Date('9999-12-31T23:59:59Z'),
  }
}

function positive(serial: Uint8Array): Uint8Array {
  const made = new Uint8Array(serial)
  made[0] = (made[0]! & 0x7f) | 0x40
  return made
}
