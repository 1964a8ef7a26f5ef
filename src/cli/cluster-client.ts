// Asks a running cluster's API server, as its state file says how: which cluster is meant, and GET requests with JSON
// answers.

import { request as httpsRequest } from 'node:https'
import { UsageError } from './arguments.js'
import { type ClusterState, checkedName, isAlive, knownClusters, type Serving } from './cluster-files.js'

const TIMEOUT_MS = 5_000

/** The server answered, but not with what was asked for. */
export class ClusterRefusal extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'ClusterRefusal'
    this.code = code
  }
}

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

/** The JSON that a GET gives. Rejects with ClusterRefusal, or with an Error that says why there is no answer. */
export function ask<Answer>({ server, ca, token }: Serving, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
    const options = { ca, headers, agent: false }
    const request = httpsRequest(new URL(path, server), options, async (response) => {
      try {
        let text = ''
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        const { statusCode = 0 } = response
        if (statusCode !== 200) throw new ClusterRefusal(statusCode, messageOf(statusCode, text))
        resolve(JSON.parse(text) as Answer)
      } catch (error) {
        reject(error as Error)
      }
    })
    request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)))
    request.on('error', reject)
    request.end()
  })
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
