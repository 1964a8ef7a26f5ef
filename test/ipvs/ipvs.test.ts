// IPVS on packets: a node with a virtual service on a dummy interface, pods behind it as servers and clients, a client
// outside. What kube-proxy makes of it is test/proxy/.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MINUTE, SECOND } from '../../src/base/time.js'
import type { Host } from '../../src/host/host.js'
import { connectionsText, listText, saveText, statisticsText, timeoutsText } from '../../src/ipvs/ipvsadm.js'
import type { VirtualServiceOptions } from '../../src/ipvs/service.js'
import type { TcpSocket } from '../../src/stack/socket.js'
import { formatEndpoint, ipv4 } from '../../src/wire/address.js'
import { endpoint, Lab } from '../support/hosts.js'

const test = suite('ipvs')

const VIP = '10.96.0.1'
const text = (value: string) => Uint8Array.from(value, (c) => c.charCodeAt(0))
const string = (bytes: Uint8Array | undefined) => bytes && String.fromCharCode(...bytes)

function cluster(options: VirtualServiceOptions = { scheduler: 'rr' }, protocol: 'TCP' | 'UDP' = 'TCP') {
  const lab = new Lab()
  const node = lab.node('node', '192.168.56.11/24', '10.36.0.1/16', { '0.0.0.0/0': '192.168.56.12' })
  const outside = lab.node('outside', '192.168.56.12/24', '172.16.0.1/16', { '10.0.0.0/8': '192.168.56.11' })
  lab.cable(node, outside)
  const pods = ['10.36.0.2', '10.36.0.3', '10.36.0.4', '10.36.0.5'].map((address) => {
    const pod = lab.pod(address, `${address}/16`, '10.36.0.1')
    lab.plug(pod, node)
    return pod
  })
  const [client, ...servers] = pods as [Host, ...Host[]]
  node.stack.addInterface({
    name: 'kube-ipvs0',
    mac: 0x02_00_00_ff_ff_ff,
    mtuBytes: 1500,
    addresses: [{ address: ipv4(VIP), prefixLength: 32 }],
    up: false,
  })
  const service = node.ipvs.addService({ protocol, address: ipv4(VIP), port: 80 }, options)
  // The last one that is added stands first.
  for (const server of servers.toReversed()) node.ipvs.addServer(service, endpoint(`${server.name}:8080`))
  for (const server of servers) if (protocol === 'TCP') serve(server)
  return { lab, node, outside, client, servers, service, ipvs: node.ipvs }
}

/** Answers each connection with its own name and who asked; it closes when the client does. */
function serve(host: Host): void {
  const listener = host.stack.tcpListen(endpoint('0.0.0.0:8080'))
  listener.onReady = () => {
    for (let socket = listener.accept(); socket !== undefined; socket = listener.accept()) {
      const accepted = socket
      accepted.onReady = () => {
        if (accepted.read() !== undefined)
          accepted.write(text(`${host.name} for ${formatEndpoint(accepted.remote)}`))
        if (accepted.ended) accepted.close()
      }
    }
  }
}

/** Asks once and leaves the connection open. */
function ask(lab: Lab, host: Host, to = `${VIP}:80`): { socket: TcpSocket; answer: string | undefined } {
  const socket = host.stack.tcpConnect(endpoint(to))
  lab.run(SECOND)
  if (socket.state === 'ESTABLISHED') socket.write(text('hello'))
  lab.run(SECOND)
  return { socket, answer: string(socket.read()) }
}

const serverOf = (answer: string | undefined) => answer?.split(' ')[0]

test('pods connect to a virtual service and get its servers in turn, as themselves', () => {
  const { lab, client } = cluster()
  const asked = Array.from({ length: 6 }, () => ask(lab, client))
  assert.equal(
    asked.map(({ answer }) => serverOf(answer)),
    ['10.36.0.3', '10.36.0.4', '10.36.0.5', '10.36.0.3', '10.36.0.4', '10.36.0.5'],
  )
  for (const { answer, socket } of asked) assert.is(answer?.split(' for ')[1], formatEndpoint(socket.local))
  assert.equal(lab.faults, [])
})

test('clients outside and the node itself connect to it too', () => {
  const { lab, node, outside } = cluster()
  assert.is(serverOf(ask(lab, outside).answer), '10.36.0.3')
  node.netfilter.replaceChain('nat', 'POSTROUTING', [
    {
      matches: [{ match: 'source', cidr: { network: ipv4(VIP), prefixLength: 32 } }],
      target: { target: 'MASQUERADE' },
    },
  ])
  const own = ask(lab, node)
  // The node speaks from the service's address, which is its own, and masquerading gives it another.
  assert.is(own.socket.local.address, ipv4(VIP))
  assert.match(own.answer ?? '', /^10\.36\.0\.4 for 10\.36\.0\.1:/)
  assert.equal(lab.faults, [])
})

