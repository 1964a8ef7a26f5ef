// Third-party DNS cases (CoreDNS' own expectations, Apache-2.0), read from the directory that PODWIRE_CONFORMANCE
// names. Compared as their file says: sections as sets, names with their case, SOA by owner and MNAME, and no
// CNAME after a record of its target.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EndpointSlice, KubeObject } from '../../src/cluster/objects.js'
import type { DnsMessage, ResourceRecord } from '../../src/dns/message.js'
import { kubernetesBlock, serverBlocks } from '../../src/dns/server-config.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'
import { change, namespace, service, slice } from '../support/cluster-objects.js'
import { TestDns } from '../support/test-dns.js'

interface ExpectedRecord {
  name: string
  ttl: number | null
  type: string
  rdata: string
}

interface Case {
  id: string
  qname: string
  qtype: string
  rcode: string
  answer?: ExpectedRecord[]
  authority?: ExpectedRecord[]
  additional?: ExpectedRecord[]
  answerCount?: number
  additionalCount?: number
  answerSrvTargetRegex?: string
  additionalNameRegex?: string
}

interface Config {
  zones?: string[]
  ttl?: number
  pods?: 'disabled' | 'insecure' | 'verified'
  namespaces?: string[]
  ignoreEmptyService?: boolean
  localIPs?: string[]
  synced?: boolean
}

interface Group {
  id: string
  fixture: string
  config?: Config
  corefile?: string | null
  applyFirst?: KubeObject[]
  cases: Case[]
}

/** What the fixture `ci` names but does not hold: the cluster of coredns/ci's dns-test manifest. */
function ciCluster(): KubeObject[] {
  const udp = [{ name: 'c-port', port: 1234, protocol: 'UDP' as const }]
  const web = [
    { name: 'http', port: 80, protocol: 'TCP' as const },
    { name: 'https', port: 443, protocol: 'TCP' as const },
  ]
  const dns = [{ name: 'dns', port: 53, protocol: 'UDP' as const }]
  const six: EndpointSlice = {
    ...slice('headless-svc', [], udp, 'test-1'),
    metadata: {
      ...slice('headless-svc', [], udp, 'test-1').metadata,
      name: 'headless-svc-v6',
    },
    addressType: 'IPv6',
    endpoints: [
      { addresses: ['1234:abcd::1'], hostname: 'headless-svc-3' },
      { addresses: ['1234:abcd::2'], hostname: 'headless-svc-4' },
    ],
  }
  return [
    ...['default', 'kube-system', 'test-1', 'test-2', 'test-3'].map(namespace),
    service('kube-dns', { clusterIP: '10.96.0.10', ports: dns }, 'kube-system'),
    slice('kube-dns', ['10.244.0.2'], dns, 'kube-system'),
    service('svc-1-a', { clusterIP: '10.96.0.100', ports: web }, 'test-1'),
    slice('svc-1-a', ['172.17.0.253'], web, 'test-1'),
    service('svc-1-b', { clusterIP: '10.96.0.110', ports: web.slice(0, 1) }, 'test-1'),
    service('svc-c', { clusterIP: '10.96.0.115', ports: udp }, 'test-1'),
    service('svc-c', { clusterIP: '10.96.0.120', ports: udp }, 'test-2'),
    service('svc-d', { clusterIP: '10.96.0.121', ports: udp }, 'test-2'),
    slice('svc-d', ['172.17.0.252'], udp, 'test-2'),
    service('svc-unready', { clusterIP: 'None', ports: udp }, 'test-1'),
    slice('svc-unready', ['!10.244.0.9'], udp, 'test-1'),
    service('headless-svc', { clusterIP: 'None', ports: udp }, 'test-1'),
    slice(
      'headless-svc',
      [
        { addresses: ['172.17.0.255'], hostname: 'headless-svc-1' },
        { addresses: ['172.17.0.254'], hostname: 'headless-svc-2' },
      ],
      udp,
      'test-1',
    ),
    six,
    service('ext-svc', { type: 'ExternalName', externalName: 'example.net', ports: udp }, 'test-1'),
    service('upriver', { type: 'ExternalName', externalName: 'up.river.local', ports: udp }, 'test-2'),
    service('headless-1', { clusterIP: 'None', ports: web.slice(0, 1) }, 'test-3'),
    slice(
      'headless-1',
      [{ addresses: ['10.244.0.8'], targetRef: { kind: 'Pod', name: 'test-name' } }],
      web.slice(0, 1),
      'test-3',
    ),
  ]
}

