// Single decisions of the iptables rules, one chain at a time. The hashes are those that any kube-proxy makes.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { service, slice } from '../../support/cluster-objects.js'
import { proxyNode } from '../../support/proxy-node.js'

const test = suite('iptables service rules')
const P80 = [{ name: 'p80', port: 80, protocol: 'TCP' as const }]

test('chains are named as kube-proxy names them', () => {
  const node = proxyNode('iptables')
  node.apply(service('svc5', { clusterIP: '172.30.0.45', ports: P80 }, 'ns5'))
  node.apply(slice('svc5', ['10.180.0.3'], P80, 'ns5'))
  assert.equal(node.rules('nat', 'KUBE-SVC-NUKIZ6OKUXPJNT4C').slice(1), [
    '-m comment --comment "ns5/svc5:p80 -> 10.180.0.3:80" -j KUBE-SEP-I77PXRDZVX7PMWMN',
  ])
})

test('each rule takes its share of what the rules before it left; endpoints are in the order of their text', () => {
  const node = proxyNode('iptables')
  node.apply(service('svc', { clusterIP: '172.30.0.45', ports: P80 }))
  node.apply(slice('svc', ['10.180.0.9', '10.180.0.10', '10.180.0.2'], P80))
  const chain = node.rules('nat', 'KUBE-SERVICES')[0]!.split(' ').at(-1)!
  const rules = node.rules('nat', chain).slice(1)
  assert.equal(
    rules.map((rule) => /-> (\S+)"(?:.*--probability (\S+))?/.exec(rule)!.slice(1)),
    [
      ['10.180.0.10:80', '0.33333333349'],
      ['10.180.0.2:80', '0.50000000000'],
      ['10.180.0.9:80', undefined],
    ],
  )
})

test('masqueradeAll masquerades everyone; without a detector nobody who asks a cluster IP', () => {
  const masquerades = (options: Parameters<typeof proxyNode>[1]) => {
    const node = proxyNode('iptables', options)
    node.apply(service('svc', { clusterIP: '172.30.0.45', ports: P80 }), slice('svc', ['10.180.0.9'], P80))
    const chain = node.rules('nat', 'KUBE-SERVICES')[0]!.split(' ').at(-1)!
    return node.rules('nat', chain).filter((rule) => rule.endsWith('KUBE-MARK-MASQ'))
  }
  const to = '-d 172.30.0.45/32 -p tcp -m comment --comment "default/svc:p80 cluster IP" -m tcp --dport 80'
  assert.equal(masquerades({}), [`! -s 10.0.0.0/8 ${to} -j KUBE-MARK-MASQ`])
  assert.equal(masquerades({ masqueradeAll: true }), [`${to} -j KUBE-MARK-MASQ`])
  assert.equal(masquerades({ localDetector: false }), [])
})

test('node port addresses: all local ones, all but 127.0.0.0/8, or one by one', () => {
  const last = (options: Parameters<typeof proxyNode>[1]) => {
    const node = proxyNode('iptables', options)
    node.apply()
    return node.rules('nat', 'KUBE-SERVICES').map((rule) => rule.replace(/-m comment --comment "[^"]*" /, ''))
  }
  assert.equal(last({}), ['-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS'])
  assert.equal(last({ localhostNodePorts: false }), [
    '! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
  ])
  assert.equal(last({ nodePortAddresses: ['192.168.0.0/24', '127.0.0.0/8'] }), [
    '-d 127.0.0.1/32 -j KUBE-NODEPORTS',
    '-d 192.168.0.2/32 -j KUBE-NODEPORTS',
  ])
  assert.equal(last({ nodePortAddresses: ['127.0.0.0/8'], localhostNodePorts: false }), [])
})

test('a service without endpoints rejects, and with endpoints elsewhere only it drops', () => {
  const node = proxyNode('iptables')
  const spec = { clusterIP: '172.30.0.45', ports: P80, internalTrafficPolicy: 'Local' as const }
  node.apply(service('svc', spec))
  const target = () => node.rules('filter', 'KUBE-SERVICES').map((rule) => rule.split(' -j ')[1])
  assert.equal(target(), ['REJECT --reject-with icmp-port-unreachable'])
  node.apply(slice('svc', ['10.180.0.9'], P80))
  assert.equal(target(), ['DROP'])
  node.apply(slice('svc', [{ addresses: ['10.180.0.9'], nodeName: 'test-node' }], P80))
  assert.equal(target(), [])
})

test.run()
