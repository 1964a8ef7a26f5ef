// One TCP connection carries bytes from a pod on one node to a pod on another: directly, through the ClusterIP and
// kube-proxy's userspace mode, and - for the scale of things - through this machine's own loopback.

import { type AddressInfo, connect, createServer } from 'node:net'
import { Random } from '../../src/base/random.js'
import { resolveClusterConfig } from '../../src/cluster/cluster-config.js'
import { ClusterNetwork } from '../../src/drivers/cluster-network.js'
import { podHost } from '../../src/host/host.js'
import { type Ipv4, ipv4 } from '../../src/wire/address.js'
import type { Benchmark, Contestant } from '../contestant.js'
import { type Placement, PodLoad } from '../drivers/pod-load.js'
import { linuxBulk, ROUND_SECONDS, receivedGbits } from '../rivals/linux-cluster.js'
import { slirpBulk } from '../rivals/slirp.js'
import { PACKED, THREADS } from '../targets.js'

const CLUSTER_IP = '10.97.0.1'

export const bulkTransfer: Benchmark = {
  name: 'proxy/bulk-transfer',
  unit: 'Gbit/s',
  seconds: 100,
  measure: 'value',
  note: 'whole clusters with iperf3 in two pods; stacks alone: stacks and wires of one thread, no programs, segments as the wire has them; the loopback: MTU 65536, two sockets of the kernel in one process',
  contestants: (quick) => {
    const bytes = (quick ? 8 : 64) * 1024 * 1024
    const packed = { podsPerThread: 'all' } as const
    return [
      emulated('pod to pod, stacks alone, MTU 1500', bytes, ipv4('10.244.2.2'), 80),
      emulated('ClusterIP in userspace mode, stacks alone, MTU 1500', bytes, ipv4(CLUSTER_IP), 80),
      podBulk(`pod to pod, ${THREADS}`, {}, 'server', quick),
      podBulk(`ClusterIP in userspace mode, ${THREADS}`, {}, CLUSTER_IP, quick),
      podBulk(`pod to pod, ${PACKED}`, packed, 'server', quick),
      podBulk(`ClusterIP in userspace mode, ${PACKED}`, packed, CLUSTER_IP, quick),
      { name: 'loopback of this machine', run: () => perSecond(() => loopback(bytes)) },
      linuxBulk('Linux: iperf3 over forwarded veth', quick),
      slirpBulk(1500, quick),
      slirpBulk(65520, quick),
    ]
  },
}

/** iperf3 from a pod to another, by its address, or to a Service's. */
export function podBulk(name: string, placement: Placement, to: string, quick: boolean): Contestant {
  const pod = (podName: string, args: readonly string[]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, labels: { app: podName } },
    spec: { containers: [{ name: 'iperf', image: 'nicolaka/netshoot', command: args }] },
  })
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'bulk' },
    spec: { selector: { app: 'server' }, clusterIP: CLUSTER_IP, ports: [{ port: 5201 }] },
  }
  const items = [pod('server', ['iperf3', '-s']), pod('client', ['sleep', '3600']), service]
  let load: PodLoad | undefined
  return {
    name,
    start: async () => {
      load = await PodLoad.start('userspace', placement, { apiVersion: 'v1', kind: 'List', items })
    },
    run: async () => {
      const { cluster } = load!
      const address = `$(kubectl get pod ${to} -o jsonpath='{.status.podIP}')`
      const host = to === CLUSTER_IP ? to : (await cluster.shell(`echo ${address}`)).stdout.trim()
      const seconds = quick ? 1 : ROUND_SECONDS
      const before = process.cpuUsage()
      const { stdout } = await cluster.exec('client', `iperf3 -c ${host} -t ${seconds} -J`)
      const { user, system } = process.cpuUsage(before)
      const value = receivedGbits(stdout)
      return { value, also: { 'CPU ms/Gbit': (user + system) / 1000 / (value * seconds) } }
    },
    stop: () => load?.stop(),
  }
}

