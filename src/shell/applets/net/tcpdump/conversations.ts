// Relative sequence numbers as tcpdump tells them: of every TCP conversation the first numbers that were seen with an
// acknowledgment, counted from there on.

import type { IpAddress } from '../../../../wire/address.js'
import { ACK, SYN } from '../../../../wire/tcp.js'

export interface Ends {
  readonly source: IpAddress
  readonly sourcePort: number
  readonly destination: IpAddress
  readonly destinationPort: number
}

interface Begin {
  /** Of the end that the key names first. */
  readonly seq: number
  readonly ack: number
}

export class Conversations {
  readonly #begins = new Map<string, Begin>()

  /** The numbers to tell of a segment. Those of a conversation's first one are told as they are. */
  relative(
    ends: Ends,
    flags: number,
    seq: number,
    ack: number,
  ): { readonly seq: number; readonly ack: number } {
    if ((flags & ACK) === 0) return { seq, ack }
    const forward = `${ends.source} ${ends.sourcePort} ${ends.destination} ${ends.destinationPort}`
    const backward = `${ends.destination} ${ends.destinationPort} ${ends.source} ${ends.sourcePort}`
    const isBackward = backward < forward
    const key = isBackward ? backward : forward
    const begin = this.#begins.get(key)
    if (begin === undefined || (flags & SYN) !== 0) {
      this.#begins.set(key, isBackward ? { seq: ack - 1, ack: seq } : { seq, ack: ack - 1 })
      return { seq, ack }
    }
    const own = isBackward ? begin.ack : begin.seq
    const other = isBackward ? begin.seq : begin.ack
    return { seq: (seq - own) >>> 0, ack: (ack - other) >>> 0 }
  }
}
