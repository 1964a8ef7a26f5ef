// TCP connections and listeners of programs (posix/net.ts) over a stack's (stack/socket.ts), in both kinds: those that
// promise, and those that do not block. Which ones a process has, and opening them, is net-over-stack.ts.

import type { Micros } from '../base/time.js'
import type { TcpListener, TcpSocket } from '../stack/socket.js'
import type { Endpoint } from '../wire/address.js'
import { Wakeup } from './abort.js'
import type { Connection, Listener, NonBlockingConnection, NonBlockingListener } from './net.js'
import type { OpenSockets } from './open-sockets.js'
import { toBytes } from './pipe.js'
import type { PodNetwork } from './pod-network.js'
import { ReadyItems, within } from './ready-items.js'

export class StackConnection implements Connection {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #socket: TcpSocket
  readonly #network: PodNetwork
  readonly #open: OpenSockets
  readonly #wakeup = new Wakeup()
  /** The signal that ends waits of readers: listened to as long as they come with the same one. */
  #signal: AbortSignal | undefined
  readonly #onAbort = () => this.#wakeup.wake()

  constructor(socket: TcpSocket, network: PodNetwork, open: OpenSockets) {
    this.local = socket.local
    this.remote = socket.remote
    this.#socket = socket
    this.#network = network
    this.#open = open
    socket.onReady = () => this.#wakeup.wake()
    socket.owner = open
    open.add(this)
    network.touched()
  }

  /** Waits for the handshake; false when `timeout` passes first. Rejects with the socket's error. */
  async established(timeout: Micros | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const clock = this.#network.clock
    const end = timeout === undefined ? undefined : clock.now() + timeout
    for (;;) {
      const { error, state } = this.#socket
      if (error !== undefined) throw error
      if (state !== 'SYN-SENT' && state !== 'SYN-RECEIVED') return true
      const left = end === undefined ? undefined : end - clock.now()
      if (left === undefined) await this.#wait(signal)
      else if (left <= 0) return false
      else await within(this.#wakeup.wait(), left, clock, signal)
    }
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const socket = this.#now()
      const bytes = socket.read()
      if (bytes !== undefined) {
        this.#network.touched()
        return bytes
      }
      if (socket.error !== undefined) throw socket.error
      if (socket.ended || socket.state === 'CLOSED') return undefined
      await this.#wait(signal)
    }
  }

  async readInto(into: Uint8Array, signal?: AbortSignal): Promise<number> {
    for (;;) {
      const socket = this.#now()
      const count = socket.readInto(into)
      if (count > 0) {
        this.#network.touched()
        return count
      }
      if (socket.error !== undefined) throw socket.error
      if (socket.ended || socket.state === 'CLOSED') return 0
      await this.#wait(signal)
    }
  }

  async write(content: Uint8Array | string, signal?: AbortSignal): Promise<void> {
    const bytes = toBytes(content)
    for (let offset = 0; offset < bytes.length; ) {
      const taken = this.#now().write(bytes.subarray(offset))
      offset += taken
      if (taken > 0) this.#network.touched()
      else await this.#waitToWrite(signal)
    }
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on)
  }

  shutdown(): void {
    this.#now().shutdown()
    this.#network.touched()
  }

  close(): void {
    this.#now().close()
    this.#ended()
  }

  abort(): void {
    this.#now().abort()
    this.#ended()
  }

  #ended(): void {
    this.#open.delete(this)
    this.#listenTo(undefined)
    this.#socket.owner = undefined
    this.#wakeup.wake()
    this.#network.touched()
  }

  /** Until the socket is ready; rejects with the reason of `signal`. */
  async #wait(signal: AbortSignal | undefined): Promise<void> {
    if (signal !== this.#signal) this.#listenTo(signal)
    signal?.throwIfAborted()
    await this.#wakeup.wait()
    signal?.throwIfAborted()
  }

  /** As `#wait`, beside a reader that waits with a signal of its own. */
  async #waitToWrite(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    const onAbort = () => this.#wakeup.wake()
    signal?.addEventListener('abort', onAbort)
    try {
      await this.#wakeup.wait()
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.throwIfAborted()
  }

  #listenTo(signal: AbortSignal | undefined): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort)
  }

  #now(): TcpSocket {
    this.#network.stack.setNow(this.#network.clock.now())
    return this.#socket
  }
}

