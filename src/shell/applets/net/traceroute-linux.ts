// traceroute as Linux distributions have it ("Modern traceroute"): several probes under way at once, shown in order. The
// probes are route-probes.ts; busybox' is traceroute.ts. Not here: -i, -g, -e, -U and the other methods.

import { SystemError } from '../../../base/errors.js'
import { MILLISECOND, type Micros, SECOND } from '../../../base/time.js'
import { ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { familyOf, formatAddress, type IpAddress, parseAddress } from '../../../wire/address.js'
import { type ParsedOptions, parseDecimal, parseOptions } from './options.js'
import {
  headerBytesOf,
  hopName,
  openProbes,
  type ProbeKind,
  type ProbeOptions,
  type ProbeReply,
  type RouteProbes,
  TCP_PROBE_BYTES,
} from './route-probes.js'
import { glibcStrerror } from './strerror.js'

const USAGE = `Usage:
  traceroute [ -46FITnV ] [ -f first_ttl ] [ -m max_ttl ] [ -N squeries ] [ -p port ] [ -t tos ] [ -w MAX,HERE,NEAR ] [ -q nqueries ] [ -s src_addr ] [ -z sendwait ] host [ packetlen ]
Options:
  -4, -6             IPv4 or IPv6
  -F                 Do not fragment packets
  -f, --first=       First TTL (1)
  -I, --icmp         ICMP echoes instead of UDP
  -T, --tcp          TCP SYNs (to port 80)
  -m, --max-hops=    Last TTL (30)
  -N, --sim-queries= Probes under way at once (16)
  -n                 Addresses without names
  -p, --port=        Port of the first UDP probe (33434), or of TCP
  -t, --tos=         TOS of probes
  -w, --wait=        Seconds to wait (5), and how many times longer than an
                     answer of the same (3) and of a further hop (10)
  -q, --queries=     Probes of each hop (3)
  -s, --source=      Source address
  -z, --sendwait=    Pause between probes, in seconds; above 10 in milliseconds
  -V                 Version
`
const VERSION = 'Modern traceroute for Linux, version 2.1.2\n'
const PAYLOAD_BYTES = 40
const MAX_PACKET_BYTES = 65_000
/** What an answer's time is rounded up by before it is a measure for others. */
const TIME_MARGIN: Micros = MILLISECOND

interface Settings {
  readonly firstTtl: number
  readonly maxTtl: number
  readonly perHop: number
  readonly atOnce: number
  readonly wait: Micros
  /** Times the answer of the same hop, and of a further one; 0 is no measure. */
  readonly here: number
  readonly near: number
  readonly pause: Micros
  readonly numeric: boolean
}

/** Ends the program with `message`. */
class TracerouteError extends Error {
  readonly status: number
  constructor(message: string, status = 2) {
    super(message)
    this.status = status
  }
}

const OPTIONS = [
  ['4'],
  ['6'],
  ['F', 'dont-fragment'],
  ['f', 'first='],
  ['I', 'icmp'],
  ['T', 'tcp'],
  ['m', 'max-hops='],
  ['N', 'sim-queries='],
  ['n'],
  ['p', 'port='],
  ['t', 'tos='],
  ['w', 'wait='],
  ['q', 'queries='],
  ['s', 'source='],
  ['z', 'sendwait='],
  ['V', 'version'],
  ['help'],
]

export async function linuxTraceroute(process: Process): Promise<number> {
  const args = process.argv.slice(1)
  const { stdout, stderr } = process
  const parsed = parseOptions(args, OPTIONS)
  if ('mistake' in parsed) {
    const at = args.findIndex((arg) => arg.startsWith(parsed.option)) + 1
    const what = parsed.mistake === 'unknown' ? 'Bad option' : 'No argument for'
    await stderr.write(`${what} \`${parsed.option}' (argc ${at})\n`)
    return 2
  }
  if (parsed.has('V')) {
    await stdout.write(VERSION)
    return 0
  }
  const host = parsed.operands[0]
  if (parsed.has('help') || host === undefined) {
    await stdout.write(USAGE)
    return 0
  }
  try {
    return await traceHost(process, parsed, args, host)
  } catch (error) {
    if (error instanceof SystemError) {
      await stderr.write(
        `\n${error.syscall === 'sendto' ? 'send' : error.syscall}: ${glibcStrerror(error)}\n`,
      )
      return 1
    }
    if (!(error instanceof TracerouteError)) throw error
    await stderr.write(`${error.message}\n`)
    return error.status
  }
}

async function traceHost(
  process: Process,
  parsed: ParsedOptions,
  args: readonly string[],
  host: string,
): Promise<number> {
  const settings = readSettings(parsed, args)
  const address = await addressOf(process, parsed, args, host)
  const kind: ProbeKind = parsed.has('T') ? 'tcp' : parsed.has('I') ? 'icmp' : 'udp'
  const packetBytes = packetBytesOf(kind, address, parsed.operands[1])
  const source = parsed.value('s')
  const from = source === undefined ? undefined : parseAddress(source)
  if (source !== undefined && from === undefined) throw cannot(args, '-s', source)
  const options: ProbeOptions = {
    address,
    port: integer(parsed, args, 'p', kind === 'tcp' ? 80 : 33_434, 'port must be', 1, 65_535),
    packetBytes,
    tos: integer(parsed, args, 't', 0, 'TOS must be', 0, 255),
    dontFragment: parsed.has('F'),
    source: from,
  }
  const start = `traceroute to ${host} (${formatAddress(address)})`
  await process.stdout.write(`${start}, ${settings.maxTtl} hops max, ${packetBytes} byte packets`)
  const probes = openProbes(process, kind, options)
  try {
    await new Trace(process, settings, probes).run()
    await process.stdout.write('\n')
    return 0
  } finally {
    probes.close()
  }
}

function packetBytesOf(kind: ProbeKind, address: IpAddress, text: string | undefined): number {
  const header = headerBytesOf(address)
  if (kind === 'tcp') return header + TCP_PROBE_BYTES
  const value = Number(text ?? header + PAYLOAD_BYTES)
  if (!Number.isInteger(value)) throw new TracerouteError(`Cannot handle "packetlen" cmdline arg \`${text}'`)
  if (value > MAX_PACKET_BYTES) throw new TracerouteError(`too big packetlen ${value} specified`)
  return Math.max(value, header + 8)
}

function cannot(args: readonly string[], option: string, text: string): TracerouteError {
  const at = args.findIndex((arg) => arg.startsWith(option)) + 1
  return new TracerouteError(`Cannot handle \`${option}' option with arg \`${text}' (argc ${at + 1})`)
}

function integer(
  parsed: ParsedOptions,
  args: readonly string[],
  name: string,
  otherwise: number,
  refusal: string,
  least: number,
  most: number,
): number {
  const text = parsed.value(name) ?? String(otherwise)
  if (!/^(\d+|0x[\da-f]+)$/i.test(text)) throw cannot(args, `-${name}`, text)
  const value = Number(text)
  if (value < least || value > most) {
    const isTooMuch = refusal.startsWith('no more') || refusal.startsWith('first')
    throw new TracerouteError(isTooMuch ? refusal : `${refusal} at most ${most}`)
  }
  return value
}

function readSettings(parsed: ParsedOptions, args: readonly string[]): Settings {
  const maxTtl = integer(parsed, args, 'm', 30, 'no more', 1, Number.MAX_SAFE_INTEGER)
  if (maxTtl > 255) throw new TracerouteError('max hops cannot be more than 255')
  const firstTtl = integer(parsed, args, 'f', 1, 'first hop out of range', 1, maxTtl)
  const perHop = integer(parsed, args, 'q', 3, 'no more than 10 probes per hop', 1, 10)
  const pause = parseDecimal(parsed.value('z') ?? '0')
  const waits = (parsed.value('w') ?? '5,3,10').split(',').map(parseDecimal)
  if (pause === undefined) throw cannot(args, '-z', parsed.value('z')!)
  if (waits.includes(undefined)) throw cannot(args, '-w', parsed.value('w')!)
  const [wait, here, near] = waits
  return {
    firstTtl,
    maxTtl,
    perHop,
    atOnce: Math.max(1, integer(parsed, args, 'N', 16, 'sim-queries', 0, 1_000)),
    wait: wait! * SECOND,
    // One number is a limit for all.
    here: here ?? 0,
    near: near ?? 0,
    pause: pause * (pause > 10 ? MILLISECOND : SECOND),
    numeric: parsed.has('n'),
  }
}

async function addressOf(
  { system, signal }: Process,
  parsed: ParsedOptions,
  args: readonly string[],
  host: string,
): Promise<IpAddress> {
  const family = parsed.has('6') ? 'IPv6' : parsed.has('4') ? 'IPv4' : undefined
  const refuse = (reason: string) => {
    const at = args.indexOf(host) + 1
    return new TracerouteError(
      `${host}: ${reason}\nCannot handle "host" cmdline arg \`${host}' on position 1 (argc ${at})`,
    )
  }
  try {
    const { addresses } = await system.net.resolve(host, signal)
    // As it does without -6: IPv4 where there is any.
    const chosen = family ?? 'IPv4'
    const address =
      addresses.find((one) => familyOf(one) === chosen) ?? (family === undefined ? addresses[0] : undefined)
    if (address === undefined) throw refuse('Address family for hostname not supported')
    return address
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error
    const isLate = error.code === 'ETIMEOUT' || error.code === 'ESERVFAIL'
    throw refuse(isLate ? 'Temporary failure in name resolution' : 'Name or service not known')
  }
}

interface Probe {
  sent: Micros | undefined
  /** How long the answer took. */
  time: Micros
  reply: ProbeReply | undefined
  done: boolean
}

class Trace {
  readonly #process: Process
  readonly #settings: Settings
  readonly #socket: RouteProbes
  readonly #probes: Probe[]
  /** The next to be shown, and the one behind the last that is needed. */
  #start: number
  #end: number
  #lastSent: Micros = Number.NEGATIVE_INFINITY

  constructor(process: Process, settings: Settings, socket: RouteProbes) {
    this.#process = process
    this.#settings = settings
    this.#socket = socket
    this.#start = (settings.firstTtl - 1) * settings.perHop
    this.#end = settings.maxTtl * settings.perHop
    this.#probes = Array.from({ length: this.#end }, () => ({
      sent: undefined,
      time: 0,
      reply: undefined,
      done: false,
    }))
  }

  async run(): Promise<void> {
    const { clock } = this.#process.system
    while (this.#start < this.#end) {
      const next = await this.#turn()
      if (this.#start >= this.#end) return
      const wait = Math.max(0, next - clock.now())
      const reply = await this.#socket.next(wait, this.#process.signal)
      if (reply !== undefined) this.#take(reply)
    }
  }

  /** Shows what is done, gives up what is late, sends what may be sent; when the next of this is due. */
  async #turn(): Promise<Micros> {
    const { atOnce, pause, wait } = this.#settings
    const { clock } = this.#process.system
    let next = clock.now() + wait
    let underWay = 0
    for (let at = this.#start; at < this.#end && underWay < atOnce; at++) {
      const probe = this.#probes[at]!
      if (!probe.done && probe.sent !== undefined) {
        const expires = probe.sent + this.#timeoutOf(at)
        if (expires > clock.now()) {
          next = Math.min(next, expires)
          underWay++
          continue
        }
        probe.done = true
      }
      if (probe.done) {
        if (at === this.#start) {
          await this.#show(at)
          this.#start++
        }
        if (probe.reply !== undefined && probe.reply.result !== 'expired') {
          this.#end = (Math.floor(at / this.#settings.perHop) + 1) * this.#settings.perHop
        }
        continue
      }
      if (this.#lastSent + pause > clock.now()) return Math.min(next, this.#lastSent + pause)
      this.#send(at)
      next = Math.min(next, clock.now() + this.#timeoutOf(at))
      underWay++
    }
    return next
  }

  #send(at: number): void {
    const now = this.#process.system.clock.now()
    this.#lastSent = now
    this.#probes[at]!.sent = now
    this.#socket.send(at - (this.#settings.firstTtl - 1) * this.#settings.perHop, this.#ttlOf(at))
  }

  #take(reply: ProbeReply): void {
    const probe = this.#probes[reply.probe + (this.#settings.firstTtl - 1) * this.#settings.perHop]
    if (probe?.sent === undefined || probe.done) return
    probe.done = true
    probe.reply = reply
    probe.time = this.#process.system.clock.now() - probe.sent
  }

  #ttlOf(at: number): number {
    return Math.floor(at / this.#settings.perHop) + 1
  }

  /** No longer than a few times what another of the same hop took, or one of a further hop; or the whole wait. */
  #timeoutOf(at: number): Micros {
    const { here, near, wait, perHop } = this.#settings
    const first = at - (at % perHop)
    const scaled = (probe: Probe, factor: number) => Math.min(wait, (probe.time + TIME_MARGIN) * factor)
    const same = this.#probes.slice(first, first + perHop).find(({ reply }) => reply !== undefined)
    if (here > 0 && same !== undefined) return scaled(same, here)
    const further = this.#probes.slice(at + 1).find(({ reply }) => reply !== undefined)
    return near > 0 && further !== undefined ? scaled(further, near) : wait
  }

  async #show(at: number): Promise<void> {
    const { perHop, numeric } = this.#settings
    const { reply, time } = this.#probes[at]!
    const begin = at % perHop === 0 ? `\n${String(this.#ttlOf(at)).padStart(2)} ` : ''
    if (reply === undefined) return void (await this.#process.stdout.write(`${begin} *`))
    const before = begin === '' ? this.#probes[at - 1]?.reply : undefined
    const who = before?.from === reply.from ? '' : ` ${await hopName(this.#process, numeric, reply.from)}`
    const mark = reply.result === 'unreachable' ? unreachableMark(reply) : ''
    await this.#process.stdout.write(`${begin}${who}  ${(time / MILLISECOND).toFixed(3)} ms${mark}`)
  }
}

const MARKS: Readonly<Record<number, string>> = {
  0: '!N',
  1: '!H',
  2: '!P',
  5: '!S',
  6: '!N',
  7: '!H',
  8: '!N',
  9: '!X',
  10: '!X',
  11: '!N',
  12: '!H',
  13: '!X',
  14: '!V',
  15: '!C',
}

function unreachableMark({ code, mtuBytes }: ProbeReply): string {
  return code === 4 ? ` !F-${mtuBytes}` : ` ${MARKS[code] ?? `!<${code}>`}`
}
