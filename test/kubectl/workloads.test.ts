// Stories told with the built-in kubectl on a whole cluster under the virtual clock. That it says what the real one
// does is test/acceptance/workloads.test.ts.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clusterOfManifests } from '../../src/scenario/cluster-of-manifests.js'
import type { RunningCluster } from '../../src/scenario/running-cluster.js'
import { world } from '../../src/scenario/world.js'

const test = suite('kubectl with workloads')

const container = { name: 'web', image: 'nginx', env: [{ name: 'A', value: '1' }] }
const template = {
  metadata: { labels: { app: 'web' } },
  spec: { terminationGracePeriodSeconds: 1, containers: [container] },
}
const selector = { matchLabels: { app: 'web' } }
const MANIFESTS = [
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web' },
    spec: { serviceName: 'web', replicas: 2, selector, template },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent' },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: { ...template, metadata: { labels: { app: 'agent' } } },
    },
  },
]

/** Runs `tell` on a cluster of its own; `kubectl` gives the output of what must succeed. */
async function onCluster(
  tell: (cluster: RunningCluster, kubectl: (line: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  await using cluster = await clusterOfManifests([], { clock: 'virtual' }, world)
  for (const manifest of MANIFESTS) await cluster.apply(manifest)
  await cluster.settle()
  await tell(cluster, async (line) => {
    const { exitCode, output } = await cluster.kubectl(line)
    assert.is(exitCode, 0, `${line}: ${output}`)
    return output
  })
}

test('a rollout of a StatefulSet is followed, shown and undone', () =>
  onCluster(async (_cluster, kubectl) => {
    assert.is(await kubectl('set env sts/web A=2 B-'), 'statefulset.apps/web env updated\n')
    assert.match(await kubectl('rollout status sts web'), /partitioned roll out complete: 2 new pods/)
    assert.is(
      await kubectl('get pods -l app=web -o jsonpath={.items[*].spec.containers[0].env[0].value}'),
      '2 2',
    )
    assert.is(
      await kubectl('rollout history sts/web'),
      'statefulset.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n',
    )
    assert.is(await kubectl('rollout undo sts/web'), 'statefulset.apps/web rolled back\n')
    await kubectl('rollout status sts/web')
    assert.is(
      await kubectl('get pods -l app=web -o jsonpath={.items[*].spec.containers[0].env[0].value}'),
      '1 1',
    )
    assert.match(await kubectl('rollout history sts/web'), /CHANGE-CAUSE\n2 {9}<none>\n3 {9}<none>/)
  }))

test('a node is drained of what may leave it', () =>
  onCluster(async (cluster, kubectl) => {
    const refused = await cluster.kubectl('drain k8s-node1')
    assert.is(refused.exitCode, 1)
    assert.match(refused.output, /cannot delete DaemonSet-managed Pods \(use --ignore-daemonsets to ignore\)/)
    const drained = await kubectl('drain k8s-node1 --ignore-daemonsets')
    assert.match(drained, /^node\/k8s-node1 already cordoned\nWarning: ignoring DaemonSet-managed Pods/)
    assert.match(drained, /evicting pod default\/web-0\npod\/web-0 evicted\nnode\/k8s-node1 drained\n$/)
    await cluster.settle()
    assert.is(await kubectl('get pod web-0 -o jsonpath={.spec.nodeName}'), 'k8s-node2')
    assert.is(await kubectl('uncordon k8s-node1'), 'node/k8s-node1 uncordoned\n')
    assert.match(
      await kubectl('events --for node/k8s-node1'),
      /Normal +NodeNotSchedulable +Node\/k8s-node1 +Node k8s-node1 status is now: NodeNotSchedulable/,
    )
  }))

test('a drain goes as fast as a disruption budget allows', () =>
  onCluster(async (cluster, kubectl) => {
    await kubectl('create deployment shop --image=nginx --replicas=3')
    await cluster.apply({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'shop' },
      spec: { minAvailable: 2, selector: { matchLabels: { app: 'shop' } } },
    })
    await kubectl('cordon k8s-node1')
    await kubectl('rollout restart deployment shop')
    await kubectl('rollout status deployment shop')
    assert.match(await kubectl('get pdb'), /shop {3}2 {15}N\/A {15}1 /)
    await kubectl('uncordon k8s-node1')
    const { exitCode, output } = await cluster.kubectl(
      'drain k8s-node2 --ignore-daemonsets --pod-selector app=shop',
    )
    assert.is(exitCode, 0, output)
    const refusal =
      /error when evicting pods\/"shop-\w+-\w+" -n "default" \(will retry after 5s\): Cannot evict pod as it would violate the pod's disruption budget\./
    assert.match(output, refusal)
    assert.is(output.match(/pod\/shop-\w+-\w+ evicted/g)?.length, 3)
    await kubectl('patch pdb shop --type merge -p {"spec":{"minAvailable":3}}')
    const stuck = await cluster.kubectl(
      'drain k8s-node1 --ignore-daemonsets --pod-selector app=shop --timeout=7s',
    )
    assert.is(stuck.exitCode, 1)
    assert.match(
      stuck.output,
      /error when evicting pods\/"shop-\w+-\w+" -n "default": global timeout reached: 7s/,
    )
  }))

test('an object is changed in an editor', () =>
  onCluster(async (cluster, kubectl) => {
    const edit = (editor: string) => cluster.shell(`KUBE_EDITOR="${editor}" kubectl edit sts web`)
    assert.is((await edit("sed -i 's/replicas: 2/replicas: 1/'")).output, 'statefulset.apps/web edited\n')
    assert.is(await kubectl('get sts web -o jsonpath={.spec.replicas}'), '1')
    assert.is((await edit('true')).output, 'Edit cancelled, no changes made.\n')
    const failed = await edit('false')
    assert.is(failed.exitCode, 1)
    assert.match(failed.output, /there was a problem with the editor "false"/)
  }))

test('files are copied to a container and back, by name, into a directory, as a tree', () =>
  onCluster(async (cluster, kubectl) => {
    const shell = async (line: string) => {
      const { exitCode, output } = await cluster.shell(line)
      assert.is(exitCode, 0, `${line}: ${output}`)
      return output
    }
    await shell('mkdir -p /tmp/tree/deep; echo one > /tmp/tree/a.txt; echo two > /tmp/tree/deep/b.txt')
    await kubectl('cp /tmp/tree/a.txt web-0:/tmp/renamed.txt')
    await kubectl('cp /tmp/tree/a.txt default/web-0:/tmp')
    await kubectl('cp /tmp/tree web-0:/tmp/there')
    const cat = 'cat /tmp/renamed.txt /tmp/a.txt /tmp/there/deep/b.txt'
    assert.is(await kubectl(`exec web-0 -- ${cat}`), 'one\none\ntwo\n')
    await kubectl('cp web-0:/tmp/there /tmp/back')
    await kubectl('cp web-0:/tmp/renamed.txt /tmp/tree')
    assert.is(await shell('cat /tmp/back/deep/b.txt /tmp/tree/renamed.txt'), 'two\none\n')
    const missing = await cluster.kubectl('cp /tmp/none web-0:/tmp')
    assert.is(missing.output, "error: /tmp/none doesn't exist in local filesystem\n")
    const absent = await cluster.kubectl('cp web-0:/none /tmp/x')
    assert.is(absent.exitCode, 1)
  }))

test.run()
