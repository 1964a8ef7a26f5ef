import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { KubeObject } from '../../src/cluster/objects.js'
import { ApiFixture, settle } from '../support/api-fixture.js'

const test = suite('kubectl get and describe')

function cluster(): ApiFixture {
  const fixture = new ApiFixture()
  fixture.runningPod('curl', { labels: { run: 'curl' } })
  fixture.admission.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'sidecar-svc', namespace: 'default' },
    spec: { clusterIP: '10.97.98.36', selector: { app: 'sidecar' }, ports: [{ port: 8080, targetPort: 80 }] },
  } as unknown as KubeObject)
  fixture.advance(37)
  return fixture
}

async function stdout(fixture: ApiFixture, line: string): Promise<string> {
  const ran = await fixture.kubectl(line)
  assert.is(ran.exitCode, 0, ran.stderr)
  return ran.stdout
}

test('tables have the columns and the spacing of the real kubectl', async () => {
  const fixture = cluster()
  assert.is(
    await stdout(fixture, 'get pods -o wide'),
    `NAME   READY   STATUS    RESTARTS   AGE   IP          NODE        NOMINATED NODE   READINESS GATES
curl   1/1     Running   0          37s   10.36.0.0   k8s-node1   <none>           <none>
`,
  )
  assert.is(
    await stdout(fixture, 'get services -o wide'),
    `NAME          TYPE        CLUSTER-IP    EXTERNAL-IP   PORT(S)    AGE   SELECTOR
sidecar-svc   ClusterIP   10.97.98.36   <none>        8080/TCP   37s   app=sidecar
`,
  )
  assert.is(
    await stdout(fixture, 'get po --show-labels --no-headers'),
    'curl   1/1   Running   0     37s   run=curl\n',
  )
  assert.is(
    await stdout(fixture, 'get pods -A -L run'),
    `NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE   RUN
default     curl   1/1     Running   0          37s   curl
`,
  )
})

test('several types are several tables whose names say the type', async () => {
  assert.is(
    await stdout(cluster(), 'get pods,svc'),
    `NAME       READY   STATUS    RESTARTS   AGE
pod/curl   1/1     Running   0          37s

NAME                  TYPE        CLUSTER-IP    EXTERNAL-IP   PORT(S)    AGE
service/sidecar-svc   ClusterIP   10.97.98.36   <none>        8080/TCP   37s
`,
  )
})

test('nothing found is told on stderr, a missing name is an error after what was found', async () => {
  const fixture = cluster()
  assert.equal(await fixture.kubectl('get cm'), {
    stdout: '',
    stderr: 'No resources found in default namespace.\n',
    exitCode: 0,
  })
  assert.is((await fixture.kubectl('get cm -A')).stderr, 'No resources found\n')
  assert.equal(await fixture.kubectl('get pod x curl -o name'), {
    stdout: 'pod/curl\n',
    stderr: 'Error from server (NotFound): pods "x" not found\n',
    exitCode: 1,
  })
  assert.equal(await fixture.kubectl('get pod x --ignore-not-found -o name'), {
    stdout: '',
    stderr: '',
    exitCode: 0,
  })
  assert.is(
    (await fixture.kubectl('get foo')).stderr,
    'error: the server doesn\'t have a resource type "foo"\n',
  )
  assert.is((await fixture.kubectl('foo')).stderr, 'error: unknown command "foo" for "kubectl"\n')
})

test('jsonpath, custom-columns, name and sort-by print what they find', async () => {
  const fixture = cluster()
  fixture.advance(60)
  fixture.runningPod('apple')
  assert.is(
    await stdout(fixture, 'get svc sidecar-svc -o jsonpath={.spec.ports}'),
    '[{"port":8080,"protocol":"TCP","targetPort":80}]',
  )
  assert.is(
    await stdout(fixture, 'get pods -o custom-columns=NAME:.metadata.name,RUN:metadata.labels.run'),
    'NAME    RUN\napple   <none>\ncurl    curl\n',
  )
  assert.is(
    await stdout(fixture, 'get pods --sort-by=.metadata.creationTimestamp -o name'),
    'pod/curl\npod/apple\n',
  )
  assert.match(
    (await fixture.kubectl('get pods -o jsonpath={.a[')).stderr,
    'error: error parsing jsonpath {.a[, unterminated array',
  )
})

test('yaml has its keys in order and its lists not indented', async () => {
  const yaml = await stdout(cluster(), 'get svc sidecar-svc -o yaml')
  assert.match(yaml, '  ports:\n  - port: 8080\n    protocol: TCP\n    targetPort: 80\n')
  assert.match(
    yaml,
    /^apiVersion: v1\nkind: Service\nmetadata:\n {2}creationTimestamp: "2021-09-13T12:00:00Z"\n/,
  )
})

test('--watch prints a row for every change until it is interrupted', async () => {
  const fixture = cluster()
  const running = fixture.startKubectl('get pods -w')
  await settle()
  fixture.runningPod('another-pod')
  await settle()
  fixture.admission.delete('pods', 'default', 'curl', {})
  await settle()
  running.interrupt()
  const { stdout: text, exitCode } = await running.ended
  assert.is(
    text,
    `NAME   READY   STATUS    RESTARTS   AGE
curl   1/1     Running   0          37s
another-pod   0/1     Pending   0          0s
another-pod   1/1     Running   0          0s
curl          1/1     Terminating   0          37s
`,
  )
  assert.is(exitCode, 130)
})

test('describe configmap prints the data as it is', async () => {
  const fixture = cluster()
  fixture.admission.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kubeadm-config', namespace: 'kube-system' },
    data: {
      ClusterConfiguration: 'networking:\n  podSubnet: 10.244.0.0/16\n  serviceSubnet: 10.96.0.0/12\n',
    },
  } as unknown as KubeObject)
  assert.is(
    await stdout(fixture, 'describe configmap kubeadm-config -n kube-system'),
    `Name:         kubeadm-config
Namespace:    kube-system
Labels:       <none>
Annotations:  <none>

Data
====
ClusterConfiguration:
----
networking:
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12



BinaryData
====

Events:  <none>
`,
  )
})

test('describe service and pod are laid out as upstream', async () => {
  const fixture = cluster()
  assert.is(
    await stdout(fixture, 'describe svc sidecar-svc'),
    `Name:                     sidecar-svc
Namespace:                default
Labels:                   <none>
Annotations:              <none>
Selector:                 app=sidecar
Type:                     ClusterIP
IP Family Policy:         SingleStack
IP Families:              IPv4
IP:                       10.97.98.36
IPs:                      10.97.98.36
Port:                     <unset>  8080/TCP
TargetPort:               80/TCP
Endpoints:                <none>
Session Affinity:         None
Internal Traffic Policy:  Cluster
Events:                   <none>
`,
  )
  const pod = await stdout(fixture, 'describe pod cu')
  assert.match(pod, 'Start Time:       Mon, 13 Sep 2021 12:00:00 +0000\n')
  assert.match(pod, '    State:          Running\n      Started:      Mon, 13 Sep 2021 12:00:00 +0000\n')
})

test.run()