export class StackListener implements Listener {
  readonly local: Endpoint
  readonly #listeners: readonly TcpListener[]
  readonly #network: PodNetwork
  readonly #open: OpenSockets
  readonly #accepted: ReadyItems<TcpSocket>

  constructor(listeners: [TcpListener, ...TcpListener[]], network: PodNetwork, open: OpenSockets) {
    this.local = listeners[0].local
    this.#listeners = listeners
    this.#network = network
    this.#open = open
    this.#accepted = new ReadyItems(() => acceptFrom(listeners), network.clock)
    for (const listener of listeners) {
      listener.onReady = this.#accepted.onReady
      listener.owner = open
    }
    open.add(this)
  }

  async accept(signal?: AbortSignal): Promise<Connection> {
    const socket = await this.#accepted.next(undefined, signal)
    return new StackConnection(socket!, this.#network, this.#open)
  }

  close(): void {
    this.#open.delete(this)
    for (const listener of this.#listeners) listener.close()
    this.#network.touched()
  }
}

function acceptFrom(listeners: readonly TcpListener[]): TcpSocket | undefined {
  for (const listener of listeners) {
    const socket = listener.accept()
    if (socket !== undefined) return socket
  }
  return undefined
}

export class StackReadyListener implements NonBlockingListener {
  readonly local: Endpoint
  readonly #listeners: readonly TcpListener[]
  readonly #network: PodNetwork
  readonly #open: OpenSockets

  constructor(listeners: [TcpListener, ...TcpListener[]], network: PodNetwork, open: OpenSockets) {
    this.local = listeners[0].local
    this.#listeners = listeners
    this.#network = network
    this.#open = open
    for (const listener of listeners) listener.owner = open
    open.add(this)
  }

  set onReady(onReady: (() => void) | undefined) {
    for (const listener of this.#listeners) listener.onReady = onReady
  }

  accept(): NonBlockingConnection | undefined {
    const socket = acceptFrom(this.#listeners)
    return socket && new StackReadyConnection(socket, this.#network, this.#open)
  }

  close(): void {
    this.#open.delete(this)
    for (const listener of this.#listeners) listener.close()
    this.#network.touched()
  }
}

class StackReadyConnection implements NonBlockingConnection {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #socket: TcpSocket
  readonly #network: PodNetwork
  readonly #open: OpenSockets

  constructor(socket: TcpSocket, network: PodNetwork, open: OpenSockets) {
    this.local = socket.local
    this.remote = socket.remote
    this.#socket = socket
    this.#network = network
    this.#open = open
    socket.owner = open
    open.add(this)
  }

  set onReady(onReady: (() => void) | undefined) {
    this.#socket.onReady = onReady
  }

  get ended(): boolean {
    return this.#socket.ended || this.#socket.state === 'CLOSED'
  }

  readInto(into: Uint8Array): number {
    const count = this.#socket.readInto(into)
    // Room in the buffer may be news for the peer.
    if (count > 0) this.#network.touched()
    else if (this.#socket.error !== undefined) throw this.#socket.error
    return count
  }

  write(bytes: Uint8Array): number {
    this.#setNow()
    const taken = this.#socket.write(bytes)
    if (taken > 0) this.#network.touched()
    return taken
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on)
  }

  close(): void {
    this.#open.delete(this)
    this.#setNow()
    this.#socket.owner = undefined
    this.#socket.close()
    this.#network.touched()
  }

  abort(): void {
    this.#open.delete(this)
    this.#setNow()
    this.#socket.abort()
    this.#network.touched()
  }

  #setNow(): void {
    this.#network.stack.setNow(this.#network.clock.now())
  }
}
