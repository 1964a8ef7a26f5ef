// ip that changes addresses, links, routes and neighbours: what then holds on the stack, and the kernel's words where it
// does not. Texts are those of iproute2 6.1 on Linux 6.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TwoNodes } from './two-nodes.js'

const test = suite('ip changes')

const KERNEL = 'RTNETLINK answers: '

/** Runs `ip COMMAND` for each, in a pod that may change its network. */
function ipOf(cluster: TwoNodes): (command: string) => Promise<[status: number, text: string]> {
  cluster.isAdmin = true
  return async (command) => {
    const { status, stdout } = await cluster.run(`ip ${command}`)
    return [status, stdout]
  }
}

test('without CAP_NET_ADMIN nothing changes, but words are read first', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const before = (await cluster.run('ip addr')).stdout
  for (const command of [
    'addr add 1.2.3.4/24 dev eth0',
    'addr flush dev eth0',
    'link set eth0 down',
    'link add foo type dummy',
    'route add 10.50.0.0/16 via 10.36.255.254',
    'route del default',
    'neigh flush dev eth0',
    'neigh add 10.36.0.9 lladdr 02:00:00:00:00:09 dev eth0',
    'rule add from 1.2.3.4 table 100',
  ]) {
    const { status, stdout } = await cluster.run(`ip ${command}`)
    assert.equal([status, stdout], [2, `${KERNEL}Operation not permitted\n`], command)
  }
  assert.equal(
    await cluster.run('ip addr add 300.1.1.1/24 dev eth0').then(({ status, stdout }) => [status, stdout]),
    [1, 'Error: any valid prefix is expected rather than "300.1.1.1/24".\n'],
  )
  assert.is((await cluster.run('ip addr')).stdout, before)
})

test('addresses come with the route to their prefix and go with it', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const ip = ipOf(cluster)
  assert.equal(await ip('addr add 1.2.3.4/24 dev eth0'), [0, ''])
  assert.equal(await ip('addr add 1.2.3.4/24 dev eth0'), [2, 'Error: ipv4: Address already assigned.\n'])
  assert.equal(await ip('addr replace 1.2.3.4/24 dev eth0'), [0, ''])
  assert.equal(await ip('addr add 1.2.3.5/24 dev eth0'), [0, ''])
  assert.match(
    (await ip('addr show to 1.2.3.0/24'))[1],
    /inet 1\.2\.3\.5\/24 brd 1\.2\.3\.255 scope global secondary eth0\n/,
  )
  assert.equal(await ip('route show 1.2.3.0/24'), [
    0,
    '1.2.3.0/24 dev eth0 proto kernel scope link src 1.2.3.4 \n',
  ])
  assert.equal((await ip('route get 1.2.3.9'))[1], '1.2.3.9 dev eth0 src 1.2.3.4 uid 0 \n    cache \n')
  assert.is((await cluster.run('ping -c 1 1.2.3.4')).status, 0)
  // The second of its prefix goes with the first.
  assert.equal(await ip('addr del 1.2.3.4/24 dev eth0'), [0, ''])
  assert.equal(await ip('addr show to 1.2.3.0/24'), [0, ''])
  assert.equal(await ip('route show 1.2.3.0/24'), [0, ''])
  assert.equal(await ip('addr del 1.2.3.4/24 dev eth0'), [2, 'Error: ipv4: Address not found.\n'])
  assert.equal(await ip('addr add 1.2.3.4/24'), [1, 'Not enough information: "dev" argument is required.\n'])
  assert.equal(await ip('addr add 1.2.3.4/24 dev nope'), [1, 'Cannot find device "nope"\n'])
  assert.equal(await ip('addr foo'), [255, 'Command "foo" is unknown, try "ip address help".\n'])
  // The way to others goes with the last address.
  assert.equal(await ip('addr flush dev eth0'), [0, ''])
  assert.equal(await ip('route'), [0, ''])
  assert.equal(await ip('addr add 10.36.0.0/16 dev eth0'), [0, ''])
  assert.equal(await ip('route add default via 10.36.255.254'), [0, ''])
  assert.is((await cluster.run('ping -c 1 10.39.0.0')).status, 0)
})

