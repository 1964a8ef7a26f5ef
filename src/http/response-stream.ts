// Answers without an end: watches, and logs that are followed.

import type { ServerResponse } from 'node:http'
import type { Api, ApiRequest, WatchLine } from '../api/request.js'
import { RequestError } from '../api/status.js'
import { parameter } from '../api/target.js'

export function streamWatch(api: Api, request: ApiRequest, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  const stop = api.watch(request, (line: WatchLine) => {
    response.write(`${JSON.stringify(line)}\n`)
    if (line.type === 'ERROR') response.end()
  })
  const seconds = Number(parameter(request, 'timeoutSeconds') ?? 0)
  const timer = seconds > 0 ? setTimeout(() => response.end(), seconds * 1000) : undefined
  response.on('close', () => {
    clearTimeout(timer)
    stop()
  })
}

export function streamLog(api: Api, request: ApiRequest, response: ServerResponse): void {
  const early: Uint8Array[] = []
  let started = false
  let ended = false
  const stop = api.followLog(
    request,
    (bytes) => (started ? void response.write(bytes) : early.push(bytes)),
    () => {
      ended = true
      if (started) response.end()
    },
  )
  if (typeof stop !== 'function') throw new RequestError(stop)
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.flushHeaders()
  for (const bytes of early) response.write(bytes)
  started = true
  if (ended) response.end()
  response.on('close', stop)
}
