// The choice of a local port for who asked for none: RFC 6056 section 3.3.1 (a random start, then the next free one),
// in Linux' range.

import type { Random } from '../base/random.js'
import type { Port } from '../wire/address.js'
import { EPHEMERAL_PORTS } from './socket.js'

/** A port for which `isFree` holds, undefined when there is none. */
export function choosePort(random: Random, isFree: (port: Port) => boolean): Port | undefined {
  const { first, last } = EPHEMERAL_PORTS
  const count = last - first + 1
  const start = random.int(count)
  for (let i = 0; i < count; i++) {
    const port = first + ((start + i) % count)
    if (isFree(port)) return port
  }
  return undefined
}
