// An Emulation without a cluster, for tests of what runs on one: a clock that jumps, a host system in memory, and
// an API whose exec is a function. It shows the contract of drivers/emulation.ts, not the behaviour of pods.

import type { Api, RemoteStreams, Status } from '../../src/api/request.js'
import { Random } from '../../src/base/random.js'
import type { Micros } from '../../src/base/time.js'
import type { ClockKind, Emulation, FlowEvent, HostDns, LinkTarget } from '../../src/drivers/emulation.js'
import type { OutsideHost } from '../../src/drivers/external-host.js'
import type { NodeCommandResult } from '../../src/drivers/node-shell.js'
import type { ProxyStatistics } from '../../src/drivers/proxy-statistics.js'
import type { LinkOptions } from '../../src/fabric/link.js'
import { randomKeys } from '../../src/http/certificate-keys.js'
import { CertificateAuthority } from '../../src/http/certificates.js'
import { LocalSystem, type OwnedNet } from '../../src/posix/local-system.js'
import { MemoryFileSystem } from '../../src/posix/memory-fs.js'
import { discardingWriter, emptyReader } from '../../src/posix/pipe.js'
import type { Clock, Program, System } from '../../src/posix/process.js'
import { Quota } from '../../src/posix/quota.js'
import { Volume } from '../../src/posix/volume.js'

interface Timer {
  readonly at: Micros
  readonly fire: () => void
}

export class FakeClock implements Clock {
  #now: Micros = 0
  readonly #timers: Timer[] = []

  now(): Micros {
    return this.#now
  }

  unixMillis(): number {
    return this.#now / 1000
  }

  sleep(duration: Micros, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = { at: this.#now + duration, fire: resolve }
      this.#timers.push(timer)
      signal?.addEventListener('abort', () => {
        const index = this.#timers.indexOf(timer)
        if (index >= 0) this.#timers.splice(index, 1)
        reject(signal.reason)
      })
    })
  }

  spend(duration: Micros): Promise<void> {
    return this.sleep(duration)
  }

  /** Jumps to the next timer; false when there is none. */
  jump(): boolean {
    this.#timers.sort((a, b) => a.at - b.at)
    const next = this.#timers.shift()
    if (next === undefined) return false
    this.#now = Math.max(this.#now, next.at)
    next.fire()
    return true
  }
}

export interface FakeOptions {
  readonly clock?: ClockKind
  /** What a command in a pod writes and gives as status; undefined: no such pod. */
  readonly exec?: (
    pod: string,
    command: readonly string[],
    fake: FakeEmulation,
  ) => { readonly output: string; readonly exitCode: number } | undefined
}

export class FakeEmulation implements Emulation {
  readonly clock: ClockKind
  readonly seed = 1
  readonly nodes = ['k8s-node1']
  readonly captureProblem = undefined
  readonly time = new FakeClock()
  readonly api: Api
  readonly certificates = new CertificateAuthority(randomKeys(0))
  readonly log: string[] = []
  closed = false
  readonly #listeners = new Set<(event: FlowEvent) => void>()

  constructor(options: FakeOptions = {}) {
    this.clock = options.clock ?? 'virtual'
    this.api = fakeApi(this, options)
  }

  now(): Micros {
    return this.time.now()
  }

  hostSystem(options: { readonly programs: ReadonlyMap<string, Program> }): System {
    const root = new Volume(new Quota(1 << 24), () => this.time.unixMillis())
    const local = new LocalSystem({
      hostname: 'host',
      fs: new MemoryFileSystem(root),
      openNet: () => ({ closeAll() {} }) as unknown as OwnedNet,
      clock: this.time,
      random: new Random('host'),
      programs: options.programs,
      protectInit: false,
    })
    let system: System | undefined
    const keep: Program = async (process) => {
      system = process.system
      return 0
    }
    const streams = { stdin: emptyReader(), stdout: discardingWriter(), stderr: discardingWriter() }
    local.start(keep, { argv: ['init'], env: new Map(), cwd: '/', ...streams })
    return system!
  }

  async run<Value>(work: Promise<Value>): Promise<Value> {
    let settled = false
    const end = () => {
      settled = true
    }
    work.then(end, end)
    while (!settled) {
      await new Promise((resolve) => setImmediate(resolve))
      if (!settled && !this.time.jump()) throw new Error('the work waits for nothing')
    }
    return work
  }

