// The real kernel beside ours: the same rules, loaded from the text that we print, and as many new flows; how often
// each endpoint was chosen agrees. Needs root, a network namespace and the tools.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { Netfilter } from '../../src/netfilter/netfilter.js'
import { Stack } from '../../src/stack/stack.js'
import { ipv4 } from '../../src/wire/address.js'
import { endpoint } from '../support/hosts.js'
import { inNamespace, missing } from '../support/kernel-tools.js'
import { type RuleMode, writeService } from '../support/service-rules.js'

const test = suite('kernel')

const ENDPOINTS = ['10.36.0.2:8080', '10.36.0.3:8080', '10.36.0.4:8080']
const FLOWS = 3000
/** Chi-square of two samples with two degrees of freedom, p = 0.001. */
const BOUND = 13.8

function node(mode: RuleMode): { stack: Stack; netfilter: Netfilter } {
  const random = new Random('kernel')
  const stack = new Stack({ name: 'node', random })
  const eth0 = stack.addInterface({
    name: 'eth0',
    mac: 0x020000000001,
    mtuBytes: 1500,
    addresses: [{ address: ipv4('10.0.0.1'), prefixLength: 8 }],
  })
  stack.addRoute({ destination: { network: 0, prefixLength: 0 }, interfaceIndex: eth0 })
  const netfilter = new Netfilter(stack, random)
  const endpoints = ENDPOINTS.map(endpoint)
  writeService(mode, netfilter, { protocol: 'udp', clusterIP: ipv4('10.96.0.20'), port: 80, endpoints })
  return { stack, netfilter }
}

/** How many of our flows went to each endpoint. */
function ours({ stack, netfilter }: ReturnType<typeof node>): number[] {
  for (let i = 0; i < FLOWS; i++) {
    const socket = stack.udpBind({ port: 20_000 + i })
    socket.send(Uint8Array.of(1), endpoint('10.96.0.20:80'))
    socket.close()
  }
  const flows = netfilter.flows()
  return ENDPOINTS.map((to) => flows.filter((flow) => flow.reply.source === endpoint(to).address).length)
}

/** How many of the kernel's did, with rules that are loaded by `load`. */
function kernels(load: string, rules: string): number[] {
  const send = `const s=require('dgram');let n=0;(function next(){if(n===${FLOWS})return;const u=s.createSocket('udp4');u.bind(20000+n++,()=>u.send('x',80,'10.96.0.20',()=>{u.close();next()}))})()`
  const script = `ip link set lo up; ip addr add 10.0.0.1/8 dev lo; ${load}; ${process.execPath} -e "${send}"; cat /proc/net/nf_conntrack 2>/dev/null || conntrack -L 2>/dev/null`
  const flows = inNamespace(script, rules)
  return ENDPOINTS.map((to) => flows.split(`src=${to.split(':')[0]} `).length - 1)
}

const reason = missing('iptables-restore') ?? missing('nft')
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`
const real = reason === undefined ? test : test.skip

for (const mode of ['iptables', 'nft'] as const) {
  real(`${mode}: the kernel and we choose endpoints alike${skipped}`, () => {
    const host = node(mode)
    const [load, rules] =
      mode === 'iptables'
        ? ['iptables-restore', host.netfilter.save('nat')]
        : ['nft -f -', host.netfilter.ruleset()]
    const theirs = kernels(load, rules)
    const own = ours(host)
    assert.is(
      own.reduce((a, b) => a + b),
      FLOWS,
    )
    assert.is(
      theirs.reduce((a, b) => a + b),
      FLOWS,
    )
    const chiSquare = own.reduce((sum, count, i) => sum + (count - theirs[i]!) ** 2 / (count + theirs[i]!), 0)
    assert.ok(chiSquare < BOUND, `ours ${own}, the kernel's ${theirs}: ${chiSquare}`)
  })
}

test.run()
