// kubectl rollout status|restart|pause|resume|history|undo of Deployments, StatefulSets and DaemonSets.

import type { Deployment, KubeObject } from '../cluster/objects.js'
import { STRATEGIC_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { describeTemplate } from './describe/workloads.js'
import { DescriptionWriter } from './describe/writer.js'
import { clientError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { dryRunMode, nameOf, printResult } from './output.js'
import { revisionsOf } from './rollout-revisions.js'
import { ROLLOUT_KINDS, rolloutState } from './rollout-status.js'
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
export const ROLLOUT_PAUSE_FLAGS: FlagSpecs = TARGET_FLAGS
export const ROLLOUT_HISTORY_FLAGS: FlagSpecs = {
  ...TARGET_FLAGS,
  revision: Flag.int('', 'See the details of the revision'),
}
export const ROLLOUT_UNDO_FLAGS: FlagSpecs = {
  ...TARGET_FLAGS,
  'to-revision': Flag.int('', 'The revision to rollback to. Default to 0 (last revision)'),
}

async function workloadsOf(context: CommandContext, what: string): Promise<Found[]> {
  const { flags } = context
  if (flags.args.length === 0 && !flags.has('filename')) throw clientError('required resource not specified')
  const found = await findObjects(context, flags.args)
  const other = found.find(({ object }) => !ROLLOUT_KINDS.includes(object.kind))
  if (other !== undefined)
    throw clientError(
      `no ${what} has been implemented for ${other.object.kind}${other.resource.group ? `.${other.resource.group}` : ''}`,
    )
  return found
}

export const rolloutStatus: Command = async (context) => {
  const { flags } = context
  for (const { resource, namespace, object } of await workloadsOf(context, 'status viewer')) {
    const key = { resource, namespace, name: object.metadata.name }
    const messages: Promise<void>[] = []
    let told = ''
    const until = (now: KubeObject | undefined) => {
      if (now === undefined) throw clientError('object has been deleted')
      const { message, done } = rolloutState(now, flags.int('revision') ?? 0)
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
  const restartedAt = `${new Date(context.now).toISOString().slice(0, 19)}Z`
  const annotations = { 'kubectl.kubernetes.io/restartedAt': restartedAt }
  const body = { spec: { template: { metadata: { annotations } } } }
  for (const target of await workloadsOf(context, 'restarter')) {
    if ((target.object as Deployment).spec.paused) {
      throw clientError(`${qualifiedName(target)} can't restart paused deployment (run rollout resume first)`)
    }
    await change(context, target, { type: STRATEGIC_PATCH, body }, 'restarted')
  }
  return 0
}

export const rolloutPause: Command = (context) => setPaused(context, true)
export const rolloutResume: Command = (context) => setPaused(context, false)

async function setPaused(context: CommandContext, paused: boolean): Promise<number> {
  const [doing, done] = paused ? ['pausing', 'paused'] : ['resuming', 'resumed']
  for (const target of await workloadsOf(context, doing)) {
    const name = qualifiedName(target)
    if (target.object.kind !== 'Deployment') throw clientError(`${name} ${doing} is not supported`)
    const now = (target.object as Deployment).spec.paused === true
    if (now === paused) throw clientError(`${name} is ${paused ? 'already' : 'not'} paused`)
    const body = { spec: { paused: paused ? true : null } }
    await change(context, target, { type: STRATEGIC_PATCH, body }, done)
  }
  return 0
}

/** `deployments.apps "web"`. */
function qualifiedName({ resource, object }: Found): string {
  return `${resource.plural}.${resource.group} "${object.metadata.name}"`
}

async function change(
  context: CommandContext,
  { resource, namespace, object }: Found,
  patch: { readonly type: string; readonly body: unknown },
  done: string,
): Promise<void> {
  const dryRun = dryRunMode(context)
  const query = dryRun === 'server' ? { dryRun: 'All' } : {}
  const key = { namespace, name: object.metadata.name }
  const changed = dryRun === 'client' ? object : context.client.patch(resource, key, { ...patch, query })
  await printResult(context, changed, done)
}

export const rolloutHistory: Command = async (context) => {
  const wanted = context.flags.int('revision') ?? 0
  for (const { object } of await workloadsOf(context, 'history viewer')) {
    const revisions = revisionsOf(context, object)
    const name = nameOf(context, object)
    if (wanted > 0) {
      const found = revisions.find(({ number }) => number === wanted)
      if (found === undefined) throw clientError('unable to find the specified revision')
      const writer = new DescriptionWriter()
      describeTemplate(writer, found.template)
      await context.print(`${name} with revision #${wanted}\n${writer.unaligned}`)
      continue
    }
    const rows = revisions.map(({ number, cause }) => `${number}\t${cause ?? '<none>'}`)
    await context.print(`${name} `)
    await context.print(`${alignTabs(['REVISION\tCHANGE-CAUSE', ...rows].join('\n'), DESCRIPTION)}\n`)
  }
  return 0
}

export const rolloutUndo: Command = async (context) => {
  for (const target of await workloadsOf(context, 'rollbacker')) {
    const { object } = target
    const name = object.metadata.name
    if ((object as Deployment).spec.paused) {
      throw clientError(
        `you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again`,
      )
    }
    const revisions = revisionsOf(context, object)
    const wanted = context.flags.int('to-revision') ?? 0
    const found = wanted > 0 ? revisions.find(({ number }) => number === wanted) : revisions.at(-2)
    if (found === undefined) {
      throw clientError(
        wanted > 0
          ? `unable to find specified revision ${wanted} in history`
          : object.kind === 'Deployment'
            ? `no rollout history found for deployment "${name}"`
            : 'no last revision to roll back to',
      )
    }
    if (found === revisions.at(-1)) {
      await context.print(
        `${nameOf(context, object)} skipped rollback (current template already matches revision ${found.number})`,
      )
      continue
    }
    await change(context, target, found.patch, 'rolled back')
  }
  return 0
}
