// kubectl run: makes a pod, and with -i or --attach stays with it until it ends.

import type { Json } from '../api/patch/json.js'
import { applyMergePatch } from '../api/patch/merge-patch.js'
import type { Container, KubeObject, Pod, PodSpec } from '../cluster/objects.js'
import { attachToPod } from './attach.js'
import type { Command, CommandContext } from './context.js'
import { sendCreate, WRITE_FLAGS } from './create.js'
import { clientError, KubectlError, usageError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { readPodLog, streamPodLog } from './logs.js'
import { dryRunMode, printResult } from './output.js'
import type { KubectlResource } from './resources.js'
import { type ObjectKey, waitForObject } from './waiting.js'

export const RUN_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  image: Flag.text('', 'The image for the container to run'),
  'image-pull-policy': Flag.text('', 'The image pull policy for the container'),
  port: Flag.text('', 'The port that this container exposes'),
  env: Flag.list('', 'Environment variables to set in the container'),
  labels: Flag.text('l', 'Comma separated labels to apply to the pod'),
  annotations: Flag.list('', 'Annotations to apply to the pod'),
  command: Flag.bool('', "Use extra arguments as the 'command' field in the container, rather than 'args'"),
  restart: Flag.text('', 'The restart policy for this Pod. Legal values [Always, OnFailure, Never]'),
  rm: Flag.bool('', 'Delete the pod after it exits. Only valid when attaching to the container'),
  attach: Flag.bool('', 'Wait for the Pod to start running, and then attach to it'),
  stdin: Flag.bool('i', 'Keep stdin open on the container in the pod'),
  tty: Flag.bool('t', 'Allocate a TTY for the container in the pod'),
  'leave-stdin-open': Flag.bool(),
  quiet: Flag.bool('q', 'Suppress prompt messages'),
  overrides: Flag.text('', 'An inline JSON override for the generated object'),
  'pod-running-timeout': Flag.duration(
    '',
    'The length of time to wait until the pod is running (default 1m0s)',
  ),
  'grace-period': Flag.int(),
  force: Flag.bool(),
  'save-config': Flag.bool(),
}

const RUNNING_TIMEOUT_SECONDS = 60

export const run: Command = async (context) => {
  const { flags, namespace } = context
  const attaching = flags.bool('attach', flags.bool('stdin'))
  const name = checkArguments(context, attaching)
  const pods = context.mapper.find('pods')
  const object = podOf(context, name)
  if (dryRunMode(context) === 'client') {
    const { namespace: _implied, ...metadata } = object.metadata
    const shown = flags.text('namespace')
      ? object
      : { ...object, metadata: metadata as KubeObject['metadata'] }
    await printResult(context, shown, 'created')
    return 0
  }
  const created = await sendCreate(context, { resource: pods, namespace, object }, 'kubectl-run')
  if (!attaching) {
    await printResult(context, created, 'created')
    return 0
  }
  const key = { resource: pods, namespace, name }
  try {
    return await stayWith(context, key)
  } finally {
    if (flags.bool('rm') && !context.signal.aborted) await removePod(context, pods, key)
  }
}

function checkArguments({ flags }: CommandContext, attaching: boolean): string {
  const [name] = flags.args
  if (!flags.has('image')) throw clientError('required flag(s) "image" not set')
  if (name === undefined || flags.dashAt === 0) throw usageError('run', 'NAME is required for run')
  const image = flags.text('image')
  if (!image) throw clientError('--image is required')
  if (/[\s,]|^:|:$/.test(image)) throw clientError(`Invalid image name "${image}": invalid reference format`)
  if (flags.bool('tty') && !flags.bool('stdin')) {
    throw clientError('-i/--stdin is required for containers with -t/--tty=true')
  }
  if (flags.bool('rm') && !attaching) throw clientError('--rm should only be used for attached containers')
  if (attaching && flags.has('dry-run') && flags.text('dry-run') !== 'none') {
    throw clientError(
      "--dry-run=server/client can't be used with attached containers options (--attach, --stdin, or --tty)",
    )
  }
  const restart = flags.text('restart') ?? 'Always'
  if (!['Always', 'OnFailure', 'Never'].includes(restart)) {
    throw clientError(`invalid restart policy: ${restart}`)
  }
  return name
}

