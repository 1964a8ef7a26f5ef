// Servers that tell the client what they saw of its request: whoami, and the echo servers of three authors.

import type { Process, Program } from '../../posix/process.js'
import { formatAddress, formatEndpoint } from '../../wire/address.js'
import {
  errorResponse,
  goFlags,
  goHeaders,
  logLine,
  portOf,
  protocolOf,
  serveOn,
  textResponse,
  urlOf,
} from './go-server.js'
import type { HttpRequest } from './http-request.js'
import type { HttpPeer } from './http-server.js'

/** traefik/whoami: names and addresses of the pod, then the request as it came. */
export const whoamiServer: Program = async (process) => {
  const flags = goFlags(process.argv.slice(1), ['port=', 'name=', 'verbose'])
  const port =
    typeof flags === 'string'
      ? undefined
      : portOf(flags.get('port') ?? process.env.get('WHOAMI_PORT_NUMBER') ?? '80')
  if (typeof flags === 'string' || port === undefined) {
    await process.stderr.write(typeof flags === 'string' ? flags : 'invalid port\n')
    return 2
  }
  const name = flags.get('name') ?? process.env.get('WHOAMI_NAME') ?? ''
  const verbose = flags.get('verbose') === 'true'
  await process.stdout.write(logLine(process, `Starting up on port ${port}`))
  return serveOn(process, port, {
    respond: (request, connection) => {
      const url = urlOf(request)
      if (url === undefined) return errorResponse(400)
      if (url.pathname === '/health') return textResponse('')
      if (url.pathname === '/api')
        return textResponse(whoamiJson(process, name, request, connection), JSON_TYPE)
      return textResponse(whoamiText(process, name, request, connection))
    },
    logLine: ({ remote }, request) =>
      verbose ? logLine(process, `${formatEndpoint(remote)} - "${request.line}"`) : '',
  })
}

const JSON_TYPE = { type: 'application/json' }

function addressesOf({ system }: Process): string[] {
  return system.net
    .interfaces()
    .flatMap(({ addresses }) => addresses)
    .map((address) => address.replace(/\/.*/, ''))
}

function whoamiText(process: Process, name: string, request: HttpRequest, connection: HttpPeer): string {
  const seen = [
    ...(name === '' ? [] : [`Name: ${name}`]),
    `Hostname: ${process.system.hostname}`,
    ...addressesOf(process).map((address) => `IP: ${address}`),
    `RemoteAddr: ${formatEndpoint(connection.remote)}`,
  ]
  const host = request.headers.get('host') ?? ''
  // As Go writes a request: User-Agent first, the others in order.
  const fields = goHeaders(request)
  const agent = fields.filter(([field]) => field === 'User-Agent')
  const others = fields.filter(([field]) => field !== 'User-Agent')
  const lines = [
    `${request.method} ${request.target} HTTP/1.1`,
    `Host: ${host}`,
    ...[...agent, ...others].map(([field, value]) => `${field}: ${value}`),
  ]
  return `${seen.join('\n')}\n${lines.join('\r\n')}\r\n\r\n`
}

function whoamiJson(process: Process, name: string, request: HttpRequest, connection: HttpPeer): string {
  return `${JSON.stringify({
    hostname: process.system.hostname,
    ip: addressesOf(process),
    headers: Object.fromEntries(goHeaders(request).map(([field, value]) => [field, [value]])),
    url: request.target,
    host: request.headers.get('host') ?? '',
    method: request.method,
    ...(name === '' ? {} : { name }),
    remoteAddr: formatEndpoint(connection.remote),
  })}\n`
}

/** kicbase/echo-server and jmalloc/echo-server: who served it, and the request. */
export const requestEcho: Program = async (process) => {
  const port = portOf(process.env.get('PORT') || '8080')
  if (port === undefined) return 1
  await process.stdout.write(`Echo server listening on port ${port}.\n`)
  return serveOn(process, port, {
    respond: (request) => {
      if (urlOf(request) === undefined) return errorResponse(400)
      const fields = [['Host', request.headers.get('host') ?? ''], ...goHeaders(request)]
      const lines = fields.map(([field, value]) => `${field}: ${value}\n`).join('')
      return textResponse(
        `Request served by ${process.system.hostname}\n\n${protocolOf(request)} ${request.method} ${request.target}\n\n${lines}`,
        { type: 'text/plain' },
      )
    },
    logLine: ({ remote }, request) => `${formatEndpoint(remote)} | ${request.method} ${request.target}\n`,
  })
}

/** The echoserver of the Kubernetes registry. */
export const echoserver: Program = (process) =>
  serveOn(process, 8080, {
    respond: (request, connection) => {
      const url = urlOf(request)
      if (url === undefined) return errorResponse(400)
      const fields = [...request.headers].sort(([a], [b]) => (a < b ? -1 : 1))
      const sections = [
        [`Hostname: ${process.system.hostname}`],
        ['Pod Information:', '\t-no pod information available-'],
        [
          'Request Information:',
          `\tclient_address=${formatAddress(connection.remote.address)}`,
          `\tmethod=${request.method}`,
          `\treal path=${request.target}`,
          `\tquery=${url.search.slice(1)}`,
          `\trequest_version=${protocolOf(request).slice('HTTP/'.length)}`,
          '\trequest_scheme=http',
          `\trequest_uri=http://${url.hostname}:8080${request.target}`,
        ],
        ['Request Headers:', ...fields.map(([field, value]) => `\t${field}=${value}`)],
      ]
      return textResponse(`\n\n${sections.map((lines) => lines.join('\n')).join('\n\n')}\n\n`, {
        type: 'text/plain',
      })
    },
    logLine: ({ remote }, { line, headers }, { status, body }) =>
      `${formatAddress(remote.address)} - - "${line}" ${status} ${body.length} "-" "${headers.get('user-agent') ?? '-'}"\n`,
  })

/** ealen/echo-server: the request and the environment as JSON. */
export const jsonEcho: Program = async (process) => {
  const port = portOf(process.env.get('PORT') || '80')
  if (port === undefined) return 1
  await process.stdout.write(`Listening on port ${port}.\n`)
  return serveOn(process, port, {
    respond: (request, connection) => {
      const url = urlOf(request)
      if (url === undefined) return errorResponse(400)
      const document = {
        host: { hostname: url.hostname, ip: `::ffff:${formatAddress(connection.remote.address)}`, ips: [] },
        http: { method: request.method, baseUrl: '', originalUrl: request.target, protocol: 'http' },
        request: {
          params: { 0: url.pathname },
          query: Object.fromEntries(url.searchParams),
          cookies: {},
          body: {},
          headers: Object.fromEntries(request.headers),
        },
        environment: Object.fromEntries(process.env),
      }
      return textResponse(JSON.stringify(document), { type: 'application/json; charset=utf-8' })
    },
  })
}
