// The plugins of a server block together, by the server's answers: what is forwarded is answered by a function.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import type { Ask } from '../../src/dns/chain.js'
import type { DnsMessage, ResourceRecord } from '../../src/dns/message.js'
import { recordRow } from '../../src/dns/presentation.js'
import { DnsServer } from '../../src/dns/server.js'
import { serverBlocks } from '../../src/dns/server-config.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'
import { queryMessage } from '../../src/posix/dns-exchange.js'
import { change, namespace, service } from '../support/cluster-objects.js'

const test = suite('DNS plugins')

const ZONE = `$TTL 1h
@       IN SOA ns hostmaster 1 7200 1800 86400 60
        IN NS  ns
ns         A     192.0.2.53
www     30 IN A  192.0.2.1
        IN A     192.0.2.2
alias      CNAME www
far        CNAME web.default.svc.cluster.local.
deep.down  TXT   "a \\"b\\"" c
_sip._tcp  SRV   ( 1 2
                   5060 www ) ; in two lines
`

interface World {
  /** `NAME TTL TYPE DATA` of each answer, or the rcode. */
  ask(
    name: string,
    type?: string,
    options?: { client?: string; seconds?: number; port?: number },
  ): string[] | string
  message(
    name: string,
    type?: string,
    options?: { client?: string; seconds?: number; port?: number },
  ): DnsMessage
  readonly asked: Ask[]
  readonly server: DnsServer
}

function world(corefile: string, upstream: (ask: Ask) => DnsMessage | undefined = () => undefined): World {
  const readFile = (path: string) =>
    path === '/etc/coredns/db' ? ZONE : path === '/etc/resolv.conf' ? 'search node.test\n' : undefined
  const blocks = serverBlocks(corefile, { localAddresses: ['10.36.0.9'], strict: false, readFile })
  const server = new DnsServer({ codec: dnsCodec, blocks, random: new Random('plugins') })
  for (const object of [
    namespace('default'),
    service('web', { clusterIP: '10.96.0.1', ports: [{ port: 80 }] }),
    service('outside', { type: 'ExternalName', externalName: 'www.example.test' }),
  ])
    server.apply(change(object), 1_600_000_000)
  const asked: Ask[] = []
  const message: World['message'] = (
    name,
    type = 'A',
    { client = '10.36.0.5', seconds = 0, port = 53 } = {},
  ) => {
    const arrival = { transport: 'udp' as const, client, now: seconds * SECOND, port }
    const responding = server.respond(queryMessage(1, { name, type }), arrival)
    let step = responding.next()
    while (!step.done) {
      asked.push(step.value)
      step = responding.next(upstream(step.value))
    }
    return step.value!
  }
  const ask: World['ask'] = (...args) => {
    const { rcode, answers } = message(...args)
    if (rcode !== 'NOERROR') return rcode
    return answers.map(recordRow).map(({ name, ttl, type, data }) => `${name} ${ttl} ${type} ${data}`)
  }
  return { ask, message, asked, server }
}

/** An upstream that knows every name. */
function everything({ question }: Ask): DnsMessage {
  const record: ResourceRecord = { name: question.name, ttlSeconds: 100, type: 'A', address: '192.0.2.9' }
  return { ...queryMessage(7, question), response: true, recursionAvailable: true, answers: [record] }
}

const WEB = 'web.default.svc.cluster.local'

test('forward gives away what the cluster does not know, and the answer is not authoritative', () => {
  const { ask, message, asked } = world(
    '. {\n kubernetes cluster.local\n forward . 10.0.0.53 10.0.0.54:54 {\n except secret.test\n }\n}',
    everything,
  )
  assert.equal(ask(WEB), [`${WEB}. 5 A 10.96.0.1`])
  assert.equal(ask('example.org'), ['example.org. 100 A 192.0.2.9'])
  const { authoritative, recursionAvailable, id } = message('example.org')
  assert.equal([authoritative, recursionAvailable, id], [false, true, 1])
  assert.is(ask('a.secret.test'), 'REFUSED')
  assert.equal(asked[0], {
    servers: ['10.0.0.53:53', '10.0.0.54:54'],
    question: { name: 'example.org', type: 'A' },
  })
  assert.is(asked.length, 2)
})

test('servers that do not answer are a failure of the server', () => {
  assert.is(world('. {\n forward . 10.0.0.53\n}').ask('example.org'), 'SERVFAIL')
})