test('a link that is down loses its routes, and has those of its addresses again when it is up', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const ip = ipOf(cluster)
  await cluster.run('ping -c 1 10.39.0.0')
  assert.equal(await ip('link set dev eth0 down'), [0, ''])
  assert.equal(await ip('-br link show eth0'), [
    0,
    'eth0             DOWN           02:00:00:00:02:00 <BROADCAST,MULTICAST> \n',
  ])
  assert.equal(
    [await ip('route'), await ip('neigh')],
    [
      [0, ''],
      [0, ''],
    ],
  )
  assert.match((await cluster.run('ping -c 1 10.39.0.0')).stdout, /Network (is )?unreachable/)
  assert.equal(await ip('route add 10.80.0.0/16 dev eth0'), [2, 'Error: Device for nexthop is not up.\n'])
  assert.equal(await ip('link set eth0 up'), [0, ''])
  assert.equal(await ip('route'), [0, '10.36.0.0/16 dev eth0 proto kernel scope link src 10.36.0.0 \n'])
  assert.equal(await ip('link set eth0 mtu 1400'), [0, ''])
  assert.match((await ip('link show eth0'))[1], / mtu 1400 /)
  assert.equal(await ip('link set eth0 mtu 10'), [2, 'Error: mtu less than device minimum.\n'])
  assert.equal(await ip('link set eth0 mtu 99999999'), [2, 'Error: mtu greater than device maximum.\n'])
  assert.equal(await ip('link set eth0 mtu'), [255, 'Command line is not complete. Try option "help"\n'])
  assert.equal(await ip('link set nope up'), [1, 'Cannot find device "nope"\n'])
  assert.equal(await ip('link set eth0 foo'), [
    255,
    'Error: either "dev" is duplicate, or "foo" is a garbage.\n',
  ])
  assert.equal(await ip('link set eth0 name lan0'), [2, `${KERNEL}Operation not supported\n`])
})

test('routes: added, found, replaced, removed', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const ip = ipOf(cluster)
  const gateway = '10.36.255.254'
  assert.equal(await ip(`route add default via ${gateway}`), [2, `${KERNEL}File exists\n`])
  assert.equal(await ip('route add 10.50.0.0/16 via 10.9.9.9'), [2, 'Error: Nexthop has invalid gateway.\n'])
  assert.equal(await ip(`route add 10.50.0.0/16 via ${gateway}`), [0, ''])
  assert.equal(await ip('route add 10.50.0.0/16 dev eth0 metric 50'), [0, ''])
  assert.equal(await ip('route add 10.51.0.1 dev eth0'), [0, ''])
  assert.equal(await ip('route add 10.52.0.0/16 dev eth0 src 10.36.0.0 proto static'), [0, ''])
  assert.equal(await ip(`route add 10.50.1.1/16 via ${gateway}`), [
    2,
    'Error: Invalid prefix for given prefix length.\n',
  ])
  assert.equal(await ip('route'), [
    0,
    [
      `default via ${gateway} dev eth0 `,
      '10.36.0.0/16 dev eth0 proto kernel scope link src 10.36.0.0 ',
      `10.50.0.0/16 via ${gateway} dev eth0 `,
      '10.50.0.0/16 dev eth0 scope link metric 50 ',
      '10.51.0.1 dev eth0 scope link ',
      '10.52.0.0/16 dev eth0 proto static scope link src 10.36.0.0 ',
      '',
    ].join('\n'),
  ])
  assert.equal(await ip('route show dev eth0 scope link proto kernel'), [0, '10.36.0.0/16 src 10.36.0.0 \n'])
  assert.equal(await ip('route show to match 8.8.8.8'), [0, `default via ${gateway} dev eth0 \n`])
  assert.equal(await ip('route show default'), [0, `default via ${gateway} dev eth0 \n`])
  assert.equal(await ip('route show dev nope'), [1, 'Cannot find device "nope"\n'])
  assert.equal(await ip('-j route get 10.36.0.9'), [
    0,
    '[{"dst":"10.36.0.9","dev":"eth0","prefsrc":"10.36.0.0","flags":[],"uid":0,"cache":[]}]\n',
  ])
  assert.match(
    (await ip('route get 10.36.255.255'))[1],
    /^broadcast 10\.36\.255\.255 dev eth0 .* cache <local,brd> \n$/s,
  )
  for (const removed of [true, true, false]) {
    const expected = removed ? [0, ''] : [2, `${KERNEL}No such process\n`]
    assert.equal(await ip('route del 10.50.0.0/16'), expected)
  }
  assert.equal(await ip(`route replace 10.51.0.1 via ${gateway}`), [0, ''])
  assert.equal(await ip('route show 10.51.0.1'), [0, `10.51.0.1 via ${gateway} dev eth0 \n`])
  assert.equal(await ip(`route change 10.99.0.0/16 via ${gateway}`), [
    2,
    `${KERNEL}No such file or directory\n`,
  ])
  assert.equal(await ip('route add 10.70.0.0/16'), [2, `${KERNEL}No such device\n`])
  assert.equal(await ip('route add foo via 10.36.0.9'), [
    1,
    'Error: any valid prefix is expected rather than "foo".\n',
  ])
  assert.equal(await ip('route add 10.71.0.0/16 via foo'), [
    1,
    'Error: inet address is expected rather than "foo".\n',
  ])
  assert.equal(await ip('route flush 10.52.0.0/16'), [0, ''])
  assert.equal(await ip('route del default'), [0, ''])
  assert.equal(await ip('route get 8.8.8.8'), [2, `${KERNEL}Network is unreachable\n`])
})

