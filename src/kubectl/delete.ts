// kubectl delete.

import type { KubeObject } from '../cluster/objects.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError, ServerError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { readManifests } from './manifests.js'
import { dryRunMode, outputFormat } from './output.js'
import { objectName, typeName } from './resources.js'
import { type Found, fetchTarget, MISSING_RESOURCE, parseTargets } from './targets.js'
import { waitForObject } from './waiting.js'

export const DELETE_FLAGS: FlagSpecs = {
  filename: Flag.list('f', 'Filename or directory containing the resource to delete'),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  'field-selector': Flag.text('', 'Selector (field query) to filter on'),
  'all-namespaces': Flag.bool('A'),
  all: Flag.bool('', 'Delete all resources, in the namespace of the specified resource types'),
  'grace-period': Flag.int('', 'Period of time in seconds given to the resource to terminate gracefully'),
  force: Flag.bool('', 'Immediately remove resources from API and bypass graceful deletion'),
  now: Flag.bool('', 'Resources are signaled for immediate shutdown (same as --grace-period=1)'),
  wait: Flag.bool('', 'Wait for resources to be gone before returning (default true)'),
  timeout: Flag.duration('', 'The length of time to wait before giving up on a delete'),
  cascade: Flag.bare('background', 'Must be "background", "orphan", or "foreground"'),
  'ignore-not-found': Flag.bool('', 'Treat "resource not found" as a successful delete'),
  output: Flag.text('o', 'Use "-o name" for shorter output (resource/name)'),
  'dry-run': Flag.bare('unchanged'),
  recursive: Flag.bool('R'),
}

export const remove: Command = async (context) => {
  const grace = gracePeriod(context)
  const { found, failures } = await findDoomed(context)
  if (context.flags.bool('force') && grace === 0) {
    await context.warn(
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.',
    )
  }
  const deleted: Found[] = []
  for (const target of found) {
    try {
      await deleteOne(context, target, grace)
      deleted.push(target)
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      failures.push(error)
    }
  }
  for (const failure of failures) await context.warn(failure.describe())
  if (found.length === 0 && failures.length === 0) await context.print('No resources found')
  const waits = context.flags.bool('wait', true) && dryRunMode(context) === 'none'
  if (waits) await waitUntilGone(context, deleted)
  return failures.length === 0 ? 0 : 1
}

/** Undefined leaves it to the object. */
function gracePeriod({ flags }: CommandContext): number | undefined {
  const given = flags.int('grace-period') ?? -1
  if (flags.bool('now')) {
    if (given !== -1) throw clientError('--now and --grace-period cannot be specified together')
    return 1
  }
  if (given === 0 && !flags.bool('force')) return 1
  if (flags.bool('force') && given > 0) {
    throw clientError('--force and --grace-period greater than 0 cannot be specified together')
  }
  if (flags.bool('force')) return 0
  return given < 0 ? undefined : given
}

async function findDoomed(context: CommandContext): Promise<{ found: Found[]; failures: ServerError[] }> {
  const { flags, client } = context
  const found: Found[] = []
  const failures: ServerError[] = []
  const ignoring = flags.bool('ignore-not-found', flags.bool('all'))
  const collect = (find: () => Found[]) => {
    try {
      found.push(...find())
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      if (error.reason !== 'NotFound' || !ignoring) failures.push(error)
    }
  }
  if (flags.has('filename')) {
    for (const { resource, namespace, object, source } of await readManifests(context, 'delete')) {
      collect(() => {
        try {
          return [{ resource, namespace, object: client.get(resource, namespace, object.metadata.name) }]
        } catch (error) {
          if (!(error instanceof ServerError)) throw error
          throw new ServerError(error.status, `error when deleting "${source}"`)
        }
      })
    }
    return { found, failures }
  }
  if (flags.args.length === 0) throw new KubectlError(MISSING_RESOURCE)
  if (flags.bool('all') && flags.text('selector')) {
    throw clientError("setting 'all' parameter but found a non empty selector. ")
  }
  const targets = parseTargets(context, flags.args)
  const bounded = flags.bool('all') || flags.text('selector') || flags.text('field-selector')
  for (const target of targets) {
    if (target.name === undefined && !bounded) {
      throw clientError('resource(s) were provided, but no name was specified')
    }
    if (target.name !== undefined && flags.bool('all')) {
      throw clientError('name cannot be provided when a selector is specified')
    }
    collect(() => fetchTarget(context, target))
  }
  return { found, failures }
}

async function deleteOne(context: CommandContext, target: Found, grace: number | undefined): Promise<void> {
  const { flags, client } = context
  const { resource, namespace, object } = target
  const name = object.metadata.name
  const dryRun = dryRunMode(context)
  if (dryRun !== 'client') {
    const cascade = flags.text('cascade') ?? 'background'
    client.delete(resource, namespace, name, {
      propagationPolicy: cascade.charAt(0).toUpperCase() + cascade.slice(1),
      ...(grace !== undefined && { gracePeriodSeconds: grace }),
      ...(dryRun === 'server' && { dryRun: ['All'] }),
    })
  }
  if (outputFormat(context).type === 'name') return context.print(objectName(resource, name))
  const forced = grace === 0 ? 'force deleted' : 'deleted'
  const suffix = dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : ''
  await context.print(`${typeName(resource)} "${name}" ${forced}${suffix}`)
}

/** An object of the same name with another uid is a new one: the old one is gone. */
async function waitUntilGone(context: CommandContext, deleted: readonly Found[]): Promise<void> {
  const timeout = context.flags.duration('timeout') ?? 0
  for (const { resource, namespace, object } of deleted) {
    const key = { resource, namespace, name: object.metadata.name }
    const gone = (now: KubeObject | undefined) =>
      now === undefined || now.metadata.uid !== object.metadata.uid ? true : undefined
    const waited = await waitForObject(context, key, gone, {
      timeoutSeconds: timeout > 0 ? timeout : undefined,
    })
    if (waited.type === 'timeout') {
      throw clientError(`timed out waiting for the condition on ${resource.plural}/${key.name}`)
    }
  }
}
