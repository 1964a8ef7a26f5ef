// `podwire up` in real time, and `run --proxy-mode all`.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { podwire, removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'

const MANIFEST = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  containers: [{ name: web, image: nginx }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 80 }]
`
const SCENARIO = `
name: One server
manifests:
  - web.yaml
  - { apiVersion: v1, kind: Pod, metadata: { name: curl }, spec: { containers: [{ name: curl, image: busybox, command: [sleep, "3600"] }] } }
steps:
  - load: { from: curl, url: "http://web/", requests: 5 }
    expect: { failed: 0, distinct: 1 }
`

const test = suite<{ directory: string }>('up')

test.before((context) => {
  context.directory = scratchDirectory()
  writeFileSync(join(context.directory, 'web.yaml'), MANIFEST)
  writeFileSync(join(context.directory, 'one.yaml'), SCENARIO)
})
test.after(({ directory }) => removeScratchDirectory(directory))

test('up tells in one line that the cluster is ready, and ends well by Ctrl-C', async ({ directory }) => {
  const file = join(directory, 'web.yaml')
  const { code, out } = await podwire(['up', '-f', file, '--dns-port', '0'], { until: /^ready/m })
  assert.is(code, 0)
  const [serving, kubeconfig, ready, ...rest] = out.split('\n')
  assert.match(serving!, /^cluster default: https:\/\/127\.0\.0\.1:\d+, DNS on 127\.0\.0\.1:\d+$/)
  assert.match(kubeconfig!, /^export KUBECONFIG=\S+\/podwire\/default\/kubeconfig$/)
  assert.is(ready, 'ready: 3 nodes, 3/3 pods, 3 services; Ctrl-C ends')
  assert.equal(rest, [''])
})

test('up names the pods that are not ready and says why', async ({ directory }) => {
  const file = join(directory, 'unready.yaml')
  const pod = (name: string, spec: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: { ${spec} }\n`
  const unknown = pod('unknown', 'containers: [{ name: c, image: "example.invalid/none:1" }]')
  const homeless = pod('homeless', 'nodeSelector: { disk: ssd }, containers: [{ name: c, image: busybox }]')
  writeFileSync(file, `${unknown}---\n${homeless}`)
  const { code, out, err } = await podwire(['up', '-f', file], { until: /Ctrl-C/ })
  assert.is(code, 0)
  assert.match(out, /^up: 3 nodes, 2\/4 pods, /m)
  assert.match(err, /^pod unknown is not ready: (ErrImagePull|ImagePullBackOff): .*example\.invalid\/none:1/m)
  assert.match(err, /^pod homeless is not ready: Unschedulable: 0\/3 nodes are available/m)
})

test('on a terminal the status is drawn over itself when it changes', async ({ directory }) => {
  const file = join(directory, 'restless.yaml')
  // Ends and is started again for ever: there is a change whenever the first status is drawn.
  const spec = 'containers: [{ name: c, image: busybox, command: [sleep, "1"] }]'
  writeFileSync(file, `apiVersion: v1\nkind: Pod\nmetadata: { name: restless }\nspec: { ${spec} }\n`)
  const { code, out } = await podwire(['up', '-f', file], { until: /\x1b\[J[\s\S]*Ctrl-C/, terminal: true })
  assert.is(code, 0)
  assert.match(out, /nodes {5}k8s-master {2}k8s-node1 {2}k8s-node2 {2}kube-proxy: userspace\n/)
  assert.match(out, /\x1b\[\d+A\r\x1b\[J/)
})

test('a bad manifest, a missing file and a bad port are told with exit code 2', async ({ directory }) => {
  writeFileSync(join(directory, 'bad.yaml'), 'apiVersion: v1\nkind: Foo\nmetadata: { name: x }\n')
  const cases: [string[], RegExp][] = [
    [['-f', join(directory, 'bad.yaml')], /bad\.yaml:1:1: was refused: .*no matches for kind "Foo"/],
    [['-f', join(directory, 'none.yaml')], /none\.yaml:1:1: no such file/],
    [['--dns-port', '70000'], /not a whole number from 0 to 65535/],
  ]
  for (const [args, message] of cases) {
    const { code, err } = await podwire(['up', ...args])
    assert.is(code, 2)
    assert.match(err, message)
  }
})

test('run --proxy-mode all compares every mode in a table', async ({ directory }) => {
  const { code, out } = await podwire(['run', join(directory, 'one.yaml'), '--proxy-mode', 'all'])
  assert.is(code, 0)
  assert.match(out, /\nmode +steps +requests +failed +p50 +p99 +rules +sync +shares\n/)
  for (const mode of ['userspace', 'iptables', 'ipvs', 'nftables'])
    assert.match(out, new RegExp(`\\n${mode} +1/1 +5 +0 +[\\d.]+ ms +[\\d.]+ ms +\\d+ +[\\d.]+ ms +100 %\\n`))
  assert.match(out, /\nshares of 10\.244\.\d+\.\d+:80\n/)
})

test.run()
