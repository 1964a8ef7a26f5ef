// Questions to the DNS server of a running cluster, as packets from the external host to kube-dns.

import { SECOND } from '../base/time.js'
import type { DnsMessage, Question } from '../dns/message.js'
import { exchange, queryMessage } from '../posix/dns-exchange.js'
import { dnsCodec } from './dns-codec.js'
import type { Emulation } from './emulation.js'

/** Emulated time that each of the tries may take. */
const TIMEOUT = 5 * SECOND
const TRIES = 3
/** What dig offers. */
const EDNS_UDP_BYTES = 1232

/** The answer to `question`, over TCP where it was cut short; undefined when none came. */
export function lookup(
  emulation: Pick<Emulation, 'outside' | 'run'>,
  question: Question,
): Promise<DnsMessage | undefined> {
  const { net, clock, random, dnsServer } = emulation.outside()
  const ask = async () => {
    for (let tries = 0; tries < TRIES; tries++) {
      const query = queryMessage(random.int(65_536), question, EDNS_UDP_BYTES)
      const message = await exchange({ net, clock, codec: dnsCodec }, dnsServer, query, { timeout: TIMEOUT })
      if (message !== undefined) return message
    }
    return undefined
  }
  return emulation.run(ask())
}
