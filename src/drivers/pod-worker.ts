// A pod's thread: its sandbox, and its end of the wire (wired-host.ts).

import { parentPort, workerData } from 'node:worker_threads'
import { invariant } from '../base/errors.js'
import { Random } from '../base/random.js'
import type { SandboxSpec } from '../cluster/sandbox.js'
import type { PodCommand, PodEvent } from '../pod/protocol.js'
import { type DnsImageOptions, PodSandbox, sandboxHost } from '../pod/sandbox.js'
import { dnsCodec } from './dns-codec.js'
import type { WireEnd } from './network-protocol.js'
import { RealTime } from './real-time.js'
import { WiredHost } from './wired-host.js'

/** What a pod's thread is started with. */
export interface PodWorkerData {
  readonly spec: SandboxSpec
  readonly seed: number
  readonly startUnixMillis: number
  readonly zero: number
  readonly dns: DnsImageOptions
  readonly wire: WireEnd
}

class PodThread {
  readonly sandbox: PodSandbox

  constructor(data: PodWorkerData, emit: (event: PodEvent) => void) {
    const time = new RealTime(data.startUnixMillis, data.zero)
    let touch = () => {}
    const random = new Random(`seed ${data.seed}`).fork(`pod ${data.spec.uid}`)
    const host = sandboxHost(data.spec, random)
    this.sandbox = new PodSandbox({
      spec: data.spec,
      stack: host.stack,
      clock: time.clock(),
      random,
      codec: dnsCodec,
      dns: data.dns,
      emit,
      touched: () => touch(),
    })
    const wired = new WiredHost(host, data.wire, time)
    touch = () => wired.touch()
    touch()
  }
}

invariant(parentPort !== null, 'pod-worker runs as a worker')
const port = parentPort
const thread = new PodThread(workerData as PodWorkerData, (event) => port.postMessage(event))
port.on('message', (command: PodCommand) => thread.sandbox.handle(command))
thread.sandbox.ready()
