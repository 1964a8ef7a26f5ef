// kubectl rollout status|restart|history|undo of deployments.

import type { Deployment, KubeObject, ReplicaSet } from '../cluster/objects.js'
import { JSON_PATCH, STRATEGIC_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { nameOf, printResult } from './output.js'
import { alignTabs, DESCRIPTION } from './tab-writer.js'
import { type Found, findObjects } from './targets.js'
import { waitForObject } from './waiting.js'

const TARGET_FLAGS: FlagSpecs = {
  filename: Flag.list('f', 'Filename or directory identifying the resource'),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  recursive: Flag.bool('R'),
  output: Flag.text('o'),
  'dry-run': Flag.bare('unchanged'),
}

export const ROLLOUT_STATUS_FLAGS: FlagSpecs = {
  ...TARGET_FLAGS,
  watch: Flag.bool('w', 'Watch the status of the rollout until it is done (default true)'),
  timeout: Flag.duration('', 'The length of time to wait before ending watch, zero means never'),
  revision: Flag.int('', 'Pin to a specific revision for showing its status'),
}
export const ROLLOUT_RESTART_FLAGS: FlagSpecs = TARGET_FLAGS
export const ROLLOUT_HISTORY_FLAGS: FlagSpecs = {
  ...TARGET_FLAGS,
  revision: Flag.int('', 'See the details of the revision'),
}
export const ROLLOUT_UNDO_FLAGS: FlagSpecs = {
  ...TARGET_FLAGS,
  'to-revision': Flag.int('', 'The revision to rollback to. Default to 0 (last revision)'),
}

const REVISION = 'deployment.kubernetes.io/revision'
const CHANGE_CAUSE = 'kubernetes.io/change-cause'

async function deploymentsOf(context: CommandContext): Promise<Found[]> {
  const { flags } = context
  if (flags.args.length === 0 && !flags.has('filename')) throw clientError('required resource not specified')
  const found = await findObjects(context, flags.args)
  const other = found.find(({ object }) => object.kind !== 'Deployment')
  if (other !== undefined) {
    throw clientError(`no rollout is implemented for ${other.resource.plural}`)
  }
  return found
}

interface RolloutState {
  readonly message: string
  readonly done: boolean
}

/** What `rollout status` says of a deployment. Fails when its progress deadline has passed. */
export function rolloutState(deployment: Deployment, revision = 0): RolloutState {
  const { metadata, spec, status = {} } = deployment
  const name = metadata.name
  const waiting = (why: string) => ({
    message: `Waiting for deployment "${name}" rollout to finish: ${why}...`,
    done: false,
  })
  const current = Number(metadata.annotations?.[REVISION] ?? 0)
  if (revision > 0 && current !== revision) {
    throw clientError(`desired revision (${revision}) is different from the running revision (${current})`)
  }
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    return { message: 'Waiting for deployment spec update to be observed...', done: false }
  }
  const progressing = status.conditions?.find(({ type }) => type === 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    throw clientError(`deployment "${name}" exceeded its progress deadline`)
  }
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status
  if (spec.replicas !== undefined && updatedReplicas < spec.replicas) {
    return waiting(`${updatedReplicas} out of ${spec.replicas} new replicas have been updated`)
  }
  if (replicas > updatedReplicas) {
    return waiting(`${replicas - updatedReplicas} old replicas are pending termination`)
  }
  if (availableReplicas < updatedReplicas) {
    return waiting(`${availableReplicas} of ${updatedReplicas} updated replicas are available`)
  }
  return { message: `deployment "${name}" successfully rolled out`, done: true }
}

