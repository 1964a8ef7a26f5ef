// The wires, the nodes and their kube-proxies, without control plane or programs: pods are bare stacks here.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import { resolveClusterConfig } from '../../src/cluster/cluster-config.js'
import type { KubeObject } from '../../src/cluster/objects.js'
import { ClusterNetwork } from '../../src/drivers/cluster-network.js'
import type { FlowEvent } from '../../src/drivers/emulation.js'
import type { MachineId } from '../../src/fabric/network.js'
import { type Host, podHost } from '../../src/host/host.js'
import type { TcpSocket } from '../../src/stack/socket.js'
import { ipv4 } from '../../src/wire/address.js'
import { formatFrame } from '../../src/wire/format.js'

const test = suite('cluster network')

const CLUSTER_IP = ipv4('10.97.98.36')

function lab() {
  const config = resolveClusterConfig({
    nodes: [
      { name: 'k8s-master', controlPlane: true },
      { name: 'k8s-node1', podRange: '10.39.0.0/16' },
      { name: 'k8s-node2', podRange: '10.36.0.0/16' },
    ],
  })
  const flows: FlowEvent[] = []
  const cluster = new ClusterNetwork({
    config,
    random: new Random('test'),
    podDelay: 100,
    onFlow: (event) => flows.push(event),
  })
  let now = 0
  const pods = new Map<string, { host: Host; machine: MachineId }>()
  const advanceTo = (end: number, until: () => boolean = () => false) => {
    cluster.run(now)
    while (!until() && cluster.deadline() <= end) {
      now = Math.max(now, cluster.deadline())
      cluster.run(now)
    }
    if (!until()) now = end
  }
  return {
    config,
    cluster,
    flows,
    pods,
    now: () => now,
    run: (duration: number, until?: () => boolean) => advanceTo(now + duration, until),
    pod(name: string, node: string, address: string) {
      const { podRange, gateway } = config.nodes.find((candidate) => candidate.name === node)!
      const prefixLength = Number(podRange.split('/')[1])
      const host = podHost({
        name,
        mac: 0x0a58_0000_0000 + pods.size + 1,
        address: { address: ipv4(address), prefixLength },
        gateway: ipv4(gateway),
        mtuBytes: 1500,
        random: new Random(name),
      })
      pods.set(name, { host, machine: cluster.addPod(name, name, node, host) })
      return host
    },
    touch(name: string) {
      cluster.network.touch(pods.get(name)!.machine)
    },
    /** A server that says its name and closes. */
    serve(host: Host) {
      const listener = host.stack.tcpListen({ address: 0, port: 80 })
      listener.onReady = () => {
        for (let socket = listener.accept(); socket !== undefined; socket = listener.accept()) {
          socket.write(new TextEncoder().encode(host.name))
          socket.close()
        }
      }
    },
  }
}

function service(): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'sidecar-svc', namespace: 'default' },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.97.98.36',
      clusterIPs: ['10.97.98.36'],
      ports: [{ name: 'http-port', port: 8080, targetPort: 80, protocol: 'TCP' }],
    },
  }
}

function slice(addresses: readonly string[]): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'sidecar-svc-abcde',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'sidecar-svc' },
    },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: 'http-port', port: 80, protocol: 'TCP' }],
  }
}

type Lab = ReturnType<typeof lab>

/** Connects, reads until the end; what the other side said. */
function fetch(lab: Lab, client: string, to = { address: CLUSTER_IP, port: 8080 }): string {
  const { host } = lab.pods.get(client)!
  host.stack.setNow(lab.now())
  const socket: TcpSocket = host.stack.tcpConnect(to)
  lab.touch(client)
  let text = ''
  lab.run(5 * SECOND, () => {
    for (let bytes = socket.read(); bytes !== undefined; bytes = socket.read())
      text += new TextDecoder().decode(bytes)
    return socket.ended || socket.error !== undefined
  })
  if (socket.error !== undefined) throw socket.error
  socket.close()
  lab.touch(client)
  return text
}

