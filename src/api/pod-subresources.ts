// pods/log, pods/exec and pods/attach: finds the container that is meant and hands over to the pod's streams. The
// words of refusals are the API server's and the kubelet's.

import type { ContainerStatus, Pod } from '../cluster/objects.js'
import { knownResource } from '../cluster/resources.js'
import { badRequest, notFound } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import type { LogEntry, PodStreams } from './pod-streams.js'
import type { ApiRequest, ExecRequest, PodPorts, RemoteStreams } from './request.js'
import { containerNotFound } from './status.js'
import { flag, parameter } from './target.js'

export function findPod(store: ObjectStore, namespace: string, name: string): Pod {
  const pod = store.get<Pod>('pods', namespace, name)
  if (pod === undefined) throw notFound(knownResource('pods'), name)
  return pod
}

/** The container's name: the only one where none is given. Fails with BadRequest. */
export function containerOf(pod: Pod, wanted: string | undefined): string {
  const names = pod.spec.containers.map(({ name }) => name)
  const initNames = (pod.spec.initContainers ?? []).map(({ name }) => name)
  const podName = pod.metadata.name
  if (wanted) {
    const isEphemeral = pod.spec.ephemeralContainers?.some(({ name }) => name === wanted) ?? false
    if (names.includes(wanted) || initNames.includes(wanted) || isEphemeral) return wanted
    throw badRequest(`container ${wanted} is not valid for pod ${podName}`)
  }
  if (names.length === 1) return names[0]!
  const init = initNames.length === 0 ? '' : ` or one of the init containers: [${initNames.join(' ')}]`
  throw badRequest(
    `a container name must be specified for pod ${podName}, choose one of: [${names.join(' ')}]${init}`,
  )
}

function statusOfContainer(pod: Pod, container: string): ContainerStatus | undefined {
  const {
    containerStatuses = [],
    initContainerStatuses = [],
    ephemeralContainerStatuses = [],
  } = pod.status ?? {}
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses]
  return all.find(({ name }) => name === container)
}

/** Streams of a running container. */
export function openStreams(
  store: ObjectStore,
  streams: PodStreams,
  request: ExecRequest & { readonly command?: readonly string[] },
): RemoteStreams {
  const pod = findPod(store, request.namespace, request.pod)
  if (!pod.spec.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  const container = containerOf(pod, request.container)
  if (statusOfContainer(pod, container)?.state.running === undefined) throw containerNotFound(container)
  const uid = pod.metadata.uid ?? ''
  const { stdin, tty, command } = request
  if (command === undefined) return streams.attach(uid, container, { stdin, tty })
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container')
  return streams.exec(uid, container, { command, stdin, tty })
}

/** Ports of a pod that has a node. */
export function openPorts(
  store: ObjectStore,
  streams: PodStreams,
  namespace: string,
  name: string,
): PodPorts {
  const pod = findPod(store, namespace, name)
  if (!pod.spec.nodeName) throw badRequest(`pod ${name} does not have a host assigned`)
  return { dial: (port) => streams.portForward(pod.metadata.uid ?? '', port) }
}

/** What a log request asks for. */
export interface LogRequest {
  readonly pod: Pod
  readonly container: string
  readonly previous: boolean
  readonly timestamps: boolean
  readonly sinceMillis: number
  readonly tailLines: number
  readonly limitBytes: number
}

export function parseLogRequest(request: ApiRequest, pod: Pod, now: number): LogRequest {
  const container = containerOf(pod, parameter(request, 'container'))
  const previous = flag(request, 'previous')
  checkHasLog(pod, container, previous)
  const seconds = parameter(request, 'sinceSeconds')
  const time = parameter(request, 'sinceTime')
  const amount = (name: string) => Number(parameter(request, name) ?? Number.POSITIVE_INFINITY)
  return {
    pod,
    container,
    previous,
    timestamps: flag(request, 'timestamps'),
    sinceMillis:
      seconds !== undefined ? now - Number(seconds) * 1000 : time !== undefined ? Date.parse(time) : 0,
    tailLines: amount('tailLines'),
    limitBytes: amount('limitBytes'),
  }
}

/** As the kubelet's validateContainerLogStatus. */
function checkHasLog(pod: Pod, container: string, previous: boolean): void {
  const name = pod.metadata.name
  if (!pod.spec.nodeName) throw badRequest(`pod ${name} does not have a host assigned`)
  const status = statusOfContainer(pod, container)
  const ended = status?.lastState?.terminated !== undefined
  if (previous) {
    if (!ended) throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`)
    return
  }
  const waiting = status === undefined ? { reason: 'ContainerCreating' } : status.state.waiting
  if (waiting === undefined || ended) return
  const why =
    waiting.reason === 'ErrImagePull'
      ? "image can't be pulled"
      : waiting.reason === 'ImagePullBackOff'
        ? 'trying and failing to pull image'
        : waiting.reason
  throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${why}`)
}

/** The log as text, cut as the request wants it. */
export function readLog(streams: PodStreams, request: LogRequest): string {
  const entries = streams.log(request.pod.metadata.uid ?? '', request.container, request.previous)
  const lines = linesOf(entries).filter(({ unixMillis }) => unixMillis >= request.sinceMillis)
  const wanted = request.tailLines < lines.length ? lines.slice(lines.length - request.tailLines) : lines
  const text = wanted.map((line) => (request.timestamps ? stamped(line) : line.text)).join('')
  return request.limitBytes < text.length ? text.slice(0, request.limitBytes) : text
}

interface LogLine {
  readonly unixMillis: number
  /** With its line feed, unless the container has not written it yet. */
  text: string
}

/** RFC 3339 with nanoseconds, as the container runtime writes it. */
function stamped({ unixMillis, text }: LogLine): string {
  return `${new Date(unixMillis).toISOString().replace('Z', '000000Z')} ${text}`
}

/** Lines out of chunks: a line has the time of its first byte, and each stream its own line at a time. */
function linesOf(entries: readonly LogEntry[]): LogLine[] {
  const lines: LogLine[] = []
  const open = new Map<string, LogLine>()
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  for (const { stream, unixMillis, bytes } of entries) {
    for (const part of decoders[stream].decode(bytes, { stream: true }).split(/(?<=\n)/)) {
      if (part === '') continue
      const line = open.get(stream) ?? { unixMillis, text: '' }
      if (line.text === '') lines.push(line)
      line.text += part
      if (part.endsWith('\n')) open.delete(stream)
      else open.set(stream, line)
    }
  }
  return lines
}

/** The log so far, then what comes; with timestamps line by line, otherwise as it is written. */
export function streamLog(
  streams: PodStreams,
  request: LogRequest,
  onBytes: (bytes: Uint8Array) => unknown,
  onEnd: () => void,
): () => void {
  const encoder = new TextEncoder()
  const past = readLog(streams, request)
  if (past !== '') onBytes(encoder.encode(past))
  if (request.previous) {
    onEnd()
    return () => undefined
  }
  let midLine = past !== '' && !past.endsWith('\n')
  const onEntry = (entry: LogEntry): unknown => {
    if (!request.timestamps) return onBytes(entry.bytes)
    let text = ''
    for (const line of linesOf([entry])) {
      text += midLine ? line.text : stamped(line)
      midLine = !line.text.endsWith('\n')
    }
    return onBytes(encoder.encode(text))
  }
  return streams.followLog(request.pod.metadata.uid ?? '', request.container, onEntry, onEnd)
}
