// StatefulSets, DaemonSets, Jobs and events by the newest real kubectl that is found, each answer the same as the built-in
// kubectl's, to the letter.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { kubectlBinaries, NO_KUBECTL, RealKubectl, withoutAges } from '../support/real-kubectl.js'
import { ServedCluster } from '../support/served-cluster.js'

const MANIFESTS = `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { clusterIP: None, selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web, annotations: { kubernetes.io/change-cause: first } }
spec:
  serviceName: web
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - { name: web, image: nginx, ports: [{ containerPort: 80 }], resources: { requests: { cpu: 100m, memory: 70Mi } } }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: agent, image: busybox, command: [sleep, infinity] }]
---
apiVersion: batch/v1
kind: Job
metadata: { name: pi }
spec:
  completions: 2
  template: { spec: { restartPolicy: Never, containers: [{ name: pi, image: busybox, command: [echo, "3.14"] }] } }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: tick }
spec:
  schedule: "0 3 * * *"
  jobTemplate: { spec: { template: { spec: { restartPolicy: OnFailure, containers: [{ name: tick, image: busybox, command: [date] }] } } } }
---
apiVersion: v1
kind: ReplicationController
metadata: { name: old }
spec:
  replicas: 1
  template: { metadata: { labels: { app: old } }, spec: { containers: [{ name: c, image: busybox, command: [sleep, infinity] }] } }
---
apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { user: admin, password: secret }
`

/** In order; each gives the same with both. */
const SAME = [
  'rollout status statefulset web',
  'rollout status ds/agent',
  'wait --for=condition=complete job/pi',
  'get all -o wide',
  'get statefulsets,daemonsets',
  'get jobs,cronjobs -o wide',
  'get controllerrevisions',
  'get leases -A',
  'get secrets,serviceaccounts',
  'describe statefulset web',
  'describe daemonset agent',
  'describe rc old',
  'describe job pi',
  'describe cronjob tick',
  'describe secret login',
  'describe serviceaccount default',
  'describe node k8s-node1',
  'rollout history statefulset web',
  'rollout history statefulset web --revision=1',
  'rollout history daemonset agent',
  'get events',
  'get events --field-selector involvedObject.name=web-0 -o wide',
  'events --for statefulset/web',
  'api-versions',
  'auth can-i create pods',
  'rollout status job pi',
  'rollout pause statefulset web',
  'rollout undo daemonset agent',
  'set env statefulset/web --list',
  'uncordon k8s-node1',
  'describe node k8s-master',
  'drain k8s-node1 --dry-run=client',
  'drain k8s-node1 --ignore-daemonsets --dry-run=client',
]

const [binary] = kubectlBinaries().slice(-1)
const test = suite(
  binary === undefined ? `workloads (${NO_KUBECTL})` : `workloads, kubectl ${binary.version}`,
)

/** Several times, as ages may grow between the two. */
const ATTEMPTS = 5

if (binary !== undefined) {
  test('the real kubectl and the built-in one say the same', async () => {
    const served = await ServedCluster.start()
    const kubectl = new RealKubectl(binary, served.kubeconfig)
    try {
      const real = (line: string, stdin = '') =>
        kubectl.run(line.split(' '), { cwd: served.directory, stdin })
      const applied = await real('apply -f -', MANIFESTS)
      assert.is(applied.code, 0, applied.stderr)
      // What changes between two commands is not said alike.
      await served.cluster.settle()
      for (const line of SAME) {
        for (let attempt = 1; ; attempt++) {
          const theirs = await real(line)
          const ours = await served.cluster.kubectl(line)
          const told = ours.output.split('\n').filter((text) => !ours.stdout.includes(text))
          const same = theirs.stdout === ours.stdout && told.every((text) => theirs.stderr.includes(text))
          if (same && theirs.code === ours.exitCode) break
          if (attempt < ATTEMPTS) continue
          // The machine is so busy that the ages are never those of one moment.
          assert.fixture(withoutAges(ours.stdout), withoutAges(theirs.stdout), `${line}: ${theirs.stderr}`)
          assert.ok(
            told.every((text) => theirs.stderr.includes(text)),
            `${line}: ${theirs.stderr}`,
          )
          assert.is(ours.exitCode, theirs.code, line)
          break
        }
      }
    } finally {
      kubectl.end()
      await served.close()
    }
  })
}

test.run()
