import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import type { DnsMessage, ResourceRecord } from '../../src/dns/message.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'
import { change, namespace, service, slice } from '../support/cluster-objects.js'
import { fc } from '../support/properties.js'
import { TestDns, type TestDnsOptions } from '../support/test-dns.js'

const test = suite('DNS server')

const HTTP = [{ name: 'http', port: 80, protocol: 'TCP' as const }]
const PODS = ['10.36.0.0', '10.36.0.1', '10.39.0.1']

/** The cluster of the walkthrough. */
function cluster(options: TestDnsOptions = {}): TestDns {
  const server = new TestDns(options)
  const objects = [
    namespace('default'),
    namespace('kube-system'),
    service(
      'kube-dns',
      { clusterIP: '10.96.0.10', ports: [{ port: 53, name: 'dns', protocol: 'UDP' }] },
      'kube-system',
    ),
    slice('kube-dns', ['10.36.0.9'], [{ name: 'dns', port: 53, protocol: 'UDP' }], 'kube-system'),
    service('sidecar-svc', { clusterIP: '10.97.98.36', ports: [{ name: 'http', port: 8080 }] }),
    slice('sidecar-svc', PODS, HTTP),
    service('headless', { clusterIP: 'None', ports: [{ name: 'http', port: 8080 }] }),
    slice(
      'headless',
      ['10.40.0.1', '10.40.0.2', '!10.40.0.3', { addresses: ['10.40.0.4'], hostname: 'db-0' }],
      HTTP,
    ),
    service('all', { clusterIP: 'None', publishNotReadyAddresses: true }),
    slice('all', ['!10.40.0.9'], []),
    service('unnamed', { clusterIP: '10.97.0.1', ports: [{ port: 80 }] }),
    service('none-ready', { clusterIP: 'None' }),
    slice('none-ready', ['!10.40.0.8']),
    service('web', { type: 'ExternalName', externalName: 'www.example.org' }),
    service('alias', { type: 'ExternalName', externalName: 'sidecar-svc.default.svc.cluster.local' }),
    service('loop', { type: 'ExternalName', externalName: 'loop2.default.svc.cluster.local' }),
    service('loop2', { type: 'ExternalName', externalName: 'loop.default.svc.cluster.local' }),
  ]
  for (const object of objects) server.apply(change(object))
  return server
}

function query(name: string, type = 'A', extra: Partial<DnsMessage> = {}): DnsMessage {
  return {
    id: 99,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    rcode: 'NOERROR',
    questions: [{ name, type }],
    answers: [],
    authorities: [],
    additionals: [],
    ...extra,
  }
}

/** `NAME TYPE DATA` of each record, the zone left out; of several, sorted. */
function show(records: readonly ResourceRecord[]): string[] {
  const data = (r: ResourceRecord) => {
    if ('address' in r) return r.address
    if ('target' in r) return r.target
    if (r.type === 'SRV') return `${r.srv.priority} ${r.srv.weight} ${r.srv.port} ${r.srv.target}`
    if (r.type === 'SOA') return r.soa.mname
    return r.text.join(' ')
  }
  const short = (text: string) => text.replaceAll('.default.svc.cluster.local', '')
  return records.map((r) => short(`${r.name} ${r.type} ${data(r)}`)).sort()
}

/** Answer records, or `NXDOMAIN` / `NODATA` (with the SOA checked), or another rcode. */
function answers(server: TestDns, name: string, type = 'A'): string[] | string {
  const response = server.respond(query(name, type), 'udp')!
  if (response.rcode !== 'NOERROR' && response.rcode !== 'NXDOMAIN') return response.rcode
  assert.ok(response.authoritative)
  if (response.answers.length > 0) return show(response.answers)
  assert.is(response.authorities.length, 1)
  assert.is(response.authorities[0]!.type, 'SOA')
  return response.rcode === 'NOERROR' ? 'NODATA' : 'NXDOMAIN'
}

const ZONE = 'default.svc.cluster.local'

