// The cluster's DNS on the host's loopback: `dig @127.0.0.1 -p PORT` asks the running server. Every datagram and every
// connection is carried into the cluster by a socket of the external host (external-host.ts), as packets to the
// ClusterIP of kube-dns, and what comes back is sent on unchanged. Nothing is answered or looked at here.

import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once, setMaxListeners } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { SystemError } from '../base/errors.js'
import { SECOND } from '../base/time.js'
import type { Connection, Net } from '../posix/net.js'
import type { Endpoint } from '../wire/address.js'
import type { Emulation, HostDns } from './emulation.js'

/** What of an emulation is used. */
type Carrier = Pick<Emulation, 'outside' | 'run'>

const LOOPBACK = '127.0.0.1'
/** Emulated time that an answer to a datagram may take. */
const ANSWER_TIMEOUT = 5 * SECOND
/** Datagrams that may wait for their answer at once; more are dropped, as a full queue does. */
const WAITING_LIMIT = 2_000
const CONNECTION_LIMIT = 200
const IDLE_TIMEOUT_MS = 30_000

/** Listens on UDP and TCP; port 0: any that is free. Rejects with node's error (EADDRINUSE, EACCES) when the port cannot be had. */
export async function listenDns(emulation: Carrier, wanted: number): Promise<HostDns> {
  const relay = new Relay(emulation)
  const tcp = createServer((socket) => relay.connection(socket))
  await listening(tcp, () => tcp.listen(wanted, LOOPBACK))
  const { port } = tcp.address() as { port: number }
  const udp = createSocket('udp4')
  try {
    await listening(udp, () => udp.bind(port, LOOPBACK))
  } catch (error) {
    tcp.close()
    throw error
  }
  udp.on('message', (bytes, from) => relay.datagram(udp, bytes, from))
  // An answer that the host cannot send (its client is gone) is lost.
  udp.on('error', () => {})
  let closing: Promise<unknown> | undefined
  const close = async () => {
    relay.close()
    closing ??= Promise.all([once(tcp, 'close'), once(udp, 'close'), tcp.close(), udp.close()])
    await closing
  }
  return { port, close }
}

/** `emitter` listens after `start`, or fails. */
async function listening(emitter: Server | UdpSocket, start: () => void): Promise<void> {
  const ready = once(emitter, 'listening')
  start()
  await ready
}

class Relay {
  readonly #emulation: Carrier
  readonly #server: Endpoint
  readonly #net: Net
  readonly #closed = new AbortController()
  readonly #sockets = new Set<Socket>()
  #waiting = 0
  #driving = false
  #allAnswered: () => void = () => {}

  constructor(emulation: Carrier) {
    this.#emulation = emulation
    const { net, dnsServer } = emulation.outside()
    this.#net = net
    this.#server = dnsServer
    // Everybody who waits hears of the end.
    setMaxListeners(0, this.#closed.signal)
  }

  close(): void {
    this.#closed.abort()
    for (const socket of this.#sockets) socket.destroy()
  }

  datagram(udp: UdpSocket, bytes: Uint8Array, from: RemoteInfo): void {
    if (this.#waiting >= WAITING_LIMIT) return
    this.#waiting++
    this.#ask(bytes)
      .then((answer) => {
        if (answer !== undefined && !this.#closed.signal.aborted) udp.send(answer, from.port, from.address)
      })
      // The emulation or this relay was closed; the client asks again or gives up.
      .catch(() => {})
      .finally(() => {
        if (--this.#waiting === 0) this.#allAnswered()
      })
    this.#drive()
  }

  /** Has the emulation run while questions wait: once for all of them, because a run of each costs more than its answer. */
  #drive(): void {
    if (this.#driving) return
    this.#driving = true
    const answered = new Promise<void>((resolve) => {
      this.#allAnswered = resolve
    })
    this.#emulation.run(answered).then(
      () => {
        this.#driving = false
        if (this.#waiting > 0) this.#drive()
      },
      // Closed: nobody drives it any more.
      () => {},
    )
  }

  /** One datagram there and one back; undefined when none came. */
  async #ask(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const socket = this.#net.datagram()
    try {
      socket.connect(this.#server)
      socket.send(bytes)
      return (await socket.receive(ANSWER_TIMEOUT, this.#closed.signal))?.bytes
    } catch (error) {
      if (error instanceof SystemError) return undefined
      throw error
    } finally {
      socket.close()
    }
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
      timeout: ANSWER_TIMEOUT,
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
