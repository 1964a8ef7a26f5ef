// kubectl cordon, uncordon and drain: nodes that are to take no more pods, and the pods that are to leave them.

import { MILLISECOND, SECOND } from '../base/time.js'
import type { KubeObject, Node, Pod } from '../cluster/objects.js'
import { resourcePath, STRATEGIC_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { KubectlError, ServerError, usageError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { dryRunMode } from './output.js'
import { type Found, fetchTarget } from './targets.js'
import { waitForObject } from './waiting.js'

/** How long drain waits before it asks again. */
const RETRY = 5 * SECOND

export const CORDON_FLAGS: FlagSpecs = {
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  'dry-run': Flag.bare('unchanged'),
}

export const DRAIN_FLAGS: FlagSpecs = {
  ...CORDON_FLAGS,
  'ignore-daemonsets': Flag.bool('', 'Ignore DaemonSet-managed pods'),
  'delete-emptydir-data': Flag.bool('', 'Continue even if there are pods using emptyDir'),
  'delete-local-data': Flag.bool(),
  force: Flag.bool('', 'Continue even if there are pods that do not declare a controller'),
  'grace-period': Flag.int('', 'Period of time in seconds given to each pod to terminate gracefully'),
  timeout: Flag.duration('', 'The length of time to wait before giving up, zero means infinite'),
  'pod-selector': Flag.text('', 'Label selector to filter pods on the node'),
  'disable-eviction': Flag.bool('', 'Force drain to use delete, even if eviction is supported'),
}

export const cordon: Command = (context) => setSchedulable(context, 'cordon')
export const uncordon: Command = (context) => setSchedulable(context, 'uncordon')

async function setSchedulable(context: CommandContext, what: 'cordon' | 'uncordon'): Promise<number> {
  for (const target of nodesOf(context, what)) await mark(context, target, what)
  return 0
}

function nodesOf(context: CommandContext, command: string): Found[] {
  const { flags, mapper } = context
  const resource = mapper.find('nodes')
  const names = flags.args.map((arg) => arg.replace(/^(?:no|nodes?)\//, ''))
  if (names.length === 0 && !flags.text('selector')) {
    throw usageError(command, `USAGE: ${command} NODE [flags]`)
  }
  const targets = names.length === 0 ? [undefined] : names
  return targets.flatMap((name) => fetchTarget(context, { resource, name, namespace: undefined }))
}

async function mark(context: CommandContext, { resource, object }: Found, what: string): Promise<void> {
  const { name } = object.metadata
  const wanted = what === 'cordon'
  const already = ((object as Node).spec.unschedulable === true) === wanted
  const dryRun = dryRunMode(context)
  if (!already && dryRun !== 'client') {
    const body = { spec: { unschedulable: wanted ? true : null } }
    const query = dryRun === 'server' ? { dryRun: 'All' } : {}
    context.client.patch(resource, { namespace: undefined, name }, { type: STRATEGIC_PATCH, body, query })
  }
  await context.print(`node/${name} ${already ? 'already ' : ''}${what}ed${dryRunSuffix(context)}`)
}

function dryRunSuffix(context: CommandContext): string {
  const dryRun = dryRunMode(context)
  return dryRun === 'none' ? '' : dryRun === 'client' ? ' (dry run)' : ' (server dry run)'
}

/** Why a pod may not go, and what is said of one that may all the same. */
interface Verdict {
  readonly fatal?: string
  readonly warning?: string
  readonly stays?: boolean
}

export const drain: Command = async (context) => {
  const nodes = nodesOf(context, 'drain')
  const suffix = dryRunSuffix(context)
  for (const node of nodes) await mark(context, node, 'cordon')
  const failures: { readonly node: string; readonly reasons: readonly string[] }[] = []
  for (const { object } of nodes) {
    const { name } = object.metadata
    const reasons = await drainNode(context, name)
    if (reasons.length === 0) {
      await context.print(`node/${name} drained${suffix}`)
      continue
    }
    failures.push({ node: name, reasons })
    const why = reasons.length === 1 ? reasons[0] : `[${reasons.join(', ')}]`
    await context.warn(`error: unable to drain node "${name}" due to error: ${why}, continuing command...`)
  }
  if (failures.length === 0) return 0
  const pending = failures.map(({ node }) => ` ${node}`).join('\n')
  await context.warn(`There are pending nodes to be drained:\n${pending}`)
  throw new KubectlError(failures.flatMap(({ reasons }) => reasons).join('\n'))
}

/** Why the node could not be drained; nothing when it was. */
async function drainNode(context: CommandContext, node: string): Promise<readonly string[]> {
  const { flags, client, mapper } = context
  const selector = flags.text('pod-selector')
  const query = { fieldSelector: `spec.nodeName=${node}`, ...(selector && { labelSelector: selector }) }
  const pods = client.list(mapper.find('pods'), undefined, query).items as Pod[]
  const verdicts = pods.map((pod) => ({ pod, ...verdictOf(context, pod) }))
  const texts = (of: 'fatal' | 'warning') => {
    const names = new Map<string, string[]>()
    for (const { pod, [of]: text } of verdicts)
      if (text)
        names.set(text, [...(names.get(text) ?? []), `${pod.metadata.namespace}/${pod.metadata.name}`])
    return [...names].map(([text, list]) => `${text}: ${list.join(', ')}`)
  }
  const fatal = texts('fatal')
  if (fatal.length > 0) return fatal.map((text) => `cannot delete ${text}`)
  const warnings = texts('warning')
  if (warnings.length > 0) await context.warn(`Warning: ${warnings.join('; ')}`)
  const leaving = verdicts.filter(({ stays }) => !stays).map(({ pod }) => pod)
  const timeout = flags.duration('timeout') ?? 0
  const deadline = timeout > 0 ? context.now + timeout * 1000 : Number.POSITIVE_INFINITY
  for (const pod of leaving)
    if (!(await evict(context, pod, deadline)))
      return [
        `error when evicting pods/"${pod.metadata.name}" -n "${pod.metadata.namespace}": global timeout reached: ${flags.text('timeout')}`,
      ]
  if (dryRunMode(context) !== 'none') return []
  for (const pod of leaving) {
    const { namespace, name, uid } = pod.metadata
    const gone = (now: KubeObject | undefined) => (now?.metadata.uid === uid ? undefined : true)
    const key = { resource: mapper.find('pods'), namespace, name }
    const options = { timeoutSeconds: timeout > 0 ? timeout : undefined }
    const waited = await waitForObject(context, key, gone, options)
    if (waited.type === 'timeout')
      return [
        `error when waiting for pod "${name}" in namespace "${namespace}" to terminate: global timeout reached: ${flags.text('timeout')}`,
      ]
    await context.print(`pod/${name} ${flags.bool('disable-eviction') ? 'deleted' : 'evicted'}`)
  }
  return []
}

function verdictOf({ flags }: CommandContext, pod: Pod): Verdict {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  if (owner?.kind === 'DaemonSet' && !ended)
    return flags.bool('ignore-daemonsets')
      ? { warning: 'ignoring DaemonSet-managed Pods', stays: true }
      : { fatal: 'DaemonSet-managed Pods (use --ignore-daemonsets to ignore)' }
  if (ended) return {}
  const local = (pod.spec.volumes ?? []).some(({ emptyDir }) => emptyDir !== undefined)
  if (local && !flags.bool('delete-emptydir-data') && !flags.bool('delete-local-data'))
    return { fatal: 'Pods with local storage (use --delete-emptydir-data to override)' }
  if (owner === undefined)
    return flags.bool('force')
      ? { warning: 'deleting Pods that declare no controller' }
      : { fatal: 'cannot delete Pods that declare no controller (use --force to override)' }
  return local ? { warning: 'deleting Pods with local storage' } : {}
}

/** False when a disruption budget did not allow it before `deadline`. Unlike kubectl's, one pod after the other. */
async function evict(context: CommandContext, pod: Pod, deadline: number): Promise<boolean> {
  const { flags, client, mapper } = context
  const { namespace, name } = pod.metadata
  const grace = flags.int('grace-period') ?? -1
  const dryRun = dryRunMode(context)
  const verb = flags.bool('disable-eviction') ? 'deleting' : 'evicting'
  await context.print(`${verb} pod ${namespace}/${name}${dryRunSuffix(context)}`)
  if (dryRun === 'client') return true
  const options = {
    ...(grace >= 0 && { gracePeriodSeconds: grace }),
    ...(dryRun === 'server' && { dryRun: ['All'] }),
  }
  const resource = mapper.find('pods')
  if (flags.bool('disable-eviction')) {
    client.delete(resource, namespace, name, options)
    return true
  }
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
  const path = `${resourcePath(resource, namespace, name)}/eviction`
  while (true) {
    try {
      client.send({ method: 'POST', path, body: { ...eviction, deleteOptions: options } })
      return true
    } catch (error) {
      if (!(error instanceof ServerError) || error.reason !== 'TooManyRequests') throw error
      if (context.now + RETRY / MILLISECOND > deadline) return false
      const which = `pods/"${name}" -n "${namespace}"`
      await context.warn(`error when evicting ${which} (will retry after 5s): ${error.message}`)
      await context.process.system.clock.sleep(RETRY, context.signal)
    }
  }
}