test('masquerading in POSTROUTING holds for what IPVS sends on', () => {
  const { lab, node, outside } = cluster()
  node.netfilter.replaceChain('nat', 'POSTROUTING', [{ matches: [], target: { target: 'MASQUERADE' } }])
  assert.match(ask(lab, outside).answer ?? '', /^10\.36\.0\.3 for 10\.36\.0\.1:/)
  assert.match(
    node.netfilter.flowsText(),
    /src=192\.168\.56\.12 dst=10\.96\.0\.1 .* src=10\.36\.0\.3 dst=10\.36\.0\.1 /,
  )
  assert.equal(lab.faults, [])
})

test('filter rules of INPUT see the virtual address', () => {
  const { lab, node, client } = cluster()
  const matches = [{ match: 'destination', cidr: { network: ipv4(VIP), prefixLength: 32 } }] as const
  node.netfilter.replaceChain('filter', 'INPUT', [{ matches, target: { target: 'REJECT' } }])
  const { socket } = ask(lab, client)
  assert.is(socket.error?.code, 'ECONNREFUSED')
})

test('a service without servers refuses: ICMP port unreachable', () => {
  const { lab, client, service, ipvs } = cluster()
  for (const server of [...service.servers]) ipvs.removeServer(server)
  const { socket } = ask(lab, client)
  assert.is(socket.error?.code, 'ECONNREFUSED')
  assert.ok(lab.frames.some((line) => /unreachable/.test(line)))
})

test('weight 0 quiesces: what is connected goes on, new connections go elsewhere', () => {
  const { lab, client, service, ipvs } = cluster()
  const first = ask(lab, client)
  assert.is(serverOf(first.answer), '10.36.0.3')
  const server = service.servers[0]!
  ipvs.setWeight(server, 0)
  const later = Array.from({ length: 4 }, () => serverOf(ask(lab, client).answer))
  assert.equal(later, ['10.36.0.4', '10.36.0.5', '10.36.0.4', '10.36.0.5'])
  first.socket.write(text('again'))
  lab.run(SECOND)
  assert.is(serverOf(string(first.socket.read())), '10.36.0.3')
  assert.is(server.activeConnections, 1)
  first.socket.close()
  lab.run(3 * MINUTE)
  ipvs.connections()
  assert.is(server.activeConnections + server.inactiveConnections, 0)
})

test('the connections of a removed server end with their next packet', () => {
  const { lab, client, service, ipvs } = cluster()
  const { socket } = ask(lab, client)
  ipvs.removeServer(service.servers[0]!)
  assert.is(ipvs.connections().length, 1)
  socket.write(text('again'))
  lab.run(10 * SECOND)
  assert.is(ipvs.connections().length, 0)
  assert.is(socket.error?.code, 'ECONNRESET')
})

test('a server that is added again while its connections last takes them back', () => {
  const { lab, client, service, ipvs } = cluster()
  const { socket } = ask(lab, client)
  const server = service.servers[0]!
  ipvs.removeServer(server)
  assert.is(ipvs.addServer(service, server), server)
  socket.write(text('again'))
  lab.run(SECOND)
  assert.is(serverOf(string(socket.read())), '10.36.0.3')
})

test('a persistent service keeps a client with its server until its time is over', () => {
  const { lab, client, outside } = cluster({ scheduler: 'rr', persistence: { timeoutSeconds: 60 } })
  const names = Array.from({ length: 5 }, () => {
    const { socket, answer } = ask(lab, client)
    socket.close()
    return serverOf(answer)
  })
  assert.equal(new Set(names).size, 1)
  assert.is.not(serverOf(ask(lab, outside).answer), names[0])
  lab.run(10 * MINUTE)
  assert.is(serverOf(ask(lab, client).answer), '10.36.0.5')
})

test('persistence does not bind to a quiesced server', () => {
  const { lab, client, service, ipvs } = cluster({ scheduler: 'rr', persistence: { timeoutSeconds: 10_800 } })
  assert.is(serverOf(ask(lab, client).answer), '10.36.0.3')
  ipvs.setWeight(service.servers[0]!, 0)
  assert.is(serverOf(ask(lab, client).answer), '10.36.0.4')
  assert.is(serverOf(ask(lab, client).answer), '10.36.0.4')
})

test('UDP: a client port keeps its server for five minutes after its last datagram', () => {
  const { lab, client, servers, service, ipvs } = cluster({ scheduler: 'rr' }, 'UDP')
  for (const server of servers) {
    const socket = server.stack.udpBind(endpoint('0.0.0.0:8080'))
    socket.onReady = () => {
      for (let got = socket.receive(); got !== undefined; got = socket.receive()) {
        socket.send(text(server.name), got.source)
      }
    }
  }
  const socket = client.stack.udpBind()
  const question = () => {
    socket.send(text('?'), endpoint(`${VIP}:80`))
    lab.run(SECOND)
    const got = socket.receive()
    assert.is(got && formatEndpoint(got.source), `${VIP}:80`)
    return string(got?.bytes)
  }
  assert.equal([question(), question()], ['10.36.0.3', '10.36.0.3'])
  assert.is(service.servers[0]!.inactiveConnections, 1)
  lab.run(298 * SECOND)
  assert.is(ipvs.connections().length, 1)
  lab.run(2 * SECOND)
  assert.is(ipvs.connections().length, 0)
  assert.is(question(), '10.36.0.4')
})

