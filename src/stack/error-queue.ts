// The error queue of a socket (Linux: IP_RECVERR, MSG_ERRQUEUE): what routers, the peer and this host itself said about
// packets that it sent. traceroute and tracepath read it. Which errors come here is decided by the sockets' owners.

import type { ErrnoCode } from '../base/errors.js'
import type { Endpoint } from '../wire/address.js'
import type { Packet } from './hooks.js'
import { isFragmentationNeeded } from './icmp-error-code.js'
import type { QuotedPacket } from './quoted-packet.js'
import type { QueuedError } from './socket.js'

/** More are lost, as beyond a receive buffer. */
const MAX_ERRORS = 256

export class ErrorQueue {
  readonly #errors: QueuedError[] = []

  /** An ICMP error about `quoted` came in `message`; the payload starts `headerBytes` behind the quoted IP header. */
  add(
    code: ErrnoCode,
    quoted: QuotedPacket,
    type: number,
    icmpCode: number,
    rest: number,
    message: Packet,
    headerBytes: number,
  ): void {
    this.#push({
      code,
      from: message.header.source,
      ttl: message.header.ttl,
      type,
      icmpCode,
      mtuBytes: isFragmentationNeeded(type, icmpCode) ? rest : 0,
      to: { address: quoted.destination, port: headerBytes === 0 ? 0 : quoted.destinationPort },
      bytes: quoted.bytes.slice(quoted.payloadStart + headerBytes, quoted.payloadEnd),
    })
  }

  /** This host did not send `bytes`, because only `mtuBytes` fit. */
  refused(mtuBytes: number, to: Endpoint, bytes: Uint8Array): void {
    const about = { to: { ...to }, bytes: bytes.slice() }
    this.#push({ code: 'EMSGSIZE', from: undefined, ttl: 0, type: 0, icmpCode: 0, mtuBytes, ...about })
  }

  take(): QueuedError | undefined {
    return this.#errors.shift()
  }

  /** The one that `take` would give. */
  next(): QueuedError | undefined {
    return this.#errors[0]
  }

  #push(error: QueuedError): void {
    if (this.#errors.length < MAX_ERRORS) this.#errors.push(error)
  }
}
