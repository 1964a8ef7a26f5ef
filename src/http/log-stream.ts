// The answer to a log that is followed: text as it is written, until the container ends or the client goes. A client
// that reads slowly is told what the log still has when it is ready for more, as by a kubelet that reads a file.

import type { ServerResponse } from 'node:http'
import type { Api, ApiRequest } from '../api/request.js'
import { RequestError } from '../api/status.js'

/** Throws a RequestError when there is no such log. */
export function streamLog(api: Api, request: ApiRequest, response: ServerResponse): void {
  // What there is already comes before the call returns, and before it is known that there is no refusal.
  const early: Uint8Array[] = []
  let isOpen = false
  let ended = false
  const write = (bytes: Uint8Array) =>
    response.writableEnded || response.write(bytes)
      ? undefined
      : new Promise<void>((resolve) => {
          response.once('drain', resolve)
        })
  const stop = api.followLog(
    request,
    (bytes) => (isOpen ? write(bytes) : early.push(bytes)),
    () => {
      ended = true
      if (isOpen) response.end()
    },
  )
  if (typeof stop !== 'function') throw new RequestError(stop)
  response.on('close', stop)
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.flushHeaders()
  isOpen = true
  for (const bytes of early) response.write(bytes)
  if (ended) response.end()
}
