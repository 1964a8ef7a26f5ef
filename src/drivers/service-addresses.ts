// Which service port an address and a port belong to: cluster IPs, external IPs, addresses of load balancers, node
// ports. For telling flows by the name of their service where the kernel, not kube-proxy, has accepted them.

import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import type { Service } from '../cluster/objects.js'
import { packService } from '../netfilter/packed-key.js'
import { type IpAddress, isIpv6, parseAddress } from '../wire/address.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'

export interface ServicePortName {
  /** `namespace/service:port`; without a colon when the port has no name. */
  readonly service: string
  readonly clusterIP: string
}

const PROTOCOLS: Readonly<Record<string, number>> = { TCP: PROTOCOL_TCP, UDP: PROTOCOL_UDP }
/** In the place of an address: any of the node's. */
const ANY_NODE = 'node'
type Key = number | string

export class ServiceAddresses implements ClusterFollower {
  readonly #ports = new Map<Key, ServicePortName>()
  /** What each Service has put into `ports`. */
  readonly #keys = new Map<string, readonly Key[]>()

  apply({ type, resource, object }: ClusterChange): void {
    if (resource !== 'services') return
    const name = `${object.metadata.namespace}/${object.metadata.name}`
    for (const key of this.#keys.get(name) ?? []) this.#ports.delete(key)
    this.#keys.delete(name)
    if (type !== 'DELETED') this.#add(name, object as Service)
  }

  /** `isNode`: whether the address is one of the node where the packet came in. */
  find(protocol: number, address: IpAddress, port: number, isNode: boolean): ServicePortName | undefined {
    return (
      this.#ports.get(keyOf(protocol, address, port)) ??
      (isNode ? this.#ports.get(keyOf(protocol, ANY_NODE, port)) : undefined)
    )
  }

  #add(name: string, { spec, status }: Service): void {
    const clusterIP = spec.clusterIP ?? ''
    if (clusterIP === '' || clusterIP === 'None') return
    const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
    const texts = [...(spec.clusterIPs ?? [clusterIP]), ...(spec.externalIPs ?? []), ...ingress]
    const addresses = texts.flatMap((text) => parseAddress(text) ?? [])
    const keys: Key[] = []
    for (const { name: portName, port, nodePort, protocol = 'TCP' } of spec.ports ?? []) {
      const number = PROTOCOLS[protocol]
      if (number === undefined) continue
      const service = portName ? `${name}:${portName}` : name
      const own = addresses.map((address) => keyOf(number, address, port))
      if (nodePort) own.push(keyOf(number, ANY_NODE, nodePort))
      for (const key of own) this.#ports.set(key, { service, clusterIP })
      keys.push(...own)
    }
    this.#keys.set(name, keys)
  }
}

/** Exact in a number but for IPv6: 32 bits above 21. */
function keyOf(protocol: number, address: IpAddress | typeof ANY_NODE, port: number): Key {
  const service = packService(protocol, port)
  if (address === ANY_NODE) return -1 - service
  return isIpv6(address) ? `${address}/${service}` : address * 2 ** 21 + service
}
