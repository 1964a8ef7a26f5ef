// Runs a packetdrill-like script (JSON) against one emulated TCP end: a listener, connections, and the socket
// calls of the script, under a virtual clock. Sequence numbers of these scripts are absolute: both ISNs are 0, or
// what the script says. As the scripts' authors allow, a bare ACK may come earlier or more often than expected.

import { type Micros, SECOND } from '../base/time.js'
import { TcpConnection } from '../tcp/connection.js'
import { acceptSyn, listenAnswer, resetFor } from '../tcp/listen.js'
import { ipv4 } from '../wire/address.js'
import { ACK, FIN, PSH, RST, SYN, type TcpSegment, tcpSegment, URG } from '../wire/tcp.js'
import { type CaseResult, failed, passed } from './result.js'

interface ScriptSegment {
  readonly flags: string
  readonly seq: number
  readonly len: number
  readonly ack?: number
  readonly win?: number
  readonly opts?: 'any' | readonly (string | { readonly mss?: number; readonly ws?: number })[]
}

interface ScriptEvent {
  readonly dt: number
  readonly call?: string
  readonly args?: readonly string[]
  readonly ret?: number
  readonly in?: ScriptSegment
  readonly out?: ScriptSegment
}

export interface ConformanceScript {
  readonly id: string
  readonly linux618: boolean
  readonly toleranceUsecs: number
  readonly events: readonly ScriptEvent[]
}

/** As a case. */
export function runTcpScript(script: ConformanceScript): CaseResult {
  const problem = runConformanceScript(script)
  return problem === undefined ? passed(script.id) : failed(script.id, problem)
}

/** Runs `script`; undefined when all of it holds, else the first thing that did not. */
export function runConformanceScript(script: ConformanceScript): string | undefined {
  const run = new Run(script.toleranceUsecs)
  for (const [index, event] of script.events.entries()) {
    const problem = run.play(event)
    if (problem !== undefined) return `event ${index} ${JSON.stringify(event)}: ${problem}`
  }
  return undefined
}

class Run {
  readonly #tolerance: Micros
  readonly #sockets = new Map<number, TcpConnection>()
  #connection: TcpConnection | undefined
  #listening = false
  #now: Micros = 0
  /** Time of the present event; the clock may have run on to it by the tolerance. */
  #at: Micros = 0
  readonly #sent: TcpSegment[] = []

  constructor(tolerance: Micros) {
    this.#tolerance = tolerance
  }

  play(event: ScriptEvent): string | undefined {
    this.#at += Math.round(event.dt * SECOND)
    this.#runTo(this.#at)
    if (event.out !== undefined) return this.#expect(event.out)
    const surprise = this.#sent.find((segment) => (segment.flags & ~PSH) !== ACK || segment.payloadEnd > 0)
    if (surprise !== undefined) return `unexpected ${describe(surprise)}`
    this.#sent.length = 0
    if (event.in !== undefined) {
      this.#arrive(event.in)
      return undefined
    }
    return this.#call(event.call!, event.args!, event.ret!)
  }

