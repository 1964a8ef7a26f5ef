// iperf3: between pods under the virtual clock, with the figures that the wire allows; and against the real iperf3 of
// this machine, both ways round, where there is one.

import { execFile, spawnSync } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { up } from '../../src/index.js'
import { iperf3 } from '../../src/pod/iperf3/iperf3.js'
import { bytesText, rateText } from '../../src/pod/iperf3/units.js'
import { runOnNode } from '../support/node-process.js'
import { PATIENCE_MS } from '../support/patience.js'

const test = suite('iperf3')

const POD = (name: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'iperf', ...spec }] },
})
const SERVER = POD('server', { image: 'networkstatic/iperf3', args: ['-s'] })
const CLIENT = POD('client', { image: 'nicolaka/netshoot', command: ['sleep', '3600'] })
const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'iperf' },
  spec: {
    selector: { app: 'server' },
    ports: [
      { name: 'tcp', port: 5201 },
      { name: 'udp', port: 5201, protocol: 'UDP' },
    ],
  },
}

/** A server and a client whose wire carries 100 Mbit/s. */
async function cluster() {
  const pods = await up([], { proxyMode: 'iptables' })
  for (const object of [SERVER, CLIENT, SERVICE]) await pods.apply(object)
  await pods.settle()
  const pod = pods.api.request({ method: 'GET', path: '/api/v1/namespaces/default/pods/client' })
  const { uid } = (pod.body as { metadata: { uid: string } }).metadata
  await pods.emulation.setLink({ pod: uid }, { rateBitsPerSecond: 100e6 })
  return pods
}

test('amounts and rates as the real program prints them', () => {
  assert.equal([0, 999, 1024, 622_854_144, 1_299_227_607].map(bytesText), [
    '0.00 Bytes',
    ' 999 Bytes',
    '1.00 KBytes',
    ' 594 MBytes',
    '1.21 GBytes',
  ])
  assert.is(rateText(622_854_144, 1, undefined), '4.98 Gbits/sec')
  assert.is(rateText(1_310_720, 1, undefined), '10.5 Mbits/sec')
  assert.is(rateText(1_310_720, 1, 'k'), '10486 Kbits/sec')
  assert.is(rateText(1_310_720, 1, 'M'), '1.25 MBytes/sec')
})

test('TCP through a ClusterIP fills the wire; the lines are those of iperf3', async () => {
  await using pods = await cluster()
  const { stdout, exitCode } = await pods.exec('client', 'iperf3 -c iperf -t 2')
  assert.is(exitCode, 0)
  const lines = stdout.split('\n')
  assert.is(lines[0], 'Connecting to host iperf, port 5201')
  assert.match(lines[1]!, /^\[ {2}5\] local 10\.\S+ port \d+ connected to 10\.\S+ port 5201$/)
  assert.is(lines[2], '[ ID] Interval           Transfer     Bitrate')
  assert.match(lines[3]!, /^\[ {2}5\] {3}0\.00-1\.00 {3}sec {2}11\.\d MBytes {2}9\d\.\d Mbits\/sec {18}$/)
  const rate = /0\.00-2\.\d\d {3}sec .* ([\d.]+) Mbits\/sec {18}receiver$/m.exec(stdout)
  // 1,460 of a full frame's 1,514 bytes are data.
  assert.ok(Number(rate?.[1]) > 90 && Number(rate?.[1]) <= 96.5, stdout)
  assert.match(stdout, /\n\niperf Done\.\n$/)
})

