// A connection to a port on a pod's own loopback, as the API gives it, under both drivers.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ForwardStreams, PodPorts, Status } from '../../src/api/request.js'
import type { ClockKind } from '../../src/drivers/emulation.js'
import { type RunningCluster, up } from '../../src/index.js'
import { until as patiently } from '../support/patience.js'

const pod = (name: string, script: string, hostNetwork = false) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    nodeName: 'k8s-node1',
    hostNetwork,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: 'nginx', command: ['sh', '-c', script] }],
  },
})

interface Dialled {
  readonly streams: ForwardStreams
  received: number
  text: string
  readonly ended: Promise<void>
  readonly exit: Promise<{ readonly exitCode: number; readonly error?: string }>
}

/** `gate`: what the client takes only when it settles. */
function dial(cluster: RunningCluster, name: string, port: number, gate?: Promise<void>): Dialled {
  const ports = cluster.api.portForward({ namespace: 'default', pod: name }) as PodPorts
  const streams = ports.dial(port)
  const decoder = new TextDecoder()
  const ended = new Promise<void>((resolve) => {
    streams.onOutputEnd = resolve
  })
  const dialled: Dialled = {
    streams,
    received: 0,
    text: '',
    ended,
    exit: new Promise((resolve) => {
      streams.onExit = resolve
    }),
  }
  streams.onOutput = (_, bytes) => {
    dialled.received += bytes.length
    if (dialled.received < 100_000) dialled.text += decoder.decode(bytes, { stream: true })
    return gate
  }
  return dialled
}

/** Looks until it holds, with emulated time in between. */
const until = (cluster: RunningCluster, holds: () => Promise<boolean>) =>
  patiently(holds, 'it did not come to hold', () => cluster.sleep(50))

const bytes = (text: string) => new TextEncoder().encode(text)

for (const clock of ['virtual', 'real'] as const satisfies readonly ClockKind[]) {
  const test = suite(`port-forward, ${clock} clock`)

  const on = async (pods: readonly object[], body: (cluster: RunningCluster) => Promise<void>) => {
    await using cluster = await up([], { clock, seed: 3 })
    for (const object of pods) await cluster.apply(object)
    await cluster.settle()
    await body(cluster)
  }
  const listening = (cluster: RunningCluster, name: string, port: number) =>
    until(cluster, async () => (await cluster.exec(name, `netstat -ltn | grep -q :${port}`)).exitCode === 0)

  test('a server that listens only on the loopback of its pod is reached; each side ends by itself', () =>
    on([pod('one', 'echo answer | nc -l -s 127.0.0.1 -p 7000 > /tmp/got; sleep 100000')], async (cluster) => {
      await listening(cluster, 'one', 7000)
      const forward = dial(cluster, 'one', 7000)
      await cluster.emulation.run(forward.ended)
      assert.is(forward.text, 'answer\n')
      forward.streams.write(bytes('after its '))
      forward.streams.write(bytes('FIN'))
      forward.streams.end()
      assert.equal(await cluster.emulation.run(forward.exit), { exitCode: 0 })
      await until(cluster, async () => (await cluster.exec('one', 'cat /tmp/got')).stdout === 'after its FIN')
    }))

  test('a port where nobody listens is refused in the words of the kubelet, and a pod that is not there by a Status', () =>
    on([pod('idle', 'sleep 100000'), pod('hosted', 'sleep 100000', true)], async (cluster) => {
      const uid = JSON.parse((await cluster.kubectl('get pod idle -o json')).stdout).metadata.uid
      const { exitCode, error } = await cluster.emulation.run(dial(cluster, 'idle', 81).exit)
      assert.is(exitCode, 1)
      assert.is(
        error,
        `error forwarding port 81 to pod ${uid}, uid : failed to execute portforward in network namespace "/var/run/netns/cni-${uid}": failed to dial 81: dial tcp4 127.0.0.1:81: connect: connection refused`,
      )
      const hosted = await cluster.emulation.run(dial(cluster, 'hosted', 81).exit)
      assert.match(hosted.error ?? '', /in network namespace "host": .*connection refused$/)
      const refused = cluster.api.portForward({ namespace: 'default', pod: 'nope' }) as Status
      assert.is(refused.code, 404)
    }))

  test('a pod with hostNetwork is dialled on the stack of its node', () =>
    on([pod('hosted', 'exec nginx -g "daemon off;"', true)], async (cluster) => {
      await listening(cluster, 'hosted', 80)
      const forward = dial(cluster, 'hosted', 80)
      forward.streams.write(bytes('GET / HTTP/1.0\r\n\r\n'))
      await cluster.emulation.run(forward.ended)
      assert.match(forward.text, /^HTTP\/1\.1 200 OK\r\n/)
      forward.streams.end()
      assert.is((await cluster.emulation.run(forward.exit)).exitCode, 0)
    }))

  test('a client that does not take what comes holds the server back, and a client that leaves ends the connection', () =>
    on(
      [pod('source', 'yes | nc -l -p 7000 > /dev/null; echo $? > /tmp/done; sleep 100000')],
      async (cluster) => {
        await listening(cluster, 'source', 7000)
        const forward = dial(cluster, 'source', 7000, new Promise(() => {}))
        await until(cluster, async () => forward.received > 500_000)
        // All that is on its way has come when nothing moves for a while.
        for (let last = 0; last !== forward.received; await cluster.sleep(500)) last = forward.received
        assert.ok(forward.received < 2_000_000, `${forward.received} bytes under way`)
        assert.is((await cluster.exec('source', 'cat /tmp/done')).exitCode, 1)
        forward.streams.close()
        assert.equal(await cluster.emulation.run(forward.exit), { exitCode: 0 })
        await until(cluster, async () => (await cluster.exec('source', 'cat /tmp/done')).exitCode === 0)
      },
    ))

  test('a server that does not read holds the client back', () =>
    on([pod('sink', 'nc -l -p 7000 | sleep 100000')], async (cluster) => {
      await listening(cluster, 'sink', 7000)
      const { streams, exit } = dial(cluster, 'sink', 7000)
      let written = 0
      const writing = (async () => {
        for (; written < 1000; written++) await streams.write(new Uint8Array(10_000))
      })()
      await until(cluster, async () => written > 50)
      for (let last = 0; last !== written; await cluster.sleep(500)) last = written
      assert.ok(written < 600, `${written * 10_000} bytes taken`)
      streams.close()
      await cluster.emulation.run(exit)
      // Leaving releases who waits.
      await writing
      assert.is(written, 1000)
    }))

  test.run()
}
