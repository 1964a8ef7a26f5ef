// The health check port of a Service, asked by a program of the node itself through its stack.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { utf8Decode, utf8Encode } from '../../src/base/bytes.js'
import { SystemError } from '../../src/base/errors.js'
import type { Service, SliceEndpoint } from '../../src/cluster/objects.js'
import { ipv4 } from '../../src/wire/address.js'
import { service, slice } from '../support/cluster-objects.js'
import { proxyNode } from '../support/proxy-node.js'

const test = suite('health check node port')
const PORTS = [{ name: 'p80', port: 80, protocol: 'TCP' as const }]
const here = (address: string): SliceEndpoint => ({ addresses: [address], nodeName: 'test-node' })

function balanced(port = 30_147): Service {
  const spec = { type: 'LoadBalancer' as const, clusterIP: '172.30.0.47', ports: PORTS }
  return service('web', { ...spec, externalTrafficPolicy: 'Local', healthCheckNodePort: port }, 'ns')
}

/** The answer to a GET, or the error of the connection. */
function get(node: ReturnType<typeof proxyNode>, port = 30_147, address = '192.168.0.2'): string {
  const { stack } = node.host
  const socket = stack.tcpConnect({ address: ipv4(address), port })
  const run = () => {
    while (stack.transmit() !== undefined);
    stack.advance(stack.now)
  }
  let text = ''
  for (let i = 0; i < 5; i++) {
    run()
    if (i === 0 && socket.state === 'ESTABLISHED')
      socket.write(utf8Encode('GET / HTTP/1.1\r\nHost: node\r\n\r\n'))
    for (let bytes = socket.read(); bytes !== undefined; bytes = socket.read()) text += utf8Decode(bytes)
  }
  const code = socket.error instanceof SystemError ? socket.error.code : ''
  socket.close()
  return text + code
}

test('it says 200 with the number of ready endpoints on this node', () => {
  const node = proxyNode('iptables')
  const going = { ready: false, serving: true, terminating: true }
  const endpoints = [here('10.180.2.1'), here('10.180.2.2'), { ...here('10.180.2.3'), conditions: going }]
  node.apply(balanced(), slice('web', [...endpoints, '10.180.1.1'], PORTS, 'ns'))
  const body = [
    '{',
    '\t"service": {',
    '\t\t"namespace": "ns",',
    '\t\t"name": "web"',
    '\t},',
    '\t"localEndpoints": 2,',
    '\t"serviceProxyHealthy": true',
    '}',
  ].join('\n')
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: application/json',
    'X-Content-Type-Options: nosniff',
    'X-Load-Balancing-Endpoint-Weight: 2',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  assert.is(get(node), `${head.join('\r\n')}\r\n\r\n${body}`)
})

test('it says 503 when all endpoints are on other nodes', () => {
  const node = proxyNode('iptables')
  node.apply(balanced(), slice('web', ['10.180.1.1'], PORTS, 'ns'))
  const answer = get(node)
  assert.ok(answer.startsWith('HTTP/1.1 503 Service Unavailable\r\n'), answer)
  assert.ok(answer.includes('"localEndpoints": 0'))
})

test('the port follows the service: another one, none', () => {
  const node = proxyNode('iptables')
  node.apply(balanced())
  node.apply(balanced(30_200))
  assert.is(get(node), 'ECONNREFUSED')
  assert.ok(get(node, 30_200).startsWith('HTTP/1.1 503'))
  node.remove(balanced(30_200))
  assert.is(get(node, 30_200), 'ECONNREFUSED')
})

test('it answers on the addresses for node ports only', () => {
  const node = proxyNode('iptables', { nodePortAddresses: ['127.0.0.0/8'] })
  node.apply(balanced())
  assert.is(get(node), 'ECONNREFUSED')
  assert.ok(get(node, 30_147, '127.0.0.1').startsWith('HTTP/1.1 503'))
})

test('closing the proxy closes the port', () => {
  const node = proxyNode('iptables')
  node.apply(balanced())
  node.proxy.close()
  assert.is(get(node), 'ECONNREFUSED')
})

test.run()
