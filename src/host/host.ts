// A pod's network as one Machine: a stack whose only interface to the outside, eth0, is port 0.

import type { Machine, Outgoing } from '../base/machine.js'
import type { Offload } from '../base/offload.js'
import type { Random } from '../base/random.js'
import type { Slab } from '../base/slab.js'
import type { Micros } from '../base/time.js'
import type { Netfilter } from '../netfilter/netfilter.js'
import { Stack } from '../stack/stack.js'
import { anyOf, type InterfaceAddress, type IpAddress, type Mac } from '../wire/address.js'

/** A machine with a stack: a pod or a node. */
export interface Host extends Machine {
  readonly name: string
  readonly stack: Stack
  /** Undefined where no rules are wanted: packets then pass without hooks. */
  readonly netfilter: Netfilter | undefined
}

export interface PodHostOptions {
  readonly name: string
  readonly mac: Mac
  /** Address of eth0. */
  readonly address: InterfaceAddress
  /** Next hop of everything outside that prefix. */
  readonly gateway: IpAddress
  /** The same of the other family, of a dual-stack pod. */
  readonly secondary?: { readonly address: InterfaceAddress; readonly gateway: IpAddress } | undefined
  readonly mtuBytes: number
  /** Frames may leave with work left to do (base/offload.ts); those that come may always. Default false. */
  readonly offload?: boolean
  /** Where TCP takes its frames from, and gives those back whose text has arrived in a socket; default: a slab of its own. */
  readonly frames?: Slab | undefined
  readonly random: Random
}

class PodHost implements Host {
  readonly name: string
  readonly stack: Stack
  readonly netfilter = undefined
  readonly #eth0: number
  readonly #outgoing: { port: number; frame: Uint8Array; offload: Offload } = {
    port: 0,
    frame: new Uint8Array(0),
    offload: 0,
  }

  constructor(options: PodHostOptions) {
    this.name = options.name
    this.stack = new Stack({
      name: options.name,
      random: options.random,
      offload: options.offload ?? false,
      frames: options.frames,
    })
    this.#eth0 = this.stack.addInterface({
      name: 'eth0',
      mac: options.mac,
      mtuBytes: options.mtuBytes,
      addresses: [options.address, ...(options.secondary ? [options.secondary.address] : [])],
      offload: options.offload ?? false,
    })
    for (const gateway of [options.gateway, options.secondary?.gateway]) {
      if (gateway === undefined) continue
      const destination = { network: anyOf(gateway), prefixLength: 0 }
      this.stack.addRoute({ destination, gateway, interfaceIndex: this.#eth0 })
    }
    // As CNI plugins do for a new pod: its address may have been another's a moment ago.
    this.stack.announce(this.#eth0)
  }

  receive(_port: number, frame: Uint8Array, now: Micros, offload: Offload = 0): void {
    this.stack.receive(this.#eth0, frame, now, offload)
  }

  advance(now: Micros): void {
    this.stack.advance(now)
  }

  transmit(): Outgoing | undefined {
    const out = this.stack.transmit()
    if (out === undefined) return undefined
    this.#outgoing.frame = out.frame
    this.#outgoing.offload = out.offload
    return this.#outgoing
  }

  deadline(): Micros {
    return this.stack.deadline()
  }
}

/** A pod: lo, eth0 (port 0) and a default route through `gateway`. */
export function podHost(options: PodHostOptions): Host {
  return new PodHost(options)
}
