// What a bench run comes to: plain data, the same for the table, the JSON and the page. Under the virtual clock nothing
// in it depends on the machine.

import type { MetricName } from './metrics.js'
import type { ChiSquare, Spread } from './statistics.js'

/** Of what follows: raised when something in it changes its meaning or goes, not when something is added. */
export const RESULT_VERSION = 1

export interface BenchResult {
  readonly version: typeof RESULT_VERSION
  readonly document: string
  /** `default/web:8080`. */
  readonly service: string
  /** The load in words. */
  readonly load: string
  readonly clock: 'virtual' | 'real'
  /** Of a cluster that was up before: undefined. */
  readonly seed?: number
  readonly rounds: number
  /** What the figures rest on, a sentence each: service times, delays, what a latency is. */
  readonly model: readonly string[]
  readonly contestants: readonly ContestantResult[]
  readonly thresholds: readonly ThresholdResult[]
  /** Steps of `during` that failed, in words. */
  readonly failures: readonly string[]
  /** Where it was ended before its time (Ctrl-C); what was not run is not among the contestants. */
  readonly interrupted?: string
}

export interface ContestantResult {
  /** What reports call it: its mode, with the rate where there are several. */
  readonly label: string
  readonly mode: string
  /** Requests a second that were due; only of an open loop. */
  readonly rate?: number
  readonly metrics: Readonly<Partial<Record<MetricName, Spread>>>
  /** Of the round whose p99 is the median: what cannot be averaged. */
  readonly round: RoundResult
}

export interface ThresholdResult {
  readonly threshold: string
  /** Of the contestant. */
  readonly label: string
  readonly value: number | undefined
  readonly passed: boolean
}

export interface RoundResult {
  readonly metrics: Readonly<Partial<Record<MetricName, number>>>
  /** Failed requests by kind. */
  readonly errors: Readonly<Record<string, number>>
  /** Every endpoint that was ready or answered, sorted. */
  readonly endpoints: readonly EndpointShare[]
  readonly chiSquare: ChiSquare | undefined
  /** The longest run that a fair, independent choice would have on average; undefined when endpoints changed. */
  readonly runByChance: number | undefined
  readonly changes: readonly ChangeResult[]
  readonly series: Series
  /** Latency by percentile: `[99, 4.2]` ms. */
  readonly percentiles: readonly (readonly [percentile: number, ms: number])[]
}

export interface EndpointShare {
  /** `10.36.0.0:80`. */
  readonly endpoint: string
  /** Name of its pod. */
  readonly pod: string | undefined
  readonly requests: number
  /** What it would have got in equal shares among those that were ready at the time. */
  readonly fairRequests: number
  readonly connections: number
}

/** Something that was done while the load went on. */
export interface ChangeResult {
  /** Milliseconds since the load began. */
  readonly atMs: number
  readonly what: string
  readonly endpointsBefore: number
  readonly endpointsAfter: number
  /** Lasting connections whose requests went to one endpoint before and to another after; of those that had any. */
  readonly moved: number | undefined
  readonly failed: number
  /** Connections (open at a time) that noticed, of those that the change concerned. */
  readonly noticed: number
  readonly concerned: number
  /** From the change until the first and the last of them noticed, milliseconds. */
  readonly firstNoticedMs: number | undefined
  readonly lastNoticedMs: number | undefined
}

/** Over time, in steps of equal length. */
export interface Series {
  /** What was before, the warm-up, is not counted. */
  readonly startMs: number
  readonly stepMs: number
  readonly endpoints: readonly string[]
  /** Good requests by endpoint, a row each, by when they ended. */
  readonly requests: readonly (readonly number[])[]
  readonly failed: readonly number[]
  readonly p50Ms: readonly (number | undefined)[]
  readonly p99Ms: readonly (number | undefined)[]
}
