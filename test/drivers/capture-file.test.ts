// The file of a capture: it grows while the cluster runs in real time; when the disk is full the cluster goes on, and says
// why the file is not whole.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clusterStatus, FlowCounts, statusText } from '../../src/cli/cluster-status.js'
import { CaptureFile } from '../../src/drivers/capture-file.js'
import { EarlyWorkers } from '../../src/drivers/early-workers.js'
import type { Emulation, EmulationOptions } from '../../src/drivers/emulation.js'
import { resolveOptions } from '../../src/drivers/options.js'
import { ThreadsEmulation } from '../../src/drivers/threads.js'
import { VirtualEmulation } from '../../src/drivers/virtual.js'
import { RunningCluster } from '../../src/scenario/running-cluster.js'
import { until } from '../support/patience.js'
import { removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'

const test = suite('capture file')

const FULL = '/dev/full'
const PROBLEM = 'capture file /dev/full: the disk is full'

const DRIVERS: readonly EmulationOptions[] = [
  { clock: 'virtual' },
  { clock: 'real' },
  { clock: 'real', networkThreads: 'per-node' },
]

/** As start.ts has it, which looks first whether there is room for the file's beginning: the disk fills later. */
function start(options: EmulationOptions): Emulation {
  const resolved = resolveOptions({ ...options, pcap: FULL })
  if (options.clock === 'real') return new ThreadsEmulation(resolved, new EarlyWorkers(resolved))
  return new VirtualEmulation(resolved, new CaptureFile(FULL, resolved.startUnixMillis * 1000))
}

for (const options of DRIVERS) {
  const name = Object.values(options).join(', ')
  test(`a full disk is in the status while the cluster goes on, and told at the end (${name})`, async () => {
    // Only Linux has such a device.
    if (!existsSync(FULL)) return
    const cluster = new RunningCluster(start(options), new Map(), '/')
    const status = () => statusText(clusterStatus(cluster, new FlowCounts()), (_color, text) => text)
    let error: unknown
    try {
      await cluster.settle()
      // Later ones do not wait for the neighbour's address, where there is not room for all.
      await cluster.emulation.execOnNode('k8s-node1', 'ping -c 1 192.168.56.10')
      // Frames are gathered before they are written, by several threads more of them than by one.
      for (let round = 0; round < 50 && cluster.emulation.captureProblem === undefined; round++)
        await cluster.emulation.execOnNode('k8s-node1', 'ping -q -c 100 -i 0.001 -s 1400 192.168.56.10')
      assert.match(status(), new RegExp(`^${PROBLEM}; it is not whole\nnodes `))
      const ping = await cluster.emulation.execOnNode('k8s-node1', 'ping -q -c 1 192.168.56.10')
      assert.match(ping.stdout, / 0% packet loss/)
    } finally {
      error = await cluster.close().catch((failure: unknown) => failure)
    }
    assert.instance(error, Error)
    assert.is(String(error), `CaptureError: ${PROBLEM}`)
  })
}

/** In the data of an echo request and its reply: bytes that count up. */
const COUNTING = ' !"#$%&'
/** Both leave one node's eth0 and come to the other's. */
const SIGHTINGS = 4

for (const options of DRIVERS.filter(({ clock }) => clock === 'real')) {
  const name = Object.values(options).join(', ')
  test(`in real time the file has what was seen while the cluster still runs (${name})`, async () => {
    const directory = scratchDirectory()
    const pcap = join(directory, 'all.pcapng')
    const resolved = resolveOptions({ ...options, pcap })
    const cluster = new RunningCluster(
      new ThreadsEmulation(resolved, new EarlyWorkers(resolved)),
      new Map(),
      '/',
    )
    try {
      await cluster.settle()
      const ping = await cluster.emulation.execOnNode('k8s-node1', 'ping -c 1 192.168.56.10')
      assert.is(ping.exitCode, 0, ping.stderr)
      await until(() => readFileSync(pcap, 'latin1').split(COUNTING).length > SIGHTINGS)
    } finally {
      await cluster.close()
      await removeScratchDirectory(directory)
    }
  })
}

test.run()
