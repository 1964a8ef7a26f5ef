// One container of a pod: its own image, variables and file system over the pod's volumes and network, its main
// process, and the streams of those who look in (logs, exec, attach). Knows nothing of restarts: the kubelet
// decides what an exit means.

import type { LogEntry } from '../api/pod-streams.js'
import type { Random } from '../base/random.js'
import { MILLISECOND, type Micros } from '../base/time.js'
import { randomHex } from '../cluster/names.js'
import type { ContainerExit, ContainerSpec } from '../cluster/sandbox.js'
import { LocalSystem, type OwnedNet } from '../posix/local-system.js'
import { MemoryFileSystem } from '../posix/memory-fs.js'
import { emptyReader, Pipe } from '../posix/pipe.js'
import type { ByteWriter, Child, Clock } from '../posix/process.js'
import type { Quota } from '../posix/quota.js'
import { Terminal } from '../posix/terminal.js'
import { Volume } from '../posix/volume.js'
import { ExecSession, ownedBytes } from './exec-session.js'
import { argumentVector, type Image } from './image.js'
import { loadClient } from './load/load-client.js'
import { LOAD_COMMAND } from './load/load-spec.js'
import type { SessionOptions, StreamId } from './protocol.js'
import { StreamTaken, StreamWindow } from './stream-window.js'
import { CALLS, countingClock, MEMORY_BYTES, type UsageCounters } from './usage.js'

export interface NetOptions {
  /** Names are resolved by these files of its container. */
  readonly files: MemoryFileSystem
  /** Whether it has CAP_NET_ADMIN. */
  readonly admin: boolean
  /** Hears of each use. */
  readonly used?: () => void
}

/** What all containers of a pod share. */
export interface PodContext {
  readonly hostname: string
  readonly resolvConf: string
  readonly hosts: string
  readonly clock: Clock
  readonly random: Random
  readonly quota: Quota
  /** What the processes of all containers may keep in memory. */
  readonly memory: Quota
  /** What a container uses that keeps so much: the rest of its thread's memory is divided among the pod's containers. */
  readonly usedBytes: (kept: number) => number
  readonly volumes: ReadonlyMap<string, Volume>
  /** Names that DNS has: System.hostNames. */
  readonly hostNames: () => Promise<readonly string[]>
  /** A network for one more process. */
  openNet(process: NetOptions): OwnedNet
}

export interface ContainerEvents {
  log(entry: LogEntry): void
  streamInputTaken(id: StreamId, bytes: number): void
  streamOutput(id: StreamId, stream: 'stdout' | 'stderr', bytes: Uint8Array): void
  streamExit(id: StreamId, exitCode: number, error?: string): void
  exited(exit: ContainerExit): void
}

/** Somebody who looks in: input goes to a process, output comes back. */
interface Session {
  readonly options: SessionOptions
  readonly window: StreamWindow
  /** A promise when there is no room for more. */
  input(bytes: Uint8Array): Promise<void> | undefined
  end(): void
  resize(columns: number, rows: number): void
  close(): void
}

const SIGKILL_STATUS = 137

export class Container {
  readonly name: string
  readonly #spec: ContainerSpec
  readonly #image: Image
  readonly #context: PodContext
  readonly #events: ContainerEvents
  /** Its own layer: what it wrote outside of volumes is gone with it. */
  readonly #layer: Volume
  readonly #files: MemoryFileSystem
  readonly #system: LocalSystem
  readonly #sessions = new Map<StreamId, Session>()
  readonly #inputTaken = new Map<StreamId, StreamTaken>()
  readonly #terminal: Terminal | undefined
  readonly #stdin: Pipe | undefined
  /** What the terminal shows on its last line: a client that attaches later sees the prompt. */
  #lastLine: Uint8Array = new Uint8Array(0)
  #main: Child | undefined
  #running = false
  #outOfMemory = false
  /** Of exec sessions until their command has ended, which may be after they were closed. */
  readonly #windows = new Map<StreamId, StreamWindow>()
  readonly #logWindow = new StreamWindow()
  readonly #usage: UsageCounters | undefined

