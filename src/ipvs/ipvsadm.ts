// What ipvsadm(8) prints: -Ln, -Ln --stats, -Lnc, -Ln --timeout and -Sn, to the letter (version 1.31, protocol 1.2.1).

import { type Micros, SECOND } from '../base/time.js'
import {
  compareAddresses,
  type Endpoint,
  formatAddress,
  formatEndpoint,
  type IpAddress,
} from '../wire/address.js'
import type { Connection } from './connection.js'
import {
  protocolName,
  type RealServer,
  type Statistics,
  type VirtualService,
  type VirtualServiceId,
} from './service.js'
import type { IpvsTimeouts } from './timeouts.js'

/** 2^CONFIG_IP_VS_TAB_BITS. */
const TITLE = 'IP Virtual Server version 1.2.1 (size=4096)\n'

const NO_MASK = 0xffff_ffff

/** `ipvsadm -Ln`. */
export function listText(services: readonly VirtualService[]): string {
  let text = `${TITLE}Prot LocalAddress:Port Scheduler Flags\n`
  text += '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n'
  for (const service of sortedServices(services)) {
    text += `${serviceName(service.id)} ${service.schedulerName}${flagsText(service)}\n`
    for (const server of sortedServers(service.servers)) {
      const weight = String(server.weight).padEnd(6)
      const active = String(server.activeConnections).padEnd(10)
      const inactive = String(server.inactiveConnections).padEnd(10)
      text += `  -> ${formatEndpoint(server).padEnd(28)} ${'Masq'.padEnd(7)} ${weight} ${active} ${inactive}\n`
    }
  }
  return text
}

/** `ipvsadm -Ln --stats`. */
export function statisticsText(services: readonly VirtualService[]): string {
  const columns = ['Conns', 'InPkts', 'OutPkts', 'InBytes', 'OutBytes']
  let text = `${TITLE}${'Prot LocalAddress:Port'.padEnd(33)} ${columns.map((name) => name.padStart(8)).join(' ')}\n`
  text += '  -> RemoteAddress:Port\n'
  for (const service of sortedServices(services)) {
    text += `${serviceName(service.id).padEnd(33)}${countersText(service.statistics)}\n`
    for (const server of sortedServers(service.servers)) {
      text += `  -> ${formatEndpoint(server).padEnd(28)}${countersText(server.statistics)}\n`
    }
  }
  return text
}

/** `ipvsadm -Lnc`: connections and templates. */
export function connectionsText(connections: readonly Connection[], now: Micros): string {
  let text = 'IPVS connection entries\n'
  text += 'pro expire state       source             virtual            destination\n'
  for (const connection of connections) {
    const { client, virtual, server } = connection
    const seconds = Math.max(0, Math.floor((connection.expiresAt - now) / SECOND))
    const left = `${twoDigits(Math.floor(seconds / 60))}:${twoDigits(seconds % 60)}`
    const protocol = (protocolName(connection.protocol) ?? 'IP').padEnd(3)
    const ends = [client, virtual].map((end) => formatEndpoint(end).padEnd(18)).join(' ')
    text += `${protocol} ${left}  ${stateText(connection).padEnd(11)} ${ends} ${formatEndpoint(server)}\n`
  }
  return text
}

/** `ipvsadm -Ln --timeout`. */
export function timeoutsText({ tcp, tcpFin, udp }: IpvsTimeouts): string {
  return `Timeout (tcp tcpfin udp): ${tcp / SECOND} ${tcpFin / SECOND} ${udp / SECOND}\n`
}

/** `ipvsadm -Sn`: the commands that `ipvsadm -R` reads. */
export function saveText(services: readonly VirtualService[]): string {
  let text = ''
  for (const service of sortedServices(services)) {
    const { schedulerFlags, persistence } = service
    let flags = persistence ? ` -p ${persistence.timeoutSeconds}${maskText(persistence.netmask, '-M')}` : ''
    if (schedulerFlags.length > 0) flags += ` -b ${schedulerFlags.join(',')}`
    text += `-A ${ruleName(service.id)} -s ${service.schedulerName}${flags}\n`
    for (const server of sortedServers(service.servers)) {
      text += `-a ${ruleName(service.id)} -r ${formatEndpoint(server)} -m -w ${server.weight}\n`
    }
  }
  return text
}

function serviceName(id: VirtualServiceId): string {
  if ('fwmark' in id) return `FWM  ${id.fwmark}`
  return `${id.protocol.padEnd(4)} ${formatEndpoint(id)}`
}

function ruleName(id: VirtualServiceId): string {
  if ('fwmark' in id) return `-f ${id.fwmark}`
  return `${{ TCP: '-t', UDP: '-u', SCTP: '--sctp-service' }[id.protocol]} ${formatEndpoint(id)}`
}

function flagsText({ schedulerFlags, persistence }: VirtualService): string {
  const flags = schedulerFlags.length > 0 ? ` (${schedulerFlags.join(',')})` : ''
  if (persistence === undefined) return flags
  return `${flags} persistent ${persistence.timeoutSeconds}${maskText(persistence.netmask, 'mask')}`
}

function maskText(netmask: IpAddress | undefined, option: string): string {
  return netmask === undefined || netmask === NO_MASK ? '' : ` ${option} ${formatAddress(netmask)}`
}

function stateText({ template, protocol, state }: Connection): string {
  if (template) return 'NONE'
  return protocolName(protocol) === 'TCP' ? state : protocolName(protocol) === 'UDP' ? 'UDP' : 'ESTABLISHED'
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

function countersText(statistics: Statistics): string {
  const { connections, packetsIn, packetsOut, bytesIn, bytesOut } = statistics
  return [connections, packetsIn, packetsOut, bytesIn, bytesOut].map(largeNumber).join('')
}

/** Nine columns: large numbers are cut and get a unit. */
function largeNumber(value: number): string {
  if (value < 1e8) return String(value).padStart(9)
  const [unit, size] =
    value < 1e9 ? ['K', 1e3] : value < 1e11 ? ['M', 1e6] : value < 1e14 ? ['G', 1e9] : ['T', 1e12]
  return `${String(Math.floor(value / (size as number))).padStart(8)}${unit}`
}

const PROTOCOL_ORDER = { TCP: 6, UDP: 17, SCTP: 132 } as const

/** ipvsadm's order: firewall marks last, then protocol, address, port. It compares addresses as signed differences. */
function sortedServices(services: readonly VirtualService[]): VirtualService[] {
  return [...services].sort(({ id: a }, { id: b }) => {
    if ('fwmark' in a || 'fwmark' in b) return ('fwmark' in a ? a.fwmark : 0) - ('fwmark' in b ? b.fwmark : 0)
    return PROTOCOL_ORDER[a.protocol] - PROTOCOL_ORDER[b.protocol] || byAddress(a, b)
  })
}

function sortedServers(servers: readonly RealServer[]): RealServer[] {
  return [...servers].sort(byAddress)
}

function byAddress(a: Endpoint, b: Endpoint): number {
  const addresses =
    typeof a.address === 'number' && typeof b.address === 'number'
      ? (a.address - b.address) | 0
      : compareAddresses(a.address, b.address)
  return addresses || a.port - b.port
}
