// The healthCheckNodePort of LoadBalancer Services with externalTrafficPolicy Local: a little HTTP server on the
// node that tells a load balancer whether this node has endpoints of its own. Body, status and headers are those of
// pkg/proxy/healthcheck/service_health.go of Kubernetes; without the Date header, as the core has no wall clock.

import { utf8Decode, utf8Encode } from '../base/bytes.js'
import { SystemError } from '../base/errors.js'
import type { TcpListener, TcpSocket } from '../stack/socket.js'
import type { Stack } from '../stack/stack.js'
import type { IpAddress, Port } from '../wire/address.js'
import type { NodePortAddresses } from './node-port-addresses.js'
import type { PortState } from './port-state.js'

const BACKLOG = 128
/** A request head longer than this is not one of a load balancer. */
const MAX_REQUEST_BYTES = 4096

interface Responder {
  readonly port: Port
  readonly listeners: readonly TcpListener[]
  /** Ready endpoints of the service on this node, by address. */
  localEndpoints: number
}

export class HealthCheckServer {
  readonly #stack: Stack
  readonly #addresses: NodePortAddresses
  /** By `namespace/service`. */
  readonly #responders = new Map<string, Responder>()

  constructor(stack: Stack, addresses: NodePortAddresses) {
    this.#stack = stack
    this.#addresses = addresses
  }

  /** Opens and closes ports and counts endpoints anew. */
  sync(states: Iterable<PortState>, nodeName: string): void {
    const ports = new Map<string, Port>()
    const local = new Map<string, Set<IpAddress>>()
    for (const { info, endpoints } of states) {
      if (info.healthCheckNodePort === 0) continue
      ports.set(info.service, info.healthCheckNodePort)
      const addresses = local.get(info.service) ?? new Set()
      local.set(info.service, addresses)
      for (const endpoint of endpoints) {
        if (endpoint.ready && endpoint.nodeName === nodeName) addresses.add(endpoint.address)
      }
    }
    for (const [service, responder] of this.#responders) {
      if (ports.get(service) === responder.port) continue
      for (const listener of responder.listeners) listener.close()
      this.#responders.delete(service)
    }
    for (const [service, port] of ports) {
      const responder = this.#responders.get(service) ?? this.#open(service, port)
      responder.localEndpoints = local.get(service)!.size
    }
  }

  close(): void {
    for (const { listeners } of this.#responders.values()) for (const listener of listeners) listener.close()
    this.#responders.clear()
  }

  #open(service: string, port: Port): Responder {
    const { matchAll, any } = this.#addresses
    const addresses = matchAll ? [any] : this.#addresses.nodeAddresses(this.#stack)
    const listeners = addresses
      .map((address) => this.#listen(address, port))
      .filter((listener) => listener !== undefined)
    const responder: Responder = { port, listeners, localEndpoints: 0 }
    for (const listener of listeners) {
      listener.onReady = () => {
        for (let socket = listener.accept(); socket !== undefined; socket = listener.accept()) {
          serve(socket, () => responseText(service, responder.localEndpoints))
        }
      }
    }
    this.#responders.set(service, responder)
    return responder
  }

  /** Undefined when another program has the port: kube-proxy reports that and goes on. */
  #listen(address: IpAddress, port: Port): TcpListener | undefined {
    try {
      return this.#stack.tcpListen({ address, port }, BACKLOG)
    } catch (error) {
      if (error instanceof SystemError) return undefined
      throw error
    }
  }
}

/** Answers one request of any method and path, and closes. */
function serve(socket: TcpSocket, response: () => string): void {
  let request = ''
  const finish = () => {
    socket.onReady = undefined
    socket.close()
  }
  socket.onReady = () => {
    if (socket.error !== undefined) return finish()
    for (let bytes = socket.read(); bytes !== undefined; bytes = socket.read()) request += utf8Decode(bytes)
    if (request.includes('\r\n\r\n')) {
      socket.write(utf8Encode(response()))
      return finish()
    }
    if (socket.ended || request.length > MAX_REQUEST_BYTES) finish()
  }
  socket.onReady()
}

function responseText(service: string, localEndpoints: number): string {
  const [namespace, name] = service.split('/')
  const status = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }
  const body = JSON.stringify(status, undefined, '\t')
  const head = [
    localEndpoints > 0 ? 'HTTP/1.1 200 OK' : 'HTTP/1.1 503 Service Unavailable',
    'Content-Type: application/json',
    'X-Content-Type-Options: nosniff',
    `X-Load-Balancing-Endpoint-Weight: ${localEndpoints}`,
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
