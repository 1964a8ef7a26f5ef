// Which addresses of the node answer for node ports: kube-proxy's --nodeport-addresses. After
// pkg/proxy/util/nodeport_addresses.go of Kubernetes.

import type { Stack } from '../stack/stack.js'
import {
  type AddressFamily,
  type Cidr,
  cidrContains,
  familyOf,
  IPV4_ANY,
  IPV6_ANY,
  type IpAddress,
  parseCidr,
} from '../wire/address.js'

export class NodePortAddresses {
  readonly #prefixes: readonly Cidr[]
  readonly #family: AddressFamily

  /** Prefixes as text; those of the other family are left out. None at all: every address. */
  constructor(prefixes: readonly string[] | undefined, family: AddressFamily) {
    const all = (prefixes ?? []).map(parseCidr).filter((prefix) => prefix !== undefined)
    this.#prefixes = all.filter(({ network }) => familyOf(network) === family)
    this.#family = family
  }

  /** Whether node ports answer on every address of the family, without looking at the interfaces. */
  get matchAll(): boolean {
    return this.#prefixes.length === 0 || this.#prefixes.some(({ prefixLength }) => prefixLength === 0)
  }

  /** The address to listen on for all of them: 0.0.0.0 or ::. */
  get any(): IpAddress {
    return this.#family === 'IPv6' ? IPV6_ANY : IPV4_ANY
  }

  contains(address: IpAddress): boolean {
    if (familyOf(address) !== this.#family) return false
    return this.matchAll || this.#prefixes.some((prefix) => cidrContains(prefix, address))
  }

  /** The addresses that the node has now and that match, each once, in the order of its interfaces. */
  nodeAddresses(stack: Stack): IpAddress[] {
    const all = stack.interfaces().flatMap(({ addresses }) => addresses.map(({ address }) => address))
    return [...new Set(all)].filter((address) => this.contains(address))
  }
}
