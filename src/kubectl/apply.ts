// kubectl apply -f, client-side: created, configured or unchanged by a three-way patch.

import type { JsonMap } from '../api/patch/json.js'
import { mergeRulesOf } from '../api/patch/merge-keys.js'
import { STRATEGIC_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { CREATE_FLAGS, fieldValidation, sendCreate } from './create.js'
import { clientError, ServerError, usageError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { goJson } from './go-json.js'
import { LAST_APPLIED, lastApplied, withLastApplied } from './last-applied.js'
import { type Manifest, readManifests } from './manifests.js'
import { dryRunMode, printResult } from './output.js'
import { threeWayPatch } from './three-way-patch.js'

export const APPLY_FLAGS: FlagSpecs = {
  ...CREATE_FLAGS,
  overwrite: Flag.bool(),
  force: Flag.bool(),
  wait: Flag.bool(),
  'grace-period': Flag.int(),
  timeout: Flag.duration(),
  'server-side': Flag.bool(),
}

export const apply: Command = async (context) => {
  const { flags } = context
  if (!flags.has('filename')) throw clientError('must specify one of -f and -k')
  if (flags.args.length > 0) throw usageError('apply', `Unexpected args: [${flags.args.join(' ')}]`)
  if (flags.bool('server-side')) throw clientError('--server-side is not supported by the built-in kubectl')
  let failed = false
  for (const manifest of await readManifests(context, 'apply')) {
    try {
      await applyManifest(context, manifest)
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      failed = true
      await context.warn(error.describe())
    }
  }
  return failed ? 1 : 0
}

async function applyManifest(context: CommandContext, manifest: Manifest): Promise<void> {
  const { client } = context
  const { resource, namespace, source } = manifest
  const wanted = withLastApplied(manifest.object)
  const name = wanted.metadata.name
  if (!name)
    throw clientError(`from ${wanted.metadata.generateName ?? ''}: cannot use generate name with apply`)
  const live = client.find(resource, namespace, name)
  if (live === undefined) {
    if (dryRunMode(context) === 'client') return printResult(context, wanted, 'created')
    const failing = `error when creating "${source}"`
    const created = await sendCreate(
      context,
      { ...manifest, object: wanted },
      'kubectl-client-side-apply',
      failing,
    )
    return printResult(context, created, 'created')
  }
  if (live.metadata.annotations?.[LAST_APPLIED] === undefined) {
    await context.warn(
      `Warning: resource ${resource.plural}/${name} is missing the ${LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.`,
    )
  }
  const patch = threeWayPatch(
    lastApplied(live) as unknown as JsonMap | undefined,
    wanted as unknown as JsonMap,
    live as unknown as JsonMap,
    mergeRulesOf(resource.kind),
  )
  if (Object.keys(patch).length === 0) return printResult(context, live, 'unchanged')
  if (dryRunMode(context) === 'client') return printResult(context, wanted, 'configured')
  const query = {
    fieldManager: 'kubectl-client-side-apply',
    fieldValidation: fieldValidation(context),
    ...(dryRunMode(context) === 'server' && { dryRun: 'All' }),
  }
  try {
    const changed = client.patch(resource, { namespace, name }, { type: STRATEGIC_PATCH, body: patch, query })
    const same = changed.metadata.resourceVersion === live.metadata.resourceVersion
    await printResult(context, changed, same ? 'unchanged' : 'configured')
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    const subject = `${resource.apiVersion}, Resource=${resource.plural}`
    throw new ServerError(
      error.status,
      `error when applying patch:\n${goJson(patch)}\nto:\nResource: "${subject}", GroupVersionKind: "${resource.apiVersion}, Kind=${resource.kind}"\nName: "${name}", Namespace: "${namespace ?? ''}"\nfor: "${source}": error when patching "${source}"`,
    )
  }
}
