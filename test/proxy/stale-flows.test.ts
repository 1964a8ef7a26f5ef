// UDP clients that keep sending from one port while the endpoints behind their service change.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StubHosts } from '../../src/conformance/stub-hosts.js'
import { formatEndpoint, ipv4 } from '../../src/wire/address.js'
import { service, slice } from '../support/cluster-objects.js'
import { proxyNode } from '../support/proxy-node.js'

const test = suite('stale UDP flows')
const PORTS = [{ name: 'dns', port: 53, protocol: 'UDP' as const }]
const CLIENT = { address: ipv4('203.0.113.2'), port: 40_000 }

function lab() {
  const node = proxyNode('iptables')
  const { stack, netfilter } = node.host
  const eth0 = stack.interfaces().find(({ name }) => name === 'eth0')!
  const wire = new StubHosts(0x5254_0000_0002, eth0.mac, (address) => stack.isLocal(address))
  node.apply(
    service('dns', {
      type: 'NodePort',
      clusterIP: '172.30.0.10',
      ports: [{ ...PORTS[0]!, nodePort: 30_053 }],
    }),
  )
  return {
    node,
    /** Sends a datagram from always the same port; where its flow leads now. */
    send(to: string, port = 53): string | undefined {
      const destination = { address: ipv4(to), port }
      wire.open('UDP', CLIENT, destination)
      stack.receive(eth0.index, wire.transmit()!.frame, stack.now)
      while (stack.transmit() !== undefined);
      const flow = netfilter
        .flows()
        .find(
          ({ original }) => original.destination === destination.address && original.sourcePort === 40_000,
        )
      return flow && formatEndpoint({ address: flow.reply.source, port: flow.reply.sourcePort })
    },
    endpoints: (...addresses: string[]) => node.apply(slice('dns', addresses, PORTS)),
  }
}

test('a flow moves to another endpoint when its own is gone', () => {
  const { send, endpoints } = lab()
  endpoints('10.181.0.1')
  assert.is(send('172.30.0.10'), '10.181.0.1:53')
  endpoints('10.181.0.2')
  assert.is(send('172.30.0.10'), '10.181.0.2:53')
})

test('a flow stays while its endpoint serves, also as it ends', () => {
  const { node, send, endpoints } = lab()
  endpoints('10.181.0.1')
  send('172.30.0.10')
  const conditions = { ready: false, serving: true, terminating: true }
  node.apply(slice('dns', ['10.181.0.2', { addresses: ['10.181.0.1'], conditions }], PORTS))
  assert.is(send('172.30.0.10'), '10.181.0.1:53')
})

test('a flow to a node port moves as well', () => {
  const { send, endpoints } = lab()
  endpoints('10.181.0.1')
  assert.is(send('192.168.0.2', 30_053), '10.181.0.1:53')
  endpoints('10.181.0.2')
  assert.is(send('192.168.0.2', 30_053), '10.181.0.2:53')
})

test('a client that asked before there were endpoints is served once there are', () => {
  const { node, send, endpoints } = lab()
  // Without the rule that rejects, as in the moment before kube-proxy has heard of the service.
  node.host.netfilter.replaceChain('filter', 'FORWARD', [])
  assert.is(send('172.30.0.10'), '172.30.0.10:53')
  endpoints('10.181.0.1')
  assert.is(send('172.30.0.10'), '10.181.0.1:53')
})

test('flows of others are left alone', () => {
  const { send, endpoints } = lab()
  endpoints('10.181.0.1')
  assert.is(send('10.181.0.9', 53), '10.181.0.9:53')
  endpoints('10.181.0.2')
  assert.is(send('10.181.0.9', 53), '10.181.0.9:53')
})

test.run()
