// An API server over a real store and admission, with pods' streams that tests script; and kubectl as a program
// over it, run with a file system, a clock that tests advance, and collected output.

import type { MetricsSource, PodUsage, Usage } from '../../src/api/metrics.js'
import type { LogEntry, PodStreams } from '../../src/api/pod-streams.js'
import type { ForwardStreams, RemoteStreams } from '../../src/api/request.js'
import { ApiServer } from '../../src/api/server.js'
import { Random } from '../../src/base/random.js'
import type { Micros } from '../../src/base/time.js'
import { Admission } from '../../src/cluster/admission.js'
import { ClusterClock } from '../../src/cluster/clock.js'
import type { KubeObject, Pod } from '../../src/cluster/objects.js'
import { ServiceAccountTokens } from '../../src/cluster/service-account-tokens.js'
import { MemoryStore } from '../../src/cluster/store.js'
import { kubectl } from '../../src/kubectl/main.js'
import { MemoryFileSystem } from '../../src/posix/memory-fs.js'
import { CollectingWriter, emptyReader } from '../../src/posix/pipe.js'
import { type ByteReader, type Clock, Killed, type Process, type System } from '../../src/posix/process.js'
import { Quota } from '../../src/posix/quota.js'
import { Volume } from '../../src/posix/volume.js'

export const START = Date.parse('2021-09-13T12:00:00Z')

/** A container that tests play: what it is asked to run, and what it answers. */
export class FakeStreams implements PodStreams {
  readonly execs: { container: string; command: readonly string[]; stdin: boolean; tty: boolean }[] = []
  /** Called with the streams of each exec or attach. */
  onOpen: (streams: FakeRemote, command: readonly string[] | undefined) => void = (streams) => streams.exit(0)
  readonly entries: LogEntry[] = []
  readonly followers = new Set<{ onEntry: (entry: LogEntry) => void; onEnd: () => void }>()

  exec(
    _uid: string,
    container: string,
    options: { command: readonly string[]; stdin: boolean; tty: boolean },
  ) {
    this.execs.push({ container, ...options })
    return this.#open(options.command)
  }

  attach(_uid: string, _container: string): RemoteStreams {
    return this.#open(undefined)
  }

  portForward(): ForwardStreams {
    return this.#open(undefined)
  }

  #open(command: readonly string[] | undefined): FakeRemote {
    const remote = new FakeRemote()
    queueMicrotask(() => this.onOpen(remote, command))
    return remote
  }

  log(): readonly LogEntry[] {
    return this.entries
  }

  followLog(_uid: string, _container: string, onEntry: (entry: LogEntry) => void, onEnd: () => void) {
    const follower = { onEntry, onEnd }
    this.followers.add(follower)
    return () => this.followers.delete(follower)
  }

  /** A line of the container at `seconds` after the start. */
  write(seconds: number, text: string): void {
    const bytes = new TextEncoder().encode(text)
    const entry: LogEntry = { unixMillis: START + seconds * 1000, stream: 'stdout', bytes }
    this.entries.push(entry)
    for (const { onEntry } of this.followers) onEntry(entry)
  }
}

/** What tests say that pods and nodes use. */
export class FakeMetrics implements MetricsSource {
  unavailable: string | undefined
  readonly pods = new Map<string, PodUsage>()
  readonly nodes = new Map<string, Usage>()

  pod(uid: string): PodUsage | undefined {
    return this.pods.get(uid)
  }

  node(name: string): Usage | undefined {
    return this.nodes.get(name)
  }
}

export class FakeRemote implements RemoteStreams, ForwardStreams {
  onOutput: RemoteStreams['onOutput']
  onOutputEnd: ForwardStreams['onOutputEnd']
  onExit: RemoteStreams['onExit']
  input = ''
  ended = false
  closed = false

  output(text: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    this.onOutput?.(stream, new TextEncoder().encode(text))
  }

  exit(exitCode: number, error?: string): void {
    this.onExit?.(error === undefined ? { exitCode } : { exitCode, error })
  }

  onInput: (text: string) => void = () => undefined
  onEnd: () => void = () => undefined

  write(bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes)
    this.input += text
    this.onInput(text)
  }

  end(): void {
    this.ended = true
    this.onEnd()
  }

  resize(): void {}

  close(): void {
    this.closed = true
  }
}

/** Sleeps end when the test advances time. */
class TestClock implements Clock {
  #now: Micros = 0
  #sleepers: { due: Micros; wake: () => void }[] = []

  now(): Micros {
    return this.#now
  }

  unixMillis(): number {
    return START + this.#now / 1000
  }

