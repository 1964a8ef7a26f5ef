// Lists of addresses and when packets of them were seen: the match `recent` of iptables-extensions(8), with which
// kube-proxy's iptables mode keeps session affinity. Limits are those of the kernel module xt_recent.

import { type Micros, SECOND } from '../base/time.js'
import type { IpAddress } from '../wire/address.js'
import type { RecentMatch, RecentRow } from './rule.js'

/** ip_list_tot: addresses a list remembers; the one that was seen longest ago makes place. */
const MAX_ADDRESSES = 100

export class RecentLists {
  /** By name; in each list the address that was seen longest ago comes first. */
  readonly #lists = new Map<string, Map<IpAddress, Micros>>()

  /** Whether a packet from or to `address` matches; notes it as `match.action` says. */
  matches(match: RecentMatch, address: IpAddress, now: Micros): boolean {
    const list = this.#list(match.name)
    const seen = list.get(address)
    const cutoff = match.seconds === undefined ? undefined : now - match.seconds * SECOND
    switch (match.action) {
      case 'set':
        this.#note(list, address, now)
        return true
      case 'remove':
        return list.delete(address)
      default: {
        const hit = seen !== undefined && (cutoff === undefined || seen >= cutoff)
        if (hit && match.action === 'update') this.#note(list, address, now)
        if (match.reap && cutoff !== undefined && seen !== undefined) reap(list, cutoff)
        return hit
      }
    }
  }

  /** What is in the lists (/proc/net/xt_recent). */
  rows(): RecentRow[] {
    return [...this.#lists].flatMap(([list, addresses]) =>
      [...addresses].map(([address, lastSeen]) => ({ list, address, lastSeen })),
    )
  }

  #list(name: string): Map<IpAddress, Micros> {
    let list = this.#lists.get(name)
    if (list === undefined) {
      list = new Map()
      this.#lists.set(name, list)
    }
    return list
  }

  #note(list: Map<IpAddress, Micros>, address: IpAddress, now: Micros): void {
    const known = list.delete(address)
    if (!known && list.size >= MAX_ADDRESSES) list.delete(list.keys().next().value!)
    list.set(address, now)
  }
}

/** Forgets the address that was seen longest ago when that was before `cutoff`: one for each packet, as the kernel. */
function reap(list: Map<IpAddress, Micros>, cutoff: Micros): void {
  const oldest = list.entries().next().value
  if (oldest !== undefined && oldest[1] < cutoff) list.delete(oldest[0])
}
