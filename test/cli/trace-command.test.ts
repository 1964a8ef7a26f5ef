// `podwire trace` and `podwire dump` on real packets: what they say of the cases that people ask about.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runCommandLine } from '../../src/cli/command.js'
import { world } from '../../src/scenario/world.js'
import type { Explanation } from '../../src/trace/explanation.js'

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: host }
spec:
  selector: { app: host }
  ports: [{ port: 8000, targetPort: 80 }]
---
apiVersion: v1
kind: Pod
metadata: { name: host, labels: { app: host } }
spec:
  nodeName: k8s-node2
  hostNetwork: true
  containers: [{ name: web, image: nginx }]
---
apiVersion: v1
kind: Service
metadata: { name: local }
spec:
  type: NodePort
  externalTrafficPolicy: Local
  selector: { app: only }
  ports: [{ port: 80, nodePort: 30080 }]
---
apiVersion: v1
kind: Service
metadata: { name: self }
spec:
  selector: { app: only }
  ports: [{ port: 80 }]
---
apiVersion: v1
kind: Service
metadata: { name: headless }
spec:
  clusterIP: None
  selector: { app: only }
  ports: [{ port: 80 }]
---
apiVersion: v1
kind: Service
metadata: { name: nobody }
spec:
  selector: { app: nobody }
  ports: [{ port: 80 }]
---
apiVersion: v1
kind: Pod
metadata: { name: only, labels: { app: only } }
spec:
  nodeName: k8s-node2
  containers: [{ name: web, image: nginx }]
---
apiVersion: v1
kind: Service
metadata: { name: sticky }
spec:
  sessionAffinity: ClientIP
  ports: [{ name: http, port: 80 }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: sticky-1, labels: { kubernetes.io/service-name: sticky } }
addressType: IPv4
endpoints: [{ addresses: [10.180.0.1] }, { addresses: [10.180.0.2] }, { addresses: [10.180.0.3], nodeName: k8s-node2 }]
ports: [{ name: http, port: 8080, protocol: TCP }]
`

const test = suite<{ directory: string; file: string }>('trace')

const IPV6 = `
apiVersion: v1
kind: Service
metadata: { name: six }
spec:
  ipFamilies: [IPv6]
  clusterIP: fd00:10:96::41
  ports: [{ name: http, port: 80, targetPort: 8080 }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: six-1, labels: { kubernetes.io/service-name: six } }
addressType: IPv6
endpoints:
  - { addresses: ['fd00:10:244:1::5'], nodeName: k8s-node1 }
  - { addresses: ['fd00:10:244:2::6'], nodeName: k8s-node2 }
