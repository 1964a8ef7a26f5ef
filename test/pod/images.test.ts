// The built-in images in a cluster under the virtual clock: what people's tutorials call in them, as packets.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunningCluster, up } from '../../src/index.js'

const test = suite('built-in images')

async function withPods(pods: string, body: (cluster: RunningCluster) => Promise<void>): Promise<void> {
  await using cluster = await up([])
  await cluster.apply(pods)
  await cluster.settle()
  await body(cluster)
}

function pod(name: string, image: string, rest = ''): string {
  return `---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec: { containers: [{ name: main, image: "${image}"${rest} }] }
`
}

test('dnsutils asks the DNS server with dig, host and nslookup, over UDP and TCP', () =>
  withPods(pod('dnsutils', 'registry.k8s.io/e2e-test-images/jessie-dnsutils:1.3'), async (cluster) => {
    const run = async (command: string) => (await cluster.exec('dnsutils', command)).stdout
    const name = 'kubernetes.default.svc.cluster.local'
    assert.is(
      await run('nslookup kubernetes.default'),
      `Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\nName:\t${name}\nAddress: 10.96.0.1\n\n`,
    )
    assert.is(await run('dig +short kubernetes +search'), '10.96.0.1\n')
    assert.is(
      await run(`dig +short +tcp SRV _https._tcp.${name} @kube-dns.kube-system`),
      `0 100 443 ${name}.\n`,
    )
    assert.is(await run('host 10.96.0.1'), `1.0.96.10.in-addr.arpa domain name pointer ${name}.\n`)
    assert.match(
      await run(`dig ${name}`),
      /;; SERVER: 10\.96\.0\.10#53.*\n;; WHEN: .*\n;; MSG SIZE {2}rcvd: [1-9]/,
    )
  }))

test.run()
