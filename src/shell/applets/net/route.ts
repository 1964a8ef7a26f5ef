// route and arp as busybox has them: the tables of this host. They change nothing.

import type { Process } from '../../../posix/process.js'
import { formatAddress, netmask, parseAddress, parseIpv4Cidr } from '../../../wire/address.js'
import { busyboxMistake, parseOptions } from './options.js'

export async function route(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [['n'], ['e'], ['A=']])
  if ('mistake' in parsed || parsed.operands.length > 0) {
    const mistake =
      'mistake' in parsed ? busyboxMistake('route', parsed) : 'route: routes are not changed here\n'
    await process.stderr.write(mistake)
    return 1
  }
  const isNumeric = parsed.has('n')
  const lines = [
    'Kernel IP routing table',
    'Destination     Gateway         Genmask         Flags Metric Ref    Use Iface',
  ]
  for (const { family, destination, gateway, device } of process.system.net.routes()) {
    if (family !== 'IPv4') continue
    const text = destination === 'default' ? '0.0.0.0/0' : destination
    const prefix = parseIpv4Cidr(text.includes('/') ? text : `${text}/32`)
    if (prefix === undefined) continue
    const flags = `U${gateway === undefined ? '' : 'G'}${prefix.prefixLength === 32 ? 'H' : ''}`
    const columns = [
      !isNumeric && destination === 'default' ? 'default' : formatAddress(prefix.network),
      gateway ?? (isNumeric ? '0.0.0.0' : '*'),
      formatAddress(netmask(prefix.prefixLength)),
    ]
    const left = columns.map((column) => column.padEnd(15)).join(' ')
    lines.push(`${left} ${flags.padEnd(5)} ${'0'.padEnd(6)} ${'0'.padEnd(2)} ${'0'.padStart(7)} ${device}`)
  }
  await process.stdout.write(`${lines.join('\n')}\n`)
  return 0
}

export async function arp(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [['a'], ['n'], ['v'], ['i=']])
  if ('mistake' in parsed) {
    await process.stderr.write(busyboxMistake('arp', parsed))
    return 1
  }
  const { net } = process.system
  const wanted = parsed.operands[0]
  const device = parsed.value('i')
  let shown = 0
  for (const row of net.neighbors()) {
    const address = parseAddress(row.address)
    if (address === undefined || typeof address === 'bigint') continue
    if ((device !== undefined && row.device !== device) || (wanted !== undefined && row.address !== wanted))
      continue
    const name = parsed.has('n') ? undefined : await net.reverse(address).catch(() => undefined)
    const hardware = row.mac === undefined ? '<incomplete> ' : `${row.mac} [ether] `
    await process.stdout.write(`${name ?? '?'} (${row.address}) at ${hardware} on ${row.device}\n`)
    shown++
  }
  if (shown === 0 && wanted !== undefined)
    await process.stdout.write(`No match found in ${net.neighbors().length} entries\n`)
  return 0
}
