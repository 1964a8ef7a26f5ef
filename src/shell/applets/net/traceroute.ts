// traceroute as busybox has it, with ICMP echoes as probes: TTL 1, 2, ... until the host itself answers.

import { SystemError } from '../../../base/errors.js'
import { MILLISECOND, type Micros, SECOND } from '../../../base/time.js'
import { type EchoSocket, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import type { IcmpReply } from '../../../stack/socket.js'
import { formatAddress, type IpAddress } from '../../../wire/address.js'
import {
  ICMP_DEST_UNREACHABLE,
  ICMP_ECHO_REPLY,
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
} from '../../../wire/icmp.js'
import { busyboxMistake, type ParsedOptions, parseDecimal, parseOptions } from './options.js'
import { strerror } from './strerror.js'

const USAGE = `Usage: traceroute [-nI] [-m MAXTTL] [-q PROBES] [-w SEC] [-f 1ST_TTL] HOST [BYTES]

Trace the route to HOST

	-I	Use ICMP ECHO (the default here)
	-n	Print numeric addresses
	-f N	First TTL (default 1)
	-m N	Maximum number of hops
	-q N	Number of probes per hop (default 3)
	-w SEC	Wait for an answer (default 3)
`

interface Settings {
  readonly firstTtl: number
  readonly maxTtl: number
  readonly probes: number
  readonly wait: Micros
  readonly numeric: boolean
  /** Of the whole packet, IP header included. */
  readonly packetBytes: number
}

export async function traceroute(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [
    ['n'],
    ['I', 'icmp'],
    ['4'],
    ['m='],
    ['q='],
    ['w='],
    ['f='],
  ])
  const host = 'mistake' in parsed ? undefined : parsed.operands[0]
  if ('mistake' in parsed || host === undefined) {
    await process.stderr.write(`${'mistake' in parsed ? busyboxMistake('traceroute', parsed) : ''}${USAGE}`)
    return 1
  }
  const settings = readSettings(parsed)
  if (typeof settings === 'string') {
    await process.stderr.write(`traceroute: invalid number '${settings}'\n`)
    return 1
  }
  const { net } = process.system
  const resolution = await net.resolve(host, process.signal).catch((error) => {
    if (error instanceof ResolveError) return undefined
    throw error
  })
  const address = resolution?.addresses[0]
  if (address === undefined) {
    await process.stderr.write(`traceroute: bad address '${host}'\n`)
    return 1
  }
  await process.stdout.write(
    `traceroute to ${host} (${formatAddress(address)}), ${settings.maxTtl} hops max, ${settings.packetBytes} byte packets\n`,
  )
  const socket = net.echo()
  try {
    return await trace(process, settings, address, socket)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    await process.stderr.write(`\ntraceroute: sendto: ${strerror(error)}\n`)
    return 1
  } finally {
    socket.close()
  }
}

/** The text of a number that is none, or the settings. */
function readSettings(parsed: ParsedOptions): Settings | string {
  const texts = ['m', 'q', 'w', 'f']
    .flatMap((name) => parsed.values(name))
    .concat(parsed.operands.slice(1, 2))
  const wrong = texts.find((text) => parseDecimal(text) === undefined)
  if (wrong !== undefined) return wrong
  const number = (name: string, otherwise: number) => Number(parsed.value(name) ?? otherwise)
  return {
    firstTtl: Math.max(1, number('f', 1)),
    maxTtl: Math.min(255, Math.max(1, number('m', 30))),
    probes: Math.max(1, number('q', 3)),
    wait: number('w', 3) * SECOND,
    numeric: parsed.has('n'),
    packetBytes: Math.max(28, Number(parsed.operands[1] ?? 46)),
  }
}

async function trace(
  process: Process,
  settings: Settings,
  address: IpAddress,
  socket: EchoSocket,
): Promise<number> {
  let sequence = 0
  for (let ttl = settings.firstTtl; ttl <= settings.maxTtl; ttl++) {
    await process.stdout.write(`${String(ttl).padStart(2)}`)
    socket.setTtl(ttl)
    let last: IpAddress | undefined
    let arrived = false
    let unreachable = 0
    for (let probe = 0; probe < settings.probes; probe++) {
      sequence = (sequence + 1) & 0xffff
      const sent = process.system.clock.now()
      socket.send(address, sequence, new Uint8Array(settings.packetBytes - 28))
      const reply = await replyTo(process, socket, sequence, sent + settings.wait)
      if (reply === undefined) {
        await process.stdout.write('  *')
        continue
      }
      const who = reply.from === last ? '' : await nameOf(process, settings, reply.from)
      last = reply.from
      const time = (process.system.clock.now() - sent) / MILLISECOND
      const mark = reply.type === ICMP_DEST_UNREACHABLE ? unreachableMark(reply.code) : ''
      await process.stdout.write(`${who}  ${time.toFixed(3)} ms${mark}`)
      if (reply.type === ICMP_ECHO_REPLY) arrived = true
      if (mark !== '') unreachable++
    }
    await process.stdout.write('\n')
    if (arrived || (unreachable > 0 && unreachable >= settings.probes - 1)) return 0
  }
  return 0
}

/** The answer to this probe; late ones to others are passed over. */
async function replyTo(
  process: Process,
  socket: EchoSocket,
  sequence: number,
  end: Micros,
): Promise<IcmpReply | undefined> {
  for (;;) {
    const left = end - process.system.clock.now()
    const reply = left > 0 ? await socket.receive(left, process.signal) : undefined
    if (reply === undefined || reply.sequence === sequence) return reply
  }
}

async function nameOf({ system, signal }: Process, settings: Settings, address: IpAddress): Promise<string> {
  const text = formatAddress(address)
  if (settings.numeric) return `  ${text}`
  return `  ${(await system.net.reverse(address, signal)) ?? text} (${text})`
}

function unreachableMark(code: number): string {
  if (code === ICMP_NET_UNREACHABLE) return ' !N'
  if (code === ICMP_HOST_UNREACHABLE) return ' !H'
  return code === ICMP_PROTOCOL_UNREACHABLE ? ' !P' : ` !<${code}>`
}
