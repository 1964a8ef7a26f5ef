// The DNS server of a running cluster with a Corefile of one's own: forwarding as packets, autopath by the asking pod,
// the log, and what happens to names that nobody knows.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { recordRow } from '../../src/dns/presentation.js'
import { lookup } from '../../src/drivers/dns-lookup.js'
import type { EmulationOptions } from '../../src/drivers/emulation.js'
import { type RunningCluster, up } from '../../src/index.js'

const test = suite('DNS of a running cluster')

const CURL = `apiVersion: v1
kind: Pod
metadata: { name: curl }
spec:
  containers: [{ name: curl, image: "radial/busyboxplus:curl", command: ["sleep", "100000"] }]
`

/** The server forwards to itself on another port; the first upstream does not exist. */
const COREFILE = `.:53 {
    log
    autopath @kubernetes
    kubernetes cluster.local in-addr.arpa {
        pods verified
    }
    forward . 10.244.0.99 10.244.0.2:1053
}
example.org:1053 {
    hosts {
        192.0.2.77 www.example.org
    }
}
`

async function on(options: EmulationOptions, body: (cluster: RunningCluster) => Promise<void>) {
  await using cluster = await up([], options)
  await cluster.apply(CURL)
  await cluster.settle()
  await body(cluster)
}

const configured = (Corefile: string): EmulationOptions => ({
  cluster: { proxyMode: 'iptables', dns: { replicas: 1, config: { Corefile } } },
})

test('a question is forwarded as packets, to the next server when one does not answer', () =>
  on(configured(COREFILE), async ({ emulation }) => {
    const start = emulation.now()
    const ask = () => lookup(emulation, { name: 'www.example.org', type: 'A' })
    const message = await ask()
    assert.equal(message!.answers.map(recordRow), [
      { name: 'www.example.org.', ttl: 3600, type: 'A', data: '192.0.2.77' },
    ])
    assert.ok(emulation.now() - start >= 2_000_000, 'the first server got its time')
    const again = emulation.now()
    await ask()
    assert.ok(emulation.now() - again < 100_000, 'and is asked last from then on')
  }))

test('autopath knows the search list of the pod that asks, and the log tells every question', () =>
  on(configured(COREFILE), async (cluster) => {
    const { stdout } = await cluster.exec('curl', 'nslookup www.example.org')
    assert.match(stdout, 'Address 1: 192.0.2.77')
    const { stdout: log } = await cluster.kubectl('logs -n kube-system deploy/coredns')
    assert.match(
      log,
      /\[INFO\] 10\.244\.1\.\d+:\d+ - \d+ "A IN www\.example\.org\.default\.svc\.cluster\.local\. udp 59 false 512" NOERROR qr,aa,rd /,
    )
    assert.not.match(log, 'www.example.org.svc.cluster.local')
  }))

test('a Corefile that cannot be used ends the server with the place of what is wrong', async () => {
  await using cluster = await up([], configured('.:53 {\n  kubernetes cluster.local {\n    magic\n  }\n}\n'))
  await cluster.settle()
  const { stdout } = await cluster.kubectl('logs -n kube-system deploy/coredns')
  assert.is(stdout, "Corefile:3:5: kubernetes: 'magic' is not supported\n")
})

test('a name outside, with nobody to ask, fails at once', () =>
  on({}, async (cluster) => {
    const start = cluster.emulation.now()
    const { exitCode, output } = await cluster.exec('curl', 'curl http://example.com/')
    assert.is(exitCode, 6)
    assert.match(output, 'curl: (6) Could not resolve host: example.com')
    assert.ok(cluster.emulation.now() - start < 1_000_000)
  }))

test.run()
