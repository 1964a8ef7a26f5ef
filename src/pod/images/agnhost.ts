// agnhost, the test image of Kubernetes: pause, serve-hostname and netexec of its many servers. Simplified: netexec has
// what tells pods and clients apart (no /shell, /dial, /upload).

import type { DatagramSocket } from '../../posix/net.js'
import type { Process, Program } from '../../posix/process.js'
import { formatEndpoint, IPV4_ANY } from '../../wire/address.js'
import { serviceDesk } from '../load/service-time.js'
import { errorResponse, goFlags, logLine, portOf, serveOn, textResponse, urlOf } from './go-server.js'
import { serveHostname } from './hello-servers.js'
import type { HttpRequest } from './http-request.js'
import type { HttpResponse } from './http-server.js'
import { pause } from './pause.js'

export const agnhost: Program = async (process) => {
  const [, command = 'pause'] = process.argv
  switch (command) {
    case 'pause':
      return pause(process)
    case 'serve-hostname':
      return serveHostname(process)
    case 'netexec':
      return netexec(process)
  }
  const known = 'netexec, pause, serve-hostname'
  await process.stderr.write(`agnhost: ${command} is not built in; known: ${known}\n`)
  return 1
}

async function netexec(process: Process): Promise<number> {
  const flags = goFlags(process.argv.slice(2), ['http-port=', 'udp-port='])
  const port = typeof flags === 'string' ? undefined : portOf(flags.get('http-port') ?? '8080')
  const udp = typeof flags === 'string' ? undefined : (flags.get('udp-port') ?? '8081')
  const udpPort = udp === undefined || udp === '-1' ? udp : portOf(udp)
  if (typeof flags === 'string' || port === undefined || udpPort === undefined) {
    await process.stderr.write(typeof flags === 'string' ? flags : 'invalid port\n')
    return 1
  }
  await process.stderr.write(logLine(process, `Started HTTP server on port ${port}`))
  if (typeof udpPort === 'number') {
    await process.stderr.write(logLine(process, `Started UDP server on port  ${udpPort}`))
    const socket = process.system.net.datagram({ address: IPV4_ANY, port: udpPort })
    // Ends with the process, which closes the socket.
    answerDatagrams(process, socket).catch(() => socket.close())
  }
  return serveOn(process, port, {
    respond: (request, connection) => netexecResponse(process, request, formatEndpoint(connection.remote)),
    logLine: (_connection, request) => logLine(process, `GET ${request.target}`),
  })
}

function netexecResponse(process: Process, request: HttpRequest, client: string): HttpResponse {
  const url = urlOf(request)
  if (url === undefined) return errorResponse(400)
  const { clock, hostname } = process.system
  switch (url.pathname.toLowerCase()) {
    case '/':
      return textResponse(`NOW: ${new Date(clock.unixMillis()).toISOString()}`)
    case '/hostname':
      return textResponse(hostname)
    case '/clientip':
      return textResponse(client)
    case '/echo': {
      const status = Number(url.searchParams.get('code') ?? 200)
      if (!Number.isInteger(status) || status < 200 || status > 599) return errorResponse(400)
      return textResponse(url.searchParams.get('msg') ?? '', { status })
    }
    case '/header': {
      const value = request.headers.get((url.searchParams.get('key') ?? '').toLowerCase())
      return textResponse(value ?? '')
    }
    case '/healthz':
      return textResponse('')
    default:
      return errorResponse(404)
  }
}

/** One command a datagram: `hostname`, `echo TEXT`, `clientip`; anything else gets no answer. */
async function answerDatagrams(process: Process, socket: DatagramSocket): Promise<void> {
  const desk = serviceDesk(process)
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  for (;;) {
    const datagram = await socket.receive(undefined, process.signal)
    if (datagram === undefined) return
    const command = decoder.decode(datagram.bytes).trim()
    const [word = '', ...rest] = command.split(' ')
    const client = formatEndpoint(datagram.source)
    const answer = { hostname: process.system.hostname, echo: rest.join(' '), clientip: client }[
      word.toLowerCase()
    ]
    if (answer === undefined) continue
    const reply = () => socket.send(encoder.encode(answer), datagram.source)
    if (desk === undefined) reply()
    else void desk.serve().then(reply)
  }
}
