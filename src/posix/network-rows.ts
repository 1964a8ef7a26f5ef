// What `ip addr`, `ip route` and `ip neigh` show, read out of a stack.

import type { Stack } from '../stack/stack.js'
import { type Cidr, familyOf, formatAddress, formatCidr, formatMac, isHostCidr } from '../wire/address.js'
import type { InterfaceRow, NeighborRow, RouteRow } from './net.js'

export function interfaceRows(stack: Stack): InterfaceRow[] {
  return stack.interfaces().map((device) => ({
    index: device.index,
    name: device.name,
    mac: formatMac(device.mac),
    mtuBytes: device.mtuBytes,
    loopback: device.loopback,
    up: device.up,
    receivedFrames: device.receivedFrames,
    receivedBytes: device.receivedBytes,
    sentFrames: device.sentFrames,
    sentBytes: device.sentBytes,
    addresses: device.addresses.map(
      ({ address, prefixLength }) => `${formatAddress(address)}/${prefixLength}`,
    ),
  }))
}

/** The main table: the loopback's own prefix is not in it, as in Linux. */
export function routeRows(stack: Stack): RouteRow[] {
  const interfaces = new Map(stack.interfaces().map((device) => [device.index, device]))
  const rows: RouteRow[] = []
  for (const { destination, gateway, interfaceIndex, source, protocol, metric } of stack.routes()) {
    const device = interfaces.get(interfaceIndex)
    if (device === undefined || device.loopback) continue
    const family = familyOf(destination.network)
    const own = device.addresses.find(({ address }) => familyOf(address) === family)
    const address = source ?? (gateway === undefined && protocol === 'kernel' ? own?.address : undefined)
    rows.push({
      family,
      destination: destinationText(destination),
      ...(gateway === undefined ? {} : { gateway: formatAddress(gateway) }),
      device: device.name,
      ...(address === undefined ? {} : { source: formatAddress(address) }),
      scope: gateway === undefined ? 'link' : 'global',
      protocol,
      metric,
    })
  }
  return rows.sort((a, b) => Number(b.destination === 'default') - Number(a.destination === 'default'))
}

/** A host's prefix goes without its length. */
function destinationText(destination: Cidr): string {
  if (destination.prefixLength === 0) return 'default'
  return isHostCidr(destination) ? formatAddress(destination.network) : formatCidr(destination)
}

export function neighborRows(stack: Stack): NeighborRow[] {
  return stack.neighbors().map(({ address, output, mac, state }) => ({
    address: formatAddress(address),
    device: output.name,
    ...(state === 'INCOMPLETE' || state === 'FAILED' ? {} : { mac: formatMac(mac) }),
    state,
  }))
}
