// Ports of a node that lead to pods (hostPort), as the CNI plugin portmap does it with iptables: one chain for each pod,
// reached by what is sent to an address of the node; traffic that would come back past the node - of the pod itself, of
// its neighbours on the bridge, of the node's loopback - is marked and masqueraded. It only adds rules and removes its
// own: kube-proxy writes the same built-in chains.

import { sha256 } from '../base/sha256.js'
import type { Netfilter } from '../netfilter/netfilter.js'
import type { HookName, Match, Rule, TransportProtocol } from '../netfilter/rule.js'
import type { Stack } from '../stack/stack.js'
import {
  type InterfaceAddress,
  IPV4_LOOPBACK,
  type IpAddress,
  networkOf,
  type Port,
} from '../wire/address.js'

export interface PortMapping {
  readonly protocol: TransportProtocol
  readonly hostPort: Port
  readonly containerPort: Port
  /** The one address of the node on which it is; all of them by default. */
  readonly hostAddress: IpAddress | undefined
}

const DNAT_CHAIN = 'CNI-HOSTPORT-DNAT'
const SETMARK_CHAIN = 'CNI-HOSTPORT-SETMARK'
const MASQ_CHAIN = 'CNI-HOSTPORT-MASQ'
const MASQUERADE_MARK = 0x2000
/** Name of the network in the plugin's configuration. */
const NETWORK_NAME = 'podwire'
/** The plugin keeps its chains' names this short. */
const CHAIN_NAME_LENGTH = 28
/** How many ports a multiport match takes. */
const MULTIPORT_LIMIT = 15

export class PortMap {
  readonly #netfilter: Netfilter
  readonly #stack: Stack
  /** Chains by the id of their pod. */
  readonly #chains = new Map<string, string>()

  constructor(netfilter: Netfilter, stack: Stack) {
    this.#netfilter = netfilter
    this.#stack = stack
  }

  /** Forwards ports of the node to a pod named by `id`, which has `address` within its node's range. */
  add(id: string, address: InterfaceAddress, mappings: readonly PortMapping[]): void {
    if (mappings.length === 0) return
    this.#install()
    const chain = chainName(id)
    const entries = entryRules(id, chain, mappings)
    this.#netfilter.restore({
      table: 'nat',
      chains: new Map([
        [chain, mappings.flatMap((mapping) => podRules(mapping, address))],
        [DNAT_CHAIN, [...this.#rulesOf(DNAT_CHAIN), ...entries]],
      ]),
    })
    this.#chains.set(id, chain)
    // Datagrams to the port that were seen before would go on where they went.
    for (const { protocol, hostPort } of mappings)
      if (protocol === 'udp') this.#netfilter.deleteFlows({ protocol, originalDestinationPort: hostPort })
  }

  /** Takes the rules of a pod away; nothing happens when it has none. The shared chains stay, as the plugin leaves them. */
  remove(id: string): void {
    const chain = this.#chains.get(id)
    if (chain === undefined) return
    this.#chains.delete(id)
    const others = this.#rulesOf(DNAT_CHAIN).filter((rule) => !jumpsTo(rule, chain))
    this.#netfilter.restore({
      table: 'nat',
      chains: new Map<string, readonly Rule[]>([
        [DNAT_CHAIN, others],
        [chain, []],
      ]),
      remove: [chain],
    })
  }

  /** The shared chains and the ways into them, each made when it is missing. */
  #install(): void {
    const mark: Match = { match: 'mark', value: MASQUERADE_MARK, mask: MASQUERADE_MARK }
    this.#netfilter.restore({
      table: 'nat',
      chains: new Map<string, readonly Rule[]>([
        [DNAT_CHAIN, this.#rulesOf(DNAT_CHAIN)],
        [
          SETMARK_CHAIN,
          [
            {
              matches: [{ match: 'comment', text: 'CNI portfwd masquerade mark' }],
              target: { target: 'MARK', operation: 'or', value: MASQUERADE_MARK },
            },
          ],
        ],
        [MASQ_CHAIN, [{ matches: [mark], target: { target: 'MASQUERADE' } }]],
      ]),
    })
    const toNode: Match = { match: 'address-type', destination: 'LOCAL' }
    for (const hook of ['PREROUTING', 'OUTPUT'] as const) this.#ensureJump(hook, DNAT_CHAIN, toNode, 'last')
    const comment: Match = { match: 'comment', text: 'CNI portfwd requiring masquerade' }
    this.#ensureJump('POSTROUTING', MASQ_CHAIN, comment, 'first')
    // What comes from 127.0.0.1 leaves by the bridge.
    this.#stack.routeLocalnet = true
  }

  #ensureJump(hook: HookName, chain: string, match: Match, place: 'first' | 'last'): void {
    const rules = this.#rulesOf(hook)
    if (rules.some((rule) => jumpsTo(rule, chain))) return
    const jump: Rule = { matches: [match], target: { target: 'jump', chain } }
    this.#netfilter.replaceChain('nat', hook, place === 'first' ? [jump, ...rules] : [...rules, jump])
  }

  #rulesOf(name: string): Rule[] {
    const chain = this.#netfilter.chains('nat').find((one) => one.name === name)
    return chain?.rules.map(({ rule }) => rule) ?? []
  }
}

/** Unlike the plugin, which takes SHA-512 of the network's name and the container's id. */
function chainName(id: string): string {
  const hash = [...sha256(NETWORK_NAME + id)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `CNI-DN-${hash}`.slice(0, CHAIN_NAME_LENGTH)
}

/** Rules of CNI-HOSTPORT-DNAT that lead to the chain of a pod, protocol by protocol. */
function entryRules(id: string, chain: string, mappings: readonly PortMapping[]): Rule[] {
  const comment: Match = { match: 'comment', text: `dnat name: "${NETWORK_NAME}" id: "${id}"` }
  const rules: Rule[] = []
  for (const protocol of [...new Set(mappings.map((mapping) => mapping.protocol))].sort()) {
    const ports = mappings.filter((mapping) => mapping.protocol === protocol).map(({ hostPort }) => hostPort)
    for (let i = 0; i < ports.length; i += MULTIPORT_LIMIT)
      rules.push({
        matches: [
          { match: 'protocol', protocol },
          comment,
          { match: 'destination-ports', ports: ports.slice(i, i + MULTIPORT_LIMIT) },
        ],
        target: { target: 'jump', chain },
      })
  }
  return rules
}

/** Marks come first: behind DNAT the chain is left. */
function podRules(mapping: PortMapping, address: InterfaceAddress): Rule[] {
  const { protocol, hostPort, containerPort, hostAddress } = mapping
  const base: Match[] = [
    ...(hostAddress === undefined
      ? []
      : [{ match: 'destination', cidr: { network: hostAddress, prefixLength: 32 } } as const]),
    { match: 'protocol', protocol },
    { match: 'destination-port', port: hostPort },
  ]
  const markFrom = (cidr: { network: IpAddress; prefixLength: number }): Rule => ({
    matches: [{ match: 'source', cidr }, ...base],
    target: { target: 'jump', chain: SETMARK_CHAIN },
  })
  return [
    markFrom(networkOf(address)),
    markFrom({ network: IPV4_LOOPBACK, prefixLength: 32 }),
    { matches: base, target: { target: 'DNAT', to: { address: address.address, port: containerPort } } },
  ]
}

function jumpsTo({ target }: Rule, chain: string): boolean {
  return target.target === 'jump' && target.chain === chain
}
