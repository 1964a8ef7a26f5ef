// The network of command lines typed outside the cluster: there is none, and every call says so.

import { SystemError } from '../base/errors.js'
import type { OwnedNet } from '../posix/local-system.js'
import { ResolveError } from '../posix/net.js'
import { makeCounters } from '../stack/counters.js'

export function noNet(): OwnedNet {
  const unreachable = (syscall: string): never => {
    throw new SystemError('ENETUNREACH', syscall)
  }
  return {
    connect: async () => unreachable('connect'),
    secure: async () => unreachable('connect'),
    listen: () => unreachable('listen'),
    listenNonBlocking: () => unreachable('listen'),
    datagram: () => unreachable('bind'),
    datagramNonBlocking: () => unreachable('bind'),
    echo: () => unreachable('socket'),
    pathDatagram: () => unreachable('socket'),
    raw: () => unreachable('socket'),
    resolve: async (host) => {
      throw new ResolveError('ENOTFOUND', host)
    },
    query: async (name) => {
      throw new ResolveError('ETIMEOUT', name)
    },
    reverse: async () => undefined,
    capture: () => unreachable('socket'),
    interfaces: () => [],
    routes: () => [],
    neighbors: () => [],
    sockets: () => [],
    configure: () => unreachable('socket'),
    counters: makeCounters,
    closeAll: () => {},
  }
}
