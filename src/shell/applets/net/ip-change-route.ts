// What ip of iproute2 changes of routes: those of the main table. Not here: other tables and kinds, several next hops.

import type { InterfaceRow, Net } from '../../../posix/net.js'
import type { NetworkSettings, RouteChange } from '../../../stack/network-settings.js'
import type { Route } from '../../../stack/routes.js'
import { type Cidr, type IpAddress, isIpv6, maskAddress, parseAddress } from '../../../wire/address.js'
import { configure, deviceNamed, garbage } from './ip-change.js'
import { IpError, kernelError, notSupported, readAddress, readNumber, readPrefix, Words } from './ip-words.js'

interface RouteWords {
  destination: Cidr | undefined
  gateway: IpAddress | undefined
  device: string | undefined
  source: IpAddress | undefined
  metric: number | undefined
  protocol: string | undefined
}

const OTHER_KINDS = [
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'local',
  'broadcast',
  'multicast',
  'nat',
] as const

function readRoute(args: readonly string[], isV6: boolean): RouteWords {
  const words = new Words(args)
  const route: RouteWords = {
    destination: undefined,
    gateway: undefined,
    device: undefined,
    source: undefined,
    metric: undefined,
    protocol: undefined,
  }
  while (!words.isEmpty) {
    if (words.take('via')) {
      words.take('inet', 'inet6')
      route.gateway = readAddress(words.next())
    } else if (words.take('dev', 'oif')) route.device = words.next()
    else if (words.take('src')) route.source = readAddress(words.next())
    else if (words.take('metric', 'priority', 'preference')) route.metric = readNumber(words.next(), 'metric')
    else if (words.take('proto', 'protocol')) route.protocol = words.next()
    else if (words.take('scope')) words.next()
    else if (words.take('table')) {
      if (!['main', '254'].includes(words.next())) throw notSupported()
    } else if (words.take(...OTHER_KINDS, 'nexthop', 'mtu', 'advmss', 'encap')) throw notSupported()
    else if (!words.take('unicast', 'onlink', 'to')) {
      if (route.destination !== undefined) throw garbage(words, 'to')
      route.destination = readPrefix(
        words.next(),
        isV6 || (route.gateway !== undefined && isIpv6(route.gateway)),
      )
    }
  }
  const { destination, gateway } = route
  // `default via fd00::1` is of the gateway's family.
  if (destination?.prefixLength === 0 && gateway !== undefined && isIpv6(gateway))
    route.destination = { network: 0n, prefixLength: 0 }
  return route
}

export function changeRoute(net: Net, command: RouteChange, args: readonly string[], isV6: boolean): void {
  const route = readRoute(args, isV6)
  const { gateway, source, metric } = route
  const destination = route.destination ?? readPrefix('default', isV6)
  const device = route.device === undefined ? undefined : deviceNamed(net, route.device)
  if (maskAddress(destination.network, destination.prefixLength) !== destination.network)
    configure(net, () => {
      throw kernelError('Invalid prefix for given prefix length.')
    })
  const put = (settings: NetworkSettings) => {
    const index = gateway === undefined ? device?.index : settings.linkTo(gateway, device?.index)
    if (gateway !== undefined && index === undefined) throw kernelError('Nexthop has invalid gateway.')
    if (index === undefined) throw new IpError(2, 'RTNETLINK answers: No such device')
    const output = net.interfaces().find((row) => row.index === index)!
    if (!output.up) throw kernelError('Device for nexthop is not up.')
    if (source !== undefined && !isOwn(net, source)) throw kernelError('Invalid prefsrc address.')
    const protocol = route.protocol === 'boot' ? undefined : route.protocol
    settings.putRoute(
      {
        destination,
        interfaceIndex: index,
        protocol,
        ...(gateway !== undefined && { gateway }),
        ...(source !== undefined && { source }),
        ...(metric !== undefined && { metric }),
      },
      command,
    )
  }
  configure(net, put)
}

function isOwn(net: Net, address: IpAddress): boolean {
  return net
    .interfaces()
    .some(({ addresses }) => addresses.some((text) => parseAddress(text.split('/')[0]!) === address))
}

export function deleteRoute(net: Net, args: readonly string[], isV6: boolean): void {
  const wanted = readRoute(args, isV6)
  const destination = wanted.destination ?? readPrefix('default', isV6)
  const device = wanted.device === undefined ? undefined : deviceNamed(net, wanted.device)
  configure(net, (settings) => {
    if (!settings.removeRoute((route) => isWanted(route, wanted, destination, device?.index)))
      throw new IpError(2, 'RTNETLINK answers: No such process')
  })
}

function isWanted(
  route: Route,
  wanted: RouteWords,
  { network, prefixLength }: Cidr,
  index: number | undefined,
): boolean {
  return (
    route.destination.network === network &&
    route.destination.prefixLength === prefixLength &&
    (wanted.gateway === undefined || route.gateway === wanted.gateway) &&
    (index === undefined || route.interfaceIndex === index) &&
    (wanted.metric === undefined || route.metric === wanted.metric) &&
    (wanted.source === undefined || route.source === wanted.source)
  )
}

/** `ip route flush PREFIX`, `dev NAME`, `table main`. */
export function flushRoutes(net: Net, args: readonly string[], isV6: boolean): void {
  if (args.length === 0) throw new IpError(1, '"ip route flush" requires arguments.')
  const words = new Words(args)
  let prefix: Cidr | undefined
  let device: InterfaceRow | undefined
  while (!words.isEmpty) {
    if (words.take('table')) {
      if (!['main', 'all', '254'].includes(words.next())) throw notSupported()
    } else if (words.take('cache')) return
    else if (words.take('dev')) device = deviceNamed(net, words.next())
    else {
      words.take('to', 'root', 'exact')
      prefix = readPrefix(words.next(), isV6)
    }
  }
  const matches = ({ destination, interfaceIndex }: Route) =>
    isIpv6(destination.network) === isV6 &&
    (device === undefined || interfaceIndex === device.index) &&
    (prefix === undefined ||
      (destination.network === prefix.network && destination.prefixLength === prefix.prefixLength))
  configure(net, (settings) => {
    while (settings.removeRoute(matches));
  })
}
