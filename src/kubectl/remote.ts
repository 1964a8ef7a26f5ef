// The client's side of exec and attach: standard input to the pod, its output to standard output and error, until
// the remote end tells how it ended. What a terminal does to keys (echo, ^C) is the pod's side's business.

import type { RemoteStreams } from '../api/request.js'
import type { Pod } from '../cluster/objects.js'
import type { Process } from '../posix/process.js'
import type { CommandContext } from './context.js'
import { clientError } from './errors.js'
import { fetchTarget, parseTargets } from './targets.js'

export interface RemoteExit {
  readonly exitCode: number
  readonly error?: string
}

const ROWS = 24

/** Joins the process to the remote streams, after what was written in the `past`; rejects with the signal's reason when the process is ended. */
export async function pump(
  { process }: { readonly process: Pick<Process, 'signal' | 'stdin' | 'stdout' | 'stderr'> },
  remote: RemoteStreams,
  options: { readonly stdin: boolean; readonly tty: boolean; readonly past?: string },
): Promise<RemoteExit> {
  const { signal, stdin, stdout, stderr } = process
  let written: Promise<void> = options.past ? stdout.write(options.past) : Promise.resolve()
  let ended = false
  const exit = await new Promise<RemoteExit>((resolve, reject) => {
    const hangUp = () => {
      ended = true
      remote.close()
      reject(signal.reason)
    }
    if (signal.aborted) return hangUp()
    signal.addEventListener('abort', hangUp, { once: true })
    const fail = (error: unknown) => {
      signal.removeEventListener('abort', hangUp)
      ended = true
      remote.close()
      reject(error)
    }
    remote.onOutput = (stream, bytes) => {
      // One after the other: a slow reader of our output holds up what comes after.
      written = written.then(() => (stream === 'stdout' ? stdout : stderr).write(bytes))
      written.catch(fail)
      return written
    }
    remote.onExit = (how) => {
      ended = true
      signal.removeEventListener('abort', hangUp)
      resolve(how)
    }
    if (options.tty && stdout.columns !== undefined) remote.resize(stdout.columns, ROWS)
    if (options.stdin) feed().catch(fail)
  })
  await written
  return exit

  async function feed(): Promise<void> {
    while (!ended) {
      const bytes = await stdin.read()
      if (ended) {
        if (bytes !== undefined) stdin.unread(bytes)
        return
      }
      if (bytes === undefined) return remote.end()
      await remote.write(bytes)
    }
  }
}

/** Whether a terminal can be had: `-t` needs `-i` and a standard input that is one. */
export async function wantsTty(context: CommandContext): Promise<boolean> {
  const { flags, process } = context
  if (!flags.bool('tty') || !flags.bool('stdin')) return false
  if (process.stdin.isTTY) return true
  if (!flags.bool('quiet')) {
    await context.warn('Unable to use a TTY - input is not a terminal or the right kind of file')
  }
  return false
}

/** The pod that `POD` or `TYPE/NAME` means; of a workload or a service, its first pod that runs. */
export function findPod(context: CommandContext, argument: string): Pod {
  const pods = context.mapper.find('pods')
  if (!argument.includes('/')) return context.client.get<Pod>(pods, context.namespace, argument)
  const [found] = fetchTarget(context, parseTargets(context, [argument])[0]!)
  const object = found!.object
  if (object.kind === 'Pod') return object as Pod
  const labels = selectorOf(object)
  if (labels === undefined) {
    throw clientError(`cannot attach to *${object.apiVersion}.${object.kind}: selector is not known`)
  }
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const list = context.client.list(pods, found!.namespace, { labelSelector }).items as Pod[]
  const running = list.find((pod) => pod.status?.phase === 'Running') ?? list[0]
  if (running === undefined) {
    throw clientError(`timed out waiting for the condition: no pods of ${argument}`)
  }
  return running
}

function selectorOf(object: Readonly<Record<string, unknown>>): Record<string, string> | undefined {
  const selector = (object['spec'] as { selector?: unknown } | undefined)?.selector
  if (typeof selector !== 'object' || selector === null) return undefined
  const labels = 'matchLabels' in selector ? selector.matchLabels : selector
  return labels as Record<string, string>
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

/** `-c`, or else the annotated or the first container; says so when there was a choice. */
export async function pickContainer(context: CommandContext, pod: Pod): Promise<string> {
  const wanted = context.flags.text('container')
  if (wanted) return wanted
  const names = pod.spec.containers.map(({ name }) => name)
  const annotated = pod.metadata.annotations?.[DEFAULT_CONTAINER]
  if (annotated !== undefined && names.includes(annotated)) return annotated
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map(({ name }) => `${name} (ephem)`)
  const init = (pod.spec.initContainers ?? []).map(({ name }) => `${name} (init)`)
  const all = [...names, ...ephemeral, ...init]
  if (all.length > 1 && !context.flags.bool('quiet')) {
    await context.warn(`Defaulted container "${names[0]}" out of: ${all.join(', ')}`)
  }
  return names[0]!
}
