// The thread of request-thread.ts: makes one request after the other and wakes who waits for the answer.

import { Agent, request as httpsRequest } from 'node:https'
import { workerData } from 'node:worker_threads'
import type { RequestAnswer, RequestOrder, RequestWorkerData } from './request-protocol.js'

const { to, port, answered } = workerData as RequestWorkerData
const agent = new Agent({ keepAlive: true, ca: to.ca })

port.on('message', async (order: RequestOrder) => {
  const answer = await perform(order).catch((error: Error): RequestAnswer => ({ problem: error.message }))
  port.postMessage(answer)
  Atomics.store(answered, 0, 1)
  Atomics.notify(answered, 0)
})

function perform({ method, path, query = {}, headers = {}, body }: RequestOrder): Promise<RequestAnswer> {
  const url = new URL(path, to.server)
  for (const [name, value] of Object.entries(query))
    for (const one of [value].flat()) url.searchParams.append(name, one)
  const text = body === undefined ? undefined : JSON.stringify(body)
  const sent = {
    accept: 'application/json',
    ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
    authorization: `Bearer ${to.token}`,
    ...(text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }),
  }
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { method, headers: sent, agent }, async (response) => {
      try {
        let answer = ''
        for await (const chunk of response.setEncoding('utf8')) answer += chunk
        const received = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
        const isJson = /^application\/json\b/.test(response.headers['content-type'] ?? '')
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(received) as Record<string, string>,
          body: isJson ? JSON.parse(answer) : answer,
        })
      } catch (error) {
        reject(error as Error)
      }
    })
    request.on('error', reject)
    request.end(text)
  })
}
