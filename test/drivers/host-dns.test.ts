// DNS on the host's loopback under both drivers: real datagrams and connections of this process, and the real dig, are
// answered by the server in the cluster.

import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DnsMessage } from '../../src/dns/message.js'
import { frameMessage, MessageStream } from '../../src/dns/tcp-framing.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'
import type { ClockKind } from '../../src/drivers/emulation.js'
import { type RunningCluster, up } from '../../src/index.js'
import { queryMessage } from '../../src/posix/dns-exchange.js'
import { until, within } from '../support/patience.js'

const RESEND_MS = 1_000
const DIG = '/usr/bin/dig'
const KUBE_DNS = 'kube-dns.kube-system.svc.cluster.local'
const ADDRESSES = Array.from({ length: 60 }, (_, i) => `10.50.0.${i + 1}`)
const BIG = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'big' }, spec: { clusterIP: 'None' } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'big-1', labels: { 'kubernetes.io/service-name': 'big' } },
      addressType: 'IPv4',
      endpoints: ADDRESSES.map((address) => ({ addresses: [address] })),
    },
  ],
})
const BIG_NAME = 'big.default.svc.cluster.local'

/** Runs `body` with a cluster whose DNS listens; a hanging body fails instead of hanging the run. */
async function on(clock: ClockKind, body: (port: number, cluster: RunningCluster) => Promise<void>) {
  const cluster = await up([], { clock })
  try {
    await cluster.apply(BIG)
    await cluster.settle()
    const { port } = await cluster.emulation.exposeDns(0)
    await within(body(port, cluster))
  } finally {
    await cluster.close()
  }
}

/** Sends every datagram at once, again after a while as clients do, and resolves with the answers to `count` ids. */
function overUdp(port: number, datagrams: readonly Uint8Array[], count: number): Promise<DnsMessage[]> {
  const socket = createSocket('udp4')
  const answers = new Map<number, DnsMessage>()
  const send = () => {
    for (const bytes of datagrams) {
      const id = bytes.length < 2 ? undefined : bytes[0]! * 256 + bytes[1]!
      if (id === undefined || !answers.has(id)) socket.send(bytes, port, '127.0.0.1')
    }
  }
  const again = setInterval(send, RESEND_MS)
  return new Promise<DnsMessage[]>((resolve) => {
    socket.on('message', (bytes) => {
      const answer = dnsCodec.decode(bytes)!
      answers.set(answer.id, answer)
      if (answers.size === count) resolve([...answers.values()])
    })
    send()
  }).finally(() => {
    clearInterval(again)
    socket.close()
  })
}

function overTcp(port: number, bytes: Uint8Array): Promise<DnsMessage | undefined> {
  const socket = connect(port, '127.0.0.1')
  const stream = new MessageStream()
  return new Promise<DnsMessage | undefined>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => resolve(undefined))
    socket.on('data', (piece) => {
      stream.push(piece)
      const message = stream.next()
      if (message !== undefined) resolve(dnsCodec.decode(message))
    })
    socket.write(bytes)
  }).finally(() => socket.destroy())
}

/** Whether a socket of this process can be bound to it. */
function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return new Promise<boolean>((resolve) => {
    socket.on('error', () => resolve(false)).bind(port, '127.0.0.1', () => resolve(true))
  }).finally(() => socket.close())
}

const query = (id: number, name: string) => dnsCodec.encode(queryMessage(id, { name, type: 'A' }))

for (const clock of ['virtual', 'real'] as const satisfies readonly ClockKind[]) {
  const test = suite(`DNS on the host, ${clock} clock`)

  test('many queries at once are each answered under their own id', () =>
    on(clock, async (port, cluster) => {
      // The first ones find the way to both servers: few packets wait while a neighbour's address is asked for.
      for (const id of [1, 2, 3, 4]) await overUdp(port, [query(id, KUBE_DNS)], 1)
      const ids = Array.from({ length: 200 }, (_, i) => 1000 + i)
      const answers = await overUdp(
        port,
        ids.map((id) => query(id, KUBE_DNS)),
        ids.length,
      )
      assert.equal(
        answers.map(({ id }) => id).sort((one, other) => one - other),
        ids,
      )
      for (const { answers: records } of answers)
        assert.equal(records, [{ name: KUBE_DNS, ttlSeconds: 30, type: 'A', address: '10.96.0.10' }])
      const open = cluster.emulation.outside().net.sockets()
      assert.is(open.length, 5, 'every client has one socket, however much it asks')
    }))

  test('of many clients five hundred are remembered, and all are answered', () =>
    on(clock, async (port, cluster) => {
      for (let count = 0; count < 520; count += 104)
        await Promise.all(Array.from({ length: 104 }, () => overUdp(port, [query(5, KUBE_DNS)], 1)))
      // The host may give a client the port that another had.
      const { length } = cluster.emulation.outside().net.sockets()
      assert.ok(length > 400 && length <= 500, `${length}`)
    }))

  test('a cut answer comes whole over TCP, and garbage ends nothing', () =>
    on(clock, async (port) => {
      const garbage = [Uint8Array.of(), Uint8Array.of(1), new Uint8Array(600).fill(0xff)]
      const [cut] = await overUdp(port, [...garbage, query(7, BIG_NAME)], 1)
      assert.equal([cut!.id, cut!.truncated], [7, true])
      const whole = await overTcp(port, frameMessage(query(8, BIG_NAME)))
      assert.equal(
        whole!.answers.map((record) => (record.type === 'A' ? record.address : '')).sort(),
        [...ADDRESSES].sort(),
      )
      const broken = Uint8Array.of(0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63)
      assert.is((await overTcp(port, frameMessage(broken)))!.rcode, 'FORMERR')
    }))

  if (!existsSync(DIG)) test.skip(`skipped: there is no ${DIG}`, () => {})
  else {
    test('the real dig is answered', () =>
      on(clock, async (port) => {
        const dig = async (...args: string[]) =>
          (await promisify(execFile)(DIG, ['@127.0.0.1', '-p', `${port}`, ...args])).stdout
        assert.is(await dig('+short', KUBE_DNS), '10.96.0.10\n')
        assert.is(await dig('+short', '-x', '10.96.0.10'), `${KUBE_DNS}.\n`)
        const long = await dig('+short', BIG_NAME)
        assert.is(long.trim().split('\n').length, ADDRESSES.length)
        const srv = await dig('SRV', `_dns._udp.${KUBE_DNS}`)
        assert.match(srv, `0 100 53 ${KUBE_DNS}.`)
        assert.match(srv, /flags: qr aa rd; /)
        assert.not.match(srv, 'Warning: Message parser reports malformed')
        assert.match(await dig('+edns=1', '+noednsnegotiation', KUBE_DNS), 'status: BADVERS')
        assert.match(await dig('AXFR', 'cluster.local'), 'Transfer failed')
      }))
  }

  test('the port is free again when the cluster has ended, and taken while it is there', async () => {
    let used = 0
    await on(clock, async (port, cluster) => {
      used = port
      const failure = await cluster.emulation.exposeDns(port).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error.code,
      )
      assert.is(failure, 'EADDRINUSE')
    })
    // Again, if some other program of this machine was given it in between.
    await until(() => isFree(used), 'the port')
  })

  test.run()
}
