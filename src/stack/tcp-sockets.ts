// TCP of one stack: opening and listening, demultiplexing of segments to connections by their four-tuple and then to
// listeners, queues of half-open and of waiting connections, and whose turn it is to send (tcp-transmitter.ts does it). Knows
// nothing of sequence numbers: that is tcp/.

import { SystemError } from '../base/errors.js'
import { Fifo } from '../base/fifo.js'
import { LinkedList } from '../base/linked-list.js'
import { GIVEN_AWAY } from '../base/offload.js'
import type { Random } from '../base/random.js'
import type { Slab } from '../base/slab.js'
import { type Micros, NEVER } from '../base/time.js'
import type { TimerHeap } from '../base/timer-heap.js'
import { RingMemory } from '../tcp/byte-ring.js'
import { TcpConnection } from '../tcp/connection.js'
import { type IsnKey, initialSequence, isnKey } from '../tcp/isn.js'
import { acceptSyn, listenAnswer, resetFor } from '../tcp/listen.js'
import { MIN_MSS, type TcpOptions } from '../tcp/tcb.js'
import { remainsAcceptSyn, sequenceAfterRemains } from '../tcp/time-wait.js'
import {
  type Endpoint,
  IPV4_ANY,
  IPV4_LOOPBACK,
  IPV6_ANY,
  IPV6_LOOPBACK,
  type IpAddress,
  isLoopback,
  isMulticast,
  isUnspecified,
  type Port,
} from '../wire/address.js'
import { PROTOCOL_TCP } from '../wire/ip.js'
import { packetCount } from '../wire/segmentation.js'
import { parseTcp, type Seq, tcpSegment } from '../wire/tcp.js'
import { LeftPorts } from './ephemeral-ports.js'
import type { Expiring } from './expiring.js'
import { FlowTable } from './flow-table.js'
import type { Packet } from './hooks.js'
import { icmpErrorMeaning, isFragmentationNeeded } from './icmp-error-code.js'
import { DEFAULT_TTL, type Ip, type Transport } from './ip.js'
import type { Path } from './paths.js'
import type { QuotedPacket } from './quoted-packet.js'
import type { ReadyQueue } from './ready-queue.js'
import type { SocketRow } from './socket.js'
import { TcpListeners } from './tcp-listeners.js'
import { StackTcpListener, StackTcpSocket, type TcpSocketOwner } from './tcp-socket.js'
import { headerBytes, TcpTransmitter } from './tcp-transmitter.js'
import { TimeWait, TimeWaits } from './time-waits.js'

/** Node's default backlog. */
const DEFAULT_BACKLOG = 511
/** net.core.somaxconn. */
const MAX_BACKLOG = 4096
/**
 * Of connections over an interface that cuts segments: as much text in one as an IP packet holds, and buffers for the
 * windows that this needs (64 KiB segments reach 14 Gbit/s between threads with 256 KiB, 26 to 50 with 1 MiB and more).
 */
const OFFLOAD_BURST_BYTES = 0xffff - 80
const OFFLOAD_RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024
const OFFLOAD_SEND_BUFFER_BYTES = 1024 * 1024
/** How a reset leaves that belongs to no socket. */
const REFUSAL = { ttl: DEFAULT_TTL, tos: 0 }

export class TcpSockets implements Transport, TcpSocketOwner {
  readonly #ip: Ip
  readonly #random: Random
  readonly #isnKey: IsnKey
  readonly #ready: ReadyQueue
  readonly #timers: TimerHeap<Expiring>
  /** Source is the local end. */
  readonly #table = new FlowTable<StackTcpSocket | TimeWait>()
  /** The same sockets, in the order in which they were made. */
  readonly #all = new LinkedList<StackTcpSocket>()
  readonly #timeWaits: TimeWaits
  readonly #listeners: TcpListeners
  readonly #left = new LeftPorts()
  /** Connections to be asked for segments. */
  readonly #outputQueue = new Fifo<StackTcpSocket>()
  readonly #transmitter: TcpTransmitter
  readonly #slab: Slab
  readonly #rings = new RingMemory()
  readonly #input = tcpSegment()

