import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CorefileError } from '../../src/dns/corefile.js'
import { serverBlocks } from '../../src/dns/server-config.js'

const test = suite('Corefile')

const FILES: Readonly<Record<string, string>> = {
  '/etc/resolv.conf': 'nameserver 10.0.0.53\nsearch example.org\n',
  '/etc/empty': '',
  '/etc/coredns/db': '@ IN SOA ns hostmaster 1 2 3 4 5\nwww A 192.0.2.1\n',
  '/etc/coredns/bad': 'www HINFO a b\n',
}

const read = (text: string) =>
  serverBlocks(text, { localAddresses: ['10.36.0.9'], strict: false, readFile: (path) => FILES[path] })

/** kubeadm's, as a cluster has it. */
const KUBEADM = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`

test("kubeadm's is understood, and its plugins come in CoreDNS' order", () => {
  const [block, ...others] = read(KUBEADM)
  assert.is(others.length, 0)
  assert.equal([block!.zones, block!.port], [[''], 53])
  assert.equal(
    block!.plugins.map(({ plugin }) => plugin),
    ['reload', 'loadbalance', 'cache', 'kubernetes', 'forward'],
  )
  const kubernetes = block!.plugins.find((one) => one.plugin === 'kubernetes')!
  assert.equal(kubernetes.options, {
    zones: ['cluster.local', 'in-addr.arpa', 'ip6.arpa'],
    ttlSeconds: 30,
    pods: 'insecure',
    namespaces: undefined,
    ignoreEmptyService: false,
    endpointPodNames: false,
    localAddresses: ['10.36.0.9'],
    strict: false,
    withoutEndpoints: false,
    fallthrough: ['in-addr.arpa', 'ip6.arpa'],
  })
  const forward = block!.plugins.find((one) => one.plugin === 'forward')!
  assert.equal(forward.options, { from: '', to: ['10.0.0.53:53'], except: [] })
})

test('what is left out of a kubernetes block is as CoreDNS has it', () => {
  const [plugin] = read('cluster.local { kubernetes\n}')[0]!.plugins
  assert.ok(plugin!.plugin === 'kubernetes')
  const { zones, ttlSeconds, pods, fallthrough } = plugin!.options
  assert.equal(
    { zones, ttlSeconds, pods, fallthrough },
    { zones: ['cluster.local'], ttlSeconds: 5, pods: 'disabled', fallthrough: [] },
  )
})

test('zones may be prefixes, ports and several keys', () => {
  const zonesOf = (key: string) => read(`${key} {\n}`).map(({ zones, port }) => [port, ...zones])
  const table: [key: string, expected: unknown][] = [
    ['.', [[53, '']]],
    ['Example.ORG.', [[53, 'example.org']]],
    ['dns://example.org:1053', [[1053, 'example.org']]],
    [
      'a.test, b.test:54',
      [
        [53, 'a.test'],
        [54, 'b.test'],
      ],
    ],
    ['10.0.0.0/8', [[53, '10.in-addr.arpa']]],
    ['172.17.0.0/24', [[53, '0.17.172.in-addr.arpa']]],
    ['10.96.0.0/15', [[53, '96.10.in-addr.arpa', '97.10.in-addr.arpa']]],
    ['1234:abcd::0/32', [[53, 'd.c.b.a.4.3.2.1.ip6.arpa']]],
  ]
  for (const [key, expected] of table) assert.equal(zonesOf(key), expected, key)
})

test('comments, quotes and blocks on one line are read', () => {
  const [block] = read(`# all of it
    "." {   # here
      rewrite name "a.test" b.test
      hosts { 10.0.0.1 x.test y.test
        ttl 60 }
    }`)
  assert.equal(
    block!.plugins.map(({ plugin }) => plugin),
    ['rewrite', 'hosts'],
  )
  const hosts = block!.plugins[1]!
  assert.ok(hosts.plugin === 'hosts')
  assert.equal(hosts.options.entries, [{ address: '10.0.0.1', names: ['x.test', 'y.test'] }])
  assert.is(hosts.options.ttlSeconds, 60)
})

test('what is wrong or not supported is named with its place', () => {
  const table: [text: string, expected: string][] = [
    ['. {\n  nonsense\n}', "2:3: plugin 'nonsense' is not supported"],
    [
      '. {\n  kubernetes {\n    pods maybe\n  }\n}',
      '3:10: pods: expected one of disabled, insecure, verified',
    ],
    ['. {\n  kubernetes {\n    ttl 3601\n  }\n}', "3:9: expected a number from 0 to 3600, not '3601'"],
    ['. {\n  kubernetes {\n    labels a=b\n  }\n}', "3:5: kubernetes: 'labels' is not supported"],
    ['. {\n  kubernetes\n  kubernetes\n}', "3:3: plugin 'kubernetes' was given before in this block"],
    ['. {\n  forward . 10.0.0.1 tls://9.9.9.9\n}', '2:22: not an address to forward to: tls://9.9.9.9'],
    ['. {\n  forward .\n}', '2:3: expected: forward FROM TO...'],
    ['. {\n  forward . /etc/nothing\n}', '2:13: there is no file /etc/nothing'],
    [
      '. {\n  file /etc/coredns/bad x.test\n}',
      '2:8: /etc/coredns/bad: line 1: not a record that can be served: www HINFO a b',
    ],
    ['. {\n  cache 30 {\n    prefetch 5\n  }\n}', "3:5: cache: 'prefetch' is not supported"],
    ['. {\n  autopath /etc/resolv.conf\n}', '2:12: autopath takes its search list from @kubernetes only'],
    ['. {\n  rewrite type A AAAA\n}', '2:3: only rewriting of names is supported: rewrite [stop] name ...'],
    ['. {\n  errors\n', "1:3: this '{' is never closed"],
    ['. {\n}\n.:53 {\n}', "3:1: zone '.' is served on port 53 already"],
    ['tls://. {\n}', '1:1: not a zone to serve: tls://.'],
    ['(snippet) {\n}', '1:1: snippets are not supported'],
    ['}', "1:1: unexpected '}'"],
  ]
  for (const [text, expected] of table) {
    try {
      read(text)
      assert.unreachable(text)
    } catch (error) {
      assert.instance(error, CorefileError)
      assert.is((error as Error).message, `Corefile:${expected}`)
    }
  }
})

test('a resolv.conf without name servers leaves nobody to forward to', () => {
  const [forward] = read('. {\n  forward . /etc/empty\n}')[0]!.plugins
  assert.ok(forward!.plugin === 'forward')
  assert.equal(forward!.options.to, [])
})

test.run()
