// Probes, hooks and graceful ends on real packets, under the virtual clock.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunningCluster, up } from '../../src/index.js'

const test = suite('probes on packets')

async function on(body: (cluster: RunningCluster) => Promise<void>): Promise<void> {
  const cluster = await up([], { clock: 'virtual' })
  try {
    await body(cluster)
  } finally {
    await cluster.close()
  }
}

function web(name: string, container: string, spec = ''): string {
  return `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: web } }
spec:
  ${spec}
  containers:
  - name: web
    image: nginx
    ports: [{ name: http, containerPort: 80 }]
${container.replace(/^/gm, '    ')}
`
}

async function kubectl(cluster: RunningCluster, line: string): Promise<string> {
  const { output } = await cluster.kubectl(line)
  return output.trim()
}

const ready = (cluster: RunningCluster, pod: string) =>
  kubectl(cluster, `get pod ${pod} -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}'`)

const events = (cluster: RunningCluster, pod: string, reason: string) =>
  kubectl(
    cluster,
    `get events --field-selector involvedObject.name=${pod},reason=${reason} -o jsonpath='{range .items[*]}{.message}{"\\n"}{end}'`,
  )

test('a readiness probe over HTTP asks the pod, and says why it is not ready', () =>
  on(async (cluster) => {
    await cluster.apply(
      web('good', 'readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }') +
        '---' +
        web(
          'bad',
          'readinessProbe: { httpGet: { path: /none, port: 80 }, periodSeconds: 1, failureThreshold: 1 }',
        ) +
        '---' +
        web('shut', 'readinessProbe: { tcpSocket: { port: 81 }, periodSeconds: 1, failureThreshold: 1 }'),
    )
    await cluster.settle()
    assert.is(await ready(cluster, 'good'), 'True')
    assert.match(
      (await kubectl(cluster, 'logs good')).split('\n')[0]!,
      /"GET \/ HTTP\/1\.1" 200 .* "kube-probe\/1\.\d+"/,
    )
    assert.is(await ready(cluster, 'bad'), 'False')
    assert.is(
      await events(cluster, 'bad', 'Unhealthy'),
      'Readiness probe failed: HTTP probe failed with statuscode: 404',
    )
    const ip = await kubectl(cluster, "get pod shut -o jsonpath='{.status.podIP}'")
    assert.is(await ready(cluster, 'shut'), 'False')
    assert.is(
      await events(cluster, 'shut', 'Unhealthy'),
      `Readiness probe failed: dial tcp ${ip}:81: connect: connection refused`,
    )
  }))

test('a pod becomes ready, and unready again, with the file that its command looks for', () =>
  on(async (cluster) => {
    await cluster.apply(
      web(
        'gated',
        'readinessProbe: { exec: { command: [cat, /tmp/ready] }, periodSeconds: 1, failureThreshold: 1 }',
      ),
    )
    await cluster.settle()
    assert.is(await ready(cluster, 'gated'), 'False')
    assert.is(
      await events(cluster, 'gated', 'Unhealthy'),
      "Readiness probe failed: cat: can't open '/tmp/ready': No such file or directory",
    )
    await cluster.exec('gated', 'touch /tmp/ready')
    await cluster.emulation.sleep(2_000_000)
    assert.is(await ready(cluster, 'gated'), 'True')
    await cluster.exec('gated', 'rm /tmp/ready')
    await cluster.emulation.sleep(2_000_000)
    assert.is(await ready(cluster, 'gated'), 'False')
  }))

test('a container whose liveness probe fails is killed and started again', () =>
  on(async (cluster) => {
    await cluster.apply(
      web(
        'dying',
        'livenessProbe: { httpGet: { path: /alive.txt, port: 80 }, periodSeconds: 2, failureThreshold: 2 }',
      ),
    )
    await cluster.emulation.sleep(1_000_000)
    const restarts = () =>
      kubectl(cluster, "get pod dying -o jsonpath='{.status.containerStatuses[0].restartCount}'")
    assert.is(await restarts(), '0')
    await cluster.emulation.sleep(4_000_000)
    assert.is(await restarts(), '1')
    assert.is(
      await events(cluster, 'dying', 'Killing'),
      'Container web failed liveness probe, will be restarted',
    )
    assert.is(
      await events(cluster, 'dying', 'Unhealthy'),
      'Liveness probe failed: HTTP probe failed with statuscode: 404',
    )
  }))

test('a pod that does not answer in time is not ready', () =>
  on(async (cluster) => {
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: mute }
spec:
  containers:
  - name: mute
    image: busybox
    command: [sh, -c, "sleep 1000 | nc -l -p 80"]
    readinessProbe: { httpGet: { path: /, port: 80 }, periodSeconds: 5, failureThreshold: 1 }
`)
    await cluster.emulation.sleep(8_000_000)
    const ip = await kubectl(cluster, "get pod mute -o jsonpath='{.status.podIP}'")
    assert.is(await ready(cluster, 'mute'), 'False')
    assert.match(
      await events(cluster, 'mute', 'Unhealthy'),
      `Get "http://${ip}:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    )
  }))

test('a preStop hook runs before the signal, and its pod is terminating meanwhile', () =>
  on(async (cluster) => {
    await cluster.apply(
      web('leaving', 'lifecycle: { preStop: { exec: { command: [sh, -c, "sleep 3; nginx -s quit"] } } }'),
    )
    await cluster.settle()
    await cluster.kubectl('delete pod leaving --wait=false')
    await cluster.emulation.sleep(2_500_000)
    assert.is(await kubectl(cluster, "get pod leaving -o jsonpath='{.status.phase}'"), 'Running')
    await cluster.emulation.sleep(1_500_000)
    assert.match(await kubectl(cluster, 'get pod leaving'), 'not found')
  }))

test.run()