function sidecars() {
  const cluster = lab()
  cluster.serve(cluster.pod('a', 'k8s-node2', '10.36.0.0'))
  cluster.serve(cluster.pod('b', 'k8s-node2', '10.36.0.1'))
  cluster.serve(cluster.pod('c', 'k8s-node1', '10.39.0.1'))
  cluster.pod('curl', 'k8s-node1', '10.39.0.0')
  cluster.cluster.apply({ type: 'ADDED', resource: 'services', object: service() })
  const endpoints = slice(['10.36.0.0', '10.36.0.1', '10.39.0.1'])
  cluster.cluster.apply({ type: 'ADDED', resource: 'endpointslices', object: endpoints })
  return cluster
}

test('a pod reaches a pod on another node directly, addresses ending in .0 included', () => {
  const cluster = sidecars()
  assert.is(fetch(cluster, 'curl', { address: ipv4('10.36.0.0'), port: 80 }), 'a')
  assert.is(fetch(cluster, 'curl', { address: ipv4('10.39.0.1'), port: 80 }), 'c')
})

test('nine connections through the ClusterIP reach three endpoints three times each, in turn', () => {
  const cluster = sidecars()
  const answers = Array.from({ length: 9 }, () => fetch(cluster, 'curl'))
  assert.equal([...answers.slice(0, 3)].sort(), ['a', 'b', 'c'])
  assert.equal(answers.slice(3), [...answers.slice(0, 3), ...answers.slice(0, 3)])
})

test('every flow is told with its client, service and endpoint', () => {
  const cluster = sidecars()
  fetch(cluster, 'curl')
  const [flow] = cluster.flows
  assert.is(flow?.service, 'default/sidecar-svc:http-port')
  assert.is(flow?.clusterIP, '10.97.98.36')
  assert.is(flow?.node, 'k8s-node1')
  assert.match(flow?.client ?? '', /^10\.39\.0\.0:\d+$/)
  assert.match(flow?.endpoint ?? '', /^10\.3[69]\.0\.[01]:80$/)
})

test('the client only ever speaks with the ClusterIP; the node carries the connection on', () => {
  const cluster = sidecars()
  const seen = new Map<string, Set<string>>()
  cluster.cluster.capture((point) =>
    point.listen((_direction, frame) => {
      const addresses = /IP (\S+)\.\d+ > (\S+)\.\d+:/.exec(formatFrame(frame))
      if (addresses === null) return
      const set = seen.get(point.name) ?? new Set()
      seen.set(point.name, set.add([addresses[1], addresses[2]].sort().join(' ')))
    }),
  )
  for (let i = 0; i < 3; i++) fetch(cluster, 'curl')
  assert.equal([...seen.get('curl:eth0')!], ['10.39.0.0 10.97.98.36'])
  assert.equal([...seen.get('a:eth0')!], ['10.36.0.0 192.168.56.11'])
  assert.equal([...seen.get('c:eth0')!], ['10.39.0.1 10.39.255.254'])
})

test('a service without endpoints accepts and closes', () => {
  const cluster = sidecars()
  cluster.cluster.apply({ type: 'MODIFIED', resource: 'endpointslices', object: slice([]) })
  assert.is(fetch(cluster, 'curl'), '')
  assert.is(cluster.flows.at(-1)?.endpoint, undefined)
})

test('a removed service is refused by nobody: its packets leave for the default route and find none', () => {
  const cluster = sidecars()
  fetch(cluster, 'curl')
  cluster.cluster.apply({ type: 'DELETED', resource: 'services', object: service() })
  assert.throws(() => fetch(cluster, 'curl'), /ENETUNREACH|EHOSTUNREACH/)
})

test('the same seed gives the same frames at the same times', () => {
  const run = () => {
    const cluster = sidecars()
    const frames: string[] = []
    cluster.cluster.capture((point) =>
      point.listen((direction, frame, now) =>
        frames.push(`${now} ${point.name} ${direction} ${frame.join()}`),
      ),
    )
    for (let i = 0; i < 4; i++) fetch(cluster, 'curl')
    return frames
  }
  const first = run()
  assert.ok(first.length > 40)
  assert.equal(run(), first)
})

test.run()
