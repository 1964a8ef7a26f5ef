// The DNS server of a cluster, from message to message: what is refused, which server block a question belongs to,
// EDNS0 and truncation. What the names stand for is found by the plugins (chain.ts, plugins/); bytes and sockets
// belong to the program that runs it (pod/images/coredns.ts).

import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import { isReverseZone } from './answer.js'
import {
  type Ask,
  chainOf,
  type Exchange,
  type Handling,
  type Next,
  type Plugin,
  type Reply,
} from './chain.js'
import type { PluginConfig } from './directives.js'
import {
  bytesAtMost,
  type DnsCodec,
  type DnsMessage,
  type Question,
  type Rcode,
  type ResourceRecord,
} from './message.js'
import { isInZone } from './name.js'
import { AutopathPlugin } from './plugins/autopath.js'
import { CachePlugin } from './plugins/cache.js'
import { FilePlugin } from './plugins/file.js'
import { ForwardPlugin } from './plugins/forward.js'
import { HostsPlugin } from './plugins/hosts.js'
import { KubernetesPlugin } from './plugins/kubernetes.js'
import { LoadbalancePlugin } from './plugins/loadbalance.js'
import { RewritePlugin } from './plugins/rewrite.js'
import { Records } from './records.js'
import { kubernetesBlock, type ServerBlock } from './server-config.js'

export interface DnsServerOptions {
  /** Measures answers for truncation. */
  readonly codec: DnsCodec
  /** Default: kubeadm's. */
  readonly blocks?: readonly ServerBlock[]
  /** Shuffles the addresses of each answer (`loadbalance`); without it they keep their order. */
  readonly random?: Random
}

/** How a question came. */
export interface Arrival {
  readonly transport: 'udp' | 'tcp'
  /** The port that it came to, default 53. */
  readonly port?: number
  /** Address of the asker, as text. */
  readonly client?: string
  /** Default 0: for servers without a cache. */
  readonly now?: Micros
}

/** Ends with the message to send, undefined for none; yields questions to other servers (chain.ts). */
export type Response = Generator<Ask, DnsMessage | undefined, DnsMessage | undefined>

const OPCODE_QUERY = 0
/** What every receiver takes over UDP (RFC 1035 section 2.3.4). */
const UDP_BYTES = 512
const TCP_BYTES = 65_535
const DNS_PORT = 53
/** Lookups of lookups: CNAMEs that lead from plugin to plugin. */
const LOOKUP_LIMIT = 8

interface Site {
  readonly zone: string
  readonly port: number
  readonly chain: Next
  readonly logged: boolean
}

export class DnsServer implements ClusterFollower {
  /** Whether the cluster's state has been heard in full; until then a missing name is SERVFAIL, not NXDOMAIN. */
  synced = true
  readonly #codec: DnsCodec
  readonly #records = new Records()
  readonly #random: Random | undefined
  /** Those of longer zones first. */
  #sites: readonly Site[] = []

  constructor({ codec, random, blocks = [kubernetesBlock()] }: DnsServerOptions) {
    this.#codec = codec
    this.#random = random
    this.configure(blocks)
  }

