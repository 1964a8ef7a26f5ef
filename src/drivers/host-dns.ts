// The cluster's DNS on the host's loopback: `dig @127.0.0.1 -p PORT` asks the running server. Datagrams
// (datagram-relay.ts) and connections are carried into the cluster by sockets of the external host (external-host.ts),
// as packets to the ClusterIP of kube-dns, and what comes back is sent on unchanged. Nothing is answered or looked at.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { SECOND } from '../base/time.js'
import type { Connection, Net } from '../posix/net.js'
import type { Endpoint } from '../wire/address.js'
import { DatagramRelay } from './datagram-relay.js'
import type { Emulation, HostDns } from './emulation.js'

/** What of an emulation is used. */
type Carrier = Pick<Emulation, 'clock' | 'outside' | 'run'>

const LOOPBACK = '127.0.0.1'
/** Emulated time that a connection may take to be made. */
const CONNECT_TIMEOUT = 5 * SECOND
const CONNECTION_LIMIT = 200
const IDLE_TIMEOUT_MS = 30_000
/** To find a port that is free for both. */
const MOST_ATTEMPTS = 20

/** Listens on UDP and TCP; port 0: any that is free. Rejects with node's error (EADDRINUSE, EACCES) when the port cannot be had. */
export async function listenDns(emulation: Carrier, wanted: number): Promise<HostDns> {
  const connections = new ConnectionRelay(emulation)
  const { tcp, udp, port } = await onOnePort(wanted, (socket) => connections.connection(socket))
  const datagrams = new DatagramRelay(emulation, udp, emulation.outside().dnsServer)
  // An answer that the host cannot send (its client is gone) is lost.
  udp.on('error', () => {})
  let closing: Promise<unknown> | undefined
  const close = async () => {
    datagrams.close()
    connections.close()
    closing ??= Promise.all([once(tcp, 'close'), once(udp, 'close'), tcp.close(), udp.close()])
    await closing
  }
  return { port, close }
}

/** A server and a socket on the port `wanted`; 0: on one that is free for both. */
async function onOnePort(
  wanted: number,
  onConnection: (socket: Socket) => void,
): Promise<{ readonly tcp: Server; readonly udp: UdpSocket; readonly port: number }> {
  for (let attempt = 1; ; attempt++) {
    const tcp = createServer(onConnection)
    await listening(tcp, () => tcp.listen(wanted, LOOPBACK))
    const { port } = tcp.address() as { port: number }
    // An answer goes to where its question came from: there is no name to look up.
    const udp = createSocket({ type: 'udp4', lookup: (address, _, found) => found(null, address, 4) })
    try {
      await listening(udp, () => udp.bind(port, LOOPBACK))
      return { tcp, udp, port }
    } catch (error) {
      tcp.close()
      udp.close()
      // The port that was free for TCP was some program's for datagrams.
      if (wanted !== 0 || attempt === MOST_ATTEMPTS) throw error
    }
  }
}

/** `emitter` listens after `start`, or fails. */
async function listening(emitter: Server | UdpSocket, start: () => void): Promise<void> {
  const ready = once(emitter, 'listening')
  start()
  await ready
}

class ConnectionRelay {
  readonly #emulation: Carrier
  readonly #server: Endpoint
  readonly #net: Net
  readonly #sockets = new Set<Socket>()

  constructor(emulation: Carrier) {
    this.#emulation = emulation
    const { net, dnsServer } = emulation.outside()
    this.#net = net
    this.#server = dnsServer
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  connection(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (this.#sockets.size >= CONNECTION_LIMIT) return void socket.destroy()
    this.#sockets.add(socket)
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy())
    this.#emulation
      .run(this.#carry(socket))
      .catch(() => {})
      .finally(() => {
        this.#sockets.delete(socket)
        socket.destroy()
      })
  }

  async #carry(socket: Socket): Promise<void> {
    const ended = new AbortController()
    const end = () => ended.abort()
    socket.once('close', end)
    const connection = await this.#net.connect(this.#server, {
      timeout: CONNECT_TIMEOUT,
      signal: ended.signal,
    })
    try {
      await Promise.all([inward(socket, connection, ended.signal), outward(connection, socket, ended.signal)])
      connection.close()
    } catch (error) {
      connection.abort()
      throw error
    } finally {
      socket.off('close', end)
    }
  }
}

async function inward(socket: Socket, connection: Connection, signal: AbortSignal): Promise<void> {
  for await (const piece of socket) await connection.write(piece as Uint8Array, signal)
  connection.shutdown()
}

async function outward(connection: Connection, socket: Socket, signal: AbortSignal): Promise<void> {
  for (let piece = await connection.read(signal); piece; piece = await connection.read(signal)) {
    if (!socket.write(piece)) await once(socket, 'drain', { signal })
  }
  socket.end()
}