test('an ExternalName outside is resolved by whoever knows it', () => {
  const own = '. {\n kubernetes cluster.local\n'
  const alias = 'outside.default.svc.cluster.local. 5 CNAME www.example.test.'
  const name = 'outside.default.svc.cluster.local'
  assert.equal(world(`${own}}`).ask(name), [alias])
  assert.equal(world(`${own} forward . 10.0.0.53\n}`, everything).ask(name), [
    alias,
    'www.example.test. 100 A 192.0.2.9',
  ])
  assert.equal(world(`${own} file /etc/coredns/db example.test\n}`).ask(name).length, 3)
  assert.equal(world(`${own}}`).ask(name, 'CNAME'), [alias])
})

test('zone files: names, CNAMEs in and out of the zone, missing names, types and TTLs', () => {
  const { ask, message } = world('. {\n kubernetes cluster.local\n file /etc/coredns/db example.test\n}')
  const www = ['www.example.test. 30 A 192.0.2.1', 'www.example.test. 3600 A 192.0.2.2']
  assert.equal(ask('www.example.test'), www)
  assert.equal(ask('alias.example.test'), ['alias.example.test. 3600 CNAME www.example.test.', ...www])
  assert.equal(ask('far.example.test'), [`far.example.test. 3600 CNAME ${WEB}.`, `${WEB}. 5 A 10.96.0.1`])
  assert.equal(ask('deep.down.example.test', 'TXT'), ['deep.down.example.test. 3600 TXT "a \\"b\\"" "c"'])
  assert.equal(ask('_sip._tcp.example.test', 'SRV'), [
    '_sip._tcp.example.test. 3600 SRV 1 2 5060 www.example.test.',
  ])
  assert.equal(ask('down.example.test'), [])
  const missing = message('no.example.test')
  assert.equal([missing.rcode, missing.authorities.length], ['NXDOMAIN', 1])
})

test('the cache keeps answers for their TTL and takes off what has passed, in the case of each question', () => {
  const { ask, asked } = world('. {\n cache 60\n forward . 10.0.0.53\n}', everything)
  assert.equal(ask('example.org'), ['example.org. 60 A 192.0.2.9'])
  assert.equal(ask('EXAMPLE.org', 'A', { seconds: 59.5 }), ['EXAMPLE.org. 1 A 192.0.2.9'])
  assert.is(asked.length, 1)
  assert.equal(ask('example.org', 'A', { seconds: 60 }), ['example.org. 60 A 192.0.2.9'])
  assert.is(asked.length, 2)
})

test('negative answers are kept for what the SOA says, and not where that is disabled', () => {
  const cached = world('. {\n cache\n kubernetes cluster.local {\n ttl 20\n }\n}')
  const added = service('new', { clusterIP: '10.96.0.2', ports: [{ port: 80 }] })
  const name = 'new.default.svc.cluster.local'
  assert.is(cached.ask(name), 'NXDOMAIN')
  cached.server.apply(change(added))
  assert.is(cached.ask(name, 'A', { seconds: 19 }), 'NXDOMAIN')
  assert.equal(cached.ask(name, 'A', { seconds: 20 }), [`${name}. 20 A 10.96.0.2`])
  const open = world('. {\n cache 30 {\n disable denial cluster.local\n }\n kubernetes cluster.local\n}')
  assert.is(open.ask(name), 'NXDOMAIN')
  open.server.apply(change(added))
  assert.equal(open.ask(name), [`${name}. 5 A 10.96.0.2`])
})

test('a cache that is full forgets the oldest', () => {
  const { ask, asked } = world('. {\n cache {\n success 2\n }\n forward . 10.0.0.53\n}', everything)
  for (const name of ['a.test', 'b.test', 'c.test', 'a.test', 'c.test']) ask(name)
  assert.equal(
    asked.map(({ question }) => question.name),
    ['a.test', 'b.test', 'c.test', 'a.test'],
  )
})

test('hosts answer names and addresses, and give on what they do not know when told', () => {
  const entries = '10.1.1.1 db.test other.test\n 10.1.1.2 db.test\n'
  const open = world(`. {\n hosts {\n ${entries} fallthrough\n }\n kubernetes cluster.local\n}`)
  assert.equal(open.ask('DB.test'), ['DB.test. 3600 A 10.1.1.1', 'DB.test. 3600 A 10.1.1.2'])
  assert.equal(open.ask('1.1.1.10.in-addr.arpa', 'PTR'), [
    '1.1.1.10.in-addr.arpa. 3600 PTR db.test.',
    '1.1.1.10.in-addr.arpa. 3600 PTR other.test.',
  ])
  assert.equal(open.ask(WEB), [`${WEB}. 5 A 10.96.0.1`])
  const closed = world(`. {\n hosts {\n ${entries} no_reverse\n }\n kubernetes cluster.local\n}`)
  assert.is(closed.ask(WEB), 'NXDOMAIN')
  assert.is(closed.ask('1.1.1.10.in-addr.arpa', 'PTR'), 'NXDOMAIN')
  assert.equal(closed.ask('db.test', 'TXT'), [])
})

