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

/** Ports that were left a moment ago and are not chosen again: at least so many, at most twice as many. */
const PORTS_LEFT = 4096

/**
 * Local ports of the TCP connections that ended last. They are not chosen: the peer may be in TIME-WAIT, and an initial
 * sequence number that follows the clock (RFC 6528) may not be beyond what a fast connection has used (RFC 6056
 * section 3.2).
 */
export class LeftPorts {
  #left = new Set<Port>()
  /** Those before them. */
  #before = new Set<Port>()

  add(port: Port): void {
    if (port < EPHEMERAL_PORTS.first) return
    this.#left.add(port)
    if (this.#left.size < PORTS_LEFT) return
    this.#before = this.#left
    this.#left = new Set()
  }

  /** A port for which `isFree` holds, if there is one that was not left a moment ago; undefined when there is none. */
  choose(random: Random, isFree: (port: Port) => boolean): Port | undefined {
    const isFresh = (port: Port) => !this.#left.has(port) && !this.#before.has(port)
    return choosePort(random, (port) => isFresh(port) && isFree(port)) ?? choosePort(random, isFree)
  }
}
