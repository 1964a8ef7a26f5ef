// kubectl wait.

import type { Condition, KubeObject } from '../cluster/objects.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError, ServerError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { findJsonPath, JsonPathError, relaxedTemplate, textOfValue } from './jsonpath/evaluate.js'
import { JsonPathSyntaxError } from './jsonpath/parser.js'
import { readManifests } from './manifests.js'
import { objectName } from './resources.js'
import { fetchTarget, MISSING_RESOURCE, parseTargets } from './targets.js'
import { type ObjectKey, type Until, waitForObject } from './waiting.js'

export const WAIT_FLAGS: FlagSpecs = {
  for: Flag.text(
    '',
    'The condition to wait on: [create|delete|condition=NAME[=VALUE]|jsonpath=EXPR=[VALUE]]',
  ),
  timeout: Flag.duration('', 'The length of time to wait before giving up (default 30s)'),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  'field-selector': Flag.text('', 'Selector (field query) to filter on'),
  all: Flag.bool('', 'Select all resources in the namespace of the specified resource types'),
  'all-namespaces': Flag.bool('A'),
  filename: Flag.list('f'),
  output: Flag.text('o'),
  recursive: Flag.bool('R'),
}

const DEFAULT_TIMEOUT_SECONDS = 30
/** A negative --timeout means a week. */
const WEEK_SECONDS = 7 * 24 * 3600

interface WaitCondition {
  readonly until: Until<true>
  /** Whether the object not being there is what is waited for. */
  readonly onDelete: boolean
  readonly onCreate: boolean
}

export const wait: Command = async (context) => {
  const { flags } = context
  const condition = parseCondition(flags.text('for') ?? '')
  const keys = await findKeys(context, condition)
  if (keys.length === 0) {
    if (condition.onDelete) return 0
    throw clientError('no matching resources found')
  }
  const given = flags.duration('timeout') ?? DEFAULT_TIMEOUT_SECONDS
  const timeout = given < 0 ? WEEK_SECONDS : given
  const started = context.process.system.clock.now()
  const failures: string[] = []
  for (const key of keys) {
    const elapsed = (context.process.system.clock.now() - started) / 1_000_000
    const waited = await waitForObject(context, key, condition.until, { timeoutSeconds: timeout - elapsed })
    if (waited.type === 'done') await context.print(`${objectName(key.resource, key.name)} condition met`)
    else failures.push(`error: timed out waiting for the condition on ${key.resource.plural}/${key.name}`)
  }
  if (failures.length > 0) throw new KubectlError(failures.join('\n'))
  return 0
}

function parseCondition(text: string): WaitCondition {
  const lower = text.toLowerCase()
  if (lower === 'delete') {
    return { until: (object) => (object === undefined ? true : undefined), onDelete: true, onCreate: false }
  }
  if (lower === 'create') {
    return { until: (object) => (object === undefined ? undefined : true), onDelete: false, onCreate: true }
  }
  if (lower.startsWith('condition=')) {
    const [type = '', status = 'true'] = text.slice('condition='.length).split('=')
    return { until: conditionHolds(type, status), onDelete: false, onCreate: false }
  }
  if (lower.startsWith('jsonpath=')) {
    return { until: jsonPathHolds(text.slice('jsonpath='.length)), onDelete: false, onCreate: false }
  }
  throw clientError(`unrecognized condition: "${text}"`)
}

function conditionHolds(type: string, status: string): Until<true> {
  return (object) => {
    if (object === undefined) return undefined
    const { conditions = [], observedGeneration } = (object['status'] ?? {}) as {
      conditions?: Condition[]
      observedGeneration?: number
    }
    const { generation } = object.metadata
    // What the status says of an older specification does not count.
    if (observedGeneration !== undefined && generation !== undefined && observedGeneration < generation) {
      return undefined
    }
    const found = conditions.find((condition) => condition.type.toLowerCase() === type.toLowerCase())
    return found?.status.toLowerCase() === status.toLowerCase() ? true : undefined
  }
}

function jsonPathHolds(text: string): Until<true> {
  const match = /^(\{.*\}|[^=]+)(?:=(.*))?$/s.exec(text)
  if (match === null)
    throw clientError("jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3")
  const path = relaxedTemplate(match[1]!.replace(/^['"]|['"]$/g, ''))
  const wanted = match[2]?.replace(/^(['"])(.*)\1$/, '$2')
  try {
    findJsonPath(path, {})
  } catch (error) {
    if (error instanceof JsonPathSyntaxError)
      throw clientError(`error parsing jsonpath ${path}, ${error.message}`)
  }
  return (object) => {
    if (object === undefined) return undefined
    const values = valuesAt(path, object)
    if (values.length === 0) return undefined
    if (values.length > 1) throw clientError('given jsonpath expression matches more than one value')
    if (wanted === undefined) return true
    return textOfValue(values[0]) === wanted ? true : undefined
  }
}

/** An index that is not there (yet) finds nothing. */
function valuesAt(path: string, object: KubeObject): unknown[] {
  try {
    return findJsonPath(path, object)
  } catch (error) {
    if (error instanceof JsonPathError) return []
    throw error
  }
}

async function findKeys(context: CommandContext, condition: WaitCondition): Promise<ObjectKey[]> {
  const { flags } = context
  if (flags.has('filename')) {
    const manifests = await readManifests(context, 'wait')
    return manifests.map(({ resource, namespace, object }) => ({
      resource,
      namespace,
      name: object.metadata.name,
    }))
  }
  if (flags.args.length === 0) throw new KubectlError(MISSING_RESOURCE)
  const targets = parseTargets(context, flags.args)
  return targets.flatMap((target) => {
    const { resource, namespace, name } = target
    const selected = flags.bool('all') || flags.text('selector') || flags.text('field-selector')
    if (name === undefined && !selected)
      throw clientError('resource(s) were provided, but no name was specified')
    if (name !== undefined && condition.onCreate) return [{ resource, namespace, name }]
    try {
      return fetchTarget(context, target).map((found) => ({
        resource,
        namespace: found.namespace,
        name: found.object.metadata.name,
      }))
    } catch (error) {
      if (condition.onDelete && error instanceof ServerError && error.reason === 'NotFound') return []
      throw error
    }
  })
}
