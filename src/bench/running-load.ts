// The load clients at work: started by exec in their pods, with what they and the proxies have told so far.

import type { RemoteStreams } from '../api/request.js'
import { MILLISECOND, type Micros } from '../base/time.js'
import type { ClusterAccess, FlowEvent } from '../drivers/emulation.js'
import { LOAD_COMMAND, type LoadSpec, RECORD_WORDS } from '../pod/load/load-spec.js'
import type { PodTarget } from '../scenario/pod-exec.js'
import { LoadStream } from './load-stream.js'
import type { ClientRecord } from './recording.js'
import { type ServiceTarget, TargetError } from './service-target.js'

/** From the order to the first request: clients have been started and have looked names up by then. */
const HEAD_START: Micros = 200 * MILLISECOND
/** More of it for every client, where starting one takes time. */
const HEAD_START_OF_CLIENT: Micros = 20 * MILLISECOND

export class RunningLoad {
  readonly startAt: Micros
  readonly clients: ClientRecord[] = []
  readonly flows: FlowEvent[] = []
  readonly #cluster: ClusterAccess
  readonly #unlisten: () => void
  readonly #streams: RemoteStreams[] = []
  #requests = 0

  /** `direct`: clients go to pods without a proxy. */
  constructor(cluster: ClusterAccess, target: ServiceTarget, pods: number, direct: boolean) {
    this.#cluster = cluster
    const forClients = cluster.clock === 'real' ? pods * HEAD_START_OF_CLIENT : 0
    this.startAt = cluster.now() + HEAD_START + forClients
    this.#unlisten = cluster.onFlow((flow) => {
      if (!direct && flow.service === target.servicePort) this.flows.push(flow)
    })
  }

  /**
   * Starts a client in each of `pods` with its share of `spec`. Resolves when all clients have told all. Rejects when one
   * cannot be run.
   */
  async run(pods: readonly PodTarget[], spec: Omit<LoadSpec, 'startAt'>): Promise<void> {
    await Promise.all(
      pods.map((pod, i) => {
        const { connections, rate } = spec
        const share = Math.floor(connections / pods.length) + (i < connections % pods.length ? 1 : 0)
        return this.#client(pod, {
          ...spec,
          startAt: this.startAt,
          connections: share,
          rate: rate / pods.length,
        })
      }),
    )
  }

  /** Since the load began; 0 before. */
  get elapsed(): Micros {
    return Math.max(0, this.#cluster.now() - this.startAt)
  }

  get requests(): number {
    return this.#requests
  }

  /** Clients that still run are ended. */
  stop(): void {
    this.#unlisten()
    for (const streams of this.#streams) streams.close()
  }

  #client(pod: PodTarget, spec: LoadSpec): Promise<void> {
    const record: ClientRecord = { words: [], connections: [], summary: undefined }
    this.clients.push(record)
    const stream = new LoadStream({
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
      stdin: false,
      tty: false,
      command: [LOAD_COMMAND, JSON.stringify(spec)],
    })
    if ('kind' in streams)
      return Promise.reject(new TargetError(`${pod.name}: ${streams.message ?? 'exec failed'}`))
    this.#streams.push(streams)
    return new Promise((resolve, reject) => {
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
  }
}