  sleep(duration: Micros): Promise<void> {
    return this.run(this.time.sleep(duration))
  }

  async settle(): Promise<boolean> {
    this.log.push('settle')
    return true
  }

  proxyMode(): string {
    return 'userspace'
  }

  async setProxyMode(mode: string, node?: string): Promise<void> {
    this.log.push(`proxy mode ${mode} ${node ?? 'everywhere'}`)
  }

  async setLink(target: LinkTarget, options: LinkOptions): Promise<void> {
    this.log.push(`link ${JSON.stringify(target)} ${JSON.stringify(options)}`)
  }

  async proxyStatistics(): Promise<ProxyStatistics> {
    return { rules: 3, syncs: 1, syncMillis: 0.5 }
  }

  async execOnNode(node: string, script: string): Promise<NodeCommandResult> {
    return { exitCode: 0, stdout: `${script} on ${node}\n`, stderr: '' }
  }

  nodeShell(): RemoteStreams {
    throw new TypeError('there is no node in an emulation without a cluster')
  }

  outside(): OutsideHost {
    throw new TypeError('there is no network around an emulation without a cluster')
  }

  exposeDns(): Promise<HostDns> {
    return Promise.reject(new TypeError('there is no DNS server'))
  }

  onFlow(listener: (event: FlowEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells listeners of a connection of the pod `curl` to `endpoint`. */
  flow(endpoint: string | undefined): void {
    for (const listener of this.#listeners) {
      listener({
        at: this.now(),
        node: 'k8s-node1',
        protocol: 'TCP',
        client: '10.36.0.9:40000',
        service: 'default/web:http',
        clusterIP: '10.97.98.36:8080',
        endpoint,
      })
    }
  }

  async close(): Promise<void> {
    this.closed = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function fakeApi(fake: FakeEmulation, options: FakeOptions): Api {
  const refused: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'refused',
  }
  return {
    authenticate: () => undefined,
    request: ({ path }) => {
      const name = path.split('/').at(-1)!
      const found = options.exec?.(name, [], fake) !== undefined
      const body = found
        ? {
            metadata: { name },
            status: { phase: 'Running', podIP: '10.36.0.9', podIPs: [{ ip: '10.36.0.9' }] },
          }
        : { ...refused, message: `pods "${name}" not found` }
      return { status: found ? 200 : 404, headers: {}, body }
    },
    exec: ({ pod, command }) => {
      const result = options.exec?.(pod, command, fake)
      if (result === undefined) return refused
      const streams: RemoteStreams = {
        onOutput: undefined,
        onExit: undefined,
        write() {},
        end() {},
        resize() {},
        close() {},
      }
      queueMicrotask(() => {
        streams.onOutput?.('stdout', new TextEncoder().encode(result.output))
        streams.onExit?.({ exitCode: result.exitCode })
      })
      return streams
    },
    watch: () => () => {},
    attach: () => refused,
    portForward: () => refused,
    followLog: () => refused,
  }
}

/** Lines that `sh -c` knows: output and status; anything else is not found. */
export type Script = Readonly<Record<string, readonly [output: string, status: number]>>

/** A `sh` that knows the lines of a script, and sessions: `session curl` opens a prompt at which they are known too. */
export function scriptedShell(script: Script): Program {
  return async (process) => {
    const line = process.argv[2]!
    const answer = (typed: string) => script[typed] ?? [`sh: ${typed.split(' ')[0]}: not found\n`, 127]
    const pod = /^session (\w+)$/.exec(line)?.[1]
    if (pod === undefined) {
      const [output, status] = answer(line)
      await process.stdout.write(output)
      return status
    }
    const prompt = `[ root@${pod}:/ ]$ `
    let last = 0
    await process.stdout.write("If you don't see a command prompt, try pressing enter.\r\n")
    for (;;) {
      const bytes = await process.stdin.read()
      if (bytes === undefined) return last
      const typed = new TextDecoder().decode(bytes).trimEnd()
      const [output, status] =
        typed === 'echo $?' ? [`${last}\n`, 0] : typed === '' ? ['', last] : answer(typed)
      await process.stdout.write(`${typed}\n${output}`.replaceAll('\n', '\r\n'))
      await process.system.clock.sleep(1000)
      if (typed === 'exit') return 0
      await process.stdout.write(prompt)
      last = status
    }
  }
}
