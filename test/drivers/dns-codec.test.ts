import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DnsMessage, ResourceRecord } from '../../src/dns/message.js'
import { decodeAny, dnsCodec, encodeAny } from '../../src/drivers/dns-codec.js'
import { fc } from '../support/properties.js'

const test = suite('DNS codec')

const BLANK: DnsMessage = {
  id: 0x1234,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  rcode: 'NOERROR',
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
}

/** Owners of records are the question's name, or below it: as in answers. */
function aboutItsQuestion(sent: DnsMessage): DnsMessage {
  const { name: asked } = sent.questions[0]!
  const below = (records: readonly ResourceRecord[]) =>
    records.map((one, i) => ({ ...one, name: i % 2 === 0 ? asked : `${one.name.split('.')[0]}.${asked}` }))
  return { ...sent, answers: below(sent.answers), additionals: below(sent.additionals) }
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'))
const address4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }).map((parts) => parts.join('.'))
const uint16 = fc.nat(0xffff)
const uint32 = fc.nat(0xffffffff)
const record: fc.Arbitrary<ResourceRecord> = fc.oneof(
  fc.record({ name, ttlSeconds: uint32, type: fc.constant('A' as const), address: address4 }),
  fc.record({ name, ttlSeconds: uint32, type: fc.constant('AAAA' as const), address: fc.constant('10::3') }),
  fc.record({ name, ttlSeconds: uint32, type: fc.constantFrom('CNAME', 'NS', 'PTR'), target: name }),
  fc.record({
    name,
    ttlSeconds: uint32,
    type: fc.constant('TXT' as const),
    text: fc.array(label, { minLength: 1 }),
  }),
  fc.record({
    name,
    ttlSeconds: uint32,
    type: fc.constant('SRV' as const),
    srv: fc.record({ priority: uint16, weight: uint16, port: uint16, target: name }),
  }),
  fc.record({
    name,
    ttlSeconds: uint32,
    type: fc.constant('SOA' as const),
    soa: fc.record({
      mname: name,
      rname: name,
      serial: uint32,
      refresh: uint32,
      retry: uint32,
      expire: uint32,
      minimum: uint32,
    }),
  }),
)
const message: fc.Arbitrary<DnsMessage> = fc.record(
  {
    id: uint16,
    response: fc.boolean(),
    opcode: fc.nat(15),
    authoritative: fc.boolean(),
    truncated: fc.boolean(),
    recursionDesired: fc.boolean(),
    recursionAvailable: fc.boolean(),
    rcode: fc.constantFrom('NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'),
    questions: fc.array(fc.record({ name, type: fc.constantFrom('A', 'SRV', 'PTR', 'ANY') }), {
      maxLength: 1,
    }),
    answers: fc.array(record, { maxLength: 6 }),
    authorities: fc.array(record, { maxLength: 2 }),
    additionals: fc.array(record, { maxLength: 3 }),
    ednsUdpSize: fc.integer({ min: 512, max: 4096 }),
  },
  {
    requiredKeys: [
      'id',
      'response',
      'opcode',
      'authoritative',
      'truncated',
      'recursionDesired',
      'recursionAvailable',
      'rcode',
      'questions',
      'answers',
      'authorities',
      'additionals',
    ],
  },
)

test('a query is the bytes of RFC 1035', () => {
  const bytes = dnsCodec.encode({ ...BLANK, questions: [{ name: 'kube-dns.svc', type: 'A' }] })
  assert.is(hex(bytes), '123401000001000000000000086b7562652d646e73037376630000010001')
})

test('every message comes back as it was, compression included', () => {
  fc.assert(
    fc.property(message, (sent) => {
      const bytes = dnsCodec.encode(sent)
      // Cloned: generated records have no prototype.
      assert.equal(dnsCodec.decode(bytes), structuredClone(sent))
    }),
    { numRuns: 300 },
  )
})

test('the short way makes the bytes of the long one, and reads them alike', () => {
  const named = fc.oneof(
    message,
    message.filter(({ questions }) => questions.length === 1).map(aboutItsQuestion),
  )
  fc.assert(
    fc.property(named, fc.boolean(), fc.nat(), fc.nat(255), (sent, change, position, value) => {
      const bytes = encodeAny(sent)
      assert.equal([...dnsCodec.encode(sent)], [...bytes])
      const query = encodeAny({ ...sent, answers: [], authorities: [], additionals: [] })
      if (change) query[position % query.length] = value
      for (const one of [bytes, query, query.subarray(0, position % (query.length + 1))])
        assert.equal(dnsCodec.decode(one), decodeAny(one))
    }),
    { numRuns: 1000 },
  )
})

