// Counters made into rates: windows, what a thread's containers share, nodes.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SandboxSpec } from '../../src/cluster/sandbox.js'
import { type PodMeter, type ThreadUsage, UsageMeter } from '../../src/drivers/usage-meter.js'
import { CALLS, MEMORY_BYTES, SPENT_MICROS, type UsageCounters, usageCounters } from '../../src/pod/usage.js'

const SECOND = 1_000_000
const MEBIBYTE = 2 ** 20
const NODES = [
  { name: 'k8s-master', controlPlane: true },
  { name: 'k8s-node1', controlPlane: false },
]
const POD = { uid: 'pod-1', nodeName: 'k8s-node1' } as SandboxSpec

class Lab {
  unixMillis = 1_000_000
  readonly thread = { busyMicros: 0, memoryBytes: 0 }
  readonly network = { busyMicros: 0, memoryBytes: 0 }
  readonly controlPlane = { busyMicros: 0, memoryBytes: 0 }
  readonly meter: UsageMeter

  constructor(clock: 'virtual' | 'real') {
    const system = { network: () => this.network, controlPlane: () => this.controlPlane }
    this.meter = new UsageMeter({
      unixMillis: () => this.unixMillis,
      nodes: NODES,
      system: clock === 'real' ? system : undefined,
      unavailable: undefined,
    })
  }

  start(container: string, thread?: () => ThreadUsage): UsageCounters {
    const meter: PodMeter = { counters: () => usageCounters(false), ...(thread && { thread }) }
    return this.meter.started(POD, container, meter)
  }

  seconds(count: number): void {
    for (let second = 0; second < count; second++) {
      this.unixMillis += 1000
      this.meter.tick()
    }
  }
}

const test = suite('usage meter')

test('under the virtual clock a container uses what its programs say that they compute', () => {
  const lab = new Lab('virtual')
  const counters = lab.start('web')
  assert.is(lab.meter.pod(POD.uid), undefined, 'it is too early to tell')
  counters[SPENT_MICROS]! += SECOND
  counters[MEMORY_BYTES] = 3 * MEBIBYTE
  lab.seconds(4)
  const usage = { name: 'web', cores: 0.25, memoryBytes: 3 * MEBIBYTE }
  assert.equal(lab.meter.pod(POD.uid), { windowMillis: 4000, containers: [usage] })
  assert.equal(lab.meter.node('k8s-node1'), { windowMillis: 4000, cores: 0.25, memoryBytes: 3 * MEBIBYTE })
  assert.is(lab.meter.node('k8s-master')?.cores, 0)
  assert.is(lab.meter.node('nope'), undefined)
})

test('a window reaches back to ten seconds and less than thirty: what was before is forgotten', () => {
  const lab = new Lab('virtual')
  const counters = lab.start('web')
  counters[SPENT_MICROS]! += 10 * SECOND
  lab.seconds(100)
  const idle = lab.meter.pod(POD.uid)!
  assert.is(idle.containers[0]!.cores, 0)
  assert.ok(idle.windowMillis >= 10_000 && idle.windowMillis < 30_000, String(idle.windowMillis))
  counters[SPENT_MICROS]! += 2 * SECOND
  const busy = lab.meter.pod(POD.uid)!
  assert.is(busy.containers[0]!.cores, 2000 / busy.windowMillis)
})

test('the time of a thread is divided by what its containers did, and equally when they did nothing', () => {
  const lab = new Lab('real')
  const [web, busy] = [lab.start('web', () => lab.thread), lab.start('busy', () => lab.thread)]
  lab.thread.busyMicros = SECOND
  lab.thread.memoryBytes = 10 * MEBIBYTE
  web[CALLS] = 100
  busy[SPENT_MICROS] = 1500
  busy[MEMORY_BYTES] = 2 * MEBIBYTE
  lab.seconds(5)
  const [first, second] = lab.meter.pod(POD.uid)!.containers
  // 100 calls of 5 µs and 1,500 µs of computing: a quarter and three quarters.
  assert.equal(first, { name: 'web', cores: 0.05, memoryBytes: 4 * MEBIBYTE })
  assert.equal(second, { name: 'busy', cores: 0.15, memoryBytes: 6 * MEBIBYTE })
  lab.thread.busyMicros = 2 * SECOND
  const cores = lab.meter.pod(POD.uid)!.containers.map((container) => container.cores.toFixed(3))
  assert.equal(cores, ['0.150', '0.250'])
})

test('a container that starts again begins at nothing, and one that has ended is not told of', () => {
  const lab = new Lab('real')
  const thread = () => lab.thread
  lab.start('web', thread)
  lab.thread.busyMicros = 8 * SECOND
  lab.seconds(8)
  lab.meter.exited(POD.uid, 'web')
  assert.is(lab.meter.pod(POD.uid), undefined)
  lab.start('web', thread)
  lab.seconds(4)
  assert.is(lab.meter.pod(POD.uid)!.containers[0]!.cores, 0)
  lab.meter.gone(POD.uid)
  assert.is(lab.meter.pod(POD.uid), undefined)
})

test('a node has its pods, its part of the network, and the control plane where that is', () => {
  const lab = new Lab('real')
  lab.start('web', () => lab.thread)
  lab.thread.busyMicros = SECOND
  lab.network.busyMicros = 2 * SECOND
  lab.network.memoryBytes = 6 * MEBIBYTE
  lab.controlPlane.busyMicros = 3 * SECOND
  lab.controlPlane.memoryBytes = 5 * MEBIBYTE
  lab.seconds(10)
  assert.equal(lab.meter.node('k8s-node1'), { windowMillis: 10_000, cores: 0.2, memoryBytes: 3 * MEBIBYTE })
  assert.equal(lab.meter.node('k8s-master'), {
    windowMillis: 10_000,
    cores: 0.4,
    memoryBytes: 8 * MEBIBYTE,
  })
})

test.run()
