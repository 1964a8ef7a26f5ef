// What can be done to the nodes of a running cluster, under both drivers and with a network thread for each node:
// commands on them, another mode of kube-proxy, worse wires.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { EmulationOptions, FlowEvent } from '../../src/drivers/emulation.js'
import { startEmulation } from '../../src/drivers/start.js'

const test = suite('nodes')

const drivers: readonly EmulationOptions[] = [
  { clock: 'virtual' },
  { clock: 'real' },
  { clock: 'real', networkThreads: 'per-node' },
]

for (const driver of drivers) {
  const name = Object.values(driver).join(', ')
  test(`${name}: kube-proxy changes its mode and leaves nothing behind`, async () => {
    await using emulation = await startEmulation({
      ...driver,
      cluster: { proxyMode: 'iptables', nodes: [{ name: 'a' }, { name: 'b', proxyMode: 'ipvs:wrr' }] },
    })
    await emulation.settle(60 * SECOND)
    assert.is(emulation.proxyMode('a'), 'iptables')
    assert.is(emulation.proxyMode('b'), 'ipvs:wrr')
    const onA = (script: string) => emulation.execOnNode('a', script)
    assert.match((await onA('iptables-save -t nat')).stdout, /-A KUBE-SERVICES -d 10\.96\.0\.10\/32 -p udp/)
    assert.match((await emulation.execOnNode('b', 'ipvsadm -Ln')).stdout, /UDP {2}10\.96\.0\.10:53 wrr/)
    assert.ok((await emulation.proxyStatistics('a')).rules > 20)
    await emulation.setProxyMode('nftables', 'a')
    await emulation.settle(60 * SECOND)
    assert.not.match((await onA('iptables-save')).stdout, /KUBE-/)
    assert.match((await onA('nft list ruleset')).stdout, /table ip kube-proxy/)
    await emulation.setProxyMode('userspace')
    await emulation.settle(60 * SECOND)
    assert.not.match((await onA('nft list ruleset')).stdout, /kube-proxy/)
    assert.not.match((await emulation.execOnNode('b', 'ipvsadm -Ln')).stdout, /10\.96/)
    assert.match((await onA('iptables-save')).stdout, /KUBE-PORTALS-CONTAINER/)
  })

  test(`${name}: a node's shell is on the node's network; its flows are told in kernel modes too`, async () => {
    await using emulation = await startEmulation({ ...driver, proxyMode: 'iptables' })
    const flows: FlowEvent[] = []
    emulation.onFlow((flow) => flows.push(flow))
    await emulation.settle(60 * SECOND)
    const { stdout, exitCode } = await emulation.execOnNode(
      'k8s-node1',
      'hostname; ip route | head -1; nc -z -w 3 10.96.0.10 53 && echo open',
    )
    assert.is(exitCode, 0)
    assert.is(stdout, 'k8s-node1\ndefault via 192.168.56.1 dev eth0 \nopen\n')
    const flow = flows.find(({ client }) => client.startsWith('192.168.56.11:'))
    assert.is(flow?.service, 'kube-system/kube-dns:dns-tcp')
    assert.match(flow?.endpoint ?? '', /^10\.244\.0\.\d+:53$/)
    await emulation.setLink({ node: 'k8s-node1' }, { lossRatio: 1 })
    const cut = await emulation.execOnNode('k8s-node1', 'ping -c 1 -W 1 192.168.56.10')
    assert.is(cut.exitCode, 1)
    await emulation.setLink({ node: 'k8s-node1' }, { lossRatio: 0 })
    assert.is((await emulation.execOnNode('k8s-node1', 'ping -c 1 -W 1 192.168.56.10')).exitCode, 0)
  })

  test(`${name}: unknown nodes and modes are refused`, async () => {
    await using emulation = await startEmulation(driver)
    const refusals: [() => Promise<unknown>, RegExp][] = [
      [() => emulation.setProxyMode('ipvs', 'x'), /no node x; nodes are k8s-master/],
      [() => emulation.setProxyMode('bpf'), /proxy mode bpf: known are userspace/],
      [() => emulation.setProxyMode('iptables:rr'), /only ipvs has schedulers/],
      [() => emulation.execOnNode('x', 'true'), /no node x/],
      [() => emulation.setLink({ node: 'x' }, {}), /no node x/],
    ]
    for (const [act, message] of refusals) {
      const error = await act().then(
        () => undefined,
        (failure: Error) => failure,
      )
      assert.instance(error, TypeError)
      assert.match(error?.message ?? '', message)
    }
  })
}

test.run()
