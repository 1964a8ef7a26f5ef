// What a node's iptables, nft and conntrack list. The table of `iptables -L` is compared with the real one's, where there is
// one, for the rules of kube-proxy and the CNI plugins.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunningCluster, up } from '../../src/index.js'
import { inNamespace, missing } from '../support/kernel-tools.js'

const test = suite<{ cluster: RunningCluster }>('programs of a node')

const NODE = 'k8s-node1'
const MANIFESTS = `
apiVersion: v1
kind: Pod
metadata: { name: shell }
spec: { nodeName: ${NODE}, containers: [{ name: c, image: nicolaka/netshoot, command: [sleep, "100000"] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web-1, labels: { app: web } }
spec: { nodeName: ${NODE}, containers: [{ name: c, image: nginx, ports: [{ containerPort: 80, hostPort: 8088 }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web-2, labels: { app: web } }
spec: { nodeName: k8s-node2, containers: [{ name: c, image: nginx }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { clusterIP: 10.96.1.1, selector: { app: web }, type: NodePort, sessionAffinity: ClientIP, ports: [{ port: 80, nodePort: 30080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: none }
spec: { clusterIP: 10.96.1.2, selector: { app: none }, type: LoadBalancer, externalTrafficPolicy: Local, ports: [{ port: 80 }] }
`

test.before(async (context) => {
  context.cluster = await up([], { seed: 7, proxyMode: 'iptables' })
  await context.cluster.apply(MANIFESTS)
  await context.cluster.settle()
})

test.after(({ cluster }) => cluster.close())

async function onNode(cluster: RunningCluster, script: string): Promise<[status: number, text: string]> {
  const { exitCode, stdout, stderr } = await cluster.emulation.execOnNode(NODE, script)
  return [exitCode, stdout + stderr]
}

test('iptables -L and -S show rules in columns and as commands', async ({ cluster }) => {
  const [, chain] = await onNode(cluster, 'iptables -t nat -L KUBE-MARK-MASQ -n')
  assert.match(
    chain,
    /^Chain KUBE-MARK-MASQ \(\d+ references\)\ntarget {5}prot opt source {15}destination {9}\nMARK {7}0 {4}-- {2}0\.0\.0\.0\/0 {12}0\.0\.0\.0\/0 {12}MARK or 0x4000\n$/,
  )
  assert.equal(await onNode(cluster, 'iptables -t nat -S KUBE-MARK-MASQ'), [
    0,
    '-N KUBE-MARK-MASQ\n-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n',
  ])
  const [, counted] = await onNode(cluster, 'iptables -vS KUBE-FIREWALL')
  assert.match(counted, /--ctstate RELATED,ESTABLISHED,DNAT -c 0 0 -j DROP\n$/)
  assert.equal(await onNode(cluster, 'iptables -L NOPE'), [
    1,
    'iptables: No chain/target/match by that name.\n',
  ])
  assert.match(
    (await onNode(cluster, 'iptables -t nope -L'))[1],
    /^iptables v\S+ \(nf_tables\): table 'nope' does not exist\n/,
  )
  assert.is((await onNode(cluster, 'iptables -F'))[0], 4)
  assert.match((await onNode(cluster, 'ip6tables -S'))[1], /^-P INPUT ACCEPT\n/)
})

/** The version whose columns these are. */
const VERSION = 'v1.8.9 (nf_tables)'

function whyNotReal(): string | undefined {
  const reason = missing('iptables-restore')
  if (reason !== undefined) return reason
  return inNamespace('iptables -V', '').includes(VERSION) ? undefined : `no iptables ${VERSION}`
}

