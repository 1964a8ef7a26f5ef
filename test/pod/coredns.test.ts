import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import type { ClusterFollower } from '../../src/cluster/feed.js'
import { frameMessage } from '../../src/dns/tcp-framing.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'
import { corednsProgram } from '../../src/pod/images/coredns.js'
import { Killed, type Process, type SignalName } from '../../src/posix/process.js'
import { StubResolver } from '../../src/posix/resolver.js'
import { formatAddress } from '../../src/wire/address.js'
import { change, namespace, service, slice } from '../support/cluster-objects.js'
import { NameNetwork } from '../support/name-network.js'

const test = suite('coredns')

function world(corefile?: string) {
  const files = { '/etc/coredns/Corefile': corefile ?? '' }
  const network = new NameNetwork()
  const followers = new Set<ClusterFollower>()
  let output = ''
  const writer = {
    isTTY: false,
    async write(text: Uint8Array | string) {
      output += text
    },
  }
  const kill = new AbortController()
  const handlers = new Map<SignalName, () => void>()
  const process = {
    argv: corefile === undefined ? ['coredns'] : ['coredns', '-conf', '/etc/coredns/Corefile'],
    stdout: writer,
    stderr: writer,
    signal: kill.signal,
    onSignal: (name: SignalName, handler: () => void) => handlers.set(name, handler),
    system: {
      net: network.net,
      clock: network.clock,
      random: new Random('pod'),
      fs: {
        exists: (path: string) => path in files,
        readText: (path: keyof typeof files) => files[path],
      },
    },
  } as unknown as Process
  const program = corednsProgram({
    codec: dnsCodec,
    follow(follower) {
      followers.add(follower)
      for (const object of [
        namespace('default'),
        namespace('kube-system'),
        service('kube-dns', { clusterIP: '10.96.0.10', ports: [{ port: 53 }] }, 'kube-system'),
        slice('kube-dns', ['10.36.0.9'], [{ port: 53 }], 'kube-system'),
        service('big', { clusterIP: 'None' }),
        slice(
          'big',
          Array.from({ length: 60 }, (_, i) => `10.50.0.${i}`),
        ),
      ]) {
        follower.apply(change(object))
      }
      return () => followers.delete(follower)
    },
  })
  const texts: Record<string, string> = { '/etc/resolv.conf': 'nameserver 10.96.0.10' }
  const resolver = new StubResolver({
    net: network.net,
    files: { exists: (path) => path in texts, readText: (path) => texts[path]! },
    clock: network.clock,
    random: new Random('ids'),
    codec: dnsCodec,
  })
  return {
    files,
    network,
    followers,
    resolver,
    kill,
    handlers,
    exited: program(process),
    output: () => output,
    again: () => program(process),
  }
}

test('it says what it is, answers over UDP, and knows which service it is', async () => {
  const { network, resolver, output } = world()
  const { message } = await network.run(resolver.query('cluster.local', 'NS'))
  assert.equal(message.answers, [
    { name: 'cluster.local', ttlSeconds: 30, type: 'NS', target: 'kube-dns.kube-system.svc.cluster.local' },
  ])
  assert.ok(output().startsWith('.:53\nCoreDNS-1.11.3\nlinux/'))
})

test('an answer too long for UDP is fetched over TCP', async () => {
  const { network, resolver } = world()
  const { addresses } = await network.run(resolver.resolve('big.default.svc.cluster.local'))
  assert.is(addresses.length, 60)
  assert.is(new Set(addresses.map(formatAddress)).size, 60)
})

test('it follows changes while it runs', async () => {
  const { network, resolver, followers } = world()
  await network.run(resolver.resolve('big.default.svc.cluster.local'))
  for (const follower of followers) {
    follower.apply(change(service('new', { clusterIP: '10.96.0.77', ports: [{ port: 1 }] })))
  }
  const { addresses } = await network.run(resolver.resolve('new.default.svc.cluster.local'))
  assert.equal(addresses.map(formatAddress), ['10.96.0.77'])
})

