// The stub resolver of a container: literal addresses, /etc/hosts, then questions over UDP to the name servers of
// /etc/resolv.conf, and over TCP when an answer was cut short. What is asked in which order is decided in
// dns/resolver.ts. Addresses of IPv6 are asked for where the host has one of its own (AI_ADDRCONFIG), and then come
// first, as glibc sorts them (RFC 6724).

import type { SystemError } from '../base/errors.js'
import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { DnsCodec, DnsMessage, RecordType } from '../dns/message.js'
import { isDomainName, reverseNameOf } from '../dns/name.js'
import {
  attemptPlan,
  candidateNames,
  type HostsEntry,
  isServerFailure,
  parseHosts,
  parseResolvConf,
  type ResolverConfig,
} from '../dns/resolver.js'
import { type Endpoint, type IpAddress, isIpv6, parseAddress } from '../wire/address.js'
import { type DnsClient, exchange, queryMessage } from './dns-exchange.js'
import type { FileSystem } from './file-system.js'
import {
  type QueryAnswer,
  type QueryOptions,
  type Resolution,
  ResolveError,
  type ResolveFailure,
} from './net.js'
import type { NameService } from './net-over-stack.js'

const DNS_PORT = 53

export interface StubResolverOptions extends DnsClient {
  readonly files: Pick<FileSystem, 'exists' | 'readText'>
  /** Whether the host has an address of IPv6; default: it has none. */
  readonly hasIpv6?: () => boolean
  /** Draws query identifiers. */
  readonly random: Random
}

export class StubResolver implements NameService {
  readonly #options: StubResolverOptions

  constructor(options: StubResolverOptions) {
    this.#options = options
  }

