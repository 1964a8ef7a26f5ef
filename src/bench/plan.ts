// What a bench run is to do, every value settled: who is loaded, how, under which modes. Made of the `bench` section of
// a scenario and the command line's options, which win (see settings.ts).

import type { Micros } from '../base/time.js'
import type { NetworkThreadCount, PodsPerThread } from '../drivers/emulation.js'
import type { HttpRequestSpec, LoadProtocol } from '../pod/load/load-spec.js'
import type { Threshold } from './threshold.js'

/** How the Service's connections are spread: a mode of kube-proxy, or by the clients themselves through DNS. */
export const HEADLESS = 'headless'

export interface BenchPlan {
  /** `web:8080`, `shop/web:http`; undefined: the only Service there is. */
  readonly service: string | undefined
  /** Modes of kube-proxy and `headless`, in the order of the report. */
  readonly modes: readonly string[]
  readonly clock: 'virtual' | 'real'
  /** Whether the cluster is one that is up, and stays, instead of one for each round. */
  readonly live: boolean
  /** In real time: how many pods share a thread. */
  readonly podsPerThread: PodsPerThread
  /** In real time: among how many threads the nodes are dealt. */
  readonly networkThreads: NetworkThreadCount
  readonly seed: number
  /** How often each mode is run. */
  readonly rounds: number
  /** At the first of the rates. */
  readonly load: LoadPlan
  /** Every mode is loaded at each of them; requests a second, 0 for the closed loop. */
  readonly rates: readonly number[]
  /** Pods that are there and send, as findPods wants them; undefined: `load.clients` pods are made. */
  readonly from: string | undefined
  /** What servers take for a request, `exponential(5ms)`; undefined: what computing takes, under the virtual clock nothing. */
  readonly serviceTime: string | undefined
  /** Requests that one server works on at the same time. */
  readonly workers: number
  /** Added delay of each client's wire, each way. */
  readonly delay: Micros | undefined
  readonly thresholds: readonly Threshold[]
}

export interface LoadPlan {
  readonly protocol: LoadProtocol
  /** The path of HTTP, or what tcp and udp send. */
  readonly payload: string
  readonly http: HttpRequestSpec
  /** Client pods that are made. */
  readonly clients: number
  /** Of all client pods together. */
  readonly connections: number
  readonly keepAlive: boolean
  /** Requests a second of all clients; 0: closed loop. */
  readonly rate: number
  readonly duration: Micros
  /** What happens before this is not counted. */
  readonly warmup: Micros
  readonly timeout: Micros
}

/** The load in words: `closed loop, 64 keep-alive connections from 2 pods, 10 s`. */
export function loadText({ load, rates }: BenchPlan, clients: number): string {
  const loop = load.rate > 0 ? `open loop, ${rates.join(', ')} requests/s` : 'closed loop'
  const kind = { http: 'connection', tcp: 'TCP connection', udp: 'UDP socket' }[load.protocol]
  const life = load.keepAlive
    ? `${load.connections} lasting ${kind}${load.connections === 1 ? '' : 's'}`
    : `a new ${kind} for each request, ${load.connections} at a time`
  const from = clients === 1 ? '1 pod' : `${clients} pods`
  return `${loop}, ${life}, from ${from}, ${load.duration / 1e6} s, ${requestText(load)}`
}

/** `GET /`, `POST /echo with 5 bytes`, `"hostname"`. */
function requestText({ protocol, payload, http }: LoadPlan): string {
  if (protocol !== 'http') return payload === '' ? 'nothing sent' : JSON.stringify(payload)
  const { method = 'GET', headers = [], body } = http
  const length = body === undefined ? '' : ` with ${new TextEncoder().encode(body).length} bytes`
  return [`${method} ${payload}${length}`, ...headers].join(', ')
}
