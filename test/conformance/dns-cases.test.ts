// DNS cases: a small file of our own with right and wrong expectations, and the third-party one (CoreDNS' own
// expectations, Apache-2.0) where the directory that PODWIRE_CONFORMANCE names has it.

import { existsSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runCaseFile } from '../../src/conformance/case-files.js'
import { type DnsGroup, inCnameOrder } from '../../src/conformance/dns-cases.js'
import type { ResourceRecord } from '../../src/dns/message.js'

const test = suite('DNS cases')
const file = `${process.env.PODWIRE_CONFORMANCE ?? ''}/dns-cases.json`

const objects = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'testns' } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'testns' },
    spec: { clusterIP: '10.0.0.1', ports: [{ name: 'http', port: 80 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'outside', namespace: 'testns' },
    spec: { type: 'ExternalName', externalName: 'www.example.net' },
  },
]
const NAME = 'web.testns.svc.cluster.local.'
const address = (rdata: string) => ({ name: NAME, ttl: 5, type: 'A', rdata })

const run = (group: Partial<DnsGroup>) =>
  runCaseFile(
    { fixtures: { own: { objects } }, groups: [{ id: 'own', fixture: 'own', ...group }] },
    'iptables',
  )

test('right expectations pass, wrong ones tell what was expected and what came', async () => {
  const results = await run({
    config: {},
    cases: [
      { id: '1', qname: NAME, qtype: 'A', rcode: 'NOERROR', answer: [address('10.0.0.1')], authority: [] },
      { id: '2', qname: NAME, qtype: 'A', rcode: 'NOERROR', answer: [address('10.0.0.2')] },
      { id: '3', qname: `no.${NAME}`, qtype: 'A', rcode: 'NOERROR' },
      { id: '4', qname: NAME, qtype: 'A', rcode: 'NOERROR', answerCount: 2 },
    ],
  })
  assert.equal(
    results.map(({ name, outcome, detail = '' }) => [name, outcome, detail]),
    [
      [`1: A ${NAME}`, 'passed', ''],
      [
        `2: A ${NAME}`,
        'failed',
        `answer: expected ${NAME} 5 A 10.0.0.2\nanswer: got      ${NAME} 5 A 10.0.0.1`,
      ],
      [`3: A no.${NAME}`, 'failed', 'rcode: expected NOERROR\nrcode: got      NXDOMAIN'],
      [`4: A ${NAME}`, 'failed', 'answers: expected 2\nanswers: got      1'],
    ],
  )
})

test('a group may bring its Corefile and a zone', async () => {
  const [alias] = await run({
    corefile: '.:53 {\n  kubernetes cluster.local\n}\n',
    upstreamZone:
      'example.net. IN SOA ns.example.net. admin.example.net. 1 2 3 4 5; www.example.net. IN A 192.0.2.1',
    cases: [
      {
        id: 'alias',
        qname: 'outside.testns.svc.cluster.local.',
        qtype: 'A',
        rcode: 'NOERROR',
        answer: [
          { name: 'outside.testns.svc.cluster.local.', ttl: 5, type: 'CNAME', rdata: 'www.example.net.' },
          { name: 'www.example.net.', ttl: null, type: 'A', rdata: '192.0.2.1' },
        ],
      },
    ],
  })
  assert.equal([alias!.outcome, alias!.detail], ['passed', undefined])
})

test('a server that has not heard of everything yet says so', async () => {
  const cases = [{ id: '1', qname: 'x.testns.svc.cluster.local.', qtype: 'A', rcode: 'SERVFAIL' }]
  assert.is((await run({ config: { synced: false }, cases }))[0]!.outcome, 'passed')
})

test('a CNAME after a record of its target is refused', () => {
  const alias: ResourceRecord = { name: 'a', ttlSeconds: 5, type: 'CNAME', target: 'b' }
  const target: ResourceRecord = { name: 'b', ttlSeconds: 5, type: 'A', address: '10.0.0.1' }
  assert.ok(inCnameOrder([alias, target]))
  assert.not(inCnameOrder([target, alias]))
})

if (existsSync(file)) {
  test('all third-party cases hold', async () => {
    const results = await runCaseFile(JSON.parse(readFileSync(file, 'utf8')), 'iptables')
    assert.ok(results.length > 0)
    const wrong = results.filter(({ outcome }) => outcome !== 'passed')
    assert.is(wrong.map(({ name, detail }) => `${name}\n${detail}`).join('\n'), '')
  })
} else test.skip('skipped: PODWIRE_CONFORMANCE names no directory with dns-cases.json', () => {})

test.run()
