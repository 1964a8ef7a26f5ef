import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Secret } from '../../src/cluster/objects.js'
import type { Job } from '../../src/cluster/workload-objects.js'
import { ApiFixture } from '../support/api-fixture.js'

const test = suite('kubectl create, apply, scale')

const SIDECAR = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: sidecar-app
spec:
  replicas: 2
  selector:
    matchLabels: {app: sidecar}
  template:
    metadata:
      labels: {app: sidecar}
    spec:
      containers:
      - {name: web, image: nginx, ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: sidecar-svc}
spec:
  clusterIP: 10.97.98.36
  selector: {app: sidecar}
  ports: [{port: 8080, targetPort: 80}]
`

function withSidecar(): ApiFixture {
  const fixture = new ApiFixture()
  fixture.fs.writeFile('/sidecar.yml', SIDECAR)
  return fixture
}

test('every document of a file is created, and each is named', async () => {
  const ran = await withSidecar().kubectl('create -f sidecar.yml')
  assert.equal(ran, {
    stdout: 'deployment.apps/sidecar-app created\nservice/sidecar-svc created\n',
    stderr: '',
    exitCode: 0,
  })
})

test('a second create of the same file fails for each object', async () => {
  const fixture = withSidecar()
  await fixture.kubectl('create -f sidecar.yml')
  const { stderr, exitCode } = await fixture.kubectl('create -f sidecar.yml')
  assert.is(
    stderr,
    'Error from server (AlreadyExists): error when creating "sidecar.yml": deployments.apps "sidecar-app" already exists\n' +
      'Error from server (AlreadyExists): error when creating "sidecar.yml": services "sidecar-svc" already exists\n',
  )
  assert.is(exitCode, 1)
})

test('a file that is not there, and one that is no YAML, are told as kubectl tells them', async () => {
  const fixture = withSidecar()
  fixture.fs.writeFile('/broken.yml', 'apiVersion: v1\nkind: Pod: x\n')
  assert.is((await fixture.kubectl('create -f x.yml')).stderr, 'error: the path "x.yml" does not exist\n')
  assert.is(
    (await fixture.kubectl('create -f broken.yml')).stderr,
    'error: error parsing broken.yml: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context\n',
  )
})

test('apply says created, then unchanged, then configured', async () => {
  const fixture = withSidecar()
  const lines = async () => (await fixture.kubectl('apply -f sidecar.yml')).stdout
  assert.is(await lines(), 'deployment.apps/sidecar-app created\nservice/sidecar-svc created\n')
  assert.is(await lines(), 'deployment.apps/sidecar-app unchanged\nservice/sidecar-svc unchanged\n')
  fixture.fs.writeFile('/sidecar.yml', SIDECAR.replace('replicas: 2', 'replicas: 3'))
  assert.is(await lines(), 'deployment.apps/sidecar-app configured\nservice/sidecar-svc unchanged\n')
})

test('an unknown field is refused, or only warned of with --validate=warn', async () => {
  const fixture = new ApiFixture()
  fixture.fs.writeFile('/c.yml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndatas: {a: b}\n')
  assert.is(
    (await fixture.kubectl('create -f c.yml')).stderr,
    'Error from server (BadRequest): error when creating "c.yml": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "datas"\n',
  )
  assert.equal(await fixture.kubectl('create -f c.yml --validate=warn'), {
    stdout: 'configmap/c created\n',
    stderr: 'Warning: unknown field "datas"\n',
    exitCode: 0,
  })
})

test('scale changes what the deployment wants', async () => {
  const fixture = withSidecar()
  await fixture.kubectl('create -f sidecar.yml')
  const ran = await fixture.kubectl('scale deployment sidecar-app --replicas=5')
  assert.is(ran.stdout, 'deployment.apps/sidecar-app scaled\n')
  const table = await fixture.kubectl('get deploy sidecar-app')
  assert.is(
    table.stdout,
    'NAME          READY   UP-TO-DATE   AVAILABLE   AGE\nsidecar-app   0/5     0            0           0s\n',
  )
})

test('jobs, cron jobs, secrets and service accounts are made from flags', async () => {
  const fixture = new ApiFixture()
  const made = async (words: readonly string[]) => {
    const { stdout, stderr } = await fixture.kubectl(words)
    return stdout + stderr
  }
  const echo = ['--image=busybox', '--', 'echo', 'hello']
  assert.is(await made(['create', 'job', 'once', ...echo]), 'job.batch/once created\n')
  const schedule = ['create', 'cj', 'often', '--schedule=*/5 * * * *']
  assert.is(await made([...schedule, ...echo]), 'cronjob.batch/often created\n')
  const now = ['create', 'job', 'now', '--from=cronjob/often']
  assert.is(await made(now), 'job.batch/now created\n')
  const job = fixture.store.get<Job>('jobs', 'default', 'now')!
  assert.equal(job.spec.template.spec.containers[0]?.command, ['echo', 'hello'])
  assert.is(job.metadata.ownerReferences?.[0]?.name, 'often')
  assert.is(job.metadata.annotations?.['cronjob.kubernetes.io/instantiate'], 'manual')
  assert.is(await made(['create', 'sa', 'robot']), 'serviceaccount/robot created\n')
  const secret = ['create', 'secret', 'generic', 'door', '--from-literal=key=open sesame']
  assert.is(await made(secret), 'secret/door created\n')
  assert.equal(fixture.store.get<Secret>('secrets', 'default', 'door')?.data, { key: 'b3BlbiBzZXNhbWU=' })
})

test('what cannot be made from flags is told', async () => {
  const fixture = new ApiFixture()
  const told = async (line: string) => (await fixture.kubectl(line)).stderr
  assert.is(await told('create job x'), 'error: either --image or --from must be specified\n')
  assert.is(await told('create cronjob x --image=y'), 'error: required flag(s) "schedule" not set\n')
  assert.is(
    await told('create job x --from=cronjob/none'),
    'Error from server (NotFound): cronjobs.batch "none" not found\n',
  )
})

test.run()
