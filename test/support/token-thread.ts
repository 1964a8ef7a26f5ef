// One of two threads that pass a token to and fro through rings, as threads of pods and the network's do, with pauses
// by chance; each pass needs the other side to be awake or woken. Tells its parent when it has had the token often
// enough, and answers its parent's messages. For tests that look for lost wake-ups.

import { parentPort, workerData } from 'node:worker_threads'
import { Random } from '../../src/base/random.js'
import { Slab } from '../../src/base/slab.js'
import type { Doorbell } from '../../src/drivers/doorbell.js'
import type { WireEnd } from '../../src/drivers/network-protocol.js'
import type { Polling } from '../../src/drivers/polling.js'
import { RealTime } from '../../src/drivers/real-time.js'
import { RingMachine } from '../../src/drivers/ring-machine.js'
import { Sleeper } from '../../src/drivers/sleeper.js'
import { ThreadGauge } from '../../src/drivers/thread-gauge.js'

export interface TokenThread {
  readonly seed: string
  readonly wire: WireEnd
  readonly bell: Doorbell
  readonly gauge: Float64Array
  /** In microseconds. */
  readonly napsFor: number
  readonly polling: Polling
  /** How often it passes the token on. */
  readonly passes: number
  readonly begins: boolean
}

const { seed, wire, bell, gauge, napsFor, polling, passes, begins } = workerData as TokenThread
const time = new RealTime(0)
const random = new Random(seed)
const machine = new RingMachine(wire, new Slab(), () => burst())
const alarm = time.alarm(() => pass())
let passed = 0

const sleeper = new Sleeper({
  bell,
  time,
  gauge: new ThreadGauge(gauge),
  hasWork: () => machine.pending(),
  work: burst,
  napsFor,
  polling,
})

function burst(): void {
  sleeper.awake()
  if (machine.pending() && machine.transmit() !== undefined) {
    machine.release()
    const kind = random.int(20)
    // At once; while the other side is on its way to sleep; when it sleeps.
    if (kind > 6) pass()
    else alarm.set(time.now() + [0, 50, 100, 200, 500, 1000, 5000][kind]!)
  }
  sleeper.rest()
}

function pass(): void {
  machine.receive(0, Uint8Array.of(1), time.now())
  machine.publish()
  if (++passed === passes) parentPort!.postMessage('done')
}

parentPort!.on('message', (text: string) => {
  if (text === 'go' && begins) pass()
  parentPort!.postMessage(text)
})
sleeper.rest()