  /** Answers by other server blocks from now on; what is known of the cluster stays, what plugins remember goes. */
  configure(blocks: readonly ServerBlock[]): void {
    const random = this.#random
    const sites = blocks.flatMap(({ zones, port, plugins }) => {
      const chain = chainOf(plugins.flatMap((config) => this.#plugin(config, plugins, random)))
      const logged = plugins.some(({ plugin }) => plugin === 'log')
      return zones.map((zone) => ({ zone, port, chain, logged }))
    })
    this.#sites = sites.sort((one, other) => other.zone.length - one.zone.length)
  }

  /** `at`: seconds since 1970, which become the zones' serial. */
  apply(change: ClusterChange, at?: number): void {
    this.#records.apply(change, at)
  }

  /** Whether questions for `name` on that port are to be logged. */
  logs(name: string, port: number): boolean {
    return this.#site(name, port)?.logged ?? false
  }

  /** Answers `query`, no longer than its transport and the asker take. */
  *respond(query: DnsMessage, arrival: Arrival): Response {
    if (query.response) return undefined
    if (query.opcode !== OPCODE_QUERY) return refusal(query, 'NOTIMP')
    const [question] = query.questions
    if (question === undefined || query.questions.length > 1) return refusal(query, 'FORMERR')
    // RFC 6891 section 6.1.3: version 0 is the only one.
    if ((query.ednsVersion ?? 0) > 0) return refusal(query, 'BADVERS')
    const transfer = question.type === 'AXFR' || question.type === 'IXFR'
    const { port = DNS_PORT, client, now = 0, transport } = arrival
    const reply =
      transfer || question.class !== undefined
        ? undefined
        : yield* this.#resolve(question, { client, now }, port, 0)
    // CoreDNS fails here (SERVFAIL) when a block takes the question and none of its plugins answers. Unlike CoreDNS:
    // that nobody is responsible is said as it is.
    if (reply === undefined) return refusal(query, 'REFUSED')
    const message = response(query, reply)
    const limit = transport === 'tcp' ? TCP_BYTES : Math.max(UDP_BYTES, query.ednsUdpSize ?? 0)
    return this.#truncated(message, limit)
  }

  *#resolve(
    question: Question,
    asker: Pick<Exchange, 'client' | 'now'>,
    port: number,
    depth: number,
  ): Handling {
    const site = this.#site(question.name, port)
    if (site === undefined || depth > LOOKUP_LIMIT) return undefined
    const lookup = (next: Question) => this.#resolve(next, asker, port, depth + 1)
    return yield* site.chain({ question, client: asker.client, now: asker.now, lookup })
  }

  /** The server block with the longest zone that holds `name`. */
  #site(name: string, port: number): Site | undefined {
    for (const site of this.#sites) if (site.port === port && isInZone(name, site.zone)) return site
    return undefined
  }

  #plugin(config: PluginConfig, block: readonly PluginConfig[], random: Random | undefined): Plugin[] {
    switch (config.plugin) {
      case 'log':
      case 'reload':
        return []
      case 'loadbalance':
        return random === undefined ? [] : [new LoadbalancePlugin(random)]
      case 'cache':
        return [new CachePlugin(config.options)]
      case 'rewrite':
        // All rules are one plugin: the first that matches counts.
        return config === block.find(({ plugin }) => plugin === 'rewrite')
          ? [new RewritePlugin(block.flatMap((one) => (one.plugin === 'rewrite' ? [one.rule] : [])))]
          : []
      case 'autopath':
        return this.#autopath(config.options, block)
      case 'hosts':
        return [new HostsPlugin(config.options)]
      case 'kubernetes':
        return [new KubernetesPlugin(this.#records, config.options, () => this.synced)]
      case 'file':
        return [new FilePlugin(config.zones)]
      case 'forward':
        return [new ForwardPlugin(config.options)]
    }
  }

  /** It needs the kubernetes plugin of its block, which must know the pods. */
  #autopath(
    options: { readonly zones: readonly string[]; readonly search: readonly string[] },
    block: readonly PluginConfig[],
  ): Plugin[] {
    const kubernetes = block.find((one) => one.plugin === 'kubernetes')
    if (kubernetes === undefined || kubernetes.options.pods !== 'verified') return []
    const domain = kubernetes.options.zones.find((zone) => !isReverseZone(zone))
    return domain === undefined ? [] : [new AutopathPlugin(this.#records, { ...options, domain })]
  }

  /** Leaves records out from the end until the message fits, and says so (TC) when there were any to leave out. */
  #truncated(message: DnsMessage, limit: number): DnsMessage {
    if (bytesAtMost(message) <= limit) return message
    const fits = (candidate: DnsMessage) => this.#codec.encode(candidate).length <= limit
    if (fits(message)) return message
    let low = 0
    let high = message.answers.length + message.authorities.length + message.additionals.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (fits(firstRecords(message, middle))) low = middle
      else high = middle
    }
    return firstRecords(message, low)
  }
}

/** A response without records: that is all that most failures are. */
export function refusal(query: DnsMessage, rcode: Rcode): DnsMessage {
  return response(query, {
    rcode,
    authoritative: false,
    recursionAvailable: false,
    answers: [],
    authorities: [],
    additionals: [],
  })
}

function response(query: DnsMessage, reply: Reply): DnsMessage {
  const { id, opcode, recursionDesired, questions, ednsUdpSize } = query
  const { rcode, authoritative, recursionAvailable, answers, authorities, additionals } = reply
  const message = {
    id,
    response: true,
    opcode,
    authoritative,
    truncated: false,
    recursionDesired,
    recursionAvailable,
    rcode,
    questions,
    answers,
    authorities,
    additionals,
  }
  // RFC 6891 section 6.1.1: an OPT record is answered with one. CoreDNS gives the asker's size back.
  return ednsUdpSize === undefined ? message : { ...message, ednsUdpSize: Math.max(UDP_BYTES, ednsUdpSize) }
}

function firstRecords(message: DnsMessage, count: number): DnsMessage {
  const take = (records: readonly ResourceRecord[]): readonly ResourceRecord[] => {
    const taken = records.slice(0, count)
    count -= taken.length
    return taken
  }
  const answers = take(message.answers)
  const authorities = take(message.authorities)
  const additionals = take(message.additionals)
  return { ...message, truncated: true, answers, authorities, additionals }
}
