// kube-proxy on real hosts: two nodes on one LAN with pods behind their bridges, netfilter and TCP/IP, and what
// is on the wires.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { MILLISECOND, type Micros, SECOND } from '../../src/base/time.js'
import { type MachineId, Network } from '../../src/fabric/network.js'
import { type Host, podHost } from '../../src/host/host.js'
import { type NodeHost, nodeHost } from '../../src/host/node-host.js'
import type { ProxyFlow } from '../../src/proxy/forwarder.js'
import { ProxiedMachine } from '../../src/proxy/proxied-machine.js'
import { UserspaceProxy } from '../../src/proxy/userspace-proxy.js'
import type { TcpSocket, UdpSocket } from '../../src/stack/socket.js'
import {
  cidr,
  type Endpoint,
  formatAddress,
  formatEndpoint,
  type IpAddress,
  ipv4,
  parseInterfaceAddress,
} from '../../src/wire/address.js'
import { ipHeader } from '../../src/wire/ip.js'
import { parseIpv4Header } from '../../src/wire/ipv4.js'
import { change, service, slice } from '../support/cluster-objects.js'

const test = suite('userspace proxy on packets')

const SERVICE: Endpoint = { address: ipv4('10.97.98.36'), port: 8080 }
const DNS: Endpoint = { address: ipv4('10.96.0.10'), port: 53 }
const PODS = ['10.36.0.0', '10.36.0.1', '10.39.0.1']

interface Place {
  readonly id: MachineId
  readonly host: Host
}

class World {
  readonly random = new Random('packets')
  readonly network = new Network(this.random)
  readonly flows: ProxyFlow[] = []
  readonly pods = new Map<string, Place>()
  readonly node1: NodeHost
  readonly node2: NodeHost
  readonly proxy: UserspaceProxy
  readonly node1Id: MachineId
  readonly node2Id: MachineId
  now: Micros = 0
  #mac = 0x02_00_00_00_00_10

  constructor() {
    const node = (index: number, pods: string, other: string) =>
      nodeHost({
        name: `k8s-node${index}`,
        mac: this.#mac++,
        address: parseInterfaceAddress(`192.168.56.1${index}/24`)!,
        bridge: parseInterfaceAddress(`${pods}.255.254/16`)!,
        random: this.random.fork(`node${index}`),
        routes: [
          { destination: cidr(`${other}.0.0/16`), gateway: ipv4(`192.168.56.1${3 - index}`) },
          // As on Linux: without a default route the node's own packets to a cluster IP never reach OUTPUT.
          { destination: cidr('0.0.0.0/0'), gateway: ipv4('192.168.56.1') },
        ],
      })
    this.node1 = node(1, '10.36', '10.39')
    this.node2 = node(2, '10.39', '10.36')
    this.proxy = new UserspaceProxy({
      nodeName: 'k8s-node1',
      nodeAddress: ipv4('192.168.56.11'),
      sockets: this.node1.stack,
      netfilter: this.node1.netfilter,
      random: this.random.fork('proxy'),
      onFlow: (flow) => this.flows.push(flow),
    })
    this.node1Id = this.network.add('k8s-node1', new ProxiedMachine(this.node1, this.proxy))
    this.node2Id = this.network.add('k8s-node2', this.node2)
    const delay = { delay: 100 }
    this.network.connect({ machine: this.node1Id, port: 0 }, { machine: this.node2Id, port: 0 }, delay)
    for (const address of [...PODS, '10.36.0.5']) this.addPod(address)
  }

  addPod(address: string): void {
    const node = address.startsWith('10.36') ? this.node1 : this.node2
    const nodeId = node === this.node1 ? this.node1Id : this.node2Id
    const host = podHost({
      name: address,
      mac: this.#mac++,
      address: parseInterfaceAddress(`${address}/16`)!,
      gateway: ipv4(`${address.slice(0, 5)}.255.254`),
      mtuBytes: 1500,
      random: this.random.fork(address),
    })
    const id = this.network.add(address, host)
    const delay = { delay: 10 }
    this.network.connect({ machine: id, port: 0 }, { machine: nodeId, port: node.addPod(address) }, delay)
    this.pods.set(address, { id, host })
  }

