// Requests to the prober that are under way: each has somebody who waits for its result, and an end in time.

import { type Micros, SECOND } from '../base/time.js'
import { formatSeconds } from './back-off.js'
import type { ControllerContext } from './controller-context.js'
import type { Container, HandlerAction, IntOrString } from './objects.js'
import type { ProbeAction, ProbeRequest, ProbeResult, Prober } from './prober.js'
import type { Controller } from './work-loop.js'

/** The prober ends network requests itself, in time; this long after, the answer is not waited for any more. */
const SLACK: Micros = SECOND

interface Waiting {
  readonly request: ProbeRequest
  readonly giveUpAt: Micros
  readonly done: (result: ProbeResult) => void
  result: ProbeResult | undefined
}

export class ProbeRequests implements Controller {
  readonly name = 'probe-requests'
  readonly #context: ControllerContext
  readonly #prober: Prober
  readonly #waiting = new Map<string, Waiting>()
  #nextId = 1

  constructor(context: ControllerContext, prober: Prober) {
    this.#context = context
    this.#prober = prober
    prober.onResult = (id, result) => {
      const waiting = this.#waiting.get(String(id))
      if (waiting === undefined) return
      waiting.result = result
      context.loop.add(this, String(id))
    }
  }

  /** Has `action` done; `done` is called later, in the work loop. The returned function gives the request up. */
  start(request: Omit<ProbeRequest, 'id'>, done: (result: ProbeResult) => void): () => void {
    const { clock, loop } = this.#context
    const id = this.#nextId++
    const key = String(id)
    const slack = request.action.kind === 'exec' ? 0 : SLACK
    const giveUpAt = clock.now + request.timeout + slack
    this.#waiting.set(key, { request: { ...request, id }, giveUpAt, done, result: undefined })
    loop.addAt(this, key, giveUpAt)
    this.#prober.start({ ...request, id })
    return () => {
      if (this.#waiting.delete(key)) this.#prober.cancel(id)
    }
  }

  reconcile(key: string): void {
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) return
    const { request, giveUpAt, done, result } = waiting
    if (result === undefined && this.#context.clock.now < giveUpAt)
      return this.#context.loop.addAt(this, key, giveUpAt)
    this.#waiting.delete(key)
    if (result === undefined) this.#prober.cancel(request.id)
    done(result ?? { ok: false, output: timeoutOf(request) })
  }
}

function timeoutOf({ action, timeout }: ProbeRequest): string {
  if (action.kind !== 'exec') return 'context deadline exceeded'
  return `command timed out: "${action.command.join(' ')}" timed out after ${formatSeconds(timeout)}`
}

/** A port by its number, or by the name that the container gives it; undefined when it has none of that name. */
function portOf(port: IntOrString, container: Container): number | undefined {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)?.containerPort
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined)
}

/** What a probe or hook of `container` in a pod with the address `podIP` asks for; a text says why that cannot be. */
export function probeAction(
  handler: HandlerAction,
  container: Container,
  podIP: string,
): ProbeAction | string {
  const { exec, httpGet, tcpSocket } = handler
  if (exec) return { kind: 'exec', command: exec.command ?? [] }
  const target = httpGet ?? tcpSocket
  if (target === undefined) return 'missing probe handler'
  const port = portOf(target.port, container)
  if (port === undefined) return `invalid port number: ${target.port}`
  const address = target.host || podIP
  if (httpGet === undefined) return { kind: 'tcp', address, port }
  const { path = '/', scheme = 'HTTP', httpHeaders = [] } = httpGet
  return {
    kind: 'http',
    scheme,
    address,
    port,
    path: path.startsWith('/') ? path : `/${path}`,
    headers: httpHeaders.map(({ name, value }) => [name, value] as const),
  }
}
