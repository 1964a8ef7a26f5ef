// Files of ConfigMaps and Secrets in containers: their texts, their modes, and what changes under them.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunningCluster, up } from '../../src/index.js'

const test = suite('volumes')

async function on(body: (cluster: RunningCluster) => Promise<void>): Promise<void> {
  const cluster = await up([], { clock: 'virtual' })
  try {
    await body(cluster)
  } finally {
    await cluster.close()
  }
}

/** A pod `shown` with one volume, at /page. */
function podWith(volume: string): string {
  return `
apiVersion: v1
kind: Pod
metadata: { name: shown }
spec:
  volumes: [{ name: page, ${volume} }]
  containers:
  - name: web
    image: nginx
    volumeMounts: [{ name: page, mountPath: /page }]
`
}

test('a mounted ConfigMap shows its new files and no old ones', () =>
  on(async (cluster) => {
    await cluster.kubectl('create configmap page --from-literal=a=1 --from-literal=b=2')
    await cluster.apply(podWith('configMap: { name: page }'))
    await cluster.settle()
    await cluster.kubectl(`patch configmap page -p '{"data":{"a":"3","b":null,"c":"4"}}'`)
    const { stdout } = await cluster.exec(
      'shown',
      'cd /page; for file in *; do echo $file $(cat $file); done',
    )
    assert.is(stdout, 'a 3\nc 4\n')
  }))

const SCRIPT = "--from-literal=run='#!/bin/sh\necho ran'"

test('a script of a ConfigMap runs by its path when its mode says so', () =>
  on(async (cluster) => {
    await cluster.kubectl(`create configmap page ${SCRIPT}`)
    await cluster.apply(podWith('configMap: { name: page, defaultMode: 0755 }'))
    await cluster.settle()
    const run = await cluster.exec('shown', 'stat -c %a /page/run; /page/run; [ -x /page/run ]')
    assert.equal([run.stdout, run.stderr, run.exitCode], ['755\nran\n', '', 0])
    await cluster.kubectl(`patch configmap page -p '{"data":{"late":"#!/bin/sh\\necho later"}}'`)
    const later = await cluster.exec('shown', '/page/late')
    assert.equal([later.stdout, later.exitCode], ['later\n', 0])
  }))

test('without a mode it is refused, by 126', () =>
  on(async (cluster) => {
    await cluster.kubectl(`create configmap page ${SCRIPT}`)
    await cluster.apply(podWith('configMap: { name: page }'))
    await cluster.settle()
    const { stdout, stderr, exitCode } = await cluster.exec('shown', 'stat -c %a /page/run; /page/run')
    assert.equal([stdout, exitCode], ['644\n', 126])
    assert.match(stderr, /\/page\/run: Permission denied/)
  }))

test("the mode of an item, octal or decimal, goes before its Secret's", () =>
  on(async (cluster) => {
    await cluster.kubectl('create secret generic s --from-literal=a=1 --from-literal=b=2 --from-literal=c=3')
    const items = '[{ key: a, path: a, mode: 0o500 }, { key: b, path: d/b, mode: 288 }, { key: c, path: c }]'
    await cluster.apply(podWith(`secret: { secretName: s, defaultMode: 0600, items: ${items} }`))
    await cluster.settle()
    const { stdout } = await cluster.exec('shown', 'cd /page; stat -c "%a %n" a d/b c')
    assert.is(stdout, '500 a\n440 d/b\n600 c\n')
  }))

test.run()