test('neighbours by hand: packets go to them, what is learnt does not change them', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const ip = ipOf(cluster)
  assert.equal(await ip('neigh add 10.36.0.9 lladdr 02:00:00:00:00:09 dev eth0'), [0, ''])
  assert.equal(await ip('neigh'), [0, '10.36.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT \n'])
  assert.equal(await ip('neigh add 10.36.0.9 lladdr 02:00:00:00:00:09 dev eth0'), [
    2,
    `${KERNEL}File exists\n`,
  ])
  const targets: string[] = []
  cluster.onClientFrame = (frame) => {
    if (frame[12] === 8 && frame[13] === 0) targets.push(Buffer.from(frame.subarray(0, 6)).toString('hex'))
  }
  await cluster.run('ping -c 1 -W 1 10.36.0.9')
  assert.equal(targets, ['020000000009'])
  // The gateway by a wrong address: nothing arrives any more.
  assert.equal(await ip('neigh replace 10.36.255.254 lladdr 02:00:00:00:00:09 dev eth0'), [0, ''])
  assert.is((await cluster.run('ping -c 1 -W 1 10.39.0.0')).status, 1)
  assert.equal(await ip('neigh flush dev eth0'), [0, ''])
  assert.equal(await ip('neigh show nud permanent 10.36.0.9'), [
    0,
    '10.36.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT \n',
  ])
  assert.equal(await ip('neigh del 10.36.255.254 dev eth0'), [0, ''])
  assert.is((await cluster.run('ping -c 1 -W 1 10.39.0.0')).status, 0)
  assert.equal(await ip('neigh del 10.36.0.55 dev eth0'), [2, `${KERNEL}No such file or directory\n`])
  assert.equal(await ip('neigh add 10.36.0.8 dev eth0'), [2, 'Error: No link layer address given.\n'])
  assert.equal(await ip('neigh add 10.36.0.8 lladdr zz dev eth0'), [1, '"zz" is invalid lladdr.\n'])
  assert.equal(await ip('neigh add 10.36.0.8'), [255, 'Device and destination are required arguments.\n'])
  assert.equal(await ip('neigh flush'), [1, 'Flush requires arguments.\n'])
})

test('rules are those of a kernel without others', async () => {
  const ip = ipOf(new TwoNodes({ delay: 300 }))
  assert.equal(await ip('-6 rule'), [0, '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n'])
  assert.equal(await ip('-j -6 rule show'), [
    0,
    '[{"priority":0,"src":"all","table":"local"},{"priority":32766,"src":"all","table":"main"}]\n',
  ])
  assert.equal(await ip('rule add from 1.2.3.4 table 100'), [2, `${KERNEL}Operation not supported\n`])
})

test.run()
