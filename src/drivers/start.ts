// Starts a cluster under the driver that the options name.

import { CaptureFile } from './capture-file.js'
import { EarlyWorkers } from './early-workers.js'
import type { Emulation, EmulationOptions } from './emulation.js'
import { resolveOptions } from './options.js'

/**
 * A running cluster with its nodes and system pods; it is not settled yet (see Emulation.settle). Throws a
 * TypeError for an option that cannot be, and a CaptureError for a capture file that cannot be made.
 */
export async function startEmulation(options: EmulationOptions = {}): Promise<Emulation> {
  const resolved = resolveOptions(options)
  const { pcap, startUnixMillis } = resolved
  const capture = pcap === undefined ? undefined : new CaptureFile(pcap, startUnixMillis * 1000)
  if (resolved.clock === 'real') {
    // Who writes the file opens it anew; whether it can be written is told here.
    capture?.close()
    const workers = new EarlyWorkers(resolved)
    try {
      const { ThreadsEmulation } = await import('./threads.js')
      return new ThreadsEmulation(resolved, workers)
    } catch (error) {
      await workers.close()
      throw error
    }
  }
  // All of a pod's and a node's code, which in real time other threads have.
  const { VirtualEmulation } = await import('./virtual.js')
  return new VirtualEmulation(resolved, capture)
}
