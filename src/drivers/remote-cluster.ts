// A cluster of another process (`podwire up`) as ClusterAccess: what steps and benchmarks ask of a cluster, over its API
// server - Kubernetes' own paths and those of control-api.ts - with its token and checks. It neither starts nor ends it.

import { randomUUID } from 'node:crypto'
import { Agent } from 'node:https'
import type { WatchLine } from '../api/request.js'
import { Random } from '../base/random.js'
import { MILLISECOND, type Micros, NEVER, SECOND } from '../base/time.js'
import type { LinkOptions } from '../fabric/link.js'
import { TERMINALS_PATH } from '../http/streams/terminal-protocol.js'
import type { System } from '../posix/process.js'
import {
  ask,
  type ClusterAddress,
  ClusterLost,
  ClusterRefusal,
  follow,
  jsonLines,
  order,
} from './cluster-client.js'
import {
  CLOCK_PATH,
  type ClockReading,
  FLOWS_PATH,
  type FlowMark,
  LINKS_PATH,
  type LinkOrder,
  PROXIES_PATH,
  type ProxyOrder,
  SETTLE_PATH,
  type SettleOrder,
} from './control-protocol.js'
import { type ClusterAccess, EmulationTimeout, type FlowEvent, type LinkTarget } from './emulation.js'
import { type HostSystemOptions, hostSystem } from './host-system.js'
import type { NodeCommandResult } from './node-shell.js'
import { RealTime } from './real-time.js'
import { RemoteApi } from './remote-api.js'
import { type CommandEnd, RemoteCommand } from './remote-command.js'

/** The clock is read so often; the reading that took least is believed. */
const CLOCK_READINGS = 5
/** An order may wait for the cluster to have done it. */
const ORDER_TIMEOUT_MS = 30_000

export class RemoteCluster implements ClusterAccess {
  readonly clock = 'real'
  readonly api: RemoteApi
  readonly #to: ClusterAddress
  /** Of orders: a connection and its handshake for each would take longer than they do. */
  readonly #agent: Agent
  readonly #time: RealTime
  readonly #modes: Map<string, string>
  readonly #listeners = new Set<(event: FlowEvent) => void>()
  /** What was changed of wires, by target. */
  readonly #links = new Map<string, { readonly target: LinkTarget; readonly names: Set<string> }>()
  readonly #marks = new Map<string, () => void>()
  readonly #unfollow: () => void
  /** Rejects when the cluster is heard of no more, or was left. */
  readonly #lost: Promise<never>
  #lose: (reason: unknown) => void = () => {}

  /** Rejects with ClusterRefusal, or with an Error that says why there is no answer. */
  static async open(to: ClusterAddress): Promise<RemoteCluster> {
    const [zero, modes] = [await readZero(to), await ask<Record<string, string>>(to, PROXIES_PATH)]
    const time = new RealTime(Date.now() - (RealTime.here() - zero), zero)
    return new Promise((resolve, reject) => {
      const cluster: RemoteCluster = new RemoteCluster(to, time, modes, () => resolve(cluster))
      cluster.#lost.catch(reject)
    })
  }

