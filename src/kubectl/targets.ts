// What the arguments of a command name: `pods`, `pods,svc`, `pod a b`, `pod/a svc/b`, `all`, with `-l`,
// `--field-selector`, `-A`; and the objects behind them.

import type { KubeObject } from '../cluster/objects.js'
import type { CommandContext } from './context.js'
import { clientError, KubectlError } from './errors.js'
import { readManifests } from './manifests.js'
import type { KubectlResource } from './resources.js'

/** A type, with the names that are meant or (undefined) whatever the selectors select. */
export interface TypeTarget {
  readonly resource: KubectlResource
  readonly name: string | undefined
  /** Undefined: every namespace, or a type without. */
  readonly namespace: string | undefined
}

export interface Found {
  readonly resource: KubectlResource
  readonly namespace: string | undefined
  readonly object: KubeObject
}

export function selectorQuery({ flags }: CommandContext): Record<string, string> {
  const labels = flags.text('selector')
  const fields = flags.text('field-selector')
  return {
    ...(labels && { labelSelector: labels }),
    ...(fields && { fieldSelector: fields }),
  }
}

/** Types and names of the arguments. Fails as kubectl's resource builder does. */
export function parseTargets(context: CommandContext, args: readonly string[]): TypeTarget[] {
  const slashed = args.filter((arg) => arg.includes('/'))
  if (slashed.length > 0) {
    if (slashed.length < args.length) {
      throw clientError(
        `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'`,
      )
    }
    return args.map((arg) => {
      const parts = arg.split('/')
      if (parts.length !== 2 || parts.some((part) => part === '')) {
        throw clientError(`arguments in resource/name form must have a single resource and name`)
      }
      return targetOf(context, context.mapper.find(parts[0]!), parts[1])
    })
  }
  const [types = '', ...names] = args
  const resources = types.split(',').flatMap((type) => typesOf(context, type))
  if (names.length === 0) return resources.map((resource) => targetOf(context, resource, undefined))
  if (context.flags.text('selector'))
    throw clientError('name cannot be provided when a selector is specified')
  if (context.flags.bool('all-namespaces')) {
    throw clientError('a resource cannot be retrieved by name across all namespaces')
  }
  return resources.flatMap((resource) => names.map((name) => targetOf(context, resource, name)))
}

function typesOf(context: CommandContext, type: string): KubectlResource[] {
  return context.mapper.category(type) ?? [context.mapper.find(type)]
}

function targetOf(context: CommandContext, resource: KubectlResource, name: string | undefined): TypeTarget {
  const everywhere = !resource.namespaced || context.flags.bool('all-namespaces')
  return { resource, name, namespace: everywhere ? undefined : context.namespace }
}

/** The objects behind one target; a name that is not there fails with NotFound. */
export function fetchTarget(context: CommandContext, target: TypeTarget): Found[] {
  const { resource, name, namespace } = target
  if (name !== undefined) {
    return [{ resource, namespace, object: context.client.get(resource, namespace, name) }]
  }
  const { items } = context.client.list(resource, namespace, selectorQuery(context))
  return items.map((object) => ({ resource, namespace: object.metadata.namespace, object }))
}

/**
 * Every object that the arguments or `-f` name. Types without a name need a selector or `--all`; a target that
 * fails, fails the command (after `onFound` saw those before it).
 */
export async function findObjects(context: CommandContext, args: readonly string[]): Promise<Found[]> {
  const { flags, client } = context
  if (flags.has('filename')) {
    const manifests = await readManifests(context, 'process')
    return manifests.map(({ resource, namespace, object }) => ({
      resource,
      namespace,
      object: client.get(resource, namespace, object.metadata.name),
    }))
  }
  if (args.length === 0) throw new KubectlError(MISSING_RESOURCE)
  const targets = parseTargets(context, args)
  const unbounded = targets.some(({ name }) => name === undefined)
  if (unbounded && !flags.bool('all') && !flags.text('selector') && !flags.text('field-selector')) {
    throw clientError('resource(s) were provided, but no name was specified')
  }
  return targets.flatMap((target) => fetchTarget(context, target))
}

export const MISSING_RESOURCE = `error: You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`
