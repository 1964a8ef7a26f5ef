// What ip of iproute2 changes: addresses, links, neighbours; routes are ip-change-route.ts. Words are read first, then the
// kernel is asked, who refuses it to whoever has no CAP_NET_ADMIN. Not here: making and removing links, rules.

import { SystemError } from '../../../base/errors.js'
import type { InterfaceRow, Net } from '../../../posix/net.js'
import { MTU_RANGE, type NetworkSettings } from '../../../stack/network-settings.js'
import {
  type Cidr,
  hostCidr,
  type InterfaceAddress,
  type IpAddress,
  isIpv6,
  parseAddress,
  parseMac,
} from '../../../wire/address.js'
import {
  IpError,
  kernelError,
  netlinkError,
  notSupported,
  readAddress,
  readNumber,
  readPrefix,
  Words,
} from './ip-words.js'

/** Asks the kernel; `refusals` has its words for some errors, by code. */
export function configure(
  net: Net,
  change: (settings: NetworkSettings) => void,
  refusals: Readonly<Record<string, string>> = {},
): void {
  try {
    net.configure(change)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const words = refusals[error.code]
    throw words === undefined ? netlinkError(error) : kernelError(words)
  }
}

/** Asks for what this kernel does not do: refused to all, to those without CAP_NET_ADMIN for that. */
export function changeNothing(net: Net): string {
  configure(net, () => {
    throw notSupported()
  })
  return ''
}

export function deviceNamed(net: Net, name: string): InterfaceRow {
  const device = net.interfaces().find((row) => row.name === name)
  if (device === undefined) throw new IpError(1, `Cannot find device "${name}"`)
  return device
}

// ---- addresses

export function changeAddress(
  net: Net,
  command: 'add' | 'change' | 'replace' | 'delete',
  args: readonly string[],
): void {
  const words = new Words(args)
  let address: InterfaceAddress | undefined
  let device: string | undefined
  while (!words.isEmpty) {
    if (words.take('dev')) device = words.next()
    // Broadcast addresses are always those of the prefix, scopes those of the kind, lifetimes for ever.
    else if (words.take('broadcast', 'brd', 'scope', 'label', 'valid_lft', 'preferred_lft', 'metric'))
      words.next()
    else if (!words.take('nodad', 'noprefixroute', 'home', 'mngtmpaddr')) {
      words.take('local')
      address = interfaceAddress(words.next())
    }
  }
  if (device === undefined) throw new IpError(1, 'Not enough information: "dev" argument is required.')
  const { index } = deviceNamed(net, device)
  if (address === undefined) throw netlinkError(new SystemError('EINVAL', 'netlink'))
  const family = isIpv6(address.address) ? 'ipv6' : 'ipv4'
  const wanted = address
  if (command === 'delete') {
    configure(net, (settings) => settings.removeAddress(index, wanted), {
      EADDRNOTAVAIL: `${family}: Address not found.`,
    })
    return
  }
  const put = (settings: NetworkSettings) => {
    try {
      settings.addAddress(index, wanted)
    } catch (error) {
      // One that is there is as it would be changed to.
      if (command === 'add' || !(error instanceof SystemError) || error.code !== 'EEXIST') throw error
    }
  }
  configure(net, put, { EEXIST: `${family}: Address already assigned.` })
}

/** Removes all addresses of a device, of one family if there is one. */
export function flushAddresses(net: Net, family: string | undefined, args: readonly string[]): void {
  const words = new Words(args)
  let device: string | undefined
  if (words.isEmpty) throw new IpError(1, 'Flush requires arguments.')
  while (!words.isEmpty) {
    if (words.take('scope', 'label', 'to')) words.next()
    else {
      words.take('dev')
      device = words.next()
    }
  }
  const row = net.interfaces().find(({ name }) => name === device)
  if (row === undefined) throw new IpError(1, `Device "${device}" does not exist.`)
  configure(net, (settings) => {
    for (const text of row.addresses) {
      if (family !== undefined && (family === 'IPv6') !== text.includes(':')) continue
      const address = interfaceAddress(text)
      const isThere = net
        .interfaces()
        .some(({ index, addresses }) => index === row.index && addresses.includes(text))
      // It may have gone with the first of its prefix.
      if (isThere) settings.removeAddress(row.index, address)
    }
  })
}

