import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { PodAddresses, ServiceAddresses } from '../../src/cluster/allocators.js'
import { resolveClusterConfig } from '../../src/cluster/cluster-config.js'
import { fc } from '../support/properties.js'

const test = suite('address allocation')

test('with podCIDR the first host is the gateway and pods follow', () => {
  const addresses = new PodAddresses('10.244.1.0/29', '10.244.1.1')
  const taken = Array.from({ length: 6 }, () => addresses.next())
  assert.equal(taken, [2, 3, 4, 5, 6].map((host) => `10.244.1.${host}/29`).concat(undefined as never))
})

test('an overlay range is used from its first address, and its last host is the gateway', () => {
  const { nodes } = resolveClusterConfig({ nodes: [{ name: 'a', podRange: '10.36.0.0/29' }] })
  assert.is(nodes[0]?.gateway, '10.36.0.6')
  const addresses = new PodAddresses('10.36.0.0/29', '10.36.0.6')
  const taken = Array.from({ length: 7 }, () => addresses.next())
  assert.equal(taken, [0, 1, 2, 3, 4, 5].map((host) => `10.36.0.${host}/29`).concat(undefined as never))
})

test('a released pod address comes back only after the rest of the range', () => {
  const addresses = new PodAddresses('10.36.0.0/29', '10.36.0.6')
  addresses.release(addresses.next()!)
  const order = Array.from({ length: 6 }, () => addresses.next()?.split('/')[0])
  assert.equal(order, ['10.36.0.1', '10.36.0.2', '10.36.0.3', '10.36.0.4', '10.36.0.5', '10.36.0.0'])
})

test('cluster addresses are distinct, in range, and all of a small range is used', () => {
  const addresses = new ServiceAddresses('10.0.0.0/27', new Random('t'))
  const taken = new Set(Array.from({ length: 30 }, () => addresses.next()))
  assert.is(taken.size, 30)
  assert.not.ok(taken.has('10.0.0.0') || taken.has('10.0.0.31') || taken.has(undefined))
  assert.is(addresses.next(), undefined)
  addresses.release('10.0.0.7')
  assert.is(addresses.next(), '10.0.0.7')
})

test('whatever is taken and released, no address is held twice', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 12 }), { maxLength: 60 }), (steps) => {
      const addresses = new PodAddresses('10.1.0.0/28', '10.1.0.1')
      const held: string[] = []
      for (const step of steps) {
        const released = step >= 0 ? held.splice(step, 1)[0] : undefined
        if (released) addresses.release(released)
        else {
          const next = addresses.next()
          if (next === undefined) assert.is(held.length, 13)
          else held.push(next)
        }
        assert.is(new Set(held).size, held.length)
      }
    }),
    { numRuns: 60 },
  )
})

test('a cluster that cannot be is refused by name', () => {
  const refused = (input: Parameters<typeof resolveClusterConfig>[0], message: string) =>
    assert.throws(
      () => resolveClusterConfig(input),
      (error: Error) => error.message === message,
    )
  refused({ podSubnet: 'x' }, 'podSubnet: x is not an IPv4 prefix like 10.244.0.0/16')
  refused({ nodes: [] }, 'nodes: a cluster has at least one node')
  refused(
    { nodes: [{ name: 'a', address: '10.0.0.1' }] },
    'node a: address 10.0.0.1 is not in nodeSubnet 192.168.56.0/24',
  )
  refused({ nodes: [{ name: 'a' }, { name: 'a' }] }, 'nodes: two nodes are named a')
})

test.run()
