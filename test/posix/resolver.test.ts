import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import type { DnsMessage } from '../../src/dns/message.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'
import { ResolveError } from '../../src/posix/net.js'
import { StubResolver } from '../../src/posix/resolver.js'
import { formatAddress, ipv4 } from '../../src/wire/address.js'
import { change, namespace, service, slice } from '../support/cluster-objects.js'
import { NameNetwork } from '../support/name-network.js'
import { TestDns } from '../support/test-dns.js'

const test = suite('stub resolver')

const RESOLV_CONF = `nameserver 10.96.0.10
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5`

/** A pod's resolver and a name server that answers from a small cluster; `forge` may change its answers. */
function world(forge: (answer: DnsMessage, count: number) => DnsMessage | DnsMessage[] = (answer) => answer) {
  const network = new NameNetwork()
  const server = new TestDns({ random: new Random('1') })
  for (const object of [
    namespace('default'),
    service('sidecar-svc', { clusterIP: '10.97.98.36', ports: [{ port: 8080 }] }),
    slice('sidecar-svc', ['10.36.0.0']),
    service('six', { clusterIP: '1234::1', clusterIPs: ['1234::1'] }),
    service('alias', { type: 'ExternalName', externalName: 'sidecar-svc.default.svc.cluster.local' }),
  ]) {
    server.apply(change(object))
  }
  const questions: string[] = []
  const socket = network.net.datagram({ port: 53 })
  let count = 0
  const serve = async () => {
    for (;;) {
      const datagram = await socket.receive()
      const query = dnsCodec.decode(datagram!.bytes)!
      questions.push(query.questions[0]!.name)
      for (const answer of [forge(server.respond(query, 'udp')!, count++)].flat()) {
        socket.send(dnsCodec.encode(answer), datagram!.source)
      }
    }
  }
  void serve()
  const texts: Record<string, string> = {
    '/etc/resolv.conf': RESOLV_CONF,
    '/etc/hosts': '127.0.0.1 localhost\n10.36.0.5 curl\n10.36.0.6 CURL\n',
  }
  const resolver = new StubResolver({
    net: network.net,
    files: { exists: (path) => path in texts, readText: (path) => texts[path]! },
    clock: network.clock,
    random: new Random('ids'),
    codec: dnsCodec,
  })
  return { network, resolver, questions }
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    assert.instance(error, ResolveError)
    return (error as ResolveError).code
  }
  throw new Error('it was resolved')
}

test('literal addresses and /etc/hosts send nothing', async () => {
  const { network, resolver } = world()
  assert.equal((await resolver.resolve('10.1.2.3')).addresses, [ipv4('10.1.2.3')])
  const curl = await resolver.resolve('Curl')
  assert.is(curl.canonicalName, 'curl')
  assert.equal(curl.addresses.map(formatAddress), ['10.36.0.5', '10.36.0.6'])
  assert.is(await resolver.reverse(ipv4('127.0.0.1')), 'localhost')
  assert.is(network.sent.length, 0)
})

test('the search list finds a service by its short name, with one question', async () => {
  const { network, resolver, questions } = world()
  const { canonicalName, addresses } = await network.run(resolver.resolve('sidecar-svc'))
  assert.is(canonicalName, 'sidecar-svc.default.svc.cluster.local')
  assert.equal(addresses.map(formatAddress), ['10.97.98.36'])
  assert.equal(questions, ['sidecar-svc.default.svc.cluster.local'])
})

test('fewer dots than ndots put a full name through the search list first', async () => {
  const { network, resolver, questions } = world()
  await network.run(resolver.resolve('sidecar-svc.default.svc.cluster.local'))
  assert.equal(questions, [
    'sidecar-svc.default.svc.cluster.local.default.svc.cluster.local',
    'sidecar-svc.default.svc.cluster.local.svc.cluster.local',
    'sidecar-svc.default.svc.cluster.local.cluster.local',
    'sidecar-svc.default.svc.cluster.local',
  ])
  questions.length = 0
  await network.run(resolver.resolve('sidecar-svc.default.svc.cluster.local.'))
  assert.is(questions.length, 1)
})

test('a CNAME leads to the canonical name', async () => {
  const { network, resolver } = world()
  const { canonicalName } = await network.run(resolver.resolve('alias'))
  assert.is(canonicalName, 'sidecar-svc.default.svc.cluster.local')
})

test('an address has its name', async () => {
  const { network, resolver } = world()
  const name = await network.run(resolver.reverse(ipv4('10.36.0.0')))
  assert.is(name, '10-36-0-0.sidecar-svc.default.svc.cluster.local')
  assert.is(await network.run(resolver.reverse(ipv4('10.36.0.200'))), undefined)
})

test('what cannot be resolved fails with the code of node:dns', async () => {
  const { network, resolver } = world()
  assert.is(await network.run(failureOf(resolver.resolve('six'))), 'ENODATA')
  assert.is(await network.run(failureOf(resolver.resolve('six.default.svc.cluster.local.'))), 'ENODATA')
  assert.is(await network.run(failureOf(resolver.resolve('no.default.svc.cluster.local.'))), 'ENOTFOUND')
  assert.is(await network.run(failureOf(resolver.resolve('example.org'))), 'EREFUSED')
})

test('a lost query is asked again after 5 s; two lost ones are a timeout after 10 s', async () => {
  const { network, resolver } = world()
  network.faults.push('lose')
  await network.run(resolver.resolve('sidecar-svc'))
  assert.is(network.now, 5 * SECOND)
  network.faults.push('lose', 'lose')
  assert.is(await network.run(failureOf(resolver.resolve('sidecar-svc'))), 'ETIMEOUT')
  assert.is(network.now, 15 * SECOND)
  assert.is(network.bound.size, 1)
})

test('a refused port counts as an attempt that failed', async () => {
  const { network, resolver } = world()
  network.faults.push('refuse')
  await network.run(resolver.resolve('sidecar-svc'))
  assert.is(network.now, 0)
  network.faults.push('refuse', 'refuse')
  assert.is(await network.run(failureOf(resolver.resolve('sidecar-svc'))), 'ETIMEOUT')
})

test('an answer with another id or question is not believed', async () => {
  const wrong = (answer: DnsMessage): DnsMessage[] => [
    { ...answer, id: answer.id ^ 1, answers: [] },
    { ...answer, questions: [{ name: 'other.example', type: 'A' }], answers: [] },
    { ...answer, response: false },
    answer,
  ]
  const { network, resolver } = world(wrong)
  const { addresses } = await network.run(resolver.resolve('sidecar-svc'))
  assert.equal(addresses.map(formatAddress), ['10.97.98.36'])
})

test('a server failure is asked again, and told when it stays', async () => {
  const once = world((answer, count) =>
    count === 0 ? { ...answer, rcode: 'SERVFAIL', answers: [] } : answer,
  )
  await once.network.run(once.resolver.resolve('sidecar-svc'))
  assert.is(once.questions.length, 2)
  const always = world((answer) => ({ ...answer, rcode: 'SERVFAIL', answers: [] }))
  assert.is(await always.network.run(failureOf(always.resolver.resolve('sidecar-svc.'))), 'ESERVFAIL')
})

test('an abort ends the wait with its reason and leaves no socket', async () => {
  const { network, resolver } = world()
  network.faults.push('lose')
  const controller = new AbortController()
  const reason = new Error('^C')
  const work = resolver.resolve('sidecar-svc', controller.signal)
  controller.abort(reason)
  let caught: unknown
  await work.catch((error) => (caught = error))
  assert.is(caught, reason)
  assert.is(network.bound.size, 1)
})

test.run()
