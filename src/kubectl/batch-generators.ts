// kubectl create job|cronjob|serviceaccount|secret generic: more objects made from flags, as in generators.ts.

import { base64Encode } from '../base/base64.js'
import { utf8Encode } from '../base/bytes.js'
import type { CronJob } from '../cluster/workload-objects.js'
import type { Command, CommandContext } from './context.js'
import { WRITE_FLAGS } from './create.js'
import { clientError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { literalsAndFiles, nameOf, submit } from './generators.js'

const MANAGER = 'kubectl-create'
const NO_NAME = { creationTimestamp: null }

export const CREATE_JOB_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  image: Flag.text('', 'Image name to run'),
  from: Flag.text('', 'The name of the resource to create a Job from (only cronjob is supported)'),
}

export const CREATE_CRONJOB_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  image: Flag.text('', 'Image name to run'),
  schedule: Flag.text('', 'A schedule in the Cron format the job should be run with'),
  restart: Flag.text('', "The job's restart policy: OnFailure or Never"),
}

export const CREATE_SECRET_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  'from-literal': Flag.list('', 'A key and literal value to insert in the secret (mykey=somevalue)'),
  'from-file': Flag.list('', 'A file whose name, or the key given, is the key of its content'),
  type: Flag.text('', 'The type of secret to create'),
}

export const CREATE_SERVICEACCOUNT_FLAGS: FlagSpecs = WRITE_FLAGS

/** What follows `--`. */
function commandOf({ flags }: CommandContext): readonly string[] {
  return flags.dashAt === undefined ? [] : flags.args.slice(flags.dashAt)
}

function podTemplate(name: string, image: string, command: readonly string[], restartPolicy: string): object {
  const container = { name, image, ...(command.length > 0 && { command }), resources: {} }
  return { metadata: NO_NAME, spec: { containers: [container], restartPolicy } }
}

export const createJob: Command = async (context) => {
  const { flags } = context
  const name = nameOf(context, 'job')
  const [image, from] = [flags.text('image'), flags.text('from')]
  const command = commandOf(context)
  if ((image === undefined) === (from === undefined)) {
    throw clientError('either --image or --from must be specified')
  }
  if (from !== undefined && command.length > 0) throw clientError('cannot specify --from and command')
  const job =
    image === undefined
      ? jobOf(context, name, from!)
      : {
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { name },
          spec: { template: podTemplate(name, image, command, 'Never') },
          status: {},
        }
  return submit(context, job, 'created', MANAGER)
}

/** As the CronJob would make it at its next time. */
function jobOf({ client, mapper, namespace }: CommandContext, name: string, from: string): object {
  const [type = '', source] = from.split('/')
  const resource = mapper.find(type)
  if (resource.kind !== 'CronJob' || !source) {
    throw clientError(`from must be an existing cronjob: ${from}`)
  }
  const { metadata, spec } = client.get<CronJob>(resource, namespace, source)
  const { annotations, labels } = spec.jobTemplate.metadata ?? {}
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: source, uid: metadata.uid, controller: true }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...annotations },
      ...(labels && { labels }),
      ownerReferences: [owner],
    },
    spec: spec.jobTemplate.spec,
    status: {},
  }
}

export const createCronJob: Command = async (context) => {
  const { flags } = context
  const name = nameOf(context, 'cronjob')
  const [image, schedule] = [flags.text('image'), flags.text('schedule')]
  if (image === undefined) throw clientError('required flag(s) "image" not set')
  if (schedule === undefined) throw clientError('required flag(s) "schedule" not set')
  const template = podTemplate(name, image, commandOf(context), flags.text('restart') ?? 'OnFailure')
  const cronJob = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { jobTemplate: { metadata: { ...NO_NAME, name }, spec: { template } }, schedule },
    status: {},
  }
  return submit(context, cronJob, 'created', MANAGER)
}

export const createServiceAccount: Command = async (context) => {
  const name = nameOf(context, 'serviceaccount')
  return submit(context, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }, 'created', MANAGER)
}

export const createSecret: Command = async (context) => {
  const name = nameOf(context, 'secret generic')
  const texts = Object.entries(literalsAndFiles(context, `Secret "${name}"`))
  const data = Object.fromEntries(texts.map(([key, text]) => [key, base64Encode(utf8Encode(text))]))
  const type = context.flags.text('type')
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    ...(texts.length > 0 && { data }),
    ...(type && { type }),
  }
  return submit(context, secret, 'created', MANAGER)
}
