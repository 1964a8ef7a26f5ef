// Datagrams of the host while nobody in the cluster answers yet: asked again until somebody does, and no longer.

import type { RemoteInfo, Socket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SystemError } from '../../src/base/errors.js'
import { DatagramRelay } from '../../src/drivers/datagram-relay.js'
import type { Emulation } from '../../src/drivers/emulation.js'
import type { NonBlockingDatagramSocket } from '../../src/posix/net.js'
import { ipv4 } from '../../src/wire/address.js'

const DNS = { address: ipv4('10.96.0.10'), port: 53 }
const HOST = { address: ipv4('192.168.56.1'), port: 40_000 }

/** What the host sees: the datagrams that were sent to it. */
class HostSocket extends EventEmitter {
  readonly sent: string[] = []

  send(bytes: Uint8Array, port: number, address: string): void {
    this.sent.push(`${Buffer.from(bytes)} to ${address}:${port}`)
  }

  ask(text: string, port: number): void {
    this.emit('message', Buffer.from(text), { address: '127.0.0.1', port } as RemoteInfo)
  }
}

/** A cluster in which every datagram is counted, and answered or refused. */
class Cluster {
  readonly asked: string[] = []
  answers = false
  onAsked: () => void = () => {}

  readonly emulation = {
    clock: 'real',
    outside: () => ({ net: { datagramNonBlocking: () => this.#socket() } }),
    run: (work: Promise<unknown>) => work,
  } as unknown as Emulation

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.onAsked = () => holds() && resolve()
      this.onAsked()
    })
  }

  #socket(): NonBlockingDatagramSocket {
    const arrived: (ReturnType<NonBlockingDatagramSocket['receive']> | SystemError)[] = []
    const socket: NonBlockingDatagramSocket = {
      local: HOST,
      connect: () => {},
      onReady: undefined,
      close: () => {},
      receive: () => {
        const first = arrived.shift()
        if (first instanceof SystemError) throw first
        return first
      },
      send: (bytes) => {
        this.asked.push(String(Buffer.from(bytes)))
        arrived.push(
          this.answers
            ? { bytes: Buffer.from(`answer to ${Buffer.from(bytes)}`), source: DNS, destination: HOST }
            : new SystemError('ECONNREFUSED', 'connect'),
        )
        queueMicrotask(() => {
          socket.onReady?.()
          this.onAsked()
        })
      },
    }
    return socket
  }
}

const test = suite('datagrams of the host')

test('what nobody answers yet is asked again until somebody does', async () => {
  const [cluster, host] = [new Cluster(), new HostSocket()]
  const relay = new DatagramRelay(cluster.emulation, host as unknown as Socket, DNS)
  host.ask('one', 1001)
  host.ask('two', 1002)
  await cluster.until(() => cluster.asked.filter((text) => text === 'two').length >= 3)
  assert.equal(host.sent, [])
  cluster.answers = true
  await cluster.until(() => new Set(host.sent).size === 2)
  assert.equal([...new Set(host.sent)].sort(), [
    'answer to one to 127.0.0.1:1001',
    'answer to two to 127.0.0.1:1002',
  ])
  relay.close()
})

test('once there was an answer nothing is asked twice', async () => {
  const [cluster, host] = [new Cluster(), new HostSocket()]
  const relay = new DatagramRelay(cluster.emulation, host as unknown as Socket, DNS)
  cluster.answers = true
  host.ask('one', 1001)
  await cluster.until(() => host.sent.length === 1)
  cluster.answers = false
  host.ask('lost', 1001)
  // Longer than it takes until what is early is asked again: there is no timer that would.
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal(cluster.asked, ['one', 'lost'])
  assert.equal(host.sent, ['answer to one to 127.0.0.1:1001'])
  relay.close()
})

test('of what is early only so much is kept, and nothing when the relay is closed', async () => {
  const [cluster, host] = [new Cluster(), new HostSocket()]
  const relay = new DatagramRelay(cluster.emulation, host as unknown as Socket, DNS)
  for (let i = 0; i < 300; i++) host.ask(String(i), 1000 + i)
  await cluster.until(() => cluster.asked.filter((text) => text === '99').length === 3)
  assert.equal(
    cluster.asked.filter((text) => text === '299'),
    ['299'],
  )
  relay.close()
  const asked = cluster.asked.length
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.is(cluster.asked.length, asked)
})

test.run()