function interfaceAddress(text: string): InterfaceAddress {
  const { network, prefixLength } = readPrefix(text, text.includes(':'))
  return { address: network, prefixLength }
}

// ---- links

export function changeLink(net: Net, args: readonly string[]): void {
  const words = new Words(args)
  words.take('dev')
  const device = deviceNamed(net, words.next())
  const changes: ((settings: NetworkSettings) => void)[] = []
  while (!words.isEmpty) {
    if (words.take('up')) changes.push((settings) => settings.setUp(device.index, true))
    else if (words.take('down')) changes.push((settings) => settings.setUp(device.index, false))
    else if (words.take('mtu')) {
      const mtuBytes = readNumber(words.next(), 'mtu')
      changes.push((settings) => {
        if (mtuBytes < MTU_RANGE.least) throw kernelError('mtu less than device minimum.')
        if (mtuBytes > MTU_RANGE.most) throw kernelError('mtu greater than device maximum.')
        settings.setMtu(device.index, mtuBytes)
      })
    } else if (
      words.take('name', 'address', 'txqueuelen', 'qlen', 'master', 'netns', 'alias', 'group', 'promisc')
    ) {
      words.next()
      changes.push(() => {
        throw notSupported()
      })
    } else throw garbage(words, 'dev')
  }
  configure(net, (settings) => {
    for (const change of changes) change(settings)
  })
}

export function garbage(words: Words, argument: string): IpError {
  return new IpError(255, `Error: either "${argument}" is duplicate, or "${words.next()}" is a garbage.`)
}

// ---- neighbours

const NUD = { permanent: 'PERMANENT', reachable: 'REACHABLE', stale: 'STALE' } as const

export function changeNeighbor(
  net: Net,
  command: 'add' | 'change' | 'replace' | 'delete',
  args: readonly string[],
): void {
  const words = new Words(args)
  let address: IpAddress | undefined
  let mac: number | undefined
  let device: string | undefined
  let state: (typeof NUD)[keyof typeof NUD] = 'PERMANENT'
  while (!words.isEmpty) {
    if (words.take('dev')) device = words.next()
    else if (words.take('lladdr')) {
      const text = words.next()
      mac = parseMac(text)
      if (mac === undefined) throw new IpError(1, `"${text}" is invalid lladdr.`)
    } else if (words.take('nud')) {
      const text = words.next()
      if (!Object.hasOwn(NUD, text))
        throw new IpError(255, `Error: argument "${text}" is wrong: nud state is bad\n`)
      state = NUD[text as keyof typeof NUD]
    } else {
      words.take('to')
      address = readAddress(words.next())
    }
  }
  if (device === undefined || address === undefined)
    throw new IpError(255, 'Device and destination are required arguments.')
  const { index } = deviceNamed(net, device)
  const wanted = address
  configure(net, (settings) => {
    const known = settings.neighbor(index, wanted)
    if (command === 'delete' || command === 'change') {
      if (known === undefined) throw netlinkError(new SystemError('ENOENT', 'netlink'))
      if (command === 'delete') return settings.removeNeighbor(known)
    }
    if (mac === undefined) throw kernelError('No link layer address given.')
    if (command === 'add' && known !== undefined) throw netlinkError(new SystemError('EEXIST', 'netlink'))
    settings.putNeighbor(index, wanted, mac, state)
  })
}

/** Forgets what was learnt; what was entered by hand stays. */
export function flushNeighbors(net: Net, args: readonly string[]): void {
  if (args.length === 0) throw new IpError(1, 'Flush requires arguments.')
  const words = new Words(args)
  let device: InterfaceRow | undefined
  let prefix: Cidr | undefined
  while (!words.isEmpty) {
    if (words.take('all')) continue
    if (words.take('dev')) device = deviceNamed(net, words.next())
    else {
      words.take('to')
      const text = words.next()
      prefix = readPrefix(text, text.includes(':'))
    }
  }
  configure(net, (settings) => {
    for (const row of net.neighbors()) {
      const address = parseAddress(row.address)
      const { index } = deviceNamed(net, row.device)
      const isSpared = row.state === 'PERMANENT' || (device !== undefined && index !== device.index)
      if (address === undefined || isSpared) continue
      if (prefix !== undefined && hostCidr(address).network !== prefix.network) continue
      const known = settings.neighbor(index, address)
      if (known !== undefined) settings.removeNeighbor(known)
    }
  })
}
