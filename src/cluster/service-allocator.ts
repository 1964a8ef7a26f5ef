// What a Service gets from the cluster's ranges: its cluster address, node ports, the port of its health check. Taken
// when it is written, kept while it needs them, given back when it does not any more.

import type { Random } from '../base/random.js'
import { type AddressFamily, familyOf, parseAddress } from '../wire/address.js'
import { type NodePortRange, NodePorts, ServiceAddresses } from './allocators.js'
import { FieldErrors, goStrings } from './field-errors.js'
import type { Service, ServicePort } from './objects.js'
import { knownResource } from './resources.js'
import { assumeFamilies, settleFamilies } from './service-families.js'
import {
  isExternallyAccessible,
  needsClusterIP,
  needsHealthCheckPort,
  needsNodePorts,
} from './service-needs.js'
import { ApiError, invalid } from './status.js'

export class ServiceAllocator {
  /** By family, the primary one first. */
  readonly #addresses: ReadonlyMap<AddressFamily, ServiceAddresses>
  readonly #nodePorts: NodePorts
  readonly #lenient: boolean

  /** `lenient` takes what a Service names as it is, even when another has it or it is in no range. */
  constructor(options: {
    readonly serviceSubnet: string
    /** Of a dual-stack cluster. */
    readonly ipv6ServiceSubnet?: string | undefined
    readonly nodePortRange: NodePortRange
    readonly random: Random
    readonly lenient: boolean
  }) {
    const { serviceSubnet, ipv6ServiceSubnet, random } = options
    const addresses = new Map<AddressFamily, ServiceAddresses>()
    addresses.set('IPv4', new ServiceAddresses(serviceSubnet, random.fork('cluster-ip')))
    if (ipv6ServiceSubnet !== undefined)
      addresses.set('IPv6', new ServiceAddresses(ipv6ServiceSubnet, random.fork('cluster-ip/IPv6')))
    this.#addresses = addresses
    this.#nodePorts = new NodePorts(options.nodePortRange, options.random.fork('node-port'))
    this.#lenient = options.lenient
  }

  /**
   * Takes for `service` (in place) what it asks for and what it lacks; `stored` is the Service that it replaces,
   * whose own it may keep. ApiError Invalid when something named cannot be had; then nothing has been taken.
   */
  allocate(service: Service, stored?: Service): void {
    const undo: (() => void)[] = []
    const { spec } = service
    if (spec.clusterIP && !spec.clusterIPs?.length && needsClusterIP(service))
      spec.clusterIPs = [spec.clusterIP]
    try {
      const configured = [...this.#addresses.keys()]
      if (this.#lenient) assumeFamilies(service, configured)
      else settleFamilies(service, stored, configured)
      if (needsClusterIP(service)) this.#allocateAddresses(service, stored, undo)
      if (needsNodePorts(service)) this.#allocateNodePorts(service, stored, undo)
      if (needsHealthCheckPort(service)) this.#allocateHealthCheckPort(service, stored, undo)
    } catch (error) {
      for (const release of undo) release()
      throw error
    }
  }

  /** Gives back what `service` has; of a Service that is replaced, what its `next` version has not kept. */
  release(service: Service, next?: Service): void {
    const keptAddresses = next === undefined ? [] : addressesOf(next)
    for (const address of addressesOf(service)) {
      if (!keptAddresses.includes(address)) this.#rangeOf(address)?.release(address)
    }
    const kept = new Set(next && portsOf(next))
    for (const port of portsOf(service)) if (!kept.has(port)) this.#nodePorts.release(port)
  }

  #allocateAddresses(service: Service, stored: Service | undefined, undo: (() => void)[]): void {
    const { spec } = service
    const wanted = spec.clusterIPs?.length ? spec.clusterIPs : spec.clusterIP ? [spec.clusterIP] : []
    if (wanted[0] === 'None') {
      spec.clusterIP = 'None'
      spec.clusterIPs = ['None']
      return
    }
    const addresses = (spec.ipFamilies ?? []).map((family, i) => {
      return this.#allocateAddress(service, wanted[i], family, stored, undo)
    })
    // What a manifest says it has, it has.
    spec.clusterIPs = this.#lenient && wanted.length > addresses.length ? [...wanted] : addresses
    spec.clusterIP = spec.clusterIPs[0]!
  }

  #allocateAddress(
    service: Service,
    wanted: string | undefined,
    family: AddressFamily,
    stored: Service | undefined,
    undo: (() => void)[],
  ): string {
    if (wanted && stored !== undefined && addressesOf(stored).includes(wanted)) return wanted
    const range = (wanted && this.#rangeOf(wanted)) || this.#addresses.get(family)
    const refusal = wanted && parseAddress(wanted) !== undefined ? range?.take(wanted) : undefined
    if (refusal !== undefined && !this.#lenient)
      throw refused(
        service.metadata.name,
        'spec.clusterIPs',
        goStrings(service.spec.clusterIPs ?? [wanted!]),
        `failed to allocate IP ${wanted}: ${refusal}`,
      )
    const address = wanted || range?.next()
    if (address === undefined) throw internal('failed to allocate a serviceIP: range is full')
    undo.push(() => range?.release(address))
    return address
  }

  #rangeOf(address: string): ServiceAddresses | undefined {
    const parsed = parseAddress(address)
    return parsed === undefined ? undefined : this.#addresses.get(familyOf(parsed))
  }

  /** Ports of one number share a node port, whatever their protocols, unless they name different ones. */
  #allocateNodePorts(service: Service, stored: Service | undefined, undo: (() => void)[]): void {
    const { ports = [], allocateLoadBalancerNodePorts, type } = service.spec
    const wanted = type !== 'LoadBalancer' || allocateLoadBalancerNodePorts !== false
    const mine = new Set(stored && portsOf(stored))
    const byPort = new Map<number, number>()
    for (const [i, port] of ports.entries()) {
      if (!port.nodePort && !wanted) continue
      const shared = byPort.get(port.port) ?? (port.nodePort || requestedNodePort(port.port, ports))
      const nodePort = port.nodePort || shared || this.#nextPort(undo)
      if (!mine.has(nodePort)) {
        if (port.nodePort || nodePort === shared)
          this.#takePort(service, nodePort, `spec.ports[${i}].nodePort`, undo)
        mine.add(nodePort)
      }
      port.nodePort = nodePort
      if (!byPort.has(port.port)) byPort.set(port.port, nodePort)
    }
  }

