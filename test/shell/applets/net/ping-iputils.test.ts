// ping of iputils on real packets: its lines, sums and statuses are those of iputils 20221126 on Linux.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { networkTools } from '../../../../src/shell/applets/net/index.js'
import { TwoNodes } from './two-nodes.js'

const test = suite('ping of iputils')

/** Status and output; times are measured elsewhere. */
async function ping(cluster: TwoNodes, options: string): Promise<[status: number, text: string]> {
  const { status, stdout } = await cluster.run(`ping ${options}`, networkTools)
  const text = stdout
    .replaceAll(/time=[\d.]+ ms/g, 'time=T ms')
    .replaceAll(/time \d+ms/g, 'time Tms')
    .replaceAll(/= [\d./]+ ms/g, '= T ms')
  return [status, text]
}

const sums = (transmitted: number, received: number, rest: string) =>
  `\n--- 10.39.0.0 ping statistics ---\n${transmitted} packets transmitted, ${received} received, ${rest}`

test('answers, and what they come to', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  assert.equal(await ping(cluster, '-c 2 -i 0.2 10.39.0.0'), [
    0,
    `PING 10.39.0.0 (10.39.0.0) 56(84) bytes of data.
64 bytes from 10.39.0.0: icmp_seq=1 ttl=62 time=T ms
64 bytes from 10.39.0.0: icmp_seq=2 ttl=62 time=T ms
${sums(2, 2, '0% packet loss, time Tms\nrtt min/avg/max/mdev = T ms\n')}`,
  ])
  assert.equal(await ping(cluster, '-q -c 2 10.39.0.0'), [
    0,
    `PING 10.39.0.0 (10.39.0.0) 56(84) bytes of data.
${sums(2, 2, '0% packet loss, time Tms\nrtt min/avg/max/mdev = T ms\n')}`,
  ])
  // No room for a time in the data.
  assert.equal(await ping(cluster, '-c 1 -s 10 10.39.0.0'), [
    0,
    `PING 10.39.0.0 (10.39.0.0) 10(38) bytes of data.
18 bytes from 10.39.0.0: icmp_seq=1 ttl=62
${sums(1, 1, '0% packet loss, time Tms\n\n')}`,
  ])
})

test('the errors of routers are lines of their own', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  assert.equal(await ping(cluster, '-c 1 -t 1 10.39.0.0'), [
    1,
    `PING 10.39.0.0 (10.39.0.0) 56(84) bytes of data.
From 10.36.255.254 icmp_seq=1 Time to live exceeded
${sums(1, 0, '+1 errors, 100% packet loss, time Tms\n\n')}`,
  ])
  const [status, text] = await ping(cluster, '-c 1 10.77.0.1')
  assert.is(status, 1)
  assert.match(text, /^From 10\.36\.255\.254 icmp_seq=1 Destination Net Unreachable$/m)
})

test('-M do tells what does not fit: the own link, or one on the way', async () => {
  assert.equal(await ping(new TwoNodes({ delay: 300 }), '-M do -c 1 -s 2000 10.39.0.0'), [
    1,
    `PING 10.39.0.0 (10.39.0.0) 2000(2028) bytes of data.
ping: local error: message too long, mtu=1500
${sums(1, 0, '+1 errors, 100% packet loss, time Tms\n\n')}`,
  ])
  // With -q own errors are neither told nor counted.
  assert.equal(await ping(new TwoNodes({ delay: 300 }), '-q -M do -W 1 -c 1 -s 2000 10.39.0.0'), [
    1,
    `PING 10.39.0.0 (10.39.0.0) 2000(2028) bytes of data.
${sums(1, 0, '100% packet loss, time Tms\n\n')}`,
  ])
  const narrow = new TwoNodes({ delay: 300 }, [], 1400)
  assert.equal(await ping(narrow, '-M do -c 1 -s 1472 10.39.0.0'), [
    1,
    `PING 10.39.0.0 (10.39.0.0) 1472(1500) bytes of data.
From 10.36.255.254 icmp_seq=1 Frag needed and DF set (mtu = 1400)
${sums(1, 0, '+1 errors, 100% packet loss, time Tms\n\n')}`,
  ])
  assert.is((await ping(narrow, '-M do -c 1 -s 1372 10.39.0.0'))[0], 0)
  // What may be cut arrives.
  assert.is((await ping(narrow, '-M dont -c 1 -s 1472 10.39.0.0'))[0], 0)
})

test('-A goes as fast as answers come, -O tells of missing ones, -w ends it', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const started = cluster.clock.now()
  const [, adaptive] = await ping(cluster, '-A -c 3 10.39.0.0')
  assert.match(adaptive, /3 packets transmitted, 3 received.*\n.*mdev = T ms, ipg\/ewma [\d.]+\/[\d.]+ ms\n$/)
  assert.ok(cluster.clock.now() - started < 1_000_000)
  const [status, outstanding] = await ping(cluster, '-O -c 2 -W 1 10.36.0.77')
  assert.is(status, 1)
  assert.match(outstanding, /^no answer yet for icmp_seq=1$/m)
  assert.is((await ping(cluster, '-c 5 -w 1 10.39.0.0'))[0], 1)
})

test('-f shows what is not answered yet, and nothing with -q', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const sum = sums(3, 3, '0% packet loss, time Tms\n')
  const [, flood] = await ping(cluster, '-f -c 3 10.39.0.0')
  assert.match(flood, /data\.\n(\.\x08 \x08){3}\n--- /)
  const [, quiet] = await ping(cluster, '-q -f -c 3 10.39.0.0')
  assert.ok(quiet.startsWith(`PING 10.39.0.0 (10.39.0.0) 56(84) bytes of data.\n${sum}`), quiet)
})

test('-I names where it comes from', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  assert.match(
    (await ping(cluster, '-I eth0 -c 1 10.39.0.0'))[1],
    /^PING 10\.39\.0\.0 \(10\.39\.0\.0\) from 10\.36\.0\.0 eth0: 56\(84\) bytes of data\.\n/,
  )
  assert.match(
    (await ping(cluster, '-I 10.36.0.0 -c 1 10.39.0.0'))[1],
    / from 10\.36\.0\.0 : 56\(84\) bytes of data\.\n/,
  )
})

test('what it does not take', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  for (const [options, status, line] of [
    ['-c 0 10.39.0.0', 1, "ping: invalid argument: '0': out of range: 1 <= value <= 9223372036854775807"],
    ['-c x 10.39.0.0', 1, "ping: invalid argument: 'x'"],
    ['-t 300 10.39.0.0', 1, "ping: invalid argument: '300': out of range: 0 <= value <= 255"],
    ['-z 10.39.0.0', 2, "ping: invalid option -- 'z'"],
    ['-I nope 10.39.0.0', 2, 'ping: SO_BINDTODEVICE nope: No such device'],
    ['nosuch', 2, 'ping: nosuch: Name or service not known'],
    ['-6 10.39.0.0', 2, 'ping: 10.39.0.0: Address family for hostname not supported'],
    ['-q', 1, 'ping: usage error: Destination address required'],
  ] as const) {
    const [actual, text] = await ping(cluster, options)
    assert.equal([actual, text.split('\n')[0]], [status, line], options)
  }
})

test.run()