test('names in unusual spellings come out as dns-packet writes them', () => {
  const answer = (target: string): DnsMessage => ({
    ...BLANK,
    questions: [{ name: 'a.example', type: 'CNAME' }],
    answers: [{ name: 'a.example', ttlSeconds: 1, type: 'CNAME', target }],
  })
  for (const target of ['', 'b.example.', 'ä.example', 'x', 'example', '_a.b.example', 'A.example']) {
    const bytes = dnsCodec.encode(answer(target))
    assert.equal([...bytes], [...encodeAny(answer(target))], target)
    assert.equal(
      dnsCodec.encode({ ...BLANK, questions: [{ name: target, type: 'A' }] }),
      Uint8Array.from(encodeAny({ ...BLANK, questions: [{ name: target, type: 'A' }] })),
    )
  }
})

test('names beyond the reach of a pointer are written in full, by either way', () => {
  const answers = Array.from({ length: 900 }, (_, i): ResourceRecord => {
    return { name: `pod-${i}.of.a-service-${i % 7}.example`, ttlSeconds: 30, type: 'A', address: '10.0.0.1' }
  })
  const long = { ...BLANK, questions: [{ name: 'example', type: 'A' }], answers }
  assert.equal([...dnsCodec.encode(long)], [...encodeAny(long)])
})

test('names are compressed: eight addresses of a headless service fit into 512 bytes', () => {
  const owner = 'sidecar-svc-headless.default.svc.cluster.local'
  const answers = Array.from({ length: 8 }, (_, i): ResourceRecord => {
    return { name: owner, ttlSeconds: 30, type: 'A', address: `10.36.0.${i}` }
  })
  const bytes = dnsCodec.encode({ ...BLANK, questions: [{ name: owner, type: 'A' }], answers })
  assert.is(bytes.length, 12 + owner.length + 2 + 4 + 8 * 16)
})

test('a suffix in another case is not compressed away', () => {
  const answers: ResourceRecord[] = [
    { name: 'a.CLUSTER.local', ttlSeconds: 1, type: 'CNAME', target: 'b.cluster.LOCAL' },
  ]
  const bytes = dnsCodec.encode({ ...BLANK, questions: [{ name: 'a.Cluster.Local', type: 'A' }], answers })
  assert.equal(dnsCodec.decode(bytes)!.answers, answers)
})

test('a message with a name that no label can hold is SERVFAIL', () => {
  for (const length of [64, 192, 255, 256, 300, 1000]) {
    const label = 'a'.repeat(length)
    const { rcode, questions } = dnsCodec.decode(
      dnsCodec.encode({ ...BLANK, questions: [{ name: label, type: 'A' }] }),
    )!
    assert.equal([rcode, questions], ['SERVFAIL', []], `${length}`)
    const answers = [{ name: 'a.b', type: 'CNAME', ttlSeconds: 5, target: `${label}.b` }] as const
    const asked = [{ name: 'a.b', type: 'A' }]
    const answer = dnsCodec.decode(dnsCodec.encode({ ...BLANK, questions: asked, answers }))!
    assert.equal([answer.rcode, answer.questions, answer.answers], ['SERVFAIL', asked, []], `${length}`)
  }
})

test('SRV targets are written in full (RFC 2782)', () => {
  const srv = { priority: 0, weight: 100, port: 80, target: 'a.b' }
  const bytes = dnsCodec.encode({
    ...BLANK,
    questions: [{ name: 'a.b', type: 'SRV' }],
    answers: [{ name: 'a.b', ttlSeconds: 5, type: 'SRV', srv }],
  })
  assert.ok(hex(bytes).endsWith('c00c00210001000000050 00b00000064005001610162 00'.replaceAll(' ', '')))
})

test('bytes that are no message are undefined and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const decoded = dnsCodec.decode(bytes)
      assert.ok(decoded === undefined || decoded.id === bytes[0]! * 256 + bytes[1]!)
    }),
    { numRuns: 2000 },
  )
})

test('a message with any byte changed or cut short never throws', () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat(255), fc.boolean(), (sent, position, value, cut) => {
      const bytes = dnsCodec.encode(sent)
      const at = position % bytes.length
      bytes[at] = value
      const decoded = dnsCodec.decode(cut ? bytes.subarray(0, at) : bytes)
      if (decoded !== undefined) assert.type(decoded.id, 'number')
    }),
    { numRuns: 500 },
  )
})

test('a question of another class or of a type without a name comes back', () => {
  const chaos = { ...BLANK, questions: [{ name: 'version.bind', type: 'TXT', class: 'CH' }] }
  assert.equal(dnsCodec.decode(dnsCodec.encode(chaos)), chaos)
  const bytes = dnsCodec.encode({ ...BLANK, questions: [{ name: 'a', type: 'A' }] })
  bytes.set([0, 65], bytes.length - 4) // HTTPS
  const https = dnsCodec.decode(bytes)!
  assert.is(https.questions[0]!.type, 'UNKNOWN_65')
  assert.equal(dnsCodec.encode(https), bytes)
})

test('a question whose labels are not plain text is no message', () => {
  const bytes = dnsCodec.encode({ ...BLANK, questions: [{ name: 'abc.de', type: 'A' }] })
  for (const byte of [0x2e, 0xc3]) {
    const changed = bytes.slice()
    changed[14] = byte
    assert.is(dnsCodec.decode(changed), undefined)
  }
})

test.run()
