// What `ip addr`, `ip route` and `ip neigh` show of a stack, as rows of text fields (posix/net.ts declares the same
// shapes for programs).

import { formatCidr, formatIpv4, formatMac } from '../wire/address.js'
import type { Interface } from './interface.js'
import type { Neighbor, NeighborState } from './neighbors.js'
import type { Route } from './routes.js'

export interface InterfaceRow {
  readonly index: number
  readonly name: string
  readonly mac: string
  readonly mtuBytes: number
  readonly loopback: boolean
  readonly up: boolean
  /** `10.36.0.0/16`. */
  readonly addresses: readonly string[]
}

export interface RouteRow {
  /** `default` or a prefix. */
  readonly destination: string
  readonly gateway?: string
  readonly device: string
  readonly source?: string
  readonly scope: 'global' | 'link'
}

export interface NeighborRow {
  readonly address: string
  readonly device: string
  /** Absent while unknown. */
  readonly mac?: string
  readonly state: NeighborState
}

export function interfaceRow(each: Interface): InterfaceRow {
  const { index, name, mac, mtuBytes, loopback, up, addresses } = each
  const texts = addresses.map(({ address, prefixLength }) => `${formatIpv4(address)}/${prefixLength}`)
  return { index, name, mac: formatMac(mac), mtuBytes, loopback, up, addresses: texts }
}

export function routeRow(route: Route, device: string): RouteRow {
  const { destination, gateway, source } = route
  return {
    destination: destination.prefixLength === 0 ? 'default' : formatCidr(destination),
    ...(gateway === undefined ? {} : { gateway: formatIpv4(gateway) }),
    device,
    ...(source === undefined ? {} : { source: formatIpv4(source) }),
    scope: gateway === undefined ? 'link' : 'global',
  }
}

export function neighborRow(neighbor: Neighbor): NeighborRow {
  const { address, output, mac, state } = neighbor
  const known = state !== 'INCOMPLETE' && state !== 'FAILED'
  return {
    address: formatIpv4(address),
    device: output.name,
    ...(known ? { mac: formatMac(mac) } : {}),
    state,
  }
}
