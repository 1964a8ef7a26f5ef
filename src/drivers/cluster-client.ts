// Asks the API server of a cluster of another process: JSON by GET and POST, and lines of JSON as they come. The API as a
// whole, as kubectl wants it, is remote-api.ts.

import type { ClientRequest, IncomingMessage } from 'node:http'
import { type Agent, request as httpsRequest } from 'node:https'

const TIMEOUT_MS = 5_000

/** How to reach the server, as who. */
export interface ClusterAddress {
  /** `https://127.0.0.1:40123`. */
  readonly server: string
  /** PEM. */
  readonly ca: string
  readonly token: string
}

/** The server answered, but not with what was asked for. */
export class ClusterRefusal extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'ClusterRefusal'
    this.code = code
  }
}

/** The JSON that a GET gives. Rejects with ClusterRefusal, or with an Error that says why there is no answer. */
export function ask<Answer>(to: ClusterAddress, path: string): Promise<Answer> {
  return exchange(to, path, undefined, TIMEOUT_MS)
}

export interface OrderOptions {
  /** For orders that take their time. */
  readonly timeoutMs?: number
  /** Keeps connections for further orders. */
  readonly agent?: Agent
}

/** The JSON that answers a POST of `body`. Rejects as `ask` does. */
export function order<Answer>(
  to: ClusterAddress,
  path: string,
  body: unknown,
  { timeoutMs = TIMEOUT_MS, agent }: OrderOptions = {},
): Promise<Answer> {
  return exchange(to, path, JSON.stringify(body), timeoutMs, agent)
}

function exchange<Answer>(
  to: ClusterAddress,
  path: string,
  body: string | undefined,
  timeoutMs: number,
  agent?: Agent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send(to, path, { body, agent }, async (response) => {
      try {
        const text = await textOf(response)
        const { statusCode = 0 } = response
        if (statusCode !== 200) throw new ClusterRefusal(statusCode, messageOf(statusCode, text))
        resolve(JSON.parse(text) as Answer)
      } catch (error) {
        reject(error as Error)
      }
    })
    request.setTimeout(timeoutMs, () => request.destroy(noAnswer(timeoutMs)))
    request.on('error', reject)
    request.end(body)
  })
}

/** The cluster was there, and is no more. */
export class ClusterLost extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ClusterLost'
  }
}

/** It did not say a word for that long. */
export function noAnswer(milliseconds: number): ClusterLost {
  return new ClusterLost(`no answer in ${milliseconds / 1000} s`)
}

/** Who follows a stream. */
export interface StreamFollower {
  /** The server has begun to tell. */
  readonly open?: () => void
  readonly bytes: (bytes: Uint8Array) => void
  /** Called once, unless it was stopped: undefined when the server has told all. */
  readonly end: (error: Error | undefined) => void
}

/** What a GET without an end gives, as it comes; the returned function stops it. */
export function follow(to: ClusterAddress, path: string, follower: StreamFollower): () => void {
  let over = false
  const end = (error: Error | undefined) => {
    if (over) return
    over = true
    follower.end(error)
  }
  const request = send(to, path, {}, async (response) => {
    try {
      const { statusCode = 0 } = response
      if (statusCode !== 200)
        throw new ClusterRefusal(statusCode, messageOf(statusCode, await textOf(response)))
      follower.open?.()
      for await (const bytes of response) if (!over) follower.bytes(bytes as Uint8Array)
      end(undefined)
    } catch (error) {
      end(error as Error)
    }
  })
  request.on('error', end)
  request.end()
  return () => {
    over = true
    request.destroy()
  }
}

/** Cuts bytes into lines of JSON. */
export function jsonLines(onLine: (line: unknown) => void): (bytes: Uint8Array) => void {
  const decoder = new TextDecoder()
  let rest = ''
  return (bytes) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop()!
    for (const line of lines) onLine(JSON.parse(line))
  }
}

function send(
  { server, ca, token }: ClusterAddress,
  path: string,
  { body, agent }: { readonly body?: string | undefined; readonly agent?: Agent | undefined },
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  }
  const method = body === undefined ? 'GET' : 'POST'
  return httpsRequest(new URL(path, server), { ca, headers, method, agent: agent ?? false }, onResponse)
}

/** The body, to its end. */
export async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return text
}

/** What a Status says, or else the code alone. */
export function messageOf(code: number, text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    if (typeof message === 'string' && message !== '') return message
  } catch {
    // No Status: of somebody else's server.
  }
  return `it answered ${code}`
}
