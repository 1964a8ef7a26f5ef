// The way of one packet and of its answer, put together from what was recorded: which interfaces it passed, which
// rules it matched at each hook of each node, what was translated, which route it took.

import type { TraceEvent } from '../netfilter/trace.js'
import type { HookName } from '../stack/hooks.js'
import type { Stack } from '../stack/stack.js'
import {
  cidrContains,
  type Endpoint,
  formatAddress,
  formatCidr,
  formatEndpoint,
  type IpAddress,
} from '../wire/address.js'
import type { Probe } from './probe.js'
import type { TraceRecord, WirePacket } from './recorder.js'

export type JourneyStep =
  | {
      readonly step: 'wire'
      readonly interface: string
      readonly direction: 'in' | 'out'
      readonly packet: WirePacket['kind']
      readonly source: string
      readonly destination: string
    }
  | {
      readonly step: 'rule'
      readonly node: string
      readonly hook: HookName
      readonly family: string
      readonly table: string
      readonly chain: string
      readonly number: number
      readonly rule: string
      readonly verdict: string
    }
  | {
      readonly step: 'nat'
      readonly node: string
      readonly hook: HookName
      /** Who did it: a rule's target through conntrack, or IPVS. */
      readonly by: 'netfilter' | 'ipvs'
      readonly part: 'source' | 'destination'
      readonly before: string
      readonly after: string
    }
  | { readonly step: 'route'; readonly node: string; readonly hook: HookName; readonly route: string }
  | {
      readonly step: 'end'
      readonly node: string
      readonly hook: HookName
      readonly verdict: 'DROP' | 'REJECT'
    }

export interface Journey {
  readonly there: readonly JourneyStep[]
  readonly back: readonly JourneyStep[]
}

type NetfilterRecord = Extract<TraceRecord, { type: 'netfilter' }>

/** `stackOf` gives a node's stack, for its routes. */
export function journeyOf(probe: Probe, stackOf: (node: string) => Stack): Journey {
  const { there, back } = directions(handshake(probe.records), probe)
  return { there: steps(there, stackOf), back: steps(untilClient(back, probe), stackOf) }
}

/** Packets of the client's side, and of the server's: what a node does belongs to the packet that it tracked last. */
function directions(records: readonly TraceRecord[], { client, to }: Probe) {
  const there: TraceRecord[] = []
  const back: TraceRecord[] = []
  const answering = new Set<string>()
  for (const record of records) {
    if (record.type === 'frame') {
      if (isAnswer(record.packet, client, to)) back.push(record)
      else there.push(record)
      continue
    }
    const { event, node } = record
    if (event.event === 'track') {
      if (event.reply || event.state === 'RELATED') answering.add(node)
      else answering.delete(node)
    }
    if (answering.has(node)) back.push(record)
    else there.push(record)
  }
  return { there, back }
}

/** Without what follows the first answer: segments that only acknowledge, and the rules that they passed. */
function handshake(records: readonly TraceRecord[]): TraceRecord[] {
  const skipping = new Set<string>()
  return records.filter((record) => {
    if (record.type === 'frame') return record.packet.kind !== 'segment'
    const { event, node } = record
    if (event.event === 'track') {
      if (event.state === 'ESTABLISHED' && !event.reply) skipping.add(node)
      else skipping.delete(node)
    }
    return !skipping.has(node)
  })
}

/** Whether the packet goes from the server's side to the client's. */
function isAnswer({ kind, source }: WirePacket, client: Endpoint, to: Endpoint): boolean {
  if (kind === 'SYN+ACK' || kind === 'RST' || kind === 'unreachable') return true
  if (kind !== 'datagram' || (source.address === client.address && source.port === client.port)) return false
  return source.port === to.port || source.address === to.address
}

/** The answer's way ends at the client, or in userspace mode where the endpoint's answer comes to the proxy. */
function untilClient(
  records: readonly TraceRecord[],
  { client, point, arrival }: Probe,
): readonly TraceRecord[] {
  const relayed = arrival !== undefined && arrival.source.port !== client.port
  if (relayed && records.some(({ packet }) => 'kind' in packet && packet.kind === 'SYN+ACK')) return records
  const end = records.findIndex(
    (record) =>
      record.type === 'frame' &&
      record.direction === 'in' &&
      record.point === point &&
      (record.packet.destination.port === client.port || record.packet.kind === 'unreachable'),
  )
  return records.slice(0, end < 0 ? records.length : end + 1)
}

function steps(records: readonly TraceRecord[], stackOf: (node: string) => Stack): JourneyStep[] {
  const made: JourneyStep[] = []
  let last: NetfilterRecord | undefined
  for (const record of records) {
    if (record.type === 'frame') {
      last = undefined
      made.push(wireStep(record))
      continue
    }
    const { node, hook, event, packet } = record
    // Between these hooks the node has looked for the way on.
    const routed = hook === 'FORWARD' || hook === 'INPUT'
    if (routed && last?.node === node && last.hook === 'PREROUTING') {
      const route = routeText(stackOf(node), packet.destination.address)
      made.push({ step: 'route', node, hook, route })
    }
    last = record
    const step = ruleStep(node, hook, event)
    if (step !== undefined) made.push(step)
  }
  return made
}

function wireStep({ point, direction, packet }: Extract<TraceRecord, { type: 'frame' }>): JourneyStep {
  const { kind, source, destination } = packet
  const text = kind === 'unreachable' ? ({ address }: Endpoint) => formatAddress(address) : formatEndpoint
  return {
    step: 'wire',
    interface: point,
    direction,
    packet: kind,
    source: text(source),
    destination: text(destination),
  }
}

function ruleStep(node: string, hook: HookName, event: TraceEvent): JourneyStep | undefined {
  switch (event.event) {
    case 'rule': {
      const { family, table, chain, number, text, verdict } = event
      return { step: 'rule', node, hook, family, table, chain, number, rule: text, verdict }
    }
    case 'nat': {
      const { by, part, before, after } = event
      return natStep(node, hook, by, part, before, after)
    }
    case 'end':
      return { step: 'end', node, hook, verdict: event.verdict }
    default:
      return undefined
  }
}

function natStep(
  node: string,
  hook: HookName,
  by: 'netfilter' | 'ipvs',
  part: 'source' | 'destination',
  before: Endpoint,
  after: Endpoint,
): JourneyStep {
  return { step: 'nat', node, hook, by, part, before: formatEndpoint(before), after: formatEndpoint(after) }
}

/** How a host sends to `address`, as `ip route get` tells it. */
export function routeText(stack: Stack, address: IpAddress): string {
  const text = formatAddress(address)
  if (stack.isLocal(address)) return `local ${text} dev lo`
  const routes = stack.routes().filter(({ destination }) => cidrContains(destination, address))
  const [best] = routes.sort((a, b) => b.destination.prefixLength - a.destination.prefixLength)
  if (best === undefined) return `${text}: network is unreachable`
  const device = stack.interfaces().find(({ index }) => index === best.interfaceIndex)?.name ?? '?'
  const via = best.gateway === undefined ? '' : ` via ${formatAddress(best.gateway)}`
  const prefix = best.destination.prefixLength === 0 ? 'default' : formatCidr(best.destination)
  return `${text}${via} dev ${device} (route ${prefix})`
}
