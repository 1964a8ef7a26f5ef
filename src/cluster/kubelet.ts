// The kubelets of all nodes: they bring each pod of their node to life on the PodRuntime and report its status. This
// file is a pod's way from the sandbox to its end; how its containers start and restart is container-lifecycle.ts.
// What probes decide comes from probe-manager.ts; without a prober handed in, a container that runs is ready.

import { invariant } from '../base/errors.js'
import { type Micros, NEVER, SECOND } from '../base/time.js'
import { PodAddresses } from './allocators.js'
import type { ClusterConfig, NodeConfig } from './cluster-config.js'
import { ContainerHooks } from './container-hooks.js'
import { ContainerLifecycle } from './container-lifecycle.js'
import { type ControllerContext, isOnlyDescribed } from './controller-context.js'
import { hostPortsOf } from './host-ports.js'
import { NodeLoad } from './node-load.js'
import type { KubeObject, Node, Pod } from './objects.js'
import { rejectionOf } from './pod-admission.js'
import type { PodAddressing } from './pod-environment.js'
import { etcHosts, podHostname, resolvConf } from './pod-files.js'
import { addressesOf, isAlive, type PodRecord, podRecord, takeSpecification } from './pod-record.js'
import { podStatus } from './pod-status.js'
import { podVolumes, takesFrom, VolumeError, type VolumeSources } from './pod-volumes.js'
import { type ProbeKind, ProbeManager } from './probe-manager.js'
import { ProbeRequests } from './probe-requests.js'
import type { Prober } from './prober.js'
import { parseQuantity } from './quantity.js'
import type { PodRuntime, PodUid, SandboxEvent, SandboxVolume } from './sandbox.js'
import type { ServiceAccountTokens } from './service-account-tokens.js'
import type { WatchEvent } from './store.js'
import type { Controller } from './work-loop.js'

/** What still runs so long after its grace period is taken away with its sandbox. */
const KILL_SLACK: Micros = 3 * SECOND
const DEFAULT_MEMORY_BYTES = 128 * 1024 * 1024

/** What the kubelet keeps for each node. */
export interface KubeletNode {
  readonly config: NodeConfig
  readonly addresses: PodAddresses
  /** Of a dual-stack cluster. */
  readonly ipv6Addresses: PodAddresses | undefined
  /** Images that were pulled before. */
  readonly images: Set<string>
  /** What the pods that it has taken and that have not ended use of it, by their uids. */
  readonly load: NodeLoad
}

export interface KubeletOptions {
  readonly context: ControllerContext
  readonly config: ClusterConfig
  readonly runtime: PodRuntime
  readonly prober?: Prober | undefined
  /** Whose tokens pods get. */
  readonly tokens: ServiceAccountTokens
}

export class Kubelet implements Controller {
  readonly name = 'kubelet'
  readonly #context: ControllerContext
  readonly #config: ClusterConfig
  readonly #runtime: PodRuntime
  readonly #sources: VolumeSources
  readonly #probes: ProbeManager | undefined
  readonly #hooks: ContainerHooks
  readonly #lifecycle: ContainerLifecycle
  readonly #nodes = new Map<string, KubeletNode>()
  readonly #records = new Map<PodUid, PodRecord>()
  /** The pod that `settled` met last on its way. */
  #restless: PodRecord | undefined

