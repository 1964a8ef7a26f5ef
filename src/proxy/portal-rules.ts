// The nat rules of the userspace mode: what is sent to a cluster IP goes to the local listener of that service
// port. Chains, matches and their order are those of pkg/proxy/userspace/proxier.go of Kubernetes: traffic of
// pods comes in through PREROUTING and is redirected; the node's own leaves through OUTPUT, where REDIRECT would
// mean 127.0.0.1, so it is sent to the node's address instead.

import type { HookName, Match, Rule, TableName } from '../netfilter/rule.js'
import { type AddressFamily, familyOf, hostCidr, type IpAddress, type Port } from '../wire/address.js'
import type { ServicePortInfo } from './service-port.js'

/** The part of a node's netfilter that kube-proxy writes. */
export interface RuleTables {
  /** Sets all rules of a chain at once; makes the chain when it is not there. */
  replaceChain(table: TableName, chain: string, rules: Rule[], family?: AddressFamily): void
  chains(
    table: TableName,
    family?: AddressFamily,
  ): readonly { readonly name: string; readonly rules: readonly { readonly rule: Rule }[] }[]
}

export const CONTAINER_PORTAL_CHAIN = 'KUBE-PORTALS-CONTAINER'
export const HOST_PORTAL_CHAIN = 'KUBE-PORTALS-HOST'

/** One service port with the local listener that serves it. */
export interface Portal {
  readonly info: ServicePortInfo
  readonly localPort: Port
}

/** Writes the two portal chains. */
export function writePortals(tables: RuleTables, nodeAddress: IpAddress, portals: readonly Portal[]): void {
  const containerRules = portals.map(containerRule)
  const hostRules = portals.map((portal) => hostRule(portal, nodeAddress))
  const family = familyOf(nodeAddress)
  tables.replaceChain('nat', CONTAINER_PORTAL_CHAIN, containerRules, family)
  tables.replaceChain('nat', HOST_PORTAL_CHAIN, hostRules, family)
}

/** The built-in chains, which others write too, and ours that they pass through. */
const HOOKS: readonly (readonly [hook: HookName, chain: string])[] = [
  ['PREROUTING', CONTAINER_PORTAL_CHAIN],
  ['OUTPUT', HOST_PORTAL_CHAIN],
]

/** Makes PREROUTING and OUTPUT pass first through the portal chains, which must be there already. */
export function hookPortals(tables: RuleTables, family: AddressFamily): void {
  for (const [hook, chain] of HOOKS) {
    const others = rulesOfOthers(tables, hook, chain, family)
    tables.replaceChain('nat', hook, [jump(chain), ...others], family)
  }
}

/** Takes every rule of ours away again. */
export function removePortals(tables: RuleTables, family: AddressFamily): void {
  for (const [hook, chain] of HOOKS) {
    tables.replaceChain('nat', hook, rulesOfOthers(tables, hook, chain, family), family)
    tables.replaceChain('nat', chain, [], family)
  }
}

function rulesOfOthers(tables: RuleTables, hook: HookName, chain: string, family: AddressFamily): Rule[] {
  const rules = tables.chains('nat', family).find(({ name }) => name === hook)?.rules ?? []
  return rules
    .map(({ rule }) => rule)
    .filter(({ target }) => target.target !== 'jump' || target.chain !== chain)
}

function jump(chain: string): Rule {
  const text = 'handle ClusterIPs; NOTE: this must be before the NodePort rules'
  return { matches: [{ match: 'comment', text }], target: { target: 'jump', chain } }
}

function containerRule({ info, localPort }: Portal): Rule {
  return { matches: portalMatches(info), target: { target: 'REDIRECT', port: localPort } }
}

function hostRule({ info, localPort }: Portal, nodeAddress: IpAddress): Rule {
  return {
    matches: portalMatches(info),
    target: { target: 'DNAT', to: { address: nodeAddress, port: localPort } },
  }
}

function portalMatches(info: ServicePortInfo): Match[] {
  return [
    { match: 'destination', cidr: hostCidr(info.clusterIP) },
    { match: 'protocol', protocol: info.protocol === 'TCP' ? 'tcp' : 'udp' },
    { match: 'comment', text: info.name },
    { match: 'destination-port', port: info.port },
  ]
}
