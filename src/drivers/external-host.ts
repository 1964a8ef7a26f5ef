// A computer on the nodes' network that is no node: how packets of programs outside - a host's DNS clients - come into
// the cluster. It has the last address of that network, and the first node as its router.

import type { Random } from '../base/random.js'
import type { ClusterConfig } from '../cluster/cluster-config.js'
import { type Host, podHost } from '../host/host.js'
import type { Net } from '../posix/net.js'
import { ProcessNet } from '../posix/net-over-stack.js'
import type { Clock } from '../posix/process.js'
import { StubResolver } from '../posix/resolver.js'
import { type Endpoint, ipv4, ipv4Cidr, lastAddress } from '../wire/address.js'
import { dnsCodec } from './dns-codec.js'

export const EXTERNAL_HOST = 'external'
const MAC = 0x5254_0000_00fe
const MTU_BYTES = 1500
const DNS_PORT = 53

export function externalHost(config: ClusterConfig, random: Random): Host {
  const nodes = ipv4Cidr(config.nodeSubnet)
  const router = config.nodes.find((node) => node.controlPlane) ?? config.nodes[0]!
  return podHost({
    name: EXTERNAL_HOST,
    mac: MAC,
    // The very last one is the broadcast address.
    address: { address: lastAddress(nodes) - 1, prefixLength: nodes.prefixLength },
    gateway: ipv4(router.address),
    mtuBytes: MTU_BYTES,
    random: random.fork('stack'),
  })
}

/** What a program on that computer has. */
export interface OutsideHost {
  /** Its sockets; names are resolved by the cluster's DNS server. */
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  /** kube-dns, as everybody in the cluster reaches it. */
  readonly dnsServer: Endpoint
}

/** `touched`: the host may have something to send. */
export function outsideHost(
  host: Host,
  config: ClusterConfig,
  clock: Clock,
  random: Random,
  touched: () => void,
): OutsideHost {
  const files: Readonly<Record<string, string>> = { '/etc/resolv.conf': `nameserver ${config.dnsAddress}\n` }
  const reader = { exists: (path: string) => path in files, readText: (path: string) => files[path]! }
  const names = random.fork('resolver')
  const net = new ProcessNet(
    { stack: host.stack, clock, touched },
    (own) => new StubResolver({ net: own, files: reader, clock, random: names, codec: dnsCodec }),
  )
  const dnsServer = { address: ipv4(config.dnsAddress), port: DNS_PORT }
  return { net, clock, random: random.fork('programs'), dnsServer }
}