  #allocateHealthCheckPort(service: Service, stored: Service | undefined, undo: (() => void)[]): void {
    const { spec } = service
    const wanted = spec.healthCheckNodePort
    if (wanted && wanted === stored?.spec.healthCheckNodePort) return
    if (wanted) this.#takePort(service, wanted, 'spec.healthCheckNodePort', undo)
    else spec.healthCheckNodePort = this.#nextPort(undo)
  }

  #takePort(service: Service, port: number, field: string, undo: (() => void)[]): void {
    const refusal = this.#nodePorts.take(port)
    if (refusal === undefined) undo.push(() => this.#nodePorts.release(port))
    else if (!this.#lenient) throw refused(service.metadata.name, field, port, refusal)
  }

  #nextPort(undo: (() => void)[]): number {
    const port = this.#nodePorts.next()
    if (port === undefined) throw internal('failed to allocate a nodePort: range is full')
    undo.push(() => this.#nodePorts.release(port))
    return port
  }
}

/** A manifest applied again does not name what was allocated: it stays, as far as the new Service needs it. */
export function keepAllocated(service: Service, stored: Service): void {
  const { spec } = service
  if (needsClusterIP(service) && needsClusterIP(stored)) {
    if (!spec.clusterIP && !spec.clusterIPs?.length) {
      if (stored.spec.clusterIP !== undefined) spec.clusterIP = stored.spec.clusterIP
      if (stored.spec.clusterIPs !== undefined) spec.clusterIPs = [...stored.spec.clusterIPs]
    } else if (spec.clusterIP) spec.clusterIPs ??= [spec.clusterIP]
  }
  if (needsNodePorts(service) && needsNodePorts(stored)) {
    // By name: whatever else changed, it is the same port.
    const before = new Map((stored.spec.ports ?? []).map(({ name, nodePort }) => [name ?? '', nodePort]))
    const named = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort))
    for (const port of spec.ports ?? []) {
      const old = before.get(port.name ?? '')
      if (!port.nodePort && old && !named.has(old)) port.nodePort = old
    }
  }
  if (needsHealthCheckPort(service) && needsHealthCheckPort(stored) && stored.spec.healthCheckNodePort)
    spec.healthCheckNodePort ||= stored.spec.healthCheckNodePort
}

/**
 * What the Service's new type has no use for goes, where the writer left it as it was: nobody must clear by hand what
 * the cluster filled in.
 */
export function dropUnneeded(service: Service, stored: Service): void {
  const { spec } = service
  const before = stored.spec
  if (
    needsClusterIP(stored) &&
    !needsClusterIP(service) &&
    (spec.clusterIP ?? '') === (before.clusterIP ?? '')
  ) {
    delete spec.clusterIP
    delete spec.clusterIPs
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
    delete spec.internalTrafficPolicy
  }
  if (needsNodePorts(stored) && !needsNodePorts(service) && sameNodePorts(service, stored))
    for (const port of spec.ports ?? []) delete port.nodePort
  if (needsHealthCheckPort(stored) && !needsHealthCheckPort(service))
    if (spec.healthCheckNodePort === before.healthCheckNodePort) delete spec.healthCheckNodePort
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (!isExternallyAccessible(service) && spec.externalTrafficPolicy === before.externalTrafficPolicy)
    delete spec.externalTrafficPolicy
}

function sameNodePorts(service: Service, stored: Service): boolean {
  const before = new Set((stored.spec.ports ?? []).map(({ nodePort }) => nodePort))
  return (service.spec.ports ?? []).every(({ nodePort }) => !nodePort || before.has(nodePort))
}

function requestedNodePort(port: number, ports: readonly ServicePort[]): number | undefined {
  return ports.find((other) => other.port === port && other.nodePort)?.nodePort
}

/** The cluster addresses that a Service has: none of a headless one. */
function addressesOf({ spec }: Service): readonly string[] {
  const all = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? '']
  return all.filter((text) => parseAddress(text) !== undefined)
}

/** Every port of the node's range that a Service has, each once. */
function portsOf({ spec }: Service): Set<number> {
  const ports = (spec.ports ?? []).map(({ nodePort }) => nodePort)
  return new Set(
    [...ports, spec.healthCheckNodePort].filter((port) => port !== undefined && port !== 0) as number[],
  )
}

function refused(name: string, field: string, shown: string | number, detail: string): ApiError {
  const errors = new FieldErrors()
  errors.invalid(field, shown, detail)
  return invalid(knownResource('services'), name, errors.causes)
}

function internal(text: string): ApiError {
  return new ApiError('InternalError', `Internal error occurred: ${text}`)
}
