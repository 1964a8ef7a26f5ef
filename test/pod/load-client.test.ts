// The load client where its user goes away: it ends, and its pod and the network stay as they were. What it measures is
// tested where its records are read, test/cli/bench-command.test.ts.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClockKind } from '../../src/drivers/emulation.js'
import { up } from '../../src/index.js'
import { LOAD_COMMAND, type LoadSpec } from '../../src/pod/load/load-spec.js'
import { until } from '../support/patience.js'

const POD = (name: string, container: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name, ...container }] },
})
const OBJECTS = [
  POD('web', { image: 'nginx' }),
  POD('client', { image: 'busybox', command: ['sleep', '1d'] }),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  },
]

const test = suite('load client')

for (const clock of ['virtual', 'real'] as const satisfies readonly ClockKind[])
  for (const [when, wait, delay] of [
    ['before its first request', 10, 1_000_000],
    ['in the middle', 200, 0],
  ] as const)
    test(`${clock} clock: hung up ${when}, it ends and harms nobody`, async () => {
      await using cluster = await up([], { clock })
      for (const object of OBJECTS) await cluster.apply(object)
      await cluster.settle()
      const spec: LoadSpec = {
        protocol: 'http',
        host: 'web',
        port: 80,
        resolveEach: false,
        payload: '/',
        connections: 4,
        keepAlive: true,
        rate: 400,
        startAt: cluster.emulation.now() + delay,
        duration: 600_000_000,
        timeout: 5_000_000,
      }
      const streams = cluster.api.exec({
        namespace: 'default',
        pod: 'client',
        stdin: false,
        tty: false,
        command: [LOAD_COMMAND, JSON.stringify(spec)],
      })
      assert.not('kind' in streams)
      if ('kind' in streams) return
      streams.onOutput = () => {}
      streams.onExit = () => {}
      await cluster.sleep(wait)
      streams.close()
      const ended = async () =>
        (await cluster.exec('client', 'ps | grep -c "[p]odwire-load"')).stdout === '0\n'
      await until(ended, 'its end', () => cluster.sleep(100))
      for (let i = 0; i < 3; i++) {
        await cluster.sleep(100)
        const { stdout } = await cluster.exec('client', 'wget -q -O - http://web/ | grep -c Welcome')
        assert.match(stdout, /^[1-9]\n$/)
        assert.ok(await ended())
      }
    })

test.run()
