// Which of the running clusters is meant, as their state files say; how to ask it is drivers/cluster-client.ts.

import { ClusterLost, ClusterRefusal } from '../drivers/cluster-client.js'
import { UsageError } from './arguments.js'
import { type ClusterState, checkedName, isAlive, knownClusters, type Serving } from './cluster-files.js'

/** A cluster that serves. */
export interface ServingCluster {
  readonly name: string
  readonly serving: Serving
}

/** The cluster of that name; without one the only one that is up, or else the one named default. Throws UsageError. */
export function servingCluster(wanted: string | undefined): ServingCluster {
  const name = wanted === undefined ? undefined : checkedName(wanted)
  const alive = knownClusters().filter(isAlive)
  const names = alive.map((state) => state.name)
  const there = names.length === 0 ? 'podwire up -d begins one' : `there are: ${names.join(', ')}`
  if (name === undefined) {
    if (alive.length === 0) throw new UsageError('no cluster is up', there)
    if (alive.length > 1) throw new UsageError('several clusters are up', `--name NAME; ${there}`)
  }
  const state = name === undefined ? alive[0] : alive.find((one) => one.name === name)
  if (state === undefined) throw new UsageError(`no cluster ${name} is up`, there)
  return servingOf(state)
}

function servingOf({ name, serving }: ClusterState): ServingCluster {
  if (serving !== undefined) return { name, serving }
  throw new UsageError(`cluster ${name} is still coming up`, 'again in a moment')
}

/** What to tell of an error that the cluster caused; any other as it is. */
export function clusterProblem({ name }: ServingCluster, error: Error): Error {
  if (error instanceof ClusterRefusal || error instanceof ClusterLost)
    return new UsageError(`cluster ${name}: ${error.message}`, 'podwire status')
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET')
    return new UsageError(`cluster ${name} does not answer`, `podwire down --name ${name}`)
  return error
}
