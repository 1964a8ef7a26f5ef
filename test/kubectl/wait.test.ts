import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment } from '../../src/cluster/objects.js'
import { ApiFixture, settle } from '../support/api-fixture.js'

const test = suite('kubectl wait, delete, rollout and small changes')

test('wait returns at once when the condition holds, and when it comes to hold', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  assert.is((await fixture.kubectl('wait --for=condition=Ready pod/curl')).stdout, 'pod/curl condition met\n')
  await fixture.kubectl('run late --image=busybox')
  const running = fixture.startKubectl('wait --for=condition=ready pod/late --timeout=10s')
  await settle()
  assert.is(running.stdout(), '')
  fixture.start(fixture.store.get('pods', 'default', 'late')!)
  assert.is((await running.ended).stdout, 'pod/late condition met\n')
})

test('wait fails when time is up, with the object in the message', async () => {
  const fixture = new ApiFixture()
  await fixture.kubectl('run late --image=busybox')
  const running = fixture.startKubectl('wait --for=condition=Ready pod/late --timeout=10s')
  await settle()
  fixture.advance(11)
  assert.equal(await running.ended, {
    stdout: '',
    stderr: 'error: timed out waiting for the condition on pods/late\n',
    exitCode: 1,
  })
})

test('wait knows jsonpath and delete, and refuses what it does not know', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  const wait = (line: string) => fixture.kubectl(`wait ${line}`)
  assert.is(
    (await wait('pod/curl --for=jsonpath={.status.phase}=Running')).stdout,
    'pod/curl condition met\n',
  )
  assert.is(
    (await wait('pod/nope --for=condition=Ready')).stderr,
    'Error from server (NotFound): pods "nope" not found\n',
  )
  assert.is((await wait('pod/curl')).stderr, 'error: unrecognized condition: ""\n')
  assert.is((await wait('pods -l a=b --for=condition=Ready')).stderr, 'error: no matching resources found\n')
  const running = fixture.startKubectl('wait --for=delete pod/curl')
  await settle()
  fixture.store.remove('pods', 'default', 'curl')
  assert.is((await running.ended).stdout, 'pod/curl condition met\n')
})

test('delete waits until the pod is gone', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  const running = fixture.startKubectl('delete pod curl')
  let ended = false
  void running.ended.then(() => {
    ended = true
  })
  await settle()
  assert.is(running.stdout(), 'pod "curl" deleted\n')
  assert.is(ended, false)
  fixture.store.remove('pods', 'default', 'curl')
  assert.is((await running.ended).exitCode, 0)
})

test('delete --force --grace-period=0 is told and warned of', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  const ran = await fixture.kubectl('delete pod curl --force --grace-period=0')
  assert.is(ran.stdout, 'pod "curl" force deleted\n')
  assert.match(ran.stderr, 'Warning: Immediate deletion does not wait for confirmation')
  assert.is(
    (await fixture.kubectl('delete pod curl')).stderr,
    'Error from server (NotFound): pods "curl" not found\n',
  )
  assert.is(
    (await fixture.kubectl('delete pod')).stderr,
    'error: resource(s) were provided, but no name was specified\n',
  )
})

test('rollout status tells each step of a rollout once', async () => {
  const fixture = new ApiFixture()
  await fixture.kubectl('create deployment web --image=nginx --replicas=2')
  const status = (replicas: number, updated: number, available: number) => {
    const deployment = fixture.store.get<Deployment>('deployments', 'default', 'web')!
    const { generation = 1 } = deployment.metadata
    fixture.store.update<Deployment>({
      ...deployment,
      status: {
        observedGeneration: generation,
        replicas,
        updatedReplicas: updated,
        availableReplicas: available,
      },
    })
  }
  const running = fixture.startKubectl('rollout status deployment/web')
  await settle()
  for (const [replicas, updated, available] of [
    [2, 1, 0],
    [3, 2, 1],
    [2, 2, 1],
    [2, 2, 2],
  ] as const) {
    status(replicas, updated, available)
    await settle()
  }
  assert.is(
    (await running.ended).stdout,
    `Waiting for deployment spec update to be observed...
Waiting for deployment "web" rollout to finish: 1 out of 2 new replicas have been updated...
Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...
Waiting for deployment "web" rollout to finish: 1 of 2 updated replicas are available...
deployment "web" successfully rolled out
`,
  )
})

test('label, annotate, patch, set image and expose say what they did', async () => {
  const fixture = new ApiFixture()
  await fixture.kubectl('create deployment web --image=nginx --port=80')
  const lines: [string, string][] = [
    ['label deploy web tier=front', 'deployment.apps/web labeled\n'],
    ['label deploy web tier=front', 'deployment.apps/web not labeled\n'],
    ['label deploy web tier-', 'deployment.apps/web unlabeled\n'],
    ['annotate deploy/web note=x', 'deployment.apps/web annotated\n'],
    ['patch deploy web -p {"spec":{"replicas":3}}', 'deployment.apps/web patched\n'],
    ['patch deploy web -p {"spec":{"replicas":3}}', 'deployment.apps/web patched (no change)\n'],
    ['set image deploy/web nginx=nginx:2', 'deployment.apps/web image updated\n'],
    ['expose deployment web --target-port=8080', 'service/web exposed\n'],
    ['rollout restart deploy web', 'deployment.apps/web restarted\n'],
    ['create configmap c --from-literal=a=b', 'configmap/c created\n'],
    ['create ns training', 'namespace/training created\n'],
  ]
  for (const [line, output] of lines) {
    const ran = await fixture.kubectl(line)
    assert.is(ran.stdout, output, `${line}: ${ran.stderr}`)
  }
  assert.is(
    (await fixture.kubectl('label deploy web app=x')).stderr,
    "error: 'app' already has a value (web), and --overwrite is false\n",
  )
})

test('an invalid object is told cause by cause', async () => {
  const { stderr } = await new ApiFixture().kubectl('create service clusterip BAD --tcp=0')
  assert.match(stderr, /^The Service "BAD" is invalid: \n\* metadata\.name: Invalid value: "BAD": /)
  assert.match(stderr, '\n* spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive\n')
})

test('port-forward says who can do it', async () => {
  const { stderr, exitCode } = await new ApiFixture().kubectl('port-forward pod/x 80')
  assert.match(stderr, /^error: port-forward listens on a port of your machine, .*: use a real kubectl/)
  assert.is(exitCode, 1)
})

test.run()