const reason = whyNotReal()
const real = reason === undefined ? test : test.skip
real(
  `the table is the real one's${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  async ({ cluster }) => {
    const [, rules] = await onNode(cluster, 'iptables-save')
    const list =
      'for t in nat filter mangle; do iptables -t $t -L -n; iptables -t $t -L -n -v --line-numbers; iptables -t $t -S; done'
    const [, ours] = await onNode(cluster, list)
    const theirs = inNamespace(`iptables-restore; ${list}`, rules)
    // Counters are of packets that only one of them has seen.
    const uncounted = (text: string) =>
      text
        .replaceAll(/^((?:\d+ +)?) *\d+[KMG]? +\d+[KMG]? (?=\S)/gm, '$1C C ')
        .replaceAll(/policy ACCEPT \d+ packets, \d+ bytes/g, 'policy ACCEPT')
    assert.is(uncounted(ours), uncounted(theirs))
  },
)

test('conntrack lists what its options choose, and deletes it', async ({ cluster }) => {
  await cluster.exec(
    'shell',
    'curl -s -o /dev/null http://10.96.1.1/; ping -c 1 10.244.0.2; echo x | nc -u -w 1 10.244.0.2 9',
  )
  const [, web] = await onNode(cluster, 'conntrack -L -p tcp --dport 80 --state TIME_WAIT')
  assert.match(
    web,
    /^tcp {6}6 \d+ TIME_WAIT src=10\.244\.1\.\d+ dst=10\.96\.1\.1 sport=\d+ dport=80 src=10\.244\./,
  )
  assert.match(web, /\nconntrack v\S+ \(conntrack-tools\): 1 flow entries have been shown\.\n$/)
  assert.match((await onNode(cluster, 'conntrack -L -o extended -g'))[1], /^ipv4 {5}2 tcp {6}6 /)
  assert.match(
    (await onNode(cluster, 'conntrack -D -p icmp'))[1],
    /^icmp .*\n.* 1 flow entries have been deleted\.\n$/,
  )
  assert.equal((await onNode(cluster, 'conntrack -D -p icmp'))[0], 1)
  assert.match(
    (await onNode(cluster, 'conntrack -L -d 10.96.1.0/24 -u ASSURED'))[1],
    /^tcp .* dst=10\.96\.1\.1 /,
  )
  // Names that every object of JavaScript has are no words of it.
  for (const words of ['toString', '-L -p constructor'])
    assert.is((await onNode(cluster, `conntrack ${words}`))[0], 2, words)
  assert.equal(
    (await onNode(cluster, 'conntrack -F'))[1].endsWith(' connection tracking table has been emptied.\n'),
    true,
  )
  assert.equal(await onNode(cluster, 'conntrack -C'), [0, '0\n'])
  for (const [options, message] of [
    ['-L -p foo', "`foo' unsupported protocol"],
    ['-L foo', "unknown type `foo'"],
    ['-L --state X', "unknown option `--state'"],
    ['-L -s', "option `-s' requires an argument"],
    ['-L -s nope', "Invalid IP address `nope'."],
  ] as const) {
    const [status, text] = await onNode(cluster, `conntrack ${options}`)
    assert.is(status, 2)
    assert.ok(text.startsWith(`conntrack v1.4.8 (conntrack-tools): ${message}\n`), text)
  }
})

test('nft lists tables, one of them, and what is in it', async ({ cluster }) => {
  await cluster.emulation.setProxyMode('nftables')
  await cluster.settle()
  const [, ruleset] = await onNode(cluster, 'nft list ruleset')
  assert.equal(await onNode(cluster, 'nft list tables'), [0, 'table ip kube-proxy\n'])
  assert.equal(await onNode(cluster, 'nft list table ip kube-proxy'), [0, ruleset])
  assert.equal(await onNode(cluster, 'nft list chain kube-proxy services'), [
    0,
    `table ip kube-proxy {
	chain services {
		ip daddr . meta l4proto . th dport vmap @service-ips
		fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports
	}
}
`,
  ])
  assert.match(
    (await onNode(cluster, 'nft list map ip kube-proxy service-ips'))[1],
    /10\.96\.1\.1 \. tcp \. 80 : goto service-/,
  )
  const [, chains] = await onNode(cluster, 'nft list chains')
  assert.match(
    chains,
    /\tchain nat-prerouting \{\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t\}\n/,
  )
  assert.not.match(chains, /vmap/)
  assert.equal(await onNode(cluster, 'nft list chain ip kube-proxy nope'), [
    1,
    'Error: No such file or directory\nlist chain ip kube-proxy nope\n',
  ])
  assert.is((await onNode(cluster, 'nft flush ruleset'))[0], 2)
})

test.run()
