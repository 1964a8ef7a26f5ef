// What the API server of a cluster that serves offers beside Kubernetes' objects, for those who load and steer it from
// another process (remote-cluster.ts): its clock, connections as kube-proxies accept them, proxies' modes, wires. Paths
// and bodies are in control-protocol.ts.

import type { WatchLine } from '../api/request.js'
import type { OwnResources } from '../http/own-resource.js'
import {
  BENCH_PATH,
  CLOCK_PATH,
  type ClockReading,
  FLOWS_PATH,
  LINKS_PATH,
  linkOrder,
  markOrder,
  PROXIES_PATH,
  proxyOrder,
  SETTLE_PATH,
  settleOrder,
} from './control-protocol.js'
import type { Emulation } from './emulation.js'

/** Bodies that are wrong are TypeErrors. */
export function controlApi(emulation: Emulation): OwnResources {
  const followers = new Set<(line: WatchLine) => void>()
  let turn: ((line: WatchLine) => void) | undefined
  return {
    [BENCH_PATH]: {
      watch: (onLine) => {
        const mine = turn === undefined
        if (mine) turn = onLine
        onLine({ type: mine ? 'ADDED' : 'ERROR', object: {} })
        return () => {
          if (mine) turn = undefined
        }
      },
    },
    [CLOCK_PATH]: { read: (): ClockReading => ({ nowMicros: emulation.now() }) },
    [FLOWS_PATH]: {
      watch: (onLine) => {
        followers.add(onLine)
        const unlisten = emulation.onFlow((flow) => onLine({ type: 'ADDED', object: { ...flow } }))
        return () => {
          followers.delete(onLine)
          unlisten()
        }
      },
      write: async (body) => {
        const { mark } = markOrder(body)
        // Settles when all flows have been heard that there were.
        await emulation.run(Promise.resolve())
        for (const follower of followers) follower({ type: 'BOOKMARK', object: { mark } })
        return {}
      },
    },
    [SETTLE_PATH]: {
      write: async (body) => ({ settled: await emulation.settle(settleOrder(body).timeoutMicros) }),
    },
    [PROXIES_PATH]: {
      read: () => Object.fromEntries(emulation.nodes.map((node) => [node, emulation.proxyMode(node)])),
      write: async (body) => {
        const { mode, node } = proxyOrder(body)
        await emulation.setProxyMode(mode, node)
        return {}
      },
    },
    [LINKS_PATH]: {
      write: async (body) => {
        const { target, options } = linkOrder(body)
        await emulation.setLink(target, options)
        return {}
      },
    },
  }
}
