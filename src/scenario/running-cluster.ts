// A cluster that somebody's own code drives - a test, a notebook, a demonstration: what `up` of the library gives.
// Every call lets emulated time pass until it has its answer; between calls the virtual clock stands.

import type { Api } from '../api/request.js'
import { type Micros, SECOND } from '../base/time.js'
import type { Emulation, FlowEvent } from '../drivers/emulation.js'
import type { Program } from '../posix/process.js'
import { HostShell } from './host-shell.js'
import { type ExecResult, execInPod, findPod } from './pod-exec.js'
import { STEP_TIMEOUT } from './stage.js'

export interface CommandOutput {
  readonly exitCode: number
  readonly stdout: string
  /** Both streams in the order in which they were written. */
  readonly output: string
}

export interface ExecOptions {
  /** Default: the pod's first container. */
  readonly container?: string
  /** Emulated seconds until the command is ended; default 60. */
  readonly timeoutSeconds?: number
}

export class RunningCluster implements AsyncDisposable {
  /** Every connection that a kube-proxy accepted so far, in order. */
  readonly flows: FlowEvent[] = []
  readonly emulation: Emulation
  readonly #host: HostShell

  /**
   * `programs` are those of `kubectl` and `shell`; `directory`: absolute path of the files that their commands may name.
   */
  constructor(emulation: Emulation, programs: ReadonlyMap<string, Program>, directory: string) {
    this.emulation = emulation
    this.#host = new HostShell(emulation, programs, directory)
    emulation.onFlow((flow) => this.flows.push(flow))
  }

  /** The API server, in process: requests as a Kubernetes client sends them. */
  get api(): Api {
    return this.emulation.api
  }

  /** Emulated milliseconds since the start. */
  get nowMillis(): number {
    return this.emulation.now() / 1000
  }

  /** `kubectl('get pods -o wide')`. Never rejects for a command that fails: see `exitCode`. */
  kubectl(command: string): Promise<CommandOutput> {
    return this.shell(`kubectl ${command}`)
  }

  /** A command line outside the cluster: kubectl and text tools, pipes and variables; nothing of the real machine. */
  async shell(line: string): Promise<CommandOutput> {
    const { exitCode, stdout, output } = await this.#host.run(line, STEP_TIMEOUT)
    return { exitCode, stdout, output }
  }

  /** Applies manifests: YAML or JSON text, or one object. Rejects with kubectl's words when one is refused. */
  async apply(manifest: string | object): Promise<void> {
    const file = '/tmp/apply.yaml'
    const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
    this.#host.writeFile(file, text)
    const { exitCode, output } = await this.#host.runProgram(['kubectl', 'apply', '-f', file], STEP_TIMEOUT)
    if (exitCode !== 0) throw new Error(output.trim())
  }

  /** Runs a script with the shell of a pod: `curl`, `namespace/curl`, or a label selector like `app=web`. */
  async exec(pod: string, script: string, options: ExecOptions = {}): Promise<ExecResult> {
    const { api, emulation } = this
    const timeout: Micros =
      options.timeoutSeconds === undefined ? STEP_TIMEOUT : options.timeoutSeconds * SECOND
    const { clock } = this.#host.system
    return emulation.run(
      execInPod(api, clock, findPod(api, pod), { container: options.container, script, timeout }),
    )
  }

  /** Lets emulated time pass. */
  async sleep(milliseconds: number): Promise<void> {
    if (!(milliseconds >= 0)) throw new TypeError(`sleep: not a number of milliseconds: ${milliseconds}`)
    return this.emulation.sleep(milliseconds * 1000)
  }

  /** Waits until nothing changes any more by itself; rejects when it still does after `timeoutSeconds`. */
  async settle(timeoutSeconds = 60): Promise<void> {
    if (await this.emulation.settle(timeoutSeconds * SECOND)) return
    const { output } = await this.kubectl('get pods -A')
    throw new Error(`not settled after ${timeoutSeconds} s of emulated time:\n${output}`)
  }

  /** Ends the cluster: no thread, timer or file handle stays. */
  close(): Promise<void> {
    return this.emulation.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
