// What `ip -j` shows of interfaces, addresses, routes and neighbours, in the members and order of iproute2.

import type { InterfaceRow, NeighborRow, RouteRow } from '../../../posix/net.js'
import { formatAddress, lastAddress, networkOf, parseInterfaceAddress } from '../../../wire/address.js'

const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff'
const NO_MAC = '00:00:00:00:00:00'
/** `forever`, as a number of seconds. */
const FOREVER = 0xffff_ffff

interface Wanted {
  readonly family: 'IPv4' | 'IPv6' | undefined
  readonly statistics: boolean
  readonly pretty: boolean
}

export function jsonText(objects: readonly object[], { pretty }: Wanted): string {
  return `${pretty ? prettyArray(objects, 0) : JSON.stringify(objects)}\n`
}

/** As iproute2 indents: `[ {` opens a list of objects, lists of words stay on one line. */
function prettyArray(values: readonly unknown[], depth: number): string {
  const texts = values.map((value) => prettyValue(value, depth + 1))
  return texts.length === 0 ? '[ ]' : `[ ${texts.join(',')} ]`
}

function prettyValue(value: unknown, depth: number): string {
  if (Array.isArray(value)) return prettyArray(value, depth)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const indent = (levels: number) => ' '.repeat(4 * levels)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${indent(depth + 1)}"${name}": ${prettyValue(member, depth + 1)}`)
  return `{\n${members.join(',\n')}\n${indent(depth)}}`
}

export function flagNames(row: InterfaceRow): string[] {
  const kind = row.loopback ? ['LOOPBACK'] : ['BROADCAST', 'MULTICAST']
  return [...kind, ...(row.up ? ['UP', 'LOWER_UP'] : [])]
}

export function state(row: InterfaceRow): string {
  if (!row.up) return 'DOWN'
  return row.loopback ? 'UNKNOWN' : 'UP'
}

export function linkJson(row: InterfaceRow, wanted: Wanted): object {
  return { ...linkMembers(row, { linkmode: 'DEFAULT' }), ...statistics(row, wanted) }
}

export function addressJson(row: InterfaceRow, wanted: Wanted): object {
  const isOf = (text: string) => text.includes(':') === (wanted.family === 'IPv6')
  const addresses = row.addresses.filter((text) => wanted.family === undefined || isOf(text))
  // With a family, interfaces that have nothing of it are left empty.
  if (wanted.family !== undefined && addresses.length === 0) return {}
  return {
    ...linkMembers(row, {}),
    addr_info: addresses.map((text) => addressMembers(row, text)),
    ...statistics(row, wanted),
  }
}

function linkMembers(row: InterfaceRow, mode: object): object {
  return {
    ifindex: row.index,
    ifname: row.name,
    flags: flagNames(row),
    mtu: row.mtuBytes,
    qdisc: 'noqueue',
    operstate: state(row),
    ...mode,
    group: 'default',
    txqlen: 1000,
    link_type: row.loopback ? 'loopback' : 'ether',
    address: row.mac,
    broadcast: row.loopback ? NO_MAC : BROADCAST_MAC,
  }
}

function addressMembers(row: InterfaceRow, text: string): object {
  const [local, length] = text.split('/')
  const isV6 = text.includes(':')
  const address = parseInterfaceAddress(text)
  const hasBroadcast = !isV6 && !row.loopback && address !== undefined && address.prefixLength <= 30
  return {
    family: isV6 ? 'inet6' : 'inet',
    local,
    prefixlen: Number(length),
    ...(hasBroadcast && { broadcast: formatAddress(lastAddress(networkOf(address))) }),
    scope: row.loopback ? 'host' : 'global',
    ...(!isV6 && { label: row.name }),
    valid_life_time: FOREVER,
    preferred_life_time: FOREVER,
  }
}

function statistics(row: InterfaceRow, wanted: Wanted): object {
  if (!wanted.statistics) return {}
  const none = { errors: 0, dropped: 0 }
  return {
    stats64: {
      rx: {
        bytes: row.receivedBytes,
        packets: row.receivedFrames,
        ...none,
        over_errors: 0,
        multicast: 0,
      },
      tx: { bytes: row.sentBytes, packets: row.sentFrames, ...none, carrier_errors: 0, collisions: 0 },
    },
  }
}

export function routeJson({
  destination,
  gateway,
  device,
  source,
  scope,
  protocol,
  metric = 0,
}: RouteRow): object {
  return {
    dst: destination,
    ...(gateway !== undefined && { gateway }),
    dev: device,
    ...(protocol !== undefined && { protocol }),
    ...(scope === 'link' && { scope }),
    ...(source !== undefined && { prefsrc: source }),
    ...(metric > 0 && { metric }),
    flags: [],
  }
}

export function neighborJson({ address, device, mac, state }: NeighborRow): object {
  return { dst: address, dev: device, ...(mac !== undefined && { lladdr: mac }), state: [state] }
}

export function ruleJson([priority, table]: readonly [priority: number, table: string]): object {
  return { priority, src: 'all', table }
}
