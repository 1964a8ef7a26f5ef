// kubectl set env and set resources: changes in the containers of pods and pod templates. set image is edit.ts.

import type { Container, EnvVar, PodSpec } from '../cluster/objects.js'
import { STRATEGIC_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { clientError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { dryRunMode, printResult } from './output.js'
import { type Found, findObjects } from './targets.js'

const SET_FLAGS: FlagSpecs = {
  all: Flag.bool('', 'Select all resources in the namespace of the specified resource types'),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  filename: Flag.list('f', 'Filename or directory identifying the resource to update'),
  containers: Flag.text('c', 'The names of containers in the selected pod templates to change'),
  output: Flag.text('o'),
  'dry-run': Flag.bare('unchanged'),
  recursive: Flag.bool('R'),
}

export const SET_ENV_FLAGS: FlagSpecs = {
  ...SET_FLAGS,
  env: Flag.list('e', 'Specify a key-value pair for an environment variable to set into each container'),
  list: Flag.bool('', 'If true, display the environment and any changes in the standard format'),
  overwrite: Flag.bool('', 'If true, allow environment to be overwritten (default true)'),
}

export const SET_RESOURCES_FLAGS: FlagSpecs = {
  ...SET_FLAGS,
  limits: Flag.text('', "The resource requirement limits for this container, 'cpu=100m,memory=256Mi'"),
  requests: Flag.text('', "The resource requirement requests for this container, 'cpu=100m,memory=256Mi'"),
}

interface PodHolder {
  /** The pod's specification, and the way to it from the object's. */
  readonly spec: PodSpec
  readonly patch: (spec: unknown) => unknown
}

/** Pods, what has a template, and CronJobs. */
function podHolderOf({ object }: Found): PodHolder | undefined {
  const spec = object['spec'] as
    | { template?: { spec: PodSpec }; jobTemplate?: { spec: { template: { spec: PodSpec } } } }
    | undefined
  if (spec?.template?.spec) {
    return { spec: spec.template.spec, patch: (change) => ({ spec: { template: { spec: change } } }) }
  }
  const job = spec?.jobTemplate?.spec.template.spec
  if (job !== undefined) {
    const patch = (change: unknown) => ({
      spec: { jobTemplate: { spec: { template: { spec: change } } } },
    })
    return { spec: job, patch }
  }
  return object.kind === 'Pod' ? { spec: spec as PodSpec, patch: (change) => ({ spec: change }) } : undefined
}

/** The containers that `-c` means: by name, with `*` for any characters. */
function chosen({ flags }: CommandContext, spec: PodSpec): Container[] {
  const pattern = flags.text('containers') ?? '*'
  const expression = new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
  return spec.containers.filter(({ name }) => expression.test(name))
}

async function send(
  context: CommandContext,
  target: Found,
  holder: PodHolder,
  containers: readonly object[],
  verb: string,
): Promise<void> {
  const { resource, namespace, object } = target
  const dryRun = dryRunMode(context)
  const body = holder.patch({ containers })
  const query = { fieldManager: 'kubectl-set', ...(dryRun === 'server' && { dryRun: 'All' }) }
  const key = { namespace, name: object.metadata.name }
  const changed =
    dryRun === 'client' ? object : context.client.patch(resource, key, { type: STRATEGIC_PATCH, body, query })
  await printResult(context, changed, verb)
}

export const setEnv: Command = async (context) => {
  const { flags } = context
  const isChange = (word: string) => /^[-._a-zA-Z][-._a-zA-Z0-9]*=/.test(word) || /^[^/]+-$/.test(word)
  const at = flags.args.findIndex(isChange)
  const targets = at < 0 ? flags.args : flags.args.slice(0, at)
  const changes = [...(at < 0 ? [] : flags.args.slice(at)), ...flags.all('env')]
  if (changes.length === 0 && !flags.bool('list')) {
    throw clientError('at least one environment variable must be provided')
  }
  const removed = changes.filter((word) => !word.includes('=')).map((word) => word.slice(0, -1))
  const added = changes
    .filter((word) => word.includes('='))
    .map((word): EnvVar => ({ name: word.split('=')[0]!, value: word.slice(word.indexOf('=') + 1) }))
  for (const target of await findObjects(context, targets)) {
    const holder = podHolderOf(target)
    if (holder === undefined) continue
    const containers = chosen(context, holder.spec)
    if (flags.bool('list')) await listEnv(context, target, containers)
    if (changes.length === 0) continue
    if (!flags.bool('overwrite', true)) refuseOverwrite(containers, added)
    const body = containers.map(({ name, env = [] }) => ({
      name,
      env: [
        ...added.map((variable) =>
          env.some((old) => old.name === variable.name && old.valueFrom)
            ? { ...variable, valueFrom: null }
            : variable,
        ),
        ...removed.map((gone) => ({ name: gone, $patch: 'delete' })),
      ],
    }))
    await send(context, target, holder, body, 'env updated')
  }
  return 0
}

function refuseOverwrite(containers: readonly Container[], added: readonly EnvVar[]): void {
  for (const { env = [] } of containers)
    for (const { name, value } of env)
      if (added.some((variable) => variable.name === name))
        throw clientError(`'${name}' already has a value (${value ?? ''}), and --overwrite is false`)
}

async function listEnv(
  context: CommandContext,
  { object }: Found,
  containers: readonly Container[],
): Promise<void> {
  for (const { name, env = [] } of containers) {
    await context.print(`# ${object.kind} ${object.metadata.name}, container ${name}`)
    for (const { name: variable, value, valueFrom } of env) {
      if (valueFrom === undefined) await context.print(`${variable}=${value ?? ''}`)
      else await context.print(`# ${variable} from ${sourceText(valueFrom)}`)
    }
  }
}

function sourceText({ fieldRef, configMapKeyRef, secretKeyRef }: NonNullable<EnvVar['valueFrom']>): string {
  if (fieldRef) return `field path ${fieldRef.fieldPath}`
  const [kind, { key, name }] = configMapKeyRef
    ? ['configmap', configMapKeyRef]
    : (['secret', secretKeyRef!] as const)
  return `${kind} ${name}, key ${key}`
}

export const setResources: Command = async (context) => {
  const { flags } = context
  const limits = amountsOf(flags.text('limits'))
  const requests = amountsOf(flags.text('requests'))
  if (limits === undefined && requests === undefined) {
    throw clientError('you must specify an update to requests or limits (in the form of --requests/--limits)')
  }
  const resources = { ...(limits && { limits }), ...(requests && { requests }) }
  for (const target of await findObjects(context, flags.args)) {
    const holder = podHolderOf(target)
    if (holder === undefined) continue
    const containers = chosen(context, holder.spec).map(({ name }) => ({ name, resources }))
    if (containers.length === 0)
      throw clientError(`unable to find container named ${flags.text('containers')}`)
    await send(context, target, holder, containers, 'resource requirements updated')
  }
  return 0
}

/** `cpu=100m,memory=256Mi`. */
function amountsOf(text: string | undefined): Record<string, string> | undefined {
  if (!text) return undefined
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', value, ...rest] = pair.split('=')
      if (name === '' || !value || rest.length > 0)
        throw clientError(`invalid argument syntax ${pair}, expected <resource>=<value>`)
      return [name, value]
    }),
  )
}