test('several queries may follow each other on one connection', async () => {
  const { network } = world()
  await network.run(network.clock.sleep(1))
  const connection = await network.net.connect({ address: 0, port: 53 })
  const query = {
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    rcode: 'NOERROR' as const,
    questions: [{ name: 'kube-dns.kube-system.svc.cluster.local', type: 'A' }],
    answers: [],
    authorities: [],
    additionals: [],
  }
  const bytes = [1, 2].flatMap((id) => [...frameMessage(dnsCodec.encode({ ...query, id }))])
  await connection.write(Uint8Array.from(bytes))
  for (const id of [1, 2]) {
    const piece = (await network.run(connection.read()))!
    const message = dnsCodec.decode(piece.subarray(2))!
    assert.is(message.id, id)
    assert.is(message.answers.length, 1)
  }
})

test('bytes that are no message get FORMERR, shorter ones nothing', async () => {
  const { network } = world()
  await network.run(network.clock.sleep(1))
  const socket = network.net.datagram()
  socket.connect({ address: 0, port: 53 })
  socket.send(Uint8Array.of(1, 2))
  socket.send(Uint8Array.of(0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63))
  const datagram = await network.run(socket.receive(SECOND))
  const message = dnsCodec.decode(datagram!.bytes)!
  assert.equal([message.id, message.response, message.rcode], [0xabcd, true, 'FORMERR'])
  assert.is(await network.run(socket.receive(SECOND)), undefined)
})

test('with reload, a changed Corefile counts from the next interval on, unless it cannot be used', async () => {
  const corefile = (words: string) => `.:53 {\n  reload 10s\n  ${words}\n}\n`
  const hosts = (address: string) => corefile(`hosts {\n    ${address} here.example\n  }`)
  const { files, network, resolver, output } = world(hosts('192.0.2.1'))
  const answer = async () => {
    const { addresses } = await network.run(resolver.resolve('here.example'))
    return addresses.map(formatAddress).join()
  }
  const after = async (text: string, pause: number) => {
    files['/etc/coredns/Corefile'] = text
    await network.run(network.clock.sleep(pause))
    return answer()
  }
  assert.is(await answer(), '192.0.2.1')
  assert.is(await after(hosts('192.0.2.2'), SECOND), '192.0.2.1')
  assert.is(await after(hosts('192.0.2.2'), 10 * SECOND), '192.0.2.2')
  assert.match(output(), '[INFO] Reloading complete')
  assert.is(await after(corefile('frobnicate'), 10 * SECOND), '192.0.2.2')
  assert.match(output(), "[ERROR] Restart failed: Corefile:3:3: plugin 'frobnicate' is not supported")
  assert.is(await after(hosts('192.0.2.3').replace(':53', ':53 other.example:54'), 10 * SECOND), '192.0.2.3')
  assert.equal([...network.bound.keys()].filter((port) => port < 100).sort(), [53, 54])
  await after(hosts('192.0.2.3'), 10 * SECOND)
  assert.equal(
    [...network.bound.keys()].filter((port) => port < 100),
    [53],
  )
})

test('SIGTERM ends it in order, a kill as every program', async () => {
  const { network, followers, handlers, exited, output } = world()
  await network.run(network.clock.sleep(1))
  handlers.get('SIGTERM')!()
  assert.is(await exited, 0)
  assert.is(followers.size + network.bound.size, 0)
  assert.ok(output().includes('SIGTERM'))

  const other = world()
  await other.network.run(other.network.clock.sleep(1))
  const killed = new Killed('SIGKILL')
  other.kill.abort(killed)
  let caught: unknown
  await other.exited.catch((error) => (caught = error))
  assert.is(caught, killed)
  assert.is(other.followers.size + other.network.bound.size, 0)
})

test('a port 53 that is taken is told, with status 1', async () => {
  const { network, output, again } = world()
  assert.is(await network.run(again()), 1)
  assert.match(output(), 'EADDRINUSE')
})

test.run()