test('ICMP errors about translated packets reach the client as about the virtual service', () => {
  const { lab, client } = cluster({ scheduler: 'rr' }, 'UDP')
  const socket = client.stack.udpBind()
  socket.connect(endpoint(`${VIP}:80`))
  // Nobody listens on the servers.
  socket.send(text('?'))
  lab.run(SECOND)
  assert.is(socket.takeError()?.code, 'ECONNREFUSED')
  assert.equal(lab.faults, [])
})

test('a service for a firewall mark takes what rules have marked', () => {
  const { lab, node, client, servers, ipvs } = cluster()
  const service = ipvs.addService({ fwmark: 7 }, { scheduler: 'rr' })
  ipvs.addServer(service, endpoint(`${servers[2]!.name}:8080`))
  const matches = [
    { match: 'destination', cidr: { network: ipv4(VIP), prefixLength: 32 } },
    { match: 'protocol', protocol: 'tcp' },
    { match: 'destination-port', port: 4711 },
  ] as const
  node.netfilter.replaceChain('mangle', 'PREROUTING', [
    { matches, target: { target: 'MARK', operation: 'set', value: 7 } },
  ])
  assert.is(serverOf(ask(lab, client, `${VIP}:4711`).answer), servers[2]!.name)
})

test('the same ports again after the end of a connection: a new choice', () => {
  const { lab, client } = cluster()
  const local = { address: client.stack.interfaces()[1]!.addresses[0]!.address, port: 5555 }
  const connect = () => {
    const socket = client.stack.tcpConnect(endpoint(`${VIP}:80`), local)
    lab.run(SECOND)
    socket.write(text('hello'))
    lab.run(SECOND)
    const answer = serverOf(string(socket.read()))
    socket.abort()
    lab.run(SECOND)
    return answer
  }
  assert.equal([connect(), connect(), connect()], ['10.36.0.3', '10.36.0.4', '10.36.0.5'])
})

test('ipvsadm prints services, statistics, connections and commands', () => {
  const { lab, client, ipvs } = cluster({ scheduler: 'rr', persistence: { timeoutSeconds: 10_800 } })
  const udp = ipvs.addService(
    { protocol: 'UDP', address: ipv4('10.96.0.10'), port: 53 },
    { scheduler: 'mh', schedulerFlags: ['mh-port'] },
  )
  ipvs.addServer(udp, endpoint('10.36.0.9:53'), 3)
  const { socket } = ask(lab, client)
  const lines = (output: string) => output.split('\n').slice(0, -1)
  assert.equal(lines(listText(ipvs.services())), [
    'IP Virtual Server version 1.2.1 (size=4096)',
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
    'TCP  10.96.0.1:80 rr persistent 10800',
    '  -> 10.36.0.3:8080               Masq    1      1          0         ',
    '  -> 10.36.0.4:8080               Masq    1      0          0         ',
    '  -> 10.36.0.5:8080               Masq    1      0          0         ',
    'UDP  10.96.0.10:53 mh (mh-port)',
    '  -> 10.36.0.9:53                 Masq    3      0          0         ',
  ])
  // SYN, ACK, data, ACK of the answer; SYN+ACK, answer.
  assert.equal(lines(statisticsText(ipvs.services())).slice(1, 5), [
    'Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes',
    '  -> RemoteAddress:Port',
    'TCP  10.96.0.1:80                        1        4        2      173      117',
    '  -> 10.36.0.3:8080                      1        4        2      173      117',
  ])
  const ends = `${formatEndpoint(socket.local).padEnd(18)} 10.96.0.1:80       10.36.0.3:8080`
  assert.equal(lines(connectionsText(ipvs.connections(), lab.now)), [
    'IPVS connection entries',
    'pro expire state       source             virtual            destination',
    'TCP 179:58  NONE        10.36.0.2:0        10.96.0.1:80       10.36.0.3:8080',
    `TCP 14:59  ESTABLISHED ${ends}`,
  ])
  assert.is(timeoutsText(ipvs.timeouts), 'Timeout (tcp tcpfin udp): 900 120 300\n')
  assert.equal(lines(saveText(ipvs.services())).slice(0, 2), [
    '-A -t 10.96.0.1:80 -s rr -p 10800',
    '-a -t 10.96.0.1:80 -r 10.36.0.3:8080 -m -w 1',
  ])
})

test.run()
