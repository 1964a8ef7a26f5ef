// ip of iproute2: address, route, neighbour, link, rule: what is asked for. How it is shown is ip-text.ts, ip-route.ts and
// ip-json.ts; what it changes, where CAP_NET_ADMIN allows it, is ip-change.ts and ip-change-route.ts.

import type { InterfaceRow, NeighborRow, Net } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { type AddressFamily, cidrContains, parseAddress } from '../../../wire/address.js'
import {
  changeAddress,
  changeLink,
  changeNeighbor,
  changeNothing,
  flushAddresses,
  flushNeighbors,
} from './ip-change.js'
import { changeRoute, deleteRoute, flushRoutes } from './ip-change-route.js'
import { addressJson, jsonText, linkJson, routeJson, ruleJson } from './ip-json.js'
import { foundJson, foundText, routeLine, routeTo, selectRoutes } from './ip-route.js'
import { addressText, isOf, linkText, neighborsText, type View } from './ip-text.js'
import { commandOf, IpError, readPrefix, Words } from './ip-words.js'

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | neigh | route | rule }
       OPTIONS := { -V[ersion] | -s[tatistics] | -j[son] | -p[retty] | -4 | -6 |
                    -o[neline] | -br[ief] }
`

const VERSION = 'ip utility, iproute2-6.1.0\n'
const RULES: Readonly<Record<AddressFamily, readonly (readonly [priority: number, table: string])[]>> = {
  IPv4: [
    [0, 'local'],
    [32766, 'main'],
    [32767, 'default'],
  ],
  IPv6: [
    [0, 'local'],
    [32766, 'main'],
  ],
}

/** In the order in which abbreviations are tried: `ip r` is route, `ip a` address. */
const OBJECTS = ['address', 'route', 'link', 'neighbour', 'neighbor', 'rule'] as const

const SHOWING = ['show', 'list', 'lst', 'ls'] as const
const ADDRESS_COMMANDS = ['add', 'change', 'chg', 'replace', 'delete', ...SHOWING, 'flush'] as const
const ROUTE_COMMANDS = [
  ...SHOWING,
  'get',
  'add',
  'change',
  'chg',
  'replace',
  'append',
  'delete',
  'flush',
] as const
const LINK_COMMANDS = ['add', 'set', 'change', 'delete', ...SHOWING] as const
const NEIGHBOR_COMMANDS = ['add', 'change', 'chg', 'replace', 'delete', 'get', ...SHOWING, 'flush'] as const
const RULE_COMMANDS = [...SHOWING, 'add', 'delete', 'flush'] as const

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
    await process.stdout.write(run(process, args, view))
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

/** Does what is asked; what is to be shown. */
function run({ system: { net } }: Process, args: readonly string[], view: View): string {
  const [objectText, commandText, ...rest] = args
  if (objectText === undefined) throw new IpError(255, USAGE.trimEnd())
  if (objectText === 'help') return USAGE
  const object = OBJECTS.find((name) => name.startsWith(objectText))
  if (object === undefined) throw new IpError(1, `Object "${objectText}" is unknown, try "ip help".`)
  const read = <Name extends string>(names: readonly Name[]): Name | 'show' => {
    if (commandText === undefined) return 'show'
    const command = commandOf(commandText, names)
    if (command !== undefined) return command
    const name = object === 'neighbor' ? 'neighbour' : object
    throw new IpError(255, `Command "${commandText}" is unknown, try "ip ${name} help".`)
  }
  switch (object) {
    case 'address':
      return address(net, read(ADDRESS_COMMANDS), rest, view)
    case 'link':
      return link(net, read(LINK_COMMANDS), rest, view)
    case 'route':
      return route(net, read(ROUTE_COMMANDS), rest, view)
    case 'rule':
      return rule(net, read(RULE_COMMANDS), view)
    default:
      return neighbour(net, read(NEIGHBOR_COMMANDS), rest, view)
  }
}

function address(
  net: Net,
  command: (typeof ADDRESS_COMMANDS)[number],
  args: readonly string[],
  view: View,
): string {
  switch (command) {
    case 'add':
    case 'delete':
    case 'replace':
      changeAddress(net, command, args)
      return ''
    case 'change':
    case 'chg':
      changeAddress(net, 'change', args)
      return ''
    case 'flush':
      flushAddresses(net, view.family, args)
      return ''
  }
  const { rows, isFiltered } = selectInterfaces(net.interfaces(), args)
  if (view.json)
    return jsonText(
      rows.map((row) => addressJson(row, view)),
      view,
    )
  return rows.map((row) => addressText(row, view, isFiltered)).join('')
}

function link(
  net: Net,
  command: (typeof LINK_COMMANDS)[number],
  args: readonly string[],
  view: View,
): string {
  if (command === 'set' || command === 'change') {
    changeLink(net, args)
    return ''
  }
  if (command === 'add' || command === 'delete') return changeNothing(net)
  const { rows } = selectInterfaces(net.interfaces(), args)
  if (view.json)
    return jsonText(
      rows.map((row) => linkJson(row, view)),
      view,
    )
  return rows.map((row) => linkText(row, view, ' mode DEFAULT')).join('')
}

function route(
  net: Net,
  command: (typeof ROUTE_COMMANDS)[number],
  args: readonly string[],
  view: View,
): string {
  const isV6 = view.family === 'IPv6'
  switch (command) {
    case 'get': {
      const way = routeTo(net.routes(), net.interfaces(), args)
      return view.json ? jsonText([foundJson(way)], view) : foundText(way)
    }
    case 'add':
    case 'append':
    case 'replace':
    case 'change':
    case 'chg':
      changeRoute(net, command === 'chg' ? 'change' : command, args, isV6)
      return ''
    case 'delete':
      deleteRoute(net, args, isV6)
      return ''
    case 'flush':
      flushRoutes(net, args, isV6)
      return ''
  }
  const { routes, hidden } = selectRoutes(net.routes(), net.interfaces(), view.family ?? 'IPv4', args)
  return view.json
    ? jsonText(routes.map(routeJson), view)
    : routes.map((row) => routeLine(row, hidden)).join('')
}

function rule(net: Net, command: (typeof RULE_COMMANDS)[number], view: View): string {
  if (!SHOWING.some((name) => name === command)) return changeNothing(net)
  const rules = RULES[view.family ?? 'IPv4']
  if (view.json) return jsonText(rules.map(ruleJson), view)
  return rules.map(([priority, table]) => `${priority}:\tfrom all lookup ${table}\n`).join('')
}

function neighbour(
  net: Net,
  command: (typeof NEIGHBOR_COMMANDS)[number],
  args: readonly string[],
  view: View,
): string {
  switch (command) {
    case 'add':
    case 'delete':
    case 'replace':
      changeNeighbor(net, command, args)
      return ''
    case 'change':
    case 'chg':
      changeNeighbor(net, 'change', args)
      return ''
    case 'flush':
      flushNeighbors(net, args)
      return ''
    case 'get': {
      const [wanted] = args.filter((word) => word !== 'to')
      const found = net.neighbors().filter((row) => row.address === wanted)
      if (found.length === 0) throw new IpError(2, 'RTNETLINK answers: No such file or directory')
      return neighborsText(found, undefined, view)
    }
  }
  const { rows, device } = selectNeighbors(net, args)
  return neighborsText(
    rows.filter((row) => isOf(view.family, row.address)),
    device,
    view,
  )
}

/** `dev NAME`, `up`, `to PREFIX`, `scope NAME`; interfaces without an address that is asked for are left out. */
function selectInterfaces(
  all: readonly InterfaceRow[],
  args: readonly string[],
): { readonly rows: readonly InterfaceRow[]; readonly isFiltered: boolean } {
  const words = new Words(args)
  let rows = [...all]
  let isFiltered = false
  const keep = (isWanted: (address: string, row: InterfaceRow) => boolean) => {
    isFiltered = true
    rows = rows
      .map((row) => ({ ...row, addresses: row.addresses.filter((text) => isWanted(text, row)) }))
      .filter(({ addresses }) => addresses.length > 0)
  }
  while (!words.isEmpty) {
    if (words.take('up')) rows = rows.filter(({ up }) => up)
    else if (words.take('to')) {
      const text = words.next()
      const prefix = readPrefix(text, text.includes(':'))
      keep((own) => cidrContains(prefix, parseAddress(own.split('/')[0]!)!))
    } else if (words.take('scope')) {
      const scope = words.next()
      const scopeOf = (row: InterfaceRow) => (row.loopback ? 'host' : 'global')
      keep((_, row) => scope === 'all' || scopeOf(row) === scope)
    } else if (words.take('label')) {
      const name = words.next()
      rows = rows.filter((row) => row.name === name)
    } else {
      words.take('dev')
      const name = words.next()
      if (!all.some((row) => row.name === name)) throw new IpError(1, `Device "${name}" does not exist.`)
      rows = rows.filter((row) => row.name === name)
    }
  }
  return { rows, isFiltered }
}

/** `dev NAME`, `nud STATE`, `[to] PREFIX`. */
function selectNeighbors(
  net: Net,
  args: readonly string[],
): { readonly rows: readonly NeighborRow[]; readonly device: string | undefined } {
  const words = new Words(args)
  let rows = net.neighbors()
  let device: string | undefined
  while (!words.isEmpty) {
    if (words.take('dev')) {
      const name = words.next()
      device = name
      if (!net.interfaces().some((row) => row.name === name))
        throw new IpError(1, `Cannot find device "${name}"`)
      rows = rows.filter((row) => row.device === name)
    } else if (words.take('nud')) {
      const wanted = words.next().toUpperCase()
      rows = rows.filter(({ state }) => wanted === 'ALL' || state === wanted)
    } else {
      words.take('to')
      const text = words.next()
      const prefix = readPrefix(text, text.includes(':'))
      rows = rows.filter((row) => cidrContains(prefix, parseAddress(row.address)!))
    }
  }
  return { rows, device }
}
