// ip of iproute2, as far as it reads: address, route, neighbour, link. A pod may not change its network (no
// CAP_NET_ADMIN), so commands that would are refused as the kernel refuses them.

import type { InterfaceRow, RouteRow } from '../../../posix/net.js'
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

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | neigh | route }
       OPTIONS := { -4 | -6 | -o[neline] | -br[ief] }
`

const FOREVER = 'valid_lft forever preferred_lft forever'

interface View {
  /** From -4 and -6. */
  readonly family: AddressFamily | undefined
  readonly brief: boolean
  readonly oneLine: boolean
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
const OBJECTS = ['address', 'route', 'link', 'neighbour', 'neighbor'] as const

const READING = ['show', 'list', 'lst', 'ls']
const CHANGING = ['add', 'append', 'change', 'delete', 'del', 'flush', 'replace', 'set']

export async function ip(process: Process): Promise<number> {
  const args = process.argv.slice(1)
  const view: MutableView = { family: undefined, brief: false, oneLine: false }
  try {
    while (args[0]?.startsWith('-')) readOption(args.shift()!, view)
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
  else if (!/^(c|color(=.*)?|d|details|s|stats|family)$/.test(name))
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
  if (object === 'route')
    return net
      .routes()
      .filter((row) => wanted(row.device) && row.family === (view.family ?? 'IPv4'))
      .map(routeLine)
      .join('')
  if (object === 'neighbour' || object === 'neighbor')
    return net
      .neighbors()
      .filter(({ device, address }) => wanted(device) && isOf(view.family, address))
      .map(
        ({ address, device, mac, state }) =>
          `${address} dev ${device}${mac === undefined ? '' : ` lladdr ${mac}`} ${state} \n`,
      )
      .join('')
  const rows = net.interfaces().filter((row) => wanted(row.name))
  return rows.map((row) => (object === 'link' ? linkText(row, view) : addressText(row, view))).join('')
}

function deviceOf(args: readonly string[]): string | undefined {
  const at = args.indexOf('dev')
  return at >= 0 ? args[at + 1] : args[0]
}

function flags(row: InterfaceRow): string {
  const kind = row.loopback ? ['LOOPBACK'] : ['BROADCAST', 'MULTICAST']
  return `<${[...kind, ...(row.up ? ['UP', 'LOWER_UP'] : [])].join(',')}>`
}

function state(row: InterfaceRow): string {
  if (!row.up) return 'DOWN'
  return row.loopback ? 'UNKNOWN' : 'UP'
}

function linkText(row: InterfaceRow, view: View): string {
  if (view.brief) return `${row.name.padEnd(16)} ${state(row).padEnd(14)} ${row.mac} ${flags(row)} \n`
  const broadcast = row.loopback ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'
  const first = `${row.index}: ${row.name}: ${flags(row)} mtu ${row.mtuBytes} qdisc noqueue state ${state(row)}`
  const second = `    link/${row.loopback ? 'loopback' : 'ether'} ${row.mac} brd ${broadcast}`
  const mode = view.oneLine ? '\\' : '\n'
  return `${first} group default qlen 1000${mode}${second}\n`
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
  return `${linkText(row, view)}${lines.map((line) => `    ${line}\n       ${FOREVER}\n`).join('')}`
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
