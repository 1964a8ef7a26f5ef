// The prober of all kubelets: commands run in the containers, through the pods' supervisor; what goes over the network
// is handed to whoever runs the nodes.

import type { RemoteStreams } from '../api/request.js'
import type { ProbeRequest, ProbeResult, Prober } from '../cluster/prober.js'
import type { PodSupervisor } from './pod-supervisor.js'

/** What the kubelet keeps of a command's output. */
const MAX_OUTPUT_BYTES = 10 * 1024

export class ClusterProber implements Prober {
  onResult: ((id: number, result: ProbeResult) => void) | undefined
  readonly #supervisor: PodSupervisor
  readonly #network: (request: ProbeRequest) => void
  readonly #commands = new Map<number, RemoteStreams>()

  constructor(supervisor: PodSupervisor, network: (request: ProbeRequest) => void) {
    this.#supervisor = supervisor
    this.#network = network
  }

  start(request: ProbeRequest): void {
    if (request.action.kind === 'exec') this.#run(request, request.action.command)
    else this.#network(request)
  }

  cancel(id: number): void {
    this.#commands.get(id)?.close()
    this.#commands.delete(id)
  }

  #run({ id, uid, container }: ProbeRequest, command: readonly string[]): void {
    const session = this.#supervisor.exec(uid, container, { command, stdin: false, tty: false })
    this.#commands.set(id, session)
    const decoder = new TextDecoder()
    let output = ''
    session.onOutput = (_stream, bytes) => {
      if (output.length < MAX_OUTPUT_BYTES) output += decoder.decode(bytes, { stream: true })
    }
    session.onExit = ({ exitCode, error }) => {
      if (!this.#commands.delete(id)) return
      this.onResult?.(id, { ok: exitCode === 0 && error === undefined, output: error ?? output.trimEnd() })
    }
  }
}
