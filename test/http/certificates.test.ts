// The certificates of a cluster, looked at with OpenSSL's eyes.

import { X509Certificate } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { randomKeys, seededKeys } from '../../src/http/certificate-keys.js'
import { CertificateAuthority } from '../../src/http/certificates.js'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const HOSTS = ['kubernetes', 'kubernetes.default.svc', '10.96.0.1', '::1']

const test = suite('certificates')

const sources = {
  random: () => randomKeys(NOW),
  seeded: () => {
    let next = 0
    return seededKeys((count) => Uint8Array.from({ length: count }, () => next++ & 255))
  },
}

for (const [name, keys] of Object.entries(sources)) {
  test(`an authority signs for servers and clients (${name} keys)`, () => {
    const authority = new CertificateAuthority(keys())
    const ca = new X509Certificate(authority.certificate)
    assert.ok(ca.ca)
    assert.ok(ca.verify(ca.publicKey))
    assert.is(ca.subject, 'CN=kubernetes')
    const server = new X509Certificate(authority.issueServer('kube-apiserver', HOSTS).cert)
    assert.ok(server.verify(ca.publicKey))
    assert.ok(server.checkIssued(ca))
    assert.not.ok(server.ca)
    assert.is(server.checkHost('kubernetes.default.svc'), 'kubernetes.default.svc')
    assert.is(server.checkHost('other'), undefined)
    assert.is(server.checkIP('10.96.0.1'), '10.96.0.1')
    assert.is(server.checkIP('::1'), '::1')
    assert.equal(server.keyUsage, ['1.3.6.1.5.5.7.3.1'])
    const client = authority.issueClient('kubernetes-admin', 'system:masters')
    const shown = new X509Certificate(client.cert)
    assert.is(shown.subject, 'O=system:masters\nCN=kubernetes-admin')
    assert.equal(shown.keyUsage, ['1.3.6.1.5.5.7.3.2'])
    assert.is.not(shown.serialNumber, server.serialNumber)
  })
}

test('random keys last a year; seeded ones, which are for no one else, for ever', () => {
  const random = new X509Certificate(new CertificateAuthority(sources.random()).certificate)
  assert.is(random.validFrom, 'Dec 31 23:00:00 2025 GMT')
  assert.is(random.validTo, 'Jan  1 00:00:00 2027 GMT')
  const seeded = new X509Certificate(new CertificateAuthority(sources.seeded()).certificate)
  assert.is(seeded.validTo, 'Dec 31 23:59:59 9999 GMT')
})

test.run()
