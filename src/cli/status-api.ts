// The status of a running cluster as something to ask its API server for, beside Kubernetes' own paths: what `podwire
// status` reads. Connections by endpoint and proxies' modes are not in any Kubernetes object.

import { ask } from '../drivers/cluster-client.js'
import type { Serving } from './cluster-files.js'
import type { ClusterStatus } from './cluster-status.js'

export const STATUS_PATH = '/podwire/v1/status'

/** Asks a running cluster. Rejects with an Error that says why there is no answer. */
export function askStatus(serving: Serving): Promise<ClusterStatus> {
  return ask<ClusterStatus>(serving, STATUS_PATH)
}
