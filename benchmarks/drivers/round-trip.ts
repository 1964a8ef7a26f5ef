// What one packet there and back takes when nobody else does anything: ping between pods and a GET on an open
// connection, against the host's loopback between two worker threads. Ten milliseconds of rest before each; but not the
// first ones of a thread, whose code V8 has yet to compile: everybody makes as many before, in quick succession.

import { availableParallelism } from 'node:os'
import type { EmulationOptions } from '../../src/drivers/emulation.js'
import { Absent, type Benchmark, type Contestant } from '../contestant.js'
import { loopbackRoundTrip } from '../rivals/loopback.js'
import { PACKED, THREADS } from '../targets.js'
import { PodLoad } from './pod-load.js'

const PAUSE_MS = 10
const WARM_UP = 5_000
/** With one connection: more round trips than that. */
const WARM_UP_SECONDS = 3
const CORES_TO_POLL = 4

export const roundTrip: Benchmark = {
  name: 'drivers/round-trip',
  unit: 'µs',
  seconds: 75,
  measure: 'value',
  better: 'lower',
  note: `median of round trips with ${PAUSE_MS} ms of rest before each; threads sleep meanwhile, so waking them is much of it; ${WARM_UP} in quick succession before`,
  contestants: (quick) => {
    const times = quick ? 50 : 150
    const pauses = { times, pauseMs: PAUSE_MS, warmUp: WARM_UP }
    return [
      loopbackRoundTrip('TCP echo on loopback, two worker threads', 'echo', pauses),
      loopbackRoundTrip('node:http GET on loopback, two worker threads', 'http', pauses),
      ping(`ping, ${THREADS}`, 1, times),
      ping(`ping, ${PACKED}`, 'all', times),
      httpGet(`GET, ${THREADS}`, 1, times),
      httpGet(`GET, ${PACKED}`, 'all', times),
      polling(ping(`ping, ${THREADS}, polling`, 1, times, 2 * PAUSE_MS * 1000)),
    ]
  },
}

function ping(name: string, podsPerThread: 1 | 'all', times: number, pollMicros?: number): Contestant {
  const options = { podsPerThread, ...(pollMicros !== undefined && { pollMicros }) }
  const send = async ({ cluster }: PodLoad, count: number, how: string) => {
    const to = (await cluster.kubectl("get pod web-1 -o jsonpath='{.status.podIP}'")).stdout.trim()
    return (await cluster.exec('client', `ping ${how} -c ${count} ${to}`)).stdout
  }
  const warmUp = (load: PodLoad) => send(load, WARM_UP, '-i 0.001')
  return withCluster(name, options, warmUp, async (load) => {
    const stdout = await send(load, times, `-i ${PAUSE_MS / 1000}`)
    const micros = [...stdout.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]) * 1000)
    if (micros.length < times / 2) throw new Error(`ping: ${stdout.trim().split('\n').at(-1)}`)
    return micros.sort((a, b) => a - b)[micros.length >> 1]!
  })
}

function httpGet(name: string, podsPerThread: 1 | 'all', times: number): Contestant {
  const warmUp = (load: PodLoad) => load.run(WARM_UP_SECONDS, { connections: 1 })
  return withCluster(name, { podsPerThread }, warmUp, async (load) => {
    const rate = 1000 / PAUSE_MS
    return (await load.run(times / rate, { connections: 1, rate })).medianMicros
  })
}

function withCluster(
  name: string,
  options: Pick<EmulationOptions, 'podsPerThread' | 'pollMicros'>,
  warmUp: (load: PodLoad) => Promise<unknown>,
  work: (load: PodLoad) => Promise<number>,
): Contestant {
  let load: PodLoad | undefined
  return {
    name,
    start: async () => {
      load = await PodLoad.start('iptables', options)
      await warmUp(load)
    },
    run: () => work(load!),
    stop: () => load?.stop(),
  }
}

/** Readers that poll want cores of their own; they do so through the rests, too. */
function polling(contestant: Contestant): Contestant {
  return {
    ...contestant,
    start: () => {
      const cores = availableParallelism()
      if (cores < CORES_TO_POLL) throw new Absent(`needs ${CORES_TO_POLL} cores, this machine has ${cores}`)
      return contestant.start?.()
    },
  }
}
