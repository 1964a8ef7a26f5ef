// HTTP through a ClusterIP in front of three nginx pods: requests on 64 connections that stay open, and with a
// connection each, in the modes of kube-proxy.

import { ipv4 } from '../../src/wire/address.js'
import type { Benchmark, Contestant } from '../contestant.js'
import { LoadClient } from './load-client.js'
import { OneThread } from './one-thread.js'
import { CLUSTER_IP, WEB_PORT } from './web-cluster.js'

const CONNECTIONS = 64

export const httpRequests: Benchmark = {
  name: 'drivers/http-keep-alive',
  unit: 'requests/s',
  measure: 'value',
  note: '64 connections, the welcome page of nginx; client, nodes and servers in one thread',
  contestants: (quick) => oneThread(true, quick ? 5_000 : 40_000),
}

export const httpConnections: Benchmark = {
  name: 'drivers/http-connections',
  unit: 'requests/s',
  measure: 'value',
  note: 'as http-keep-alive, with a connection for each request, 64 at a time',
  contestants: (quick) => oneThread(false, quick ? 2_000 : 10_000),
}

function oneThread(keepAlive: boolean, requests: number): Contestant[] {
  return ['userspace', 'iptables', 'ipvs', 'nftables'].map((mode): Contestant => {
    let cluster: OneThread
    let client: LoadClient
    return {
      name: `one thread, ${mode}`,
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
        return { value, also: { 'CPU µs/request': (user + system) / requests } }
      },
      stop: () => cluster.stop(),
    }
  })
}
