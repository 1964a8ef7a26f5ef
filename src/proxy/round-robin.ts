// The load balancer of kube-proxy's userspace mode, for one service port on one node: round robin in a shuffled
// order, with ClientIP session affinity. After pkg/proxy/userspace/roundrobin.go of Kubernetes: when the set of
// endpoints changes it is shuffled and the index starts at 0; a set that is the same as before changes nothing.

import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import { type Endpoint, endpointKey, type IpAddress } from '../wire/address.js'

interface Affinity {
  endpoint: Endpoint
  lastUsed: Micros
}

export class RoundRobin {
  readonly #random: Random
  #endpoints: Endpoint[] = []
  /** Which of `#endpoints` is next. */
  #index = 0
  /** How long a client stays bound after its last connection; undefined: no affinity. */
  #affinityTimeout: Micros | undefined
  readonly #affinities = new Map<IpAddress, Affinity>()

  /** `random` belongs to this service port alone, so that another one's changes do not change its shuffles. */
  constructor(random: Random) {
    this.#random = random
  }

  /** Endpoints in the order of their turns, the next one first. */
  get order(): readonly Endpoint[] {
    return [...this.#endpoints.slice(this.#index), ...this.#endpoints.slice(0, this.#index)]
  }

  /** `timeout` undefined: no affinity. Clients already bound keep their endpoint while affinity stays on. */
  setAffinity(timeout: Micros | undefined): void {
    this.#affinityTimeout = timeout
    if (timeout === undefined) this.#affinities.clear()
  }

  /** Takes the set of endpoints, without duplicates; in an order that is the same in every run. */
  setEndpoints(endpoints: readonly Endpoint[]): void {
    const keys = new Set(endpoints.map(keyOf))
    if (keys.size === this.#endpoints.length && this.#endpoints.every((e) => keys.has(keyOf(e)))) return
    for (const [client, affinity] of this.#affinities) {
      if (!keys.has(keyOf(affinity.endpoint))) this.#affinities.delete(client)
    }
    this.#endpoints = this.#random.shuffle([...endpoints])
    this.#index = 0
  }

  /**
   * The endpoint for a new connection of `client`; undefined when there is none. `affinityReset` is for the
   * retry after a failed dial: the client is bound anew, to the next endpoint.
   */
  next(client: IpAddress, now: Micros, affinityReset: boolean): Endpoint | undefined {
    const timeout = this.#affinityTimeout
    const affinity = timeout === undefined ? undefined : this.#affinities.get(client)
    if (timeout !== undefined && affinity !== undefined && !affinityReset) {
      if (now - affinity.lastUsed < timeout) {
        affinity.lastUsed = now
        return affinity.endpoint
      }
    }
    const endpoint = this.#endpoints[this.#index]
    if (endpoint === undefined) return undefined
    this.#index = (this.#index + 1) % this.#endpoints.length
    if (timeout !== undefined) this.#affinities.set(client, { endpoint, lastUsed: now })
    return endpoint
  }

  /** Forgets clients whose affinity has run out, so that the table does not grow for ever. */
  dropExpired(now: Micros): void {
    const timeout = this.#affinityTimeout
    if (timeout === undefined) return
    for (const [client, affinity] of this.#affinities) {
      if (now - affinity.lastUsed >= timeout) this.#affinities.delete(client)
    }
  }
}

function keyOf(endpoint: Endpoint): number | string {
  return endpointKey(endpoint)
}
