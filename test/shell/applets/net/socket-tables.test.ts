// ss and netstat on a stack with processes: whose sockets they are, timers, TCP's figures, sums, counters.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../../../src/base/time.js'
import { nodeTools } from '../../../../src/shell/applets/net/index.js'
import { TwoNodes } from './two-nodes.js'

const test = suite('sockets of processes')

test('ss -p and netstat -p name the process, as long as it is there', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const end = cluster.background('nc -l -p 99')
  await cluster.pass(SECOND)
  const listening = await cluster.run('ss -tlnp')
  assert.is(
    listening.stdout,
    [
      'State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess',
      'LISTEN 0      511          0.0.0.0:99        0.0.0.0:*    users:(("nc",pid=1,fd=3))',
      '',
    ].join('\n'),
  )
  assert.match(
    (await cluster.run('netstat -tlnp')).stdout,
    /^Active Internet connections \(only servers\)\nProto .* PID\/Program name {4}\ntcp {8}0 {4}511 0\.0\.0\.0:99 {14}0\.0\.0\.0:\* {15}LISTEN {6}1\/nc -l -p 99\n$/,
  )
  assert.match(
    (await cluster.run('netstat -tlnp', nodeTools)).stdout,
    / State {7}PID\/Program name {4}\ntcp {8}0 {4}511 0\.0\.0\.0:99 {14}0\.0\.0\.0:\* {15}LISTEN {6}1\/nc {16}\n$/,
  )
  end()
  await cluster.pass(SECOND)
  assert.is((await cluster.run('ss -tlnpH')).stdout, '')
})

test('a connection that waits shows its timer and its figures', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const end = cluster.background('nc 10.39.0.77 80')
  await cluster.pass(SECOND / 2)
  const waiting = (await cluster.run('ss -tnoH state syn-sent')).stdout
  assert.match(waiting, /^0 {6}0 {6}10\.36\.0\.0:\d+ 10\.39\.0\.77:80 timer:\(on,(\d+ms|1sec),0\)\n$/)
  assert.match(
    (await cluster.run('ss -tniOH state syn-sent')).stdout,
    / reno wscale:0,\d+ rto:1000 mss:\d+ cwnd:\d+ unacked:1 snd_wnd:0\n$/,
  )
  const summary = (await cluster.run('ss -s')).stdout.split('\n')
  assert.equal(summary.slice(0, 2), ['Total: 1', 'TCP:   1 (estab 0, closed 0, orphaned 0, timewait 0)'])
  assert.is(summary[6], 'TCP\t  1         1         0        ')
  end()
})

test('netstat of nodes: interfaces and what the stack has counted', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  await cluster.run('ping -c 2 10.39.0.0')
  const interfaces = (await cluster.run('netstat -i', nodeTools)).stdout
  assert.match(
    interfaces,
    /^Kernel Interface table\nIface {13}MTU {4}RX-OK RX-ERR RX-DRP RX-OVR {4}TX-OK TX-ERR TX-DRP TX-OVR Flg\n/,
  )
  // Two answers and two requests, and ARP's.
  assert.match(interfaces, /^eth0 {13}1500 {8}[34] {6}0 {6}0 {1,6}0 {6,8}[34] {6}0 {6}0 {6}0 BMRU$/m)
  const counted = (await cluster.run('netstat -s', nodeTools)).stdout
  assert.match(
    counted,
    /^Icmp:\n {4}2 ICMP messages received\n {4}0 input ICMP message failed\n {4}2 ICMP messages sent$/m,
  )
  assert.match(counted, /^Ip:\n {4}2 total packets received\n {4}0 forwarded\n/)
})

test.run()
