// Paths and bodies of control-api.ts, and the checks of what comes from a client: a TypeError in words for what is none.

import type { Micros } from '../base/time.js'
import type { LinkOptions } from '../fabric/link.js'
import type { LinkTarget } from './emulation.js'

/** GET: ClockReading. */
export const CLOCK_PATH = '/podwire/v1/clock'
/**
 * GET with watch=true: an event for each connection or exchange that a kube-proxy accepts, `ADDED` with a FlowEvent.
 * POST of a FlowMark: a `BOOKMARK` with it for all who watch, behind everything accepted until then.
 */
export const FLOWS_PATH = '/podwire/v1/flows'
/** POST of a SettleOrder: `{ settled }`. */
export const SETTLE_PATH = '/podwire/v1/settle'
/** GET: the modes by node. POST of a ProxyOrder changes them. */
export const PROXIES_PATH = '/podwire/v1/proxies'
/** POST of a LinkOrder. */
export const LINKS_PATH = '/podwire/v1/links'
/** GET with watch=true: `ADDED` to the one whose turn it is to load the cluster, as long as it watches; `ERROR` to others. */
export const BENCH_PATH = '/podwire/v1/bench'

export interface ClockReading {
  /** Since the cluster's start: the time of flows and of what load clients tell. */
  readonly nowMicros: Micros
}

export interface FlowMark {
  readonly mark: string
}

export interface SettleOrder {
  readonly timeoutMicros: Micros
}

export interface ProxyOrder {
  /** `iptables`, `ipvs:wrr`. */
  readonly mode: string
  /** Default: every node. */
  readonly node?: string
}

export interface LinkOrder {
  readonly target: LinkTarget
  readonly options: LinkOptions
}

const LONGEST_MARK = 64
/** A request that waits for longer is one too many. */
const LONGEST_SETTLE: Micros = 600_000_000

export function markOrder(body: unknown): FlowMark {
  const { mark } = record(body, 'the body')
  if (typeof mark === 'string' && mark.length <= LONGEST_MARK) return { mark }
  throw new TypeError(`mark: not a text of at most ${LONGEST_MARK} characters`)
}

export function settleOrder(body: unknown): SettleOrder {
  const { timeoutMicros } = record(body, 'the body')
  if (isNumber(timeoutMicros) && timeoutMicros <= LONGEST_SETTLE) return { timeoutMicros }
  throw new TypeError(`timeoutMicros: not a number from 0 to ${LONGEST_SETTLE}`)
}

export function proxyOrder(body: unknown): ProxyOrder {
  const { mode, node } = record(body, 'the body')
  if (typeof mode !== 'string') throw new TypeError('mode: not a text')
  if (node === undefined) return { mode }
  if (typeof node !== 'string') throw new TypeError('node: not a text')
  return { mode, node }
}

const LINK_OPTIONS: Readonly<Record<keyof LinkOptions, 'number' | 'ratio'>> = {
  delay: 'number',
  jitter: 'number',
  rateBitsPerSecond: 'number',
  queueLimitBytes: 'number',
  queueLimitFrames: 'number',
  lossRatio: 'ratio',
  duplicateRatio: 'ratio',
  reorderRatio: 'ratio',
  reorderDelay: 'number',
  corruptRatio: 'ratio',
}

export function linkOrder(body: unknown): LinkOrder {
  const order = record(body, 'the body')
  const { pod, node } = record(order['target'], 'target')
  if ((typeof pod === 'string') === (typeof node === 'string'))
    throw new TypeError('target: either the uid of a pod or the name of a node')
  const target = typeof pod === 'string' ? { pod } : { node: node as string }
  const options = record(order['options'], 'options')
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(LINK_OPTIONS, name)) throw new TypeError(`options.${name}: unknown`)
    const most = LINK_OPTIONS[name as keyof LinkOptions] === 'ratio' ? 1 : Number.MAX_SAFE_INTEGER
    if (!isNumber(value) || value > most)
      throw new TypeError(`options.${name}: not a number from 0 to ${most}`)
  }
  return { target, options }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && value >= 0
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw new TypeError(`${what}: not an object`)
}
