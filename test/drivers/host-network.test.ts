// Pods on their node's network, and ports of a node that lead to pods, under both drivers.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClockKind } from '../../src/drivers/emulation.js'
import { type RunningCluster, up } from '../../src/index.js'
import { until } from '../support/patience.js'

const HOSTWEB = `
apiVersion: v1
kind: Pod
metadata: { name: hostweb, labels: { app: hostweb } }
spec:
  hostNetwork: true
  nodeName: k8s-node1
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: nginx
    command: [sh, -c, 'hostname > /usr/share/nginx/html/index.html; exec nginx -g "daemon off;"']
    ports: [{ containerPort: 80 }]
    readinessProbe: { httpGet: { path: /, port: 80 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: hostweb }
spec:
  selector: { app: hostweb }
  ports: [{ port: 8000, targetPort: 80 }]
---
`

const MAPPED = `
apiVersion: v1
kind: Pod
metadata: { name: mapped }
spec:
  nodeName: k8s-node2
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: nginx
    command: [sh, -c, 'hostname > /usr/share/nginx/html/index.html; exec nginx -g "daemon off;"']
    ports: [{ containerPort: 80, hostPort: 8080 }]
---
`

const CURL = `
apiVersion: v1
kind: Pod
metadata: { name: curl }
spec:
  nodeName: k8s-node2
  terminationGracePeriodSeconds: 0
  containers: [{ name: curl, image: "radial/busyboxplus:curl", command: ["sleep", "100000"] }]
`

const NODE1 = '192.168.56.11'
const NODE2 = '192.168.56.12'

async function kubectl(cluster: RunningCluster, line: string): Promise<string> {
  const { output } = await cluster.kubectl(line)
  return output.trim()
}

async function fetched(cluster: RunningCluster, url: string): Promise<string> {
  const { stdout, exitCode } = await cluster.exec('curl', `curl -s -m 60 ${url}`)
  return exitCode === 0 ? stdout.trim() : `exit ${exitCode}`
}

const natRules = async (cluster: RunningCluster, node: string) =>
  (await cluster.emulation.execOnNode(node, 'iptables-save -t nat')).stdout

for (const clock of ['virtual', 'real'] as const satisfies readonly ClockKind[]) {
  const test = suite(`host network and host ports, ${clock} clock`)

  test('a pod on its node is reached at the node, and through a Service', async () => {
    const cluster = await up([], { clock })
    try {
      await cluster.apply(HOSTWEB + CURL)
      await cluster.settle()
      assert.is(
        await kubectl(
          cluster,
          `get pod hostweb -o jsonpath='{.status.podIP} {.status.hostIP} {.spec.containers[0].ports[0].hostPort}'`,
        ),
        `${NODE1} ${NODE1} 80`,
      )
      assert.is(await fetched(cluster, `http://${NODE1}/`), 'k8s-node1')
      assert.is(await fetched(cluster, 'http://hostweb:8000/'), 'k8s-node1')
      assert.is(
        await kubectl(cluster, "get endpoints hostweb -o jsonpath='{.subsets[0].addresses[0].ip}'"),
        NODE1,
      )
      assert.match((await cluster.exec('hostweb', 'ip addr')).stdout, /cni0/)
      assert.is((await cluster.exec('hostweb', 'cat /etc/resolv.conf')).stdout, '')
      const late = HOSTWEB.replaceAll('name: hostweb', 'name: late').split('---')[0]!
      await cluster.apply(late.replace('name: late', 'name: refused'))
      // One that does not say which port it takes finds out itself.
      await cluster.apply(late.replace(/ {4}ports: .*\n/, ''))
      const says = async (command: string, pattern: RegExp) =>
        until(
          async () => pattern.test(await kubectl(cluster, command)),
          command,
          () => cluster.sleep(100),
        )
      await says('logs late', /bind\(\) to 0\.0\.0\.0:80 failed/)
      await says('get pod refused', /0\/1 +NodePorts/)
      await cluster.kubectl('delete pod late refused')
      // One port space: the node cannot listen where the pod does, and can once it is gone.
      const listen = () => cluster.emulation.execOnNode('k8s-node1', 'timeout 3 nc -l -p 80 </dev/null')
      assert.match((await listen()).stderr, /in use/i)
      await cluster.kubectl('delete pod hostweb')
      await cluster.settle()
      assert.not.match((await listen()).stderr, /in use/i)
      assert.is(await fetched(cluster, `http://${NODE1}/`), 'exit 7')
    } finally {
      await cluster.close()
    }
  })

  for (const proxyMode of ['userspace', 'iptables', 'nftables', 'ipvs']) {
    test(`${proxyMode}: a host port leads to its pod from everywhere, and goes with it`, async () => {
      const cluster = await up([], { clock, proxyMode })
      try {
        await cluster.apply(HOSTWEB + MAPPED + CURL)
        await cluster.settle()
        assert.is(await fetched(cluster, `http://${NODE2}:8080/`), 'mapped')
        assert.is(await fetched(cluster, 'http://hostweb:8000/'), 'k8s-node1')
        const throughService = await cluster.exec('hostweb', 'wget -q -O - $HOSTWEB_SERVICE_HOST:8000')
        assert.is(throughService.stdout, 'k8s-node1\n')
        const itself = await cluster.exec('mapped', `wget -q -O - http://${NODE2}:8080/`)
        assert.is(itself.stdout, 'mapped\n')
        for (const [node, host] of [
          ['k8s-node1', NODE2],
          ['k8s-node2', NODE2],
          ['k8s-node2', '127.0.0.1'],
        ] as const) {
          const answer = await cluster.emulation.execOnNode(node, `wget -q -O - http://${host}:8080/`)
          assert.is(answer.stdout, 'mapped\n', `${host} from ${node}`)
        }
        assert.is(await fetched(cluster, `http://${NODE1}:8080/`), 'exit 7')
        await cluster.kubectl('delete pod mapped')
        await cluster.settle()
        assert.not.match(await natRules(cluster, 'k8s-node2'), /CNI-DN-/)
        assert.is(await fetched(cluster, `http://${NODE2}:8080/`), 'exit 7')
      } finally {
        await cluster.close()
      }
    })
  }

  test('the logs of a pod that has ended stay, its address is free again', async () => {
    const cluster = await up([], { clock })
    try {
      await cluster.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'job' },
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'main', image: 'busybox', command: ['sh', '-c', 'echo done'] }],
        },
      })
      await cluster.settle()
      assert.is(
        await kubectl(cluster, "wait --for=jsonpath='{.status.phase}'=Succeeded pod/job"),
        'pod/job condition met',
      )
      const ip = await kubectl(cluster, "get pod job -o jsonpath='{.status.podIP}'")
      assert.match(ip, /^10\./)
      assert.is(await kubectl(cluster, 'logs job'), 'done')
      await cluster.kubectl('delete pod job')
      assert.match(await kubectl(cluster, 'get pods'), /No resources/)
    } finally {
      await cluster.close()
    }
  })

  test.run()
}
