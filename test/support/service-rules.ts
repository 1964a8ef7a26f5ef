// The rules that kube-proxy makes for one service, small: the same service in iptables and in nftables, so that one
// body of packet-flow tests runs over both.

import type { Micros } from '../../src/base/time.js'
import { SECOND } from '../../src/base/time.js'
import type { Netfilter } from '../../src/netfilter/netfilter.js'
import type { NftBase, NftStatement } from '../../src/netfilter/nft.js'
import type { Match, Rule, Target } from '../../src/netfilter/rule.js'
import { type Endpoint, formatEndpoint, type IpAddress, type Port } from '../../src/wire/address.js'

export interface TestService {
  readonly protocol: 'tcp' | 'udp'
  readonly clusterIP: IpAddress
  readonly port: Port
  readonly nodePort?: Port
  readonly endpoints: readonly Endpoint[]
  /** sessionAffinity ClientIP. */
  readonly affinity?: Micros
  readonly fullyRandom?: boolean
}

export type RuleMode = 'iptables' | 'nft'

/** Writes the rules of a service to a node. */
export function writeService(mode: RuleMode, netfilter: Netfilter, service: TestService): void {
  if (mode === 'iptables') writeIptables(netfilter, service)
  else writeNft(netfilter, service)
}

// ---- iptables

const jump = (chain: string): Target => ({ target: 'jump', chain })

function writeIptables(netfilter: Netfilter, service: TestService): void {
  const { endpoints, nodePort } = service
  const toService: Match[] = [
    { match: 'destination', cidr: { network: service.clusterIP, prefixLength: 32 } },
    { match: 'protocol', protocol: service.protocol },
    { match: 'destination-port', port: service.port },
  ]
  const toNode: Match[] = [
    { match: 'address-type', destination: 'LOCAL' },
    { match: 'protocol', protocol: service.protocol },
    { match: 'destination-port', port: nodePort ?? 0 },
  ]
  const chains = new Map<string, Rule[]>([
    ['PREROUTING', [{ matches: [], target: jump('KUBE-SERVICES') }]],
    ['OUTPUT', [{ matches: [], target: jump('KUBE-SERVICES') }]],
    ['POSTROUTING', [{ matches: [], target: jump('KUBE-POSTROUTING') }]],
    ['KUBE-MARK-MASQ', [{ matches: [], target: { target: 'MARK', operation: 'or', value: 0x4000 } }]],
    ['KUBE-POSTROUTING', masquerading(service)],
  ])
  const services: Rule[] = []
  if (endpoints.length > 0) {
    services.push({ matches: toService, target: jump('KUBE-SVC') })
    if (nodePort !== undefined) services.push({ matches: toNode, target: jump('KUBE-EXT') })
  }
  chains.set('KUBE-SERVICES', services)
  chains.set('KUBE-EXT', [
    { matches: [], target: jump('KUBE-MARK-MASQ') },
    { matches: [], target: jump('KUBE-SVC') },
  ])
  chains.set('KUBE-SVC', choosing(service))
  for (const [index, endpoint] of endpoints.entries()) {
    chains.set(`KUBE-SEP-${index}`, sending(service, endpoint, index))
  }
  netfilter.restore({ table: 'nat', chains })
  const refuse: Rule[] = [{ matches: toService, target: { target: 'REJECT' } }]
  const refusing = endpoints.length === 0 ? refuse : []
  netfilter.restore({
    table: 'filter',
    chains: new Map([
      ['KUBE-SERVICES', refusing],
      ['FORWARD', [fresh('KUBE-SERVICES')]],
      ['OUTPUT', [fresh('KUBE-SERVICES')]],
    ]),
  })
}

function fresh(chain: string): Rule {
  return { matches: [{ match: 'state', states: ['NEW'] }], target: jump(chain) }
}

function masquerading({ fullyRandom = true }: TestService): Rule[] {
  return [
    { matches: [{ match: 'mark', value: 0x4000, mask: 0x4000, invert: true }], target: { target: 'RETURN' } },
    { matches: [], target: { target: 'MARK', operation: 'xor', value: 0x4000 } },
    { matches: [], target: { target: 'MASQUERADE', fullyRandom } },
  ]
}

function choosing({ endpoints, affinity }: TestService): Rule[] {
  const remembered: Rule[] = endpoints.map((_, index) => ({
    matches: [
      {
        match: 'recent',
        name: `KUBE-SEP-${index}`,
        action: 'rcheck',
        seconds: (affinity ?? 0) / SECOND,
        reap: true,
        source: true,
      },
    ],
    target: jump(`KUBE-SEP-${index}`),
  }))
  const chosen: Rule[] = endpoints.map((_, index) => ({
    matches:
      index === endpoints.length - 1
        ? []
        : [{ match: 'statistic-random', probability: Number((1 / (endpoints.length - index)).toFixed(10)) }],
    target: jump(`KUBE-SEP-${index}`),
  }))
  return [...(affinity === undefined ? [] : remembered), ...chosen]
}

