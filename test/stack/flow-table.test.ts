// The table of flows against a Map that does the same, over thousands of additions and removals in any order.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { FlowTable } from '../../src/stack/flow-table.js'
import { type IpAddress, ip } from '../../src/wire/address.js'

const flowTable = suite('flow table')

type Key = readonly [IpAddress, IpAddress, number, number, number]

flowTable('finds what was added and not removed, whatever came between', () => {
  const random = new Random('flows')
  const table = new FlowTable<number>()
  const model = new Map<string, { key: Key; value: number }>()
  const addresses = [ip('10.0.0.1'), ip('10.0.0.2'), ip('255.255.255.255'), ip('fd00::1'), ip('fd00::2')]
  const anyKey = (): Key => [
    addresses[random.int(addresses.length)]!,
    addresses[random.int(addresses.length)]!,
    random.int(60),
    0xffff - random.int(60),
    random.int(2) === 0 ? 6 : 17,
  ]
  for (let step = 0; step < 60_000; step++) {
    const key = anyKey()
    const text = key.join(' ')
    const known = model.get(text)
    assert.is(table.get(...key), known?.value)
    // Grows to thousands of flows, and shrinks again.
    const isGrowing = step < 30_000
    if (known === undefined && (isGrowing || random.int(4) === 0)) {
      table.add(...key, step)
      model.set(text, { key, value: step })
    } else if (known !== undefined && (!isGrowing || random.int(4) === 0)) {
      table.remove(...key, -1)
      assert.is(table.get(...key), known.value, 'only with its own value')
      table.remove(...key, known.value)
      model.delete(text)
    }
    assert.is(table.size, model.size)
  }
  for (const { key, value } of model.values()) assert.is(table.get(...key), value)
})

flowTable.run()
