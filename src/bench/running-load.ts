// The load clients at work: started by exec in their pods, with what they and the proxies have told so far.

import type { RemoteStreams } from '../api/request.js'
import { MILLISECOND, type Micros } from '../base/time.js'
import type { ClusterAccess, FlowEvent } from '../drivers/emulation.js'
import { LOAD_COMMAND, type LoadSpec, RECORD_WORDS } from '../pod/load/load-spec.js'
import type { PodTarget } from '../scenario/pod-exec.js'
import { LoadStream } from './load-stream.js'
import type { ClientRecord } from './recording.js'
import { type ServiceTarget, TargetError } from './service-target.js'

/** From the order to begin to the first request: all clients have heard of it by then. */
const HEAD_START: Micros = 200 * MILLISECOND

export class RunningLoad {
  readonly clients: ClientRecord[] = []
  readonly flows: FlowEvent[] = []
  readonly #cluster: ClusterAccess
  readonly #unlisten: () => void
  readonly #streams: RemoteStreams[] = []
  #startAt: Micros = Number.POSITIVE_INFINITY
  #requests = 0
  #told: Promise<unknown> = Promise.resolve()

  /** `direct`: clients go to pods without a proxy. */
  constructor(cluster: ClusterAccess, target: ServiceTarget, direct: boolean) {
    this.#cluster = cluster
    this.#unlisten = cluster.onFlow((flow) => {
      if (!direct && flow.service === target.servicePort) this.flows.push(flow)
    })
  }

  /**
   * Starts a client in each of `pods` with its share of `spec`. Resolves when all are ready to begin. Rejects when one
   * cannot be run.
   */
  async prepare(pods: readonly PodTarget[], spec: LoadSpec): Promise<void> {
    const clients = pods.map((pod, i) => {
      const { connections, rate } = spec
      const share = Math.floor(connections / pods.length) + (i < connections % pods.length ? 1 : 0)
      const firstDue = rate > 0 ? (i * 1e6) / rate : 0
      return this.#client(pod, { ...spec, connections: share, rate: rate / pods.length, firstDue })
    })
    this.#told = Promise.all(clients.map(({ told }) => told))
    this.#told.catch(() => {})
    await Promise.race([Promise.all(clients.map(({ ready }) => ready)), this.#told])
  }

  /** Lets all clients begin at one moment; when that is. */
  start(): Micros {
    this.#startAt = this.#cluster.now() + HEAD_START
    const line = new TextEncoder().encode(`${this.#startAt}\n`)
    for (const streams of this.#streams) {
      streams.write(line)
      streams.end()
    }
    return this.#startAt
  }

  /** Resolves when all clients have told all. Rejects when one failed. */
  async finish(): Promise<void> {
    await this.#told
  }

  /** Since the load began; 0 before. */
  get elapsed(): Micros {
    return Math.max(0, this.#cluster.now() - this.#startAt)
  }

  get requests(): number {
    return this.#requests
  }

  /** Clients that still run are ended. */
  stop(): void {
    this.#unlisten()
    for (const streams of this.#streams) streams.close()
  }

  #client(pod: PodTarget, spec: LoadSpec): { ready: Promise<void>; told: Promise<void> } {
    const record: ClientRecord = { words: [], connections: [], summary: undefined }
    this.clients.push(record)
    let ready = () => {}
    const isReady = new Promise<void>((resolve) => {
      ready = resolve
    })
    const stream = new LoadStream({
      ready,
      requests: (words) => {
        record.words.push(words)
        this.#requests += words.length / RECORD_WORDS
      },
      connections: (connections) => record.connections.push(...connections),
      summary: (summary) => {
        record.summary = summary
      },
    })
    const streams = this.#cluster.api.exec({
      namespace: pod.namespace,
      pod: pod.name,
      stdin: true,
      tty: false,
      command: [LOAD_COMMAND, JSON.stringify(spec)],
    })
    if ('kind' in streams)
      return {
        ready: isReady,
        told: Promise.reject(new TargetError(`${pod.name}: ${streams.message ?? 'exec failed'}`)),
      }
    this.#streams.push(streams)
    const told = new Promise<void>((resolve, reject) => {
      let complaints = ''
      streams.onOutput = (from, bytes) => {
        if (from === 'stdout') stream.push(bytes)
        else complaints += new TextDecoder().decode(bytes)
      }
      streams.onExit = ({ exitCode, error }) => {
        if (exitCode === 0 && record.summary !== undefined) resolve()
        else reject(new TargetError(`the load client in ${pod.name} failed: ${error ?? complaints.trim()}`))
      }
    })
    return { ready: isReady, told }
  }
}
