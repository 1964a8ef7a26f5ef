// The DNS server that dig, host and nslookup ask: that of the command line, by address or name, or the first one of
// /etc/resolv.conf; and which record types can be asked for by name.

import { ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatAddress, parseAddress } from '../../../wire/address.js'

export const DNS_PORT = 53

/** The first one of /etc/resolv.conf; this host itself where there is none (resolv.conf(5)). */
export function configuredServer({ system }: Process): string {
  const path = '/etc/resolv.conf'
  const text = system.fs.exists(path) ? system.fs.readText(path) : ''
  return /^\s*nameserver\s+(\S+)/m.exec(text)?.[1] ?? '127.0.0.1'
}

/** The endpoint of a server by address or name; undefined when the name has no address. */
export async function serverNamed(
  process: Process,
  host: string,
  port: number,
): Promise<Endpoint | undefined> {
  const literal = parseAddress(host)
  if (literal !== undefined) return { address: literal, port }
  try {
    const { addresses } = await process.system.net.resolve(host, process.signal)
    return { address: addresses[0]!, port }
  } catch (error) {
    if (error instanceof ResolveError) return undefined
    throw error
  }
}

/** `10.96.0.10#53`, as BIND's tools write it. */
export function bindEndpoint({ address, port }: Endpoint): string {
  return `${formatAddress(address)}#${port}`
}

const TYPES = ['A', 'AAAA', 'ANY', 'CAA', 'CNAME', 'MX', 'NAPTR', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']

/** The record type of this name, in any case; undefined for one that is not known here. */
export function recordTypeNamed(text: string): string | undefined {
  const type = text.toUpperCase()
  return TYPES.includes(type) ? type : undefined
}
