// All of the cluster of web-cluster.ts in this thread, in real time: pods, nodes and client are stacks that call each
// other. What it costs is computing alone: no thread is woken.

import { Random } from '../../src/base/random.js'
import type { SandboxSpec } from '../../src/cluster/sandbox.js'
import { ClusterNetwork } from '../../src/drivers/cluster-network.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'
import { nodeTls } from '../../src/drivers/node-tls.js'
import { RealTime } from '../../src/drivers/real-time.js'
import type { Host } from '../../src/host/host.js'
import { allPrograms } from '../../src/pod/images/all-programs.js'
import { sharedImages } from '../../src/pod/images/index.js'
import { PodSandbox, sandboxHost } from '../../src/pod/sandbox.js'
import { parseProxySetting } from '../../src/proxy/proxy-mode.js'
import { CLIENT, CLUSTER_IP, config, DNS, NGINX, SERVERS, serviceChanges } from './web-cluster.js'

export class OneThread {
  readonly time = new RealTime(Date.now())
  readonly network: ClusterNetwork
  readonly client: Host
  readonly clientMachine: number
  readonly #random = new Random('one thread')
  readonly #images = sharedImages(allPrograms)
  readonly #sandboxes: PodSandbox[] = []
  #scheduled = false

  /** With nginx running in all pods of the Service. */
  static async start(mode: string): Promise<OneThread> {
    const cluster = new OneThread(mode)
    await Promise.all(SERVERS.map((spec) => cluster.#serve(spec)))
    for (const change of serviceChanges('web', CLUSTER_IP, SERVERS)) cluster.network.apply(change)
    // kube-proxies that hold their changes back have them written before anything is measured.
    while (!cluster.network.synced()) await cluster.turn()
    return cluster
  }

  private constructor(mode: string) {
    this.network = new ClusterNetwork({
      config,
      random: this.#random.fork('network'),
      podDelay: 0,
      offload: true,
      proxy: () => parseProxySetting(mode),
      onFlow: () => {},
    })
    this.client = sandboxHost(CLIENT, this.#random.fork(CLIENT.name), true)
    this.clientMachine = this.network.addPod(CLIENT.uid, CLIENT.name, CLIENT.nodeName, this.client)
  }

  /** Something used a host: what came of it is carried on before the event loop goes on. */
  touch(machine: number): void {
    this.network.network.touch(machine)
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.network.run(this.time.now())
    })
  }

  /** Ends the programs. */
  stop(): void {
    for (const sandbox of this.#sandboxes) sandbox.handle({ type: 'remove' })
    this.time.close()
  }

  /** One round: what is due, then a turn of the event loop. */
  async turn(): Promise<void> {
    this.network.run(this.time.now())
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Turns until `work` is done. */
  async until<Value>(work: Promise<Value>): Promise<Value> {
    let done = false
    const ended = work.finally(() => {
      done = true
    })
    ended.catch(() => {})
    while (!done) await this.turn()
    return ended
  }

  #serve(spec: SandboxSpec): Promise<void> {
    const random = this.#random.fork(spec.name)
    const host = sandboxHost(spec, random, true)
    const machine = this.network.addPod(spec.uid, spec.name, spec.nodeName, host)
    return new Promise((resolve) => {
      const sandbox = new PodSandbox({
        spec,
        stack: host.stack,
        clock: this.time.clock(),
        random,
        codec: dnsCodec,
        tls: nodeTls(),
        images: this.#images,
        dns: DNS,
        emit: (event) => {
          if (event.type === 'log')
            sandbox.handle({ type: 'log-taken', container: event.container, bytes: event.entry.bytes.length })
          if (event.type === 'sandbox' && event.event.type === 'container-started') resolve()
        },
        touched: () => this.touch(machine),
      })
      this.#sandboxes.push(sandbox)
      sandbox.handle({ type: 'start-container', spec: NGINX })
    })
  }
}
