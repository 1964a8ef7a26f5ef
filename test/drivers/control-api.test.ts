// What a cluster that serves offers beside Kubernetes' API, over its sockets: the clock, connections as they come, proxies,
// wires; and what it says to bodies that are none and to those who have no token.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WatchLine } from '../../src/api/request.js'
import {
  ask,
  type ClusterAddress,
  ClusterRefusal,
  follow,
  jsonLines,
  order,
} from '../../src/drivers/cluster-client.js'
import { controlApi } from '../../src/drivers/control-api.js'
import type { FlowEvent } from '../../src/drivers/emulation.js'
import { makeCredentials } from '../../src/http/credentials.js'
import { type ApiListener, listen } from '../../src/http/server.js'
import { type RunningCluster, up } from '../../src/index.js'

const MANIFEST = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image: 'nginx' }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'curl' },
    spec: { containers: [{ name: 'curl', image: 'busybox', command: ['sleep', '1d'] }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  },
]

const test = suite<{ cluster: RunningCluster; listener: ApiListener; to: ClusterAddress }>('control API')

test.before(async (context) => {
  const cluster = await up([], { clock: 'virtual' })
  for (const object of MANIFEST) await cluster.apply(object)
  await cluster.settle()
  const credentials = await makeCredentials('127.0.0.1', 'cluster.local')
  const { api, emulation } = cluster
  const own = controlApi(emulation)
  const listener = await listen({ api, port: 0, credentials: credentials.server, own })
  const { ca, token } = credentials.client
  Object.assign(context, {
    cluster,
    listener,
    to: { server: `https://127.0.0.1:${listener.port}`, ca, token },
  })
})
test.after(async ({ cluster, listener }) => {
  await listener.close()
  await cluster.close()
})

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof ClusterRefusal) return `${error.code} ${error.message}`
    throw error
  }
  throw new Error('it was not refused')
}

test("the clock is the cluster's", async ({ cluster, to }) => {
  assert.equal(await ask(to, '/podwire/v1/clock'), { nowMicros: cluster.nowMillis * 1000 })
})

test('connections are told as they come, and a mark comes behind all that there were', async ({
  cluster,
  to,
}) => {
  const lines: WatchLine[] = []
  let marked = () => {}
  const bookmark = new Promise<void>((resolve) => {
    marked = resolve
  })
  let stop = () => {}
  await new Promise<void>((open, reject) => {
    stop = follow(to, '/podwire/v1/flows?watch=true', {
      open,
      bytes: jsonLines((line) => {
        lines.push(line as WatchLine)
        if ((line as WatchLine).type === 'BOOKMARK') marked()
      }),
      end: (error) => reject(error),
    })
  })
  await cluster.exec('curl', 'for i in 1 2 3; do wget -q -O /dev/null http://web/; done')
  await order(to, '/podwire/v1/flows', { mark: 'here' })
  await bookmark
  stop()
  assert.equal(lines.at(-1), { type: 'BOOKMARK', object: { mark: 'here' } })
  const flows = lines.slice(0, -1).map(({ object }) => object as unknown as FlowEvent)
  const web = flows.filter(({ service }) => service === 'default/web')
  assert.is(web.length, 3)
  assert.equal(
    web,
    cluster.flows.filter(({ service }) => service === 'default/web'),
  )
})

test("proxies' modes are read and changed, of one node and of all", async ({ cluster, to }) => {
  const path = '/podwire/v1/proxies'
  await order(to, path, { mode: 'ipvs:rr', node: 'k8s-node1' })
  assert.equal(await ask(to, path), {
    'k8s-master': 'userspace',
    'k8s-node1': 'ipvs:rr',
    'k8s-node2': 'userspace',
  })
  await order(to, path, { mode: 'nftables' })
  assert.is(cluster.emulation.proxyMode('k8s-node1'), 'nftables')
  assert.match(await refusal(order(to, path, { mode: 'iptable' })), /^400 .*iptable/)
  assert.match(await refusal(order(to, path, { mode: 'ipvs', node: 'none' })), /^400 .*there is no node none/)
})

