// The request-to-response layer without sockets: what the HTTPS front, the built-in kubectl and the scenario
// runner have in common. A request is what a Kubernetes client would send; bodies are JSON data already parsed.

import type { KubeObject } from '../cluster/objects.js'
import type { UserInfo } from '../cluster/service-account-tokens.js'

export type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface ApiRequest {
  readonly method: Verb
  /** Path without the query: `/api/v1/namespaces/default/pods/curl`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  /** Accept, Content-Type; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Who asks; default: the administrator, as in this process. */
  readonly user?: UserInfo
}

export interface ApiResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON data (an object, a list, a Table, a Status), or text for logs. */
  readonly body: unknown
}

/** A Kubernetes `Status` object: how every failure is told. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  /** A list that cannot be continued as it was says how it can. */
  metadata: { continue?: string; resourceVersion?: string }
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: {
    name?: string
    group?: string
    kind?: string
    uid?: string
    causes?: { reason?: string; message?: string; field?: string }[]
    retryAfterSeconds?: number
  }
  code?: number
}

export interface WatchLine {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject | Status | Record<string, unknown>
}

/**
 * The client's end of exec and attach; bytes both ways, as on the streams of the remote command protocol. What it
 * stands for begins when `onExit` is set: a size that is told before is the terminal's first.
 */
export interface RemoteStreams {
  /**
   * Called by the pod's side with output, in order. `stderr` only without a TTY. When it returns a promise, the bytes
   * count as taken once that has settled, and a program that writes much waits for it.
   */
  onOutput: ((stream: 'stdout' | 'stderr', bytes: Uint8Array) => unknown) | undefined
  /** Called once: exit code of the command (attach: of the container), or why it could not run. */
  onExit: ((exit: { readonly exitCode: number; readonly error?: string }) => void) | undefined
  /** When it returns a promise, the pod's side has room for more once that has settled. It never rejects. */
  write(bytes: Uint8Array): unknown
  /** End of standard input. */
  end(): void
  resize(columns: number, rows: number): void
  /** The client goes away; what runs in the pod gets SIGHUP (exec) or stays (attach). */
  close(): void
}

/** The client's end of one TCP connection to a port of a pod; it begins when `onExit` is set. */
export interface ForwardStreams {
  /** As that of RemoteStreams. */
  onOutput: ((stream: 'stdout' | 'stderr', bytes: Uint8Array) => unknown) | undefined
  /** The pod's side has sent FIN: no more output comes, input is still taken. */
  onOutputEnd: (() => void) | undefined
  /** Called once, when both sides have ended; `error` in the kubelet's words when it was not made or broke. */
  onExit: ((exit: { readonly exitCode: number; readonly error?: string }) => void) | undefined
  write(bytes: Uint8Array): unknown
  /** FIN after what was written. */
  end(): void
  /** RST. */
  close(): void
}

/** pods/portforward of one pod. */
export interface PodPorts {
  /** Connects to 127.0.0.1:`port` in the pod's network, as the kubelet does. */
  dial(port: number): ForwardStreams
}

export interface ExecRequest {
  readonly namespace: string
  readonly pod: string
  readonly container?: string
  readonly stdin: boolean
  readonly tty: boolean
}

/** The API server as its in-process clients see it. */
export interface Api {
  /** Whose token it is; undefined when the server does not know it, or no longer. */
  authenticate(token: string): UserInfo | undefined
  request(request: ApiRequest): ApiResponse
  /** Watches what a GET with `watch=true` would; the returned function ends it. A refused watch calls `onLine` once with ERROR. */
  watch(request: ApiRequest, onLine: (line: WatchLine) => void): () => void
  /**
   * The line that tells a watch of `request` that it has heard of everything until now. Not where the server is another
   * process: what it has told may be on its way still.
   */
  bookmark?(request: ApiRequest): WatchLine
  /** pods/exec. Throws an ApiError-like `Status` through `onExit.error` when the pod is not there or not running. */
  exec(request: ExecRequest & { readonly command: readonly string[] }): RemoteStreams | Status
  /** pods/attach: the container's own standard streams. */
  attach(request: ExecRequest): RemoteStreams | Status
  portForward(request: { readonly namespace: string; readonly pod: string }): PodPorts | Status
  /** pods/log with follow=true: lines as they come; the returned function ends it. `onBytes` as onOutput. */
  followLog(
    request: ApiRequest,
    onBytes: (bytes: Uint8Array) => unknown,
    onEnd: () => void,
  ): (() => void) | Status
}
