import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { up } from '../../src/index.js'
import { ApiFixture } from '../support/api-fixture.js'

const test = suite('kubectl config')

async function run(fixture: ApiFixture, line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await fixture.kubectl(line)
  return exitCode === 0 ? stdout : `${exitCode} ${stderr}`
}

test('the namespace of the current context holds for later commands, until -n', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('web')
  assert.match(await run(fixture, 'get pods'), 'web')
  assert.is(
    await run(fixture, 'config set-context --current --namespace=kube-system'),
    'Context "podwire" modified.\n',
  )
  assert.is((await fixture.kubectl('get pods')).stderr, 'No resources found in kube-system namespace.\n')
  assert.match(await run(fixture, 'get pods -n default'), 'web')
  assert.is(
    await run(fixture, 'config get-contexts'),
    `CURRENT   NAME      CLUSTER   AUTHINFO   NAMESPACE
*         podwire   podwire   podwire    kube-system
`,
  )
  assert.is(await run(fixture, 'config view --minify -o jsonpath={..namespace}'), 'kube-system')
})

test("a cluster's host shell remembers it", async () => {
  await using cluster = await up([])
  await cluster.kubectl('config set-context --current --namespace=kube-system')
  await cluster.settle()
  assert.match((await cluster.kubectl('get pods')).output, 'coredns')
})

test('contexts are made and used', async () => {
  const fixture = new ApiFixture()
  const made = 'config set-context dev --namespace=dev --cluster=podwire --user=podwire'
  assert.is(await run(fixture, made), 'Context "dev" created.\n')
  assert.is(await run(fixture, 'config use-context dev'), 'Switched to context "dev".\n')
  assert.is(await run(fixture, 'config current-context'), 'dev\n')
  assert.is((await fixture.kubectl('get pods')).stderr, 'No resources found in dev namespace.\n')
  assert.is(
    (await fixture.kubectl('get pods --context podwire')).stderr,
    'No resources found in default namespace.\n',
  )
  assert.is(
    await run(fixture, 'config use-context nope'),
    '1 error: no context exists with the name: "nope"\n',
  )
})

test('a kubeconfig of another cluster is left alone', async () => {
  const fixture = new ApiFixture()
  fixture.fs.makeDirectory('/.kube')
  fixture.fs.writeFile(
    '/.kube/config',
    'clusters: [{ name: far, cluster: { server: "https://far:6443" } }]\ncurrent-context: far\ncontexts: [{ name: far, context: { cluster: far, namespace: x } }]\n',
  )
  assert.is(await run(fixture, 'config current-context'), 'podwire\n')
})

test.run()
