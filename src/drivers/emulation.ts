// One running cluster, whichever driver runs it: what `up` gives, what the scenario runner and the CLI use.
// drivers/virtual.ts and drivers/threads.ts implement it.

import type { Api, RemoteStreams } from '../api/request.js'
import type { Micros } from '../base/time.js'
import type { PodUid } from '../cluster/sandbox.js'
import type { LinkOptions } from '../fabric/link.js'
import type { CertificateAuthority } from '../http/certificates.js'
import type { Program, System } from '../posix/process.js'
import type { OutsideHost } from './external-host.js'
import type { NodeCommandResult } from './node-shell.js'
import type { ProxyStatistics } from './proxy-statistics.js'

/** DNS on the host's loopback. */
export interface HostDns {
  readonly port: number
  close(): Promise<void>
}

export type ClockKind = 'virtual' | 'real'

/** `all`: in one thread with the network. */
export type PodsPerThread = number | 'all'

/** `per-node`: one for each node, or 64 when there are more. */
export type NetworkThreadCount = number | 'per-node'

export interface NodeOptions {
  readonly name: string
  /** Address on the nodes' network; default 192.168.56.10, .11, ... */
  readonly address?: string
  readonly podCIDR?: string
  /** Where pod addresses really come from when an overlay's own IPAM gives them; default podCIDR. */
  readonly podRange?: string
  readonly controlPlane?: boolean
  readonly labels?: Readonly<Record<string, string>>
  /** Of this node's kube-proxy; default: the cluster's. */
  readonly proxyMode?: string
}

export interface ClusterOptions {
  /** Default: k8s-master (control plane), k8s-node1, k8s-node2. */
  readonly nodes?: readonly NodeOptions[]
  readonly podSubnet?: string
  readonly serviceSubnet?: string
  /** Prefix of the nodes' network, default 192.168.56.0/24. */
  readonly nodeSubnet?: string
  /** Default 30000-32767. */
  readonly nodePortRange?: string
  /** Prefix of load balancers' addresses, default the last 16 addresses of nodeSubnet. */
  readonly loadBalancerPool?: string
  readonly clusterDomain?: string
  /** How kube-proxies work: `userspace` (default), `iptables`, `ipvs`, `ipvs:wrr`, `nftables`. */
  readonly proxyMode?: string
  readonly dns?: {
    /** Answers only what the Kubernetes DNS specification names: no dotted pod addresses. Default false. */
    readonly strict?: boolean
    readonly replicas?: number
    /** Data of the ConfigMap `coredns`: `Corefile`, and files that it names in /etc/coredns. Default: kubeadm's. */
    readonly config?: Readonly<Record<string, string>>
  }
}

export interface EmulationOptions {
  readonly cluster?: ClusterOptions
  readonly clock?: ClockKind
  readonly seed?: number
  /**
   * In the real clock only: how many pods share a thread, default 1. Frames still go by the network's thread; with `all`
   * every pod lives there. Pods of one thread share its processor: what keeps it busy delays the others.
   */
  readonly podsPerThread?: PodsPerThread
  /**
   * In the real clock only: among how many threads, at most 64, the nodes are dealt, with all that happens on them; default 1. What
   * goes from a node to one of another thread waits for that to wake up, so this is for machines with cores for all.
   */
  readonly networkThreads?: NetworkThreadCount
  /**
   * With the real clock: how long a thread that has nothing to do polls before it waits to be woken, in microseconds.
   * Default: 50 with four cores and more, 0 with fewer.
   */
  readonly pollMicros?: Micros
  /** ISO 8601 date and time at which the emulated clock starts; default in the real clock: now. */
  readonly startTime?: string
  readonly pcap?: string
  /** Objects are defaulted and kept as they came, not validated: for manifests that are looked at (see Admission). */
  readonly lenient?: boolean
  /** Of all nodes' kube-proxies, whatever the cluster says. */
  readonly proxyMode?: string
  /** Variables of every container that its manifest does not set. */
  readonly environment?: Readonly<Record<string, string>>
}

