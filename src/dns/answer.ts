// Answers of the cluster's zones: which records a question gets, NXDOMAIN when the name does not exist, no
// records (NODATA) when it has none of that type. Behaves as CoreDNS' kubernetes plugin does where the
// Kubernetes DNS specification leaves a choice: SRV weights, additional records, the case of names. Read first:
// query.ts. Not here: header flags, truncation (server.ts), CNAMEs that leave the zone, the order of addresses (plugins/).

import type { RecordType, ResourceRecord } from './message.js'
import { addressFamily, isInZone, reverseName } from './name.js'
import { type Part, parseQuery, type Query } from './query.js'
import type { EndpointRecord, RecordPort, Records, ServiceRecord } from './records.js'

/** How the kubernetes plugin is set up; names and meanings are its Corefile's. */
export interface ZoneOptions {
  /** Without final dots. The first that is no reverse zone is where PTR records point to. */
  readonly zones: readonly string[]
  readonly ttlSeconds: number
  readonly pods: 'disabled' | 'insecure' | 'verified'
  /** Namespaces that are told of; undefined: all. */
  readonly namespaces: readonly string[] | undefined
  /** `ignore empty_service`: a service without ready endpoints does not exist. */
  readonly ignoreEmptyService: boolean
  /** `endpoint_pod_names`: endpoints without a hostname are called by their pod. */
  readonly endpointPodNames: boolean
  /** Addresses of the server itself, for NS records. */
  readonly localAddresses: readonly string[]
  /** Leaves out what no specification names: endpoints by their dotted address. */
  readonly strict: boolean
  /** `noendpoints`: endpoints are not told of, so headless services have no addresses. */
  readonly withoutEndpoints: boolean
}

export interface Answer {
  readonly answers: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
}

/** Version of the Kubernetes DNS specification that the records follow, and how long it may be kept. */
const SCHEMA_VERSION = '1.1.0'
const SCHEMA_TTL_SECONDS = 28_800
/** CNAMEs that are followed for one question. */
const CNAME_LIMIT = 8

/** Answers that are remembered at most. */
const REMEMBERED_LIMIT = 1_000

/** What a name stands for: an address or another name, with a port for SRV. */
interface Found {
  readonly host: string
  /** undefined: `host` is a name. */
  readonly family: 4 | 6 | undefined
  readonly port: number | undefined
  /** The name that an SRV record points to for it. */
  readonly target: string
}

const EMPTY: Answer = { answers: [], additionals: [] }

export class Answerer {
  readonly #records: Records
  readonly #options: ZoneOptions
  /** Answers by type and name in the case asked, as of one generation of the records: the same names are asked for again and again. */
  readonly #remembered = new Map<string, Answer | undefined>()
  #generation = -1

  constructor(records: Records, options: ZoneOptions) {
    this.#records = records
    this.#options = options
  }

  /**
   * Records for a question in `zone` (in the case asked), the longest of the zones that holds the name; undefined: the
   * name does not exist.
   */
  answer(name: string, type: RecordType, zone: string): Answer | undefined {
    const remembered = this.#remembered
    const { generation } = this.#records
    if (generation !== this.#generation || remembered.size >= REMEMBERED_LIMIT) {
      remembered.clear()
      this.#generation = generation
    }
    const key = `${type} ${name}`
    const known = remembered.get(key)
    if (known !== undefined || remembered.has(key)) return known
    const answer = this.#compute(name, type, zone)
    remembered.set(key, answer)
    return answer
  }

