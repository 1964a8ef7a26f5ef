// HTTP through a ClusterIP in front of three nginx pods: requests on 64 connections that stay open, and with a
// connection each, in the modes of kube-proxy; next to a proxy in Node, and to Linux itself.

import { ipv4 } from '../../src/wire/address.js'
import type { Benchmark, Contestant } from '../contestant.js'
import { linuxHttp } from '../rivals/linux-cluster.js'
import { nodeProxy } from '../rivals/node-proxy.js'
import { LINUX, NODE_PROXY, PACKED, THREADS } from '../targets.js'
import { LoadClient } from './load-client.js'
import { OneThread } from './one-thread.js'
import { podLoadContestant } from './pod-load.js'
import { CLUSTER_IP, WEB_PORT } from './web-cluster.js'

const CONNECTIONS = 64

export const httpRequests: Benchmark = {
  name: 'drivers/http-keep-alive',
  unit: 'requests/s',
  seconds: 85,
  measure: 'value',
  warmUp: 100_000,
  note: '64 connections that last, a small page; clients included; everybody has answered 100,000 requests before. Whole clusters with the client of `podwire bench`; on bare sockets: only the parts that packets need, and a client without promises',
  contestants: (quick) => [
    nodeProxy(NODE_PROXY, true, quick ? 5_000 : 20_000),
    linuxHttp(LINUX, true, quick),
    ...wholeClusters(true, quick),
    ...oneThread(true, quick ? 5_000 : 20_000),
  ],
}

export const httpConnections: Benchmark = {
  name: 'drivers/http-connections',
  unit: 'requests/s',
  seconds: 80,
  measure: 'value',
  warmUp: 10_000,
  note: 'as http-keep-alive, with a connection for each request, 64 at a time; 10,000 before',
  contestants: (quick) => [
    nodeProxy(NODE_PROXY, false, quick ? 1_000 : 3_000),
    linuxHttp(LINUX, false, quick),
    ...wholeClusters(false, quick),
    ...oneThread(false, quick ? 1_000 : 3_000),
  ],
}

function wholeClusters(keepAlive: boolean, quick: boolean): Contestant[] {
  const seconds = quick ? 1 : 2
  return [
    podLoadContestant(`userspace, ${THREADS}`, 'userspace', {}, keepAlive, seconds),
    podLoadContestant(`iptables, ${PACKED}`, 'iptables', { podsPerThread: 'all' }, keepAlive, seconds),
  ]
}

function oneThread(keepAlive: boolean, requests: number): Contestant[] {
  return ['userspace', 'iptables', 'ipvs', 'nftables'].map((mode): Contestant => {
    let cluster: OneThread
    let client: LoadClient
    return {
      name: `${mode}, one thread, bare sockets`,
      start: async () => {
        cluster = await OneThread.start(mode)
        const to = { address: ipv4(CLUSTER_IP), port: WEB_PORT }
        client = new LoadClient(cluster.client.stack, { to, connections: CONNECTIONS, keepAlive })
      },
      run: async () => {
        const before = process.cpuUsage()
        cluster.client.stack.setNow(cluster.time.now())
        const work = client.run(requests)
        cluster.touch(cluster.clientMachine)
        const started = performance.now()
        await cluster.until(work)
        const value = (requests / (performance.now() - started)) * 1000
        const { user, system } = process.cpuUsage(before)
        const also = { 'CPU µs/request': (user + system) / requests }
        return { value, also, amount: requests }
      },
      stop: () => cluster.stop(),
    }
  })
}
