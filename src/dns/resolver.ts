// What a stub resolver decides without sending anything: resolv.conf, the names that the search list makes of
// one, which servers are asked in which order, whether an answer belongs to a question, and /etc/hosts. After
// resolv.conf(5) and glibc. Questions are sent by posix/resolver.ts.

import { type Micros, SECOND } from '../base/time.js'
import { type IpAddress, type Ipv4, parseAddress, parseIpv4 } from '../wire/address.js'
import type { DnsMessage, Question } from './message.js'

export interface ResolverConfig {
  readonly nameservers: readonly Ipv4[]
  readonly search: readonly string[]
  /** Names with at least this many dots are tried as they are before the search list. */
  readonly ndots: number
  readonly timeout: Micros
  /** Rounds over all name servers. */
  readonly attempts: number
}

/** One query to one server. */
export interface Attempt {
  readonly nameserver: Ipv4
  readonly timeout: Micros
}

/** MAXNS of glibc. */
const MAX_NAMESERVERS = 3
const LOOPBACK_SERVER: Ipv4 = 0x7f000001

/** Reads resolv.conf; what it does not know is ignored, as glibc does. */
export function parseResolvConf(text: string): ResolverConfig {
  const nameservers: Ipv4[] = []
  let search: string[] = []
  const options = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/)
    if (keyword === 'nameserver') {
      const address = parseIpv4(words[0] ?? '')
      if (address !== undefined && nameservers.length < MAX_NAMESERVERS) nameservers.push(address)
    } else if (keyword === 'search' || keyword === 'domain') {
      // The last of these lines counts.
      search = words.map((word) => word.replace(/\.$/, '')).filter((word) => word !== '')
    } else if (keyword === 'options') {
      for (const word of words) {
        const [, name, value] = /^(ndots|timeout|attempts):(\d+)$/.exec(word) ?? []
        if (name !== undefined) options.set(name, Number(value))
      }
    }
  }
  return {
    nameservers: nameservers.length === 0 ? [LOOPBACK_SERVER] : nameservers,
    search,
    ndots: Math.min(options.get('ndots') ?? 1, 15),
    timeout: Math.min(Math.max(options.get('timeout') ?? 5, 1), 30) * SECOND,
    attempts: Math.min(Math.max(options.get('attempts') ?? 2, 1), 5),
  }
}

/** Names to ask for, in order: a name with a final dot is taken as it is. */
export function candidateNames(host: string, { search, ndots }: ResolverConfig): string[] {
  if (host.endsWith('.')) return [host.slice(0, -1)]
  const searched = search.map((domain) => `${host}.${domain}`)
  const dots = host.split('.').length - 1
  return dots >= ndots ? [host, ...searched] : [...searched, host]
}

/** Servers in the order in which they are asked until one answers. */
export function attemptPlan({ nameservers, timeout, attempts }: ResolverConfig): Attempt[] {
  return Array.from({ length: attempts }, () =>
    nameservers.map((nameserver) => ({ nameserver, timeout })),
  ).flat()
}

/** Whether `message` answers the query with this id and question (RFC 5452 section 9.1, source aside). */
export function isAnswerTo(message: DnsMessage, id: number, question: Question): boolean {
  if (!message.response || message.id !== id) return false
  const [echoed] = message.questions
  // A server that could not read the question cannot repeat it.
  if (echoed === undefined) return message.rcode !== 'NOERROR'
  return echoed.type === question.type && echoed.name.toLowerCase() === question.name.toLowerCase()
}

/** Whether another server may know better. */
export function isServerFailure({ rcode }: DnsMessage): boolean {
  return rcode === 'SERVFAIL' || rcode === 'NOTIMP' || rcode === 'REFUSED'
}

/** A line of /etc/hosts. */
export interface HostsEntry {
  readonly address: IpAddress
  /** The first is the canonical one. */
  readonly names: readonly string[]
}

export function parseHosts(text: string): HostsEntry[] {
  const entries: HostsEntry[] = []
  for (const line of text.split('\n')) {
    const [first = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const address = parseAddress(first)
    if (address !== undefined && names.length > 0) entries.push({ address, names })
  }
  return entries
}