  constructor(ip: Ip, random: Random, ready: ReadyQueue, timers: TimerHeap<Expiring>, slab: Slab) {
    this.#ip = ip
    this.#random = random
    this.#listeners = new TcpListeners(random)
    this.#isnKey = isnKey(random.fork('isn'))
    this.#ready = ready
    this.#timers = timers
    this.#transmitter = new TcpTransmitter(ip, slab)
    this.#slab = slab
    this.#timeWaits = new TimeWaits(timers, (over) => this.#forget(over))
  }

  get now(): Micros {
    return this.#ip.now
  }

  // ---- user calls

  connect(to: Endpoint, from: Partial<Endpoint>): StackTcpSocket {
    if (to.port < 1 || to.port > 0xffff) throw new SystemError('EINVAL', 'connect')
    // As in Linux, 0.0.0.0 and :: mean this host.
    const address =
      to.address === IPV4_ANY ? IPV4_LOOPBACK : to.address === IPV6_ANY ? IPV6_LOOPBACK : to.address
    const path = isMulticast(address) ? undefined : this.#ip.path(address)
    if (path === undefined || path.broadcast) throw new SystemError('ENETUNREACH', 'connect')
    const source = from.address === undefined || isUnspecified(from.address) ? path.source : from.address
    if (!this.#ip.isLocal(source)) throw new SystemError('EADDRNOTAVAIL', 'bind')
    if (isLoopback(source) && !path.output.loopback) throw new SystemError('EINVAL', 'connect')
    const remote = { address, port: to.port }
    const port = this.#localPort(source, remote, from.port ?? 0)
    const connection = TcpConnection.connect(
      this.#tcpOptions({ address: source, port }, remote, path),
      this.now,
    )
    this.#ip.counters.TcpActiveOpens++
    const socket = this.#add(connection, path)
    this.used(socket)
    return socket
  }

  /** `asked`, or any free one when it is 0. */
  #localPort(source: IpAddress, { address, port }: Endpoint, asked: Port): Port {
    const isFree = (own: Port) => this.#table.get(source, address, own, port, PROTOCOL_TCP) === undefined
    if (asked !== 0) {
      if (!isFree(asked)) throw new SystemError('EADDRINUSE', 'bind')
      return asked
    }
    const chosen = this.#left.choose(this.#random, (own) => isFree(own) && !this.#listeners.has(own))
    if (chosen === undefined) throw new SystemError('EADDRNOTAVAIL', 'connect')
    return chosen
  }