/** One connection or datagram exchange through a service, as the legend of `npm start` tells it. */
export interface FlowEvent {
  readonly at: Micros
  readonly node: string
  readonly protocol: 'TCP' | 'UDP'
  readonly client: string
  /** `namespace/service:port`. */
  readonly service: string
  readonly clusterIP: string
  /** `10.36.0.0:80`; undefined when there was no endpoint. */
  readonly endpoint: string | undefined
}

/** What was waited for did not come. */
export class EmulationTimeout extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'EmulationTimeout'
  }
}

/** Whose wire: that of a pod, by its uid, or of a node, by its name. */
export type LinkTarget = { readonly pod: PodUid } | { readonly node: string }

/**
 * A running cluster as steps, loads and benchmarks need it, whether it runs in this process (Emulation) or in another one
 * (remote-cluster.ts).
 */
export interface ClusterAccess {
  readonly clock: ClockKind
  /** The cluster's time since its start. */
  now(): Micros
  readonly api: Api
  /** The clock, random stream and programs for command lines typed outside the cluster (no network there). */
  hostSystem(options: {
    /** A directory of the real machine that is seen, read-only, at its own path. */
    readonly directory?: string
    readonly programs: ReadonlyMap<string, Program>
  }): System
  /**
   * Runs the cluster until `work` settles, and gives its result; flows of the work have been heard then. In real time
   * it simply awaits it. Rejects with EmulationTimeout when `limit` of the cluster's time passes first, and when nothing
   * can happen any more.
   */
  run<Value>(work: Promise<Value>, limit?: Micros): Promise<Value>
  /** Lets the cluster's time pass. */
  sleep(duration: Micros): Promise<void>
  /** Until every pod has reached a state that changes no more by itself, and proxies and DNS know of it; false after `timeout`. */
  settle(timeout: Micros): Promise<boolean>
  /** How the kube-proxy of a node works now, `iptables` or `ipvs:wrr`. Throws a TypeError when there is no such node. */
  proxyMode(node: string): string
  /**
   * Ends the kube-proxy of `node`, default of every node, and starts one of another mode, while connections go on as
   * they can. Rejects with a TypeError for an unknown mode or node.
   */
  setProxyMode(mode: string, node?: string): Promise<void>
  /**
   * Changes the wire of a pod (to its node) or of a node (to the others), in both directions; what `options` does not
   * name stays as it is. Rejects with a TypeError when there is no such pod or node.
   */
  setLink(target: LinkTarget, options: LinkOptions): Promise<void>
  /** Runs a command line in a root shell on a node. Rejects with a TypeError when there is no such node. */
  execOnNode(node: string, script: string): Promise<NodeCommandResult>
  /** Hears of every connection that a kube-proxy accepted; the returned function ends it. */
  onFlow(listener: (event: FlowEvent) => void): () => void
}

export interface Emulation extends ClusterAccess, AsyncDisposable {
  readonly seed: number
  /** Whom the pods trust for the API server: other servers of it are to be certified by the same. */
  readonly certificates: CertificateAuthority
  /** Names of the nodes. */
  readonly nodes: readonly string[]
  /** Why the capture cannot be written any more (a full disk), undefined as long as it can; `close` rejects with it, too. */
  readonly captureProblem: string | undefined
  /** What the kube-proxy of a node has written. Rejects with a TypeError when there is no such node. */
  proxyStatistics(node: string): Promise<ProxyStatistics>
  /** A root shell on a node, as the API gives one in a pod. Throws a TypeError when there is no such node. */
  nodeShell(node: string, options: { readonly tty: boolean }): RemoteStreams
  /**
   * A computer on the nodes' network, outside the cluster: it reaches services and pods through the first node. Wait
   * for its sockets with `run`, or the virtual clock stands still.
   */
  outside(): OutsideHost
  /**
   * Answers DNS on loopback, UDP and TCP, by the cluster's server (host-dns.ts); port 0: any that is free. Rejects with
   * node's error when the port cannot be had. It ends with the emulation, or before by `close`.
   */
  exposeDns(port: number): Promise<HostDns>
  /** Ends the emulation: no thread, timer or file handle stays. */
  close(): Promise<void>
}
