// What ip of iproute2 shows of routes: the main table with selectors, and the way to one address.

import type { InterfaceRow, RouteRow } from '../../../posix/net.js'
import {
  type AddressFamily,
  type Cidr,
  cidrContains,
  type IpAddress,
  isIpv6,
  lastAddress,
  networkOf,
  parseAddress,
  parseInterfaceAddress,
} from '../../../wire/address.js'
import { IpError, liesIn, prefixOf, readAddress, readPrefix, Words } from './ip-words.js'

/** Which routes of the main table are shown, and what need not be said of them. */
export interface RouteSelection {
  readonly routes: readonly RouteRow[]
  readonly hidden: ReadonlySet<'dev' | 'scope' | 'proto' | 'via'>
}

/** `dev eth0`, `via A`, `scope link`, `proto kernel`, `PREFIX`, `to match ADDRESS`, `root PREFIX`, `table main`. */
export function selectRoutes(
  all: readonly RouteRow[],
  interfaces: readonly InterfaceRow[],
  family: AddressFamily,
  args: readonly string[],
): RouteSelection {
  const isV6 = family === 'IPv6'
  const words = new Words(args)
  const hidden = new Set<'dev' | 'scope' | 'proto' | 'via'>()
  let routes = all.filter((row) => row.family === family)
  const prefixes = (row: RouteRow): Cidr => prefixOf(row.destination, isV6)!
  while (!words.isEmpty) {
    if (words.take('dev', 'oif')) {
      const name = words.next()
      if (!interfaces.some((row) => row.name === name)) throw new IpError(1, `Cannot find device "${name}"`)
      hidden.add('dev')
      routes = routes.filter(({ device }) => device === name)
    } else if (words.take('via')) {
      const gateway = readAddress(words.next())
      hidden.add('via')
      routes = routes.filter((row) => row.gateway !== undefined && parseAddress(row.gateway) === gateway)
    } else if (words.take('scope')) {
      const scope = words.next()
      hidden.add('scope')
      routes = routes.filter((row) => scope === row.scope || scope === 'all')
    } else if (words.take('proto', 'protocol')) {
      const protocol = words.next()
      hidden.add('proto')
      routes = routes.filter((row) => (row.protocol ?? 'boot') === protocol)
    } else if (words.take('table')) {
      const table = words.next()
      if (table !== 'main' && table !== '254') routes = []
    } else if (words.take('match')) {
      const wanted = readPrefix(words.next(), isV6)
      routes = routes.filter((row) => liesIn(wanted, prefixes(row)))
    } else if (words.take('root')) {
      const wanted = readPrefix(words.next(), isV6)
      routes = routes.filter((row) => liesIn(prefixes(row), wanted))
    } else if (!words.take('to', 'exact')) {
      const wanted = readPrefix(words.next(), isV6)
      routes = routes.filter((row) => {
        const { network, prefixLength } = prefixes(row)
        return network === wanted.network && prefixLength === wanted.prefixLength
      })
    }
  }
  return { routes, hidden }
}

export function routeLine(row: RouteRow, hidden: RouteSelection['hidden']): string {
  const { destination, gateway, device, protocol, source, metric = 0 } = row
  const parts = [
    destination,
    ...(gateway === undefined || hidden.has('via') ? [] : [`via ${gateway}`]),
    ...(hidden.has('dev') ? [] : [`dev ${device}`]),
    ...(protocol === undefined || hidden.has('proto') ? [] : [`proto ${protocol}`]),
  ]
  if (row.family === 'IPv6') {
    const usual = protocol === 'kernel' ? 256 : 1024
    return `${parts.join(' ')} metric ${metric === 0 ? usual : metric} pref medium\n`
  }
  if (row.scope === 'link' && !hidden.has('scope')) parts.push('scope link')
  if (source !== undefined) parts.push(`src ${source}`)
  if (metric > 0) parts.push(`metric ${metric}`)
  return `${parts.join(' ')} \n`
}

