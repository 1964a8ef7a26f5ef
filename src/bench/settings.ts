// The plan of a run from what a scenario's `bench` section and the command line say; what neither says is settled here.

import type { Micros } from '../base/time.js'
import { SECOND } from '../base/time.js'
import type { NetworkThreadCount, PodsPerThread } from '../drivers/emulation.js'
import type { HttpRequestSpec, LoadProtocol } from '../pod/load/load-spec.js'
import { parseServiceTime, SERVICE_TIME_FORMS } from '../pod/load/service-time.js'
import { parseDuration } from '../scenario/duration.js'
import type { BenchSection } from '../scenario/format.js'
import type { Located } from '../scenario/scenario-file.js'
import { SourceError } from '../scenario/source-error.js'
import type { BenchPlan } from './plan.js'
import { parseThreshold, ThresholdError } from './threshold.js'

/** What the command line said; it wins over the section. */
export type BenchOverrides = Omit<BenchSection, 'during'> & {
  readonly clock?: 'virtual' | 'real'
  readonly podsPerThread?: PodsPerThread
  readonly networkThreads?: NetworkThreadCount
  readonly seed?: number
  readonly live?: boolean
}

/** A value that cannot be; `option` is the section's key. */
export class SettingError extends Error {
  readonly option: string
  readonly hint: string | undefined
  constructor(option: string, message: string, hint?: string) {
    super(message)
    this.name = 'SettingError'
    this.option = option
    this.hint = hint
  }
}

const DEFAULT_CONNECTIONS = 16
const DEFAULT_DURATION: Micros = 5 * SECOND
const LONGEST_WARMUP: Micros = SECOND
const DEFAULT_TIMEOUT: Micros = 5 * SECOND
/** Longer loads would not fit into a record's microseconds. */
const LONGEST_DURATION: Micros = 3600 * SECOND
const DEFAULT_SERVICE_TIME = 'exponential(5ms)'
/** Rounds of real time: as many as a median needs. */
const REAL_ROUNDS = 3

/** Throws SettingError for the command line's mistakes, SourceError for the file's. */
export function planOf(
  section: Located<BenchSection> | undefined,
  overrides: BenchOverrides,
  document: { readonly seed: number | undefined; readonly proxyMode: string | undefined },
): BenchPlan {
  if (section !== undefined) {
    try {
      settle(section.value, document)
    } catch (error) {
      if (!(error instanceof SettingError)) throw error
      const position = section.locate([error.option])
      const hint = error.hint === undefined ? {} : { hint: error.hint }
      throw new SourceError(section.file, [{ ...position, message: error.message, ...hint }])
    }
  }
  const thresholds = [...(section?.value.thresholds ?? []), ...(overrides.thresholds ?? [])]
  return settle({ ...section?.value, ...overrides, thresholds }, document)
}

function settle(
  said: BenchOverrides,
  document: { readonly seed: number | undefined; readonly proxyMode: string | undefined },
): BenchPlan {
  const clock = said.clock ?? 'virtual'
  const real = clock === 'real'
  const protocol = said.protocol ?? 'http'
  const connections = said.connections ?? DEFAULT_CONNECTIONS
  const duration = said.duration === undefined ? DEFAULT_DURATION : parseDuration(said.duration)
  const warmup = said.warmup === undefined ? defaultWarmup(real, duration) : parseDuration(said.warmup)
  for (const name of ['duration', 'timeout'] as const)
    if (said[name] !== undefined && parseDuration(said[name]) === 0)
      throw new SettingError(name, `${said[name]}: more than nothing`)
  if (duration > LONGEST_DURATION) throw new SettingError('duration', `${said.duration}: at most an hour`)
  if (warmup >= duration) throw new SettingError('warmup', 'the warm-up takes the whole duration')
  if (protocol === 'udp' && (said.send ?? '') === '') {
    throw new SettingError('send', 'udp needs something to send', 'such as `echo x` for agnhost netexec')
  }
  const rates = [...new Set([said.rate ?? []].flat())]
  const clients = said.clients ?? 1
  if (said.from !== undefined && said.clients !== undefined)
    throw new SettingError('clients', 'no pods are made when there are such that send', 'without `from`')
  if (connections < clients)
    throw new SettingError('connections', `fewer connections than ${clients} clients`)
  return {
    service: said.service,
    from: said.from,
    modes: said.modes ?? [document.proxyMode ?? 'userspace'],
    clock,
    live: said.live ?? false,
    podsPerThread: said.podsPerThread ?? 1,
    networkThreads: said.networkThreads ?? 1,
    seed: said.seed ?? document.seed ?? 1,
    rates: rates.length === 0 ? [0] : rates,
    rounds: said.rounds ?? (real ? REAL_ROUNDS : 1),
    load: {
      protocol,
      payload: protocol === 'http' ? (said.path ?? '/') : (said.send ?? ''),
      http: httpOf(said, protocol),
      clients,
      connections,
      keepAlive: said.keepAlive ?? true,
      rate: rates[0] ?? 0,
      duration,
      warmup,
      timeout: said.timeout === undefined ? DEFAULT_TIMEOUT : parseDuration(said.timeout),
    },
    serviceTime: serviceTimeOf(said.serviceTime ?? (real ? 'none' : DEFAULT_SERVICE_TIME)),
    workers: said.workers ?? 1,
    delay: said.delay === undefined ? undefined : parseDuration(said.delay),
    thresholds: (said.thresholds ?? []).map((text) => {
      try {
        return parseThreshold(text)
      } catch (error) {
        if (!(error instanceof ThresholdError)) throw error
        throw new SettingError('thresholds', error.message, error.hint)
      }
    }),
  }
}

function httpOf({ path, method, headers, body }: BenchOverrides, protocol: LoadProtocol): HttpRequestSpec {
  const said = { path, method, headers, body }
  for (const [option, value] of Object.entries(said))
    if (value !== undefined && protocol !== 'http')
      throw new SettingError(option, `${protocol} has none`, '`send` says what tcp and udp send')
  if (path !== undefined && !/^\/\S*$/.test(path))
    throw new SettingError('path', `${path}: no path`, 'it begins with / and has no blanks')
  if (method !== undefined && !/^[A-Z]+$/.test(method))
    throw new SettingError('method', `${method}: no method`, 'such as GET, HEAD, POST')
  const wrong = headers?.find((one) => !/^[\w!#$%&'*+.^`|~-]+:[^\r\n]*$/.test(one))
  if (wrong !== undefined) throw new SettingError('headers', `${wrong}: no header`, "such as 'Name: value'")
  const implied = method ?? (body === undefined ? undefined : 'POST')
  return {
    ...(implied === undefined ? {} : { method: implied }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  }
}

/** In real time programs are compiled while they run. */
function defaultWarmup(real: boolean, duration: Micros): Micros {
  return real ? Math.min(LONGEST_WARMUP, Math.floor(duration / 5)) : 0
}

function serviceTimeOf(text: string): string | undefined {
  if (text === 'none') return undefined
  if (parseServiceTime(text) === undefined)
    throw new SettingError('serviceTime', `${text}: no service time`, `known: ${SERVICE_TIME_FORMS}, none`)
  return text
}