  /** Addresses of a host as getaddrinfo finds them. Fails with ResolveError, or with `signal.reason`. */
  async resolve(host: string, signal?: AbortSignal): Promise<Resolution> {
    const literal = parseAddress(host)
    if (literal !== undefined) return { canonicalName: host, addresses: [literal] }
    const local = this.#resolveFromHosts(host)
    if (local !== undefined) return local
    let failure: ResolveFailure = 'ENOTFOUND'
    for (const name of candidateNames(host, this.#config())) {
      if (!isDomainName(name)) continue
      const messages: DnsMessage[] = []
      if (this.#hasIpv6) messages.push(await this.#lookup(name, 'AAAA', signal))
      messages.push(await this.#lookup(name, 'A', signal))
      const found = messages.map((message) => resolutionOf(name, message)).filter((one) => one !== undefined)
      if (found[0] !== undefined)
        return { ...found[0], addresses: found.flatMap(({ addresses }) => addresses) }
      // As glibc: that some candidate exists without addresses says more than what became of the others.
      for (const message of messages)
        if (message.rcode !== 'NXDOMAIN' && failure !== 'ENODATA') failure = failureOf(message)
    }
    throw new ResolveError(failure, host)
  }

  /** The name of an address as getnameinfo finds it; undefined when it has none or nobody answers. */
  async reverse(address: IpAddress, signal?: AbortSignal): Promise<string | undefined> {
    const entry = this.#hosts().find((one) => one.address === address)
    if (entry !== undefined) return entry.names[0]
    try {
      const message = await this.#lookup(reverseNameOf(address), 'PTR', signal)
      const record = message.answers.find((one) => one.type === 'PTR')
      return record?.type === 'PTR' ? record.target : undefined
    } catch (error) {
      if (error instanceof ResolveError) return undefined
      throw error
    }
  }

  /**
   * Asks the servers in turn. Gives the first answer that is no server failure, or else the last one; with `search`
   * that for the first name that exists, or else for the last name tried.
   */
  async query(name: string, type: RecordType, options: QueryOptions = {}): Promise<QueryAnswer> {
    const names = options.search ? candidateNames(name, this.#config()) : [name.replace(/\.$/, '')]
    let answer: QueryAnswer | undefined
    for (const candidate of names) {
      if (candidate !== '' && !isDomainName(candidate)) continue
      answer = await this.#ask(candidate, type, options)
      if (answer.message.rcode !== 'NXDOMAIN') break
    }
    if (answer === undefined) throw new ResolveError('ENOTFOUND', name)
    return answer
  }

  async #lookup(name: string, type: RecordType, signal: AbortSignal | undefined): Promise<DnsMessage> {
    return (await this.#ask(name, type, signal === undefined ? {} : { signal })).message
  }

  async #ask(name: string, type: RecordType, options: QueryOptions): Promise<QueryAnswer> {
    let failure: QueryAnswer | undefined
    let network: SystemError | undefined
    const question = { name, type, ...(options.class === undefined ? {} : { class: options.class }) }
    for (const { server, timeout } of this.#servers(options)) {
      const query = {
        ...queryMessage(this.#options.random.int(65_536), question, options.ednsUdpSize),
        recursionDesired: options.recursionDesired ?? true,
      }
      let lengthBytes = 0
      const codec: DnsCodec = {
        encode: (message) => this.#options.codec.encode(message),
        decode: (bytes) => {
          lengthBytes = bytes.length
          return this.#options.codec.decode(bytes)
        },
      }
      const { tcp, ignoreTruncation, signal } = options
      const message = await exchange({ ...this.#options, codec }, server, query, {
        timeout,
        failed: (error) => {
          network = error
        },
        ...(tcp === undefined ? {} : { tcp }),
        ...(ignoreTruncation === undefined ? {} : { ignoreTruncation }),
        ...(signal === undefined ? {} : { signal }),
      })
      if (message === undefined) continue
      const answer = { message, server, lengthBytes }
      if (!isServerFailure(message)) return answer
      failure = answer
    }
    if (failure === undefined) throw new ResolveError('ETIMEOUT', name, network)
    return failure
  }

  /** Whom to ask, in order. */
  #servers(options: QueryOptions): { readonly server: Endpoint; readonly timeout: Micros }[] {
    const configured = this.#config()
    const { attempts = configured.attempts, timeout = configured.timeout, server } = options
    if (server !== undefined) return Array.from({ length: attempts }, () => ({ server, timeout }))
    return attemptPlan({ ...configured, attempts, timeout }).map(({ nameserver }) => ({
      server: { address: nameserver, port: DNS_PORT },
      timeout,
    }))
  }

  get #hasIpv6(): boolean {
    return this.#options.hasIpv6?.() ?? false
  }

  #config(): ResolverConfig {
    return parseResolvConf(this.#read('/etc/resolv.conf'))
  }

  #hosts(): HostsEntry[] {
    return parseHosts(this.#read('/etc/hosts'))
  }

  #read(path: string): string {
    const { files } = this.#options
    return files.exists(path) ? files.readText(path) : ''
  }

  #resolveFromHosts(host: string): Resolution | undefined {
    const wanted = host.toLowerCase().replace(/\.$/, '')
    const entries = this.#hosts().filter(({ address, names }) => {
      return (this.#hasIpv6 || !isIpv6(address)) && names.some((name) => name.toLowerCase() === wanted)
    })
    const [first] = entries
    if (first === undefined) return undefined
    return { canonicalName: first.names[0]!, addresses: entries.map(({ address }) => address) }
  }
}

/** The addresses of an answer, under the name at the end of its CNAMEs; undefined when it has none. */
function resolutionOf(name: string, message: DnsMessage): Resolution | undefined {
  const addresses: IpAddress[] = []
  let canonicalName = name
  for (const record of message.answers) {
    const isAddress = record.type === 'A' || record.type === 'AAAA'
    const address = isAddress ? parseAddress(record.address) : undefined
    if (address === undefined) continue
    canonicalName = record.name
    addresses.push(address)
  }
  return addresses.length === 0 ? undefined : { canonicalName, addresses }
}

function failureOf({ rcode }: DnsMessage): ResolveFailure {
  if (rcode === 'NOERROR') return 'ENODATA'
  return rcode === 'REFUSED' ? 'EREFUSED' : 'ESERVFAIL'
}
