// Which addresses of the node answer for node ports: kube-proxy's --nodeport-addresses. After
// pkg/proxy/util/nodeport_addresses.go of Kubernetes.

import type { Stack } from '../stack/stack.js'
import { type Cidr, cidrContains, type IpAddress, parseIpv4Cidr } from '../wire/address.js'

export class NodePortAddresses {
  readonly #prefixes: readonly Cidr[]

  /** Prefixes as text; those of IPv6 are left out. None at all: every address. */
  constructor(prefixes: readonly string[] | undefined) {
    this.#prefixes = (prefixes ?? []).map(parseIpv4Cidr).filter((prefix) => prefix !== undefined)
  }

  /** Whether node ports answer on every address, without looking at the interfaces. */
  get matchAll(): boolean {
    return this.#prefixes.length === 0 || this.#prefixes.some(({ prefixLength }) => prefixLength === 0)
  }

  contains(address: IpAddress): boolean {
    return this.matchAll || this.#prefixes.some((prefix) => cidrContains(prefix, address))
  }

  /** The addresses that the node has now and that match, each once, in the order of its interfaces. */
  nodeAddresses(stack: Stack): IpAddress[] {
    const all = stack.interfaces().flatMap(({ addresses }) => addresses.map(({ address }) => address))
    return [...new Set(all)].filter((address) => this.contains(address))
  }
}