test('every shape of name has its answer', () => {
  const server = cluster()
  const table: [name: string, type: string, expected: string[] | string][] = [
    ['cluster.local', 'A', 'NODATA'],
    ['cluster.local', 'SOA', ['cluster.local SOA ns.dns.cluster.local']],
    ['dns-version.cluster.local', 'TXT', ['dns-version.cluster.local TXT 1.1.0']],
    ['dns-version.cluster.local', 'A', 'NODATA'],
    ['svc.cluster.local', 'A', 'NODATA'],
    ['pod.cluster.local', 'A', 'NODATA'],
    ['foo.cluster.local', 'A', 'NXDOMAIN'],
    [ZONE, 'A', 'NODATA'],
    ['nowhere.svc.cluster.local', 'A', 'NXDOMAIN'],
    [`sidecar-svc.${ZONE}`, 'A', ['sidecar-svc A 10.97.98.36']],
    [`sidecar-svc.${ZONE}`, 'AAAA', 'NODATA'],
    [`sidecar-svc.${ZONE}`, 'TXT', 'NODATA'],
    [`sidecar-svc.${ZONE}`, 'MX', 'NODATA'],
    [`sidecar-svc.${ZONE}`, 'CNAME', 'NODATA'],
    [`missing.${ZONE}`, 'A', 'NXDOMAIN'],
    [`missing.${ZONE}`, 'TXT', 'NXDOMAIN'],
    [`sidecar-svc.${ZONE}`, 'SRV', ['sidecar-svc SRV 0 100 8080 sidecar-svc']],
    [`_http._tcp.sidecar-svc.${ZONE}`, 'SRV', ['_http._tcp.sidecar-svc SRV 0 100 8080 sidecar-svc']],
    [`_http._udp.sidecar-svc.${ZONE}`, 'SRV', 'NXDOMAIN'],
    [`_https._tcp.sidecar-svc.${ZONE}`, 'SRV', 'NXDOMAIN'],
    [`_http._tcp.unnamed.${ZONE}`, 'SRV', 'NXDOMAIN'],
    [`10-36-0-0.sidecar-svc.${ZONE}`, 'A', ['10-36-0-0.sidecar-svc A 10.36.0.0']],
    [`10-36-0-9.sidecar-svc.${ZONE}`, 'A', 'NXDOMAIN'],
    [`headless.${ZONE}`, 'A', ['headless A 10.40.0.1', 'headless A 10.40.0.2', 'headless A 10.40.0.4']],
    [`db-0.headless.${ZONE}`, 'A', ['db-0.headless A 10.40.0.4']],
    [`10-40-0-4.headless.${ZONE}`, 'A', 'NXDOMAIN'],
    [`10-40-0-3.headless.${ZONE}`, 'A', 'NXDOMAIN'],
    [`all.${ZONE}`, 'A', ['all A 10.40.0.9']],
    [`all.${ZONE}`, 'SRV', 'NODATA'],
    [`none-ready.${ZONE}`, 'A', 'NXDOMAIN'],
    [`web.${ZONE}`, 'CNAME', ['web CNAME www.example.org']],
    [`web.${ZONE}`, 'A', ['web CNAME www.example.org']],
    [`web.${ZONE}`, 'SRV', 'NODATA'],
    [`x.web.${ZONE}`, 'A', 'NXDOMAIN'],
    [`alias.${ZONE}`, 'A', ['alias CNAME sidecar-svc', 'sidecar-svc A 10.97.98.36']],
    [`loop.${ZONE}`, 'A', 'NODATA'],
    ['10-36-0-0.default.pod.cluster.local', 'A', ['10-36-0-0.default.pod.cluster.local A 10.36.0.0']],
    ['10-36-0.default.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['10-36-0-0.nowhere.pod.cluster.local', 'A', 'NXDOMAIN'],
    [`10.36.0.0.sidecar-svc.${ZONE}`, 'A', ['10.36.0.0.sidecar-svc A 10.36.0.0']],
    [`10.36.0.9.sidecar-svc.${ZONE}`, 'A', 'NXDOMAIN'],
    [`a.b.c.d.sidecar-svc.${ZONE}`, 'A', 'NXDOMAIN'],
    ['36.98.97.10.in-addr.arpa', 'PTR', ['36.98.97.10.in-addr.arpa PTR sidecar-svc']],
    ['0.0.36.10.in-addr.arpa', 'PTR', ['0.0.36.10.in-addr.arpa PTR 10-36-0-0.sidecar-svc']],
    ['4.0.40.10.in-addr.arpa', 'PTR', ['4.0.40.10.in-addr.arpa PTR db-0.headless']],
    ['3.0.40.10.in-addr.arpa', 'PTR', 'NXDOMAIN'],
    ['0.0.36.10.in-addr.arpa', 'A', 'NXDOMAIN'],
    ['9.9.9.9.in-addr.arpa', 'PTR', 'NXDOMAIN'],
    ['example.org', 'A', 'REFUSED'],
    ['xcluster.local', 'A', 'REFUSED'],
    ['cluster.local', 'AXFR', 'REFUSED'],
  ]
  for (const [name, type, expected] of table) {
    assert.equal(answers(server, name, type), expected, `${type} ${name}`)
  }
})

test('strict leaves the dotted address out', () => {
  assert.is(answers(cluster({ strict: true }), `10.36.0.0.sidecar-svc.${ZONE}`), 'NXDOMAIN')
})

test('pods may be disabled, or verified to be in that namespace', () => {
  const name = '10-36-0-0.default.pod.cluster.local'
  assert.is(answers(cluster({ pods: 'disabled' }), name), 'NXDOMAIN')
  const server = cluster({ pods: 'verified' })
  assert.is(answers(server, name), 'NXDOMAIN')
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'default' },
    status: { podIP: '10.36.0.0' },
  }
  server.apply(change(pod))
  assert.equal(answers(server, name), [`${name} A 10.36.0.0`])
  server.apply(change(pod, 'DELETED'))
  assert.is(answers(server, name), 'NXDOMAIN')
})