test('a wire that loses everything lets nothing through until it is mended', async ({ cluster, to }) => {
  const path = '/podwire/v1/links'
  const { body } = cluster.api.request({ method: 'GET', path: '/api/v1/namespaces/default/pods/web' })
  const target = { pod: (body as { metadata: { uid: string } }).metadata.uid }
  const fetch = () => cluster.exec('curl', 'wget -q -T 2 -O /dev/null http://web/')
  await order(to, path, { target, options: { lossRatio: 1 } })
  assert.is.not((await fetch()).exitCode, 0)
  await order(to, path, { target, options: { lossRatio: 0 } })
  assert.is((await fetch()).exitCode, 0)
})

test('a cluster at rest is told so', async ({ to }) => {
  assert.equal(await order(to, '/podwire/v1/settle', { timeoutMicros: 1_000_000 }), { settled: true })
})

test('one at a time has the turn to load the cluster, until it goes', async ({ to }) => {
  const ask = (onLine: (type: string) => void) =>
    follow(to, '/podwire/v1/bench?watch=true', {
      bytes: jsonLines((line) => onLine((line as WatchLine).type)),
      end: () => {},
    })
  const answer = () => {
    let leave = () => {}
    const type = new Promise<string>((resolve) => {
      leave = ask(resolve)
    })
    return { type, leave }
  }
  const first = answer()
  assert.is(await first.type, 'ADDED')
  const second = answer()
  assert.is(await second.type, 'ERROR')
  // Who was refused frees nothing by going.
  second.leave()
  const third = answer()
  assert.is(await third.type, 'ERROR')
  third.leave()
  first.leave()
  for (;;) {
    const next = answer()
    const type = await next.type
    next.leave()
    if (type === 'ADDED') break
  }
})

test('bodies that are none are refused in words', async ({ to }) => {
  const cases: readonly (readonly [path: string, body: unknown, said: RegExp])[] = [
    ['flows', { mark: 1 }, /mark: not a text/],
    ['flows', [], /the body: not an object/],
    ['settle', { timeoutMicros: -1 }, /timeoutMicros: not a number/],
    ['proxies', {}, /mode: not a text/],
    ['links', { target: {}, options: {} }, /target: either the uid of a pod or the name of a node/],
    [
      'links',
      { target: { node: 'k8s-node1' }, options: { lossRatio: 2 } },
      /options\.lossRatio: not a number from 0 to 1/,
    ],
    ['links', { target: { node: 'k8s-node1' }, options: { los: 1 } }, /options\.los: unknown/],
    ['links', { target: { node: 'none' }, options: {} }, /there is no node none/],
  ]
  for (const [path, body, said] of cases) {
    const why = await refusal(order(to, `/podwire/v1/${path}`, body))
    assert.match(why, /^400 /)
    assert.match(why, said)
  }
  assert.match(await refusal(order(to, '/podwire/v1/clock', {})), /^405 /)
  assert.match(await refusal(ask(to, '/podwire/v1/links')), /^405 /)
})

test('nobody is told or obeyed without a token', async ({ cluster, to }) => {
  const stranger = { ...to, token: 'guessed' }
  assert.match(await refusal(ask(stranger, '/podwire/v1/clock')), /^401 /)
  assert.match(await refusal(order(stranger, '/podwire/v1/proxies', { mode: 'userspace' })), /^401 /)
  const followed = new Promise<unknown>((_, reject) => {
    follow(stranger, '/podwire/v1/flows?watch=true', { bytes: () => {}, end: (error) => reject(error) })
  })
  assert.match(await refusal(followed), /^401 /)
  assert.is(cluster.emulation.proxyMode('k8s-node2'), 'nftables')
})

test.run()
