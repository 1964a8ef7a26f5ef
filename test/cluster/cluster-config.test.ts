import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ClusterConfigInput, resolveClusterConfig } from '../../src/cluster/cluster-config.js'

const test = suite('cluster configuration')

test('addresses of pods, Services and nodes may not be mistaken for one another', () => {
  const cases: [ClusterConfigInput, RegExp][] = [
    [{ serviceSubnet: '10.244.0.0/16' }, /^podSubnet 10.244.0.0.16 and serviceSubnet 10.244.0.0.16 overlap$/],
    [{ nodeSubnet: '10.100.0.0/24' }, /^serviceSubnet 10.96.0.0.12 and nodeSubnet 10.100.0.0.24 overlap$/],
    [
      { nodes: [{ name: 'a', podRange: '10.97.0.0/16' }] },
      /^node a: podRange 10.97.0.0.16 and serviceSubnet /,
    ],
    [
      {
        nodes: [
          { name: 'a', podRange: '10.36.0.0/16' },
          { name: 'b', podRange: '10.36.1.0/24' },
        ],
      },
      /^node a: podRange 10.36.0.0.16 and podRange of node b 10.36.1.0.24 overlap$/,
    ],
  ]
  for (const [input, message] of cases)
    assert.throws(
      () => resolveClusterConfig(input),
      (error: Error) => message.test(error.message),
    )
})

test('a pod range of an overlay is independent of podCIDR', () => {
  const { nodes } = resolveClusterConfig({ nodes: [{ name: 'a', podRange: '10.36.0.0/16' }] })
  assert.equal([nodes[0]!.podCIDR, nodes[0]!.podRange], ['10.244.0.0/24', '10.36.0.0/16'])
})

test.run()
