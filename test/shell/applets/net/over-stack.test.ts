// The network programs on real packets: two nodes, a pod on each, nothing faked but the clock; and what tshark says
// of the capture.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concatBytes } from '../../../../src/base/bytes.js'
import { BODY, TwoNodes } from './two-nodes.js'

const test = suite('network programs over the stack')

test('curl gets every byte, over a line that loses, reorders and repeats', async () => {
  const bad = { delay: 300, lossRatio: 0.05, reorderRatio: 0.05, duplicateRatio: 0.02, corruptRatio: 0.01 }
  for (const lan of [{ delay: 300 }, bad]) {
    const { status, stdout } = await new TwoNodes(lan).run('curl -sS http://10.39.0.0/date.txt')
    assert.is(status, 0)
    assert.ok(stdout === BODY, `${stdout.length} bytes`)
  }
})

test('two runs of one seed are the same to the byte of the capture', async () => {
  const run = async () => {
    const cluster = new TwoNodes({ delay: 300, jitter: 200, lossRatio: 0.05 })
    await cluster.run('curl -s http://10.39.0.0/')
    return concatBytes(cluster.chunks)
  }
  const [first, second] = [await run(), await run()]
  assert.ok(first.length > BODY.length)
  assert.ok(Buffer.compare(first, second) === 0)
})

test('ping crosses two routers, traceroute names them, a closed port refuses', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const ping = await cluster.run('ping -c 2 10.39.0.0')
  assert.match(ping.stdout, /64 bytes from 10\.39\.0\.0: seq=1 ttl=62 time=0\.680 ms\n/)
  const trace = await cluster.run('traceroute -n -q 1 10.39.0.0')
  assert.equal(
    trace.stdout.split('\n').map((line) => line.trim().split(/ +/).slice(0, 2).join(' ')),
    ['traceroute to', '1 10.36.255.254', '2 192.168.56.12', '3 10.39.0.0', ''],
  )
  const refused = await cluster.run('curl -sS http://10.39.0.0:81/')
  assert.equal(
    [refused.status, refused.stdout],
    [7, "curl: (7) Failed to connect to 10.39.0.0 port 81 after 1 ms: Couldn't connect to server\n"],
  )
  assert.is((await cluster.run('nc -z 10.39.0.0 80')).status, 0)
})

test('the tables are those of the stack', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  await cluster.run('curl -s -o /dev/null http://10.39.0.0/')
  assert.match(
    (await cluster.run('ip addr show eth0')).stdout,
    /^2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 /,
  )
  assert.match((await cluster.run('ip -br a')).stdout, /^eth0 +UP +10\.36\.0\.0\/16 $/m)
  assert.is(
    (await cluster.run('ip route')).stdout,
    'default via 10.36.255.254 dev eth0 \n10.36.0.0/16 dev eth0 proto kernel scope link src 10.36.0.0 \n',
  )
  assert.match(
    (await cluster.run('ip neigh')).stdout,
    /^10\.36\.255\.254 dev eth0 lladdr [0-9a-f:]{17} REACHABLE $/m,
  )
  assert.match((await cluster.run('netstat -tn')).stdout, /^tcp +0 +0 10\.36\.0\.0:\d+ +10\.39\.0\.0:80 /m)
})

const checkedByTshark = async () => {
  // One interface: tshark takes a segment that it sees at several hops for one sent again.
  const cluster = new TwoNodes({ delay: 300 }, ['client/eth0'])
  for (const command of [
    'curl -s http://10.39.0.0/',
    'ping -c 2 10.39.0.0',
    'traceroute -I 10.39.0.0',
    'traceroute 10.39.0.0',
    'nc -z 10.39.0.0 81',
  ])
    await cluster.run(command)
  const directory = mkdtempSync(join(tmpdir(), 'podwire-over-stack-'))
  try {
    const file = join(directory, 'all.pcapng')
    writeFileSync(file, concatBytes(cluster.chunks))
    const checks = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`])
    const count = (filter: string) => {
      const { stdout, stderr } = spawnSync('tshark', ['-n', '-r', file, ...checks, '-Y', filter], {
        encoding: 'utf8',
      })
      assert.not.match(stderr, /isn't a valid|error/i)
      return stdout.split('\n').length - 1
    }
    assert.ok(count('tcp.checksum.status == 1') > 100)
    assert.is(
      count('icmp.type == 8 && frame.interface_name == "client/eth0" && frame.packet_flags_direction == 2'),
      2 + 9,
    )
    assert.is(count('udp.checksum.status == 1 && !icmp'), 9)
    const wrong =
      '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || icmp.checksum.status == 0 || (udp.checksum.status == 0 && !icmp)'
    assert.is(count(`${wrong} || tcp.analysis.lost_segment || tcp.analysis.retransmission`), 0)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

if (spawnSync('tshark', ['--version']).status === 0)
  test('tshark finds nothing wrong in the capture', checkedByTshark)
else
  test.skip('tshark finds nothing wrong in the capture (skipped: there is no tshark here)', checkedByTshark)

test.run()