function sending({ protocol, affinity }: TestService, to: Endpoint, index: number): Rule[] {
  const protocolMatch: Match = { match: 'protocol', protocol }
  const noting: Match = { match: 'recent', name: `KUBE-SEP-${index}`, action: 'set', source: true }
  return [
    {
      matches: [{ match: 'source', cidr: { network: to.address, prefixLength: 32 } }],
      target: jump('KUBE-MARK-MASQ'),
    },
    {
      matches: affinity === undefined ? [protocolMatch] : [protocolMatch, noting],
      target: { target: 'DNAT', to },
    },
  ]
}

// ---- nftables

const nftJump = (chain: string): NftStatement => ({
  statement: 'verdict',
  verdict: { verdict: 'jump', chain },
})
const SERVICE = ['ip daddr', 'meta l4proto', 'th dport'] as const

function writeNft(netfilter: Netfilter, service: TestService): void {
  netfilter.nft.delete('kube-proxy')
  const table = netfilter.nft.add('kube-proxy')
  const rules = (chain: string, ...each: NftStatement[][]) => {
    table.addChain(chain)
    table.replaceRules(
      chain,
      each.map((statements) => ({ statements })),
    )
  }
  const base = (name: string, at: NftBase, ...each: NftStatement[][]) => {
    table.addChain(name, { base: at })
    rules(name, ...each)
  }
  table.addMap('service-ips', { type: ['ipv4_addr', 'inet_proto', 'inet_service'] })
  table.addMap('no-endpoints', { type: ['ipv4_addr', 'inet_proto', 'inet_service'] })
  table.addMap('node-ports', { type: ['inet_proto', 'inet_service'] })
  rules('mark-for-masquerade', [{ statement: 'mark', operation: 'or', value: 0x4000 }])
  rules('reject-chain', [{ statement: 'reject' }])
  writeNftEndpoints(table, service)
  rules('external', [nftJump('mark-for-masquerade')], [nftJump('service')])
  const { protocol, clusterIP, port, nodePort, fullyRandom = true } = service
  const goto = (chain: string) => ({ verdict: { verdict: 'goto', chain } }) as const
  if (service.endpoints.length === 0) {
    table.addElement('no-endpoints', [clusterIP, protocol, port], goto('reject-chain'))
  } else {
    table.addElement('service-ips', [clusterIP, protocol, port], goto('service'))
    if (nodePort !== undefined) table.addElement('node-ports', [protocol, nodePort], goto('external'))
  }
  rules(
    'services',
    [{ statement: 'vmap', key: SERVICE, map: 'service-ips' }],
    [
      { statement: 'match', field: 'fib daddr type', value: 'LOCAL' },
      { statement: 'vmap', key: ['meta l4proto', 'th dport'], map: 'node-ports' },
    ],
  )
  rules(
    'masquerading',
    [
      { statement: 'match-mark', mask: 0x4000, value: 0 },
      { statement: 'verdict', verdict: { verdict: 'return' } },
    ],
    [{ statement: 'mark', operation: 'xor', value: 0x4000 }],
    [{ statement: 'masquerade', fullyRandom }],
  )
  const refusing: NftStatement[] = [
    { statement: 'match-state', states: ['NEW'] },
    { statement: 'vmap', key: SERVICE, map: 'no-endpoints' },
  ]
  base('filter-forward', { type: 'filter', hook: 'FORWARD', priority: -110 }, refusing)
  base('filter-output', { type: 'filter', hook: 'OUTPUT', priority: -110 }, refusing)
  base('nat-prerouting', { type: 'nat', hook: 'PREROUTING', priority: -100 }, [nftJump('services')])
  base('nat-output', { type: 'nat', hook: 'OUTPUT', priority: -100 }, [nftJump('services')])
  base('nat-postrouting', { type: 'nat', hook: 'POSTROUTING', priority: 100 }, [nftJump('masquerading')])
}

function writeNftEndpoints(table: ReturnType<Netfilter['nft']['add']>, service: TestService): void {
  const { endpoints, affinity, protocol } = service
  const chains = endpoints.map((endpoint) => `endpoint-${formatEndpoint(endpoint).replace(':', '/')}`)
  const sticky: { statements: NftStatement[] }[] = []
  for (const [index, to] of endpoints.entries()) {
    const chain = chains[index]!
    const set = `affinity-${index}`
    table.addChain(chain)
    const statements: NftStatement[][] = [
      [{ statement: 'match', field: 'ip saddr', value: to.address }, nftJump('mark-for-masquerade')],
    ]
    if (affinity !== undefined) {
      table.addSet(set, { type: ['ipv4_addr'], flags: ['dynamic', 'timeout'], timeout: affinity })
      statements.push([{ statement: 'update', set, key: ['ip saddr'] }])
      const verdict = { verdict: 'goto', chain } as const
      sticky.push({
        statements: [
          { statement: 'match-set', key: ['ip saddr'], set },
          { statement: 'verdict', verdict },
        ],
      })
    }
    statements.push([
      { statement: 'match', field: 'meta l4proto', value: protocol },
      { statement: 'dnat', to },
    ])
    table.replaceRules(
      chain,
      statements.map((each) => ({ statements: each })),
    )
  }
  const verdicts = chains.map((chain) => ({ verdict: 'goto', chain }) as const)
  table.addChain('service')
  table.replaceRules('service', [...sticky, { statements: [{ statement: 'numgen-vmap', verdicts }] }])
}
