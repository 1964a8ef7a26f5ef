// ping as iputils has it (Debian's, and that of images for looking at networks): sequence numbers from 1, the errors of
// routers as lines of their own, deviations. Read ping.ts for busybox'.

import { MILLISECOND, NEVER, SECOND } from '../../../base/time.js'
import { ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import type { MtuDiscovery } from '../../../stack/socket.js'
import { type AddressFamily, familyOf, formatAddress, type IpAddress } from '../../../wire/address.js'
import { type ParsedOptions, parseDecimal, parseOptions } from './options.js'
import { PingError, Pinging, type PingSettings } from './ping-iputils-run.js'

const USAGE = `
Usage
  ping [options] <destination>

Options:
  <destination>      dns name or ip address
  -c <count>         stop after <count> replies
  -D                 print timestamps
  -f                 flood ping
  -h                 print help and exit
  -A                 use adaptive ping
  -I <interface>     either interface name or address
  -i <interval>      seconds between sending each packet
  -M <pmtud opt>     define mtu discovery, can be one of <do|dont|want>
  -n                 no dns name resolution
  -O                 report outstanding replies
  -q                 quiet output
  -s <size>          use <size> as number of data bytes to be sent
  -t <ttl>           define time to live
  -v                 verbose output
  -V                 print version and exit
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response

IPv4 options:
  -4                 use IPv4

IPv6 options:
  -6                 use IPv6

For more details see ping(8).
`
const ICMP_HEADER_BYTES = 8
const IPV4_HEADER_BYTES = 20
const MAX_DATA_BYTES = 65_507
const LAST_WAIT = 10 * SECOND
const FLOOD_INTERVAL = 10 * MILLISECOND

export async function iputilsPing(process: Process): Promise<number> {
  const names = [
    'c=',
    's=',
    'i=',
    't=',
    'W=',
    'w=',
    'I=',
    'M=',
    'q',
    '4',
    '6',
    'n',
    'f',
    'D',
    'O',
    'v',
    'V',
    'h',
    'A',
    'B',
    'U',
  ]
  const parsed = parseOptions(
    process.argv.slice(1),
    names.map((name) => [name]),
  )
  const { stdout, stderr } = process
  if ('mistake' in parsed) {
    const letter = parsed.option.replace(/^-+/, '')
    const what = parsed.mistake === 'unknown' ? 'invalid option' : 'option requires an argument'
    await stderr.write(`ping: ${what} -- '${letter}'\n${USAGE}`)
    return 2
  }
  if (parsed.has('h')) {
    await stderr.write(USAGE)
    return 2
  }
  if (parsed.has('V')) {
    await stdout.write('ping from iputils 20221126\n')
    return 0
  }
  try {
    return await pingHost(process, parsed)
  } catch (error) {
    if (!(error instanceof PingError)) throw error
    await stderr.write(`ping: ${error.message}\n`)
    return error.status
  }
}

async function pingHost(process: Process, parsed: ParsedOptions): Promise<number> {
  const host = parsed.operands.at(-1)
  if (host === undefined) throw new PingError('usage error: Destination address required', 1)
  const settings = readSettings(parsed)
  const isV6 = parsed.has('6') || (process.argv[0] ?? '').endsWith('6')
  const family = isV6 ? 'IPv6' : parsed.has('4') ? 'IPv4' : undefined
  const address = await addressOf(process, host, family)
  const from = parsed.value('I')
  const source = from === undefined ? '' : sourceText(process, from)
  const header = isV6 || familyOf(address) === 'IPv6' ? 0 : IPV4_HEADER_BYTES + ICMP_HEADER_BYTES
  const size =
    header === 0
      ? `${settings.size} data bytes`
      : `${settings.size}(${settings.size + header}) bytes of data.`
  const name = familyOf(address) === 'IPv6' ? `${host}(${host})` : `${host} (${formatAddress(address)})`
  await process.stdout.write(`PING ${name}${source}${source === '' ? ' ' : ': '}${size}\n`)
  return new Pinging(process, settings, host, address).run()
}

function readSettings(parsed: ParsedOptions): PingSettings {
  const number = (name: string) => {
    const text = parsed.value(name)
    if (text === undefined) return undefined
    const value = parseDecimal(text)
    if (value === undefined) throw new PingError(`invalid argument: '${text}'`, 1)
    return value
  }
  const seconds = (name: string) => {
    const value = number(name)
    return value === undefined ? undefined : Math.round(value * SECOND)
  }
  const count = number('c')
  if (count === 0)
    throw new PingError("invalid argument: '0': out of range: 1 <= value <= 9223372036854775807", 1)
  const size = number('s') ?? 56
  if (size > MAX_DATA_BYTES)
    throw new PingError(`invalid argument: '${size}': out of range: 0 <= value <= 127992`, 1)
  const ttl = number('t')
  if (ttl !== undefined && ttl > 255)
    throw new PingError(`invalid argument: '${ttl}': out of range: 0 <= value <= 255`, 1)
  const flood = parsed.has('f')
  return {
    count: count ?? Number.POSITIVE_INFINITY,
    size,
    interval: Math.max(seconds('i') ?? (flood ? FLOOD_INTERVAL : SECOND), flood ? 0 : MILLISECOND),
    ttl,
    wait: seconds('W') ?? LAST_WAIT,
    deadline: seconds('w') ?? NEVER,
    quiet: parsed.has('q'),
    flood,
    adaptive: parsed.has('A'),
    mtuDiscovery: readMtuDiscovery(parsed.value('M') ?? 'want'),
    stamps: parsed.has('D'),
    outstanding: parsed.has('O'),
    numeric: parsed.has('n'),
  }
}

function readMtuDiscovery(text: string): MtuDiscovery {
  if (text === 'do' || text === 'dont' || text === 'want') return text
  throw new PingError(`invalid -M argument: ${text}`, 1)
}

async function addressOf(
  { system, signal }: Process,
  host: string,
  family: AddressFamily | undefined,
): Promise<IpAddress> {
  try {
    const { addresses } = await system.net.resolve(host, signal)
    const address = addresses.find((one) => family === undefined || familyOf(one) === family)
    if (address !== undefined) return address
    throw new PingError(`${host}: Address family for hostname not supported`)
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error
    const isLate = error.code === 'ETIMEOUT' || error.code === 'ESERVFAIL'
    throw new PingError(
      `${host}: ${isLate ? 'Temporary failure in name resolution' : 'Name or service not known'}`,
    )
  }
}

/** Of -I: the address that packets leave with, and the interface by its name. */
function sourceText({ system }: Process, from: string): string {
  const device = system.net.interfaces().find(({ name }) => name === from)
  if (device !== undefined) return ` from ${device.addresses[0]?.split('/')[0] ?? ''} ${from}`
  if (/^[\d.]+$|:/.test(from)) return ` from ${from} `
  throw new PingError(`SO_BINDTODEVICE ${from}: No such device`)
}
