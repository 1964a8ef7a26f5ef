// Servers with one answer, which tutorials use to see which pod answered: serve_hostname, hello-app, http-echo.

import type { Process, Program } from '../../posix/process.js'
import { formatEndpoint } from '../../wire/address.js'
import { errorResponse, goFlags, logLine, portOf, serveOn, textResponse, urlOf } from './go-server.js'
import type { HttpService } from './http-server.js'

/** serve_hostname and `agnhost serve-hostname`: the pod's name, over HTTP. Simplified: not over bare TCP or UDP. */
export const serveHostname: Program = async (process) => {
  const args = process.argv.slice(process.argv[1] === 'serve-hostname' ? 2 : 1)
  const flags = goFlags(args, ['port=', 'http', 'tcp', 'udp', 'close'])
  const port = typeof flags === 'string' ? undefined : portOf(flags.get('port') ?? '9376')
  const other = typeof flags !== 'string' && (flags.get('tcp') === 'true' || flags.get('udp') === 'true')
  if (port === undefined || other) {
    const why = typeof flags === 'string' ? flags : other ? 'only --http is built in\n' : 'invalid port\n'
    return fail(process, why)
  }
  await process.stdout.write(logLine(process, `Serving on port ${port}.`))
  return serveOn(process, port, {
    respond: (request) =>
      urlOf(request) === undefined ? errorResponse(400) : textResponse(process.system.hostname),
    logLine: (connection) => logLine(process, `HTTP request from ${formatEndpoint(connection.remote)}`),
  })
}

/** The hello-app of one release: its version and the pod's name. */
export function helloApp(version: string): Program {
  return async (process) => {
    const port = portOf(process.env.get('PORT') || '8080')
    if (port === undefined) return fail(process, 'invalid PORT\n')
    await process.stderr.write(logLine(process, `Server listening on port ${port}`))
    return serveOn(process, port, {
      respond: (request) =>
        urlOf(request) === undefined
          ? errorResponse(400)
          : textResponse(`Hello, world!\nVersion: ${version}\nHostname: ${process.system.hostname}\n`),
      logLine: (_connection, request) => logLine(process, `Serving request: ${request.target}`),
    })
  }
}

/** http-echo: the text of its command line. */
export const httpEcho: Program = async (process) => {
  const flags = goFlags(process.argv.slice(1), ['text=', 'listen=', 'status-code=', 'version'])
  if (typeof flags === 'string') return fail(process, flags, 127)
  const text = flags.get('text') ?? process.env.get('ECHO_TEXT') ?? ''
  if (text === '') return fail(process, 'Missing -text option!\n', 127)
  const listen = flags.get('listen') ?? ':5678'
  const port = portOf(listen)
  const status = Number(flags.get('status-code') ?? 200)
  if (port === undefined || !Number.isInteger(status))
    return fail(process, 'invalid -listen or -status-code\n', 127)
  await process.stdout.write(logLine(process, `[INFO] server is listening on ${listen}`))
  const service: HttpService = {
    respond: (request) => {
      const url = urlOf(request)
      if (url === undefined) return errorResponse(400)
      if (url.pathname === '/health') return textResponse('{"status":"ok"}', { type: 'application/json' })
      return textResponse(`${text}\n`, { status, headers: ['X-App-Name: http-echo', 'X-App-Version: 1.0.0'] })
    },
    logLine: ({ remote }, { headers, line }, response) => {
      const host = headers.get('host') ?? ''
      const agent = headers.get('user-agent') ?? ''
      const sent = response.body.length
      return logLine(
        process,
        `${host} ${formatEndpoint(remote)} "${line}" ${response.status} ${sent} "${agent}"`,
      )
    },
  }
  return serveOn(process, port, service)
}

async function fail(process: Process, text: string, status = 1): Promise<number> {
  await process.stderr.write(text)
  return status
}
