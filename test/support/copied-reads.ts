// `readInto` of connections that tests play, on top of their `read`: what does not fit waits for the next call.

import type { Connection } from '../../src/posix/net.js'

export function copiedReads(read: Connection['read']): Connection['readInto'] {
  let rest: Uint8Array = new Uint8Array(0)
  return async (into, signal) => {
    if (rest.length === 0) rest = (await read(signal)) ?? rest
    const count = Math.min(into.length, rest.length)
    into.set(rest.subarray(0, count))
    rest = rest.subarray(count)
    return count
  }
}
