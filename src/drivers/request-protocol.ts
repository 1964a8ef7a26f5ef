// What request-thread.ts and its worker tell each other.

import type { MessagePort } from 'node:worker_threads'
import type { ApiRequest, ApiResponse } from '../api/request.js'
import type { ClusterAddress } from './cluster-client.js'

export interface RequestWorkerData {
  readonly to: ClusterAddress
  readonly port: MessagePort
  /** One word, 1 when an answer is at the port. */
  readonly answered: Int32Array<SharedArrayBuffer>
}

export type RequestOrder = ApiRequest

/** `problem`: why there is no answer. */
export type RequestAnswer = ApiResponse | { readonly problem: string }
