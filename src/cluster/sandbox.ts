// What the kubelet asks of whoever runs pods, and what it hears back: plain data only, so that a pod may live in
// this thread or in another. A sandbox is a pod's network and volumes; it outlives its containers' crashes.
// The drivers implement PodRuntime (drivers/); the kubelet (cluster/kubelet.ts) is its only user.

import type { Micros } from '../base/time.js'

/** Names one pod instance; a pod deleted and made again has another uid. */
export type PodUid = string

export interface SandboxVolume {
  readonly name: string
  /** emptyDir: writable, shared by the containers. Otherwise the files of a ConfigMap, read-only. */
  readonly files?: Readonly<Record<string, string>>
  /** Permission bits of those files whose bits are not 0644, by path. */
  readonly modes?: Readonly<Record<string, number>>
  readonly sizeLimitBytes?: number
}

/** A port of the node that leads to a port of the pod. */
export interface HostPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly hostPort: number
  readonly containerPort: number
  /** The one address of the node on which it is; all of them by default. */
  readonly hostIP?: string
}

/** The memory limit of the cluster's DNS pods, which every cluster has (bootstrap.ts). */
export const DNS_MEMORY_MEBIBYTES = 170

export interface SandboxSpec {
  readonly uid: PodUid
  readonly namespace: string
  readonly name: string
  readonly hostname: string
  readonly nodeName: string
  /** The pod has no network of its own: its programs use the node's. `hostPorts` is empty then. */
  readonly hostNetwork: boolean
  readonly hostPorts: readonly HostPort[]
  /** Pod address with the prefix length of its pod range: `10.36.0.0/16`. With hostNetwork, the node's. */
  readonly address: string
  readonly gateway: string
  /** Of a dual-stack cluster: address and gateway likewise. */
  readonly ipv6?: { readonly address: string; readonly gateway: string }
  readonly mtuBytes: number
  /** Text of /etc/resolv.conf and /etc/hosts. */
  readonly resolvConf: string
  readonly hosts: string
  readonly volumes: readonly SandboxVolume[]
  /** Cap on the memory of the whole pod. */
  readonly memoryLimitBytes: number
}

export interface ContainerSpec {
  readonly name: string
  readonly image: string
  /** Kubernetes semantics: `command` replaces the image's entrypoint, `args` its command. */
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  /** In order; later entries win. */
  readonly env: readonly (readonly [name: string, value: string])[]
  readonly mounts: readonly {
    readonly volume: string
    readonly path: string
    readonly subPath?: string
    readonly readOnly: boolean
  }[]
  readonly stdin: boolean
  /** Standard input ends with the first client that attaches to it. */
  readonly stdinOnce: boolean
  readonly tty: boolean
  /** Whether its processes have CAP_NET_ADMIN. */
  readonly netAdmin: boolean
}

/** Why a container ended. */
export interface ContainerExit {
  readonly exitCode: number
  /** Number of the signal that ended it. */
  readonly signal?: number
  /** Completed, Error, OOMKilled, ContainerCannotRun, StartError. */
  readonly reason: string
  readonly message?: string
}

export type SandboxEvent =
  | { readonly type: 'sandbox-ready'; readonly uid: PodUid }
  /** The sandbox is gone (stopped, or its thread died: then with a reason). */
  | { readonly type: 'sandbox-gone'; readonly uid: PodUid; readonly reason?: string }
  | { readonly type: 'container-started'; readonly uid: PodUid; readonly container: string }
  | {
      readonly type: 'container-exited'
      readonly uid: PodUid
      readonly container: string
      readonly exit: ContainerExit
    }

/** Asynchronous in effect: results come as events through `onEvent`, never within the call. */
export interface PodRuntime {
  onEvent: ((event: SandboxEvent) => void) | undefined
  /** Whether an image name is in the registry of built-in programs. */
  hasImage(image: string): boolean
  createSandbox(spec: SandboxSpec): void
  startContainer(uid: PodUid, spec: ContainerSpec): void
  /** The image's stop signal now, SIGKILL after `grace`. */
  stopContainer(uid: PodUid, container: string, grace: Micros): void
  /** The files of a volume have changed: those of a ConfigMap or Secret. */
  updateVolume(uid: PodUid, volume: SandboxVolume): void
  /** Ends what still runs in it and takes its network away. The logs of its containers stay until `forget`. */
  removeSandbox(uid: PodUid): void
  /** The pod is gone, its sandbox before it: nobody asks for its logs any more. */
  forget(uid: PodUid): void
}
