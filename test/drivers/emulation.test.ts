// One body of facts under both drivers: exact under the virtual clock, and the same facts - where they do not depend
// on order - with a thread for every pod in real time.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClockKind, EmulationOptions } from '../../src/drivers/emulation.js'
import { type RunningCluster, up } from '../../src/index.js'
import { until, within } from '../support/patience.js'

const SERVER = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - name: name
        image: busybox
        command: ["/bin/sh", "-c", "hostname > /www/index.html; while :; do sleep 60; done"]
        volumeMounts: [{ name: www, mountPath: /www }]
      - name: nginx
        image: nginx
        ports: [{ containerPort: 80 }]
        volumeMounts: [{ name: www, mountPath: /usr/share/nginx/html }]
      volumes: [{ name: www, emptyDir: {} }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 8080, targetPort: 80 }]
---
apiVersion: v1
kind: Pod
metadata: { name: curl }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: curl, image: "radial/busyboxplus:curl", command: ["sleep", "100000"] }]
`

/** Answers one connection and ends, and with it the pod. */
const LAST_WORDS = `
apiVersion: v1
kind: Pod
metadata: { name: brief }
spec:
  restartPolicy: Never
  containers: [{ name: nc, image: busybox, command: ["/bin/sh", "-c", "echo farewell | nc -l -p 7000"] }]