test('a headless SRV question lists every endpoint and port, with the addresses', () => {
  const response = cluster().respond(query(`_http._tcp.headless.${ZONE}`, 'SRV'), 'udp')!
  assert.equal(show(response.answers), [
    '_http._tcp.headless SRV 0 33 80 10-40-0-1.headless',
    '_http._tcp.headless SRV 0 33 80 10-40-0-2.headless',
    '_http._tcp.headless SRV 0 33 80 db-0.headless',
  ])
  assert.equal(show(response.additionals), [
    '10-40-0-1.headless A 10.40.0.1',
    '10-40-0-2.headless A 10.40.0.2',
    'db-0.headless A 10.40.0.4',
  ])
})

test('the name server is the service that the server is an endpoint of', () => {
  const response = cluster({ localAddresses: ['10.36.0.9'] }).respond(query('cluster.local', 'NS'), 'udp')!
  assert.equal(show(response.answers), ['cluster.local NS kube-dns.kube-system.svc.cluster.local'])
  assert.equal(show(response.additionals), ['kube-dns.kube-system.svc.cluster.local A 10.96.0.10'])
})

test('a pod behind several services has a name in each, of headless ones first', () => {
  const server = cluster()
  server.apply(change(service('sidecar-svc-headless', { clusterIP: 'None' })))
  server.apply(change(slice('sidecar-svc-headless', ['10.36.0.1'])))
  const response = server.respond(query('1.0.36.10.in-addr.arpa', 'PTR'), 'udp')!
  assert.equal(
    response.answers.map((record) => 'target' in record && record.target),
    [`10-36-0-1.sidecar-svc-headless.${ZONE}`, `10-36-0-1.sidecar-svc.${ZONE}`],
  )
})

test('case is ignored, and kept as it was asked', () => {
  const response = cluster().respond(query('SideCar-svc.Default.svc.ClusTer.Local', 'SRV'), 'udp')!
  assert.is(response.answers[0]!.name, 'SideCar-svc.Default.svc.ClusTer.Local')
  assert.equal(show(response.additionals), ['sidecar-svc.default.svc.ClusTer.Local A 10.97.98.36'])
})

test('records go with their objects', () => {
  const server = cluster()
  server.apply(change(slice('headless', ['10.40.0.1']), 'MODIFIED'))
  assert.equal(answers(server, `headless.${ZONE}`), ['headless A 10.40.0.1'])
  assert.is(answers(server, '2.0.40.10.in-addr.arpa', 'PTR'), 'NXDOMAIN')
  server.apply(change(slice('headless', []), 'DELETED'))
  assert.is(answers(server, `headless.${ZONE}`), 'NXDOMAIN')
  server.apply(change(service('sidecar-svc', {}), 'DELETED'))
  assert.is(answers(server, `sidecar-svc.${ZONE}`), 'NXDOMAIN')
  server.apply(change(namespace('default'), 'DELETED'))
  assert.is(answers(server, ZONE), 'NXDOMAIN')
})

test('an answer holds until the next change of the cluster, for each case of the name of its own', () => {
  const server = cluster()
  const added = service('late', { clusterIP: '10.97.5.5', ports: [{ port: 80 }] })
  const moved = service('late', { clusterIP: '10.97.5.6', ports: [{ port: 80 }] })
  const both = (name: string) => {
    const asked = () => server.respond(query(`${name}.${ZONE}`), 'udp')!
    const [first, second] = [asked(), asked()]
    assert.equal(second, first, 'asked again, the same is answered')
    return first
  }
  assert.is(both('late').rcode, 'NXDOMAIN')
  server.apply(change(added))
  assert.equal(show(both('late').answers), ['late A 10.97.5.5'])
  assert.equal(show(both('LATE').answers), ['LATE A 10.97.5.5'])
  server.apply(change(moved, 'MODIFIED'))
  assert.equal(show(both('late').answers), ['late A 10.97.5.6'])
  const serial = (response: DnsMessage) => {
    const [soa] = response.answers
    return soa?.type === 'SOA' ? soa.soa.serial : undefined
  }
  const before = serial(server.respond(query('cluster.local', 'SOA'), 'udp')!)!
  server.apply(change(moved, 'DELETED'))
  assert.is(both('late').rcode, 'NXDOMAIN')
  assert.is(serial(server.respond(query('cluster.local', 'SOA'), 'udp')!), before + 1)
})

