import { MessageChannel, Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { doorbell, poke, pokes } from '../../src/drivers/doorbell.js'
import { polling } from '../../src/drivers/polling.js'
import { RealTime } from '../../src/drivers/real-time.js'
import { Sleeper } from '../../src/drivers/sleeper.js'
import { ThreadGauge, threadGauge, workerUsage } from '../../src/drivers/thread-gauge.js'
import { ringBuffer } from '../../src/fabric/ring.js'
import type { TokenThread } from '../support/token-thread.js'

const SECOND = 1_000_000
const HOUR = 3600 * SECOND
const PAIRS = 4
const PASSES = 400
const QUESTIONS = 300
/** Nothing but a lost wake-up takes so long: then it takes for ever. */
const LIMIT_MS = 120_000

const test = suite('sleeper')
const workers = new Set<Worker>()
test.after.each(async () => {
  await Promise.all([...workers].map((worker) => worker.terminate()))
  workers.clear()
})

interface Player {
  readonly worker: Worker
  readonly gauge: Float64Array
  /** Posts a message, pokes, and waits until it comes back. */
  ask(text: string): Promise<void>
  readonly done: Promise<void>
}

function pair(name: string, napsFor: number, passes = PASSES, pollMicros = 0): Player[] {
  const { port1, port2 } = new MessageChannel()
  const [ab, ba] = [ringBuffer(4096), ringBuffer(4096)]
  const [bellA, bellB] = [doorbell(), doorbell()]
  const options = { napsFor, passes, polling: polling(pollMicros) }
  const wireA = { outgoing: ab, incoming: ba, bell: bellB, port: port1 }
  const wireB = { outgoing: ba, incoming: ab, bell: bellA, port: port2 }
  return [
    play({ ...options, seed: `${name} a`, wire: wireA, bell: bellA, gauge: threadGauge(), begins: true }),
    play({ ...options, seed: `${name} b`, wire: wireB, bell: bellB, gauge: threadGauge(), begins: false }),
  ]
}

function play(data: TokenThread): Player {
  const url = new URL('../support/token-thread.js', import.meta.url)
  const worker = new Worker(url, { workerData: data, transferList: [data.wire.port] })
  workers.add(worker)
  const heard = new Map<string, () => void>()
  worker.on('message', (text: string) => heard.get(text)?.())
  const failed = new Promise<never>((_, reject) => worker.on('error', reject))
  failed.catch(() => {})
  const hear = (text: string) =>
    Promise.race([new Promise<void>((resolve) => heard.set(text, resolve)), failed])
  return {
    worker,
    gauge: data.gauge,
    done: hear('done'),
    ask: (text) => {
      const answer = hear(text)
      worker.postMessage(text)
      poke(data.bell)
      return answer
    },
  }
}

async function within(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a wake-up was lost')), LIMIT_MS)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

const waysToWait = [
  ['nap until something comes', HOUR, 0],
  ['sleep in the event loop at once', 0, 0],
  ['nap for a moment, then sleep', 300, 0],
  ['poll for a moment, then nap', HOUR, 50],
] as const
for (const [way, napsFor, pollMicros] of waysToWait) {
  test(`no wake-up is lost between threads that ${way}`, async () => {
    const players = Array.from({ length: PAIRS }, (_, index) =>
      pair(`${way} ${index}`, napsFor, PASSES, pollMicros),
    ).flat()
    for (const { ask } of players) void ask('go')
    await within(Promise.all(players.map(({ done }) => done)))
  })
}

test('messages reach a thread that naps, whenever they come', async () => {
  const [a, b] = pair('messages', HOUR)
  void a!.ask('go')
  const random = new Random('moments')
  const bellOfNobody = doorbell()
  // The second of each two comes while the thread answers the first one and goes back to its nap.
  const asking = async (player: Player) => {
    for (let question = 0; question < QUESTIONS; question++) {
      const first = player.ask(`first ${question}`)
      for (let spins = random.int(20_000); spins > 0; spins--) pokes(bellOfNobody)
      await Promise.all([first, player.ask(`second ${question}`)])
    }
  }
  await within(Promise.all([asking(a!), asking(b!), a!.done, b!.done]))
  // Nothing comes any more but this.
  await within(asking(a!))
})

test('a message that comes when the thread is about to nap is heard before it does', async () => {
  const time = new RealTime(0)
  const bell = doorbell()
  const { port1, port2 } = new MessageChannel()
  const heard: string[] = []
  let looks = 0
  const sleeper = new Sleeper({
    bell,
    time,
    gauge: new ThreadGauge(threadGauge()),
    hasWork: () => {
      // The event loop has just been through what it had.
      if (++looks === 1) {
        port2.postMessage('message')
        poke(bell)
      }
      return false
    },
    work: () => {},
    napsFor: SECOND,
  })
  const end = new Promise<void>((resolve) => {
    time
      .alarm(() => {
        heard.push('end of the nap')
        resolve()
      })
      .set(time.now() + SECOND)
  })
  port1.on('message', (text: string) => heard.push(text))
  sleeper.rest()
  await within(end)
  assert.equal(heard, ['message', 'end of the nap'])
  time.close()
  port1.close()
})

test('what goes on by way of the event loop is not kept waiting by naps once it was stirred', async () => {
  const time = new RealTime(0)
  const heard: string[] = []
  const steps = async (name: string, count: number) => {
    for (let step = 1; step <= count; step++) {
      await new Promise((resolve) => setImmediate(resolve))
      heard.push(`${name} ${step}`)
    }
  }
  const sleeper = new Sleeper({
    bell: doorbell(),
    time,
    gauge: new ThreadGauge(threadGauge()),
    hasWork: () => false,
    work: () => {},
    napsFor: 10 * SECOND,
  })
  let napped = false
  time
    .alarm(() => {
      napped = true
    })
    .set(time.now() + 10 * SECOND)
  sleeper.rest()
  time.stir()
  await within(steps('step', 8))
  const work = steps('work', 40)
  time.stir(work)
  await within(work)
  assert.is(heard.length, 48)
  assert.not(napped)
  time.close()
})

test('a thread that naps is not counted as busy', async () => {
  const [a, b] = pair('usage', HOUR, 2)
  await within(Promise.all([a!.ask('go'), b!.ask('go'), a!.done, b!.done]))
  const before = workerUsage(a!.worker, a!.gauge).busyMicros
  const began = performance.now()
  // It naps all the while, but for two answers.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await within(a!.ask('still there?'))
  const passed = (performance.now() - began) * 1000
  assert.ok(workerUsage(a!.worker, a!.gauge).busyMicros - before < passed * 0.8)
})

test('a thread that naps can be ended', async () => {
  const players = pair('end', HOUR, 2)
  await within(Promise.all(players.flatMap(({ ask, done }) => [ask('go'), done])))
  await within(Promise.all(players.map(({ worker }) => worker.terminate())))
})

test.run()