`

/** Runs `body` on a cluster and closes it, whatever happens; a hanging body fails instead of hanging the run. */
async function on(
  options: EmulationOptions,
  body: (cluster: RunningCluster) => Promise<void>,
): Promise<void> {
  const cluster = await up([], options)
  try {
    await within(body(cluster))
  } finally {
    await cluster.close()
  }
}

for (const clock of ['virtual', 'real'] as const satisfies readonly ClockKind[]) {
  const test = suite(`emulation, ${clock} clock`)

  test('a pod that ends has said its last word: the data and FIN of a program that exits with it arrive', () =>
    on({ clock }, async (cluster) => {
      await cluster.apply(SERVER)
      await cluster.apply(LAST_WORDS)
      await cluster.settle()
      const { output: address } = await cluster.kubectl("get pod brief -o jsonpath='{.status.podIP}'")
      const { stdout, exitCode } = await cluster.exec('curl', `nc -w 5 ${address} 7000 </dev/null`)
      assert.equal([stdout, exitCode], ['farewell\n', 0])
    }))

  test('nine new connections through a ClusterIP reach three pods three times each, in turn', () =>
    on({ clock }, async (cluster) => {
      await cluster.apply(SERVER)
      await cluster.settle()
      const { stdout, exitCode } = await cluster.exec(
        'curl',
        'for i in 1 2 3 4 5 6 7 8 9; do curl -s http://web:8080/; done',
      )
      assert.is(exitCode, 0)
      const names = stdout.trim().split('\n')
      assert.is(names.length, 9)
      assert.is(new Set(names.slice(0, 3)).size, 3)
      assert.equal(names.slice(3, 6), names.slice(0, 3))
      assert.equal(names.slice(6, 9), names.slice(0, 3))
      assert.is(cluster.flows.filter(({ service }) => service.startsWith('default/web')).length, 9)
    }))

  test('a crashing container restarts with back-off; the pod keeps its address and its files', () =>
    on({ clock }, async (cluster) => {
      await cluster.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'crash' },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'busybox',
              command: ['sh', '-c', 'echo run >> /data/runs; exit 3'],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
            {
              name: 'other',
              image: 'busybox',
              command: ['sleep', '1000'],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
          volumes: [{ name: 'data', emptyDir: {} }],
        },
      })
      await cluster.settle()
      await cluster.kubectl("wait --for=jsonpath='{.status.containerStatuses[0].restartCount}'=1 pod/crash")
      const runs = await cluster.exec('crash', 'cat /data/runs', { container: 'other' })
      assert.is(runs.stdout, 'run\nrun\n')
      const { output } = await cluster.kubectl('get pod crash')
      assert.match(output, /crash +1\/2 +(CrashLoopBackOff|Error) +1 /)
    }))

  test('streams carry input, output and the exit status of a command', () =>
    on({ clock }, async (cluster) => {
      await cluster.apply(SERVER)
      await cluster.settle()
      const { exitCode, output } = await cluster.shell(
        'printf "b\\na\\n" | kubectl exec -i curl -- sh -c "sort; echo oops >&2; exit 7"',
      )
      assert.is(exitCode, 7)
      assert.is(output, 'a\nb\noops\ncommand terminated with exit code 7\n')
    }))

  test('closing leaves no timer behind, whatever still waits in pods and in commands', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    const cluster = await up([], { clock })
    await cluster.apply(SERVER)
    await cluster.settle()
    const pending = cluster.exec('curl', 'sleep 1000', { timeoutSeconds: 600 }).catch(() => undefined)
    await cluster.exec('curl', 'sleep 0.01')
    await cluster.close()
    await pending
    assert.ok(timers() <= before, `${timers()} timers, ${before} before`)
  })

  test('an image that is not there gives ErrImagePull and harms nobody', () =>
    on({ clock }, async (cluster) => {
      await cluster.kubectl('run nope --image=example/unknown:1')
      await cluster.settle()
      const { output } = await cluster.kubectl('get pod nope')
      assert.match(output, /nope +0\/1 +(ErrImagePull|ImagePullBackOff) +0 /)
      const dns = await cluster.kubectl('get pods -n kube-system -l k8s-app=kube-dns')
      assert.is(dns.stdout.match(/1\/1 +Running/g)?.length, 2)
    }))

  test('a port that is in use in the pod is told by the server that wanted it', () =>
    on({ clock }, async (cluster) => {
      await cluster.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'twice' },
        spec: {
          restartPolicy: 'Never',
          containers: [
            { name: 'first', image: 'nginx' },
            { name: 'second', image: 'nginx' },
          ],
        },
      })
      await cluster.settle()
      const told = /bind\(\) to 0\.0\.0\.0:80 failed \(98: Address already in use\)/
      const logs = async () => (await cluster.kubectl('logs twice -c second')).output
      await until(
        async () => told.test(await logs()),
        'its last words',
        () => cluster.sleep(10),
      )
    }))

  test('after close no worker, timer or file of the emulation keeps the process alive', async () => {
    const before = process.getActiveResourcesInfo().sort().join()
    const directory = mkdtempSync(join(tmpdir(), 'podwire-'))
    await on({ clock, pcap: join(directory, 'all.pcapng') }, async (cluster) => {
      await cluster.apply(SERVER)
      await cluster.settle()
      await cluster.exec('curl', 'curl -s http://web:8080/')
    })
    assert.ok(readFileSync(join(directory, 'all.pcapng')).length > 1000)
    rmSync(directory, { recursive: true })
    assert.is(process.getActiveResourcesInfo().sort().join(), before)
  })

  test.run()
}

const virtual = suite('emulation, virtual clock only')

virtual(
  'two runs with one seed give the same outputs and the same capture to the byte; a capture changes nothing',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'podwire-'))
    const run = async (pcap: string | undefined) => {
      let text = ''
      await on(
        { seed: 7, ...(pcap === undefined ? {} : { pcap: join(directory, pcap) }) },
        async (cluster) => {
          await cluster.apply(SERVER)
          await cluster.settle()
          text += (await cluster.kubectl('get pods,svc,endpointslices -A -o yaml')).output
          text += (
            await cluster.exec(
              'curl',
              'nslookup web; for i in 1 2 3 4; do curl -s http://web:8080/; date; done',
            )
          ).output
          text += `${cluster.emulation.now()}`
        },
      )
      return text
    }
    const first = await run('a.pcapng')
    assert.is(await run('b.pcapng'), first)
    assert.is(await run(undefined), first)
    assert.ok(readFileSync(join(directory, 'a.pcapng')).equals(readFileSync(join(directory, 'b.pcapng'))))
    rmSync(directory, { recursive: true })
  },
)

virtual('a command that never ends lets emulated time pass and is ended by its time-out', () =>
  on({}, async (cluster) => {
    await cluster.apply(SERVER)
    await cluster.settle()
    const before = cluster.nowMillis
    const { timedOut } = await cluster.exec('curl', 'while :; do :; done', { timeoutSeconds: 2 })
    assert.ok(timedOut)
    assert.ok(cluster.nowMillis - before >= 2000 && cluster.nowMillis - before < 2100)
  }),
)

virtual('waiting for what can not come is refused, not endless', () =>
  on({}, async (cluster) => {
    const never = new Promise<void>(() => {})
    const error = await cluster.emulation.run(never, 5_000_000).catch((failure) => failure)
    assert.is(error.name, 'EmulationTimeout')
  }),
)

virtual('the date in pods starts where it is told to', () =>
  on({ startTime: '1999-12-31T23:59:50Z' }, async (cluster) => {
    await cluster.apply(SERVER)
    await cluster.settle()
    assert.match((await cluster.exec('curl', 'date')).stdout, /^Fri Dec 31 23:59:5\d UTC 1999\n$/)
  }),
)

const tshark = spawnSync('tshark', ['--version']).status === 0
const longBody = tshark ? virtual : virtual.skip
longBody('tshark puts long bodies together out of a capture of all interfaces', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'podwire-'))
  try {
    const pcap = join(directory, 'all.pcapng')
    await on({ pcap }, async (cluster) => {
      await cluster.apply(SERVER)
      await cluster.settle()
      const made = 'for p in $(kubectl get pods -l app=web -o name); do kubectl exec $p -c nginx -- sh -c'
      await cluster.shell(`${made} 'seq 1 50000 > /usr/share/nginx/html/long.txt'; done`)
      const command = 'for i in 1 2 3; do curl -s http://web:8080/long.txt | wc -c; done'
      assert.is((await cluster.exec('curl', command)).stdout, '288894\n'.repeat(3))
    })
    const read = (filter: string, ...fields: string[]) =>
      spawnSync('tshark', ['-r', pcap, '-Y', filter, ...fields], { encoding: 'utf8' }).stdout
    assert.is(read('_ws.malformed || tcp.analysis.out_of_order'), '')
    assert.match(read('http.content_length', '-T', 'fields', '-e', 'http.content_length'), /^(288894\n){6}/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

virtual.run()