function podOf(context: CommandContext, name: string): KubeObject {
  const { flags, namespace } = context
  const words = flags.args.slice(1)
  const stdin = flags.bool('stdin')
  const container: Container = {
    name,
    image: flags.text('image')!,
    ...(flags.has('image-pull-policy') && {
      imagePullPolicy: flags.text('image-pull-policy') as NonNullable<Container['imagePullPolicy']>,
    }),
    ...(words.length > 0 && (flags.bool('command') ? { command: words } : { args: words })),
    ...(flags.has('env') && { env: flags.all('env').map(envOf) }),
    ...(flags.has('port') && { ports: [{ containerPort: portOf(flags.text('port')!) }] }),
    ...(stdin && { stdin, ...(!flags.bool('leave-stdin-open') && { stdinOnce: true }) }),
    ...(flags.bool('tty') && { tty: true }),
    resources: {},
  }
  const spec: PodSpec = {
    containers: [container],
    dnsPolicy: 'ClusterFirst',
    restartPolicy: (flags.text('restart') ?? 'Always') as NonNullable<PodSpec['restartPolicy']>,
  }
  const labels = flags.has('labels') ? pairsOf(flags.text('labels')!.split(',')) : { run: name }
  const annotations = pairsOf(flags.list('annotations'))
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec,
  }
  const overrides = flags.text('overrides')
  if (overrides === undefined) return pod as unknown as KubeObject
  let patch: Json
  try {
    patch = JSON.parse(overrides) as Json
  } catch {
    throw clientError('Invalid JSON Patch')
  }
  return applyMergePatch(pod as unknown as Json, patch) as unknown as KubeObject
}

function portOf(text: string): number {
  if (!/^\d+$/.test(text)) throw clientError(`strconv.Atoi: parsing "${text}": invalid syntax`)
  return Number(text)
}

function envOf(text: string): { name: string; value: string } {
  const equals = text.indexOf('=')
  if (equals <= 0) throw clientError(`invalid env: ${text}`)
  return { name: text.slice(0, equals), value: text.slice(equals + 1) }
}

/** `a=b` texts as a map; what has no `=` is refused. */
export function pairsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts
      .filter((text) => text !== '')
      .map((text) => {
        const equals = text.indexOf('=')
        if (equals <= 0) throw clientError(`unexpected label spec: ${text}`)
        return [text.slice(0, equals), text.slice(equals + 1)]
      }),
  )
}

/** Waits until the pod runs, attaches, and gives the exit code of a pod that does not restart. */
async function stayWith(context: CommandContext, key: ObjectKey): Promise<number> {
  const timeoutSeconds = context.flags.duration('pod-running-timeout') ?? RUNNING_TIMEOUT_SECONDS
  const started = await waitForObject(context, key, startedPod, { timeoutSeconds })
  if (started.type === 'timeout') throw clientError('timed out waiting for the condition')
  const pod = started.result
  const container = pod.spec.containers[0]!.name
  if (hasEnded(pod)) await streamPodLog(context, pod, container, true)
  else await attachOrLog(context, pod, container)
  if ((pod.spec.restartPolicy ?? 'Always') === 'Always') return 0
  const ended = await waitForObject(context, key, endedPod, { timeoutSeconds: undefined })
  return ended.type === 'done' ? exitCodeOf(context, ended.result) : 1
}

/** A short command writes, or even ends, before anyone can attach: its log has what was missed. */
async function attachOrLog(context: CommandContext, pod: Pod, container: string): Promise<void> {
  try {
    await attachToPod(context, pod, container, () => readPodLog(context, pod, container))
  } catch (error) {
    if (!(error instanceof KubectlError) || !error.message.includes('container not found')) throw error
    await context.warn(
      `warning: couldn't attach to pod/${pod.metadata.name}, falling back to streaming logs: ${error.message.replace('error: ', '')}`,
    )
    await streamPodLog(context, pod, container, false)
  }
}

const hasEnded = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

function startedPod(object: KubeObject | undefined): Pod | undefined {
  if (object === undefined) throw clientError('pod does not exist')
  const pod = object as Pod
  const running = (pod.status?.containerStatuses ?? []).some(({ state }) => state.running !== undefined)
  return running || hasEnded(pod) ? pod : undefined
}

function endedPod(object: KubeObject | undefined): Pod | undefined {
  if (object === undefined) throw clientError('pod does not exist')
  return hasEnded(object as Pod) ? (object as Pod) : undefined
}

async function exitCodeOf(context: CommandContext, pod: Pod): Promise<number> {
  if (pod.status?.phase === 'Succeeded') return 0
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`
  const ended = (pod.status?.containerStatuses ?? []).map(({ state }) => state.terminated)
  const code = ended.find((terminated) => terminated !== undefined && terminated.exitCode !== 0)?.exitCode
  if (code === undefined) throw clientError(`pod ${name} failed with unknown exit code`)
  await context.warn(`pod ${name} terminated (Error)`)
  return code
}

async function removePod(context: CommandContext, pods: KubectlResource, key: ObjectKey): Promise<void> {
  if (context.client.find(pods, key.namespace, key.name) === undefined) return
  const grace = context.flags.int('grace-period')
  const options = grace === undefined || grace < 0 ? {} : { gracePeriodSeconds: grace }
  context.client.delete(pods, key.namespace, key.name, { propagationPolicy: 'Background', ...options })
  await context.print(`pod "${key.name}" deleted`)
}