  apply(...objects: Parameters<typeof change>[0][]): void {
    for (const object of objects) this.proxy.apply(change(object))
    this.proxy.sync(this.now)
    this.network.touch(this.node1Id)
  }

  /** Does something on a host, at the time it is now. */
  on<Value>(name: string, work: (stack: Host['stack']) => Value): Value {
    const { host, id } = name === 'node' ? { host: this.node1, id: this.node1Id } : this.pods.get(name)!
    host.stack.setNow(this.now)
    const value = work(host.stack)
    this.network.touch(id)
    return value
  }

  run(duration: Micros): void {
    const end = this.now + duration
    for (let next = this.network.deadline(); next <= end; next = this.network.deadline()) {
      this.now = Math.max(this.now, next)
      this.network.run(this.now)
    }
    this.now = end
  }

  /** Servers that send what they read back, after their own address, and close when the client does. */
  serve(...addresses: string[]): void {
    for (const address of addresses) {
      this.on(address, (stack) => {
        const listener = stack.tcpListen({ address: 0, port: 80 })
        listener.onReady = () => {
          for (let socket = listener.accept(); socket !== undefined; socket = listener.accept()) {
            echo(socket, address)
          }
        }
      })
    }
  }

  /** One exchange through the service, from a pod or the node itself; what came back. */
  fetch(from = '10.36.0.5', to = SERVICE): string {
    const socket = this.on(from, (stack) => stack.tcpConnect(to))
    let got = ''
    let asked = false
    socket.onReady = () => {
      if (!asked && socket.writable > 0) {
        asked = true
        socket.write(bytesOf('?'))
        socket.shutdown()
      }
      got += textOf(socket)
    }
    this.run(2 * SECOND)
    return socket.error === undefined ? got : socket.error.code
  }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0))
}

function textOf(socket: TcpSocket): string {
  return String.fromCharCode(...(socket.read() ?? []))
}

function echo(socket: TcpSocket, name: string): void {
  let greeted = false
  const look = () => {
    if (!greeted) socket.write(bytesOf(name))
    greeted = true
    const text = textOf(socket)
    if (text !== '') socket.write(bytesOf(text))
    if (socket.ended) socket.close()
  }
  socket.onReady = look
  look()
}

function sidecar(): World {
  const world = new World()
  world.serve(...PODS)
  world.apply(
    service('sidecar-svc', { clusterIP: '10.97.98.36', ports: [{ port: 8080 }] }),
    slice('sidecar-svc', PODS),
  )
  return world
}

test('nine connections of a pod hit three endpoints in turn, three times each', () => {
  const world = sidecar()
  const got = Array.from({ length: 9 }, () => world.fetch())
  assert.equal([...new Set(got)].sort(), PODS.map((address) => `${address}?`).sort())
  assert.equal(got, [...got.slice(0, 3), ...got.slice(0, 3), ...got.slice(0, 3)])
  assert.equal(
    world.flows.map((flow) => `${formatAddress(flow.endpoint!.address)}?`),
    got,
  )
  assert.is(world.flows[0]!.service, 'default/sidecar-svc')
  assert.is(formatAddress(world.flows[0]!.client.address), '10.36.0.5')
  assert.is(world.proxy.connections, 0)
})

test('the client talks to the cluster IP only, an endpoint to the node only', () => {
  const world = sidecar()
  const seen = (address: string): Set<IpAddress> => {
    const peers = new Set<IpAddress>()
    const header = ipHeader()
    world.network.tap({ machine: world.pods.get(address)!.id, port: 0 }, (_direction, frame) => {
      if (frame[12] !== 8 || frame[13] !== 0) return
      assert.is(parseIpv4Header(frame, 14, frame.length, header), undefined)
      peers.add(header.source)
      peers.add(header.destination)
    })
    return peers
  }
  const client = seen('10.36.0.5')
  const near = seen('10.36.0.0')
  const far = seen('10.39.0.1')
  for (let i = 0; i < 3; i++) world.fetch()
  const text = (set: Set<IpAddress>) => [...set].map(formatAddress).sort()
  assert.equal(text(client), ['10.36.0.5', '10.97.98.36'])
  assert.equal(text(near), ['10.36.0.0', '10.36.255.254'])
  assert.equal(text(far), ['10.39.0.1', '192.168.56.11'])
})

