// ip of iproute2, as far as it reads: address, route, neighbour, link. A pod may not change its network (no
// CAP_NET_ADMIN), so commands that would are refused as the kernel refuses them.

import type { InterfaceRow, NeighborRow, RouteRow } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import {
  type AddressFamily,
  cidrContains,
  formatAddress,
  type IpAddress,
  isIpv6,
  lastAddress,
  networkOf,
  parseAddress,
  parseCidr,
  parseInterfaceAddress,
} from '../../../wire/address.js'
import { addressJson, flagNames, jsonText, linkJson, neighborJson, routeJson, state } from './ip-json.js'

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | neigh | route | rule }
       OPTIONS := { -V[ersion] | -s[tatistics] | -j[son] | -p[retty] | -4 | -6 |
                    -o[neline] | -br[ief] }
`

const VERSION = 'ip utility, iproute2-6.1.0\n'
const RULES = '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n'
const FOREVER = 'valid_lft forever preferred_lft forever'

export interface View {
  /** From -4 and -6. */
  readonly family: AddressFamily | undefined
  readonly brief: boolean
  readonly oneLine: boolean
  readonly statistics: boolean
  readonly json: boolean
  readonly pretty: boolean
}

/** Ends the program with a message and a status. */
class IpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** In the order in which abbreviations are tried: `ip r` is route, `ip a` address. */
const OBJECTS = ['address', 'route', 'link', 'neighbour', 'neighbor', 'rule'] as const

const READING = ['show', 'list', 'lst', 'ls']
const CHANGING = ['add', 'append', 'change', 'delete', 'del', 'flush', 'replace', 'set']

export async function ip(process: Process): Promise<number> {
  const args = process.argv.slice(1)
  const view: MutableView = {
    family: undefined,
    brief: false,
    oneLine: false,
    statistics: false,
    json: false,
    pretty: false,
  }
  try {
    while (args[0]?.startsWith('-')) {
      const option = args.shift()!
      if (/^-{1,2}(V|version|Version)$/.test(option)) {
        await process.stdout.write(VERSION)
        return 0
      }
      readOption(option, view)
    }
    await process.stdout.write(show(process, args, view))
    return 0
  } catch (error) {
    if (!(error instanceof IpError)) throw error
    await process.stderr.write(`${error.message}\n`)
    return error.status
  }
}

type MutableView = { -readonly [Key in keyof View]: View[Key] }

function readOption(option: string, view: MutableView): void {
  const name = option.replace(/^-+/, '')
  if (name === 'o' || name === 'oneline') view.oneLine = true
  else if (name === 'br' || name === 'brief') view.brief = true
  else if (name === '4') view.family = 'IPv4'
  else if (name === '6') view.family = 'IPv6'
  else if (/^s(tat(s|istics)?)?$/.test(name)) view.statistics = true
  else if (/^j(son)?$/.test(name)) view.json = true
  else if (/^p(retty)?$/.test(name)) view.pretty = true
  else if (!/^(c(olor)?(=.*)?|d(etails)?|h(uman)?|N|Numeric|n|0)$/.test(name))
    throw new IpError(255, `Option "${option}" is unknown, try "ip -help".`)
}

function show({ system: { net } }: Process, args: readonly string[], view: View): string {
  const [objectText, command = 'show', ...rest] = args
  if (objectText === undefined) throw new IpError(255, USAGE.trimEnd())
  if (objectText === 'help') return USAGE
  const object = OBJECTS.find((name) => name.startsWith(objectText))
  if (object === undefined) throw new IpError(1, `Object "${objectText}" is unknown, try "ip help".`)
  if (object === 'route' && command === 'get') return routeTo(net.routes(), net.interfaces(), rest)
  if (command.length > 1 && CHANGING.some((name) => name.startsWith(command)))
    throw new IpError(2, 'RTNETLINK answers: Operation not permitted')
  if (!READING.some((name) => name.startsWith(command)))
    throw new IpError(255, `Command "${command}" is unknown, try "ip ${object} help".`)
  const device = deviceOf(rest)
  if (device !== undefined && !net.interfaces().some(({ name }) => name === device))
    throw new IpError(
      1,
      object === 'route' ? `Cannot find device "${device}"` : `Device "${device}" does not exist.`,
    )
  const wanted = (name: string) => device === undefined || name === device
  if (object === 'rule') return RULES
  if (object === 'route') {
    const routes = net.routes().filter((row) => wanted(row.device) && row.family === (view.family ?? 'IPv4'))
    return view.json ? jsonText(routes.map(routeJson), view) : routes.map(routeLine).join('')
  }
  if (object === 'neighbour' || object === 'neighbor')
    return neighborsText(
      net.neighbors().filter((row) => wanted(row.device) && isOf(view.family, row.address)),
      device,
      view,
    )
  const rows = net.interfaces().filter((row) => wanted(row.name))
  if (view.json) {
    const objects = rows.map((row) => (object === 'link' ? linkJson(row, view) : addressJson(row, view)))
    return jsonText(objects, view)
  }
  return rows
    .map((row) => (object === 'link' ? linkText(row, view, ' mode DEFAULT') : addressText(row, view)))
    .join('')
}

function deviceOf(args: readonly string[]): string | undefined {
  const at = args.indexOf('dev')
  return at >= 0 ? args[at + 1] : args[0]
}

function flags(row: InterfaceRow): string {
  return `<${flagNames(row).join(',')}>`
}

/** Of received and sent packets; nothing is lost in an emulated device. */
function statisticsText(row: InterfaceRow, end: string): string {
  const line = (bytes: number, packets: number) => {
    const cells = [bytes, packets, 0, 0, 0, 0].map((value, at) => String(value).padStart(at === 0 ? 14 : 7))
    return `${cells.join(' ')} `
  }
  return [
    '    RX:  bytes packets errors dropped  missed   mcast           ',
    line(row.receivedBytes, row.receivedFrames),
    '    TX:  bytes packets errors dropped carrier collsns           ',
    line(row.sentBytes, row.sentFrames),
  ].join(end)
}

function neighborsText(rows: readonly NeighborRow[], device: string | undefined, view: View): string {
  if (view.json) return jsonText(rows.map(neighborJson), view)
  // The device that was asked for goes without saying.
  return rows
    .map(({ address, device: own, mac, state }) => {
      const on = device === undefined ? ` dev ${own}` : ''
      return `${address}${on}${mac === undefined ? '' : ` lladdr ${mac}`} ${state} \n`
    })
    .join('')
}

function linkText(row: InterfaceRow, view: View, linkMode = ''): string {
  if (view.brief) return `${row.name.padEnd(16)} ${state(row).padEnd(14)} ${row.mac} ${flags(row)} \n`
  const broadcast = row.loopback ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'
  const first = `${row.index}: ${row.name}: ${flags(row)} mtu ${row.mtuBytes} qdisc noqueue state ${state(row)}`
  const second = `    link/${row.loopback ? 'loopback' : 'ether'} ${row.mac} brd ${broadcast}`
  const mode = view.oneLine ? '\\' : '\n'
  const counters = view.statistics ? mode + statisticsText(row, mode) : ''
  return `${first}${linkMode} group default qlen 1000${mode}${second}${counters}\n`
}

function addressText(row: InterfaceRow, view: View): string {
  const addresses = row.addresses.filter((text) => isOf(view.family, text))
  // With a family, interfaces that have nothing of it are left out.
  if (view.family !== undefined && addresses.length === 0) return ''
  if (view.brief)
    return `${row.name.padEnd(16)} ${state(row).padEnd(14)} ${addresses.map((text) => `${text} `).join('')}\n`
  const lines = addresses.map((text) => inetLine(row, text))
  if (view.oneLine)
    return lines.map((line) => `${row.index}: ${row.name}    ${line}\\       ${FOREVER}\n`).join('')
  const plain = linkText(row, { ...view, statistics: false })
  const counters = view.statistics ? `${statisticsText(row, '\n')}\n` : ''
  return `${plain}${lines.map((line) => `    ${line}\n       ${FOREVER}\n`).join('')}${counters}`
}

function isOf(family: AddressFamily | undefined, address: string): boolean {
  return family === undefined || address.includes(':') === (family === 'IPv6')
}

function inetLine(row: InterfaceRow, text: string): string {
  if (text.includes(':')) return `inet6 ${text} scope ${row.loopback ? 'host' : 'global'} `
  const address = parseInterfaceAddress(text)
  const broadcast =
    row.loopback || address === undefined || address.prefixLength > 30
      ? ''
      : ` brd ${formatAddress(lastAddress(networkOf(address)))}`
  return `inet ${text}${broadcast} scope ${row.loopback ? 'host' : 'global'} ${row.name}`
}

function routeLine(row: RouteRow): string {
  const via = row.gateway === undefined ? '' : ` via ${row.gateway}`
  const kernel = row.scope === 'link' ? ' proto kernel scope link' : ''
  if (row.family === 'IPv6') {
    const metric = row.scope === 'link' ? ' proto kernel metric 256' : ' metric 1024'
    return `${row.destination}${via} dev ${row.device}${metric} pref medium\n`
  }
  const source = row.source === undefined ? '' : ` src ${row.source}`
  return `${row.destination}${via} dev ${row.device}${kernel}${source} \n`
}

/** `ip route get`: the way to one address. */
function routeTo(
  routes: readonly RouteRow[],
  interfaces: readonly InterfaceRow[],
  args: readonly string[],
): string {
  const text = args.find((arg) => arg !== 'to') ?? ''
  const address = parseAddress(text)
  if (address === undefined)
    throw new IpError(1, `Error: any valid prefix is expected rather than "${text}".`)
  const own = (name?: string) =>
    interfaces
      .filter((row) => name === undefined || row.name === name)
      .flatMap((row) => row.addresses.map((own) => own.split('/')[0]!))
      .filter((own) => own.includes(':') === isIpv6(address))
  const loopback = interfaces.find((row) => row.loopback)
  if (own().includes(text))
    return `local ${text} dev ${loopback?.name ?? 'lo'} src ${text} uid 0 \n    cache <local> \n`
  const route = longestMatch(routes, address)
  if (route === undefined) throw new IpError(2, 'RTNETLINK answers: Network is unreachable')
  const via = route.gateway === undefined ? '' : ` via ${route.gateway}`
  const source = route.source ?? own(route.device)[0]
  return `${text}${via} dev ${route.device}${source === undefined ? '' : ` src ${source}`} uid 0 \n    cache \n`
}

function longestMatch(routes: readonly RouteRow[], address: IpAddress): RouteRow | undefined {
  let best: RouteRow | undefined
  let bestLength = -1
  for (const route of routes) {
    const prefix = parseCidr(
      route.destination === 'default' ? EVERYTHING[route.family] : withLength(route.destination),
    )
    if (prefix === undefined || !cidrContains(prefix, address) || prefix.prefixLength <= bestLength) continue
    best = route
    bestLength = prefix.prefixLength
  }
  return best
}

const EVERYTHING: Readonly<Record<AddressFamily, string>> = { IPv4: '0.0.0.0/0', IPv6: '::/0' }

function withLength(destination: string): string {
  if (destination.includes('/')) return destination
  return `${destination}/${destination.includes(':') ? 128 : 32}`
}