test('more names than are remembered are answered all the same', () => {
  const server = cluster()
  for (let i = 0; i < 2_500; i++) {
    assert.is(server.respond(query(`missing-${i % 1_300}.${ZONE}`), 'udp')!.rcode, 'NXDOMAIN')
    if (i % 500 === 0) assert.equal(answers(server, `unnamed.${ZONE}`), ['unnamed A 10.97.0.1'])
  }
})

test('the order of headless addresses varies with the seed and from answer to answer', () => {
  const order = (server: TestDns) =>
    server
      .respond(query(`headless.${ZONE}`), 'udp')!
      .answers.map((r) => (r.type === 'A' ? r.address : ''))
      .join(' ')
  const first = Array.from({ length: 20 }, (_, seed) =>
    order(cluster({ random: new Random(`seed ${seed}`) })),
  )
  assert.ok(new Set(first).size >= 3, first.join('\n'))
  const server = cluster()
  assert.ok(new Set(Array.from({ length: 20 }, () => order(server))).size >= 3)
  assert.is(order(cluster()), order(cluster()))
})

test('answers have the TTL of the zone', () => {
  const [record] = cluster({ ttlSeconds: 5 }).respond(query(`sidecar-svc.${ZONE}`), 'udp')!.answers
  assert.is(record!.ttlSeconds, 5)
  const [negative] = cluster().respond(query(`missing.${ZONE}`), 'udp')!.authorities
  assert.is(negative!.ttlSeconds, 30)
})

test('an answer is no query, other opcodes are not implemented, several questions are an error', () => {
  const server = cluster()
  assert.is(server.respond(query('cluster.local', 'A', { response: true }), 'udp'), undefined)
  assert.is(server.respond(query('cluster.local', 'A', { opcode: 5 }), 'udp')!.rcode, 'NOTIMP')
  assert.is(server.respond(query('cluster.local', 'A', { questions: [] }), 'udp')!.rcode, 'FORMERR')
  const chaos = { questions: [{ name: 'version.cluster.local', type: 'TXT', class: 'CH' }] }
  assert.is(server.respond(query('', 'TXT', chaos), 'udp')!.rcode, 'REFUSED')
  const refused = server.respond(query('example.org'), 'udp')!
  assert.equal([refused.id, refused.response, refused.recursionDesired], [99, true, true])
  assert.is(refused.recursionAvailable, false)
})

test('whatever bytes decode, an answer to them can be written', () => {
  const server = cluster()
  const names = ['cluster.local', `headless.${ZONE}`, `_http._tcp.headless.${ZONE}`, '0.0.36.10.in-addr.arpa']
  const plain = names.map((name) => dnsCodec.encode(query(name, 'SRV', { ednsUdpSize: 512 })))
  const change = fc.tuple(fc.nat(), fc.nat(255))
  fc.assert(
    fc.property(fc.nat(3), fc.array(change, { maxLength: 4 }), (which, changes) => {
      const bytes = plain[which]!.slice()
      for (const [position, value] of changes) bytes[position % bytes.length] = value
      const asked = dnsCodec.decode(bytes)
      const answer = asked && server.respond(asked, 'udp')
      if (answer !== undefined) assert.is(dnsCodec.decode(dnsCodec.encode(answer))!.id, asked!.id)
    }),
    { numRuns: 3000 },
  )
})

test('a long answer is cut to 512 bytes, or to what EDNS0 allows, and not at all over TCP', () => {
  const server = cluster()
  const addresses = Array.from({ length: 60 }, (_, i) => `10.50.0.${i}`)
  server.apply(change(service('big', { clusterIP: 'None' })))
  server.apply(change(slice('big', addresses)))
  const name = `big.${ZONE}`
  const plain = server.respond(query(name), 'udp')!
  assert.ok(plain.truncated)
  assert.ok(dnsCodec.encode(plain).length <= 512)
  assert.ok(dnsCodec.encode({ ...plain, answers: [...plain.answers, plain.answers[0]!] }).length > 512)
  const edns = server.respond(query(name, 'A', { ednsUdpSize: 1232 }), 'udp')!
  assert.not(edns.truncated)
  assert.is(edns.ednsUdpSize, 1232)
  assert.is(edns.answers.length, 60)
  const tcp = server.respond(query(name), 'tcp')!
  assert.is(tcp.answers.length, 60)
  assert.is(tcp.ednsUdpSize, undefined)
})

test.run()