function serverFor(group: Group, objects: KubeObject[]): TestDns {
  const { config, corefile } = group
  const localAddresses = config?.localIPs ?? ['10.244.0.2']
  const text = corefile ?? '.:53 {\n kubernetes cluster.local\n}\n'
  const options = config && {
    zones: config.zones!.map((zone) => zone.replace(/\.$/, '')),
    pods: config.pods ?? 'disabled',
    ttlSeconds: config.ttl ?? 5,
    ignoreEmptyService: config.ignoreEmptyService ?? false,
    namespaces: config.namespaces,
    localAddresses,
  }
  const blocks = options
    ? [kubernetesBlock(options)]
    : serverBlocks(text, { localAddresses, strict: false, readFile: () => undefined })
  const server = new TestDns({ blocks })
  server.server.synced = config?.synced ?? true
  for (const object of objects) server.apply(change(object))
  return server
}

function ask(server: TestDns, name: string, type: string): DnsMessage {
  const query: DnsMessage = {
    id: 7,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    rcode: 'NOERROR',
    questions: [{ name: name.replace(/\.$/, ''), type }],
    answers: [],
    authorities: [],
    additionals: [],
    ednsUdpSize: 4096,
  }
  const decoded = dnsCodec.decode(dnsCodec.encode(query))!
  return dnsCodec.decode(dnsCodec.encode(server.respond(decoded, 'udp')!))!
}

function dataOf(record: ResourceRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address
    case 'SRV':
      return `${record.srv.priority} ${record.srv.weight} ${record.srv.port} ${record.srv.target}.`
    case 'SOA':
      return `${record.soa.mname}.`
    case 'TXT':
      return record.text.map((text) => `"${text}"`).join(' ')
    default:
      return `${record.target}.`
  }
}

function sameSection(
  got: readonly ResourceRecord[],
  expected: readonly ExpectedRecord[],
  what: string,
): void {
  const show = (name: string, ttl: number | null, type: string, data: string) =>
    `${name} ${ttl ?? '*'} ${type} ${data}`
  const wanted = expected.map(({ name, ttl, type, rdata }) =>
    show(name, ttl, type, type === 'SOA' ? rdata.split(' ')[0]! : rdata),
  )
  const anyTtl = expected.some(({ ttl }) => ttl === null)
  const given = got.map((r) => show(`${r.name}.`, anyTtl ? null : r.ttlSeconds, r.type, dataOf(r)))
  assert.equal(given.sort(), wanted.sort(), what)
}

function inCnameOrder(records: readonly ResourceRecord[]): boolean {
  return records.every(
    (record, i) =>
      record.type !== 'CNAME' || records.slice(0, i).every((before) => before.name !== record.target),
  )
}

const test = suite('DNS cases of CoreDNS')
const path = join(process.env.PODWIRE_CONFORMANCE ?? '', 'dns-cases.json')

test('the comparison refuses a CNAME after a record of its target', () => {
  const alias: ResourceRecord = { name: 'a', ttlSeconds: 5, type: 'CNAME', target: 'b' }
  const address: ResourceRecord = { name: 'b', ttlSeconds: 5, type: 'A', address: '10.0.0.1' }
  assert.ok(inCnameOrder([alias, address]))
  assert.not(inCnameOrder([address, alias]))
})

if (process.env.PODWIRE_CONFORMANCE === undefined || !existsSync(path)) {
  test.skip('skipped: PODWIRE_CONFORMANCE names no directory with dns-cases.json', () => {})
} else {
  const file = JSON.parse(readFileSync(path, 'utf8')) as {
    fixtures: Record<string, { objects?: KubeObject[] }>
    groups: Group[]
  }
  for (const group of file.groups) {
    for (const one of group.cases) {
      test(`${one.id}: ${one.qtype} ${one.qname}`, () => {
        const objects = file.fixtures[group.fixture]?.objects ?? ciCluster()
        const server = serverFor(group, [...objects, ...(group.applyFirst ?? [])])
        const got = ask(server, one.qname, one.qtype)
        assert.is(got.rcode, one.rcode)
        assert.ok(inCnameOrder(got.answers))
        if (one.answer) sameSection(got.answers, one.answer, 'answer')
        if (one.authority) sameSection(got.authorities, one.authority, 'authority')
        if (one.additional) sameSection(got.additionals, one.additional, 'additional')
        if (one.answerCount !== undefined) assert.is(got.answers.length, one.answerCount)
        if (one.additionalCount !== undefined) assert.is(got.additionals.length, one.additionalCount)
        for (const record of one.answerSrvTargetRegex ? got.answers : []) {
          assert.match(dataOf(record).split(' ').at(-1)!, new RegExp(one.answerSrvTargetRegex!))
        }
        for (const record of one.additionalNameRegex ? got.additionals : []) {
          assert.match(`${record.name}.`, new RegExp(one.additionalNameRegex!))
        }
      })
    }
  }
}

test.run()
