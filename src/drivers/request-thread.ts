// Requests to an API server as calls that return the answer: a thread of its own does the HTTP while this one waits, as a
// system call has one wait. kubectl and all that steers a cluster are written for an Api in the same process, whose
// answers are there at once (api/request.ts); so they do for a server elsewhere. A wait is a millisecond or two on
// loopback, and bounded.

import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { ApiRequest, ApiResponse } from '../api/request.js'
import type { ClusterAddress } from './cluster-client.js'
import type { RequestAnswer, RequestWorkerData } from './request-protocol.js'

const TIMEOUT_MS = 10_000
const UNAVAILABLE = 503

export class RequestThread {
  readonly #worker: Worker
  readonly #port: MessageChannel['port1']
  readonly #answered = new Int32Array(new SharedArrayBuffer(4))
  /** Why nothing is asked any more: an answer that is late would be taken for that of the next request. */
  #problem: string | undefined

  constructor(to: ClusterAddress) {
    const { port1, port2 } = new MessageChannel()
    const data: RequestWorkerData = { to, port: port2, answered: this.#answered }
    this.#worker = new Worker(new URL('./request-worker.cjs', import.meta.url), {
      workerData: data,
      transferList: [port2],
      name: 'requests',
    })
    this.#worker.unref()
    this.#port = port1
  }

  /** Never throws: without an answer it is a Status of code 503 that says why. */
  request(request: ApiRequest): ApiResponse {
    if (this.#problem !== undefined) return unavailable(this.#problem)
    this.#port.postMessage(request)
    if (Atomics.wait(this.#answered, 0, 0, TIMEOUT_MS) === 'timed-out') {
      this.#problem = `no answer in ${TIMEOUT_MS / 1000} s`
      return unavailable(this.#problem)
    }
    Atomics.store(this.#answered, 0, 0)
    const { message } = receiveMessageOnPort(this.#port) as { message: RequestAnswer }
    return 'problem' in message ? unavailable(message.problem) : message
  }

  async close(): Promise<void> {
    this.#problem = 'closed'
    this.#port.close()
    await this.#worker.terminate()
  }
}

function unavailable(why: string): ApiResponse {
  const message = `the cluster does not answer: ${why}`
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'ServiceUnavailable',
    code: UNAVAILABLE,
  }
  return { status: UNAVAILABLE, headers: {}, body }
}
