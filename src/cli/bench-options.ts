// What one says on the command line of `podwire bench`: the options, and the plan's values that are in them.

import { HEADLESS } from '../bench/plan.js'
import type { BenchOverrides } from '../bench/settings.js'
import { parseDuration } from '../scenario/duration.js'
import {
  choiceOption,
  integerOption,
  networkThreadsOption,
  type OptionValues,
  podsPerThreadOption,
  proxyModeOption,
  UsageError,
} from './arguments.js'

export const ALL_MODES = 'userspace,iptables,ipvs:rr,ipvs:lc,nftables,headless'
const MOST = 100_000

export const BENCH_OPTIONS = {
  name: { type: 'string' },
  service: { type: 'string', short: 's' },
  modes: { type: 'string', short: 'm' },
  protocol: { type: 'string' },
  path: { type: 'string' },
  method: { type: 'string', short: 'X' },
  header: { type: 'string', short: 'H', multiple: true },
  data: { type: 'string' },
  send: { type: 'string' },
  from: { type: 'string' },
  clients: { type: 'string' },
  connections: { type: 'string', short: 'c' },
  'one-request': { type: 'boolean' },
  rate: { type: 'string', short: 'r' },
  duration: { type: 'string', short: 'd' },
  warmup: { type: 'string' },
  timeout: { type: 'string' },
  'service-time': { type: 'string' },
  workers: { type: 'string' },
  delay: { type: 'string' },
  during: { type: 'string' },
  rounds: { type: 'string' },
  clock: { type: 'string' },
  'pods-per-thread': { type: 'string' },
  'network-threads': { type: 'string' },
  seed: { type: 'string' },
  threshold: { type: 'string', short: 't', multiple: true },
  output: { type: 'string', short: 'o' },
  html: { type: 'string' },
  compare: { type: 'boolean' },
} as const

export type BenchValues = OptionValues<typeof BENCH_OPTIONS>

/** Throws UsageError. */
export function overridesOf(values: BenchValues): BenchOverrides {
  const protocol = choiceOption('protocol', values.protocol, ['http', 'tcp', 'udp'] as const)
  const clock = choiceOption('clock', values.clock, ['virtual', 'real'] as const)
  const podsPerThread = podsPerThreadOption(values['pods-per-thread'], clock ?? 'virtual')
  const networkThreads = networkThreadsOption(values['network-threads'], clock ?? 'virtual')
  const given: BenchOverrides = {
    ...(podsPerThread === undefined ? {} : { podsPerThread }),
    ...(networkThreads === undefined ? {} : { networkThreads }),
    ...textOf('service', values.service),
    ...textOf('from', values.from),
    ...textOf('path', values.path),
    ...textOf('method', values.method),
    ...textOf('body', values.data),
    ...(values.header === undefined ? {} : { headers: values.header }),
    ...textOf('send', values.send),
    ...textOf('serviceTime', values['service-time']),
    ...numberOf('clients', values.clients),
    ...numberOf('connections', values.connections),
    ...(values.rate === undefined ? {} : { rate: ratesOf(values.rate) }),
    ...numberOf('workers', values.workers),
    ...numberOf('rounds', values.rounds),
    ...timeOf('duration', values.duration),
    ...timeOf('warmup', values.warmup),
    ...timeOf('timeout', values.timeout),
    ...timeOf('delay', values.delay),
    ...(protocol === undefined ? {} : { protocol }),
    ...(clock === undefined ? {} : { clock }),
    ...(values.modes === undefined ? {} : { modes: modesOf(values.modes) }),
    ...(values['one-request'] === undefined ? {} : { keepAlive: !values['one-request'] }),
    ...(values.threshold === undefined ? {} : { thresholds: values.threshold }),
  }
  const seed = integerOption('seed', values.seed)
  return seed === undefined ? given : { ...given, seed }
}

function textOf<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: string }
}

function numberOf<Key extends string>(
  key: Key,
  value: string | undefined,
  largest = MOST,
): { [K in Key]?: number } {
  const number = integerOption(key, value, largest, 1)
  return (number === undefined ? {} : { [key]: number }) as { [K in Key]?: number }
}

/** One, or several with commas between them. */
function ratesOf(text: string): number[] {
  return text.split(',').map((one) => integerOption('rate', one.trim(), 10_000_000, 1)!)
}

function timeOf<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  if (value === undefined) return {}
  try {
    parseDuration(value)
  } catch {
    throw new UsageError(`--${key} ${value}: not a duration`, 'such as 500ms, 10s or 2m')
  }
  return textOf(key, value)
}

function modesOf(text: string): string[] {
  const words = (text === 'all' ? ALL_MODES : text).split(',').map((word) => word.trim())
  const modes = words.map((word) => (word === HEADLESS ? word : modeOf(word)))
  return [...new Set(modes)]
}

function modeOf(word: string): string {
  try {
    return proxyModeOption(word, [HEADLESS])!
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(error.message.replace('--proxy-mode', '--modes'), error.hint)
  }
}
