// The five places where a packet passes on its way through a stack and where netfilter looks at it
// (Linux: NF_INET_PRE_ROUTING ...). The stack calls what is registered here in order of priority and knows nothing
// of tables or connections.

import type { ChangeCount } from '../base/change-count.js'
import type { Offload } from '../base/offload.js'
import { type IpAddress, NO_ADDRESS } from '../wire/address.js'
import { type IpHeader, ipHeader } from '../wire/ip.js'
import type { Interface } from './interface.js'

export type HookName = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING'
/** STOLEN: the hook has taken the packet for itself (NF_STOLEN); it may be gone on its way already. */
export type HookVerdict = 'ACCEPT' | 'DROP' | 'STOLEN'

/**
 * One IPv4 packet in passing: `bytes` is a whole frame that belongs to the stack, so that a hook may change it in
 * place; `header` is its parsed header and has to be changed with it. Reused for the next packet: never kept.
 */
export interface Packet {
  bytes: Uint8Array
  header: IpHeader
  /** Where it came in; undefined for a packet of this host. */
  input: Interface | undefined
  /** Where it will leave; undefined before routing. */
  output: Interface | undefined
  nextHop: IpAddress
  /** The firewall mark (SO_MARK, `-j MARK`): 32 bits, 0 unless a rule set it. */
  mark: number
  /** What is left to do of its TCP segment: then its checksum may mean nothing, and it may be longer than an MTU. */
  offload: Offload
  /** What netfilter remembers about this packet; it stays with a packet that passes through lo. */
  tracking: unknown
}

export type HookFunction = (packet: Packet, hook: HookName) => HookVerdict

/** What a function tells of itself that is registered at a hook. */
export interface HookOptions {
  /** Says by itself which packets it treats otherwise than others of the same flow: they may then be spared it. */
  readonly cacheable?: boolean
}

interface Registration {
  readonly cacheable: boolean
  readonly priority: number
  readonly run: HookFunction
}

export function makePacket(): Packet {
  return {
    bytes: new Uint8Array(0),
    header: ipHeader(),
    input: undefined,
    output: undefined,
    nextHop: NO_ADDRESS,
    mark: 0,
    offload: 0,
    tracking: undefined,
  }
}

export class Hooks {
  readonly #registrations: Record<HookName, Registration[]> = {
    PREROUTING: [],
    INPUT: [],
    FORWARD: [],
    OUTPUT: [],
    POSTROUTING: [],
  }
  /**
   * The tracking of an ICMP error or a reset that this host sends about a packet (Linux: nf_ct_attach): such an answer
   * belongs to the packet's flow even when no table knows that yet. Set by netfilter.
   */
  trackingOfAnswer: (about: Packet) => unknown = () => undefined
  #active = false
  /** Counts when functions come or go. */
  readonly #changes: ChangeCount
  /** Whether every function a forwarded packet meets is cacheable. */
  cacheable = true

  constructor(changes: ChangeCount) {
    this.#changes = changes
  }

  /** Whether anything is registered: packets of a stack without hooks are not even copied. */
  get active(): boolean {
    return this.#active
  }

  /** Calls `run` for every packet at `hook`, lower priorities first; what is given back ends that. */
  register(hook: HookName, priority: number, run: HookFunction, options: HookOptions = {}): () => void {
    this.#active = true
    const registration = { priority, run, cacheable: options.cacheable ?? false }
    // A new array each time: a hook function may register others while the old one is walked.
    this.#registrations[hook] = [...this.#registrations[hook], registration].sort(
      (a, b) => a.priority - b.priority,
    )
    this.#changed()
    return () => {
      this.#registrations[hook] = this.#registrations[hook].filter((other) => other !== registration)
      this.#changed()
    }
  }

  #changed(): void {
    const { PREROUTING, FORWARD, POSTROUTING } = this.#registrations
    this.#changes.value++
    this.cacheable = [...PREROUTING, ...FORWARD, ...POSTROUTING].every(({ cacheable }) => cacheable)
  }

  /** By name and not by key: a place where keys of all kinds come along is slow in V8. */
  #at(hook: HookName): readonly Registration[] {
    const registrations = this.#registrations
    switch (hook) {
      case 'PREROUTING':
        return registrations.PREROUTING
      case 'INPUT':
        return registrations.INPUT
      case 'FORWARD':
        return registrations.FORWARD
      case 'OUTPUT':
        return registrations.OUTPUT
      case 'POSTROUTING':
        return registrations.POSTROUTING
    }
  }

  /** Runs the functions of `hook` until one does not ACCEPT. */
  run(hook: HookName, packet: Packet): HookVerdict {
    for (const registration of this.#at(hook)) {
      const verdict = registration.run(packet, hook)
      if (verdict !== 'ACCEPT') return verdict
    }
    return 'ACCEPT'
  }
}
