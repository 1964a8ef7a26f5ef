// The routing table: longest prefix, metric, removal.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RouteTable } from '../../src/stack/routes.js'
import { cidr, cidrContains, formatCidr, ipv4, networkOf } from '../../src/wire/address.js'
import { fc } from '../support/properties.js'

const test = suite('routes')

test('the longest prefix wins, then the lowest metric', () => {
  const table = new RouteTable()
  const add = (destination: string, interfaceIndex: number, metric = 0) =>
    table.add({ destination: cidr(destination), interfaceIndex, metric })
  add('0.0.0.0/0', 1)
  add('10.36.0.0/16', 2, 100)
  add('10.36.0.0/16', 3, 50)
  add('10.36.0.0/32', 4)
  const via = (address: string) => table.lookup(ipv4(address))?.interfaceIndex
  assert.equal(['10.36.0.0', '10.36.0.1', '10.37.0.1'].map(via), [4, 3, 1])
  assert.is(table.remove(cidr('10.36.0.0/16')), 2)
  assert.is(via('10.36.0.1'), 1)
  table.removeInterface(1)
  assert.is(via('10.36.0.1'), undefined)
  assert.equal(
    table.list().map((route) => formatCidr(route.destination)),
    ['10.36.0.0/32'],
  )
})

test('a lookup finds what a search through all routes finds', () => {
  const prefix = fc
    .tuple(fc.nat(0xffff), fc.integer({ min: 0, max: 32 }))
    .map(([bits, prefixLength]) => networkOf({ address: (0x0a000000 | bits) >>> 0, prefixLength }))
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 20 }), fc.nat(0xffff), (prefixes, bits) => {
      const address = (0x0a000000 | bits) >>> 0
      const table = new RouteTable()
      for (const [interfaceIndex, destination] of prefixes.entries())
        table.add({ destination, interfaceIndex })
      const longest = Math.max(
        -1,
        ...prefixes.filter((each) => cidrContains(each, address)).map((each) => each.prefixLength),
      )
      assert.is(table.lookup(address)?.destination.prefixLength ?? -1, longest)
    }),
    { numRuns: 200 },
  )
})

test('shared routes stand behind own ones to the same prefix, and what one table removes stays in the others', () => {
  const shared = new RouteTable()
  for (const [index, destination] of ['10.36.0.0/24', '10.37.0.0/24', '0.0.0.0/0'].entries())
    shared.add({ destination: cidr(destination), gateway: ipv4(`192.168.0.${index}`), interfaceIndex: 2 })
  const [one, other] = [new RouteTable(), new RouteTable()]
  for (const table of [one, other]) table.share(shared)
  one.add({ destination: cidr('10.36.0.0/24'), interfaceIndex: 3 })
  const via = (table: RouteTable) =>
    ['10.36.0.1', '10.37.0.1', '1.1.1.1'].map((address) => table.lookup(ipv4(address))?.interfaceIndex)
  assert.equal(
    [via(one), via(other)],
    [
      [3, 2, 2],
      [2, 2, 2],
    ],
  )
  assert.is(one.list().length, 3)
  assert.is(one.remove(cidr('10.37.0.0/24')), 1)
  assert.is(one.remove(cidr('0.0.0.0/0')), 1)
  assert.equal(via(one), [3, undefined, undefined])
  assert.equal(via(other), [2, 2, 2])
  assert.is(one.remove(cidr('10.36.0.0/24')), 1)
  assert.is(one.lookup(ipv4('10.36.0.1')), undefined)
})

test.run()