ports: [{ name: http, port: 8080 }]
`

test.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'podwire-'))
  context.file = join(context.directory, 'services.yaml')
  writeFileSync(context.file, MANIFEST)
})
test.after((context) => {
  rmSync(context.directory, { recursive: true })
})

async function podwire(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = await runCommandLine(args, {
    streams: { out: (text) => (out += text), err: (text) => (err += text), colors: false, progress: false },
    world: async () => world,
    signal: new AbortController().signal,
  })
  return { code, out, err }
}

async function trace(file: string, ...args: string[]): Promise<Explanation> {
  const { code, out, err } = await podwire('trace', '-f', file, '--output', 'json', ...args)
  assert.is(code, 0, err)
  return JSON.parse(out) as Explanation
}

test('a node port with Local policy drops on a node without endpoint, and keeps the source on the one that has it', async ({
  file,
}) => {
  const without = await trace(file, '--from', 'external', '192.168.56.11:30080')
  assert.is(without.verdict, 'DROP')
  assert.equal(without.endpoints, [])
  assert.match(without.notes.join('\n'), /k8s-node1 has no ready endpoint of default\/local/)
  const having = await trace(file, '--from', 'external=198.51.100.7', '192.168.56.12:30080')
  assert.is(having.verdict, 'DNAT')
  assert.is(having.masquerade, false)
  assert.match(having.seenAs ?? '', /^198\.51\.100\.7:/)
  assert.is(having.node, 'k8s-node2')
})

test('the Local policy of other modes and other clients is told as it is there', async ({ file }) => {
  const notes = async (...args: string[]) =>
    (await trace(file, ...args, '--connections', '2')).notes.join('\n')
  const outside = ['--from', 'external', '192.168.56.11:30080', '--proxy-mode']
  assert.match(await notes(...outside, 'ipvs'), /ipvs mode takes those of other nodes/)
  assert.not.match(await notes(...outside, 'userspace'), /are chosen/)
  assert.match(
    await notes('--from', 'node/k8s-node2', '192.168.56.12:30080'),
    /but not for packets from inside the cluster/,
  )
})

test('a pod that reaches itself through its service is masqueraded', async ({ file }) => {
  const { verdict, masquerade, notes, resolution, endpoints, chosen } = await trace(
    file,
    '--from',
    'pod/only',
    'self',
  )
  assert.is(verdict, 'DNAT')
  assert.is(masquerade, true)
  assert.match(notes.join('\n'), /hairpin/)
  assert.equal(endpoints, [chosen])
  assert.equal(
    resolution?.questions.map(({ name }) => name),
    ['self.default.svc.cluster.local'],
  )
})

test('session affinity: the second connection matches by the list of recent clients, others reach every endpoint', async ({
  file,
}) => {
  const { endpoints, again, odds, journey } = await trace(file, '--from', 'pod/curl', 'sticky')
  assert.equal(endpoints, ['10.180.0.1:8080', '10.180.0.2:8080', '10.180.0.3:8080'])
  assert.ok(odds.every(({ connections }) => connections > 5))
  const rules = (steps: Explanation['journey']['there']) => JSON.stringify(steps)
  assert.not.match(rules(journey.there), /--rcheck/)
  assert.match(rules(again!.there), /--rcheck --seconds 10800/)
})

test('a headless name leads to a pod by no rule, a service without endpoints to a refusal', async ({
  file,
}) => {
  const headless = await trace(file, '--from', 'pod/curl', 'headless')
  assert.is(headless.verdict, 'NO_MATCH')
  assert.is(headless.service?.headless, true)
  assert.is(headless.connections.answered, 64)
  const nobody = await trace(file, '--from', 'pod/curl', 'nobody')
  assert.is(nobody.verdict, 'REJECT')
  assert.ok(nobody.connections.refused > 0)
})

test('an endpoint on the network of its node is one as any other; what the node itself takes is told of it', async ({
  file,
}) => {
  for (const mode of ['userspace', 'iptables', 'ipvs', 'nftables']) {
    const args = ['host:8000', '--connections', '2', '--proxy-mode', mode]
    const { verdict, endpoints, chosen, masquerade } = await trace(file, '--from', 'pod/curl', ...args)
    // In userspace mode every endpoint sees the proxy.
    assert.equal([verdict, endpoints, masquerade], ['DNAT', ['192.168.56.12:80'], mode === 'userspace'], mode)
    assert.is(chosen, '192.168.56.12:80', mode)
    // From the node itself nothing of it is ever on a wire.
    const local = await trace(file, '--from', 'node/k8s-node2', ...args)
    assert.equal([local.verdict, local.endpoints], ['DNAT', ['192.168.56.12:80']], mode)
  }
  const own = await trace(file, '--from', 'pod/curl', '192.168.56.12:80', '--connections', '2')
  assert.is(own.verdict, 'ACCEPT')
  assert.match(own.notes.join('\n'), /delivered to k8s-node2 itself/)
})

test('a port that the service does not have is told with those that it has', async ({ file }) => {
  const missing = await trace(file, '--from', 'pod/curl', 'host:8001', '--connections', '1')
  assert.is(missing.verdict, 'NO_MATCH')
  assert.match(missing.notes.join('\n'), /no such port for this protocol: default\/host has 8000\/TCP/)
})

test('every mode leads to the same endpoint', async ({ file }) => {
  for (const mode of ['userspace', 'ipvs', 'nftables']) {
    const { verdict, endpoints, proxyMode } = await trace(
      file,
      ...['--from', 'node/k8s-node1', 'self', '--proxy-mode', mode, '--connections', '4'],
    )
    assert.is(proxyMode, mode)
    assert.is(verdict, 'DNAT', mode)
    assert.match(endpoints.join(), /^10\.244\.2\.\d+:80$/, mode)
  }
})

test('the text tells the name, the way there and back, the verdict', async ({ file }) => {
  const { out } = await podwire('trace', '-f', file, '--from', 'pod/curl', 'self:80')
  for (const part of [
    /^TCP from pod curl to 10\.\d+\.\d+\.\d+:80\n/,
    /\nName self\n/,
    /\nThere\n/,
    /nat KUBE-SERVICES #\d+ {2}-d 10\.\d+\.\d+\.\d+\/32 -p tcp/,
    /destination 10\.\d+\.\d+\.\d+:80 becomes 10\.244\.2\.\d+:80/,
    /\nBack\n/,
    /\nConntrack\n {2}k8s-node1: tcp/,
    /\nVerdict {2}DNAT {2}64 connections: 64 answered\n {2}● 10\.244\.2\.\d+:80 +100 %/,
  ])
    assert.match(out, part)
})

test('IPv6: a service of that family, from every kind of source, in every mode', async ({ directory }) => {
  const file = join(directory, 'ipv6.yaml')
  writeFileSync(file, IPV6)
  const expected = ['[fd00:10:244:1::5]:8080', '[fd00:10:244:2::6]:8080']
  for (const mode of ['userspace', 'iptables', 'ipvs', 'nftables']) {
    const { verdict, endpoints, to } = await trace(file, '--proxy-mode', mode, 'six:80')
    assert.equal([verdict, endpoints, to], ['DNAT', expected, '[fd00:10:96::41]:80'], mode)
  }
  const pod = await trace(file, 'six')
  assert.equal([pod.masquerade, pod.resolution?.addresses], [false, ['fd00:10:96::41']])
  for (const from of ['external', 'external=2600::1']) {
    const { verdict, masquerade } = await trace(file, '--from', from, '[fd00:10:96::41]:80')
    assert.equal([verdict, masquerade], ['DNAT', true], from)
  }
  assert.is((await trace(file, '--from', 'node/k8s-node1', 'fd00:10:96::41')).verdict, 'DNAT')
  assert.is((await trace(file, '--from', 'localhost', '[::1]:80')).verdict, 'NO_MATCH')
  const { code, err } = await podwire(
    'trace',
    '-f',
    file,
    '--from',
    'external=198.51.100.7',
    'fd00:10:96::41',
  )
  assert.equal([code, /has no address of IPv6/.test(err)], [2, true], err)
})

test('dual-stack by its policy: an address of each family, and each sender gets to one that it can reach', async ({
  directory,
}) => {
  const file = join(directory, 'dual.yaml')
  writeFileSync(
    file,
    `apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec: { containers: [{ name: web, image: nginx }] }