  listen(on: Endpoint, backlog = DEFAULT_BACKLOG): StackTcpListener {
    if (!isUnspecified(on.address) && !this.#ip.isLocal(on.address)) {
      throw new SystemError('EADDRNOTAVAIL', 'listen')
    }
    const local = { address: on.address, port: this.#listeners.portFor(on) }
    const listener = new StackTcpListener(this, local, Math.max(1, Math.min(backlog, MAX_BACKLOG)))
    this.#listeners.add(listener)
    return listener
  }

  closeListener(listener: StackTcpListener): void {
    if (listener.closed) return
    listener.closed = true
    listener.onReady = undefined
    this.#listeners.remove(listener)
    for (const socket of [...listener.handshakes, ...listener.established.clear()]) socket.abort()
    for (const socket of listener.handshakes) this.#endHandshake(socket)
  }

  rows(): SocketRow[] {
    const rows = this.#listeners.rows()
    const { now } = this.#ip
    for (const { connection, owner } of this.#all) {
      const { state, readable, unacknowledged, local, remote } = connection
      const queues = { receiveQueue: readable, sendQueue: unacknowledged }
      const details = { owner, tcp: connection.info(), timer: connection.timer(now) }
      rows.push({ protocol: 'tcp', state, ...queues, local, remote, ...details })
    }
    for (const { local, remote, remains } of this.#timeWaits.list()) {
      const timer = { kind: 'timewait', left: remains.until - now, times: 0 } as const
      rows.push({ protocol: 'tcp', state: 'TIME-WAIT', receiveQueue: 0, sendQueue: 0, local, remote, timer })
    }
    return rows
  }

  // ---- input

  receive(packet: Packet): void {
    const { counters, drops } = this.#ip
    const { header } = packet
    counters.TcpInSegs += packetCount(packet.bytes, packet.offload)
    const segment = this.#input
    const { source, destination } = header
    const reason = parseTcp(
      packet.bytes,
      header.payloadStart,
      header.payloadEnd,
      source,
      destination,
      segment,
      packet.offload,
    )
    if (reason !== undefined) {
      if (reason === 'bad-checksum') counters.TcpInCsumErrors++
      counters.TcpInErrs++
      return drops.count(`tcp-${reason}`)
    }
    // TCP is between two hosts only (MUST-57, MUST-63).
    if (!this.#ip.isLocal(destination)) return drops.count('tcp-broadcast')
    const { sourcePort, destinationPort } = segment
    const socket = this.#table.get(destination, source, destinationPort, sourcePort, PROTOCOL_TCP)
    let sequence: Seq | undefined
    if (socket instanceof TimeWait) {
      if (!this.#opensAnew(socket)) return this.#arrivesInTimeWait(socket)
      sequence = sequenceAfterRemains(socket.remains)
      this.#forget(socket)
    } else if (socket !== undefined) {
      const { connection } = socket
      if (connection.state !== 'CLOSED') {
        if (!this.#isNewSyn(connection)) {
          connection.input(segment, this.now)
          // Its text is in the connection's buffer.
          if ((packet.offload & GIVEN_AWAY) !== 0) this.#slab.giveBack(packet.bytes)
          return this.#changed(socket)
        }
        sequence = connection.nextInitialSequence()
      }
      this.#remove(socket)
    }
    const listener = this.#listeners.at(destination, segment.destinationPort)
    const answer = listener === undefined ? 'reset' : listenAnswer(segment)
    if (answer === 'reset') return this.#refuse(packet)
    if (answer === 'accept') return this.#open(listener!, packet, sequence)
    drops.count('tcp-listen')
  }

  icmpError(quoted: QuotedPacket, type: number, code: number, rest: number): void {
    const { source, destination, sourcePort, destinationPort } = quoted
    const socket = this.#table.get(source, destination, sourcePort, destinationPort, PROTOCOL_TCP)
    const meaning = icmpErrorMeaning(type, code)
    if (socket === undefined || socket instanceof TimeWait || meaning === undefined) return
    const { connection } = socket
    if (isFragmentationNeeded(type, code)) {
      connection.setMss(Math.max(1, rest - headerBytes(connection.remote.address)))
    } else {
      // Unlike RFC 9293 MUST-56, as Linux and RFC 5461 section 4.1: before the connection is established every
      // unreachable ends the attempt, so that a program hears of a dead host after seconds, not minutes.
      const opening = connection.state === 'SYN-SENT' || connection.state === 'SYN-RECEIVED'
      const error = new SystemError(meaning.code, opening ? 'connect' : 'read')
      connection.icmpError(meaning.hard || opening ? 'hard' : 'soft', error, this.now)
    }
    this.#changed(socket)
  }

  /** A SYN for a connection in TIME-WAIT opens a new one where somebody listens (RFC 9293 section 3.6.1, MAY-2). */
  #isNewSyn(connection: TcpConnection): boolean {
    if (connection.state !== 'TIME-WAIT' || listenAnswer(this.#input) !== 'accept') return false
    return (
      connection.acceptsNewSyn(this.#input) &&
      this.#listeners.at(connection.local.address, connection.local.port) !== undefined
    )
  }

  /** The same of one of which only this is left. */
  #opensAnew({ local, remains }: TimeWait): boolean {
    return (
      remainsAcceptSyn(remains, this.#input) && this.#listeners.at(local.address, local.port) !== undefined
    )
  }

  /** The connection of which `wait` is left. */
  #revive({ local, remote, remains }: TimeWait): TcpConnection {
    const path = this.#ip.path(remote.address)
    const options =
      path === undefined
        ? { local, remote, initialSequence: 0, mss: MIN_MSS }
        : this.#tcpOptions(local, remote, path)
    return TcpConnection.revive(options, remains, this.now)
  }

  /** A segment for `wait`, of which a connection is made again; what answers it leaves at once. */
  #arrivesInTimeWait(wait: TimeWait): void {
    const connection = this.#revive(wait)
    connection.input(this.#input, this.now)
    const { local, remote, ttl, tos } = wait
    const path = this.#ip.path(remote.address)
    while (connection.output(this.#transmitter.segment, this.now))
      if (path !== undefined)
        this.#transmitter.transmit(path, local.address, remote.address, { ttl, tos }, connection)
    const remains = connection.remains()
    if (remains === undefined) this.#forget(wait)
    else this.#timeWaits.update(wait, remains)
  }

  /**
   * A SYN for a listener: a connection in SYN-RECEIVED, unless the queues are full. `sequence`: to begin with, after the
   * connection in TIME-WAIT whose place it takes.
   */
  #open(listener: StackTcpListener, packet: Packet, sequence: Seq | undefined): void {
    if (listener.established.length > listener.backlog || listener.handshakes.size >= MAX_BACKLOG) {
      this.#ip.counters.TcpListenOverflows++
      return this.#ip.drops.count('tcp-backlog')
    }
    const { source, destination } = packet.header
    const path = this.#ip.path(source)
    if (path === undefined) return this.#ip.drops.count('no-route')
    const segment = this.#input
    const local = { address: destination, port: segment.destinationPort }
    const remote = { address: source, port: segment.sourcePort }
    const options = this.#tcpOptions(local, remote, path, sequence)
    const connection = acceptSyn(segment, options, this.now)
    if (connection === undefined) return this.#ip.drops.count('tcp-syn')
    this.#ip.counters.TcpPassiveOpens++
    const socket = this.#add(connection, path)
    socket.listener = listener
    socket.handshake = listener.handshakes.add(socket)
    this.#changed(socket)
  }

  /** Answers a segment that belongs to nothing with a reset, unless it is one. */
  #refuse(packet: Packet): void {
    this.#ip.drops.count('tcp-no-socket')
    if (!resetFor(this.#input, this.#transmitter.segment)) return
    const { source, destination } = packet.header
    const path = this.#ip.path(source)
    if (path === undefined) return
    this.#ip.counters.TcpOutRsts++
    this.#transmitter.transmit(path, destination, source, REFUSAL, undefined)
  }

  // ---- output

  get hasOutput(): boolean {
    return this.#outputQueue.length > 0
  }

  /** Puts the next segment of any connection into the link's queue; false when there is none. */
  output(): boolean {
    for (let socket = this.#outputQueue.first; socket !== undefined; socket = this.#outputQueue.first) {
      const { connection } = socket
      if (connection.output(this.#transmitter.segment, this.now)) {
        this.#transmitter.send(socket)
        return true
      }
      this.#outputQueue.shift()
      socket.outputQueued = false
      this.#notice(socket)
      if (connection.state === 'CLOSED') this.#remove(socket)
      else if (connection.state !== 'TIME-WAIT' || !this.#condense(socket))
        this.#timers.set(socket.timer, connection.deadline())
    }
    return false
  }

  // ---- what changed

  /** After a call of the socket's owner, who needs not be told of what came of it. */
  used(socket: StackTcpSocket): void {
    socket.seenChanges = socket.connection.changes
    this.#schedule(socket)
  }

  expired(socket: StackTcpSocket): void {
    socket.connection.advance(this.now)
    this.#notice(socket)
    this.#schedule(socket)
  }

  #changed(socket: StackTcpSocket): void {
    this.#notice(socket)
    this.#schedule(socket)
  }

  /** Whoever drains `output` next sets the timer, too; until then the stack's deadline is now. */
  #schedule(socket: StackTcpSocket): void {
    if (socket.outputQueued) return
    socket.outputQueued = true
    this.#outputQueue.push(socket)
  }

  /** Tells the owner, or the listener of a connection that has none yet, that something changed. */
  #notice(socket: StackTcpSocket): void {
    const { connection, listener } = socket
    if (connection.changes === socket.seenChanges) return
    socket.seenChanges = connection.changes
    if (listener === undefined || socket.handshake === undefined) return this.#ready.push(socket)
    if (connection.state === 'SYN-RECEIVED') return
    this.#endHandshake(socket)
    if (connection.state === 'CLOSED') return
    listener.established.push(socket)
    this.#ready.push(listener)
  }

  /** Of a connection that was, or was not, among its listener's. */
  #endHandshake(socket: StackTcpSocket): void {
    if (socket.handshake === undefined) return
    socket.listener?.handshakes.remove(socket.handshake)
    socket.handshake = undefined
  }

  #add(connection: TcpConnection, path: Path): StackTcpSocket {
    const socket = new StackTcpSocket(this, this.#timers, connection, path)
    const { local, remote } = connection
    this.#table.add(local.address, remote.address, local.port, remote.port, PROTOCOL_TCP, socket)
    socket.place = this.#all.add(socket)
    return socket
  }

  #remove(socket: StackTcpSocket): void {
    if (!this.#all.remove(socket.place!)) return
    const { local, remote } = socket.connection
    this.#table.remove(local.address, remote.address, local.port, remote.port, PROTOCOL_TCP, socket)
    this.#timers.set(socket.timer, NEVER)
    this.#endHandshake(socket)
    this.#left.add(local.port)
  }

  /** Lets go of all of a connection in TIME-WAIT but what it may still need; false while its user holds it. */
  #condense(socket: StackTcpSocket): boolean {
    const { connection } = socket
    const remains = connection.remains()
    if (remains === undefined) return false
    const { local, remote } = connection
    const wait = new TimeWait(connection, socket, remains)
    this.#table.replace(local.address, remote.address, local.port, remote.port, PROTOCOL_TCP, wait)
    this.#all.remove(socket.place!)
    this.#timers.set(socket.timer, NEVER)
    this.#timeWaits.add(wait)
    socket.timeWait = wait
    return true
  }

  /** The end of a connection in TIME-WAIT. */
  #forget(wait: TimeWait): void {
    if (wait.over) return
    const { local, remote } = wait
    this.#timeWaits.remove(wait)
    this.#table.remove(local.address, remote.address, local.port, remote.port, PROTOCOL_TCP, wait)
    this.#left.add(local.port)
  }

  #tcpOptions(local: Endpoint, remote: Endpoint, path: Path, sequence?: Seq): TcpOptions {
    return {
      local,
      remote,
      initialSequence: sequence ?? initialSequence(this.#isnKey, local, remote, this.now),
      mss: path.mtuBytes - headerBytes(remote.address),
      memory: this.#rings,
      burstBytes: path.output.offload ? OFFLOAD_BURST_BYTES : undefined,
      receiveBufferBytes: path.output.offload ? OFFLOAD_RECEIVE_BUFFER_BYTES : undefined,
      sendBufferBytes: path.output.offload ? OFFLOAD_SEND_BUFFER_BYTES : undefined,
    }
  }
}
