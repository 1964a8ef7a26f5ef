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
  /** Who made it: 'kernel' for those to an address' prefix; undefined by hand. */
  readonly protocol?: string | undefined
}

export interface Route {
  readonly destination: Cidr
  readonly gateway: IpAddress | undefined
  readonly interfaceIndex: number
  readonly source: IpAddress | undefined
  readonly metric: number
  readonly protocol: string | undefined
}

export class RouteTable {
  /** Routes by prefix length, then by network; each list in order of preference. */
  readonly #byLength: (Map<IpAddress, Route[]> | undefined)[] = new Array(129).fill(undefined)
  /** Prefix lengths in use, longest first. */
  #lengths: number[] = []
  /** Routes behind this table's own, which many tables have in common. */
  #shared: RouteTable | undefined

  add(options: RouteOptions): Route {
    const { network, prefixLength } = options.destination
    const route: Route = {
      destination: { network: maskAddress(network, prefixLength), prefixLength },
      gateway: options.gateway,
      interfaceIndex: options.interfaceIndex,
      source: options.source,
      metric: options.metric ?? 0,
      protocol: options.protocol,
    }
    this.#put(route)
    this.#index()
    return route
  }

  /**
   * Takes all routes of `table` over without a copy of them; it must not change any more. A route of this table's own to
   * the same prefix stands before the shared one.
   */
  share(table: RouteTable): void {
    this.#shared = table
    this.#index()
  }

  /** Removes the routes to exactly `destination`, of one gateway when it is given; how many there were. */
  remove(destination: Cidr, gateway?: IpAddress): number {
    return this.removeWhere(
      (route) =>
        route.destination.network === destination.network &&
        route.destination.prefixLength === destination.prefixLength &&
        (gateway === undefined || route.gateway === gateway),
    )
  }

  removeInterface(interfaceIndex: number): void {
    this.removeWhere((route) => route.interfaceIndex === interfaceIndex)
  }

  lookup(address: IpAddress): Route | undefined {
    const bits = addressBits(address)
    for (const length of this.#lengths) {
      if (length > bits) continue
      const network = maskAddress(address, length)
      const routes = this.#at(length, network) ?? this.#behind(length, network)
      if (routes !== undefined) return routes[0]
    }
    return undefined
  }

  /** All routes, the default route first and then by network, as `ip route` lists them. */
  list(): Route[] {
    const routes: Route[] = []
    for (const byNetwork of this.#byLength) for (const list of byNetwork?.values() ?? []) routes.push(...list)
    routes.push(...this.#sharedRoutes())
    return routes.sort(
      (a, b) =>
        Number(b.destination.prefixLength === 0) - Number(a.destination.prefixLength === 0) ||
        compareAddresses(a.destination.network, b.destination.network) ||
        a.destination.prefixLength - b.destination.prefixLength,
    )
  }

  /** Those that no route of its own stands before. */
  #sharedRoutes(): Route[] {
    const routes = this.#shared?.list() ?? []
    return routes.filter(({ destination: { network, prefixLength } }) => {
      return !this.#byLength[prefixLength]?.has(network)
    })
  }

  /** Removes the routes that `matches`; how many there were. */
  removeWhere(matches: (route: Route) => boolean): number {
    let removed = 0
    // What goes from here stays in the other tables: from now on this one has its own.
    if (this.#shared?.list().some(matches)) {
      const routes = this.#sharedRoutes()
      this.#shared = undefined
      for (const route of routes) this.#put(route)
    }
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

  #at(length: number, network: IpAddress): Route[] | undefined {
    return this.#byLength[length]?.get(network)
  }

  #behind(length: number, network: IpAddress): Route[] | undefined {
    return this.#shared === undefined ? undefined : this.#shared.#at(length, network)
  }

  #size(length: number): number {
    return this.#byLength[length]?.size ?? 0
  }

  #put(route: Route): void {
    const { network, prefixLength } = route.destination
    const byNetwork = (this.#byLength[prefixLength] ??= new Map())
    const routes: Route[] = byNetwork.get(network) ?? []
    routes.push(route)
    routes.sort((a, b) => a.metric - b.metric)
    byNetwork.set(network, routes)
  }

  #index(): void {
    this.#lengths = []
    for (let length = 128; length >= 0; length--) {
      const shared = this.#shared === undefined ? 0 : this.#shared.#size(length)
      if (this.#size(length) + shared > 0) this.#lengths.push(length)
    }
  }
}
