// Shells at terminals in pods and on nodes, under both drivers: what the screen shows when keys are pressed, completion
// of the names that DNS has, and how they end.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RemoteStreams } from '../../src/api/request.js'
import type { ClockKind } from '../../src/drivers/emulation.js'
import { type RunningCluster, up } from '../../src/index.js'
import { TerminalSession } from '../../src/terminal/terminal-session.js'
import { until as patiently } from '../support/patience.js'
import { Viewer } from '../support/terminal-program.js'

const SIZE = { columns: 60, rows: 12 }
const MANIFESTS = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'curl' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'curl', image: 'radial/busyboxplus:curl', command: ['sleep', '36000'] }],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web' },
    spec: {
      serviceName: 'web',
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'nginx' }] },
      },
    },
  },
]

for (const clock of ['virtual', 'real'] as const satisfies readonly ClockKind[]) {
  const test = suite<{ cluster: RunningCluster }>(`terminals, ${clock} clock`)

  test.before(async (context) => {
    context.cluster = await up([], { clock, seed: 3 })
    for (const object of MANIFESTS) await context.cluster.apply(object)
    await context.cluster.settle()
  })
  test.after(async ({ cluster }) => cluster.close())

  const join = (session: TerminalSession) => new Viewer(session.attach(), SIZE)
  const inPod = ({ api }: RunningCluster) =>
    api.exec({
      namespace: 'default',
      pod: 'curl',
      command: ['sh'],
      stdin: true,
      tty: true,
    }) as RemoteStreams
  const type = (viewer: Viewer, keys: string) => viewer.streams.write(new TextEncoder().encode(keys))
  const until = async (cluster: RunningCluster, viewer: Viewer, pattern: RegExp): Promise<void> => {
    const matches = async () => pattern.test(await viewer.shown())
    await patiently(matches, `${pattern}`, () => cluster.sleep(20)).catch(async (error: Error) => {
      throw new Error(`${error.message}:\n${await viewer.shown()}`)
    })
  }

  test('Services and pods with names of their own are completed, and ^C ends a loop that asks them', async ({
    cluster,
  }) => {
    const viewer = join(new TerminalSession(inPod(cluster)))
    await until(cluster, viewer, /\[ root@curl:\/ \]\$ \|$/)
    type(viewer, 'curl -s http://web-0\t')
    await until(cluster, viewer, /curl -s http:\/\/web-0\.web\|$/)
    type(viewer, '\x15nslookup kube-d\t')
    await until(cluster, viewer, /\$ nslookup kube-dns\.kube-system \|$/)
    type(viewer, '\x15while :; do curl -s http://we\t')
    await until(cluster, viewer, /http:\/\/web\|$/)
    type(viewer, '/ | head -1; sleep 0.05; done\r')
    await until(cluster, viewer, /(<!DOCTYPE html>\n){3}/)
    type(viewer, '\x03')
    await until(cluster, viewer, /\^C\n\[ root@curl:\/ \]\$ \|$/)
    type(viewer, 'exit 7\r')
    await until(cluster, viewer, /exit 7\n\|$/)
    while (viewer.exit === undefined) await cluster.sleep(20)
    assert.equal(viewer.exit, { exitCode: 7 })
  })

  test('a shell on a node sees its kernel; two look at one', async ({ cluster }) => {
    const session = new TerminalSession(cluster.emulation.nodeShell('k8s-node1', { tty: true }))
    const [one, other] = [join(session), join(session)]
    await until(cluster, one, /^root@k8s-node1:~# \|$/)
    type(one, 'stty size; ip -br addr show eth0\r')
    await until(cluster, other, /\n12 60\neth0 +UP +192\.168\.56\.11\/24 *\nroot@k8s-node1:~# \|$/)
    type(other, 'iptables-save -t nat | grep -c KUBE; conntrack -C\r')
    await until(cluster, one, /\n\d+\n\d+\nroot@k8s-node1:~# \|$/)
    assert.is(await one.shown(), await other.shown())
    type(one, 'clear; bridge link show dev curl; bridge fdb show br cni0 | grep -c curl\r')
    await until(
      cluster,
      other,
      /\n?\d+: curl: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master c\nni0 .*\n1\nroot/,
    )
    type(one, '\x04')
    while (other.exit === undefined) await cluster.sleep(20)
    assert.equal([one.exit, other.exit], [{ exitCode: 0 }, { exitCode: 0 }])
  })

  test('without a terminal a node runs what comes on standard input, its streams apart', async ({
    cluster,
  }) => {
    const shell = cluster.emulation.nodeShell('k8s-node2', { tty: false })
    const got = { stdout: '', stderr: '' }
    shell.onOutput = (stream, bytes) => {
      got[stream] += new TextDecoder().decode(bytes)
    }
    const exit = new Promise<{ readonly exitCode: number }>((resolve) => {
      shell.onExit = resolve
    })
    shell.write(new TextEncoder().encode('hostname\necho no >&2\nexit 4\n'))
    shell.end()
    assert.equal(await cluster.emulation.run(exit), { exitCode: 4 })
    assert.equal(got, { stdout: 'k8s-node2\n', stderr: 'no\n' })
  })

  test('a session goes with its pod', async ({ cluster }) => {
    const viewer = join(new TerminalSession(inPod(cluster)))
    await until(cluster, viewer, /\$ \|$/)
    cluster.api.request({ method: 'DELETE', path: '/api/v1/namespaces/default/pods/curl' })
    while (viewer.exit === undefined) await cluster.sleep(20)
    assert.not.equal(viewer.exit, { exitCode: 0 })
  })

  test('there is no shell on a node that is not there', ({ cluster }) => {
    assert.throws(
      () => cluster.emulation.nodeShell('nowhere', { tty: true }),
      (error: Error) => error instanceof TypeError && /no node nowhere/.test(error.message),
    )
  })

  test.run()
}