  private constructor(
    to: ClusterAddress,
    time: RealTime,
    modes: Readonly<Record<string, string>>,
    ready: () => void,
  ) {
    this.#to = to
    this.#time = time
    this.#modes = new Map(Object.entries(modes))
    this.#agent = new Agent({ keepAlive: true, ca: to.ca })
    this.api = new RemoteApi(to)
    this.#lost = new Promise((_, reject) => {
      this.#lose = reject
    })
    this.#lost.catch(() => {})
    this.#unfollow = follow(to, `${FLOWS_PATH}?watch=true`, {
      open: ready,
      bytes: jsonLines((line) => this.#event(line as WatchLine)),
      end: (error) => this.#lose(lost(error)),
    })
  }

  now(): Micros {
    return this.#time.now()
  }

  hostSystem(options: HostSystemOptions): System {
    return hostSystem(options, this.#time.clock(), new Random('host'))
  }

  async run<Value>(work: Promise<Value>, limit: Micros = NEVER): Promise<Value> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      if (limit === NEVER) return
      const fail = () => reject(new EmulationTimeout(`no end after ${limit / SECOND} s`))
      timer = setTimeout(fail, limit / MILLISECOND)
    })
    try {
      const value = await Promise.race([work, late, this.#lost])
      if (this.#listeners.size > 0) await Promise.race([this.#heard(), this.#lost])
      return value
    } finally {
      clearTimeout(timer)
    }
  }

  sleep(duration: Micros): Promise<void> {
    return Promise.race([this.#time.sleep(duration), this.#lost])
  }

  async settle(timeoutMicros: Micros): Promise<boolean> {
    const wait = timeoutMicros / MILLISECOND + ORDER_TIMEOUT_MS
    const body: SettleOrder = { timeoutMicros }
    return (await this.#order<{ settled: boolean }>(SETTLE_PATH, body, wait)).settled
  }

  get nodes(): readonly string[] {
    return [...this.#modes.keys()]
  }

  proxyMode(node: string): string {
    const mode = this.#modes.get(node)
    if (mode === undefined)
      throw new TypeError(`there is no node ${node}; nodes are ${this.nodes.join(', ')}`)
    return mode
  }

  async setProxyMode(mode: string, node?: string): Promise<void> {
    const body: ProxyOrder = node === undefined ? { mode } : { mode, node }
    await this.#order(PROXIES_PATH, body)
    for (const [name, is] of Object.entries(await ask<Record<string, string>>(this.#to, PROXIES_PATH)))
      this.#modes.set(name, is)
  }

  async setLink(target: LinkTarget, options: LinkOptions): Promise<void> {
    const body: LinkOrder = { target, options }
    await this.#order(LINKS_PATH, body)
    const key = JSON.stringify(target)
    const names = this.#links.get(key)?.names ?? new Set()
    this.#links.set(key, { target, names })
    for (const name of Object.keys(options)) names.add(name)
  }

  /** Wires that were changed have no fault, delay or rate any more: as those of a cluster that is up are from its start. */
  async resetLinks(): Promise<void> {
    for (const { target, names } of this.#links.values()) {
      const options = Object.fromEntries([...names].map((name) => [name, 0]))
      await this.#order(LINKS_PATH, { target, options } satisfies LinkOrder)
    }
    this.#links.clear()
  }

  async execOnNode(node: string, script: string): Promise<NodeCommandResult> {
    this.proxyMode(node)
    const output = { stdout: '', stderr: '' }
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
    const path = `${TERMINALS_PATH}/nodes/${node}?tty=false`
    let exit: (end: CommandEnd) => void = () => {}
    const ended = new Promise<CommandEnd>((resolve) => {
      exit = resolve
    })
    const shell = await RemoteCommand.open(this.#to, path, {
      output: (stream, bytes) => {
        output[stream] += decoders[stream].decode(bytes, { stream: true })
      },
      exit,
    })
    await shell.write(new TextEncoder().encode(`${script}\n`))
    shell.end()
    const { exitCode, error = '' } = await this.run(ended)
    return { exitCode, stdout: output.stdout, stderr: output.stderr + error }
  }

  onFlow(listener: (event: FlowEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whatever waits for the cluster's time or work rejects with `reason`, now and later; requests are made still. */
  leave(reason: unknown): void {
    this.#lose(reason)
  }

  /** Goes away; the cluster stays. */
  async close(): Promise<void> {
    this.#unfollow()
    this.#agent.destroy()
    this.#time.close()
    await this.api.close()
  }

  #order<Answer = unknown>(path: string, body: object, timeoutMs = ORDER_TIMEOUT_MS): Promise<Answer> {
    return order(this.#to, path, body, { timeoutMs, agent: this.#agent })
  }

  /** Resolves when all flows have been told that there were until now. */
  async #heard(): Promise<void> {
    // Others may mark the stream, too.
    const mark = randomUUID()
    const heard = new Promise<void>((resolve) => this.#marks.set(mark, resolve))
    const body: FlowMark = { mark }
    await this.#order(FLOWS_PATH, body)
    await heard
  }

  #event({ type, object }: WatchLine): void {
    if (type === 'ADDED') {
      const flow = object as unknown as FlowEvent
      for (const listener of this.#listeners) listener(flow)
    } else if (type === 'BOOKMARK') {
      const { mark } = object as unknown as FlowMark
      this.#marks.get(mark)?.()
      this.#marks.delete(mark)
    }
  }
}

function lost(error: Error | undefined): Error {
  if (error instanceof ClusterRefusal) return error
  return new ClusterLost(
    `the cluster does not answer any more${error === undefined ? '' : `: ${error.message}`}`,
  )
}

/** The cluster's zero on the clock of this process: an answer was read half way between its request and its arrival. */
async function readZero(to: ClusterAddress): Promise<number> {
  let best = { took: Number.POSITIVE_INFINITY, zero: 0 }
  for (let i = 0; i < CLOCK_READINGS; i++) {
    const asked = RealTime.here()
    const { nowMicros } = await ask<ClockReading>(to, CLOCK_PATH)
    const took = RealTime.here() - asked
    if (took < best.took) best = { took, zero: asked + took / 2 - nowMicros / MILLISECOND }
  }
  return best.zero
}
