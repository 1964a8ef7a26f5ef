// The threads of loopback.ts: a server that echoes or speaks HTTP, or the client that measures, by workerData.

import { Agent, createServer as createHttpServer, get } from 'node:http'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { median } from '../contestant.js'

export type LoopbackRole =
  | { readonly role: 'server'; readonly kind: 'echo' | 'http' }
  | {
      readonly role: 'client'
      readonly kind: 'echo' | 'http'
      readonly port: number
      readonly times: number
      readonly pauseMs: number
      readonly warmUp: number
    }

/** As ping sends them. */
const ECHO_BYTES = 56
const role = workerData as LoopbackRole
const parent = parentPort!

if (role.role === 'server') {
  const server: Server =
    role.kind === 'http'
      ? createHttpServer((_request, response) => response.end('<html></html>\n'))
      : createServer({ noDelay: true }, (socket) => socket.pipe(socket))
  server.listen(0, '127.0.0.1', () => parent.postMessage((server.address() as AddressInfo).port))
} else {
  const once = role.kind === 'http' ? httpClient(role.port) : await echoClient(role.port)
  parent.on('message', async () => {
    const micros: number[] = []
    for (let i = 0; i < role.times; i++) {
      await new Promise((resolve) => setTimeout(resolve, role.pauseMs))
      const started = performance.now()
      await once()
      micros.push((performance.now() - started) * 1000)
    }
    parent.postMessage(median(micros))
  })
  for (let i = 0; i < role.warmUp; i++) await once()
  parent.postMessage('ready')
}

async function echoClient(port: number): Promise<() => Promise<void>> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise((resolve) => socket.once('connect', resolve))
  const bytes = new Uint8Array(ECHO_BYTES)
  return () =>
    new Promise((resolve) => {
      socket.once('data', () => resolve())
      socket.write(bytes)
    })
}

function httpClient(port: number): () => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return () =>
    new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent }, (response) => {
        response.resume()
        response.on('end', resolve)
      }).on('error', reject)
    })
}
