// kubectl logs.

import type { Status } from '../api/request.js'
import type { Pod } from '../cluster/objects.js'
import { resourcePath } from './client.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError, ServerError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { findPod, pickContainer } from './remote.js'

export const LOGS_FLAGS: FlagSpecs = {
  follow: Flag.bool('f', 'Specify if the logs should be streamed'),
  container: Flag.text('c', 'Print the logs of this container'),
  previous: Flag.bool('p', 'Print the logs for the previous instance of the container in a pod if it exists'),
  tail: Flag.int('', 'Lines of recent log file to display'),
  since: Flag.duration('', 'Only return logs newer than a relative duration like 5s, 2m, or 3h'),
  'since-time': Flag.text('', 'Only return logs after a specific date (RFC3339)'),
  timestamps: Flag.bool('', 'Include timestamps on each line in the log output'),
  'all-containers': Flag.bool('', "Get all containers' logs in the pod(s)"),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  prefix: Flag.bool('', 'Prefix each log line with the log source (pod name and container name)'),
  'limit-bytes': Flag.int(),
  'ignore-errors': Flag.bool(),
  'max-log-requests': Flag.int(),
  'pod-running-timeout': Flag.duration(),
}

const USAGE = `error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command
See 'kubectl logs -h' for help and examples`

/** Lines per container when pods are selected by label. */
const SELECTOR_TAIL = 10

interface LogSource {
  readonly pod: Pod
  readonly container: string
}

export const logs: Command = async (context) => {
  const { flags } = context
  const sources = await findSources(context)
  if (sources.length === 0) {
    await context.warn(`No resources found in ${context.namespace} namespace.`)
    return 0
  }
  const limit = flags.int('max-log-requests') ?? 5
  if (flags.bool('follow') && sources.length > limit) {
    throw clientError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`,
    )
  }
  if (flags.bool('follow')) {
    await Promise.all(sources.map(({ pod, container }) => streamPodLog(context, pod, container, true)))
  } else {
    for (const { pod, container } of sources) await streamPodLog(context, pod, container, false)
  }
  return 0
}

async function findSources(context: CommandContext): Promise<LogSource[]> {
  const { flags, namespace } = context
  const selector = flags.text('selector')
  let { args } = flags
  if (selector) {
    if (args.length > 0) throw clientError('only a selector (-l) or a POD name is allowed')
    const pods = context.client.list(context.mapper.find('pods'), namespace, { labelSelector: selector })
    const found = (pods.items as Pod[]).map(async (pod) => sourcesOf(context, pod))
    return (await Promise.all(found)).flat()
  }
  // The old form `logs POD CONTAINER`.
  const container = args.length === 2 ? args[1] : undefined
  if (container !== undefined) args = args.slice(0, 1)
  if (args.length !== 1) throw new KubectlError(USAGE)
  const pod = findPod(context, args[0]!)
  return container === undefined ? sourcesOf(context, pod) : [{ pod, container }]
}

async function sourcesOf(context: CommandContext, pod: Pod): Promise<LogSource[]> {
  if (!context.flags.bool('all-containers')) return [{ pod, container: await pickContainer(context, pod) }]
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec
  const all = [...initContainers, ...containers, ...ephemeralContainers]
  return all.map(({ name }) => ({ pod, container: name }))
}

/** Writes a container's log; with `follow` until the container ends. */
export async function streamPodLog(
  context: CommandContext,
  pod: Pod,
  container: string,
  follow: boolean,
): Promise<void> {
  const resource = context.mapper.find('pods')
  const request = {
    method: 'GET' as const,
    path: `${resourcePath(resource, pod.metadata.namespace, pod.metadata.name)}/log`,
    query: logQuery(context, container, follow),
  }
  const output = new LogOutput(context, pod, container)
  if (!follow) {
    await output.write(String(context.client.send(request).body))
    return output.flush()
  }
  const { signal } = context
  const decoder = new TextDecoder()
  let written: Promise<void> = Promise.resolve()
  await new Promise<void>((resolve, reject) => {
    let stop: (() => void) | Status = () => undefined
    const abort = () => {
      if (typeof stop === 'function') stop()
      reject(signal.reason)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    const onBytes = (bytes: Uint8Array) => {
      written = written.then(() => output.write(decoder.decode(bytes, { stream: true })))
      written.catch(reject)
      return written
    }
    const onEnd = () => {
      signal.removeEventListener('abort', abort)
      resolve()
    }
    stop = context.client.api.followLog(request, onBytes, onEnd)
    if (typeof stop !== 'function') {
      signal.removeEventListener('abort', abort)
      reject(new ServerError(stop))
    }
  })
  await written
  await output.flush()
}

/** A container's log so far. */
export function readPodLog(context: CommandContext, pod: Pod, container: string): string {
  const resource = context.mapper.find('pods')
  const path = `${resourcePath(resource, pod.metadata.namespace, pod.metadata.name)}/log`
  return String(context.client.send({ method: 'GET', path, query: { container } }).body)
}

function logQuery({ flags }: CommandContext, container: string, follow: boolean): Record<string, string> {
  const tail = flags.int('tail') ?? (flags.text('selector') ? SELECTOR_TAIL : -1)
  const since = flags.duration('since') ?? 0
  const time = flags.text('since-time')
  const limit = flags.int('limit-bytes')
  return {
    container,
    ...(follow && { follow: 'true' }),
    ...(flags.bool('previous') && { previous: 'true' }),
    ...(flags.bool('timestamps') && { timestamps: 'true' }),
    ...(tail >= 0 && { tailLines: String(tail) }),
    ...(since > 0 && { sinceSeconds: String(since) }),
    ...(time !== undefined && { sinceTime: time }),
    ...(limit !== undefined && limit > 0 && { limitBytes: String(limit) }),
  }
}

/** Standard output, with `[pod/name/container] ` before each line where --prefix asks for it. */
class LogOutput {
  readonly #context: CommandContext
  readonly #prefix: string
  #partial = ''

  constructor(context: CommandContext, pod: Pod, container: string) {
    this.#context = context
    this.#prefix = context.flags.bool('prefix') ? `[pod/${pod.metadata.name}/${container}] ` : ''
  }

  async write(text: string): Promise<void> {
    const { stdout } = this.#context.process
    if (this.#prefix === '') return text === '' ? undefined : stdout.write(text)
    const lines = (this.#partial + text).split('\n')
    this.#partial = lines.pop()!
    const output = lines.map((line) => `${this.#prefix}${line}\n`).join('')
    if (output !== '') await stdout.write(output)
  }

  /** What came without a line feed at its end. */
  async flush(): Promise<void> {
    if (this.#partial !== '') await this.#context.process.stdout.write(`${this.#prefix}${this.#partial}`)
  }
}
