// Pods and nodes as machines: the bridge between pods, ports that come and go, routes to other nodes.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NEVER, SECOND } from '../../src/base/time.js'
import type { Host } from '../../src/host/host.js'
import { formatCidr, ipv4 } from '../../src/wire/address.js'
import { Lab } from '../support/hosts.js'

const test = suite('host')

function answers(lab: Lab, from: Host, to: string): boolean {
  const socket = from.stack.ping()
  socket.send(ipv4(to), 1, new Uint8Array(8))
  lab.run(5 * SECOND)
  const reply = socket.receive()
  socket.close()
  return reply?.type === 0
}

test('pods of a node speak over its bridge, which learns where each is; the node does not see their frames', () => {
  const lab = new Lab()
  const node = lab.node('node', '192.168.56.11/24', '10.36.0.1/16')
  const pods = ['10.36.0.0', '10.36.0.2', '10.36.0.3'].map((address) =>
    lab.pod(address, `${address}/16`, '10.36.0.1'),
  )
  for (const pod of pods) lab.plug(pod, node)
  assert.ok(answers(lab, pods[0]!, '10.36.0.3'))
  assert.equal(
    node.bridge.macs(lab.now).map((row) => row.port),
    [1, 2, 3],
  )
  assert.is(node.stack.counters.IpInReceives, 0)
  // The second pod sees what is for everyone: two greetings and one ARP request.
  assert.is(lab.frames.filter((line) => line.startsWith('node:2')).length, 3)
  assert.ok(answers(lab, pods[1]!, '10.36.0.1'))
  assert.equal(lab.faults, [])
})

test('an idle host waits for nothing', () => {
  const lab = new Lab()
  const node = lab.node('node', '192.168.56.11/24', '10.36.0.1/16')
  const pod = lab.pod('pod', '10.36.0.0/16', '10.36.0.1')
  assert.is(pod.deadline(), 0)
  lab.run(SECOND)
  assert.equal([node.deadline(), pod.deadline()], [NEVER, NEVER])
  assert.is(node.transmit(), undefined)
  assert.is(pod.transmit(), undefined)
})

test('a pod that is taken away is not reachable; the next one has its address at a new port', () => {
  const lab = new Lab()
  const node = lab.node('node', '192.168.56.11/24', '10.36.0.1/16')
  const pod = lab.pod('pod', '10.36.0.0/16', '10.36.0.1')
  lab.plug(pod, node)
  assert.ok(answers(lab, node, '10.36.0.0'))
  node.removePod(1)
  assert.not.ok(answers(lab, node, '10.36.0.0'))
  pod.stack.ping().send(ipv4('10.36.0.1'), 1, new Uint8Array(1))
  lab.run(SECOND)
  const next = lab.pod('next', '10.36.0.0/16', '10.36.0.1')
  lab.plug(next, node)
  // It says hello by ARP, so nobody goes on to send to the old one's MAC.
  lab.run(SECOND)
  assert.ok(answers(lab, node, '10.36.0.0'))
})

test('three nodes with a route to each other’s pods', () => {
  const lab = new Lab()
  const names = [0, 1, 2]
  const nodes = names.map((i) => {
    const routes = Object.fromEntries(
      names.filter((j) => j !== i).map((j) => [`10.244.${j}.0/24`, `192.168.56.1${j}`]),
    )
    return lab.node(`node${i}`, `192.168.56.1${i}/24`, `10.244.${i}.1/24`, routes)
  })
  lab.lan(...nodes)
  const pods = names.map((i) => {
    const pod = lab.pod(`pod${i}`, `10.244.${i}.2/24`, `10.244.${i}.1`)
    lab.plug(pod, nodes[i]!)
    return pod
  })
  for (const pod of pods) for (const i of names) assert.ok(answers(lab, pod, `10.244.${i}.2`))
  for (const i of names) assert.ok(answers(lab, nodes[0]!, `10.244.${i}.2`))
  assert.equal(
    nodes[0]!.stack.routes().map((route) => formatCidr(route.destination)),
    ['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24', '192.168.56.0/24'],
  )
  assert.equal(lab.faults, [])
})

test('two runs of the same world send the same frames', () => {
  const run = () => {
    const lab = new Lab()
    const node = lab.node('node', '192.168.56.11/24', '10.36.0.1/16')
    const pods = ['10.36.0.0', '10.36.0.2'].map((address) => lab.pod(address, `${address}/16`, '10.36.0.1'))
    for (const pod of pods) lab.plug(pod, node, { lossRatio: 0.1, delay: 100 })
    const listener = pods[1]!.stack.tcpListen({ address: 0, port: 80 })
    listener.onReady = () => listener.accept()?.write(new Uint8Array(5000))
    pods[0]!.stack.tcpConnect({ address: ipv4('10.36.0.2'), port: 80 })
    lab.run(60 * SECOND)
    return lab.frames
  }
  const frames = run()
  assert.ok(frames.length > 10)
  assert.equal(run(), frames)
})

test.run()
