import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import { addressFamily, reverseName, zoneOf } from '../../src/dns/name.js'
import { attemptPlan, candidateNames, parseHosts, parseResolvConf } from '../../src/dns/resolver.js'
import { frameMessage, MessageStream } from '../../src/dns/tcp-framing.js'
import { formatAddress } from '../../src/wire/address.js'

const test = suite('resolver')

const POD = `nameserver 10.96.0.10
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
`

test("a pod's resolv.conf is read", () => {
  const config = parseResolvConf(POD)
  assert.equal(config.nameservers.map(formatAddress), ['10.96.0.10'])
  assert.equal(config.search, ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'])
  assert.equal([config.ndots, config.timeout, config.attempts], [5, 5 * SECOND, 2])
})

test('limits, comments, later search lines and unknown words of resolv.conf', () => {
  const config = parseResolvConf(`# nameserver 9.9.9.9
; comment
nameserver 10.0.0.1
nameserver 10.0.0.2
nameserver not-an-address
nameserver 10.0.0.3
nameserver 10.0.0.4
search one
search two. three
options ndots:99 timeout:100 attempts:9 rotate
sortlist 1.2.3.4`)
  assert.equal(config.nameservers.map(formatAddress), ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
  assert.equal(config.search, ['two', 'three'])
  assert.equal([config.ndots, config.timeout, config.attempts], [15, 30 * SECOND, 5])
  assert.equal(parseResolvConf('').nameservers.map(formatAddress), ['127.0.0.1'])
})

test('ndots decides whether the search list comes before the name itself', () => {
  const config = parseResolvConf(POD)
  assert.equal(candidateNames('sidecar-svc', config), [
    'sidecar-svc.default.svc.cluster.local',
    'sidecar-svc.svc.cluster.local',
    'sidecar-svc.cluster.local',
    'sidecar-svc',
  ])
  assert.is(
    candidateNames('sidecar-svc.default.svc.cluster.local', config).at(-1),
    'sidecar-svc.default.svc.cluster.local',
  )
  assert.is(candidateNames('a.b.c.d.e.f', config)[0], 'a.b.c.d.e.f')
  assert.equal(candidateNames('a.b.', config), ['a.b'])
})

test('each server is asked in every round', () => {
  const config = parseResolvConf('nameserver 10.0.0.1\nnameserver 10.0.0.2\noptions timeout:1 attempts:2')
  const plan = attemptPlan(config).map(({ nameserver, timeout }) => `${formatAddress(nameserver)} ${timeout}`)
  assert.equal(plan, ['10.0.0.1 1000000', '10.0.0.2 1000000', '10.0.0.1 1000000', '10.0.0.2 1000000'])
})

test('/etc/hosts has names by address, comments left out', () => {
  const entries = parseHosts(
    '127.0.0.1\tlocalhost\n::1 localhost\n10.36.0.0 web-0.web web-0 # me\n#10.0.0.1 x\n',
  )
  assert.equal(
    entries.map(({ address, names }) => [formatAddress(address), ...names]),
    [
      ['127.0.0.1', 'localhost'],
      ['::1', 'localhost'],
      ['10.36.0.0', 'web-0.web', 'web-0'],
    ],
  )
})

test('reverse names of both families', () => {
  assert.is(reverseName('10.36.0.1'), '1.0.36.10.in-addr.arpa')
  const six = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.c.b.a.4.3.2.1.ip6.arpa'
  assert.is(reverseName('1234:abcd::1'), six)
  assert.is(reverseName('1234:ABCD:0:0:0:0:0:1'), six)
  for (const text of [
    '',
    'a',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '10.0.0',
    '12345::',
  ]) {
    assert.is(reverseName(text), undefined, text)
  }
  assert.equal(['::', '10.0.0.1', 'x'].map(addressFamily), [6, 4, undefined])
})

test('the longest zone holds a name, in the case asked', () => {
  const zones = ['local', 'cluster.local']
  assert.is(zoneOf('a.Cluster.Local', zones), 'Cluster.Local')
  assert.is(zoneOf('acluster.local', zones), 'local')
  assert.is(zoneOf('example.org', zones), undefined)
})

test('messages come whole out of a stream, however it is cut', () => {
  const messages = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(300).fill(7)]
  const bytes = messages.flatMap((message) => [...frameMessage(message)])
  for (const size of [1, 2, 3, 100, bytes.length]) {
    const stream = new MessageStream()
    const got: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += size) {
      stream.push(Uint8Array.from(bytes.slice(at, at + size)))
      for (let message = stream.next(); message !== undefined; message = stream.next()) got.push(message)
    }
    assert.equal(got, messages)
  }
})

test.run()
