// How long a built-in server takes over a request, where its container says so: computing costs no time under the
// virtual clock, so who wants queues and latencies declares them. PODWIRE_SERVICE_TIME is a distribution, as
// `exponential(5ms)`; PODWIRE_WORKERS how many requests are served at once (default 1), the others wait in line.

import type { Random } from '../../base/random.js'
import { MILLISECOND, type Micros, SECOND } from '../../base/time.js'
import type { Clock, Process } from '../../posix/process.js'
import { AlarmClock } from './alarm-clock.js'

export const SERVICE_TIME_VARIABLE = 'PODWIRE_SERVICE_TIME'
export const WORKERS_VARIABLE = 'PODWIRE_WORKERS'

export type ServiceTime =
  | { readonly kind: 'constant'; readonly time: Micros }
  | { readonly kind: 'uniform'; readonly least: Micros; readonly most: Micros }
  | { readonly kind: 'exponential'; readonly mean: Micros }
  /** `sigma`: the standard deviation of the logarithm. */
  | { readonly kind: 'lognormal'; readonly median: Micros; readonly sigma: number }

export const SERVICE_TIME_FORMS =
  'constant(5ms), uniform(1ms, 9ms), exponential(5ms), lognormal(5ms, 0.8): time, range, mean, median and sigma'

const UNITS: Readonly<Record<string, Micros>> = { us: 1, ms: MILLISECOND, s: SECOND }

/** Reads `exponential(5ms)`; undefined when it is none. */
export function parseServiceTime(text: string): ServiceTime | undefined {
  const [, kind, first = '', second] = /^\s*(\w+)\(\s*([\w.]+)\s*(?:,\s*([\w.]+)\s*)?\)\s*$/.exec(text) ?? []
  const time = parseTime(first)
  if (time === undefined) return undefined
  if (kind === 'constant' && second === undefined) return { kind, time }
  if (kind === 'exponential' && second === undefined) return { kind, mean: time }
  if (second === undefined) return undefined
  if (kind === 'uniform') {
    const most = parseTime(second)
    return most === undefined || most < time ? undefined : { kind, least: time, most }
  }
  if (kind !== 'lognormal' || !/^\d+(\.\d+)?$/.test(second)) return undefined
  return { kind, median: time, sigma: Number(second) }
}

function parseTime(text: string): Micros | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(us|ms|s)$/.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * UNITS[unit!]!
}

/** One draw, in whole microseconds. */
export function drawServiceTime(model: ServiceTime, random: Random): Micros {
  // 1 - float() is never 0, whose logarithm is none.
  switch (model.kind) {
    case 'constant':
      return Math.round(model.time)
    case 'uniform':
      return Math.round(model.least + random.float() * (model.most - model.least))
    case 'exponential':
      return Math.round(-model.mean * Math.log(1 - random.float()))
    case 'lognormal': {
      // Box and Muller's transform.
      const radius = Math.sqrt(-2 * Math.log(1 - random.float()))
      const normal = radius * Math.cos(2 * Math.PI * random.float())
      return Math.round(model.median * Math.exp(model.sigma * normal))
    }
  }
}

/** The workers of one server: first come, first served. */
export class ServiceDesk {
  readonly #model: ServiceTime
  readonly #random: Random
  readonly #clock: Clock
  readonly #alarms: AlarmClock
  /** When each worker is free. */
  readonly #free: Micros[]

  constructor(model: ServiceTime, workers: number, clock: Clock, random: Random) {
    this.#model = model
    this.#clock = clock
    this.#alarms = new AlarmClock(clock)
    this.#random = random
    this.#free = new Array<Micros>(workers).fill(0)
  }

  /** Resolves when the request has been served; never when the process is killed first. */
  serve(): Promise<void> {
    const now = this.#clock.now()
    let worker = 0
    for (let i = 1; i < this.#free.length; i++) if (this.#free[i]! < this.#free[worker]!) worker = i
    const end = Math.max(now, this.#free[worker]!) + drawServiceTime(this.#model, this.#random)
    this.#free[worker] = end
    return this.#alarms.sleep(end - now)
  }
}

/** The desk of a server's process; undefined when its container declares no service time. Throws when it is none. */
export function serviceDesk(process: Process): ServiceDesk | undefined {
  const text = process.env.get(SERVICE_TIME_VARIABLE) ?? ''
  if (text === '') return undefined
  const model = parseServiceTime(text)
  if (model === undefined)
    throw new Error(`${SERVICE_TIME_VARIABLE}=${text}: known are ${SERVICE_TIME_FORMS}`)
  const workers = Number(process.env.get(WORKERS_VARIABLE) ?? 1)
  if (!Number.isInteger(workers) || workers < 1 || workers > 10_000)
    throw new Error(`${WORKERS_VARIABLE}=${workers}: not a number of workers`)
  const { clock, random } = process.system
  return new ServiceDesk(model, workers, clock, random.fork('service time'))
}
