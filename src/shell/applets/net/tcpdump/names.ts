// Names in place of numbers, as tcpdump tells them without -n: of hosts by /etc/hosts and DNS, of ports by their
// services. Asking takes time: an address is told by number until its name is known.

import type { Net } from '../../../../posix/net.js'
import {
  formatAddress,
  formatMac,
  type IpAddress,
  MAC_BROADCAST,
  type Mac,
} from '../../../../wire/address.js'
import { serviceName } from './services.js'

export class Names {
  readonly #net: Net
  readonly #numeric: boolean
  readonly #short: boolean
  readonly #known = new Map<IpAddress, string>()
  readonly #unknown = new Set<IpAddress>()

  /** `numeric`: -n. `short`: -N, names without their domain. */
  constructor(net: Net, numeric: boolean, short: boolean) {
    this.#net = net
    this.#numeric = numeric
    this.#short = short
  }

  address(address: IpAddress): string {
    if (this.#numeric) return formatAddress(address)
    const known = this.#known.get(address)
    if (known === undefined) this.#unknown.add(address)
    return known ?? formatAddress(address)
  }

  mac(mac: Mac): string {
    return mac === MAC_BROADCAST && !this.#numeric ? 'Broadcast' : formatMac(mac)
  }

  port(port: number, protocol: 'tcp' | 'udp'): string {
    return (this.#numeric ? undefined : serviceName(port, protocol)) ?? String(port)
  }

  /** Asks for the names of all addresses that were told by number; false when there was none. */
  async learn(): Promise<boolean> {
    if (this.#unknown.size === 0) return false
    for (const address of this.#unknown) {
      const name = await this.#net.reverse(address).catch(() => undefined)
      const told = this.#short ? name?.split('.')[0] : name
      this.#known.set(address, told ?? formatAddress(address))
    }
    this.#unknown.clear()
    return true
  }
}
