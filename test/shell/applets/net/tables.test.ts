// ip, ifconfig, ss and netstat: tables of what the stack knows, in the forms of the real programs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SocketRow } from '../../../../src/stack/socket.js'
import { ip, ipv4 } from '../../../../src/wire/address.js'
import { NO_TRAFFIC } from '../../../support/name-network.js'
import { FakePod } from './fake-pod.js'

const test = suite('network tables')

function pod(): FakePod {
  const pod = new FakePod()
  const common = { mtuBytes: 1500, up: true, ...NO_TRAFFIC }
  pod.interfaceRows = [
    {
      index: 1,
      name: 'lo',
      mac: '00:00:00:00:00:00',
      mtuBytes: 65536,
      loopback: true,
      up: true,
      addresses: ['127.0.0.1/8'],
      ...NO_TRAFFIC,
    },
    {
      index: 2,
      name: 'eth0',
      mac: '02:00:0a:24:00:00',
      loopback: false,
      addresses: ['10.36.0.0/16'],
      ...common,
    },
  ]
  pod.routeRows = [
    { family: 'IPv4', destination: 'default', gateway: '10.36.0.1', device: 'eth0', scope: 'global' },
    {
      family: 'IPv4',
      destination: '10.36.0.0/16',
      device: 'eth0',
      source: '10.36.0.0',
      scope: 'link',
      protocol: 'kernel',
    },
  ]
  const row = (
    protocol: 'tcp' | 'udp',
    state: SocketRow['state'],
    local: [string, number],
    remote: [string, number],
  ): SocketRow => ({
    protocol,
    state,
    receiveQueue: 0,
    sendQueue: state === 'LISTEN' ? 128 : 0,
    local: { address: ipv4(local[0]), port: local[1] },
    remote: { address: ipv4(remote[0]), port: remote[1] },
  })
  pod.socketRows = [
    row('tcp', 'LISTEN', ['0.0.0.0', 80], ['0.0.0.0', 0]),
    row('tcp', 'ESTABLISHED', ['10.36.0.0', 80], ['10.244.1.5', 40000]),
    row('tcp', 'TIME-WAIT', ['10.36.0.0', 80], ['10.244.1.5', 40001]),
    row('tcp', 'FIN-WAIT-2', ['10.36.0.0', 80], ['10.244.1.5', 40002]),
    row('udp', 'UNCONN', ['0.0.0.0', 53], ['0.0.0.0', 0]),
  ]
  return pod
}

