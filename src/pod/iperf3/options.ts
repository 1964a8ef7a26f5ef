// The command line of iperf3: what is built in of it. A text is what is wrong.

import { parseOptions } from '../../shell/applets/net/options.js'

export const VERSION = '3.12'
export const DEFAULT_PORT = 5201
const TCP_BLOCK_BYTES = 128 * 1024
const UDP_BLOCK_BYTES = 1460
const LARGEST_UDP_BLOCK = 65_507
const UDP_BITRATE = 1_048_576
const MOST_STREAMS = 128
const LONGEST_SECONDS = 86_400

export interface IperfOptions {
  /** Where to connect to; undefined for a server. */
  readonly host: string | undefined
  readonly port: number
  readonly udp: boolean
  /** The server sends. */
  readonly reverse: boolean
  readonly seconds: number
  /** Instead of a time; 0 when the time counts. */
  readonly bytes: number
  readonly streams: number
  readonly blockBytes: number
  /** Bits a second of each stream; 0: as fast as it goes. */
  readonly bitrate: number
  readonly intervalSeconds: number
  readonly json: boolean
  readonly oneOff: boolean
  /** `k`, `m`, `g`, ... of bits, in capitals of bytes; undefined: as it fits. */
  readonly format: string | undefined
}

export const USAGE = `Usage: iperf3 [-s|-c host] [options]
       iperf3 [-h|--help] [-v|--version]

Server or Client:
  -p, --port      #         server port to listen on/connect to
  -f, --format   [kmgtKMGT] format to report: Kbits, Mbits, Gbits, Tbits
  -i, --interval  #         seconds between periodic throughput reports
  -J, --json                output in JSON format
  -v, --version             show version information and quit
  -h, --help                show this message and quit
Server specific:
  -s, --server              run in server mode
  -1, --one-off             handle one client connection then exit
Client specific:
  -c, --client <host>       run in client mode, connecting to <host>
  -u, --udp                 use UDP rather than TCP
  -b, --bitrate #[KMG]      target bitrate in bits/sec (0 for unlimited)
                            (default 1 Mbit/sec for UDP, unlimited for TCP)
  -t, --time      #         time in seconds to transmit for (default 10 secs)
  -n, --bytes     #[KMG]    number of bytes to transmit (instead of -t)
  -l, --length    #[KMG]    length of buffer to read or write
                            (default 128 KB for TCP, dynamic or 1460 for UDP)
  -P, --parallel  #         number of parallel client streams to run
  -R, --reverse             run in reverse mode (server sends, client receives)

[KMG] indicates options that support a K/M/G suffix for kilo-, mega-, or giga-
`

const SPECIFICATION = [
  ['s', 'server'],
  ['c=', 'client='],
  ['p=', 'port='],
  ['f=', 'format='],
  ['i=', 'interval='],
  ['J', 'json'],
  ['1', 'one-off'],
  ['u', 'udp'],
  ['b=', 'bitrate=', 'bandwidth='],
  ['t=', 'time='],
  ['n=', 'bytes='],
  ['l=', 'length='],
  ['P=', 'parallel='],
  ['R', 'reverse'],
  ['v', 'version'],
  ['h', 'help'],
  // Taken, without effect here: there is one way of each.
  ['4', 'version4'],
  ['N', 'no-delay'],
  ['V', 'verbose'],
  ['forceflush'],
]

export function readOptions(
  args: readonly string[],
): IperfOptions | { readonly error: string } | { readonly text: string } {
  const read = parseOptions(args, SPECIFICATION)
  if ('mistake' in read) {
    const what = read.mistake === 'unknown' ? 'unrecognized option' : 'option requires an argument --'
    return { error: `${what} '${read.option}'` }
  }
  if (read.has('h')) return { text: USAGE }
  if (read.has('v')) return { text: `iperf ${VERSION}\n` }
  const host = read.value('c')
  if (read.has('s') === (host !== undefined)) {
    const why = read.has('s')
      ? 'cannot be both server and client'
      : 'must either be a client (-c) or server (-s)'
    return { error: `parameter error - ${why}` }
  }
  const clientOnly = ['u', 'b', 't', 'n', 'l', 'P', 'R'].find((name) => read.has(name))
  if (host === undefined && clientOnly !== undefined)
    return { error: 'parameter error - some option you are trying to set is client only' }
  if (read.has('t') && read.has('n'))
    return { error: 'parameter error - only one test end condition (-t, -n, -k) may be specified' }
  const udp = read.has('u')
  const numbers = {
    port: scaled(read.value('p'), DEFAULT_PORT, 1, 65_535),
    intervalSeconds: scaled(read.value('i'), 1, 0, 60),
    seconds: scaled(read.value('t'), 10, 0, LONGEST_SECONDS),
    bytes: scaled(read.value('n'), 0, 1, Number.MAX_SAFE_INTEGER, 1024),
    streams: scaled(read.value('P'), 1, 1, MOST_STREAMS),
    bitrate: scaled(read.value('b'), udp ? UDP_BITRATE : 0, 0, Number.MAX_SAFE_INTEGER, 1000),
    blockBytes: scaled(
      read.value('l'),
      udp ? UDP_BLOCK_BYTES : TCP_BLOCK_BYTES,
      udp ? 16 : 1,
      udp ? LARGEST_UDP_BLOCK : 1024 * 1024,
      1024,
    ),
  }
  for (const [name, value] of Object.entries(numbers))
    if (value === undefined) return { error: `parameter error - ${WRONG[name as keyof typeof WRONG]}` }
  const format = read.value('f')
  if (format !== undefined && !/^[kmgtKMGT]$/.test(format))
    return { error: 'parameter error - invalid format specifier (valid formats are in the set [kmgtKMGT])' }
  return {
    host,
    udp,
    reverse: read.has('R'),
    json: read.has('J'),
    oneOff: read.has('1'),
    format,
    ...(numbers as { readonly [Name in keyof typeof numbers]: number }),
  }
}

const WRONG = {
  port: 'port number is invalid',
  intervalSeconds: 'invalid report interval (min = 0.1, max = 60 seconds)',
  seconds: `test duration too long (maximum = ${LONGEST_SECONDS} seconds)`,
  bytes: 'number of bytes is invalid',
  streams: `number of parallel streams too large (maximum = ${MOST_STREAMS})`,
  bitrate: 'bitrate is invalid',
  blockBytes: 'block size invalid',
} as const

/** `10M` as a number; undefined when it is none or out of range. */
function scaled(
  text: string | undefined,
  otherwise: number,
  least: number,
  most: number,
  unit?: 1000 | 1024,
): number | undefined {
  if (text === undefined) return otherwise
  const [, digits, letter] = /^(\d+(?:\.\d+)?)([kKmMgG]?)$/.exec(text) ?? []
  if (digits === undefined || (letter !== '' && unit === undefined)) return undefined
  const power = ['', 'k', 'm', 'g'].indexOf(letter!.toLowerCase())
  const number = Number(digits) * (unit ?? 1) ** power
  return number >= least && number <= most ? number : undefined
}
