// The probes of traceroute: datagrams to ports that nobody has, echo requests, TCP SYNs, each with its TTL; and what comes
// back about them. When which probe is sent, and how answers are shown, is the programs': traceroute.ts, traceroute-linux.ts.

import { setUint16, setUint32 } from '../../../base/bytes.js'
import { CHECKSUM_LEFT } from '../../../base/offload.js'
import type { Micros } from '../../../base/time.js'
import type { EchoSocket, PathDatagramSocket, RawPathSocket } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { EPHEMERAL_PORTS, type QueuedError } from '../../../stack/socket.js'
import { formatAddress, type IpAddress, isIpv6, type Port } from '../../../wire/address.js'
import { checksumOf, onesSum, pseudoHeaderSum } from '../../../wire/checksum.js'
import {
  ICMP_DEST_UNREACHABLE,
  ICMP_ECHO_REPLY,
  ICMP_PORT_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
} from '../../../wire/icmp.js'
import { ipHeaderBytes, PROTOCOL_TCP } from '../../../wire/ip.js'
import { ACK, parseTcp, RST, SYN, tcpSegment } from '../../../wire/tcp.js'
import { UDP_HEADER_BYTES } from '../../../wire/udp.js'

export interface ProbeOptions {
  readonly address: IpAddress
  /** Of UDP the port of the first probe, one more each; of TCP that of all. */
  readonly port: Port
  /** With the IP header. */
  readonly packetBytes: number
  readonly tos: number
  readonly dontFragment: boolean
  readonly source: IpAddress | undefined
}

export interface ProbeReply {
  /** As it was sent. */
  readonly probe: number
  readonly from: IpAddress
  /** 'arrived': the destination itself has it. */
  readonly result: 'expired' | 'arrived' | 'unreachable'
  /** Of Destination Unreachable. */
  readonly code: number
  /** The answer's, on arrival. */
  readonly ttl: number
  /** Of "fragmentation needed". */
  readonly mtuBytes: number
}

export interface RouteProbes {
  /** Throws SystemError. Numbers start at 0. */
  send(probe: number, ttl: number): void
  /** The next answer to any probe; undefined when `timeout` passes first. */
  next(timeout: Micros, signal: AbortSignal): Promise<ProbeReply | undefined>
  close(): void
}

export const ICMP_ECHO_HEADER_BYTES = 8
/** Of the SYNs: a header with the options of Linux' own. */
export const TCP_PROBE_BYTES = 40

export function headerBytesOf(address: IpAddress): number {
  return ipHeaderBytes(isIpv6(address) ? 6 : 4)
}

/** Waits for something that `understand` takes for an answer to a probe, and passes over the rest. */
async function nextReply<Heard>(
  process: Process,
  timeout: Micros,
  next: (timeout: Micros) => Promise<Heard | undefined>,
  understand: (heard: Heard) => ProbeReply | undefined,
): Promise<ProbeReply | undefined> {
  const { clock } = process.system
  const end = clock.now() + timeout
  for (let left = timeout; left >= 0; left = end - clock.now()) {
    const heard = await next(left)
    if (heard === undefined) return undefined
    const reply = understand(heard)
    if (reply !== undefined) return reply
  }
  return undefined
}

/** What an error says about a probe; undefined for one that this host itself raised. */
function replyOfError(probe: number, error: QueuedError): ProbeReply | undefined {
  const { from, type, icmpCode: code, ttl, mtuBytes } = error
  return from === undefined ? undefined : { probe, from, ttl, mtuBytes, ...resultOf(type, code) }
}

function resultOf(type: number, code: number): Pick<ProbeReply, 'result' | 'code'> {
  if (type === ICMP_TIME_EXCEEDED) return { result: 'expired', code }
  const isArrived = type === ICMP_DEST_UNREACHABLE && code === ICMP_PORT_UNREACHABLE
  return { result: isArrived ? 'arrived' : 'unreachable', code }
}

class UdpProbes implements RouteProbes {
  readonly #process: Process
  readonly #options: ProbeOptions
  readonly #socket: PathDatagramSocket

  constructor(process: Process, options: ProbeOptions) {
    const { address, source, tos, dontFragment } = options
    this.#process = process
    this.#options = options
    this.#socket = process.system.net.pathDatagram({
      address: source ?? (isIpv6(address) ? 0n : 0),
    })
    this.#socket.setTos(tos)
    this.#socket.setMtuDiscovery(dontFragment ? 'probe' : 'dont')
  }

  send(probe: number, ttl: number): void {
    const { address, port, packetBytes } = this.#options
    this.#socket.setTtl(ttl)
    const length = Math.max(0, packetBytes - headerBytesOf(address) - UDP_HEADER_BYTES)
    // Letters, as what is seen in captures of the real one.
    const bytes = Uint8Array.from({ length }, (_, index) => 0x40 + (index % 0x3f))
    this.#socket.send(bytes, { address, port: (port + probe) & 0xffff })
  }

  next(timeout: Micros, signal: AbortSignal): Promise<ProbeReply | undefined> {
    const { address, port: first } = this.#options
    return nextReply(
      this.#process,
      timeout,
      (left) => this.#socket.next(left, signal),
      (heard) => {
        if ('error' in heard) return replyOfError((heard.error.to.port - first) & 0xffff, heard.error)
        const { source } = heard.item
        if (source.address !== address) return undefined
        const probe = (source.port - first) & 0xffff
        return { probe, from: address, result: 'arrived', code: 0, ttl: 0, mtuBytes: 0 }
      },
    )
  }

  close(): void {
    this.#socket.close()
  }
}

