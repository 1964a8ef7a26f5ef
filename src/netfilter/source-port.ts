// Which source a translated flow gets: its own port when that is free, else another of the same class (Linux:
// get_unique_tuple and nf_nat_l4proto_unique_tuple). Simplified: a source that is already translated for another
// destination is not looked up to be translated alike (Linux: find_appropriate_src).

import type { Random } from '../base/random.js'
import type { IpAddress, Port } from '../wire/address.js'
import type { Conntrack } from './conntrack.js'
import type { Flow } from './flow.js'
import { hasPorts, isIcmp, type Tuple } from './tuple.js'

/** Ports that are tried in the first round; each further round tries half as many, from another random one. */
const ATTEMPTS = 128
const LAST_ATTEMPTS = 16

export interface SourceRange {
  readonly address: IpAddress
  /** 0: any. */
  readonly port: Port
  /** Do not even try the port that the source has. */
  readonly fullyRandom: boolean
}

/**
 * The reply tuple of `flow` with its source translated into `range`, free in `conntrack` if there is a free one: when
 * there is none, the last that was tried, and confirming the flow fails.
 */
export function chooseSourcePort(
  flow: Flow,
  range: SourceRange,
  conntrack: Conntrack,
  random: Random,
): Tuple {
  const { address, port, fullyRandom } = range
  const { protocol } = flow.reply
  const kept = { ...flow.reply, destination: address }
  const icmp = isIcmp(protocol)
  if (!hasPorts(protocol) && !icmp) return kept
  if (port !== 0 && !icmp) return { ...kept, destinationPort: port }
  if (!fullyRandom && !conntrack.isTaken(kept, flow)) return kept
  // An ICMP query has its identifier in both directions.
  const [first, count] = icmp ? [0, 0x10000] : portRange(flow.reply.destinationPort)
  let attempts = Math.min(count, ATTEMPTS)
  for (;;) {
    const start = random.int(0x10000)
    for (let i = 0; i < attempts; i++) {
      const chosen = first + ((start + i) % count)
      if (icmp) kept.sourcePort = chosen
      else kept.destinationPort = chosen
      if (!conntrack.isTaken(kept, flow)) return kept
    }
    if (attempts >= count || attempts < LAST_ATTEMPTS) return kept
    attempts >>= 1
  }
}

/** First port and count of the class that a port is replaced from: low ports stay low. */
function portRange(port: Port): [first: number, count: number] {
  if (port < 512) return [1, 511]
  if (port < 1024) return [600, 424]
  return [1024, 64_512]
}
