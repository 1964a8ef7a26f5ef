// kubectl describe.

import type { Command, CommandContext } from '../context.js'
import { clientError, ServerError } from '../errors.js'
import { Flag, type FlagSpecs } from '../flags.js'
import { readManifests } from '../manifests.js'
import { type Found, fetchTarget, parseTargets, type TypeTarget } from '../targets.js'
import { describeCronJob, describeJob } from './batch.js'
import {
  describeAnything,
  describeConfigMap,
  describeNamespace,
  describeSecret,
  describeServiceAccount,
} from './cluster.js'
import { describeEndpoints, describeService } from './network.js'
import { describeNode } from './node.js'
import { describeDaemonSet, describeStatefulSet } from './sets.js'
import {
  describeDeployment,
  describePod,
  describeReplicaSet,
  describeReplicationController,
} from './workloads.js'
import { DescriptionWriter, type Subject } from './writer.js'

export const DESCRIBE_FLAGS: FlagSpecs = {
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  'all-namespaces': Flag.bool('A', 'List the requested object(s) across all namespaces'),
  filename: Flag.list('f', 'Filename or directory containing the resource to describe'),
  'show-events': Flag.bool('', 'Display events related to the described object'),
  recursive: Flag.bool('R'),
  'chunk-size': Flag.int(),
}

const DESCRIBERS: Readonly<Record<string, (writer: DescriptionWriter, subject: Subject) => void>> = {
  Pod: describePod,
  Deployment: describeDeployment,
  ReplicaSet: describeReplicaSet,
  ReplicationController: describeReplicationController,
  StatefulSet: describeStatefulSet,
  DaemonSet: describeDaemonSet,
  Job: describeJob,
  CronJob: describeCronJob,
  Service: describeService,
  Endpoints: describeEndpoints,
  ConfigMap: describeConfigMap,
  Secret: describeSecret,
  ServiceAccount: describeServiceAccount,
  Namespace: describeNamespace,
  Node: describeNode,
}

export const describe: Command = async (context) => {
  const { flags } = context
  if (flags.args.length === 0 && !flags.has('filename')) {
    throw clientError(
      'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.',
    )
  }
  const targets = flags.has('filename') ? await manifestTargets(context) : parseTargets(context, flags.args)
  const found: Found[] = []
  const failures: ServerError[] = []
  for (const target of targets) {
    try {
      found.push(...fetchOrMatch(context, target))
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      failures.push(error)
    }
  }
  const texts = found.map(({ resource, object }) => {
    const writer = new DescriptionWriter()
    const subject = { context, resource, object }
    ;(DESCRIBERS[object.kind] ?? describeAnything)(writer, subject)
    return `${writer}\n`
  })
  if (texts.length > 0) await context.process.stdout.write(texts.join('\n\n'))
  for (const failure of failures) await context.warn(failure.describe())
  if (found.length === 0 && failures.length === 0) {
    const everywhere = targets.every(({ namespace }) => namespace === undefined)
    await context.warn(
      everywhere ? 'No resources found' : `No resources found in ${context.namespace} namespace.`,
    )
  }
  return failures.length === 0 ? 0 : 1
}

async function manifestTargets(context: CommandContext): Promise<TypeTarget[]> {
  const manifests = await readManifests(context, 'describe')
  return manifests.map(({ resource, namespace, object }) => ({
    resource,
    namespace,
    name: object.metadata.name,
  }))
}

/** The object of that name, or else all whose names begin with it. */
function fetchOrMatch(context: CommandContext, target: TypeTarget): Found[] {
  try {
    return fetchTarget(context, target)
  } catch (error) {
    if (!(error instanceof ServerError) || error.reason !== 'NotFound' || target.name === undefined)
      throw error
    const prefix = target.name
    const { items } = context.client.list(target.resource, target.namespace)
    const matching = items.filter(({ metadata }) => metadata.name.startsWith(prefix))
    if (matching.length === 0) throw error
    return matching.map((object) => ({
      resource: target.resource,
      namespace: object.metadata.namespace,
      object,
    }))
  }
}