class EchoProbes implements RouteProbes {
  readonly #process: Process
  readonly #options: ProbeOptions
  readonly #socket: EchoSocket

  constructor(process: Process, options: ProbeOptions) {
    this.#process = process
    this.#options = options
    this.#socket = process.system.net.echo()
  }

  send(probe: number, ttl: number): void {
    const { address, packetBytes } = this.#options
    this.#socket.setTtl(ttl)
    const length = Math.max(0, packetBytes - headerBytesOf(address) - ICMP_ECHO_HEADER_BYTES)
    this.#socket.send(address, (probe + 1) & 0xffff, new Uint8Array(length))
  }

  next(timeout: Micros, signal: AbortSignal): Promise<ProbeReply | undefined> {
    return nextReply(
      this.#process,
      timeout,
      (left) => this.#socket.receive(left, signal),
      ({ from, sequence, type, code, ttl }) => {
        const probe = (sequence - 1) & 0xffff
        const result =
          type === ICMP_ECHO_REPLY ? ({ result: 'arrived', code: 0 } as const) : resultOf(type, code)
        return { probe, from, ttl, mtuBytes: 0, ...result }
      },
    )
  }

  close(): void {
    this.#socket.close()
  }
}

/** Half-open: a SYN from a port of its own for each probe; the stack resets what answers, as no socket is there. */
class SynProbes implements RouteProbes {
  readonly #process: Process
  readonly #options: ProbeOptions
  readonly #socket: RawPathSocket
  readonly #probeOfPort = new Map<Port, number>()
  readonly #segment = tcpSegment()

  constructor(process: Process, options: ProbeOptions) {
    this.#process = process
    this.#options = options
    this.#socket = process.system.net.raw(PROTOCOL_TCP)
    this.#socket.setTos(options.tos)
  }

  send(probe: number, ttl: number): void {
    const { address, port } = this.#options
    const { random } = this.#process.system
    const { first, last } = EPHEMERAL_PORTS
    let own = first + random.int(last - first + 1)
    while (this.#probeOfPort.has(own)) own = own === last ? first : own + 1
    this.#probeOfPort.set(own, probe)
    this.#socket.setTtl(ttl)
    const sequence = random.int(0x1_0000_0000)
    this.#socket.send(synOf(this.#socket.sourceFor(address), own, address, port, sequence), address)
  }

  next(timeout: Micros, signal: AbortSignal): Promise<ProbeReply | undefined> {
    const { address, port } = this.#options
    return nextReply(
      this.#process,
      timeout,
      (left) => this.#socket.next(left, signal),
      (heard) => {
        if ('error' in heard) {
          const { to, bytes } = heard.error
          const probe = this.#probeOfPort.get((bytes[0]! << 8) | bytes[1]!)
          const isOurs = probe !== undefined && to.address === address
          return isOurs ? replyOfError(probe, heard.error) : undefined
        }
        const { from, to, bytes, ttl } = heard.item
        const segment = this.#segment
        // Its checksum is TCP's to verify, which gets it too; here it may not be written yet.
        const problem = parseTcp(bytes, 0, bytes.length, from, to, segment, CHECKSUM_LEFT)
        if (from !== address || problem !== undefined) return undefined
        const probe = this.#probeOfPort.get(segment.destinationPort)
        const isAnswer = (segment.flags & (SYN | ACK)) === (SYN | ACK) || (segment.flags & RST) !== 0
        if (probe === undefined || segment.sourcePort !== port || !isAnswer) return undefined
        return { probe, from, result: 'arrived', code: 0, ttl, mtuBytes: 0 }
      },
    )
  }

  close(): void {
    this.#socket.close()
  }
}

/** A SYN as Linux sends it: MSS, SACK permitted, a timestamp and a window scale. */
function synOf(source: IpAddress, from: Port, to: IpAddress, port: Port, sequence: number): Uint8Array {
  const bytes = new Uint8Array(TCP_PROBE_BYTES)
  setUint16(bytes, 0, from)
  setUint16(bytes, 2, port)
  setUint32(bytes, 4, sequence)
  bytes[12] = (TCP_PROBE_BYTES / 4) << 4
  bytes[13] = SYN
  setUint16(bytes, 14, 5840)
  bytes.set([2, 4, 0x05, 0xb4, 4, 2, 8, 10], 20)
  setUint32(bytes, 28, sequence)
  bytes.set([1, 3, 3, 2], 36)
  const pseudo = pseudoHeaderSum(source, to, PROTOCOL_TCP, bytes.length)
  setUint16(bytes, 16, checksumOf(onesSum(bytes, 0, bytes.length, pseudo)))
  return bytes
}

export type ProbeKind = 'udp' | 'icmp' | 'tcp'

/** Throws SystemError, as for a source that is not this host's. */
export function openProbes(process: Process, kind: ProbeKind, options: ProbeOptions): RouteProbes {
  if (kind === 'icmp') return new EchoProbes(process, options)
  return kind === 'tcp' ? new SynProbes(process, options) : new UdpProbes(process, options)
}

/** ` NAME (ADDRESS)`, or the address alone. */
export async function hopName(
  { system, signal }: Process,
  numeric: boolean,
  address: IpAddress,
): Promise<string> {
  const text = formatAddress(address)
  if (numeric) return text
  const name = await system.net.reverse(address, signal)
  return `${name?.replace(/\.$/, '') ?? text} (${text})`
}
