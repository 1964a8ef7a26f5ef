// A DNS server as tests ask it: one kubernetes block with options, questions answered at once, nobody to forward to.

import { Random } from '../../src/base/random.js'
import type { ClusterChange } from '../../src/cluster/feed.js'
import type { ZoneOptions } from '../../src/dns/answer.js'
import type { DnsMessage } from '../../src/dns/message.js'
import { type Arrival, DnsServer } from '../../src/dns/server.js'
import { kubernetesBlock, type ServerBlock } from '../../src/dns/server-config.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'

export interface TestDnsOptions extends Partial<ZoneOptions> {
  readonly random?: Random
  readonly blocks?: readonly ServerBlock[]
}

export class TestDns {
  readonly server: DnsServer

  constructor({ random = new Random('dns'), blocks, ...options }: TestDnsOptions = {}) {
    this.server = new DnsServer({ codec: dnsCodec, random, blocks: blocks ?? [kubernetesBlock(options)] })
  }

  apply(change: ClusterChange): void {
    this.server.apply(change)
  }

  respond(
    query: DnsMessage,
    transport: 'udp' | 'tcp',
    arrival: Partial<Arrival> = {},
  ): DnsMessage | undefined {
    const responding = this.server.respond(query, { transport, ...arrival })
    let step = responding.next()
    while (!step.done) step = responding.next(undefined)
    return step.value
  }
}
