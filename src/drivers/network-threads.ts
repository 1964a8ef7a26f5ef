// The threads of the network as the cluster's thread has them: one, or several among which the nodes are dealt, each
// with its nodes' stacks and a switch (network-worker.ts). Starts them, joins each to each by a pair of rings, finds the
// one of a node, asks one or all of them, and ends them.

import { MessageChannel, type Transferable, type Worker } from 'node:worker_threads'
import { RING_CAPACITY_BYTES, ringBuffer } from '../fabric/ring.js'
import { CATCH_UP_MS, CaptureError, CaptureFile } from './capture-file.js'
import { CaptureMerge } from './capture-merge.js'
import { type Doorbell, doorbell, poke } from './doorbell.js'
import type { EarlyWorkers } from './early-workers.js'
import { MessageBatch } from './message-batch.js'
import type { NetworkCommand, NetworkEvent, NetworkWorkerData, WireEnd } from './network-protocol.js'
import type { ResolvedOptions } from './options.js'
import type { Polling } from './polling.js'
import { threadGauge, workerUsage } from './thread-gauge.js'
import type { ThreadUsage } from './usage-meter.js'

/** How long a thread may take to write or tell its capture at the end. */
const CLOSE_TIMEOUT_MS = 5_000

/** Of all trunks together. */
const TRUNKS_BYTES = 512 * 1024 * 1024
const LEAST_TRUNK_BYTES = 512 * 1024

const ENDED = 'the network thread ended by itself'

/** What is neither an answer nor about threads themselves. */
export type ClusterNetworkEvent = Exclude<
  NetworkEvent,
  { readonly type: 'barrier' | 'answer' | 'closed' | 'sightings' | 'capture-problem' }
>

export interface NetworkThreadsOptions {
  readonly options: ResolvedOptions
  readonly workers: EarlyWorkers
  /** RealTime.zero of the emulation. */
  readonly zero: number
  readonly polling: Polling
  readonly onEvent: (event: ClusterNetworkEvent) => void
  /** A thread died: the emulation cannot go on. */
  readonly onFailure: (error: Error) => void
}

/** One thread of the network, for those who have to do with its nodes. */
export interface NetworkThread {
  readonly bell: Doorbell
  send(command: NetworkCommand, transfer?: readonly Transferable[]): void
  /** Resolves when it has done what it was sent before. */
  echo(): Promise<void>
}

type Ask = (thread: NetworkThread, command: (id: number) => NetworkCommand) => Promise<unknown>

class RunningThread implements NetworkThread {
  readonly bell: Doorbell
  readonly #gauge = threadGauge()
  readonly #worker: Worker
  readonly #outbox: MessageBatch<NetworkCommand>
  readonly #ask: Ask
  #closed: (error: string | undefined) => void = () => {}
  /** Settles when the thread has closed, with why its capture is not whole. */
  readonly closed = new Promise<string | undefined>((resolve) => {
    this.#closed = resolve
  })

  constructor(
    worker: Worker,
    data: Omit<NetworkWorkerData, 'gauge'>,
    onEvent: (event: NetworkEvent) => void,
    onFailure: (error: Error) => void,
    ask: Ask,
  ) {
    this.bell = data.bell
    this.#ask = ask
    this.#worker = worker
    const first: NetworkWorkerData = { ...data, gauge: this.#gauge }
    worker.postMessage(
      first,
      data.trunks.map(({ port }) => port),
    )
    this.#outbox = new MessageBatch((commands, transfer) => {
      this.#worker.postMessage(commands, transfer)
      poke(this.bell)
    })
    this.#worker.on('message', (events: readonly NetworkEvent[]) => {
      for (const event of events)
        if (event.type === 'closed') this.#closed(event.error)
        else onEvent(event)
    })
    this.#worker.on('error', onFailure)
    this.#worker.on('exit', () => {
      this.#closed(ENDED)
      onFailure(new Error(ENDED))
    })
  }

  send(command: NetworkCommand, transfer: readonly Transferable[] = []): void {
    this.#outbox.add(command, transfer)
  }

  async echo(): Promise<void> {
    await this.#ask(this, (id) => ({ type: 'echo', id }))
  }

  usage(): ThreadUsage {
    return workerUsage(this.#worker, this.#gauge)
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }
}

export class NetworkThreads {
  readonly #threads: readonly RunningThread[]
  readonly #byNode = new Map<string, RunningThread>()
  /** Where each thread tells what it sees; undefined when there is no capture, or the only thread writes it. */
  readonly #capture: CaptureMerge | undefined
  readonly #catchingUp: NodeJS.Timeout | undefined
  readonly #questions = new Map<number, (answer: unknown) => void>()
  readonly #onEvent: (event: ClusterNetworkEvent) => void
  #nextQuestion = 1
  #captureProblem: string | undefined

