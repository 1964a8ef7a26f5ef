// Resources at paths of Podwire's own, beside Kubernetes' API: JSON that is read by GET, orders by POST, events by GET
// with watch=true, a line of JSON each. Who may ask was checked before, as for everything else (access.ts). Which there
// are is not known here: see drivers/control-api.ts.

import type { ServerResponse } from 'node:http'
import type { ApiRequest, ApiResponse, WatchLine } from '../api/request.js'
import { jsonResponse, methodNotAllowed, statusResponse } from '../api/status.js'
import { flag } from '../api/target.js'
import { badRequest } from '../cluster/status.js'
import { LineStream } from './watch-stream.js'

export interface OwnResource {
  /** JSON data. */
  readonly read?: () => unknown
  /** Does what the body, JSON data, says; resolves with the answer. A TypeError says what is wrong with the body. */
  readonly write?: (body: unknown) => Promise<unknown>
  /** Tells of events until the returned function is called. */
  readonly watch?: (onLine: (line: WatchLine) => void) => () => void
}

/** By path. */
export type OwnResources = Readonly<Record<string, OwnResource>>

/** Lines that wait for a client that reads slowly, before it is left. */
const MOST_PENDING = 200_000

/** The answer; undefined when it is a stream. Throws a RequestError. */
export async function answerOwn(
  { read, write, watch }: OwnResource,
  request: ApiRequest,
  response: ServerResponse,
): Promise<ApiResponse | undefined> {
  if (request.method === 'POST' && write !== undefined) {
    try {
      return jsonResponse(200, await write(request.body))
    } catch (error) {
      if (error instanceof TypeError) return statusResponse(badRequest(error.message).status)
      throw error
    }
  }
  if (request.method !== 'GET') throw methodNotAllowed()
  if (watch !== undefined && flag(request, 'watch')) return stream(watch, response)
  if (read === undefined) throw methodNotAllowed()
  return jsonResponse(200, read())
}

function stream(watch: NonNullable<OwnResource['watch']>, response: ServerResponse): undefined {
  const lines = new LineStream(response, MOST_PENDING)
  response.on(
    'close',
    watch((line) => lines.push(line)),
  )
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  lines.start()
}
