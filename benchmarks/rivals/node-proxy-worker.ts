// The threads of node-proxy.ts: an HTTP server, the proxy in front of three of them, or the load client, by workerData.

import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { SocketLoad } from './socket-load.js'

export type WorkerRole =
  | { readonly role: 'server' }
  | { readonly role: 'proxy'; readonly ports: readonly number[] }
  | {
      readonly role: 'client'
      readonly port: number
      readonly connections: number
      readonly keepAlive: boolean
    }

export interface LoadResult {
  readonly seconds: number
}

const PAGE = '<!DOCTYPE html>\n<html><body><h1>Welcome!</h1></body></html>\n'
const role = workerData as WorkerRole
const port = parentPort!

if (role.role === 'server') {
  const server = createHttpServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.setHeader('Content-Length', PAGE.length)
    response.end(PAGE)
  })
  server.keepAliveTimeout = 60_000
  tellPort(server)
} else if (role.role === 'proxy') {
  let next = 0
  const server = createServer((client) => {
    const server = connect(role.ports[next++ % role.ports.length]!, '127.0.0.1')
    client.setNoDelay(true)
    server.setNoDelay(true)
    client.pipe(server)
    server.pipe(client)
    client.on('error', () => server.destroy())
    server.on('error', () => client.destroy())
  })
  tellPort(server)
} else {
  const client = new SocketLoad(role.port, role.connections, role.keepAlive)
  port.on('message', async (requests: number) => {
    const started = performance.now()
    await client.run(requests)
    port.postMessage({ seconds: (performance.now() - started) / 1000 } satisfies LoadResult)
  })
  port.postMessage('ready')
}

function tellPort(server: Server): void {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () =>
    port.postMessage((server.address() as AddressInfo).port),
  )
}
