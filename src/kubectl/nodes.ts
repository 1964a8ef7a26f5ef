// kubectl cordon, uncordon and drain: nodes that are to take no more pods, and the pods that are to leave them.

import type { Node, Pod } from '../cluster/objects.js'
import { resourcePath, STRATEGIC_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError, usageError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { dryRunMode } from './output.js'
import { type Found, fetchTarget } from './targets.js'
import { waitForObject } from './waiting.js'

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
  const suffix = dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : ''
  await context.print(`node/${name} ${already ? 'already ' : ''}${what}ed${suffix}`)
}

/** Why a pod may not go, and what is said of one that may all the same. */
interface Verdict {
  readonly fatal?: string
  readonly warning?: string
  readonly stays?: boolean
}

export const drain: Command = async (context) => {
  const nodes = nodesOf(context, 'drain')
  for (const node of nodes) await mark(context, node, 'cordon')
  const failures: { readonly node: string; readonly why: string }[] = []
  for (const { object } of nodes) {
    const { name } = object.metadata
    const why = await drainNode(context, name)
    if (why === undefined) await context.print(`node/${name} drained`)
    else {
      failures.push({ node: name, why })
      await context.warn(`error: unable to drain node "${name}" due to error: ${why}, continuing command...`)
    }
  }
  if (failures.length === 0) return 0
  const pending = failures.map(({ node }) => ` ${node}`).join('\n')
  await context.warn(`There are pending nodes to be drained:\n${pending}`)
  throw new KubectlError(`error: ${failures.map(({ why }) => why).join(', ')}`)
}

/** Why the node could not be drained; undefined when it was. */
async function drainNode(context: CommandContext, node: string): Promise<string | undefined> {
  const { flags, client, mapper } = context
  const selector = flags.text('pod-selector')
  const query = { fieldSelector: `spec.nodeName=${node}`, ...(selector && { labelSelector: selector }) }
  const pods = client.list(mapper.find('pods'), undefined, query).items as Pod[]
  const leaving: Pod[] = []
  const fatal = new Map<string, string[]>()
  const warnings = new Map<string, string[]>()
  const note = (texts: Map<string, string[]>, text: string, pod: Pod) =>
    texts.set(text, [...(texts.get(text) ?? []), `${pod.metadata.namespace}/${pod.metadata.name}`])
  for (const pod of pods) {
    const verdict = verdictOf(context, pod)
    if (verdict.fatal !== undefined) note(fatal, verdict.fatal, pod)
    else if (verdict.warning !== undefined) note(warnings, verdict.warning, pod)
    if (verdict.fatal === undefined && !verdict.stays) leaving.push(pod)
  }
  if (fatal.size > 0) {
    const texts = [...fatal].map(([text, names]) => `cannot delete ${text}: ${names.join(', ')}`)
    return texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  }
  if (warnings.size > 0)
    await context.warn(
      `Warning: ${[...warnings].map(([text, names]) => `${text}: ${names.join(', ')}`).join('; ')}`,
    )
  for (const pod of leaving) await evict(context, pod)
  for (const pod of leaving) {
    const { namespace, name, uid } = pod.metadata
    const gone = (now: { metadata: { uid?: string } } | undefined) =>
      now === undefined || now.metadata.uid !== uid ? true : undefined
    const timeout = flags.duration('timeout') ?? 0
    if (dryRunMode(context) === 'none') {
      const waited = await waitForObject(context, { resource: mapper.find('pods'), namespace, name }, gone, {
        timeoutSeconds: timeout > 0 ? timeout : undefined,
      })
      if (waited.type === 'timeout') return `drain did not complete within ${timeout}s`
    }
    await context.print(`pod/${name} ${flags.bool('disable-eviction') ? 'deleted' : 'evicted'}`)
  }
  return undefined
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
      : { fatal: 'Pods that declare no controller (use --force to override)' }
  return local ? { warning: 'deleting Pods with local storage' } : {}
}

async function evict(context: CommandContext, pod: Pod): Promise<void> {
  const { flags, client, mapper } = context
  const { namespace, name } = pod.metadata
  const grace = flags.int('grace-period') ?? -1
  const dryRun = dryRunMode(context)
  const verb = flags.bool('disable-eviction') ? 'deleting' : 'evicting'
  await context.warn(`${verb} pod ${namespace}/${name}`)
  if (dryRun === 'client') return
  const options = {
    ...(grace >= 0 && { gracePeriodSeconds: grace }),
    ...(dryRun === 'server' && { dryRun: ['All'] }),
  }
  const resource = mapper.find('pods')
  if (flags.bool('disable-eviction')) return void client.delete(resource, namespace, name, options)
  if (namespace === undefined) throw clientError(`pod ${name} has no namespace`)
  client.send({
    method: 'POST',
    path: `${resourcePath(resource, namespace, name)}/eviction`,
    body: {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace },
      deleteOptions: options,
    },
  })
}
