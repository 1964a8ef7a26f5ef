// traceroute as busybox has it: probes one after the other, TTL 1, 2, ... until the host itself answers. The probes are
// route-probes.ts; the traceroute of Linux distributions is traceroute-linux.ts.

import { SystemError } from '../../../base/errors.js'
import { MILLISECOND, type Micros, SECOND } from '../../../base/time.js'
import { ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import {
  type AddressFamily,
  familyOf,
  formatAddress,
  type IpAddress,
  parseAddress,
} from '../../../wire/address.js'
import { busyboxMistake, type ParsedOptions, parseDecimal, parseOptions } from './options.js'
import { hopName, openProbes, type ProbeReply, type RouteProbes } from './route-probes.js'
import { strerror } from './strerror.js'

const USAGE = `Usage: traceroute [-46FIlnv] [-f 1ST_TTL] [-m MAXTTL] [-q PROBES] [-p PORT]
	[-t TOS] [-w WAIT_SEC] [-s SRC_IP] [-z PAUSE_MSEC] HOST [BYTES]

Trace the route to HOST

	-4,-6	Force IP or IPv6 name resolution
	-F	Set don't fragment bit
	-I	Use ICMP ECHO instead of UDP datagrams
	-l	Display TTL value of the returned packet
	-n	Print numeric addresses
	-v	Verbose
	-f N	First number of hops (default 1)
	-m N	Max number of hops
	-q N	Number of probes per hop (default 3)
	-p N	Base UDP port number used in probes
		(default 33434)
	-s IP	Source address
	-t N	Type-of-service in probe packets (default 0)
	-w SEC	Wait for a response (default 3)
	-z MSEC	Wait before each send
`
const FIRST_PORT = 33434
const DEFAULT_BYTES: Readonly<Record<AddressFamily, number>> = { IPv4: 46, IPv6: 72 }
const MAX_BYTES = 32_768
/** Of the answers' headers in what -v tells: an IP header and ICMP's, and the quoted IP header with 8 bytes. */
const VERBOSE_EXTRA_BYTES = 8

interface Settings {
  readonly firstTtl: number
  readonly maxTtl: number
  readonly probes: number
  readonly wait: Micros
  readonly pause: Micros
  readonly numeric: boolean
  readonly showTtl: boolean
}

/** Ends the program with `traceroute: MESSAGE`. */
class TracerouteError extends Error {}

export async function traceroute(process: Process): Promise<number> {
  const parsed = parseOptions(
    process.argv.slice(1),
    ['4', '6', 'F', 'I', 'l', 'n', 'r', 'v', 'f=', 'm=', 'q=', 'p=', 's=', 't=', 'w=', 'z='].map((name) => [
      name,
    ]),
  )
  const host = 'mistake' in parsed ? undefined : parsed.operands[0]
  if ('mistake' in parsed || host === undefined) {
    await process.stderr.write(`${'mistake' in parsed ? busyboxMistake('traceroute', parsed) : ''}${USAGE}`)
    return 1
  }
  try {
    return await traceHost(process, parsed, host)
  } catch (error) {
    if (error instanceof SystemError) await process.stderr.write(`traceroute: ${systemText(error, host)}\n`)
    else if (error instanceof TracerouteError) await process.stderr.write(`traceroute: ${error.message}\n`)
    else throw error
    return 1
  }
}

function systemText(error: SystemError, host: string): string {
  const reason = strerror(error)
  if (error.syscall === 'bind') return `bind: ${reason}`
  return error.code === 'ENETUNREACH'
    ? `can't connect to remote host (${host}): ${reason}`
    : `sendto: ${reason}`
}

async function traceHost(process: Process, parsed: ParsedOptions, host: string): Promise<number> {
  const settings = readSettings(parsed)
  const address = await addressOf(process, parsed, host)
  const least = DEFAULT_BYTES[familyOf(address)]
  const packetBytes = number(parsed.operands[1] ?? String(least), least, MAX_BYTES)
  const source = parsed.value('s')
  const from = source === undefined ? undefined : parseAddress(source)
  if (source !== undefined && from === undefined) throw new TracerouteError(`bad address '${source}'`)
  const probes = openProbes(process, parsed.has('I') ? 'icmp' : 'udp', {
    address,
    // The first probe is to the port after it.
    port: number(parsed.value('p') ?? String(FIRST_PORT), 1, 65_535) + 1,
    packetBytes,
    tos: number(parsed.value('t') ?? '0', 0, 255),
    dontFragment: parsed.has('F'),
    source: from,
  })
  const start = `traceroute to ${host} (${formatAddress(address)})`
  const fromText = source === undefined ? '' : ` from ${source}`
  await process.stdout.write(
    `${start}${fromText}, ${settings.maxTtl} hops max, ${packetBytes} byte packets\n`,
  )
  const verbose = parsed.has('v')
    ? ` ${packetBytes + VERBOSE_EXTRA_BYTES} bytes to ${ownAddress(process, address)}`
    : ''
  try {
    return await new Trace(process, settings, probes, verbose).run()
  } finally {
    probes.close()
  }
}

function number(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : undefined
  if (value === undefined) throw new TracerouteError(`invalid number '${text}'`)
  if (value < least || value > most)
    throw new TracerouteError(`number ${text} is not in ${least}..${most} range`)
  return value
}

function readSettings(parsed: ParsedOptions): Settings {
  const value = (name: string, otherwise: number, least: number, most: number) =>
    number(parsed.value(name) ?? String(otherwise), least, most)
  const wait = parsed.value('w') ?? '3'
  if (parseDecimal(wait) === undefined) throw new TracerouteError(`invalid number '${wait}'`)
  const maxTtl = value('m', 30, 1, 255)
  return {
    firstTtl: value('f', 1, 1, maxTtl),
    maxTtl,
    probes: value('q', 3, 1, 255),
    wait: Number(wait) * SECOND,
    pause: value('z', 0, 0, 3_600_000) * MILLISECOND,
    numeric: parsed.has('n'),
    showTtl: parsed.has('l'),
  }
}

async function addressOf(
  { system, signal }: Process,
  parsed: ParsedOptions,
  host: string,
): Promise<IpAddress> {
  const family = parsed.has('6') ? 'IPv6' : parsed.has('4') ? 'IPv4' : undefined
  const resolution = await system.net.resolve(host, signal).catch((error) => {
    if (error instanceof ResolveError) return undefined
    throw error
  })
  const address = resolution?.addresses.find((one) => family === undefined || familyOf(one) === family)
  if (address === undefined) throw new TracerouteError(`bad address '${host}'`)
  return address
}

/** The first address of the family, to which answers come. */
function ownAddress({ system }: Process, to: IpAddress): string {
  const isV6 = familyOf(to) === 'IPv6'
  const rows = system.net.interfaces().filter(({ loopback }) => !loopback)
  const own = rows.flatMap(({ addresses }) => addresses).find((text) => text.includes(':') === isV6)
  return own?.split('/')[0] ?? ''
}

class Trace {
  readonly #process: Process
  readonly #settings: Settings
  readonly #probes: RouteProbes
  /** What -v has behind the name of a hop. */
  readonly #verbose: string
  #sent = 0

  constructor(process: Process, settings: Settings, probes: RouteProbes, verbose: string) {
    this.#process = process
    this.#settings = settings
    this.#probes = probes
    this.#verbose = verbose
  }

  async run(): Promise<number> {
    const { firstTtl, maxTtl, probes } = this.#settings
    for (let ttl = firstTtl; ttl <= maxTtl; ttl++) {
      await this.#write(String(ttl).padStart(2))
      let last: IpAddress | undefined
      let arrived = false
      let unreachable = 0
      for (let probe = 0; probe < probes; probe++) {
        const { reply, time } = await this.#probe(ttl)
        if (reply === undefined) {
          await this.#write('  *')
          continue
        }
        if (reply.from !== last) await this.#write(await this.#nameOf(reply.from))
        last = reply.from
        const mark = reply.result === 'unreachable' ? unreachableMark(reply) : ''
        const shownTtl = this.#settings.showTtl && reply.ttl > 0 ? ` (${reply.ttl})` : ''
        await this.#write(`  ${(time / MILLISECOND).toFixed(3)} ms${shownTtl}${mark}`)
        if (reply.result === 'arrived' || mark === ' !P') arrived = true
        else if (reply.result === 'unreachable') unreachable++
      }
      await this.#write('\n')
      if (arrived || (unreachable > 0 && unreachable >= probes - 1)) return 0
    }
    return 0
  }

  /** One probe and its answer; late ones to others are passed over. */
  async #probe(ttl: number): Promise<{ readonly reply: ProbeReply | undefined; readonly time: Micros }> {
    const { clock } = this.#process.system
    const { wait, pause } = this.#settings
    if (pause > 0) await clock.sleep(pause, this.#process.signal)
    const number = this.#sent++
    const sent = clock.now()
    this.#probes.send(number, ttl)
    for (;;) {
      const left = sent + wait - clock.now()
      const reply = left > 0 ? await this.#probes.next(left, this.#process.signal) : undefined
      if (reply === undefined || reply.probe === number) return { reply, time: clock.now() - sent }
    }
  }

  async #nameOf(address: IpAddress): Promise<string> {
    return `  ${await hopName(this.#process, this.#settings.numeric, address)}${this.#verbose}`
  }

  async #write(text: string): Promise<void> {
    await this.#process.stdout.write(text)
  }
}

const MARKS: Readonly<Record<number, string>> = {
  0: '!N',
  1: '!H',
  2: '!P',
  5: '!S',
  6: '!U',
  7: '!U',
  8: '!I',
  9: '!A',
  10: '!C',
  11: '!T',
  12: '!T',
  13: '!A',
  14: '!V',
  15: '!C',
}

function unreachableMark({ code, mtuBytes }: ProbeReply): string {
  return code === 4 ? ` !F-${mtuBytes}` : ` ${MARKS[code] ?? `!<${code}>`}`
}