  /** `usage`: counters to keep of what it uses. */
  constructor(
    spec: ContainerSpec,
    image: Image,
    context: PodContext,
    events: ContainerEvents,
    usage?: UsageCounters,
  ) {
    this.name = spec.name
    this.#spec = spec
    this.#image = image
    this.#context = context
    this.#events = events
    const countMemory = (bytes: number) => {
      if (usage !== undefined) usage[MEMORY_BYTES]! += bytes
    }
    this.#usage = usage
    this.#layer = new Volume(context.quota.part(countMemory), () => context.clock.unixMillis())
    this.#files = this.#makeFiles()
    this.#system = new LocalSystem({
      hostname: context.hostname,
      fs: this.#files,
      openNet: () =>
        context.openNet({
          files: this.#files,
          admin: spec.netAdmin,
          ...(usage !== undefined && { used: () => usage[CALLS]!++ }),
        }),
      clock: usage === undefined ? context.clock : countingClock(context.clock, usage),
      random: context.random.fork(`container/${spec.name}`),
      programs: image.programs,
      hostNames: context.hostNames,
      protectInit: true,
      memory: {
        quota: context.memory.part(countMemory),
        onExceeded: () => this.#killedForMemory(),
        ...(usage && { usedBytes: () => context.usedBytes(usage[MEMORY_BYTES]!) }),
      },
    })
    this.#terminal = spec.tty ? new Terminal() : undefined
    this.#stdin = spec.stdin && !spec.tty ? new Pipe() : undefined
  }

  /** What it keeps; undefined when nobody counts. */
  get keptBytes(): number {
    return this.#usage?.[MEMORY_BYTES] ?? 0
  }

  get running(): boolean {
    return this.#running
  }

  /** Starts the main process; why it cannot be started, otherwise. */
  start(): ContainerExit | undefined {
    const argv = argumentVector(this.#image, this.#spec.command, this.#spec.args)
    const program = this.#program(argv)
    if (program === undefined) return cannotStart(argv)
    const terminal = this.#terminal
    if (terminal !== undefined) {
      terminal.onOutput = (bytes) => this.#mainOutput('stdout', bytes)
      terminal.onSignal = (signal) => this.#main?.kill(signal)
    }
    this.#running = true
    this.#main = this.#system.start(program, {
      argv,
      env: this.#environment(this.#spec.tty),
      cwd: this.#spec.workingDir ?? this.#image.workingDir,
      stdin: terminal?.reader ?? this.#stdin?.reader ?? emptyReader(),
      stdout: terminal?.writer ?? this.#logWriter('stdout'),
      stderr: terminal?.writer ?? this.#logWriter('stderr'),
    })
    this.#main.exited.then((status) => this.#ended(status))
    return undefined
  }

  /** The image's stop signal now, SIGKILL after `grace`. */
  stop(grace: Micros): void {
    const main = this.#main
    if (main === undefined || !this.#running) return
    if (grace > 0) main.kill(this.#image.stopSignal)
    const timer = new AbortController()
    main.exited.then(() => timer.abort())
    this.#context.clock.sleep(Math.max(grace, MILLISECOND), timer.signal).then(
      () => main.kill('SIGKILL'),
      () => {},
    )
  }

  kill(): void {
    this.#main?.kill('SIGKILL')
  }

  openStream(id: StreamId, options: SessionOptions): void {
    if (!this.#running) return this.#events.streamExit(id, 1, `container ${this.name} is not running`)
    if (options.kind === 'exec') this.#exec(id, options)
    else this.#join(id, this.#attachSession(id, options))
  }

  streamInput(id: StreamId, bytes: Uint8Array): void {
    const waits = this.#sessions.get(id)?.input(bytes)
    const taken = () => this.#inputTaken.get(id)?.add(bytes.length)
    if (waits === undefined) taken()
    // The program that reads has ended: what else is sent to it is lost, as in a pipe.
    else waits.then(taken, taken)
  }

  streamEnd(id: StreamId): void {
    this.#sessions.get(id)?.end()
  }

  streamResize(id: StreamId, columns: number, rows: number): void {
    this.#sessions.get(id)?.resize(columns, rows)
  }

  streamClose(id: StreamId): void {
    const session = this.#sessions.get(id)
    this.#leave(id)
    session?.window.open()
    session?.close()
  }

  streamTaken(id: StreamId, bytes: number): void {
    const window = this.#sessions.get(id)?.window ?? this.#windows.get(id)
    window?.taken(bytes)
  }

  logTaken(bytes: number): void {
    this.#logWindow.taken(bytes)
  }

  hasStream(id: StreamId): boolean {
    return this.#sessions.has(id) || this.#windows.has(id)
  }

  /** The load client is in no image: it comes into a container as a debugger does, with `kubectl debug`. */
  #exec(id: StreamId, options: SessionOptions): void {
    const program = options.command[0] === LOAD_COMMAND ? loadClient : this.#program(options.command)
    if (program === undefined) {
      const random = this.#context.random.fork(`exec ${this.name} ${id}`)
      // The wording of containerd, which the kubelet hands on.
      const message = `failed to exec in container: failed to start exec "${randomHex(random, 64)}": OCI runtime exec failed: exec failed: unable to start container process: ${notFound(options.command)}: unknown`
      return this.#events.streamExit(id, 1, message)
    }
    const session = new ExecSession(
      this.#system,
      program,
      {
        ...options,
        argv: options.command,
        env: this.#environment(options.tty),
        cwd: this.#spec.workingDir ?? this.#image.workingDir,
      },
      {
        output: (stream, bytes) => this.#events.streamOutput(id, stream, bytes),
        exit: (status) => {
          this.#leave(id)
          this.#windows.delete(id)
          this.#events.streamExit(id, status)
        },
      },
    )
    this.#windows.set(id, session.window)
    this.#join(id, {
      options,
      window: session.window,
      input: (bytes) => session.input(bytes),
      end: () => session.end(),
      resize: (columns, rows) => session.resize(columns, rows),
      close: () => session.close(),
    })
  }

  #join(id: StreamId, session: Session): void {
    this.#sessions.set(id, session)
    this.#inputTaken.set(id, new StreamTaken((bytes) => this.#events.streamInputTaken(id, bytes)))
  }

  #leave(id: StreamId): void {
    this.#sessions.delete(id)
    this.#inputTaken.delete(id)
  }

  #attachSession(id: StreamId, options: SessionOptions): Session {
    const terminal = this.#terminal
    const stdin = this.#stdin
    if (options.size !== undefined) terminal?.resize(options.size.columns, options.size.rows)
    if (terminal !== undefined && this.#lastLine.length > 0) {
      this.#events.streamOutput(id, 'stdout', this.#lastLine)
    }
    const end = () => {
      if (options.stdin && this.#spec.stdinOnce) stdin?.inputEnd()
    }
    return {
      options,
      window: new StreamWindow(),
      input: (bytes) => (options.stdin ? (terminal ?? stdin)?.input(bytes) : undefined),
      end,
      resize: (columns, rows) => terminal?.resize(columns, rows),
      close: () => {
        end()
        this.#events.streamExit(id, 0)
      },
    }
  }

  #mainOutput(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> | undefined {
    if (this.#usage !== undefined) this.#usage[CALLS]!++
    const newline = bytes.lastIndexOf(10)
    if (newline >= 0) this.#lastLine = bytes.slice(newline + 1)
    else if (this.#lastLine.length < 4096) this.#lastLine = Uint8Array.from([...this.#lastLine, ...bytes])
    this.#logWindow.sent(bytes.length)
    this.#events.log({ unixMillis: this.#context.clock.unixMillis(), stream, bytes })
    const rooms: (Promise<void> | undefined)[] = []
    for (const [id, { options, window }] of this.#sessions) {
      if (options.kind !== 'attach') continue
      window.sent(bytes.length)
      this.#events.streamOutput(id, stream, bytes)
      rooms.push(window.room())
    }
    const waits = [this.#logWindow.room(), ...rooms].filter((room) => room !== undefined)
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined)
  }

  /** As with memory.oom.group, which the kubelet sets: the container ends with all its processes. */
  #killedForMemory(): void {
    this.#outOfMemory = true
    this.#system.killAll()
  }

  #ended(status: number): void {
    this.#running = false
    this.#system.killAll()
    this.#layer.discard()
    for (const [id, session] of [...this.#sessions]) {
      if (session.options.kind !== 'attach') continue
      session.window.open()
      this.#leave(id)
      this.#events.streamExit(id, status)
    }
    const reason = this.#outOfMemory ? 'OOMKilled' : status === 0 ? 'Completed' : 'Error'
    this.#events.exited(
      status === SIGKILL_STATUS ? { exitCode: status, signal: 9, reason } : { exitCode: status, reason },
    )
  }

  #program(argv: readonly string[]) {
    const name = argv[0] ?? ''
    return this.#image.programs.get(name.slice(name.lastIndexOf('/') + 1))
  }

  #environment(tty: boolean): Map<string, string> {
    return new Map<string, string>([
      ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ['HOSTNAME', this.#context.hostname],
      ...(tty ? [['TERM', 'xterm'] as const] : []),
      ...this.#image.env,
      ...this.#spec.env,
      ['HOME', '/root'],
    ])
  }

  #logWriter(stream: 'stdout' | 'stderr'): ByteWriter {
    return { isTTY: false, write: async (content) => this.#mainOutput(stream, ownedBytes(content)) }
  }

  #makeFiles(): MemoryFileSystem {
    const { volumes, hostname, hosts, resolvConf } = this.#context
    const files = new MemoryFileSystem(this.#layer)
    for (const directory of ['/bin', '/dev', '/etc', '/root', '/tmp', '/usr', '/var'])
      files.makeDirectory(directory)
    files.makeNullDevice('/dev/null')
    files.writeFile('/etc/hostname', `${hostname}\n`)
    files.writeFile('/etc/hosts', hosts)
    files.writeFile('/etc/resolv.conf', resolvConf)
    for (const [path, text] of Object.entries(this.#image.files)) {
      files.makeDirectory(path.slice(0, path.lastIndexOf('/')) || '/', true)
      files.writeFile(path, text)
    }
    for (const mount of this.#spec.mounts) {
      const volume = volumes.get(mount.volume)
      if (volume === undefined) continue
      files.mount(mount.path, volume, {
        readOnly: mount.readOnly,
        ...(mount.subPath === undefined ? {} : { subPath: mount.subPath }),
      })
    }
    const workingDir = this.#spec.workingDir
    if (workingDir !== undefined) files.makeDirectory(workingDir, true)
    return files
  }
}

/** What the container runtime says of a command that is not there (runc's wording, exit code as containerd's). */
function cannotStart(argv: readonly string[]): ContainerExit & { readonly message: string } {
  return {
    exitCode: 128,
    reason: 'StartError',
    message: `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${notFound(argv)}: unknown`,
  }
}

function notFound([command = '']: readonly string[]): string {
  return command.includes('/')
    ? `exec: "${command}": stat ${command}: no such file or directory`
    : `exec: "${command}": executable file not found in $PATH`
}
