// The routing table of one stack: longest prefix first, then the lowest metric, then the oldest route. One table,
// no rules (`ip rule`) and no multipath.

import { addressBits, type Cidr, compareAddresses, type IpAddress, maskAddress } from '../wire/address.js'

export interface RouteOptions {
  readonly destination: Cidr
  /** Next hop; without it the destination itself is on the link. */
  readonly gateway?: IpAddress
  readonly interfaceIndex: number
  /** Preferred source address. */
  readonly source?: IpAddress
  readonly metric?: number
}

export interface Route {
  readonly destination: Cidr
  readonly gateway: IpAddress | undefined
  readonly interfaceIndex: number
  readonly source: IpAddress | undefined
  readonly metric: number
}

export class RouteTable {
  /** Routes by prefix length, then by network; each list in order of preference. */
  readonly #byLength: (Map<IpAddress, Route[]> | undefined)[] = new Array(129).fill(undefined)
  /** Prefix lengths in use, longest first. */
  #lengths: number[] = []

  add(options: RouteOptions): Route {
    const { network, prefixLength } = options.destination
    const route: Route = {
      destination: { network: maskAddress(network, prefixLength), prefixLength },
      gateway: options.gateway,
      interfaceIndex: options.interfaceIndex,
      source: options.source,
      metric: options.metric ?? 0,
    }
    const byNetwork = (this.#byLength[prefixLength] ??= new Map())
    const routes: Route[] = byNetwork.get(route.destination.network) ?? []
    routes.push(route)
    routes.sort((a, b) => a.metric - b.metric)
    byNetwork.set(route.destination.network, routes)
    this.#index()
    return route
  }

  /** Removes the routes to exactly `destination`, of one gateway when it is given; how many there were. */
  remove(destination: Cidr, gateway?: IpAddress): number {
    return this.#removeWhere(
      (route) =>
        route.destination.network === destination.network &&
        route.destination.prefixLength === destination.prefixLength &&
        (gateway === undefined || route.gateway === gateway),
    )
  }

  removeInterface(interfaceIndex: number): void {
    this.#removeWhere((route) => route.interfaceIndex === interfaceIndex)
  }

  lookup(address: IpAddress): Route | undefined {
    const bits = addressBits(address)
    for (const length of this.#lengths) {
      if (length > bits) continue
      const routes = this.#byLength[length]!.get(maskAddress(address, length))
      if (routes !== undefined) return routes[0]
    }
    return undefined
  }

  /** All routes, the default route first and then by network, as `ip route` lists them. */
  list(): Route[] {
    const routes: Route[] = []
    for (const byNetwork of this.#byLength) for (const list of byNetwork?.values() ?? []) routes.push(...list)
    return routes.sort(
      (a, b) =>
        Number(b.destination.prefixLength === 0) - Number(a.destination.prefixLength === 0) ||
        compareAddresses(a.destination.network, b.destination.network) ||
        a.destination.prefixLength - b.destination.prefixLength,
    )
  }

  #removeWhere(matches: (route: Route) => boolean): number {
    let removed = 0
    for (const byNetwork of this.#byLength) {
      for (const [network, routes] of byNetwork ?? []) {
        const kept = routes.filter((route) => !matches(route))
        removed += routes.length - kept.length
        if (kept.length === 0) byNetwork!.delete(network)
        else byNetwork!.set(network, kept)
      }
    }
    this.#index()
    return removed
  }

  #index(): void {
    this.#lengths = []
    for (let length = 128; length >= 0; length--) {
      if ((this.#byLength[length]?.size ?? 0) > 0) this.#lengths.push(length)
    }
  }
}
