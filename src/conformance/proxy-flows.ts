// Third-party packet flows: clusters as Services and EndpointSlices, and for packets from somewhere to somewhere what
// kube-proxy must make of them. Each is opened many times over (flow-lab.ts), so that the set of endpoints is what
// connections really reach.

import { Random } from '../base/random.js'
import type { KubeObject, Service } from '../cluster/objects.js'
import type { ProxyMode } from '../proxy/proxy-mode.js'
import { familyOf, formatEndpoint, type IpAddress, ip, parseAddress } from '../wire/address.js'
import { flowKind } from './flow-kind.js'
import { FlowLab, type LabSettings, type Observation, type Verdict } from './flow-lab.js'
import { modeDifference } from './mode-differences.js'
import { type CaseResult, failed, passed, skipped } from './result.js'

export interface FlowCase {
  readonly name: string
  readonly sourceIP: string
  readonly destIP: string
  readonly destPort: number
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
  readonly verdict: Verdict
  /** Of DNAT: the set of destinations that new connections reach. */
  readonly endpoints?: readonly string[]
  readonly masq?: boolean
}

interface FlowStep {
  readonly apply?: readonly KubeObject[]
  /** `Kind/namespace/name`. */
  readonly delete?: readonly string[]
  readonly flows?: readonly FlowCase[]
}

export interface FlowGroup {
  readonly test: string
  readonly case?: string
  readonly config?: LabSettings
  readonly steps: readonly FlowStep[]
}

/** So many connections at least for each flow, and for each endpoint that is expected. */
const CONNECTIONS = 64
const CONNECTIONS_PER_ENDPOINT = 32
const SHOWN_RULES = 20

/** Runs a group in one lab, step after step. */
export function runFlowGroup(group: FlowGroup, mode: ProxyMode): CaseResult[] {
  const name = group.case === undefined ? group.test : `${group.test} (${group.case})`
  const lab = new FlowLab(mode, group.config ?? {}, new Random(`conformance/${name}`))
  const services = new Map<string, Service>()
  const results: CaseResult[] = []
  for (const step of group.steps) {
    for (const object of step.apply ?? []) {
      const { namespace, name: own } = object.metadata
      if (object.kind === 'Service') services.set(`Service/${namespace}/${own}`, object as Service)
    }
    for (const deleted of step.delete ?? []) services.delete(deleted)
    lab.remove(step.delete ?? [])
    lab.apply(step.apply ?? [])
    for (const flow of step.flows ?? []) {
      results.push(runFlow(lab, mode, `${name}: ${flow.name}`, flow, [...services.values()]))
    }
  }
  return results
}

/** As the case says, or as the mode does it: then it is skipped, when that holds. */
function runFlow(
  lab: FlowLab,
  mode: ProxyMode,
  name: string,
  flow: FlowCase,
  services: readonly Service[],
): CaseResult {
  const difference = modeDifference(mode, flowKind(flow, services, lab))
  if (difference === undefined) return expectFlow(lab, name, flow)
  const { reason, instead } = difference
  const result = instead && expectFlow(lab, name, { ...flow, ...instead })
  return result?.outcome === 'failed' ? result : skipped(name, `in ${mode} mode ${reason}`)
}

function expectFlow(lab: FlowLab, name: string, flow: FlowCase): CaseResult {
  const source = ip(flow.sourceIP)
  const address = ip(flow.destIP)
  if (familyOf(source) !== lab.family || familyOf(address) !== lab.family) {
    return failed(name, `the group says ${lab.family}, its flow ${flow.sourceIP} -> ${flow.destIP}`)
  }
  const protocol = flow.protocol ?? 'TCP'
  if (protocol === 'SCTP' && lab.isNode(source)) return skipped(name, 'nodes have no SCTP sockets')
  const destination = { address, port: flow.destPort }
  const count = Math.max(CONNECTIONS, CONNECTIONS_PER_ENDPOINT * (flow.endpoints?.length ?? 0))
  const seen: Observation[] = []
  for (let i = 0; i < count; i++) seen.push(lab.connect({ protocol, source, destination }))
  const expected = expectation(flow)
  const got = summary(seen, source, flow.masq ?? false)
  if (got === expected) return passed(name)
  return failed(
    name,
    `${protocol} ${flow.sourceIP} -> ${formatEndpoint(destination)}`,
    `expected ${expected}`,
    `got      ${got}`,
    ...matchedRules(seen),
  )
}

function expectation({ verdict, endpoints, masq }: FlowCase): string {
  if (verdict !== 'DNAT') return verdict
  return describe((endpoints ?? []).map(endpointText), masq ?? false)
}

/** What all connections together say; verdicts that differ are all named. */
function summary(seen: readonly Observation[], source: IpAddress, expectMasquerade: boolean): string {
  const verdicts = [...new Set(seen.map(({ verdict }) => verdict))].sort()
  if (verdicts.length !== 1) return verdicts.join(' and ')
  if (verdicts[0] !== 'DNAT') return verdicts[0]!
  const endpoints = [...new Set(seen.map(({ endpoint }) => formatEndpoint(endpoint!)))]
  // Who reaches itself is masqueraded whatever the service says: such a flow counts as both.
  const isHairpin = ({ endpoint }: Observation) => endpoint!.address === source
  const others = seen.filter((each) => !isHairpin(each))
  const hairpins = seen.filter(isHairpin)
  if (hairpins.length > 0 && others.length > 0 && hairpins.every((each) => each.masqueraded))
    return describe(endpoints, expectMasquerade || others.some((each) => each.masqueraded))
  const masqueraded = [...new Set(seen.map((each) => each.masqueraded))]
  if (masqueraded.length === 1) return describe(endpoints, masqueraded[0]!)
  return `${describe(endpoints, false)}, some of them masqueraded`
}

function describe(endpoints: string[], masqueraded: boolean): string {
  return `DNAT to ${endpoints.sort().join(', ')}, ${masqueraded ? 'masqueraded' : 'not masqueraded'}`
}

/** `address:port` or `[address]:port` with the address as it is printed here. */
function endpointText(text: string): string {
  const colon = text.lastIndexOf(':')
  const address = parseAddress(text.slice(0, colon).replace(/^\[|\]$/g, ''))
  return address === undefined ? text : formatEndpoint({ address, port: Number(text.slice(colon + 1)) })
}

function matchedRules(seen: readonly Observation[]): string[] {
  const rules = [...new Set(seen.flatMap((each) => each.rules))]
  if (rules.length === 0) return ['no rule matched']
  const more = rules.length - SHOWN_RULES
  return [
    'rules matched:',
    ...rules.slice(0, SHOWN_RULES).map((rule) => `  ${rule}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ]
}