  #runTo(time: Micros): void {
    for (;;) {
      const deadline = this.#connection?.deadline() ?? Number.POSITIVE_INFINITY
      if (deadline > time) break
      this.#now = Math.max(this.#now, deadline)
      this.#connection!.advance(this.#now)
      this.#drain()
    }
    this.#now = Math.max(this.#now, time)
  }

  #drain(): void {
    for (;;) {
      const segment = tcpSegment()
      if (!this.#connection?.output(segment, this.#now)) return
      this.#sent.push(segment)
    }
  }

  #expect(expected: ScriptSegment): string | undefined {
    for (let patience = 0; patience < 2; patience++) {
      for (let segment = this.#sent.shift(); segment !== undefined; segment = this.#sent.shift()) {
        if (matches(segment, expected)) return undefined
        if (segment.flags !== ACK || segment.payloadEnd > 0) return `got ${describe(segment)}`
      }
      this.#runTo(this.#at + this.#tolerance)
    }
    return 'nothing was sent'
  }

  #arrive(given: ScriptSegment): void {
    const segment = tcpSegment()
    segment.sourcePort = REMOTE.port
    segment.destinationPort = LOCAL.port
    segment.flags = flagBits(given.flags)
    segment.seq = given.seq >>> 0
    segment.ack = (given.ack ?? 0) >>> 0
    segment.window = given.win ?? 0
    segment.bytes = streamBytes(given.seq, given.len)
    segment.payloadEnd = given.len
    if (Array.isArray(given.opts)) {
      for (const option of given.opts) {
        if (option.mss !== undefined) segment.mss = option.mss
        if (option.ws !== undefined) segment.windowScale = option.ws
      }
    }
    const connection = this.#connection
    if (connection !== undefined && connection.state !== 'CLOSED') {
      if (!this.#listening || !connection.acceptsNewSyn(segment)) {
        connection.input(segment, this.#now)
        return this.#drain()
      }
    }
    const answer = this.#listening ? listenAnswer(segment) : 'reset'
    if (answer === 'accept') {
      this.#connection = acceptSyn(segment, OPTIONS, this.#now)
      this.#drain()
    } else if (answer === 'reset') {
      const reset = tcpSegment()
      if (resetFor(segment, reset)) this.#sent.push(reset)
    }
  }

  #call(name: string, args: readonly string[], expected: number): string | undefined {
    const descriptor = Number(args[0])
    const socket = this.#sockets.get(descriptor)
    switch (name) {
      case 'listen':
        this.#listening = true
        return undefined
      case 'connect':
        this.#connection = TcpConnection.connect(OPTIONS, this.#now)
        this.#sockets.set(descriptor, this.#connection)
        break
      case 'accept':
        if (this.#connection?.state !== 'ESTABLISHED' && this.#connection?.state !== 'CLOSE-WAIT')
          return `nothing to accept in state ${this.#connection?.state}`
        this.#sockets.set(expected, this.#connection)
        break
      case 'shutdown':
        socket!.shutdown(this.#now)
        break
      case 'close':
        if (socket === undefined) this.#listening = false
        else socket.close(this.#now)
        this.#sockets.delete(descriptor)
        break
      case 'getsockopt': {
        const code = socket?.error?.code ?? '0'
        if (args[2] === 'SO_ERROR' && args[3] !== `[${code}]`) return `SO_ERROR is ${code}`
        break
      }
      case 'recv': {
        const problem = receive(socket!, Number(args[2]), args[3] === 'MSG_PEEK', expected)
        if (problem !== undefined) return problem
      }
    }
    this.#drain()
    return undefined
  }
}

const LOCAL = { address: ipv4('192.0.2.1'), port: 8080 }
const REMOTE = { address: ipv4('192.0.2.2'), port: 40_000 }

const OPTIONS = {
  local: LOCAL,
  remote: REMOTE,
  initialSequence: 0,
  mss: 1460,
  receiveBufferBytes: 65_536,
}

function receive(socket: TcpConnection, max: number, peek: boolean, expected: number): string | undefined {
  const count = peek ? Math.min(max, socket.readable) : (socket.read(max)?.length ?? 0)
  if (count !== expected) return `recv gave ${count}`
  if (count === 0 && max > 0 && !socket.ended) return 'recv would block'
  return undefined
}

function matches(segment: TcpSegment, expected: ScriptSegment): boolean {
  return (
    (segment.flags & ~PSH) === (flagBits(expected.flags) & ~PSH) &&
    segment.seq === expected.seq >>> 0 &&
    segment.payloadEnd === expected.len &&
    (expected.ack === undefined || segment.ack === expected.ack >>> 0)
  )
}

function describe(segment: TcpSegment): string {
  const names = [
    [SYN, 'S'],
    [FIN, 'F'],
    [RST, 'R'],
    [ACK, '.'],
  ] as const
  const flags = names.filter(([bit]) => (segment.flags & bit) !== 0).map(([, letter]) => letter)
  return `${flags.join('')} ${segment.seq}(${segment.payloadEnd}) ack ${segment.ack}`
}

const FLAGS: Readonly<Record<string, number>> = { S: SYN, F: FIN, R: RST, P: PSH, '.': ACK, U: URG }

function flagBits(letters: string): number {
  return [...letters].reduce((bits, letter) => bits | (FLAGS[letter] ?? 0), 0)
}

/** Bytes of a stream: what they are matters to nobody. */
function streamBytes(start: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, offset) => (start + offset) & 0xff)
}
