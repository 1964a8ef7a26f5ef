// How ip of iproute2 shows links, their addresses and counters, and neighbours, as text. As JSON: ip-json.ts.

import type { InterfaceRow, NeighborRow } from '../../../posix/net.js'
import {
  type AddressFamily,
  formatAddress,
  lastAddress,
  networkOf,
  parseInterfaceAddress,
} from '../../../wire/address.js'
import { flagNames, jsonText, neighborJson, state } from './ip-json.js'

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

export function neighborsText(rows: readonly NeighborRow[], device: string | undefined, view: View): string {
  if (view.json) return jsonText(rows.map(neighborJson), view)
  // The device that was asked for goes without saying.
  return rows
    .map(({ address, device: own, mac, state }) => {
      const on = device === undefined ? ` dev ${own}` : ''
      return `${address}${on}${mac === undefined ? '' : ` lladdr ${mac}`} ${state} \n`
    })
    .join('')
}

export function linkText(row: InterfaceRow, view: View, linkMode = ''): string {
  if (view.brief) return `${row.name.padEnd(16)} ${state(row).padEnd(14)} ${row.mac} ${flags(row)} \n`
  const broadcast = row.loopback ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'
  const first = `${row.index}: ${row.name}: ${flags(row)} mtu ${row.mtuBytes} qdisc noqueue state ${state(row)}`
  const second = `    link/${row.loopback ? 'loopback' : 'ether'} ${row.mac} brd ${broadcast}`
  const mode = view.oneLine ? '\\' : '\n'
  const counters = view.statistics ? mode + statisticsText(row, mode) : ''
  return `${first}${linkMode} group default qlen 1000${mode}${second}${counters}\n`
}

/** `isFiltered`: only some addresses are asked for, so that links are not described. */
export function addressText(row: InterfaceRow, view: View, isFiltered: boolean): string {
  const addresses = row.addresses.filter((text) => isOf(view.family, text))
  // With a family, interfaces that have nothing of it are left out.
  if (view.family !== undefined && addresses.length === 0) return ''
  if (view.brief)
    return `${row.name.padEnd(16)} ${state(row).padEnd(14)} ${addresses.map((text) => `${text} `).join('')}\n`
  const lines = addresses.map((text) => inetLine(row, text))
  if (view.oneLine)
    return lines.map((line) => `${row.index}: ${row.name}    ${line}\\       ${FOREVER}\n`).join('')
  const text = linkText(row, { ...view, statistics: false })
  const plain = view.family === undefined && !isFiltered ? text : `${text.split('\n')[0]}\n`
  const counters = view.statistics ? `${statisticsText(row, '\n')}\n` : ''
  return `${plain}${lines.map((line) => `    ${line}\n       ${FOREVER}\n`).join('')}${counters}`
}

export function isOf(family: AddressFamily | undefined, address: string): boolean {
  return family === undefined || address.includes(':') === (family === 'IPv6')
}

function inetLine(row: InterfaceRow, text: string): string {
  if (text.includes(':')) return `inet6 ${text} scope ${row.loopback ? 'host' : 'global'} `
  const address = parseInterfaceAddress(text)
  const broadcast =
    row.loopback || address === undefined || address.prefixLength > 30
      ? ''
      : ` brd ${formatAddress(lastAddress(networkOf(address)))}`
  const secondary = isSecondary(row, text) ? ' secondary' : ''
  return `inet ${text}${broadcast} scope ${row.loopback ? 'host' : 'global'}${secondary} ${row.name}`
}

/** Whether an earlier address is of the same prefix. */
function isSecondary({ addresses }: InterfaceRow, text: string): boolean {
  const network = (own: string) => {
    const parsed = parseInterfaceAddress(own)
    return parsed && `${networkOf(parsed).network}/${parsed.prefixLength}`
  }
  return addresses.slice(0, addresses.indexOf(text)).some((own) => network(own) === network(text))
}
