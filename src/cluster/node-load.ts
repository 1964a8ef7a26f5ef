// What the pods of a node take of it, as the scheduler counts: their number, by owner too, the CPU and memory that
// they request, and ports of the node. Kept up one pod at a time.

import { controllerOf } from './controller-context.js'
import { hostPortsOf, portsConflict } from './host-ports.js'
import type { Pod, PodSpec } from './objects.js'
import { parseQuantity } from './quantity.js'
import type { HostPort } from './sandbox.js'

/** Requests of CPU, in cores, and memory, in bytes. */
export interface Requests {
  readonly cpu: number
  readonly memory: number
}

const NOTHING: Requests = { cpu: 0, memory: 0 }

interface Share {
  readonly owner: string | undefined
  readonly requests: Requests
  readonly hostPorts: readonly HostPort[]
}

export class NodeLoad {
  readonly #pods = new Map<string, Share>()
  readonly #byOwner = new Map<string, number>()
  #cpu = 0
  #memory = 0

  get podCount(): number {
    return this.#pods.size
  }

  get requests(): Requests {
    return { cpu: this.#cpu, memory: this.#memory }
  }

  /** How many of its pods the owner with this uid manages. */
  countOf(owner: string): number {
    return this.#byOwner.get(owner) ?? 0
  }

  /** Whether a pod of this node has one of these ports. */
  hasPortOf(wanted: readonly HostPort[]): boolean {
    if (wanted.length === 0) return false
    for (const { hostPorts } of this.#pods.values())
      if (hostPorts.some((taken) => wanted.some((port) => portsConflict(taken, port)))) return true
    return false
  }

  /** Counts a pod, once; what it requests does not change any more when it has a node. */
  add(key: string, pod: Pod): void {
    if (this.#pods.has(key)) return
    const share = {
      owner: controllerOf(pod)?.uid,
      requests: requestsOf(pod.spec),
      hostPorts: hostPortsOf(pod.spec),
    }
    this.#pods.set(key, share)
    this.#take(share, 1)
  }

  remove(key: string): void {
    const share = this.#pods.get(key)
    if (share !== undefined && this.#pods.delete(key)) this.#take(share, -1)
  }

  #take({ owner, requests }: Share, sign: 1 | -1): void {
    this.#cpu += sign * requests.cpu
    this.#memory += sign * requests.memory
    if (owner === undefined) return
    const count = this.countOf(owner) + sign
    if (count === 0) this.#byOwner.delete(owner)
    else this.#byOwner.set(owner, count)
  }
}

/** A pod's requests: its containers together, or the largest init container when that is more. */
export function requestsOf(spec: PodSpec): Requests {
  if (![...spec.containers, ...(spec.initContainers ?? [])].some(({ resources }) => resources?.requests))
    return NOTHING
  const amount = (name: 'cpu' | 'memory') => {
    const of = (list: PodSpec['containers'] = []) =>
      list.map(({ resources }) => parseQuantity(resources?.requests?.[name] ?? '') ?? 0)
    return Math.max(
      of(spec.containers).reduce((sum, one) => sum + one, 0),
      ...of(spec.initContainers),
    )
  }
  return { cpu: amount('cpu'), memory: amount('memory') }
}
