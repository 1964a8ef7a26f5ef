// kubectl label, annotate, patch and set image: small changes of objects that are there.

import { parse } from 'yaml'
import type { Container, Deployment, KubeObject, Pod } from '../cluster/objects.js'
import { JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { readTextFile } from './manifests.js'
import { dryRunMode, printResult } from './output.js'
import { type Found, findObjects } from './targets.js'

const CHANGE_FLAGS: FlagSpecs = {
  all: Flag.bool('', 'Select all resources, in the namespace of the specified resource types'),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  'field-selector': Flag.text('', 'Selector (field query) to filter on'),
  'all-namespaces': Flag.bool('A'),
  filename: Flag.list('f', 'Filename or directory identifying the resource to update'),
  output: Flag.text('o'),
  'dry-run': Flag.bare('unchanged'),
  'field-manager': Flag.text(),
  recursive: Flag.bool('R'),
}

export const LABEL_FLAGS: FlagSpecs = {
  ...CHANGE_FLAGS,
  overwrite: Flag.bool('', 'Allow labels to be overwritten'),
  list: Flag.bool('', 'Display the labels for a given resource'),
  'resource-version': Flag.text(),
}

export const PATCH_FLAGS: FlagSpecs = {
  ...CHANGE_FLAGS,
  patch: Flag.text('p', 'The patch to be applied to the resource JSON file'),
  'patch-file': Flag.text('', 'A file containing a patch to be applied to the resource'),
  type: Flag.text('', 'The type of patch being provided; one of [json merge strategic]'),
  subresource: Flag.text('', 'Patch the subresource of the object'),
}

export const SET_IMAGE_FLAGS: FlagSpecs = CHANGE_FLAGS

interface MetadataKind {
  readonly field: 'labels' | 'annotations'
  readonly noun: string
  readonly done: string
}

export const label: Command = (context) =>
  changeMetadata(context, { field: 'labels', noun: 'label', done: 'labeled' })

export const annotate: Command = (context) =>
  changeMetadata(context, { field: 'annotations', noun: 'annotation', done: 'annotated' })

/** `key=value` sets, `key-` removes; everything before the first of them names objects. */
async function changeMetadata(context: CommandContext, kind: MetadataKind): Promise<number> {
  const { flags } = context
  const isChange = (word: string) => /^[^=]+=/.test(word) || /[^-]-$/.test(word)
  const at = flags.args.findIndex(isChange)
  const args = at < 0 ? flags.args : flags.args.slice(0, at)
  const changes = at < 0 ? [] : flags.args.slice(at)
  if (args.length === 0 && !flags.has('filename')) {
    throw clientError('one or more resources must be specified as <resource> <name> or <resource>/<name>')
  }
  if (changes.length === 0 && !flags.bool('list')) {
    throw clientError(`at least one ${kind.noun} update is required`)
  }
  const found = await findObjects(context, args)
  for (const target of found) {
    if (flags.bool('list')) {
      const values = target.object.metadata[kind.field] ?? {}
      for (const key of Object.keys(values).sort()) await context.print(`${key}=${values[key]}`)
    } else {
      await changeOne(context, target, changes, kind)
    }
  }
  return 0
}

async function changeOne(
  context: CommandContext,
  target: Found,
  changes: readonly string[],
  kind: MetadataKind,
): Promise<void> {
  const current = target.object.metadata[kind.field] ?? {}
  const patch: Record<string, string | null> = {}
  for (const change of changes) {
    if (change.endsWith('-') && !change.includes('=')) {
      const key = change.slice(0, -1)
      if (Object.hasOwn(current, key)) patch[key] = null
      else await context.print(`${kind.noun} "${key}" not found.`)
      continue
    }
    const equals = change.indexOf('=')
    const key = change.slice(0, equals)
    const value = change.slice(equals + 1)
    if (current[key] !== undefined && current[key] !== value && !context.flags.bool('overwrite')) {
      throw clientError(`'${key}' already has a value (${current[key]}), and --overwrite is false`)
    }
    if (current[key] !== value) patch[key] = value
  }
  const values = Object.values(patch)
  const removes = values.length > 0 && values.every((value) => value === null)
  const verb =
    values.length === 0 ? `not ${kind.done}` : removes && kind.field === 'labels' ? 'unlabeled' : kind.done
  const body = { metadata: { [kind.field]: patch } }
  const changed = values.length === 0 ? target.object : sendPatch(context, target, MERGE_PATCH, body)
  await printResult(context, changed, kind.field === 'annotations' ? kind.done : verb)
}

/** PATCHes, unless `--dry-run=client`. */
function sendPatch(context: CommandContext, target: Found, type: string, body: unknown): KubeObject {
  const dryRun = dryRunMode(context)
  if (dryRun === 'client') return target.object
  const subresource = context.flags.text('subresource')
  return context.client.patch(
    target.resource,
    {
      namespace: target.namespace,
      name: target.object.metadata.name,
      ...(subresource && { subresource }),
    },
    { type, body, query: dryRun === 'server' ? { dryRun: 'All' } : {} },
  )
}

const PATCH_TYPES: Readonly<Record<string, string>> = {
  json: JSON_PATCH,
  merge: MERGE_PATCH,
  strategic: STRATEGIC_PATCH,
}

export const patch: Command = async (context) => {
  const { flags } = context
  const file = flags.text('patch-file')
  const text = flags.text('patch') ?? (file === undefined ? undefined : readTextFile(context, file))
  if (text === undefined) {
    throw clientError('must specify --patch or --patch-file containing the contents of the patch')
  }
  const given = flags.text('type') ?? 'strategic'
  const type = Object.hasOwn(PATCH_TYPES, given) ? PATCH_TYPES[given] : undefined
  if (type === undefined) throw clientError(`--type must be one of [json merge strategic], not "${given}"`)
  let body: unknown
  try {
    body = parse(text)
  } catch (error) {
    throw clientError(`unable to parse ${JSON.stringify(text)}: ${(error as Error).message.split('\n')[0]}`)
  }
  for (const target of await findObjects(context, flags.args)) {
    const changed = sendPatch(context, target, type, body)
    const same = changed.metadata.resourceVersion === target.object.metadata.resourceVersion
    await printResult(context, changed, same ? 'patched (no change)' : 'patched')
  }
  return 0
}

export const setImage: Command = async (context) => {
  const { flags } = context
  const at = flags.args.findIndex((word) => word.includes('='))
  const args = at < 0 ? flags.args : flags.args.slice(0, at)
  const images = (at < 0 ? [] : flags.args.slice(at)).map((word) => {
    const equals = word.indexOf('=')
    return { container: word.slice(0, equals), image: word.slice(equals + 1) }
  })
  const found = await findObjects(context, args)
  if (images.length === 0) throw clientError('at least one image update is required')
  for (const target of found) await setImagesOf(context, target, images)
  return 0
}

async function setImagesOf(
  context: CommandContext,
  target: Found,
  images: readonly { container: string; image: string }[],
): Promise<void> {
  const { object } = target
  const template = (object as Deployment).spec.template
  const spec = template?.spec ?? (object as Pod).spec
  const known = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  for (const { container } of images) {
    if (container !== '*' && !known.some(({ name }) => name === container)) {
      throw new KubectlError(`error: unable to find container named "${container}"`)
    }
  }
  const updated = (containers: readonly Container[]) =>
    containers.flatMap(({ name, image }) => {
      const wanted = images.findLast(({ container }) => container === name || container === '*')?.image
      return wanted === undefined || wanted === image ? [] : [{ name, image: wanted }]
    })
  const containers = updated(spec.containers)
  const initContainers = updated(spec.initContainers ?? [])
  if (containers.length + initContainers.length === 0) return
  const change = {
    ...(containers.length > 0 && { containers }),
    ...(initContainers.length > 0 && { initContainers }),
  }
  const body = { spec: template === undefined ? change : { template: { spec: change } } }
  await printResult(context, sendPatch(context, target, STRATEGIC_PATCH, body), 'image updated')
}