test('UDP at a rate; a lossy wire is told by both sides alike', async () => {
  await using pods = await cluster()
  const pod = pods.api.request({ method: 'GET', path: '/api/v1/namespaces/default/pods/client' })
  const { uid } = (pod.body as { metadata: { uid: string } }).metadata
  const clean = JSON.parse((await pods.exec('client', 'iperf3 -c iperf -u -b 4M -t 2 -J')).stdout)
  assert.is(clean.end.sum.lost_packets, 0)
  assert.is(clean.end.sum.packets, clean.end.sum_sent.packets)
  assert.ok(Math.abs(clean.end.sum.bits_per_second / 4e6 - 1) < 0.02)
  await pods.emulation.setLink({ pod: uid }, { lossRatio: 0.1 })
  const { stdout } = await pods.exec('client', 'iperf3 -c iperf -u -b 4M -t 2')
  const [, lost, all] = /(\d+)\/(\d+) \([\d.]+%\) {2}receiver/.exec(stdout) ?? []
  assert.ok(Number(lost) > 0.05 * Number(all) && Number(lost) < 0.15 * Number(all), stdout)
})

test('several streams, the other way round, and an amount instead of a time', async () => {
  await using pods = await cluster()
  const reverse = await pods.exec('client', 'iperf3 -c iperf -P 3 -R -t 1')
  assert.match(reverse.stdout, 'Reverse mode, remote host iperf is sending')
  assert.is(reverse.stdout.match(/^\[SUM\]/gm)?.length, 3)
  const amount = JSON.parse((await pods.exec('client', 'iperf3 -c iperf -n 1M -J')).stdout)
  assert.is(amount.end.sum_sent.bytes, 1024 * 1024)
  await pods.sleep(100)
  const logs = await pods.kubectl('logs server')
  assert.match(logs.stdout, 'Server listening on 5201 (test #3)')
  assert.match(logs.stdout, /^\[SUM\] {3}0\.00-1\.\d\d .* sender$/m)
})

test('what goes wrong is told as iperf3 tells it', async () => {
  await using pods = await cluster()
  const server = await pods.exec('client', 'iperf3 -c $(hostname -i) -t 1')
  assert.is(server.exitCode, 1)
  assert.match(server.stderr, 'iperf3: error - unable to connect to server: Connection refused')
  const both = await pods.exec('client', 'iperf3 -c iperf -n 1M -t 2')
  assert.match(both.stderr, 'only one test end condition (-t, -n, -k) may be specified')
  const none = await pods.exec('client', 'iperf3')
  assert.match(none.stderr, 'iperf3: parameter error - must either be a client (-c) or server (-s)')
  const busy = await pods.exec('client', 'iperf3 -c iperf -t 2 & sleep 1; iperf3 -c iperf -t 1; wait')
  assert.match(busy.stderr, 'the server is busy running a test. try again later')
  assert.match(busy.stdout, 'iperf Done.')
  const garbage = await pods.exec('client', 'echo hello | nc -w 1 iperf 5201; iperf3 -c iperf -t 1')
  assert.match(garbage.stdout, 'iperf Done.')
})

const real = spawnSync('iperf3', ['--version']).status === 0
const interop = real ? test : test.skip
const why = real ? '' : ' (skipped: iperf3 is not installed)'

/**
 * A port of the loopback that is free, also for datagrams, and stays so until it is used: not one of those that the
 * kernel gives to clients of other tests (32768 and more).
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    await new Promise((resolve) => server.close(resolve))
    if (isFree) return port
  }
}

/** A client's side of the protocol, by hand. */
class HandMade {
  readonly socket: Socket
  readonly #bytes: AsyncIterator<Buffer>

  constructor(port: string) {
    this.socket = connect(Number(port), '127.0.0.1')
    this.#bytes = this.socket[Symbol.asyncIterator]()
    this.socket.write(`${'c'.repeat(36)}\0`)
  }

  json(value: object): void {
    const body = Buffer.from(JSON.stringify(value))
    this.socket.write(Buffer.concat([Buffer.from(Uint32Array.of(body.length).buffer).swap32(), body]))
  }

