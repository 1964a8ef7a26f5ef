// Pods with hostNetwork in the network's thread: their network is a node's stack, and that lives here. Their programs
// run here too: one that is busy slows the network down, and the nodes and all other pods' packets with it.

import type { Random } from '../base/random.js'
import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import type { PodCommand, PodEvent } from '../pod/protocol.js'
import { type DnsImageOptions, PodSandbox } from '../pod/sandbox.js'
import type { Clock } from '../posix/process.js'
import type { ClusterNetwork } from './cluster-network.js'
import { dnsCodec } from './dns-codec.js'

export interface NodeSandboxesOptions {
  readonly network: ClusterNetwork
  readonly clock: () => Clock
  /** The emulation's: each pod draws from a stream named by its uid, as in a thread of its own. */
  readonly random: Random
  readonly emit: (uid: PodUid, event: PodEvent) => void
  /** A node's stack may have something to send, or a new deadline. */
  readonly touched: (node: string) => void
}

export class NodeSandboxes {
  readonly #options: NodeSandboxesOptions
  readonly #sandboxes = new Map<PodUid, PodSandbox>()

  constructor(options: NodeSandboxesOptions) {
    this.#options = options
  }

  create(spec: SandboxSpec, dns: DnsImageOptions): void {
    const { network, clock, random, emit, touched } = this.#options
    const { uid, nodeName } = spec
    const sandbox = new PodSandbox({
      spec,
      stack: network.node(nodeName).host.stack,
      clock: clock(),
      random: random.fork(`pod ${uid}`),
      codec: dnsCodec,
      dns,
      emit: (event) => {
        if (event.type === 'sandbox' && event.event.type === 'sandbox-gone') this.#sandboxes.delete(uid)
        emit(uid, event)
      },
      touched: () => touched(nodeName),
    })
    this.#sandboxes.set(uid, sandbox)
    sandbox.ready()
  }

  /** Commands for what is gone are ignored. */
  handle(uid: PodUid, command: PodCommand): void {
    this.#sandboxes.get(uid)?.handle(command)
  }
}
