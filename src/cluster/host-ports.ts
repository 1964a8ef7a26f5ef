// Ports of a node that pods take: by a container's hostPort, or because the pod shares the node's network. What the
// scheduler keeps apart and what the node forwards to the pod.

import type { PodSpec, Protocol } from './objects.js'
import type { HostPort } from './sandbox.js'

/** The host ports of a pod's containers, in order. */
export function hostPortsOf(spec: PodSpec): HostPort[] {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ containerPort, hostPort, hostIP, protocol = 'TCP' }) =>
      hostPort ? [{ protocol, hostPort, containerPort, ...(hostIP && { hostIP }) }] : [],
    ),
  )
}

/** Whether two pods cannot have these ports on the same node; no address means all of the node's. */
export function portsConflict(one: HostPort, other: HostPort): boolean {
  return (
    one.hostPort === other.hostPort &&
    one.protocol === other.protocol &&
    (isAnyAddress(one.hostIP) || isAnyAddress(other.hostIP) || one.hostIP === other.hostIP)
  )
}

/** As `Duplicate value` shows it. */
export function hostPortText(
  protocol: Protocol | undefined,
  hostIP: string | undefined,
  port: number,
): string {
  return `${protocol ?? 'TCP'}/${hostIP ?? ''}/${port}`
}

function isAnyAddress(address: string | undefined): boolean {
  return !address || address === '0.0.0.0'
}
