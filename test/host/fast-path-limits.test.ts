// More flows than a node's fast path keeps ways for: each of very many pods talks to each of them.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { GIVEN_AWAY } from '../../src/base/offload.js'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import { nodeHost } from '../../src/host/node-host.js'
import { type InterfaceAddress, ipv4, parseInterfaceAddress } from '../../src/wire/address.js'
import { ETHERTYPE_IPV4, writeEthernet } from '../../src/wire/ethernet.js'
import { ipHeader, PROTOCOL_TCP, writeIpHeader } from '../../src/wire/ip.js'
import { ACK, SYN, tcpSegment, writeTcp } from '../../src/wire/tcp.js'

const test = suite('limits of the fast path')

/** So many that their ordered pairs are more than the 16,384 ways that are kept. */
const PODS = 130
const IP = 14
const TRANSPORT = IP + 20
const FIRST = ipv4('10.39.0.2')
/** More than pass before a packet of an established flow is recorded. */
const ACKS = 10

function frameFrom(source: number, destination: number, flags: number): Uint8Array {
  const frame = new Uint8Array(TRANSPORT + 20)
  const [from, to] = [FIRST + source, FIRST + destination]
  // One connection for each two of them.
  const [sourcePort, destinationPort] = source < destination ? [40_000, 80] : [80, 40_000]
  writeTcp(
    frame,
    TRANSPORT,
    { ...tcpSegment(), sourcePort, destinationPort, flags, window: 1000 },
    0,
    from,
    to,
  )
  const header = { ...ipHeader(), totalLength: frame.length - IP, ttl: 64, protocol: PROTOCOL_TCP }
  writeIpHeader(frame, IP, { ...header, source: from, destination: to })
  writeEthernet(frame, macOf(destination), macOf(source), ETHERTYPE_IPV4)
  return frame
}

function macOf(pod: number): number {
  return 0x0a5800000001 + pod
}

test('flows take the fast path when there have been more pairs of pods than it keeps ways for', () => {
  const at = (text: string) => parseInterfaceAddress(text) as InterfaceAddress<number>
  const node = nodeHost({
    name: 'node',
    mac: 0x525400000001,
    address: at('192.168.0.1/24'),
    bridge: at('10.39.0.1/16'),
    offload: true,
    random: new Random('node'),
  })
  const ports = Array.from({ length: PODS }, (_, pod) => node.addPod(`pod${pod}`))
  const send = (from: number, to: number, flags: number) => {
    node.receive(ports[from]!, frameFrom(from, to, flags), SECOND, GIVEN_AWAY)
    while (node.transmit() !== undefined);
  }
  // So that the bridge knows where each of them is.
  for (let pod = 0; pod < PODS; pod++) send(pod, (pod + 1) % PODS, ACK)
  for (let client = 0; client < PODS; client++)
    for (let server = client + 1; server < PODS; server++) {
      send(client, server, SYN)
      send(server, client, SYN | ACK)
      for (let ack = 0; ack < ACKS; ack++) {
        send(client, server, ACK)
        send(server, client, ACK)
      }
    }
  const last = [PODS - 2, PODS - 1] as const
  for (const [from, to] of [last, last.toReversed() as [number, number], [0, 1] as const]) {
    // The first pair's is learnt again.
    send(from, to, ACK)
    const before = node.fastFrames
    send(from, to, ACK)
    assert.is(node.fastFrames, before + 1, `from pod ${from} to pod ${to}`)
  }
})

test.run()
