// Datagrams of programs on the host, carried to an endpoint of the cluster as a NAT carries them: every client (address
// and port) has a socket of the external host for itself, and what comes back to that socket goes to that client. So
// questions and answers are not looked at, and a client that asks much is one flow for kube-proxy, as any pod is.
// In real time what is asked while nobody has ever answered is asked again for a while: whoever has just brought the
// cluster up would lose it before the Service has endpoints, and most clients wait for seconds before they ask twice.
// Read first: external-host.ts. Not here: TCP (host-dns.ts).

import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram'
import { SystemError } from '../base/errors.js'
import { type Micros, SECOND } from '../base/time.js'
import { NO_LONGER_NEEDED } from '../posix/abort.js'
import type { NonBlockingDatagramSocket } from '../posix/net.js'
import type { Endpoint } from '../wire/address.js'
import type { Emulation } from './emulation.js'

/** Emulated time for which the virtual clock is kept running for an answer. */
const ANSWER_TIMEOUT = 5 * SECOND
/** Datagrams that may wait for their answer under the virtual clock; more are dropped, as a full queue does. */
const WAITING_LIMIT = 2_000
/** Clients with a socket; then the one that was silent longest loses its own, as in a NAT's table. */
const CLIENT_LIMIT = 500

/** Datagrams that are asked again, for how long, and how often. */
const EARLY_LIMIT = 100
const EARLY_MS = 10_000
const EARLY_AGAIN_MS = 50

interface EarlyDatagram {
  readonly bytes: Uint8Array
  readonly from: RemoteInfo
  againLeft: number
}

interface Client {
  readonly key: string
  readonly socket: NonBlockingDatagramSocket
}

export class DatagramRelay {
  readonly #emulation: Pick<Emulation, 'clock' | 'outside' | 'run'>
  readonly #udp: UdpSocket
  readonly #to: Endpoint
  /** In the order of their last question. */
  readonly #clients = new Map<string, Client>()
  /** The last one used. */
  #current: Client | undefined
  /** Virtual clock: until when each unanswered question is waited for. */
  readonly #waiting: Micros[] = []
  /** Real time: what is asked again; undefined once somebody has answered. */
  #early: EarlyDatagram[] | undefined
  #earlyTimer: NodeJS.Timeout | undefined
  #driving = false
  #allAnswered: () => void = () => {}
  #closed = false

  /** Carries what `udp` receives to `to`. */
  constructor(emulation: Pick<Emulation, 'clock' | 'outside' | 'run'>, udp: UdpSocket, to: Endpoint) {
    this.#emulation = emulation
    this.#udp = udp
    this.#to = to
    this.#early = emulation.clock === 'real' ? [] : undefined
    udp.on('message', (bytes, from) => this.#receive(bytes, from))
  }

  close(): void {
    this.#closed = true
    this.#early = undefined
    clearInterval(this.#earlyTimer)
    for (const { socket } of this.#clients.values()) socket.close()
    this.#clients.clear()
    this.#allAnswered()
  }

  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    if (this.#closed || this.#waiting.length >= WAITING_LIMIT) return
    if (this.#early !== undefined) this.#rememberEarly(this.#early, bytes, from)
    if (this.#send(bytes, from) && this.#emulation.clock === 'virtual') this.#await()
  }

  /** False when there is no way there now: lost, as any datagram may be. */
  #send(bytes: Uint8Array, from: RemoteInfo): boolean {
    try {
      this.#client(from).socket.send(bytes)
      return true
    } catch (error) {
      if (error instanceof SystemError) return false
      throw error
    }
  }

  #rememberEarly(early: EarlyDatagram[], bytes: Uint8Array, from: RemoteInfo): void {
    if (early.length >= EARLY_LIMIT) return
    early.push({ bytes, from, againLeft: EARLY_MS / EARLY_AGAIN_MS })
    this.#earlyTimer ??= setInterval(() => this.#askEarlyAgain(), EARLY_AGAIN_MS)
  }

  #askEarlyAgain(): void {
    this.#early = this.#early?.filter((one) => one.againLeft-- > 0)
    for (const { bytes, from } of this.#early ?? []) this.#send(bytes, from)
    if ((this.#early?.length ?? 0) > 0) return
    clearInterval(this.#earlyTimer)
    this.#earlyTimer = undefined
  }

  /** Somebody is there; what was not taken a moment ago is asked for the last time. */
  #firstAnswer(early: readonly EarlyDatagram[]): void {
    this.#early = undefined
    clearInterval(this.#earlyTimer)
    if (early.length > 1) for (const { bytes, from } of early) this.#send(bytes, from)
  }

  #client({ address, port }: RemoteInfo): Client {
    const key = `${address}:${port}`
    if (this.#current?.key === key) return this.#current
    let client = this.#clients.get(key)
    if (client === undefined) client = { key, socket: this.#open(address, port) }
    else this.#clients.delete(key)
    this.#clients.set(key, client)
    this.#current = client
    return client
  }

  #open(address: string, port: number): NonBlockingDatagramSocket {
    if (this.#clients.size >= CLIENT_LIMIT) {
      const [silent] = this.#clients.values()
      silent!.socket.close()
      this.#clients.delete(silent!.key)
    }
    const socket = this.#emulation.outside().net.datagramNonBlocking()
    socket.connect(this.#to)
    socket.onReady = () => {
      for (;;) {
        try {
          const datagram = socket.receive()
          if (datagram === undefined) return
          this.#udp.send(datagram.bytes, port, address)
          if (this.#early !== undefined) this.#firstAnswer(this.#early)
        } catch (error) {
          // An ICMP error instead of an answer: there is nobody now.
          if (!(error instanceof SystemError)) throw error
        }
        this.#answered()
      }
    }
    return socket
  }

  #await(): void {
    this.#waiting.push(this.#emulation.outside().clock.now() + ANSWER_TIMEOUT)
    if (this.#driving) return
    this.#driving = true
    // Rejects when the emulation is closed: nobody drives it any more.
    this.#drive().catch(() => {})
  }

  #answered(): void {
    this.#waiting.shift()
    if (this.#waiting.length === 0) this.#allAnswered()
  }

  /** Has the virtual clock run until every question was answered or waited for long enough. */
  async #drive(): Promise<void> {
    const { clock } = this.#emulation.outside()
    while (this.#waiting.length > 0 && !this.#closed) {
      const timer = new AbortController()
      const answered = new Promise<void>((resolve) => {
        this.#allAnswered = resolve
      })
      const expired = clock.sleep(this.#waiting[0]! - clock.now(), timer.signal).catch(() => {})
      await this.#emulation.run(Promise.race([answered, expired]))
      timer.abort(NO_LONGER_NEEDED)
      while (this.#waiting.length > 0 && this.#waiting[0]! <= clock.now()) this.#waiting.shift()
    }
    this.#driving = false
  }
}
