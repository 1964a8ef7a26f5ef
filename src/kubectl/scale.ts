// kubectl scale.

import type { KubeObject } from '../cluster/objects.js'
import { MERGE_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { dryRunMode, printResult } from './output.js'
import { type Found, findObjects, MISSING_RESOURCE } from './targets.js'
import { waitForObject } from './waiting.js'

export const SCALE_FLAGS: FlagSpecs = {
  replicas: Flag.int('', 'The new desired number of replicas. Required'),
  'current-replicas': Flag.int('', 'Precondition for current size'),
  'resource-version': Flag.text('', 'Precondition for resource version'),
  all: Flag.bool('', 'Select all resources in the namespace of the specified resource types'),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  filename: Flag.list('f', 'Filename or directory identifying the resource to set a new size'),
  timeout: Flag.duration('', 'The length of time to wait before giving up on a scale operation'),
  output: Flag.text('o'),
  'dry-run': Flag.bare('unchanged'),
  recursive: Flag.bool('R'),
}

export const scale: Command = async (context) => {
  const { flags } = context
  const replicas = flags.int('replicas')
  if (replicas === undefined) throw clientError('required flag(s) "replicas" not set')
  if (replicas < 0)
    throw clientError(`The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0`)
  if (flags.args.length === 0 && !flags.has('filename')) throw new KubectlError(MISSING_RESOURCE)
  const found = await findObjects(context, flags.args)
  if (found.length === 0) throw clientError('no objects passed to scale')
  for (const target of found) await scaleOne(context, target, replicas)
  return 0
}

async function scaleOne(context: CommandContext, target: Found, replicas: number): Promise<void> {
  const { resource, namespace, object } = target
  const name = object.metadata.name
  const current = (object['spec'] as { replicas?: number } | undefined)?.replicas ?? 0
  const expected = context.flags.int('current-replicas') ?? -1
  if (expected >= 0 && expected !== current) {
    throw clientError(`Expected replicas to be ${expected}, was ${current}`)
  }
  const version = context.flags.text('resource-version')
  const body = { spec: { replicas }, ...(version && { metadata: { resourceVersion: version } }) }
  const dryRun = dryRunMode(context)
  if (dryRun !== 'client') {
    context.client.patch(
      resource,
      { namespace, name, subresource: 'scale' },
      { type: MERGE_PATCH, body, query: dryRun === 'server' ? { dryRun: 'All' } : {} },
    )
  }
  const timeoutSeconds = context.flags.duration('timeout') ?? 0
  if (timeoutSeconds > 0 && dryRun === 'none') {
    const reached = (now: KubeObject | undefined) =>
      (now?.['status'] as { replicas?: number } | undefined)?.replicas === replicas ? true : undefined
    const waited = await waitForObject(context, { resource, namespace, name }, reached, { timeoutSeconds })
    if (waited.type === 'timeout') throw clientError('timed out waiting for the condition')
  }
  await printResult(context, object, 'scaled')
}
