// `podwire status`: the clusters that are up - one in full, several in a line each.

import { painter } from '../scenario/reporters/pretty.js'
import { choiceOption, UsageError } from './arguments.js'
import {
  announcement,
  ClusterFiles,
  type ClusterState,
  checkedName,
  isAlive,
  knownClusters,
  type Serving,
} from './cluster-files.js'
import { type ClusterStatus, statusText } from './cluster-status.js'
import { command } from './command-kind.js'
import { askStatus } from './status-api.js'
import type { Streams } from './streams.js'

const NOT_UP = 1

type Phase = 'up' | 'starting' | 'dead' | 'silent'

/** What is known of a cluster, as `-o json` prints it. */
interface Known extends Partial<Omit<Serving, 'ca' | 'token'>> {
  readonly name: string
  readonly phase: Phase
  /** Why there is no answer. */
  readonly problem?: string
  readonly pid: number
  readonly startedAt: string
  readonly status?: ClusterStatus
}

export const statusCommand = command({
  name: 'status',
  operands: '',
  about: 'the clusters that are up: nodes, pods, services, connections',
  help: `Options
  --name NAME  this cluster alone
  -o json      as JSON: of one cluster with --name, else a list

Exit code: 0 when there is a cluster and all answer, 1 when not
`,
  options: {
    name: { type: 'string' },
    output: { type: 'string', short: 'o' },
  },
  async run(values, operands, { streams }) {
    if (operands.length > 0) throw new UsageError(`status: what is ${operands[0]}?`, '--name NAME')
    const asJson = choiceOption('output', values.output, ['json']) === 'json'
    const states = values.name === undefined ? knownClusters() : knownCluster(checkedName(values.name))
    const clusters = await Promise.all(states.map(look))
    const isUp = clusters.length > 0 && clusters.every(({ phase }) => phase === 'up')
    if (asJson) print(streams, values.name === undefined ? clusters : clusters[0])
    else show(clusters, streams)
    return isUp ? 0 : NOT_UP
  },
})

function knownCluster(name: string): ClusterState[] {
  const state = new ClusterFiles(name).read()
  if (state !== undefined) return [state]
  const others = knownClusters().map((other) => other.name)
  throw new UsageError(
    `no cluster ${name}`,
    others.length === 0 ? 'podwire up begins one' : `there are: ${others.join(', ')}`,
  )
}

async function look(state: ClusterState): Promise<Known> {
  const { name, pid, startedAt, serving } = state
  const known = {
    name,
    pid,
    startedAt,
    ...(serving !== undefined && withoutSecrets(serving)),
  }
  if (!isAlive(state)) return { ...known, phase: 'dead', problem: `process ${pid} ended without cleaning up` }
  if (serving === undefined) return { ...known, phase: 'starting' }
  try {
    return { ...known, phase: 'up', status: await askStatus(serving) }
  } catch (error) {
    return {
      ...known,
      phase: 'silent',
      problem: `process ${pid} does not answer: ${(error as Error).message}`,
    }
  }
}

function withoutSecrets({ ca: _ca, token: _token, ...rest }: Serving): Omit<Serving, 'ca' | 'token'> {
  return rest
}

function print(streams: Streams, value: unknown): void {
  streams.out(`${JSON.stringify(value, undefined, 2)}\n`)
}

function show(clusters: readonly Known[], streams: Streams): void {
  if (clusters.length === 0) return streams.out('no cluster is up; podwire up begins one\n')
  const [only] = clusters
  if (clusters.length === 1 && only?.status !== undefined) {
    const { name, server = '', kubeconfig = '', ...rest } = only
    streams.out(announcement(name, { server, kubeconfig, ...rest }))
    return streams.out(statusText(only.status, painter(streams.colors)))
  }
  for (const cluster of clusters) streams.out(`${lineOf(cluster)}\n`)
}

function lineOf({ name, phase, problem, server, status }: Known): string {
  if (status === undefined) return `${name}: ${problem ?? phase}`
  const ready = status.pods.filter((pod) => pod.ready).length
  const { nodes, pods, services, captureProblem } = status
  const counts = `${nodes.length} nodes, ${ready}/${pods.length} pods ready, ${services.length} services`
  return `${name}: ${server}, ${counts}${captureProblem === undefined ? '' : `; ${captureProblem}`}`
}