---
apiVersion: v1
kind: Service
metadata: { name: dual }
spec: { type: NodePort, ipFamilyPolicy: RequireDualStack, selector: { app: web }, ports: [{ port: 80, nodePort: 30080 }] }
`,
  )
  const endpointOf = async (from: string, to: string) =>
    (await trace(file, '--connections', '1', '--from', from, to)).endpoints[0] ?? ''
  assert.match(await endpointOf('pod/curl', 'dual'), /^\[fd00:10:244:/)
  assert.match(await endpointOf('external=2600::1', 'dual'), /^\[fd00:10:244:/)
  assert.match(await endpointOf('external=2600::1', 'k8s-node1:30080'), /^\[fd00:10:244:/)
  assert.match(await endpointOf('external=198.51.100.7', 'k8s-node1:30080'), /^10\.244\./)
  const dump = ['dump', 'rules', '-f', file, '--node', 'k8s-node1', '--proxy-mode', 'iptables']
  const { out } = await podwire(...dump, '--format', 'ip6tables-save')
  assert.match(
    out,
    /--comment "default\/dual" -m tcp -j DNAT --to-destination \[fd00:10:244:[0-9a-f:]+\]:80\n/,
  )
})

test('what cannot be is told with exit code 2', async ({ file }) => {
  const cases: [string[], RegExp][] = [
    [['--from', 'node/nope', 'self'], /there is no node nope; nodes are k8s-master/],
    [
      ['--from', 'pod/none', 'self'],
      /there is no pod none; pods are .*kube-system\/coredns-\S+, .*and curl, which is added/,
    ],
    [['--from', 'moon', 'self'], /a source is pod\/NAME/],
    [['--from', 'pod/curl', 'nothing-there'], /nothing-there does not resolve/],
    [['--from', 'pod/curl', 'self:0'], /0 is not a port/],
    [['--from', 'pod/curl', 'self', '--connections', '0'], /at least one packet/],
  ]
  for (const [args, message] of cases) {
    const { code, err } = await podwire('trace', '-f', file, ...args)
    assert.is(code, 2, args.join(' '))
    assert.match(err, message)
  }
  assert.match((await podwire('trace', '-f', `${file}.no`, 'x')).err, /no such file/)
})

test('dump prints what the tools print', async ({ file }) => {
  const dump = async (...args: string[]) => (await podwire('dump', '-f', file, ...args)).out
  const node = ['--node', 'k8s-node1']
  assert.match(await dump('rules', ...node, '--proxy-mode', 'iptables'), /^-A KUBE-SERVICES -d /m)
  assert.match(await dump('rules', ...node, '--proxy-mode', 'ipvs'), /^IP Virtual Server version 1\.2\.1/)
  assert.match(await dump('rules', ...node, '--proxy-mode', 'nftables'), /^table ip kube-proxy \{/m)
  assert.match(await dump('routes', ...node), /^default via 192\.168\.56\.1 dev eth0/m)
  assert.match(await dump('sockets', '--pod', 'only'), /^LISTEN .*:80 /m)
  for (const words of [[], ['wat']]) {
    const unknown = await podwire('dump', ...words)
    assert.is(unknown.code, 2)
    assert.match(unknown.err, /^podwire: dump: (of what|what is wat)\?\n {2}hint: .*known: rules, conntrack/)
  }
  const { code, err } = await podwire('dump', 'rules', '-f', file, '--pod', 'only')
  assert.is(code, 2)
  assert.match(err, /pods have no rules of their own/)
})

test.run()
