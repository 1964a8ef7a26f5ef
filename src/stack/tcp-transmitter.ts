// Segments of TCP into frames: memory, header and payload, and what is left to do for whoever cuts them to the path's size. Which
// segment is due is the connection's business, and whose turn it is tcp-sockets.ts'.

import { CHECKSUM_LEFT } from '../base/offload.js'
import type { Slab } from '../base/slab.js'
import type { TcpConnection } from '../tcp/connection.js'
import { type IpAddress, NO_ADDRESS } from '../wire/address.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import { PROTOCOL_TCP } from '../wire/ip.js'
import { TCP_HEADER_BYTES, tcpHeaderBytes, tcpSegment, writeTcp } from '../wire/tcp.js'
import { DEFAULT_TTL, type Ip, payloadOffset, type SendOptions } from './ip.js'
import type { Path } from './paths.js'
import type { StackTcpSocket } from './tcp-socket.js'

/** Of IP and TCP without options. */
export function headerBytes(address: IpAddress): number {
  return payloadOffset(address) - ETHERNET_HEADER_BYTES + TCP_HEADER_BYTES
}

export class TcpTransmitter {
  /** What leaves next: to be filled before `send` and `transmit`. */
  readonly segment = tcpSegment()
  readonly #ip: Ip
  readonly #slab: Slab
  readonly #options: SendOptions = {
    protocol: PROTOCOL_TCP,
    source: NO_ADDRESS,
    destination: NO_ADDRESS,
    ttl: DEFAULT_TTL,
    tos: 0,
    dontFragment: true,
  }

  constructor(ip: Ip, slab: Slab) {
    this.#ip = ip
    this.#slab = slab
  }

  /** Sends `segment` of a socket's connection, by the path that there is now. */
  send(socket: StackTcpSocket): void {
    const { connection, path: before } = socket
    const { local, remote } = connection
    const path = this.#ip.path(remote.address, before)
    if (path === undefined) {
      this.#ip.counters.IpOutNoRoutes++
      return
    }
    if (path !== before) {
      socket.path = path
      if (path.mtuBytes !== before.mtuBytes) connection.setMss(path.mtuBytes - headerBytes(remote.address))
    }
    this.transmit(path, local.address, remote.address, socket, connection)
  }

  /** Sends `segment` in a frame of its own, with payload when it is of a connection. */
  transmit(
    path: Path,
    source: IpAddress,
    destination: IpAddress,
    { ttl, tos }: { readonly ttl: number; readonly tos: number },
    connection: TcpConnection | undefined,
  ): void {
    const { segment } = this
    const payloadBytes = connection === undefined ? 0 : segment.payloadEnd
    const segmentStart = payloadOffset(destination)
    const payloadStart = segmentStart + tcpHeaderBytes(segment)
    const frame = this.#slab.take(payloadStart + payloadBytes)
    if (payloadBytes > 0) connection!.copyPayload(segment, frame, payloadStart)
    const options = this.#options
    options.offload = path.output.offload ? CHECKSUM_LEFT : 0
    if (payloadBytes > 0 && connection!.sendMss < payloadBytes) options.offload |= connection!.sendMss
    writeTcp(frame, segmentStart, segment, payloadBytes, source, destination, options.offload)
    options.source = source
    options.destination = destination
    options.ttl = ttl
    options.tos = tos
    this.#ip.counters.TcpOutSegs += payloadBytes === 0 ? 1 : Math.ceil(payloadBytes / connection!.sendMss)
    // What is longer than a path that has just become narrower is sent again in smaller segments.
    if (this.#ip.send(frame, path, options) === 'too-long') this.#ip.drops.count('tcp-too-long')
  }
}
