// The status of a running cluster as something to ask its API server for, beside Kubernetes' own paths: what `podwire
// status` reads. Connections by endpoint and proxies' modes are not in any Kubernetes object.

import { request as httpsRequest } from 'node:https'
import type { Serving } from './cluster-files.js'
import type { ClusterStatus } from './cluster-status.js'

export const STATUS_PATH = '/podwire/v1/status'
const TIMEOUT_MS = 5_000

/** Asks a running cluster. Rejects with an Error that says why there is no answer. */
export function askStatus({ server, ca, token }: Serving): Promise<ClusterStatus> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const request = httpsRequest(
      new URL(STATUS_PATH, server),
      { ca, headers, agent: false },
      async (response) => {
        try {
          let text = ''
          for await (const chunk of response.setEncoding('utf8')) text += chunk
          if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}`)
          resolve(JSON.parse(text) as ClusterStatus)
        } catch (error) {
          reject(error as Error)
        }
      },
    )
    request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)))
    request.on('error', reject)
    request.end()
  })
}