/** What `ip route get` finds. */
export interface Found {
  readonly kind: 'unicast' | 'local' | 'broadcast'
  readonly destination: string
  readonly from: string | undefined
  readonly gateway: string | undefined
  readonly device: string
  readonly source: string | undefined
}

/** `ip route get [to] ADDRESS [from A] [oif NAME]`. */
export function routeTo(
  routes: readonly RouteRow[],
  interfaces: readonly InterfaceRow[],
  args: readonly string[],
): Found {
  const words = new Words(args)
  let text: string | undefined
  let from: string | undefined
  let output: string | undefined
  while (!words.isEmpty) {
    if (words.take('from')) from = words.next()
    else if (words.take('oif', 'dev')) output = words.next()
    else {
      words.take('to')
      text = words.next()
    }
  }
  if (text === undefined) throw new IpError(1, 'need at least a destination address')
  const address = parseAddress(text)
  if (address === undefined)
    throw new IpError(1, `Error: any valid prefix is expected rather than "${text}".`)
  const own = (name?: string) =>
    interfaces
      .filter((row) => name === undefined || row.name === name)
      .flatMap((row) => row.addresses.map((own) => own.split('/')[0]!))
      .filter((own) => own.includes(':') === isIpv6(address))
  const loopback = interfaces.find((row) => row.loopback)
  const isLoopback = !isIpv6(address) && address >>> 24 === 127
  if (own().includes(text) || isLoopback)
    return found('local', text, from, undefined, loopback?.name ?? 'lo', isLoopback ? '127.0.0.1' : text)
  const usable = routes.filter((row) => output === undefined || row.device === output)
  const route = longestMatch(usable, address)
  if (route === undefined) throw new IpError(2, 'RTNETLINK answers: Network is unreachable')
  const source = route.source ?? own(route.device)[0]
  const isBroadcast = interfaces.some(
    (row) => !row.loopback && row.addresses.some((own) => broadcastOf(own) === address),
  )
  return found(isBroadcast ? 'broadcast' : 'unicast', text, from, route.gateway, route.device, source)
}

function found(
  kind: Found['kind'],
  destination: string,
  from: string | undefined,
  gateway: string | undefined,
  device: string,
  source: string | undefined,
): Found {
  return { kind, destination, from, gateway, device, source: from === undefined ? source : undefined }
}

function broadcastOf(text: string): IpAddress | undefined {
  const own = parseInterfaceAddress(text)
  return own === undefined || isIpv6(own.address) || own.prefixLength > 30
    ? undefined
    : lastAddress(networkOf(own))
}

const CACHE: Readonly<Record<Found['kind'], string>> = {
  unicast: '',
  local: '<local> ',
  broadcast: '<local,brd> ',
}

export function foundText({ kind, destination, from, gateway, device, source }: Found): string {
  const parts = [
    ...(kind === 'unicast' ? [] : [kind]),
    destination,
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(gateway === undefined ? [] : [`via ${gateway}`]),
    `dev ${device}`,
    ...(source === undefined ? [] : [`src ${source}`]),
  ]
  return `${parts.join(' ')} uid 0 \n    cache ${CACHE[kind]}\n`
}

export function foundJson({ kind, destination, from, gateway, device, source }: Found): object {
  return {
    ...(kind !== 'unicast' && { type: kind }),
    dst: destination,
    ...(from !== undefined && { from }),
    ...(gateway !== undefined && { gateway }),
    dev: device,
    ...(source !== undefined && { prefsrc: source }),
    flags: [],
    uid: 0,
    cache: kind === 'unicast' ? [] : kind === 'local' ? ['local'] : ['local', 'brd'],
  }
}

function longestMatch(routes: readonly RouteRow[], address: IpAddress): RouteRow | undefined {
  const family: AddressFamily = isIpv6(address) ? 'IPv6' : 'IPv4'
  let best: RouteRow | undefined
  let bestLength = -1
  for (const route of routes) {
    const prefix = route.family === family ? prefixOf(route.destination, family === 'IPv6') : undefined
    if (prefix === undefined || !cidrContains(prefix, address) || prefix.prefixLength <= bestLength) continue
    best = route
    bestLength = prefix.prefixLength
  }
  return best
}