  sleep(duration: Micros, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      signal?.addEventListener('abort', () => reject(signal.reason))
      this.#sleepers.push({ due: this.#now + duration, wake: resolve })
    })
  }

  async spend(): Promise<void> {}

  advance(duration: Micros): void {
    this.#now += duration
    const due = this.#sleepers.filter((sleeper) => sleeper.due <= this.#now)
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.due > this.#now)
    for (const { wake } of due) wake()
  }
}

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** A kubectl that is still running. */
export interface Running {
  readonly ended: Promise<Ran>
  stdout(): string
  interrupt(): void
}

export class ApiFixture {
  readonly cluster = new ClusterClock(START)
  readonly clock = new TestClock()
  readonly store: MemoryStore
  readonly admission: Admission
  readonly streams = new FakeStreams()
  readonly metrics = new FakeMetrics()
  readonly api: ApiServer
  readonly fs = new MemoryFileSystem(new Volume(new Quota(1 << 20), () => START))

  constructor() {
    const random = new Random('test')
    this.store = new MemoryStore(this.cluster, random)
    this.admission = new Admission({
      store: this.store,
      clock: this.cluster,
      random,
      serviceSubnet: '10.96.0.0/12',
    })
    this.api = new ApiServer({
      store: this.store,
      writer: this.admission,
      streams: this.streams,
      metrics: this.metrics,
      tokens: new ServiceAccountTokens({
        key: new Uint8Array(32),
        random: new Random('tokens'),
        clusterDomain: 'cluster.local',
        store: this.store,
        clock: this.cluster,
      }),
      unixMillis: () => this.clock.unixMillis(),
    })
    for (const name of ['default', 'kube-system']) {
      this.admission.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as KubeObject)
    }
  }

  advance(seconds: number): void {
    this.cluster.now += seconds * 1_000_000
    this.clock.advance(seconds * 1_000_000)
  }

  /** A pod whose containers all run, on node `k8s-node1`. */
  runningPod(
    name: string,
    options: { containers?: string[]; labels?: Record<string, string>; tty?: boolean } = {},
  ): Pod {
    const containers = (options.containers ?? ['main']).map((container) => ({
      name: container,
      image: 'nginx',
      ...(options.tty && { stdin: true, tty: true }),
    }))
    const pod = this.admission.create<Pod>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...(options.labels && { labels: options.labels }) },
      spec: { containers, nodeName: 'k8s-node1' },
    } as unknown as Pod)
    return this.start(pod)
  }

  /** Sets the status of a pod that runs. */
  start(pod: Pod): Pod {
    const current = this.store.get<Pod>('pods', pod.metadata.namespace, pod.metadata.name)!
    const startedAt = this.cluster.timestamp()
    return this.store.update<Pod>({
      ...current,
      spec: { ...current.spec, nodeName: 'k8s-node1' },
      status: {
        phase: 'Running',
        podIP: '10.36.0.0',
        podIPs: [{ ip: '10.36.0.0' }],
        startTime: startedAt,
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: startedAt }],
        containerStatuses: current.spec.containers.map(({ name, image }) => ({
          name,
          image,
          imageID: '',
          ready: true,
          started: true,
          restartCount: 0,
          state: { running: { startedAt } },
          lastState: {},
        })),
      },
    })
  }

  /** Runs kubectl with these words to its end. */
  async kubectl(line: string | readonly string[], stdin?: ByteReader): Promise<Ran> {
    return this.startKubectl(line, stdin).ended
  }

  startKubectl(line: string | readonly string[], stdin: ByteReader = emptyReader()): Running {
    const words = typeof line === 'string' ? line.split(' ') : line
    const stdout = new CollectingWriter()
    const stderr = new CollectingWriter()
    const abort = new AbortController()
    const process: Process = {
      pid: 1,
      group: 1,
      argv: ['kubectl', ...words],
      env: new Map(),
      umask: 0o022,
      cwd: '/',
      stdin,
      stdout,
      stderr,
      signal: abort.signal,
      system: { hostname: 'host', fs: this.fs, clock: this.clock } as unknown as System,
      onSignal: () => undefined,
      hold: () => {},
    }
    const program = kubectl(this.api)
    const ended = program(process)
      .catch((error: unknown) => {
        if (error instanceof Killed) return 130
        throw error
      })
      .then((exitCode) => ({ stdout: stdout.text(), stderr: stderr.text(), exitCode }))
    return { ended, stdout: () => stdout.text(), interrupt: () => abort.abort(new Killed('SIGINT')) }
  }
}

/** Lets what is ready run: programs only wait for promises here. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve()
}
