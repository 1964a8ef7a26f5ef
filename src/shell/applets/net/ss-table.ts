// The table of ss: columns as wide as their longest cell, and what -p, -o and -i put behind a socket's ends. Which sockets
// are shown is ss.ts. Simplified: on a terminal, too, columns are no wider than their cells.

import { MILLISECOND, type Micros } from '../../../base/time.js'
import type { ProcessSocketRow } from '../../../posix/net.js'
import type { ProcessRow } from '../../../posix/process.js'
import type { SocketRow, TcpInfo, TcpTimer } from '../../../stack/socket.js'
import { formatAddress, type IpAddress, isIpv6 } from '../../../wire/address.js'

/** What is shown of each socket. */
export interface TableOptions {
  readonly header: boolean
  readonly netid: boolean
  readonly state: boolean
  readonly processes: readonly Pick<ProcessRow, 'pid' | 'argv'>[] | undefined
  readonly timers: boolean
  readonly info: boolean
  readonly oneLine: boolean
  readonly numeric: boolean
}

interface Column {
  readonly header: string
  /** Before it, when it is not the first of a line. */
  readonly delimiter: string
  readonly align: 'left' | 'right'
  readonly cell: (row: ProcessSocketRow) => string
}

const port = (number: number) => (number === 0 ? '*' : String(number))

function columnsOf(options: TableOptions): Column[] {
  const left = (header: string, delimiter: string, cell: Column['cell']): Column => {
    return { header, delimiter, align: 'left', cell }
  }
  const address = (header: string, cell: Column['cell']): Column => {
    return { header, delimiter: ' ', align: 'right', cell }
  }
  return [
    ...(options.netid ? [left('Netid', ' ', (row) => row.protocol)] : []),
    ...(options.state ? [left('State', ' ', stateText)] : []),
    left('Recv-Q', ' ', (row) => String(row.receiveQueue).padEnd(6)),
    left('Send-Q', ' ', (row) => String(row.sendQueue).padEnd(6)),
    address('Local Address', (row) => addressText(row.local.address)),
    left('Port', ':', (row) => port(row.local.port)),
    address('Peer Address', (row) => addressText(row.remote.address)),
    left('Port', ':', (row) => port(row.remote.port)),
    left('Process', '', (row) => extraText(row, options)),
  ]
}

export function table(rows: readonly ProcessSocketRow[], options: TableOptions): string {
  const columns = columnsOf(options)
  const lines = rows.map((row) => columns.map(({ cell }) => cell(row)))
  if (options.header) lines.unshift(columns.map(({ header }) => header))
  const widths = columns.map((_, column) => {
    // As in the real one the very last cell is too late to make its column wider.
    const isLast = column === columns.length - 1 && rows.length > 0
    const counted = isLast ? lines.slice(0, -1) : lines
    return Math.max(0, ...counted.map((line) => line[column]!.length))
  })
  return lines.map((line) => `${lineText(line, columns, widths)}\n`).join('')
}

function lineText(line: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  return columns
    .map(({ delimiter, align }, at) => {
      const cell = align === 'left' ? line[at]!.padEnd(widths[at]!) : line[at]!.padStart(widths[at]!)
      return `${at === 0 ? '' : delimiter}${cell}`
    })
    .join('')
}

/** As ss names a state. */
export function stateText({ state }: SocketRow): string {
  if (state === 'ESTABLISHED') return 'ESTAB'
  if (state === 'SYN-RECEIVED') return 'SYN-RECV'
  return state === 'CLOSED' ? 'UNCONN' : state
}

/** One of IPv6 in brackets, or its port could not be told from it. */
function addressText(address: IpAddress): string {
  return isIpv6(address) ? `[${formatAddress(address)}]` : formatAddress(address)
}

function extraText(row: ProcessSocketRow, options: TableOptions): string {
  const { process, timer, tcp } = row
  const argv = process && options.processes?.find(({ pid }) => pid === process.pid)?.argv
  const name = argv?.[0]?.split('/').at(-1)
  const users = name === undefined ? '' : ` users:(("${name}",pid=${process?.pid},fd=${process?.fd}))`
  const timerPart = options.timers && timer !== undefined ? ` timer:${timerText(timer)}` : ''
  if (!options.info || row.protocol !== 'tcp' || row.state === 'TIME-WAIT') return `${users}${timerPart}`
  return `${users}${timerPart}${options.oneLine ? '' : '\n\t'}${infoText(tcp, options.numeric)}`
}

function timerText({ kind, left, times }: TcpTimer): string {
  return `(${kind},${durationText(Math.max(0, Math.round(left / MILLISECOND)))},${times})`
}

/** `200ms`, `1.200ms`, `59sec`, `2min3sec`. */
function durationText(millis: number): string {
  const minutes = Math.floor(millis / 60_000)
  const seconds = minutes > 9 ? 0 : Math.floor(millis / 1000) % 60
  const rest = minutes > 0 || seconds > 9 ? 0 : millis % 1000
  const parts = [
    minutes > 0 ? `${minutes}min` : '',
    seconds > 0 ? `${seconds}${rest > 0 ? '.' : 'sec'}` : '',
    rest > 0 ? `${String(rest).padStart(3, '0')}ms` : '',
  ]
  return parts.join('')
}

/** The members of Linux' tcp_info that this stack keeps, in the order of ss. */
function infoText(info: TcpInfo | undefined, numeric: boolean): string {
  if (info === undefined) return ' reno cwnd:10'
  const { rto, srtt, rttvar, sendMss, ssthresh, windowShifts, inFlight, sendWindow, timeouts } = info
  const segments = Math.max(1, Math.round(info.cwnd / sendMss))
  const [send, receive] = windowShifts
  const parts = [
    'reno',
    ...(send > 0 || receive > 0 ? [`wscale:${send},${receive}`] : []),
    `rto:${general(rto / MILLISECOND)}`,
    ...(timeouts > 0 ? [`backoff:${timeouts}`] : []),
    ...(srtt > 0 ? [`rtt:${general(srtt / MILLISECOND)}/${general(rttvar / MILLISECOND)}`] : []),
    `mss:${sendMss}`,
    `cwnd:${segments}`,
    ...(Number.isFinite(ssthresh) ? [`ssthresh:${Math.round(ssthresh / sendMss)}`] : []),
    ...(srtt > 0 ? [`send ${rateText(segments * sendMss, srtt, numeric)}`] : []),
    ...(inFlight > 0 ? [`unacked:${Math.ceil(inFlight / sendMss)}`] : []),
    `snd_wnd:${sendWindow}`,
  ]
  return ` ${parts.join(' ')}`
}

function rateText(bytes: number, time: Micros, numeric: boolean): string {
  const rate = (bytes * 8 * 1e6) / time
  if (numeric || rate < 1e3) return `${rate.toFixed(0)}bps`
  const [unit, letter] = rate >= 1e9 ? [1e9, 'G'] : rate >= 1e6 ? [1e6, 'M'] : [1e3, 'k']
  return `${(rate / (unit as number)).toFixed(1)}${letter}bps`
}

/** printf's %g. */
function general(value: number): string {
  return String(Number(value.toPrecision(6)))
}
