// The Api of a cluster of another process, over HTTPS: requests by a thread that one waits for (request-thread.ts),
// watches and logs as streams, exec and attach over WebSockets (remote-command.ts). Without port forwarding: there is
// kubectl for that.

import type {
  Api,
  ApiRequest,
  ApiResponse,
  ExecRequest,
  PodPorts,
  RemoteStreams,
  Status,
  WatchLine,
} from '../api/request.js'
import type { UserInfo } from '../cluster/service-account-tokens.js'
import { badRequest } from '../cluster/status.js'
import { type ClusterAddress, ClusterRefusal, follow, jsonLines } from './cluster-client.js'
import { RemoteCommand } from './remote-command.js'
import { RequestThread } from './request-thread.js'

export class RemoteApi implements Api {
  readonly #to: ClusterAddress
  readonly #requests: RequestThread

  constructor(to: ClusterAddress) {
    this.#to = to
    this.#requests = new RequestThread(to)
  }

  authenticate(token: string): UserInfo | undefined {
    const path = '/apis/authentication.k8s.io/v1/tokenreviews'
    const review = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token } }
    const { body } = this.request({ method: 'POST', path, body: review })
    const { status } = body as { status?: { authenticated?: boolean; user?: UserInfo } }
    return status?.authenticated ? status.user : undefined
  }

  request(request: ApiRequest): ApiResponse {
    return this.#requests.request(request)
  }

  watch(request: ApiRequest, onLine: (line: WatchLine) => void): () => void {
    return follow(this.#to, pathOf(request.path, { ...request.query, watch: 'true' }), {
      bytes: jsonLines((line) => onLine(line as WatchLine)),
      end: (error) => error && onLine({ type: 'ERROR', object: statusOf(error) }),
    })
  }

  exec({ command, ...request }: ExecRequest & { readonly command: readonly string[] }): RemoteStreams {
    return new CommandStreams(this.#to, commandPath('exec', request, command), request.stdin)
  }

  attach(request: ExecRequest): RemoteStreams {
    return new CommandStreams(this.#to, commandPath('attach', request, []), request.stdin)
  }

  portForward(): PodPorts | Status {
    return badRequest('ports of a cluster of another process are not forwarded here').status
  }

  followLog(request: ApiRequest, onBytes: (bytes: Uint8Array) => unknown, onEnd: () => void): () => void {
    return follow(this.#to, pathOf(request.path, { ...request.query, follow: 'true' }), {
      bytes: onBytes,
      end: onEnd,
    })
  }

  close(): Promise<void> {
    return this.#requests.close()
  }
}

/** A command in a pod. What is written before it runs waits for it. */
class CommandStreams implements RemoteStreams {
  onOutput: RemoteStreams['onOutput']
  readonly #to: ClusterAddress
  readonly #path: string
  readonly #hasInput: boolean
  #onExit: RemoteStreams['onExit']
  #command: Promise<RemoteCommand> | undefined
  #size: readonly [columns: number, rows: number] | undefined
  #over = false

  constructor(to: ClusterAddress, path: string, hasInput: boolean) {
    this.#to = to
    this.#path = path
    this.#hasInput = hasInput
  }

  get onExit(): RemoteStreams['onExit'] {
    return this.#onExit
  }

  set onExit(onExit: RemoteStreams['onExit']) {
    this.#onExit = onExit
    if (onExit !== undefined) this.#command ??= this.#open()
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#command?.then((command) => command.write(bytes)).catch(() => {})
  }

  end(): void {
    if (this.#hasInput) this.#command?.then((command) => command.end()).catch(() => {})
  }

  resize(columns: number, rows: number): void {
    this.#size = [columns, rows]
    this.#command?.then((command) => command.resize(columns, rows)).catch(() => {})
  }

  close(): void {
    this.#command?.then((command) => command.close()).catch(() => {})
  }

  #open(): Promise<RemoteCommand> {
    const opening = RemoteCommand.open(this.#to, this.#path, {
      output: (stream, bytes) => this.onOutput?.(stream, bytes),
      exit: (end) => this.#exit(end),
    })
    opening.then(
      (command) => this.#size && command.resize(...this.#size),
      (error: Error) => this.#exit({ exitCode: 1, error: error.message }),
    )
    return opening
  }

  #exit(end: { readonly exitCode: number; readonly error?: string }): void {
    if (this.#over) return
    this.#over = true
    this.#onExit?.(end)
  }
}

function commandPath(
  what: 'exec' | 'attach',
  { namespace, pod, container, stdin, tty }: ExecRequest,
  command: readonly string[],
): string {
  return pathOf(`/api/v1/namespaces/${namespace}/pods/${pod}/${what}`, {
    ...(container !== undefined && { container }),
    stdin: `${stdin}`,
    stdout: 'true',
    stderr: `${!tty}`,
    tty: `${tty}`,
    ...(command.length > 0 && { command }),
  })
}

function pathOf(path: string, query: Readonly<Record<string, string | readonly string[]>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    for (const one of [value].flat()) parameters.append(name, one)
  return `${path}?${parameters}`
}

function statusOf(error: Error): Status {
  const code = error instanceof ClusterRefusal ? error.code : 503
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: error.message, code }
}
