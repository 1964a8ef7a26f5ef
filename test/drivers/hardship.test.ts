// Greedy, endless and abandoned programs, and ends that come at a bad moment, under both drivers.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RemoteStreams } from '../../src/api/request.js'
import type { ClockKind } from '../../src/drivers/emulation.js'
import { startEmulation } from '../../src/drivers/start.js'
import { type RunningCluster, up } from '../../src/index.js'
import { within } from '../support/patience.js'

async function on(clock: ClockKind, body: (cluster: RunningCluster) => Promise<void>): Promise<void> {
  const cluster = await up([], { clock })
  try {
    await within(body(cluster))
  } finally {
    await cluster.close()
  }
}

function pod(name: string, script: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'busybox',
          command: ['/bin/sh', '-c', script],
          resources: { limits: { memory: '16Mi' } },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  }
}

interface ContainerStatus {
  readonly restartCount: number
  readonly state: Readonly<Record<string, { readonly exitCode?: number; readonly reason?: string }>>
  readonly lastState: Readonly<Record<string, { readonly exitCode?: number; readonly reason?: string }>>
}

async function statusOf(cluster: RunningCluster, name: string): Promise<ContainerStatus> {
  const { stdout } = await cluster.kubectl(`get pod ${name} -o json`)
  return JSON.parse(stdout).status.containerStatuses[0]
}

/** Looks until `holds`, a quarter of an emulated second apart. */
async function until(cluster: RunningCluster, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await cluster.sleep(250)
}

const HOARDERS = {
  'a variable that doubles': 'x=0123456789abcdef; while :; do x="$x$x"; done',
  'the output of an endless command': 'x=$(yes)',
  'sorting without end': 'yes | sort',
}

for (const clock of ['virtual', 'real'] as const satisfies readonly ClockKind[]) {
  const test = suite(`hardship, ${clock} clock`)

  for (const [what, script] of Object.entries(HOARDERS)) {
    test(`${what}: the container is OOMKilled and restarted, and nobody else is harmed`, () =>
      on(clock, async (cluster) => {
        await cluster.apply(pod('other', 'sleep 100000'))
        await cluster.apply(pod('hog', script))
        let status = await statusOf(cluster, 'hog')
        await until(cluster, async () => {
          status = await statusOf(cluster, 'hog')
          return status.restartCount > 0
        })
        const end = status.lastState['terminated'] ?? status.state['terminated']
        assert.is(end?.exitCode, 137)
        assert.is(end?.reason, 'OOMKilled')
        await until(cluster, async () => (await cluster.exec('other', 'echo here')).stdout === 'here\n')
        assert.is((await statusOf(cluster, 'other')).restartCount, 0)
      }))
  }

  test('a container that writes without end, and one that computes without end, leave others their turn', () =>
    on(clock, async (cluster) => {
      await cluster.apply(pod('loud', 'yes'))
      await cluster.apply(pod('busy', 'while :; do :; done'))
      await cluster.apply(pod('other', 'sleep 100000'))
      await until(cluster, async () => (await cluster.exec('other', 'echo here')).stdout === 'here\n')
      await cluster.sleep(300)
      assert.is((await cluster.exec('other', 'echo still here')).stdout, 'still here\n')
      assert.is((await statusOf(cluster, 'loud')).restartCount, 0)
    }))

  test('a full emptyDir is an error of the program, and what a crash left in the container is given back', () =>
    on(clock, async (cluster) => {
      await cluster.apply(pod('full', 'yes > /tmp/layer 2>/tmp/why; sleep 100000'))
      await cluster.apply(
        pod(
          'again',
          '[ -e /data/n ] || yes > /tmp/layer; echo x > /data/n && yes | head -c 9000000 > /tmp/b',
        ),
      )
      await until(
        cluster,
        async () => (await cluster.exec('full', 'tail -n 1 /tmp/why; ls /tmp')).exitCode === 0,
      )
      await until(cluster, async () => (await statusOf(cluster, 'again')).restartCount > 1)
      assert.is((await statusOf(cluster, 'again')).lastState['terminated']?.exitCode, 0)
    }))

  test('a client that does not take the output of its command holds the command back', () =>
    on(clock, async (cluster) => {
      await cluster.apply(pod('other', 'sleep 100000'))
      await until(cluster, async () => (await cluster.exec('other', 'echo here')).exitCode === 0)
      const streams = cluster.api.exec({
        namespace: 'default',
        pod: 'other',
        stdin: false,
        tty: false,
        command: ['sh', '-c', 'yes | head -c 20000000; echo done > /data/done'],
      }) as RemoteStreams
      let received = 0
      let exitCode: number | undefined
      const gates: (() => void)[] = []
      let open = false
      streams.onOutput = (_, bytes) => {
        received += bytes.length
        return open ? undefined : new Promise<void>((resolve) => gates.push(resolve))
      }
      streams.onExit = (exit) => {
        exitCode = exit.exitCode
      }
      await until(cluster, async () => received > 500_000)
      // All that is on its way has come when nothing moves for a while.
      for (let last = 0; last !== received; await cluster.sleep(500)) last = received
      assert.ok(received < 2_000_000, `${received} bytes under way`)
      assert.is((await cluster.exec('other', 'cat /data/done')).exitCode, 1)
      open = true
      for (const resume of gates) resume()
      await until(cluster, async () => exitCode !== undefined)
      assert.is(received, 20_000_000)
      assert.is(exitCode, 0)
    }))

  test('a time that is no number is refused', () =>
    on(clock, async (cluster) => {
      const error = await cluster.sleep('5s' as unknown as number).catch((failure) => failure)
      assert.instance(error, TypeError)
      await cluster.sleep(1)
    }))

  test('closing in the midst of starting pods and of a command leaves nothing that keeps the process', () =>
    on(clock, async (cluster) => {
      for (let i = 0; i < 8; i++) await cluster.apply(pod(`p${i}`, 'sleep 100000'))
      const running = until(
        cluster,
        async () => (await cluster.exec('p0', 'sleep 50000')).stdout === 'never',
      ).catch((failure) => failure)
      await cluster.sleep(100)
      await cluster.close()
      await cluster.close()
      assert.match((await running).message, /closed|not found/)
      assert.match((await cluster.sleep(1).catch((failure) => failure)).message, /was closed/)
      assert.match((await cluster.apply(pod('late', 'ls')).catch((failure) => failure)).message, /was closed/)
    }))

  test('an emulation can be closed before anything ran', async () => {
    const emulation = await startEmulation({ clock })
    await Promise.all([emulation.close(), emulation.close()])
  })

  test.run()
}