  #compute(name: string, type: RecordType, zone: string): Answer | undefined {
    if (isReverseZone(zone)) return this.#reverse(name, type, zone)
    const query = parseQuery(name, zone, this.#options.strict)
    if (query.kind === 'zone') return this.#apex(name, type, zone)
    const found = this.#find(query, name, zone)
    if (found === undefined) return undefined
    switch (type) {
      case 'A':
      case 'AAAA':
        return { answers: this.#addresses(name, type, zone, found, 0), additionals: [] }
      case 'SRV':
        return this.#services(name, found)
      case 'CNAME':
        return { answers: this.#aliases(name, found.slice(0, 1)), additionals: [] }
      case 'TXT':
        return query.kind === 'version' ? { answers: [versionRecord(name)], additionals: [] } : EMPTY
      default:
        return EMPTY
    }
  }

  /** The SOA record of `zone`: answer to its question, and authority of every negative answer (RFC 2308). */
  soa(zone: string): ResourceRecord {
    const { ttlSeconds } = this.#options
    const soa = {
      mname: `ns.dns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: this.#records.serial,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttlSeconds,
    }
    return { name: zone, ttlSeconds: Math.min(ttlSeconds, 300), type: 'SOA', soa }
  }

  #apex(name: string, type: RecordType, zone: string): Answer {
    if (type === 'SOA') return { answers: [this.soa(zone)], additionals: [] }
    if (type !== 'NS') return EMPTY
    const { ttlSeconds } = this.#options
    const servers = this.#nameServers(zone)
    const targets = [...new Set(servers.map(({ target }) => target))]
    return {
      answers: targets.map((target) => ({ name, ttlSeconds, type: 'NS', target })),
      additionals: servers.map((server) => this.#addressRecord(server.target, server)),
    }
  }

  /** Everything that a name stands for; undefined when it does not exist, empty when it has no records. */
  #find(query: Query, name: string, zone: string): Found[] | undefined {
    switch (query.kind) {
      case 'zone':
      case 'branch':
      case 'version':
        return []
      case 'nameserver':
        return this.#nameServers(zone).map((server) => ({ ...server, target: name }))
      case 'namespace':
        if (query.branch === 'pod' && this.#options.pods === 'disabled') return undefined
        return this.#isExposed(query.namespace) ? [] : undefined
      case 'pod':
        return this.#isExposed(query.namespace) ? this.#findPod(query.pod, query.namespace, name) : undefined
      case 'service':
        if (!this.#isExposed(query.namespace)) return undefined
        return this.#findService(query.namespace, query.service, query.of, zone)
      case 'nothing':
        return undefined
    }
  }

  #isExposed(namespace: string): boolean {
    return this.#isListed(namespace) && this.#records.hasNamespace(namespace)
  }

  #isListed(namespace: string): boolean {
    const { namespaces } = this.#options
    return namespaces === undefined || namespaces.includes(namespace)
  }

  #findPod(pod: string, namespace: string, name: string): Found[] | undefined {
    const { pods } = this.#options
    if (pods === 'disabled') return undefined
    const four = pod.split('-').length === 4 && !pod.includes('--')
    const host = pod.replaceAll('-', four ? '.' : ':')
    const family = addressFamily(host)
    if (family === undefined) return undefined
    if (pods === 'verified') {
      const namespaces = this.#records.podNamespacesAt(reverseName(host)!)
      if (!namespaces.includes(namespace)) return undefined
    }
    return [{ host, family, port: undefined, target: name }]
  }

  #findService(namespace: string, name: string, of: Part, zone: string): Found[] | undefined {
    const service = this.#records.service(namespace, name)
    if (service === undefined) return undefined
    const target = `${service.name}.${service.namespace}.svc.${zone}`
    const byAddress = of.part === 'endpoint' || of.part === 'address'
    if (service.kind === 'ExternalName') {
      // An external service has no endpoints, so there is nothing below its name.
      if (byAddress || service.externalName === '') return undefined
      return [{ host: service.externalName, family: undefined, port: undefined, target }]
    }
    if (service.kind === 'headless' || byAddress) return this.#findEndpoints(service, of, target)
    if (this.#options.ignoreEmptyService && this.#records.endpoints(namespace, name).length === 0) {
      return undefined
    }
    const ports = service.ports.filter((port) => matchesPort(port, of))
    if (ports.length === 0) return undefined
    return ports.flatMap((port) =>
      service.clusterIPs.map((host) => ({ host, family: addressFamily(host), port: port.number, target })),
    )
  }

  /** Undefined when there is none: a headless service without a ready endpoint does not exist (DNS-9, DNS-11). */
  #findEndpoints(service: ServiceRecord, of: Part, parent: string): Found[] | undefined {
    if (this.#options.withoutEndpoints) return undefined
    const found: Found[] = []
    for (const endpoint of this.#records.endpoints(service.namespace, service.name)) {
      const hostname = this.#hostnameOf(endpoint)
      if (of.part === 'endpoint' && of.hostname !== hostname.toLowerCase()) continue
      if (of.part === 'address' && of.address !== endpoint.address) continue
      const { address: host, ports } = endpoint
      for (const port of ports) {
        if (!matchesPort(port, of)) continue
        found.push({ host, family: addressFamily(host), port: port.number, target: `${hostname}.${parent}` })
      }
    }
    return found.length === 0 ? undefined : found
  }

  /** The endpoint's own hostname, its pod's name when that is asked for, or its address with dashes (DNS-18). */
  #hostnameOf({ hostname, pod, address }: EndpointRecord): string {
    if (hostname !== undefined) return hostname
    if (this.#options.endpointPodNames && pod !== undefined && pod.length <= 63) return pod
    return address.replaceAll(/[.:]/g, '-')
  }

  /** A or AAAA records of what was found, through CNAMEs where it is a name. */
  #addresses(
    name: string,
    type: 'A' | 'AAAA',
    zone: string,
    found: readonly Found[],
    depth: number,
  ): ResourceRecord[] {
    const records: ResourceRecord[] = []
    const seen = new Set<string>()
    for (const one of found) {
      if (seen.has(one.host)) continue
      seen.add(one.host)
      if (one.family === undefined) records.push(...this.#alias(name, type, zone, one.host, depth))
      else if (one.family === (type === 'A' ? 4 : 6)) records.push(this.#addressRecord(name, one))
    }
    return records
  }

  #alias(name: string, type: 'A' | 'AAAA', zone: string, host: string, depth: number): ResourceRecord[] {
    // x CNAME x is a loop; so is a chain that does not end.
    if (depth >= CNAME_LIMIT || host.toLowerCase() === name.toLowerCase()) return []
    const alias = this.#aliasRecord(name, host)
    // What lies behind a name outside is for the plugin to find out.
    if (!isInZone(host, zone)) return [alias]
    const found = this.#find(parseQuery(host, zone, this.#options.strict), host, zone)
    const records = this.#addresses(host, type, zone, found ?? [], depth + 1)
    return records.length === 0 ? [] : [alias, ...records]
  }

  #aliases(name: string, found: readonly Found[]): ResourceRecord[] {
    return found.filter((one) => one.family === undefined).map((one) => this.#aliasRecord(name, one.host))
  }

  /** SRV records with the addresses of their targets. */
  #services(name: string, found: readonly Found[]): Answer {
    const { ttlSeconds } = this.#options
    // Simplified: as in CoreDNS, there are no SRV records for an ExternalName service.
    const internal = found.filter((one) => one.family !== undefined)
    const weight = Math.max(1, Math.floor(100 / internal.length))
    const answers = new Map<string, ResourceRecord>()
    const additionals = new Map<string, ResourceRecord>()
    for (const one of internal) {
      if (one.port === undefined) continue
      const srv = { priority: 0, weight, port: one.port, target: one.target }
      answers.set(`${one.target}:${one.port}`, { name, ttlSeconds, type: 'SRV', srv })
      additionals.set(`${one.target} ${one.host}`, this.#addressRecord(one.target, one))
    }
    return { answers: [...answers.values()], additionals: [...additionals.values()] }
  }

  #reverse(name: string, type: RecordType, zone: string): Answer | undefined {
    if (name.length === zone.length) return this.#apex(name, type, zone)
    const { ttlSeconds } = this.#options
    const targets = this.#pointers(name.toLowerCase())
    // Unlike RFC 8020 would have it, and as CoreDNS answers: of any other type such a name is missing.
    if (type !== 'PTR' || targets.length === 0) return undefined
    return {
      answers: targets.map((target) => ({ name, ttlSeconds, type: 'PTR', target })),
      additionals: [],
    }
  }

  /**
   * Names of the service, or of the endpoints, that have the address. A pod behind several services has a name in
   * each; those of headless services come first, because only they were made to be asked for.
   */
  #pointers(reverse: string): string[] {
    const zone = this.#options.zones.find((one) => !isReverseZone(one)) ?? ''
    for (const { namespace, name } of this.#records.servicesAt(reverse)) {
      if (this.#isListed(namespace)) return [`${name}.${namespace}.svc.${zone}`]
    }
    const headless = new Set<string>()
    const others = new Set<string>()
    for (const endpoint of this.#records.endpointsAt(reverse)) {
      const { namespace, service } = endpoint
      if (!this.#isListed(namespace)) continue
      const names = this.#records.service(namespace, service)?.kind === 'headless' ? headless : others
      names.add(`${this.#hostnameOf(endpoint)}.${service}.${namespace}.svc.${zone}`)
    }
    return [...headless, ...others]
  }

  /** The service that this server is an endpoint of, or `ns.dns` with its own addresses. */
  #nameServers(zone: string): Found[] {
    const { localAddresses } = this.#options
    const found: Found[] = []
    const add = (host: string, target: string) =>
      found.push({ host, family: addressFamily(host), port: undefined, target })
    for (const local of localAddresses) {
      for (const { namespace, service: name } of this.#records.endpointsAt(reverseName(local) ?? '')) {
        const service = this.#records.service(namespace, name)
        const target = `${name}.${namespace}.svc.${zone}`
        for (const address of service?.clusterIPs.slice(0, 1) ?? []) add(address, target)
        if (service?.kind !== 'headless') continue
        for (const endpoint of this.#records.endpoints(namespace, name)) {
          add(endpoint.address, `${this.#hostnameOf(endpoint)}.${target}`)
        }
      }
    }
    if (found.length === 0) for (const local of localAddresses) add(local, `ns.dns.${zone}`)
    return uniqueBy(found, ({ host, target }) => `${host} ${target}`)
  }

  #addressRecord(name: string, { host, family }: Found): ResourceRecord {
    const { ttlSeconds } = this.#options
    return { name, ttlSeconds, type: family === 6 ? 'AAAA' : 'A', address: host }
  }

  #aliasRecord(name: string, target: string): ResourceRecord {
    return { name, ttlSeconds: this.#options.ttlSeconds, type: 'CNAME', target }
  }
}

export function isReverseZone(zone: string): boolean {
  return isInZone(zone, 'in-addr.arpa') || isInZone(zone, 'ip6.arpa')
}

function matchesPort(port: RecordPort, of: Part): boolean {
  return of.part !== 'port' || (port.name === of.port && port.protocol === of.protocol)
}

function versionRecord(name: string): ResourceRecord {
  return { name, ttlSeconds: SCHEMA_TTL_SECONDS, type: 'TXT', text: [SCHEMA_VERSION] }
}

function uniqueBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()]
}
