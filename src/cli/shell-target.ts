// Whose shell is meant: `curl`, `pod/curl`, `node/k8s-node1`, looked up in a running cluster, and waited for while it is
// being created; and the list of those that there are.

import { setTimeout as wait } from 'node:timers/promises'
import type { Node, Pod } from '../cluster/objects.js'
import { ask, ClusterRefusal } from '../drivers/cluster-client.js'
import { TERMINALS_PATH } from '../http/streams/terminal-protocol.js'
import { knownNames } from '../scenario/nearest.js'
import { UsageError } from './arguments.js'
import type { Serving } from './cluster-files.js'

/** As long as `kubectl run -it` waits for its pod. */
const STARTING_MS = 60_000
/** Between two looks at a pod that is being created. */
const LOOK_MS = 50

export interface ShellTarget {
  /** As a person calls it: `pod curl`, `node k8s-node1`. */
  readonly title: string
  /** What leads here again: words behind `podwire shell`. */
  readonly words: readonly string[]
  /** Path of its terminals. */
  readonly path: string
  readonly container?: string
  /** The first of several containers was taken: what to tell. */
  readonly defaulted?: string
}

/** A pod or node to choose from. */
export interface ShellChoice {
  readonly operand: string
  readonly namespace?: string
  readonly about: string
}

export interface TargetOptions {
  readonly namespace: string
  readonly container: string | undefined
  /** Ends the waiting for a container that is being created. */
  readonly signal: AbortSignal
  /** Hears at once why it is waited. */
  readonly onWait: (why: string) => void
}

/**
 * Waits for a container that is being created. Throws UsageError: no such pod, container or node, or it does not run; rejects
 * with an AbortError when `signal` does.
 */
export async function shellTarget(
  serving: Serving,
  operand: string,
  options: TargetOptions,
): Promise<ShellTarget> {
  const [, kind = 'pod', name = ''] = /^(?:(pods?|po|nodes?|no)\/)?([^/]+)$/.exec(operand) ?? []
  if (name === '') throw new UsageError(`shell: ${operand}: neither a pod nor a node`, 'POD, or node/NAME')
  return /^no/.test(kind) ? await nodeTarget(serving, name, options) : await podTarget(serving, name, options)
}

async function nodeTarget(
  serving: Serving,
  name: string,
  { container }: TargetOptions,
): Promise<ShellTarget> {
  if (container !== undefined) throw new UsageError('shell: a node has no containers', 'without -c')
  const names = (await list<Node>(serving, '/api/v1/nodes')).map(({ metadata }) => metadata.name)
  if (!names.includes(name)) throw new UsageError(`no node ${name}`, knownNames(name, names))
  return { title: `node ${name}`, words: [`node/${name}`], path: `${TERMINALS_PATH}/nodes/${name}` }
}

async function podTarget(
  serving: Serving,
  name: string,
  { namespace, container, signal, onWait }: TargetOptions,
): Promise<ShellTarget> {
  const end = Date.now() + STARTING_MS
  let pod = await podNamed(serving, name, namespace)
  const names = pod.spec.containers.map((one) => one.name)
  const wanted =
    container ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? names[0]!
  const { initContainers = [], ephemeralContainers = [] } = pod.spec
  const others = [...initContainers, ...ephemeralContainers].map((one) => one.name)
  if (![...names, ...others].includes(wanted))
    throw new UsageError(`pod ${name} has no container ${wanted}`, knownNames(wanted, names))
  let state = containerState(pod, wanted)
  if (isBeingCreated(pod, state)) onWait(`pod ${name}: ${state}`)
  while (isBeingCreated(pod, state) && Date.now() < end) {
    await wait(LOOK_MS, undefined, { signal })
    pod = await podNamed(serving, name, namespace)
    state = containerState(pod, wanted)
  }
  if (state !== undefined)
    throw new UsageError(
      `pod ${name} is not running: ${state}`,
      `podwire status; kubectl describe pod ${name}`,
    )
  const elsewhere = namespace === 'default' ? [] : ['-n', namespace]
  const several = names.length > 1
  return {
    title: `pod ${name}`,
    words: [name, ...elsewhere, ...(several ? ['-c', wanted] : [])],
    path: `${TERMINALS_PATH}/pods/${namespace}/${name}`,
    container: wanted,
    ...(several && container === undefined && { defaulted: `container ${wanted} of: ${names.join(', ')}` }),
  }
}

async function podNamed(serving: Serving, name: string, namespace: string): Promise<Pod> {
  const pods = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
  try {
    return await ask<Pod>(serving, `${pods}/${encodeURIComponent(name)}`)
  } catch (error) {
    if (!(error instanceof ClusterRefusal) || error.code !== 404) throw error
    throw await noSuchPod(serving, name, namespace)
  }
}

async function noSuchPod(serving: Serving, name: string, namespace: string): Promise<UsageError> {
  const all = await list<Pod>(serving, '/api/v1/pods')
  const there = all.filter(({ metadata }) => metadata.namespace === namespace)
  const elsewhere = all.find(({ metadata }) => metadata.name === name)?.metadata.namespace
  const where = namespace === 'default' ? '' : ` in namespace ${namespace}`
  if (elsewhere !== undefined) return new UsageError(`no pod ${name}${where}`, `-n ${elsewhere}`)
  const names = there.map(({ metadata }) => metadata.name)
  return new UsageError(`no pod ${name}${where}`, names.length === 0 ? undefined : knownNames(name, names))
}

/** Why a container does not run; undefined when it does. */
function containerState({ status }: Pod, container: string): string | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {}
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses]
  const state = all.find(({ name }) => name === container)?.state
  if (state?.running !== undefined) return undefined
  const why = state?.waiting ?? state?.terminated
  return why?.reason ?? status?.phase ?? 'Pending'
}

/** Whether a container that is in `state` will soon run, as far as can be told: not one whose pod has no node to be on. */
function isBeingCreated({ status }: Pod, state: string | undefined): boolean {
  if (state === 'ContainerCreating' || state === 'PodInitializing') return true
  return (
    state === 'Pending' &&
    !status?.conditions?.some((one) => one.type === 'PodScheduled' && one.status === 'False')
  )
}

/** Pods that run, those of `namespace` alone when it is said, and then the nodes. */
export async function shellChoices(serving: Serving, namespace: string | undefined): Promise<ShellChoice[]> {
  const path =
    namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
  const [pods, nodes] = await Promise.all([list<Pod>(serving, path), list<Node>(serving, '/api/v1/nodes')])
  // People's own pods first.
  const ranked = [...pods].sort((a, b) => rank(a) - rank(b))
  return [
    ...ranked.filter(isRunning).map(({ metadata, spec, status }) => ({
      operand: metadata.name,
      namespace: metadata.namespace ?? 'default',
      about: [status?.podIP, spec.nodeName, spec.containers[0]?.image].join('  '),
    })),
    ...nodes.map(({ metadata }) => ({ operand: `node/${metadata.name}`, about: 'node' })),
  ]
}

function rank({ metadata: { namespace } }: Pod): number {
  return namespace === 'default' ? 0 : namespace === 'kube-system' ? 2 : 1
}

function isRunning({ status }: Pod): boolean {
  return status?.containerStatuses?.some(({ state }) => state.running !== undefined) ?? false
}

async function list<Kind>(serving: Serving, path: string): Promise<Kind[]> {
  return (await ask<{ items: Kind[] }>(serving, path)).items
}