test('the node itself reaches the service through OUTPUT', () => {
  const world = sidecar()
  const got = Array.from({ length: 3 }, () => world.fetch('node'))
  assert.equal(got.sort(), PODS.map((address) => `${address}?`).sort())
})

test('an address that nobody has is left after 250 ms; without endpoints the client is closed', () => {
  const world = sidecar()
  world.apply(slice('sidecar-svc', ['10.36.0.77']))
  const socket = world.on('10.36.0.5', (stack) => stack.tcpConnect(SERVICE))
  world.run(100 * MILLISECOND)
  world.apply(slice('sidecar-svc', ['10.36.0.1']))
  world.run(200 * MILLISECOND)
  assert.equal(
    world.flows.map((flow) => flow.endpoint && formatEndpoint(flow.endpoint)),
    ['10.36.0.1:80'],
  )
  assert.is(textOf(socket), '10.36.0.1')
  world.apply(slice('sidecar-svc', []))
  const late = world.on('10.36.0.5', (stack) => stack.tcpConnect(SERVICE))
  world.run(100 * MILLISECOND)
  assert.ok(late.ended)
  assert.is(late.error, undefined)
  assert.is(socket.error, undefined)
})

test('a megabyte comes through whole, while its reader pauses', () => {
  const world = sidecar()
  const sent = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31 + (i >> 8)) & 255)
  const got = new Uint8Array(sent.length)
  let offset = 0
  let server: TcpSocket | undefined
  world.on('10.36.0.1', (stack) => {
    const listener = stack.tcpListen({ address: 0, port: 81 })
    listener.onReady = () => {
      server = listener.accept()
    }
  })
  world.apply(slice('sidecar-svc', ['10.36.0.1'], [{ name: '', port: 81 }]))
  const client = world.on('10.36.0.5', (stack) => stack.tcpConnect(SERVICE))
  const push = () => {
    offset += client.writable > 0 ? client.write(sent.subarray(offset)) : 0
    if (offset === sent.length) client.shutdown()
  }
  client.onReady = push
  world.run(SECOND)
  assert.ok(offset < sent.length, 'the stalled reader stops the writer')
  let read = 0
  for (let pause = 0; pause < 1000 && !server!.ended; pause++) {
    world.on('10.36.0.1', () => {
      read += server!.readInto(got.subarray(read))
    })
    world.run(20 * MILLISECOND)
  }
  assert.is(read, sent.length)
  assert.equal(got, sent)
})

test('a UDP service answers from its cluster IP, over one association', () => {
  const world = new World()
  world.on('10.39.0.1', (stack) => {
    const socket = stack.udpBind({ port: 53 })
    socket.onReady = () => {
      for (let got = socket.receive(); got !== undefined; got = socket.receive()) {
        socket.send(bytesOf(`re: ${String.fromCharCode(...got.bytes)}`), got.source)
      }
    }
  })
  const ports = [{ name: 'dns', port: 53, protocol: 'UDP' as const }]
  world.apply(
    service('kube-dns', { clusterIP: '10.96.0.10', ports }),
    slice('kube-dns', ['10.39.0.1'], ports),
  )
  const answers: string[] = []
  const ask = (from: string, text: string, socket?: UdpSocket): UdpSocket =>
    world.on(from, (stack) => {
      const asking = socket ?? stack.udpBind()
      asking.onReady = () => {
        for (let got = asking.receive(); got !== undefined; got = asking.receive()) {
          answers.push(`${formatEndpoint(got.source)} ${String.fromCharCode(...got.bytes)}`)
        }
      }
      asking.send(bytesOf(text), DNS)
      return asking
    })
  const socket = ask('10.36.0.5', 'one')
  world.run(100 * MILLISECOND)
  ask('10.36.0.5', 'two', socket)
  world.run(100 * MILLISECOND)
  ask('node', 'three')
  world.run(SECOND)
  assert.equal(answers, ['10.96.0.10:53 re: one', '10.96.0.10:53 re: two', '10.96.0.10:53 re: three'])
  assert.is(world.flows.length, 2)
})

test.run()
