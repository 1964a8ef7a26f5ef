// What a stack counts, by the names of /proc/net/snmp and /proc/net/netstat (RFC 4293, 4022, 4113), and every frame
// that was dropped by its reason. Nothing is dropped without being counted here.

const NAMES = [
  'IpInReceives',
  'IpInHdrErrors',
  'IpInAddrErrors',
  'IpInUnknownProtos',
  'IpInDiscards',
  'IpInDelivers',
  'IpForwDatagrams',
  'IpOutRequests',
  'IpOutDiscards',
  'IpOutNoRoutes',
  'IpReasmReqds',
  'IpReasmOKs',
  'IpReasmFails',
  'IpReasmTimeout',
  'IpFragOKs',
  'IpFragFails',
  'IpFragCreates',
  'IcmpInMsgs',
  'IcmpInErrors',
  'IcmpInCsumErrors',
  'IcmpInEchos',
  'IcmpOutMsgs',
  'IcmpOutRateLimited',
  'TcpActiveOpens',
  'TcpPassiveOpens',
  'TcpInSegs',
  'TcpInErrs',
  'TcpInCsumErrors',
  'TcpOutSegs',
  'TcpOutRsts',
  'TcpListenOverflows',
  'UdpInDatagrams',
  'UdpNoPorts',
  'UdpInErrors',
  'UdpInCsumErrors',
  'UdpRcvbufErrors',
  'UdpOutDatagrams',
] as const

export type CounterName = (typeof NAMES)[number]
export type Counters = Record<CounterName, number>

export function makeCounters(): Counters {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Counters
}

/** Dropped frames and packets by reason. */
export class Drops {
  readonly #counts = new Map<string, number>()

  count(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
  }

  of(reason: string): number {
    return this.#counts.get(reason) ?? 0
  }

  get total(): number {
    let total = 0
    for (const count of this.#counts.values()) total += count
    return total
  }

  /** Reasons and counts, in the order in which they first happened. */
  list(): readonly (readonly [reason: string, count: number])[] {
    return [...this.#counts]
  }
}
