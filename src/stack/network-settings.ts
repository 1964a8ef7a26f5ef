// What a privileged program changes of a stack: addresses, links, routes, neighbours, as rtnetlink(7) takes it. Fails with
// the errno of the kernel. How `ip` words it is the applet's; read-outs are the stack's own.

import { SystemError } from '../base/errors.js'
import {
  addressBits,
  cidrContains,
  type InterfaceAddress,
  type IpAddress,
  isIpv6,
  type Mac,
  networkOf,
} from '../wire/address.js'
import type { Interface } from './interface.js'
import type { Ip } from './ip.js'
import type { Neighbor, NeighborState } from './neighbors.js'
import type { Route, RouteOptions } from './routes.js'

/** ETH_MIN_MTU and the largest that an IP packet can be. */
export const MTU_RANGE = { least: 68, most: 65_535 } as const

/** How a route is put beside one to the same prefix with the same metric. */
export type RouteChange = 'add' | 'append' | 'replace' | 'change'

export class NetworkSettings {
  readonly #ip: Ip

  constructor(ip: Ip) {
    this.#ip = ip
  }

  /** Adds an address behind the others, and the route to its prefix unless an earlier one has it. EEXIST. */
  addAddress(index: number, added: InterfaceAddress): void {
    const device = this.#device(index)
    if (device.addresses.some((own) => sameAddress(own, added))) throw new SystemError('EEXIST', 'netlink')
    const isSecondary = device.addresses.some((own) => sameNetwork(own, added))
    device.addresses = [...device.addresses, added]
    if (device.up && !isSecondary) this.addConnectedRoute(device, added)
    this.#ip.paths.interfacesChanged()
  }

  /**
   * Removes an address with its prefix' route and the routes that prefer it, and when it was the first of its prefix the
   * others of it as well (net.ipv4.conf.all.promote_secondaries is off). EADDRNOTAVAIL.
   */
  removeAddress(index: number, removed: InterfaceAddress): void {
    const device = this.#device(index)
    const found = device.addresses.find((own) => sameAddress(own, removed))
    if (found === undefined) throw new SystemError('EADDRNOTAVAIL', 'netlink')
    const isPrimary = device.addresses.find((own) => sameNetwork(own, found)) === found
    const gone =
      isPrimary && !isIpv6(found.address) ? (own: InterfaceAddress) => sameNetwork(own, found) : undefined
    const addresses = device.addresses.filter((own) => own !== found && gone?.(own) !== true)
    const lost = new Set(
      device.addresses.filter((own) => !addresses.includes(own)).map(({ address }) => address),
    )
    device.addresses = addresses
    this.#ip.paths.routes.removeWhere((route) => route.source !== undefined && lost.has(route.source))
    this.#dropUnreachableGateways()
    this.#ip.paths.interfacesChanged()
  }

  /** Down, a link loses its routes and neighbours; up, it has those to its addresses' prefixes again. */
  setUp(index: number, up: boolean): void {
    const device = this.#device(index)
    if (device.up === up) return
    device.up = up
    if (up) {
      const [...addresses] = device.addresses
      for (const [at, address] of addresses.entries()) {
        if (!addresses.slice(0, at).some((own) => sameNetwork(own, address)))
          this.addConnectedRoute(device, address)
      }
    } else {
      this.#ip.paths.routes.removeInterface(index)
      this.#ip.link.neighbors.removeInterface(index)
    }
    this.#ip.paths.interfacesChanged()
  }

  setMtu(index: number, mtuBytes: number): void {
    this.#device(index).mtuBytes = mtuBytes
    this.#ip.paths.interfacesChanged()
  }

  /** EEXIST for one that is there ('add'), ENOENT for one that is not ('change'). */
  putRoute(options: RouteOptions, change: RouteChange): void {
    const { routes } = this.#ip.paths
    const { destination, metric = 0 } = options
    const isSame = (route: Route) => sameDestination(route, options) && route.metric === metric
    const same = routes.list().filter(isSame)
    if (change === 'add' && same.length > 0) throw new SystemError('EEXIST', 'netlink')
    if (change === 'change' && same.length === 0) throw new SystemError('ENOENT', 'netlink')
    const replaced = change === 'replace' || change === 'change' ? same[0] : undefined
    if (replaced !== undefined) routes.removeWhere((route) => route === replaced)
    routes.add({ ...options, destination })
    this.#ip.paths.changed()
  }

  /** Removes the first route that `matches`; false when there is none. */
  removeRoute(matches: (route: Route) => boolean): boolean {
    const { routes } = this.#ip.paths
    const found = routes.list().find(matches)
    if (found === undefined) return false
    routes.removeWhere((route) => route === found)
    this.#ip.paths.changed()
    return true
  }

  /** Whether packets to `gateway` leave through `index` (any, when it is undefined) without another gateway; which one. */
  linkTo(gateway: IpAddress, index: number | undefined): number | undefined {
    const direct = this.#ip.paths.routes
      .list()
      .filter((route) => route.gateway === undefined && cidrContains(route.destination, gateway))
      .filter((route) => index === undefined || route.interfaceIndex === index)
    return direct.sort((a, b) => b.destination.prefixLength - a.destination.prefixLength)[0]?.interfaceIndex
  }

  /** Enters a neighbour by hand. */
  putNeighbor(index: number, address: IpAddress, mac: Mac, state: NeighborState): void {
    this.#ip.link.neighbors.put(this.#device(index), address, mac, state, this.#ip.now)
  }

  neighbor(index: number, address: IpAddress): Neighbor | undefined {
    return this.#ip.link.neighbors.get(this.#device(index), address)
  }

  removeNeighbor(neighbor: Neighbor): void {
    this.#ip.link.neighbors.remove(neighbor)
  }

  /** The route of the kernel to the prefix of an address; a host address has none, Linux keeps it in the local table. */
  addConnectedRoute(device: Interface, address: InterfaceAddress): void {
    const destination = networkOf(address)
    if (device.loopback || destination.prefixLength === addressBits(destination.network)) return
    const source = address.address
    this.#ip.paths.routes.add({ destination, interfaceIndex: device.index, source, protocol: 'kernel' })
  }

  /** Routes through gateways that no link leads to any more go with it. */
  #dropUnreachableGateways(): void {
    this.#ip.paths.routes.removeWhere(
      ({ gateway, interfaceIndex }) =>
        gateway !== undefined && this.linkTo(gateway, interfaceIndex) === undefined,
    )
  }

  #device(index: number): Interface {
    const device = this.#ip.link.interfaces.get(index)
    if (device === undefined) throw new SystemError('ENOENT', 'netlink')
    return device
  }
}

function sameAddress(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength
}

function sameNetwork(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.prefixLength === b.prefixLength && networkOf(a).network === networkOf(b).network
}

function sameDestination(route: Route, { destination }: RouteOptions): boolean {
  const { network, prefixLength } = route.destination
  return network === destination.network && prefixLength === destination.prefixLength
}
