// The prober of one node's kubelet: connections out of the node's own stack, to pods' addresses and wherever else a
// probe points. It tells how it went in the words of the kubelet, whose HTTP client is Go's.

import { SystemError } from '../base/errors.js'
import { type Micros, NEVER } from '../base/time.js'
import { type Timer, TimerHeap } from '../base/timer-heap.js'
import type { ProbeAction, ProbeRequest, ProbeResult } from '../cluster/prober.js'
import type { SocketApi, TcpSocket } from '../stack/socket.js'
import { formatEndpoint, parseIpv4 } from '../wire/address.js'
import { ProbeResponse, probeRequest, probeUrl } from './http-probe.js'

type NetworkAction = Exclude<ProbeAction, { kind: 'exec' }>

/** What Go calls errors of the network. */
const ERROR_TEXT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EPIPE: 'broken pipe',
}

interface Attempt {
  readonly id: number
  readonly action: NetworkAction
  readonly timer: Timer<Attempt>
  readonly socket: TcpSocket
  readonly response: ProbeResponse
  connected: boolean
}

export class NodeProber {
  readonly #sockets: SocketApi
  readonly #onResult: (id: number, result: ProbeResult) => void
  readonly #timers = new TimerHeap<Attempt>()
  #requests: ProbeRequest[] = []

  constructor(sockets: SocketApi, onResult: (id: number, result: ProbeResult) => void) {
    this.#sockets = sockets
    this.#onResult = onResult
  }

  /** Takes a request that is not a command; it is begun at the next `advance`. */
  start(request: ProbeRequest): void {
    this.#requests.push(request)
  }

  advance(now: Micros): void {
    for (const request of this.#requests.splice(0)) this.#begin(request, now)
    for (let timer = this.#timers.due(now); timer !== undefined; timer = this.#timers.due(now))
      this.#expire(timer.owner)
  }

  deadline(): Micros {
    return this.#requests.length > 0 ? 0 : this.#timers.next()
  }

  #begin({ id, action, timeout }: ProbeRequest, now: Micros): void {
    if (action.kind === 'exec') return
    const address = parseIpv4(action.address)
    if (address === undefined) return this.#fail(id, action, `lookup ${action.address}: no such host`)
    if (action.kind === 'http' && action.scheme === 'HTTPS')
      return this.#fail(id, action, 'TLS is not supported by Podwire')
    let socket: TcpSocket
    try {
      socket = this.#sockets.tcpConnect({ address, port: action.port })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      return this.#fail(id, action, `${dial(action)}: connect: ${textOf(error)}`)
    }
    const attempt = { id, action, socket, response: new ProbeResponse(), connected: false } as {
      -readonly [Field in keyof Attempt]: Attempt[Field]
    }
    attempt.timer = this.#timers.timer(attempt)
    this.#timers.set(attempt.timer, now + timeout)
    socket.onReady = () => this.#look(attempt)
  }

  #look(attempt: Attempt): void {
    const { socket, action, response } = attempt
    if (socket.error !== undefined) return this.#broken(attempt, socket.error)
    if (!attempt.connected) {
      if (socket.writable === 0) return
      attempt.connected = true
      if (action.kind === 'tcp') return this.#end(attempt, { ok: true, output: '' })
      socket.write(probeRequest(action))
    }
    for (let bytes = socket.read(); bytes !== undefined; bytes = socket.read()) response.take(bytes)
    if (response.complete || (socket.ended && response.status !== undefined))
      this.#judge(attempt, response.status!)
    else if (socket.ended) this.#give(attempt, 'EOF')
  }

  #judge(attempt: Attempt, status: number): void {
    if (Number.isNaN(status))
      return this.#give(attempt, 'net/http: HTTP/1.x transport connection broken: malformed HTTP response')
    const ok = status >= 200 && status < 400
    this.#end(attempt, { ok, output: ok ? '' : `HTTP probe failed with statuscode: ${status}` })
  }

  #broken(attempt: Attempt, error: SystemError): void {
    const { socket, action, connected } = attempt
    if (!connected) return this.#give(attempt, `${dial(action)}: connect: ${textOf(error)}`)
    const way = `${formatEndpoint(socket.local)}->${formatEndpoint(socket.remote)}`
    this.#give(attempt, `read tcp ${way}: read: ${textOf(error)}`)
  }

  #expire(attempt: Attempt): void {
    const isHttp = attempt.action.kind === 'http'
    this.#give(
      attempt,
      isHttp
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : `${dial(attempt.action)}: i/o timeout`,
    )
  }

  /** It went wrong before there was an answer. */
  #give(attempt: Attempt, problem: string): void {
    this.#end(attempt, undefined)
    this.#fail(attempt.id, attempt.action, problem)
  }

  #end(attempt: Attempt, result: ProbeResult | undefined): void {
    const { socket } = attempt
    this.#timers.set(attempt.timer, NEVER)
    socket.onReady = undefined
    if (result === undefined && socket.error === undefined) socket.abort()
    else socket.close()
    if (result !== undefined) this.#onResult(attempt.id, result)
  }

  #fail(id: number, action: NetworkAction, problem: string): void {
    const output = action.kind === 'http' ? `Get "${probeUrl(action)}": ${problem}` : problem
    this.#onResult(id, { ok: false, output })
  }
}

function dial({ address, port }: NetworkAction): string {
  return `dial tcp ${address}:${port}`
}

function textOf(error: SystemError): string {
  return ERROR_TEXT[error.code] ?? error.message
}