  constructor({ context, config, runtime, prober, tokens }: KubeletOptions) {
    this.#context = context
    this.#sources = { store: context.store, tokens }
    this.#config = config
    this.#runtime = runtime
    const requests = prober && new ProbeRequests(context, prober)
    this.#hooks = new ContainerHooks(context, runtime, requests)
    this.#probes =
      requests &&
      new ProbeManager({
        context,
        requests,
        podOf: (uid) => {
          const record = this.#records.get(uid)
          return record && this.#podOf(record)
        },
        onDecision: (uid, container, kind, ok) => this.#onProbe(uid, container, kind, ok),
      })
    for (const node of config.nodes)
      this.#nodes.set(node.name, {
        config: node,
        addresses: new PodAddresses(node.podRange, node.gateway),
        ipv6Addresses: node.ipv6 && new PodAddresses(node.ipv6.podCIDR, node.ipv6.gateway),
        images: new Set(),
        load: new NodeLoad(),
      })
    this.#lifecycle = new ContainerLifecycle({
      context,
      runtime,
      probes: this.#probes,
      hooks: this.#hooks,
      wake: (uid, at) => context.loop.addAt(this, uid, at),
    })
    context.store.watch<Pod>('pods', ({ type, object }) => {
      const uid = object.metadata.uid!
      const mine = this.#nodes.has(object.spec?.nodeName ?? '') && !isOnlyDescribed(object, context)
      // One that only its finalizers keep does not run again.
      const hasGone = object.metadata.deletionGracePeriodSeconds === 0
      if (type !== 'DELETED' && mine && !hasGone && !this.#records.has(uid))
        this.#records.set(uid, podRecord(object, context.clock.now))
      if (type === 'DELETED' || hasEnded(object))
        this.#nodes.get(object.spec?.nodeName ?? '')?.load.remove(uid)
      if (this.#records.has(uid)) context.loop.add(this, uid)
    })
    // What could not be mounted or read may be there now.
    const onConfig = ({ object }: WatchEvent) => {
      for (const record of this.#records.values())
        if (record.namespace === object.metadata.namespace && isWaitingForConfig(record)) {
          this.#lifecycle.retryConfiguration(record)
          context.loop.add(this, record.uid)
        } else if (record.namespace === object.metadata.namespace) this.#updateVolumes(record, object)
    }
    context.store.watch('configmaps', onConfig)
    context.store.watch('secrets', onConfig)
  }

  /** What the runtime told; events of pods that are forgotten are nothing. */
  handle(event: SandboxEvent): void {
    const record = this.#records.get(event.uid)
    if (record === undefined) return
    const pod = this.#podOf(record)
    switch (event.type) {
      case 'sandbox-ready':
        if (record.sandbox === 'creating') record.sandbox = 'ready'
        break
      case 'sandbox-gone':
        this.#onSandboxGone(record, pod, event.reason)
        break
      case 'container-started':
        this.#lifecycle.onStarted(record, event.container, pod)
        break
      case 'container-exited':
        this.#lifecycle.onExited(record, event.container, event.exit, pod)
        // Told as it is, before it is decided what comes of it: a back-off follows at once, not some seconds later.
        this.#report(record)
        break
    }
    this.#context.loop.add(this, record.uid)
  }

  /**
   * Whether no pod is on its way from one state to another by itself. While many start this is asked after every step: the
   * pod that was on its way then is looked at first.
   */
  settled(): boolean {
    const last = this.#restless
    if (last !== undefined && this.#records.get(last.uid) === last && !this.#isSettled(last)) return false
    this.#restless = undefined
    for (const record of this.#records.values()) {
      if (this.#isSettled(record)) continue
      this.#restless = record
      return false
    }
    return true
  }

  #isSettled(record: PodRecord): boolean {
    const pod = this.#podOf(record)
    if (pod === undefined || pod.metadata.deletionTimestamp) return false
    if (record.blocked !== undefined || hasEnded(pod)) return true
    if (record.sandbox !== 'ready' && !record.containers.some((container) => container.waiting)) return false
    return record.containers.every((container) => this.#lifecycle.isSettled(record, container, pod))
  }

  reconcile(uid: string): void {
    const record = this.#records.get(uid)
    if (record === undefined) return
    const pod = this.#podOf(record)
    if (pod === undefined || pod.metadata.deletionTimestamp) this.#terminate(record, pod)
    else this.#run(record, pod)
    if (this.#records.has(uid)) this.#report(record)
  }

  /** The pod as it is now; undefined when it, or this instance of it, is gone. */
  #podOf(record: PodRecord): Pod | undefined {
    const pod = this.#context.store.get<Pod>('pods', record.namespace, record.name)
    return pod?.metadata.uid === record.uid ? pod : undefined
  }

  #run(record: PodRecord, pod: Pod): void {
    if (hasEnded(pod)) return this.#stopSandbox(record)
    takeSpecification(record, pod)
    if (record.sandbox === 'ready')
      this.#lifecycle.advance(record, pod, this.#addressing(record), this.#node(record))
    else if (record.sandbox === 'none' || record.sandbox === 'waiting') this.#startSandbox(record, pod)
  }

  /** Looks at a pod once; false for one that the node does not take. */
  #admit(record: PodRecord, pod: Pod): boolean {
    if (record.admitted) return true
    if (record.rejection !== undefined) return false
    const { load } = this.#node(record)
    const node = this.#context.store.get<Node>('nodes', undefined, record.nodeName)
    record.rejection = rejectionOf(pod, node, load)
    if (record.rejection === undefined) {
      record.admitted = true
      load.add(record.uid, pod)
      return true
    }
    const { reason, message } = record.rejection
    this.#context.events.record(pod, 'Warning', reason, message, this.#source(record))
    return false
  }

  /** Makes the sandbox when it has waited its time, and some container may run in it. */
  #startSandbox(record: PodRecord, pod: Pod): void {
    const { clock, loop, startDelays } = this.#context
    if (record.sandbox === 'none') {
      const start = this.#lifecycle.nextStart(record, pod)
      if (start === NEVER) return
      if (start > clock.now) return this.#lifecycle.tellBackOff(record, pod)
      record.sandbox = 'waiting'
      record.sandboxUntil = clock.now + startDelays.sandbox
    }
    if (clock.now < record.sandboxUntil) return loop.addAt(this, record.uid, record.sandboxUntil)
    if (!this.#admit(record, pod)) return
    const volumes = this.#volumes(record, pod)
    if (volumes === undefined) return
    const node = this.#node(record)
    record.address ??= record.hostNetwork ? nodeAddress(node, this.#config) : node.addresses.next()
    if (record.address === undefined)
      return this.#block(
        record,
        pod,
        'FailedCreatePodSandBox',
        `Failed to create pod sandbox: no IP addresses available in range ${node.config.podRange}`,
      )
    record.ipv6Address ??= record.hostNetwork
      ? nodeIpv6Address(node, this.#config)
      : node.ipv6Addresses?.next()
    record.blocked = undefined
    record.sandbox = 'creating'
    this.#runtime.createSandbox({
      uid: record.uid,
      namespace: record.namespace,
      name: record.name,
      hostname: podHostname(pod),
      nodeName: record.nodeName,
      hostNetwork: record.hostNetwork,
      hostPorts: record.hostNetwork ? [] : hostPortsOf(pod.spec),
      address: record.address,
      gateway: node.config.gateway,
      ...(record.ipv6Address !== undefined &&
        node.config.ipv6 && { ipv6: { address: record.ipv6Address, gateway: node.config.ipv6.gateway } }),
      mtuBytes: this.#config.mtuBytes,
      resolvConf: resolvConf(pod, this.#config),
      hosts: etcHosts(pod, addressesOf(record), this.#config),
      volumes,
      memoryLimitBytes: memoryLimit(pod),
    })
  }

  /** The pod's volumes; undefined when it cannot be set up, which is told in an event. */
  #volumes(record: PodRecord, pod: Pod): SandboxVolume[] | undefined {
    try {
      return podVolumes(pod, this.#sources)
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error
      this.#block(record, pod, 'FailedMount', error.message)
      return undefined
    }
  }

  /** Unlike the kubelet, which looks once a minute: as soon as the ConfigMap or Secret changes. */
  #updateVolumes(record: PodRecord, { kind, metadata: { name } }: KubeObject): void {
    const pod = this.#podOf(record)
    if (pod === undefined || (record.sandbox !== 'ready' && record.sandbox !== 'creating')) return
    const volumes = (pod.spec.volumes ?? []).filter((volume) => takesFrom(volume, kind, name))
    if (volumes.length === 0) return
    try {
      const changed = podVolumes({ ...pod, spec: { ...pod.spec, volumes } }, this.#sources)
      for (const volume of changed) this.#runtime.updateVolume(record.uid, volume)
    } catch (error) {
      // What was mounted stays, while it is not whole.
      if (!(error instanceof VolumeError)) throw error
    }
  }

  #block(record: PodRecord, pod: Pod, reason: string, message: string): void {
    if (record.blocked === message) return
    record.blocked = message
    this.#context.events.record(pod, 'Warning', reason, message, this.#source(record))
  }

  /** SIGTERM to what runs, then the sandbox goes, then the object. A pod deleted by force is taken away at once. */
  #terminate(record: PodRecord, pod: Pod | undefined): void {
    const { clock, loop, events } = this.#context
    const grace = (pod?.metadata.deletionGracePeriodSeconds ?? 0) * SECOND
    if (grace < record.grace) {
      record.grace = grace
      record.killAt = pod === undefined ? clock.now : clock.now + grace + KILL_SLACK
      for (const container of record.containers) {
        if (container.phase === 'pulling' || container.phase === 'creating') container.phase = 'waiting'
        if (!isAlive(container)) continue
        if (pod)
          events.record(
            pod,
            'Normal',
            'Killing',
            `Stopping container ${container.name}`,
            this.#source(record),
            `spec.containers{${container.name}}`,
          )
        container.stopping = true
        this.#hooks.stop(record, container, pod, grace)
      }
    }
    if (record.containers.some(isAlive) && clock.now < record.killAt)
      return loop.addAt(this, record.uid, record.killAt)
    this.#stopSandbox(record)
    if (record.sandbox !== 'removing') this.#forget(record)
  }

  #stopSandbox(record: PodRecord): void {
    if (record.sandbox !== 'creating' && record.sandbox !== 'ready') return
    record.sandbox = 'removing'
    this.#runtime.removeSandbox(record.uid)
  }

  #forget(record: PodRecord): void {
    this.#releaseAddress(record)
    for (const { name } of record.containers) this.#probes?.stop(record.uid, name)
    this.#records.delete(record.uid)
    this.#runtime.forget(record.uid)
    const pod = this.#podOf(record)
    if (pod) this.#context.admission.endPod(pod)
  }

  /** The end of a sandbox: asked for, or its thread died - then the pod gets a new one, with another address. */
  #onSandboxGone(record: PodRecord, pod: Pod | undefined, reason: string | undefined): void {
    const expected = record.sandbox === 'removing'
    record.sandbox = 'none'
    for (const container of record.containers)
      if (isAlive(container))
        this.#lifecycle.onExited(
          record,
          container.name,
          { exitCode: 137, signal: 9, reason: reason ?? 'Error' },
          pod,
        )
      else if (container.phase === 'pulling' || container.phase === 'creating')
        container.phase = container.terminated ? 'exited' : 'waiting'
    this.#releaseAddress(record)
    if (expected || pod === undefined) return
    const message = 'Pod sandbox changed, it will be killed and re-created.'
    this.#context.events.record(pod, 'Normal', 'SandboxChanged', message, this.#source(record))
  }

  #releaseAddress(record: PodRecord): void {
    if (record.address !== undefined && !record.hostNetwork)
      this.#node(record).addresses.release(record.address)
    if (record.ipv6Address !== undefined && !record.hostNetwork)
      this.#node(record).ipv6Addresses?.release(record.ipv6Address)
    record.address = undefined
    record.ipv6Address = undefined
  }

  #onProbe(uid: PodUid, name: string, kind: ProbeKind, ok: boolean): void {
    const record = this.#records.get(uid)
    const container = record?.containers.find((candidate) => candidate.name === name)
    const pod = record && this.#podOf(record)
    if (record === undefined || container === undefined || pod === undefined) return
    this.#lifecycle.onProbe(record, container, pod, kind, ok)
    this.#context.loop.add(this, uid)
  }

  #report(record: PodRecord): void {
    const { store, clock } = this.#context
    const pod = this.#podOf(record)
    if (pod === undefined) return
    store.update({ ...pod, status: podStatus(pod, record, hostAddresses(this.#node(record).config), clock) })
  }

  #addressing(record: PodRecord): PodAddressing {
    return { podIPs: addressesOf(record), hostIPs: hostAddresses(this.#node(record).config) }
  }

  #node(record: PodRecord): KubeletNode {
    const node = this.#nodes.get(record.nodeName)
    invariant(node !== undefined, `pod ${record.name} is on an unknown node`)
    return node
  }

  #source(record: PodRecord): { component: string; host: string } {
    return { component: 'kubelet', host: record.nodeName }
  }
}

/** Its address, and that of IPv6 if it has one. */
function hostAddresses({ address, ipv6 }: NodeConfig): string[] {
  return ipv6 === undefined ? [address] : [address, ipv6.address]
}

function nodeIpv6Address({ config }: KubeletNode, { ipv6 }: ClusterConfig): string | undefined {
  return ipv6 && config.ipv6 && `${config.ipv6.address}/${ipv6.nodeSubnet.split('/')[1]}`
}

/** With the prefix length of the nodes' network. */
function nodeAddress(node: KubeletNode, { nodeSubnet }: ClusterConfig): string {
  return `${node.config.address}/${nodeSubnet.split('/')[1]}`
}

function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

function isWaitingForConfig(record: PodRecord): boolean {
  return (
    record.blocked !== undefined ||
    record.containers.some(({ waiting }) => waiting?.reason === 'CreateContainerConfigError')
  )
}

/** The sum of the containers' limits; those without one share the default. */
function memoryLimit(pod: Pod): number {
  const limits = pod.spec.containers.map(({ resources }) =>
    parseQuantity(resources?.limits?.['memory'] ?? ''),
  )
  const sum = limits.reduce<number>((total, limit) => total + (limit ?? 0), 0)
  return limits.includes(undefined) ? sum + DEFAULT_MEMORY_BYTES : sum
}