test('ip addr, by any abbreviation and for one device', async () => {
  const eth0 = `2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 02:00:0a:24:00:00 brd ff:ff:ff:ff:ff:ff
    inet 10.36.0.0/16 brd 10.36.255.255 scope global eth0
       valid_lft forever preferred_lft forever
`
  const lo = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
`
  // With a family links are not described.
  assert.is((await pod().run('ip -4 address show')).stdout, (lo + eth0).replaceAll(/ {4}link.*\n/g, ''))
  for (const command of ['ip addr', 'ip a', 'ip a s'])
    assert.is((await pod().run(command)).stdout, lo + eth0, command)
  for (const command of ['ip addr show eth0', 'ip a s dev eth0', 'ip addr ls eth0'])
    assert.is((await pod().run(command)).stdout, eth0, command)
  const link = eth0.split('\n').slice(0, 2).join('\n').replace(' group', ' mode DEFAULT group')
  assert.is((await pod().run('ip link show eth0')).stdout, `${link}\n`)
  assert.is(
    (await pod().run('ip -o addr show eth0')).stdout,
    '2: eth0    inet 10.36.0.0/16 brd 10.36.255.255 scope global eth0\\       valid_lft forever preferred_lft forever\n',
  )
  assert.is(
    (await pod().run('ip -br a')).stdout.split('\n')[1],
    'eth0             UP             10.36.0.0/16 ',
  )
})

test('ip route, ip route get, ip neigh', async () => {
  assert.is(
    (await pod().run('ip route')).stdout,
    'default via 10.36.0.1 dev eth0 \n10.36.0.0/16 dev eth0 proto kernel scope link src 10.36.0.0 \n',
  )
  const get = async (address: string) => (await pod().run(`ip route get ${address}`)).stdout
  assert.is(await get('10.97.98.36'), '10.97.98.36 via 10.36.0.1 dev eth0 src 10.36.0.0 uid 0 \n    cache \n')
  assert.is(await get('10.36.0.9'), '10.36.0.9 dev eth0 src 10.36.0.0 uid 0 \n    cache \n')
  assert.is(await get('10.36.0.0'), 'local 10.36.0.0 dev lo src 10.36.0.0 uid 0 \n    cache <local> \n')
  assert.is(
    (await pod().run('ip n')).stdout,
    '10.36.0.1 dev eth0 lladdr 02:00:0a:24:00:01 REACHABLE \n10.36.0.9 dev eth0 FAILED \n',
  )
})

test('ip refuses what it does not know and what a pod may not do', async () => {
  const fails = async (command: string) => {
    const { status, stderr } = await pod().run(command)
    return [status, stderr]
  }
  assert.equal(await fails('ip foo'), [1, 'Object "foo" is unknown, try "ip help".\n'])
  assert.equal(await fails('ip link show nope'), [1, 'Device "nope" does not exist.\n'])
  assert.equal(await fails('ip addr add 1.2.3.4/8 dev eth0'), [
    2,
    'RTNETLINK answers: Operation not permitted\n',
  ])
  assert.equal(await fails('ip -x addr'), [255, 'Option "-x" is unknown, try "ip -help".\n'])
  assert.equal((await fails('ip'))[0], 255)
})

test('ifconfig', async () => {
  const counters = (
    packets: string,
    bytes: string,
  ) => `          RX packets:${packets} errors:0 dropped:0 overruns:0 frame:0
          TX packets:${packets} errors:0 dropped:0 overruns:0 carrier:0
          collisions:0 txqueuelen:1000 
          RX bytes:${bytes}  TX bytes:${bytes}`
  const counted = pod()
  counted.interfaceRows = counted.interfaceRows.map((row) => ({
    ...row,
    receivedFrames: 3,
    sentFrames: 3,
    receivedBytes: 1_572_864,
    sentBytes: 1_572_864,
  }))
  assert.ok((await counted.run('ifconfig')).stdout.includes(counters('3', '1572864 (1.5 MiB)')))
  const eth0 = `eth0      Link encap:Ethernet  HWaddr 02:00:0A:24:00:00  
          inet addr:10.36.0.0  Bcast:10.36.255.255  Mask:255.255.0.0
          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1
${counters('0', '0 (0.0 B)')}

`
  const lo = `lo        Link encap:Local Loopback  
          inet addr:127.0.0.1  Mask:255.0.0.0
          UP LOOPBACK RUNNING  MTU:65536  Metric:1
${counters('0', '0 (0.0 B)')}

`
  assert.is((await pod().run('ifconfig')).stdout, eth0 + lo)
  assert.is((await pod().run('ifconfig eth0')).stdout, eth0)
  assert.is((await pod().run('ifconfig nope')).status, 1)
})

test('ss puts IPv6 addresses into brackets, -4 and -6 show one family; netstat names it', async () => {
  const own = pod()
  const listener = { protocol: 'tcp', state: 'LISTEN', receiveQueue: 0, sendQueue: 128 } as const
  const any = (address: string, port: number) => ({ address: ip(address), port })
  own.socketRows = [
    { ...listener, local: any('::', 80), remote: any('::', 0) },
    { ...listener, local: any('0.0.0.0', 80), remote: any('0.0.0.0', 0) },
    {
      ...listener,
      state: 'ESTABLISHED',
      sendQueue: 0,
      local: any('fd00::2', 80),
      remote: any('fd00::3', 40000),
    },
  ]
  const lines = async (command: string) =>
    (await own.run(command)).stdout.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '))
  const four = 'LISTEN 0 128 0.0.0.0:80 0.0.0.0:*'
  const six = ['LISTEN 0 128 [::]:80 [::]:*', 'ESTAB 0 0 [fd00::2]:80 [fd00::3]:40000']
  assert.equal(await lines('ss -tanH'), [six[0], four, six[1], ''])
  assert.equal(await lines('ss -tanH6'), [...six, ''])
  assert.equal(await lines('ss -tanH -4'), [four, ''])
  assert.equal((await lines('netstat -tln')).slice(2), [
    'tcp 0 128 0.0.0.0:80 0.0.0.0:* LISTEN',
    'tcp 0 128 :::80 :::* LISTEN',
    '',
  ])
})

test('ss shows connections, with -l listeners, with -a all', async () => {
  assert.is(
    (await pod().run('ss -tan')).stdout,
    [
      'State      Recv-Q Send-Q Local Address:Port Peer Address:Port Process',
      'LISTEN     0      128          0.0.0.0:80        0.0.0.0:*           ',
      'ESTAB      0      0          10.36.0.0:80     10.244.1.5:40000       ',
      'TIME-WAIT  0      0          10.36.0.0:80     10.244.1.5:40001       ',
      'FIN-WAIT-2 0      0          10.36.0.0:80     10.244.1.5:40002       ',
      '',
    ].join('\n'),
  )
  const states = async (command: string) =>
    (await pod().run(`${command} -H`)).stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ +/)[0])
  assert.equal(await states('ss -tn'), ['ESTAB', 'FIN-WAIT-2'])
  assert.equal(await states('ss -tln'), ['LISTEN'])
  assert.equal(await states('ss -tuln'), ['tcp', 'udp'])
  assert.equal(await states('ss -t state time-wait state listening'), ['LISTEN', 'TIME-WAIT'])
  assert.equal(await states('ss -t exclude connected'), ['LISTEN', 'TIME-WAIT'])
  // With one state the column goes without saying.
  assert.match(
    (await pod().run('ss -tn state time-wait')).stdout,
    /^Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n0 {6}0 /,
  )
  assert.is((await pod().run('ss -y')).status, 255)
})

test('ss -o tells times as iproute2 does; -s counts', async () => {
  const own = pod()
  const timers = [
    [{ kind: 'on', left: 204_000, times: 2 }, '(on,204ms,2)'],
    [{ kind: 'persist', left: 1_200_000, times: 0 }, '(persist,1.200ms,0)'],
    [{ kind: 'timewait', left: 59_400_000, times: 0 }, '(timewait,59sec,0)'],
    [{ kind: 'keepalive', left: 7_198_000_000, times: 0 }, '(keepalive,119min,0)'],
    [{ kind: 'keepalive', left: 123_000_000, times: 0 }, '(keepalive,2min3sec,0)'],
  ] as const
  for (const [timer, text] of timers) {
    own.socketRows = [{ ...own.socketRows.find(({ protocol }) => protocol === 'tcp')!, timer }]
    assert.ok((await own.run('ss -tanoH')).stdout.endsWith(` timer:${text}\n`), text)
  }
  assert.is(
    (await pod().run('ss -s')).stdout,
    [
      'Total: 4',
      'TCP:   4 (estab 1, closed 1, orphaned 1, timewait 1)',
      '',
      'Transport Total     IP        IPv6',
      'RAW\t  0         0         0        ',
      'UDP\t  1         1         0        ',
      'TCP\t  3         3         0        ',
      'INET\t  4         4         0        ',
      'FRAG\t  0         0         0        ',
      '',
      '',
    ].join('\n'),
  )
})

test('ss filters by ports and addresses of either end', async () => {
  const peers = async (expression: string) =>
    [...(await pod().run(`ss -tanH ${expression}`)).stdout.matchAll(/(\d+|\*) *$/gm)].map(([, port]) => port)
  for (const [expression, ports] of [
    ['sport = :80', ['*', '40000', '40001', '40002']],
    ['sport = http and dport >= :40001', ['40001', '40002']],
    ['state established ( dport = :40000 or dport = 40002 )', ['40000']],
    ['dport = :40000 or dport eq :40002', ['40000', '40002']],
    ['not dport = 40000', ['*', '40001', '40002']],
    ['dport != :40000 dport > 0', ['40001', '40002']],
    ['src 10.36.0.0/16', ['40000', '40001', '40002']],
    ['dst 10.244.1.5:40001', ['40001']],
    ['dst 10.244.1.6', []],
    ['src :81', []],
  ] as const)
    assert.equal(await peers(expression), ports, expression)
  for (const [expression, status, message] of [
    ['sport', 255, 'ss: bison bellows (while parsing filter): "syntax error!" Sorry.'],
    ['( sport = 80', 255, 'ss: bison bellows (while parsing filter): "syntax error!" Sorry.'],
    ['sport = :abc', 1, 'Error: "abc" does not look like a port.\nCannot parse dst/src address.'],
    ['foo', 1, 'Error: an inet prefix is expected rather than "foo".\nCannot parse dst/src address.'],
    ['state foo', 255, 'ss: wrong state name: foo'],
  ] as const) {
    const result = await pod().run(`ss -tan ${expression}`)
    assert.is(result.status, status, expression)
    assert.ok(result.stderr.startsWith(`${message}\n`), result.stderr)
  }
})

test('netstat', async () => {
  assert.is(
    (await pod().run('netstat -tuln')).stdout,
    `Active Internet connections (only servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       
tcp        0    128 0.0.0.0:80              0.0.0.0:*               LISTEN      
udp        0      0 0.0.0.0:53              0.0.0.0:*                           
`,
  )
  const connected = (await pod().run('netstat -tn')).stdout.split('\n').slice(2, -1)
  assert.equal(
    connected.map((line) => line.trim().split(/ +/).at(-1)),
    ['ESTABLISHED', 'TIME_WAIT', 'FIN_WAIT2'],
  )
  assert.is(
    (await pod().run('netstat -rn')).stdout.split('\n')[2],
    '0.0.0.0         10.36.0.1       0.0.0.0         UG        0 0          0 eth0',
  )
})

test.run()