  constructor({ options, workers, zero, polling, onEvent, onFailure }: NetworkThreadsOptions) {
    const { config, pcap, networkThreads: count } = options
    this.#onEvent = onEvent
    if (pcap !== undefined && count > 1) {
      const file = new CaptureFile(pcap, options.startUnixMillis * 1000)
      file.onProblem = (problem) => {
        this.#captureProblem = problem
      }
      const capture = new CaptureMerge(file, count, (thread) =>
        this.#threads[thread]!.send({ type: 'sightings' }),
      )
      this.#capture = capture
      this.#catchingUp = setInterval(() => {
        capture.ask()
        file.catchUp()
      }, CATCH_UP_MS)
      this.#catchingUp.unref()
    }
    const bells = Array.from({ length: count }, doorbell)
    const trunks = trunksBetween(bells)
    const shares = Array.from({ length: count }, (_, thread) =>
      config.nodes.filter((_node, index) => index % count === thread).map(({ name }) => name),
    )
    this.#threads = shares.map((nodes, index) => {
      const data = {
        config,
        nodes,
        trunks: trunks[index]!,
        proxies: options.proxies,
        seed: options.seed,
        startUnixMillis: options.startUnixMillis,
        zero,
        pcap: count === 1 ? pcap : undefined,
        tellsSightings: pcap !== undefined && count > 1,
        bell: bells[index]!,
        polling,
      }
      const hear = (event: NetworkEvent) => this.#event(index, event)
      return new RunningThread(workers.network(), data, hear, onFailure, (thread, command) =>
        this.#ask(thread, command),
      )
    })
    for (const [index, nodes] of shares.entries())
      for (const node of nodes) this.#byNode.set(node, this.#threads[index]!)
  }

  /** The thread of a node. Throws a TypeError when there is no such node. */
  of(node: string): NetworkThread {
    const thread = this.#byNode.get(node)
    if (thread !== undefined) return thread
    throw new TypeError(`there is no node ${node}; nodes are ${[...this.#byNode.keys()].join(', ')}`)
  }

  toAll(command: NetworkCommand): void {
    for (const thread of this.#threads) thread.send(command)
  }

  /** The answer of a node's thread to a command that has one. */
  ask<Answer>(node: string, command: (id: number) => NetworkCommand): Promise<Answer> {
    return this.#ask(this.of(node), command) as Promise<Answer>
  }

  /** Resolves when all that the threads had told by then has been heard. */
  async echo(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.echo()))
  }

  /** Resolves when all threads have taken all changes that were sent before. */
  async barrier(): Promise<void> {
    await this.#askAll((id) => ({ type: 'barrier', id }))
  }

  /** Of all of them together. */
  usage(): ThreadUsage {
    let [busyMicros, memoryBytes] = [0, 0]
    for (const thread of this.#threads) {
      const usage = thread.usage()
      busyMicros += usage.busyMicros
      memoryBytes += usage.memoryBytes
    }
    return { busyMicros, memoryBytes }
  }

  /** Why the capture is not whole, undefined as long as it is. */
  get captureProblem(): string | undefined {
    return this.#captureProblem
  }

  /** Ends the threads. Rejects with CaptureError when the capture is not whole. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('the network thread did not answer'), CLOSE_TIMEOUT_MS)
    })
    this.toAll({ type: 'close' })
    const errors = await Promise.all(this.#threads.map(({ closed }) => Promise.race([closed, late])))
    clearTimeout(timer)
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
    clearInterval(this.#catchingUp)
    this.#capture?.close()
    const error = errors.find((each) => each !== undefined)
    if (error !== undefined) throw new CaptureError(error)
  }

  async #askAll(command: (id: number) => NetworkCommand): Promise<void> {
    await Promise.all(this.#threads.map((thread) => this.#ask(thread, command)))
  }

  #ask(thread: NetworkThread, command: (id: number) => NetworkCommand): Promise<unknown> {
    const id = this.#nextQuestion++
    return new Promise((resolve) => {
      this.#questions.set(id, resolve)
      thread.send(command(id))
    })
  }

  #event(thread: number, event: NetworkEvent): void {
    switch (event.type) {
      case 'barrier':
        return this.#answered(event.id, undefined)
      case 'answer':
        return this.#answered(event.id, event.answer)
      case 'sightings':
        return this.#capture?.add(thread, event.sightings)
      case 'capture-problem':
        this.#captureProblem = event.problem
        return
      case 'closed':
        return
      default:
        this.#onEvent(event)
    }
  }

  #answered(id: number, answer: unknown): void {
    this.#questions.get(id)?.(answer)
    this.#questions.delete(id)
  }
}

/** Of one direction of a trunk: as any wire has, less where there are many, and room for a few frames of 64 KiB at least. */
function trunkBytes(threads: number): number {
  const share = TRUNKS_BYTES / (threads * (threads - 1))
  const size = 2 ** Math.floor(Math.log2(share))
  return Math.min(RING_CAPACITY_BYTES, Math.max(LEAST_TRUNK_BYTES, size))
}

/** A wire between each two threads, by their bells: the ends that each of them has. */
function trunksBetween(bells: readonly Doorbell[]): WireEnd[][] {
  const capacity = trunkBytes(bells.length)
  const ends = bells.map((): WireEnd[] => [])
  for (const [one, bell] of bells.entries())
    for (let other = 0; other < one; other++) {
      const [there, back] = [ringBuffer(capacity), ringBuffer(capacity)]
      const { port1, port2 } = new MessageChannel()
      ends[one]!.push({ outgoing: there, incoming: back, bell: bells[other]!, port: port1 })
      ends[other]!.push({ outgoing: back, incoming: there, bell, port: port2 })
    }
  return ends
}