  /** What came; undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    return (await this.#bytes.next()).value
  }
}

const WISHES = { omit: 0, time: 1, num: 0, blockcount: 0, parallel: 1, len: 131_072, client_version: '3.12' }

test('a client that leaves while streams are made does not keep the server from the next', async () => {
  const port = String(await freePort())
  const server = runOnNode(iperf3, ['iperf3', '-s', '-p', port])
  server.exited.catch(() => {})
  while (!server.stdout.text().includes('listening')) await new Promise((resolve) => setImmediate(resolve))
  const first = new HandMade(port)
  assert.equal([...(await first.next())!], [9])
  first.json({ ...WISHES, udp: true })
  assert.equal([...(await first.next())!], [10])
  first.socket.destroy()
  while (server.stderr.text() === '') await new Promise((resolve) => setImmediate(resolve))
  assert.is(server.stderr.text(), 'iperf3: error - the client has terminated\n')
  const second = new HandMade(port)
  assert.equal([...(await second.next())!], [9])
  second.socket.destroy()
  server.kill()
})

test('in reverse the streams end before results are asked for', async () => {
  const port = String(await freePort())
  const server = runOnNode(iperf3, ['iperf3', '-s', '-p', port])
  server.exited.catch(() => {})
  while (!server.stdout.text().includes('listening')) await new Promise((resolve) => setImmediate(resolve))
  const control = new HandMade(port)
  await control.next()
  control.json({ ...WISHES, tcp: true, reverse: true })
  assert.equal([...(await control.next())!], [10])
  const data = new HandMade(port)
  assert.ok((await data.next())!.length > 0)
  control.socket.write(Uint8Array.of(4))
  // No results were sent: a stream that stayed open would be read for ever.
  while ((await data.next()) !== undefined);
  control.socket.destroy()
  server.kill()
})

/** The real program. */
function realIperf(...args: string[]): Promise<{ stdout: string; code: number }> {
  return new Promise((resolve) => {
    execFile('iperf3', args, { timeout: PATIENCE_MS }, (error, stdout) =>
      resolve({ stdout, code: error === null ? 0 : 1 }),
    )
  })
}

for (const [what, args] of [
  ['TCP', ['-t', '1']],
  ['TCP, three streams, in reverse', ['-t', '1', '-P', '3', '-R']],
  ['an amount', ['-n', '20M']],
  ['UDP', ['-t', '1', '-u', '-b', '8M']],
  ['UDP, two streams, in reverse', ['-t', '1', '-u', '-b', '8M', '-P', '2', '-R']],
] as const) {
  interop(`the real client, our server: ${what}${why}`, async () => {
    const port = String(await freePort())
    const server = runOnNode(iperf3, ['iperf3', '-s', '-1', '-p', port])
    const ask = () => realIperf('-c', '127.0.0.1', '-p', port, '-J', ...args)
    // The server may still be on its way to listen.
    let asked = await ask()
    while (asked.stdout.includes('Connection refused')) asked = await ask()
    const { end, error } = JSON.parse(asked.stdout)
    if (asked.code !== 0) server.kill()
    assert.is(error, undefined)
    assert.ok(end.sum_received.bytes > 500_000 && end.sum_received.bytes <= end.sum_sent.bytes * 1.01)
    assert.is(await server.exited, 0)
    assert.match(server.stdout.text(), 'Accepted connection from 127.0.0.1')
  })

  interop(`our client, the real server: ${what}${why}`, async () => {
    const port = String(await freePort())
    const server = realIperf('-s', '-1', '-p', port, '-J')
    let client = runOnNode(iperf3, ['iperf3', '-c', '127.0.0.1', '-p', port, '-J', ...args])
    // The server needs a moment until it listens.
    while ((await client.exited) !== 0 && client.stdout.text().includes('Connection refused'))
      client = runOnNode(iperf3, ['iperf3', '-c', '127.0.0.1', '-p', port, '-J', ...args])
    const { end, error } = JSON.parse(client.stdout.text())
    assert.is(error, undefined)
    assert.ok(end.sum_received.bytes > 500_000 && end.sum_received.bytes <= end.sum_sent.bytes * 1.01)
    const served = JSON.parse((await server).stdout)
    assert.is(served.error, undefined)
  })
}

test.run()