test('rewritten names are answered under the name that was asked', () => {
  const rules =
    'rewrite name short.test web.default.svc.cluster.local\n rewrite name suffix .corp .svc.cluster.local\n'
  const { ask } = world(`. {\n ${rules} kubernetes cluster.local\n}`)
  assert.equal(ask('Short.test'), ['Short.test. 5 A 10.96.0.1'])
  assert.equal(ask('web.default.corp'), ['web.default.corp. 5 A 10.96.0.1'])
})

test('autopath walks the search list of the pod that asks, and says where it found the name', () => {
  const corefile =
    '. {\n autopath @kubernetes\n kubernetes cluster.local {\n pods verified\n }\n forward . 10.0.0.53\n}'
  const known = (ask: Ask) =>
    ask.question.name === 'example.org'
      ? everything(ask)
      : { ...everything(ask), rcode: 'NXDOMAIN' as const, answers: [] }
  const { ask, asked, server } = world(corefile, known)
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'default' },
    status: { podIP: '10.36.0.5' },
  }
  server.apply(change(pod))
  const name = 'example.org.default.svc.cluster.local'
  assert.equal(ask(name), [`${name}. 100 CNAME example.org.`, 'example.org. 100 A 192.0.2.9'])
  assert.equal(
    asked.map(({ question }) => question.name),
    ['example.org.node.test', 'example.org'],
  )
  assert.equal(ask('web.default.default.svc.cluster.local'), [
    `web.default.default.svc.cluster.local. 5 CNAME ${WEB}.`,
    `${WEB}. 5 A 10.96.0.1`,
  ])
  assert.is(ask(name, 'A', { client: '10.36.0.6' }), 'NXDOMAIN', 'an address that is no pod')
  assert.is(ask('nothing.default.svc.cluster.local'), 'NXDOMAIN')
})

test('the server block with the longest zone answers, on its own port', () => {
  const { ask, server } = world(
    '. {\n forward . 10.0.0.53\n}\ncluster.local {\n log\n kubernetes\n}\ncluster.local:54 {\n kubernetes {\n ttl 9\n }\n}',
    everything,
  )
  assert.equal(ask(WEB), [`${WEB}. 5 A 10.96.0.1`])
  assert.equal(ask('cluster.localx'), ['cluster.localx. 100 A 192.0.2.9'])
  assert.equal(ask(WEB, 'A', { port: 54 }), [`${WEB}. 9 A 10.96.0.1`])
  assert.is(ask('example.org', 'A', { port: 54 }), 'REFUSED')
  assert.equal([server.logs(WEB, 53), server.logs('example.org', 53)], [true, false])
})

test('a missing reverse name falls through to whoever may know it, and is missing when nobody does', () => {
  const own = '. {\n kubernetes cluster.local in-addr.arpa {\n fallthrough in-addr.arpa\n }\n'
  assert.is(world(`${own}}`).ask('9.9.9.9.in-addr.arpa', 'PTR'), 'NXDOMAIN')
  const { ask, asked } = world(`${own} forward . 10.0.0.53\n}`, everything)
  ask('9.9.9.9.in-addr.arpa', 'PTR')
  ask('missing.default.svc.cluster.local')
  assert.equal(
    asked.map(({ question }) => question.name),
    ['9.9.9.9.in-addr.arpa'],
  )
})

test('noendpoints leaves headless services without addresses; the serial is the date of the last change', () => {
  const { ask, message, server } = world('. {\n kubernetes cluster.local {\n noendpoints\n }\n}')
  server.apply(change(service('headless', { clusterIP: 'None' })), 1_700_000_000)
  assert.is(ask('headless.default.svc.cluster.local'), 'NXDOMAIN')
  const [soa] = message('cluster.local', 'SOA').answers
  assert.ok(soa?.type === 'SOA')
  assert.is(soa!.soa.serial, 1_700_000_000)
})

test('a version of EDNS that nobody knows is refused as such', () => {
  const { server } = world('. {\n kubernetes cluster.local\n}')
  const query = { ...queryMessage(3, { name: WEB, type: 'A' }, 1232), ednsVersion: 1 }
  const answer = server.respond(dnsCodec.decode(dnsCodec.encode(query))!, { transport: 'udp' }).next().value
  const message = dnsCodec.decode(dnsCodec.encode(answer as DnsMessage))!
  assert.equal([message.id, message.rcode, message.answers.length], [3, 'BADVERS', 0])
})

test.run()