export const rolloutStatus: Command = async (context) => {
  const { flags } = context
  for (const { resource, namespace, object } of await deploymentsOf(context)) {
    const key = { resource, namespace, name: object.metadata.name }
    const messages: Promise<void>[] = []
    let told = ''
    const until = (now: KubeObject | undefined) => {
      if (now === undefined) throw clientError('object has been deleted')
      const { message, done } = rolloutState(now as Deployment, flags.int('revision'))
      if (message !== told) messages.push(context.print(message))
      told = message
      return done || !flags.bool('watch', true) ? true : undefined
    }
    const timeout = flags.duration('timeout') ?? 0
    const waited = await waitForObject(context, key, until, {
      timeoutSeconds: timeout > 0 ? timeout : undefined,
    })
    await Promise.all(messages)
    if (waited.type === 'timeout') throw clientError('timed out waiting for the condition')
  }
  return 0
}

export const rolloutRestart: Command = async (context) => {
  for (const { resource, namespace, object } of await deploymentsOf(context)) {
    if ((object as Deployment).spec.paused) {
      throw clientError(
        `can't restart paused deployment (run rollout resume first): deployments.apps "${object.metadata.name}"`,
      )
    }
    const restartedAt = `${new Date(context.now).toISOString().slice(0, 19)}Z`
    const annotations = { 'kubectl.kubernetes.io/restartedAt': restartedAt }
    const body = { spec: { template: { metadata: { annotations } } } }
    const key = { namespace, name: object.metadata.name }
    const changed = context.client.patch(resource, key, { type: STRATEGIC_PATCH, body })
    await printResult(context, changed, 'restarted')
  }
  return 0
}

/** The replica sets of a deployment by revision, oldest first. */
function revisionsOf(
  context: CommandContext,
  deployment: KubeObject,
): { revision: number; set: ReplicaSet }[] {
  const { namespace, uid } = deployment.metadata
  const sets = context.client.list(context.mapper.find('replicasets'), namespace).items as ReplicaSet[]
  return sets
    .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
    .map((set) => ({ revision: Number(set.metadata.annotations?.[REVISION] ?? 0), set }))
    .sort((a, b) => a.revision - b.revision)
}

export const rolloutHistory: Command = async (context) => {
  const wanted = context.flags.int('revision') ?? 0
  for (const { object } of await deploymentsOf(context)) {
    const revisions = revisionsOf(context, object)
    const name = nameOf(context, object)
    if (wanted > 0) {
      const found = revisions.find(({ revision }) => revision === wanted)
      if (found === undefined) throw clientError(`unable to find the specified revision`)
      const images = found.set.spec.template.spec.containers.map(
        ({ name, image }) => `   ${name}:\n    Image:\t${image}`,
      )
      await context.print(
        alignTabs(
          `${name} with revision #${wanted}\nPod Template:\n  Containers:\n${images.join('\n')}`,
          DESCRIPTION,
        ),
      )
      continue
    }
    const rows = revisions.map(
      ({ revision, set }) => `${revision}\t${set.metadata.annotations?.[CHANGE_CAUSE] ?? '<none>'}`,
    )
    await context.print(`${name} `)
    await context.print(`${alignTabs(['REVISION\tCHANGE-CAUSE', ...rows].join('\n'), DESCRIPTION)}\n`)
  }
  return 0
}

export const rolloutUndo: Command = async (context) => {
  for (const { resource, namespace, object } of await deploymentsOf(context)) {
    const name = object.metadata.name
    const revisions = revisionsOf(context, object)
    const wanted = context.flags.int('to-revision') ?? 0
    const target = wanted > 0 ? revisions.find(({ revision }) => revision === wanted) : revisions.at(-2)
    if (target === undefined) {
      throw clientError(
        wanted > 0
          ? `unable to find specified revision ${wanted} in history`
          : `no rollout history found for deployment "${name}"`,
      )
    }
    if (target === revisions.at(-1)) {
      throw new KubectlError(
        `${nameOf(context, object)} skipped rollback (current template already matches revision ${target.revision})`,
        0,
      )
    }
    const template = structuredClone(target.set.spec.template)
    delete template.metadata?.labels?.['pod-template-hash']
    const body = [{ op: 'replace', path: '/spec/template', value: template }]
    const changed = context.client.patch(resource, { namespace, name }, { type: JSON_PATCH, body })
    await printResult(context, changed, 'rolled back')
  }
  return 0
}
