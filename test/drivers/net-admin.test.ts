// CAP_NET_ADMIN in pods: a container that was given it changes the network that the pod's containers share, as the
// packets show; the others are refused.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { up } from '../../src/index.js'

const MANIFESTS = `
apiVersion: v1
kind: Pod
metadata: { name: router }
spec:
  nodeName: k8s-node1
  containers:
    - { name: plain, image: busybox, command: [sleep, "100000"] }
    - name: added
      image: busybox
      command: [sleep, "100000"]
      securityContext: { capabilities: { drop: [ALL], add: [NET_ADMIN] } }
    - { name: privileged, image: busybox, command: [sleep, "100000"], securityContext: { privileged: true } }
---
apiVersion: v1
kind: Pod
metadata: { name: client }
spec: { nodeName: k8s-node2, containers: [{ name: c, image: busybox, command: [sleep, "100000"] }] }
`

const test = suite('CAP_NET_ADMIN in pods')

test('is what ip needs', async () => {
  await using cluster = await up([], { seed: 7 })
  await cluster.apply(MANIFESTS)
  await cluster.settle()
  const ip = async (container: string, command: string) => {
    const { stdout } = await cluster.kubectl(
      `exec router -c ${container} -- sh -c '${command} 2>&1; echo $?'`,
    )
    return stdout
  }
  assert.is(
    await ip('plain', 'ip addr add 10.9.9.9/32 dev eth0'),
    'RTNETLINK answers: Operation not permitted\n2\n',
  )
  assert.is(await ip('added', 'ip addr add 10.9.9.9/32 dev eth0'), '0\n')
  assert.match(await ip('plain', 'ip addr show eth0'), /inet 10\.9\.9\.9\/32 scope global eth0/)
  const { stdout: address } = await cluster.kubectl('get pod client -o jsonpath={.status.podIP}')
  assert.match(await ip('plain', `ping -c 1 ${address}`), /1 packets received(.*\n)*0\n$/)
  assert.is(await ip('privileged', 'ip route del default'), '0\n')
  assert.match(await ip('plain', `ping -c 1 ${address}`), /Network unreachable\n1\n$/)
})

test.run()