function emulated(name: string, bytes: number, to: Ipv4, port: number): Contestant {
  return {
    name,
    run: () => {
      const network = new ClusterNetwork({
        config: resolveClusterConfig(),
        random: new Random('bulk'),
        podDelay: 0,
        onFlow: () => {},
      })
      const pod = (label: string, node: string, address: string, gateway: string, mac: number) => {
        const host = podHost({
          name: label,
          mac,
          address: { address: ipv4(address), prefixLength: 24 },
          gateway: ipv4(gateway),
          mtuBytes: 1500,
          random: new Random(label),
        })
        return { host, machine: network.addPod(label, label, node, host) }
      }
      const client = pod('client', 'k8s-node1', '10.244.1.2', '10.244.1.1', 0x0a5800000001)
      const server = pod('server', 'k8s-node2', '10.244.2.2', '10.244.2.1', 0x0a5800000002)
      publishService(network)
      return perSecond(() => transfer(network, client, server, bytes, { address: to, port }))
    },
  }
}

/** Of an amount, over the wall time that `work` takes. */
async function perSecond(work: () => Promise<number> | number): Promise<number> {
  const started = performance.now()
  const amount = await work()
  return (amount * 1000) / (performance.now() - started)
}

type Pod = { readonly host: ReturnType<typeof podHost>; readonly machine: number }

function transfer(
  network: ClusterNetwork,
  client: Pod,
  server: Pod,
  bytes: number,
  to: { readonly address: Ipv4; readonly port: number },
): number {
  let received = 0
  const into = new Uint8Array(256 * 1024)
  const listener = server.host.stack.tcpListen({ address: 0, port: 80 })
  listener.onReady = () => {
    const socket = listener.accept()
    if (socket === undefined) return
    const drain = () => {
      for (let n = socket.readInto(into); n > 0; n = socket.readInto(into)) received += n
    }
    socket.onReady = drain
    drain()
  }
  let now = 0
  network.run(now)
  const socket = client.host.stack.tcpConnect(to)
  const block = new Uint8Array(256 * 1024)
  let sent = 0
  const fill = () => {
    if (socket.error !== undefined) throw socket.error
    if (socket.state !== 'ESTABLISHED') return
    while (sent < bytes) {
      const taken = socket.write(block.subarray(0, Math.min(block.length, bytes - sent)))
      if (taken === 0) return
      sent += taken
    }
  }
  socket.onReady = fill
  network.network.touch(client.machine)
  while (received < bytes) {
    network.run(now)
    if (received < bytes) now = Math.max(now, network.deadline())
  }
  return (received * 8) / 1e9
}

function publishService(network: ClusterNetwork): void {
  network.apply({
    type: 'ADDED',
    resource: 'services',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'bulk', namespace: 'default' },
      spec: {
        type: 'ClusterIP',
        clusterIP: CLUSTER_IP,
        clusterIPs: [CLUSTER_IP],
        ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }],
      },
    },
  })
  network.apply({
    type: 'ADDED',
    resource: 'endpointslices',
    object: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'bulk-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'bulk' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.244.2.2'], conditions: { ready: true } }],
      ports: [{ port: 80, protocol: 'TCP' }],
    },
  })
}

function loopback(bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0
    const server = createServer((socket) => {
      socket.on('data', (chunk) => {
        received += chunk.length
        if (received < bytes) return
        socket.destroy()
        server.close()
        resolve((received * 8) / 1e9)
      })
      socket.on('error', reject)
    })
    server.listen(0, '127.0.0.1', () => {
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
      const block = new Uint8Array(256 * 1024)
      let sent = 0
      const fill = () => {
        while (sent < bytes) {
          sent += block.length
          if (!client.write(block)) return
        }
      }
      client.on('connect', fill)
      client.on('drain', fill)
      client.on('error', () => {})
    })
  })
}
