// A command in a pod, through the API as kubectl exec does it, and which pod is meant.

import type { Api, RemoteStreams, Status } from '../api/request.js'
import type { Micros } from '../base/time.js'
import type { Pod } from '../cluster/objects.js'
import type { Clock } from '../posix/process.js'
import { Screen } from './screen.js'

export interface PodTarget {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Those that it has, the primary one first. */
  readonly addresses: readonly string[]
}

/** `curl`, `namespace/curl`, or a label selector (first by name). Throws an Error in words when there is none. */
export function findPod(api: Api, reference: string): PodTarget {
  return findPods(api, reference)[0]!
}

/** Of a label selector all pods that run, by name; never empty. Throws as findPod does. */
export function findPods(api: Api, reference: string): PodTarget[] {
  const slash = reference.indexOf('/')
  const namespace = slash < 0 ? 'default' : reference.slice(0, slash)
  const name = reference.slice(slash + 1)
  const base = `/api/v1/namespaces/${namespace}/pods`
  if (!/[=!]/.test(name)) {
    const response = api.request({ method: 'GET', path: `${base}/${name}` })
    if (response.status !== 200)
      throw new Error((response.body as Status).message ?? `pods "${name}" not found`)
    return [target(namespace, response.body as Pod)]
  }
  const response = api.request({ method: 'GET', path: base, query: { labelSelector: name } })
  if (response.status !== 200) throw new Error((response.body as Status).message ?? `bad selector ${name}`)
  const pods = (response.body as { items: Pod[] }).items
  const running = pods.filter((pod) => pod.status?.phase === 'Running')
  if (running.length === 0) throw new Error(`no running pod matches ${name} in namespace ${namespace}`)
  return running
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((pod) => target(namespace, pod))
}

function target(namespace: string, pod: Pod): PodTarget {
  const { podIPs = [] } = pod.status ?? {}
  const addresses = podIPs.map(({ ip }) => ip)
  return { namespace, name: pod.metadata.name, uid: pod.metadata.uid ?? '', addresses }
}

export interface ExecResult {
  readonly exitCode: number
  readonly output: string
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

/** Runs `script` with the container's sh; ends it after `timeout`. */
export async function execInPod(
  api: Api,
  clock: Clock,
  pod: PodTarget,
  options: { readonly container?: string | undefined; readonly script: string; readonly timeout: Micros },
): Promise<ExecResult> {
  const screen = new Screen()
  const streams = api.exec({
    namespace: pod.namespace,
    pod: pod.name,
    ...(options.container === undefined ? {} : { container: options.container }),
    stdin: false,
    tty: false,
    command: ['sh', '-c', options.script],
  })
  if (isStatus(streams)) {
    const message = `${streams.message ?? 'exec failed'}\n`
    return { exitCode: 1, output: message, stdout: '', stderr: message, timedOut: false }
  }
  streams.onOutput = (stream, bytes) => screen.show(stream, bytes)
  streams.onExit = ({ exitCode, error }) => {
    if (error !== undefined) screen.show('stderr', `${error}\n`)
    screen.end(exitCode)
  }
  const over = new AbortController()
  const timer = new AbortController()
  clock.sleep(options.timeout, timer.signal).then(
    () => over.abort(),
    () => {},
  )
  const ended = await screen.until(() => screen.exitCode !== undefined, over.signal)
  timer.abort(new Error('no longer waiting'))
  if (!ended) streams.close()
  const { text, stdout, stderr, exitCode = 124 } = screen
  return { exitCode, output: text, stdout, stderr, timedOut: !ended }
}

function isStatus(value: RemoteStreams | Status): value is Status {
  return (value as Status).kind === 'Status'
}
