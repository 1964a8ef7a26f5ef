// kubectl create -f; objects made from flags (`create deployment ...`) are generators.ts.

import type { KubeObject } from '../cluster/objects.js'
import type { Command, CommandContext } from './context.js'
import { clientError, ServerError, usageError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { withLastApplied } from './last-applied.js'
import { type Manifest, readManifests } from './manifests.js'
import { dryRunMode, printResult } from './output.js'

/** Flags of every command that writes objects. */
export const WRITE_FLAGS: FlagSpecs = {
  output: Flag.text('o', 'Output format. One of: (json, yaml, name, jsonpath)'),
  'dry-run': Flag.bare('unchanged', 'Must be "none", "server", or "client"'),
  'field-manager': Flag.text(),
  validate: Flag.bare('strict', 'Must be one of: strict (or true), warn, ignore (or false)'),
  'show-managed-fields': Flag.bool(),
}

export const CREATE_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  filename: Flag.list('f', 'Filename or directory to use to create the resource'),
  recursive: Flag.bool('R', 'Process the directory used in -f, --filename recursively'),
  'save-config': Flag.bool('', 'Save the configuration of the object in its annotation'),
  selector: Flag.text('l'),
}

/** fieldValidation of a request, from `--validate`. */
export function fieldValidation({ flags }: CommandContext): string {
  const value = flags.text('validate') ?? 'strict'
  if (value === 'strict' || value === 'true') return 'Strict'
  if (value === 'warn') return 'Warn'
  if (value === 'ignore' || value === 'false') return 'Ignore'
  throw clientError(
    `invalid - validate option "${value}"; must be one of: strict (or true), warn, ignore (or false)`,
  )
}

export const create: Command = async (context) => {
  const { args } = context.flags
  if (args.length > 0) throw usageError('create', `Unexpected args: [${args.join(' ')}]`)
  if (!context.flags.has('filename')) throw clientError('must specify one of -f and -k')
  const manifests = await readManifests(context, 'create')
  let failed = false
  for (const manifest of manifests) {
    try {
      await createManifest(context, manifest)
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      failed = true
      await context.warn(error.describe())
    }
  }
  return failed ? 1 : 0
}

async function createManifest(context: CommandContext, manifest: Manifest): Promise<void> {
  const { flags } = context
  const object = flags.bool('save-config') ? withLastApplied(manifest.object) : manifest.object
  if (dryRunMode(context) === 'client') return printResult(context, object, 'created')
  const failing = `error when creating "${manifest.source}"`
  const created = await sendCreate(context, { ...manifest, object }, 'kubectl-create', failing)
  await printResult(context, created, 'created')
}

/** POSTs the object; a refusal says what was being done. */
export async function sendCreate(
  context: CommandContext,
  { resource, namespace, object }: Pick<Manifest, 'resource' | 'namespace' | 'object'>,
  fieldManager: string,
  failing?: string,
): Promise<KubeObject> {
  const query = {
    fieldManager: context.flags.text('field-manager') ?? fieldManager,
    fieldValidation: fieldValidation(context),
    ...(dryRunMode(context) === 'server' && { dryRun: 'All' }),
  }
  try {
    return context.client.create(resource, namespace, object, query)
  } catch (error) {
    if (error instanceof ServerError && failing !== undefined) throw new ServerError(error.status, failing)
    throw error
  }
}
