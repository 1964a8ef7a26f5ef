// Pods in the network's thread: those with hostNetwork, whose network is a node's stack, and every pod when all are
// packed in one thread; then a frame goes from stack to stack as a call, without rings and wake-ups. Their programs run
// here too: one that is busy slows the network down, and the nodes and all other pods' packets with it.

import type { Random } from '../base/random.js'
import type { Slab } from '../base/slab.js'
import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import type { ImageRegistry } from '../pod/image.js'
import { sharedImages } from '../pod/images/index.js'
import type { ImagePrograms } from '../pod/images/programs.js'
import type { PodCommand, PodEvent } from '../pod/protocol.js'
import { type DnsImageOptions, PodSandbox, sandboxHost } from '../pod/sandbox.js'
import type { Clock } from '../posix/process.js'
import type { TlsEngine } from '../posix/tls.js'
import type { Stack } from '../stack/stack.js'
import type { ClusterNetwork } from './cluster-network.js'
import { dnsCodec } from './dns-codec.js'

export interface NetworkSandboxesOptions {
  readonly network: ClusterNetwork
  readonly clock: () => Clock
  /** The emulation's: each pod draws from a stream named by its uid, as in a thread of its own. */
  readonly random: Random
  readonly programs: ImagePrograms
  readonly emit: (uid: PodUid, event: PodEvent) => void
  /** Some machine of the network may have something to send, or a new deadline. */
  readonly touched: () => void
  readonly tls: TlsEngine
  /** The thread's, which nodes use as well. */
  readonly frames: Slab
}

export class NetworkSandboxes {
  readonly #options: NetworkSandboxesOptions
  readonly #sandboxes = new Map<PodUid, PodSandbox>()
  readonly #images: ImageRegistry

  constructor(options: NetworkSandboxesOptions) {
    this.#options = options
    this.#images = sharedImages(options.programs)
  }

  /** `name` is the pod's in captures. */
  create(spec: SandboxSpec, name: string, dns: DnsImageOptions): void {
    const { clock, random, emit } = this.#options
    const { uid } = spec
    const own = random.fork(`pod ${uid}`)
    const { stack, touched } = this.#network(spec, name, own)
    const sandbox = new PodSandbox({
      spec,
      stack,
      clock: clock(),
      random: own,
      codec: dnsCodec,
      tls: this.#options.tls,
      images: this.#images,
      dns,
      emit: (event) => {
        if (event.type === 'sandbox' && event.event.type === 'sandbox-gone') this.#remove(uid)
        emit(uid, event)
      },
      touched,
    })
    this.#sandboxes.set(uid, sandbox)
    sandbox.ready()
  }

  /** Commands for what is gone are ignored. */
  handle(uid: PodUid, command: PodCommand): void {
    this.#sandboxes.get(uid)?.handle(command)
  }

  /** The pod's stack: its node's, or one of its own on a wire to its node. */
  #network(spec: SandboxSpec, name: string, random: Random): { stack: Stack; touched: () => void } {
    const { network, touched } = this.#options
    const { uid, nodeName, address, hostPorts } = spec
    if (spec.hostNetwork) {
      const touchNode = () => {
        network.touchNode(nodeName)
        touched()
      }
      return { stack: network.node(nodeName).host.stack, touched: touchNode }
    }
    const host = sandboxHost(spec, random, true, this.#options.frames)
    const machine = network.addPod(uid, name, nodeName, host, { address, hostPorts })
    const touchPod = () => {
      // A program that was killed may still let go of its sockets.
      if (!this.#sandboxes.has(uid)) return
      network.network.touch(machine)
      touched()
    }
    return { stack: host.stack, touched: touchPod }
  }

  #remove(uid: PodUid): void {
    this.#sandboxes.delete(uid)
    this.#options.network.removePod(uid)
    this.#options.touched()
  }
}
