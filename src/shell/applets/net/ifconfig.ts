// ifconfig as busybox has it, reading only. Nothing is lost in an emulated device, so errors are none.

import type { InterfaceRow } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import {
  formatAddress,
  type InterfaceAddress,
  type Ipv4,
  isIpv4,
  lastAddress,
  netmask,
  networkOf,
  parseInterfaceAddress,
} from '../../../wire/address.js'

export async function ifconfig(process: Process): Promise<number> {
  const args = process.argv.slice(1)
  const all = args.includes('-a')
  const [name, ...change] = args.filter((arg) => arg !== '-a')
  const rows = process.system.net.interfaces()
  if (name === undefined) {
    const shown = rows.filter((row) => all || row.up).sort((a, b) => (a.name < b.name ? -1 : 1))
    await process.stdout.write(shown.map(describe).join(''))
    return 0
  }
  const row = rows.find((row) => row.name === name)
  if (row === undefined) {
    await process.stderr.write(`ifconfig: ${name}: error fetching interface information: Device not found\n`)
    return 1
  }
  if (change.length > 0) {
    await process.stderr.write('ifconfig: SIOCSIFADDR: Operation not permitted\n')
    return 1
  }
  await process.stdout.write(describe(row))
  return 0
}

function describe(row: InterfaceRow): string {
  const indent = ' '.repeat(10)
  const kind = row.loopback
    ? 'Link encap:Local Loopback  '
    : `Link encap:Ethernet  HWaddr ${row.mac.toUpperCase()}  `
  const lines = [`${row.name.padEnd(10)}${kind}`]
  const addresses = row.addresses.map(parseInterfaceAddress).filter((parsed) => parsed !== undefined)
  const address = addresses.find((own): own is InterfaceAddress<Ipv4> => isIpv4(own.address))
  if (address !== undefined) {
    const broadcast = row.loopback ? '' : `Bcast:${formatAddress(lastAddress(networkOf(address)))}  `
    const mask = formatAddress(netmask(address.prefixLength))
    lines.push(`${indent}inet addr:${formatAddress(address.address)}  ${broadcast}Mask:${mask}`)
  }
  for (const own of addresses) {
    if (isIpv4(own.address)) continue
    const text = `${formatAddress(own.address)}/${own.prefixLength}`
    lines.push(`${indent}inet6 addr: ${text} Scope:${row.loopback ? 'Host' : 'Global'}`)
  }
  const flags = row.loopback ? ['LOOPBACK'] : ['BROADCAST']
  if (row.up) flags.unshift('UP')
  if (row.up) flags.push('RUNNING')
  if (!row.loopback) flags.push('MULTICAST')
  lines.push(
    `${indent}${flags.join(' ')}  MTU:${row.mtuBytes}  Metric:1`,
    `${indent}RX packets:${row.receivedFrames} errors:0 dropped:0 overruns:0 frame:0`,
    `${indent}TX packets:${row.sentFrames} errors:0 dropped:0 overruns:0 carrier:0`,
    `${indent}collisions:0 txqueuelen:1000 `,
    `${indent}RX bytes:${bytesText(row.receivedBytes)}  TX bytes:${bytesText(row.sentBytes)}`,
  )
  return `${lines.join('\n')}\n\n`
}

/** `1536 (1.5 KiB)`. */
function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 'B']
  for (const larger of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1024) break
    value /= 1024
    unit = larger
  }
  return `${bytes} (${value.toFixed(1)} ${unit})`
}
