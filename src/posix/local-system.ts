// A container as its processes see it, in this thread: the process table, spawn and signals over a file system, a
// network and a clock that are handed in. Process 1 of a container is protected as Linux protects an init: a
// signal that it has no handler for does nothing to it, SIGKILL excepted.

import { SystemError } from '../base/errors.js'
import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import { abortable } from './abort.js'
import type { FileSystem } from './file-system.js'
import { IoTime } from './io-time.js'
import { KernelFileSystem } from './kernel-files.js'
import { kernelTree } from './kernel-tree.js'
import { MaskedFileSystem, USUAL_UMASK } from './masked-file-system.js'
import type { Net } from './net.js'
import {
  type ByteReader,
  type ByteWriter,
  type Child,
  type Clock,
  Killed,
  type Process,
  type ProcessRow,
  type Program,
  SIGNAL_NUMBER,
  type SignalName,
  type SpawnOptions,
  STOP_SIGNALS,
  type System,
} from './process.js'
import { ProcessGate } from './process-gate.js'
import type { QuotaView } from './quota.js'

export interface LocalSystemOptions {
  readonly hostname: string
  readonly fs: FileSystem
  /** The network of one more process; closed when that process ends. */
  readonly openNet: () => OwnedNet
  readonly clock: Clock
  readonly random: Random
  readonly programs: ReadonlyMap<string, Program>
  readonly hostNames?: System['hostNames']
  /** Whether the host forwards packets, as a node does. */
  readonly forwards?: boolean
  /** Whether process 1 ignores signals without a handler, as the init of a PID namespace. */
  readonly protectInit: boolean
  /** What processes may keep in memory, and what is called when one wants more; without it there is no limit. */
  readonly memory?: {
    readonly quota: QuotaView
    readonly onExceeded: () => void
    /** What `System.memory` tells; default: what the quota has given. */
    readonly usedBytes?: () => number
  }
}

/** A network whose sockets belong to one process. */
export interface OwnedNet extends Net {
  closeAll(): void
  /** Says whose it is: process `pid` of the processes that `space` stands for. */
  belongsTo?(space: object, pid: number): void
}

/** As pids.max of a container's cgroup: a fork bomb ends at it. */
const MAX_PROCESSES = 1024

/** Status of a program that threw something that is no signal: what a shell shows for SIGSEGV. */
export const CRASH_STATUS = 139

interface Entry {
  readonly row: Pick<ProcessRow, 'pid' | 'ppid' | 'group' | 'argv' | 'started'>
  readonly gate: ProcessGate
  readonly usage: Usage
  readonly kill: (signal: SignalName) => void
  readonly process: Pick<Process, 'umask'>
}

/** What one process has used. */
interface Usage {
  processorTime: Micros
  memoryBytes: number
}

export class LocalSystem {
  readonly #options: LocalSystemOptions
  readonly #table = new Map<number, Entry>()
  /** What streams of processes lead to: a child's lead there directly, not through its parent's life. */
  readonly #readers = new WeakMap<ByteReader, ByteReader>()
  readonly #writers = new WeakMap<ByteWriter, ByteWriter>()
  #nextPid = 1

  constructor(options: LocalSystemOptions) {
    this.#options = options
  }

  /** The system as somebody sees it who is no process of it: for starting the first one. */
  view(): System {
    const net = this.#options.openNet()
    net.belongsTo?.(this, 0)
    return this.#seenBy(0, net)
  }

  /** Starts `program` itself, whatever its name. Throws EAGAIN when there are too many processes. */
  start(program: Program, options: SpawnOptions, parent = 0): Child {
    const { openNet, protectInit } = this.#options
    const usage: Usage = { processorTime: 0, memoryBytes: 0 }
    const clock = countedClock(this.#options.clock, usage)
    if (this.#table.size >= MAX_PROCESSES) throw new SystemError('EAGAIN', 'fork')
    const pid = this.#nextPid++
    const net = openNet()
    net.belongsTo?.(this, pid)
    const abort = new AbortController()
    const io = new IoTime(clock)
    const memory = this.#account(usage)
    const gate = new ProcessGate(abort.signal)
    const own = options.group ?? this.#table.get(parent)?.row.group ?? 'new'
    const group = own === 'new' ? pid : own
    const handlers = new Map<SignalName, () => void>()
    const isProtected = pid === 1 && protectInit
    const kill = (signal: SignalName) => {
      const pending = signal === 'SIGCONT' ? gate.resume() : []
      if (gate.stoppedBy !== undefined && signal !== 'SIGKILL') {
        if (!STOP_SIGNALS.has(signal)) gate.keep(signal)
        return
      }
      const handler = signal === 'SIGKILL' || signal === 'SIGSTOP' ? undefined : handlers.get(signal)
      if (handler !== undefined) handler()
      else if (STOP_SIGNALS.has(signal)) {
        // Of an orphaned process group nobody could continue it: a terminal's stop does nothing there.
        if (!isProtected && (signal === 'SIGSTOP' || parent !== 0)) gate.stop(signal)
      } else if (signal !== 'SIGCONT' && (!isProtected || signal === 'SIGKILL'))
        abort.abort(new Killed(signal))
      for (const kept of pending) kill(kept)
    }
    const waits: Waits = { gate, signal: abort.signal }
    const process: Process = {
      pid,
      group,
      argv: options.argv,
      env: new Map(options.env),
      cwd: options.cwd,
      umask: this.#table.get(parent)?.process.umask ?? USUAL_UMASK,
      stdin: this.#reader(options.stdin, waits, group),
      stdout: this.#writer(options.stdout, io, waits, group),
      stderr: this.#writer(options.stderr, io, waits, group),
      signal: abort.signal,
      system: this.#seenBy(pid, net, clockOf(clock, waits), () => process.umask),
      onSignal: (signal, handler) => {
        if (handler === undefined) handlers.delete(signal)
        else handlers.set(signal, handler)
      },
      hold: memory.hold,
    }
    this.#table.set(pid, {
      row: { pid, ppid: parent, group, argv: options.argv, started: clock.now() },
      gate,
      usage,
      kill,
      process,
    })
    const exited = this.#run(program, process, options.stderr).finally(() => {
      this.#table.delete(pid)
      net.closeAll()
      memory.release()
    })
    gate.endWithSignal()
    const stoppedBy = () => gate.stoppedBy
    const onStateChange = (listener: () => void) => gate.onChange(listener)
    return { pid, group, exited, kill, stoppedBy, onStateChange }
  }

  #reader(reader: ByteReader, waits: Waits, group: number): ByteReader {
    const source = this.#readers.get(reader) ?? reader
    const own = processReader(source, waits, () => this.#mayRead(source, waits, group))
    this.#readers.set(own, source)
    return own
  }

  /** Who is not in a terminal's foreground does not get what is typed there, but is stopped (SIGTTIN). */
  async #mayRead({ terminal }: ByteReader, { gate }: Waits, group: number): Promise<void> {
    const isAway = () => terminal?.foreground !== undefined && terminal.foreground !== group
    if (gate.stoppedBy === undefined && !isAway()) return
    await gate.pass(gate.open())
    while (isAway()) {
      this.kill(-group, 'SIGTTIN')
      // Nothing stops it (it has a handler): it may read as it likes.
      if (gate.stoppedBy === undefined) return
      await gate.pass(gate.open())
    }
  }

  #writer(writer: ByteWriter, io: IoTime, waits: Waits, group: number): ByteWriter {
    const target = this.#writers.get(writer) ?? writer
    const keyboard = target.keyboard && this.#reader(target.keyboard, waits, group)
    const own = processWriter(target, io, waits, keyboard)
    this.#writers.set(own, target)
    return own
  }

  /** The memory of one process. */
  #account(usage: Usage): { readonly hold: (bytes: number) => void; readonly release: () => void } {
    const { memory } = this.#options
    return {
      hold: (bytes) => {
        const change = Math.max(bytes, -usage.memoryBytes)
        if (memory !== undefined && !memory.quota.take(change)) {
          memory.onExceeded()
          throw new Killed('SIGKILL')
        }
        usage.memoryBytes += change
      },
      release: () => {
        memory?.quota.take(-usage.memoryBytes)
        usage.memoryBytes = 0
      },
    }
  }

  /** What process `pid` sees: everything shared but its own sockets. */
  #seenBy(pid: number, net: Net, clock = this.#options.clock, umask = () => USUAL_UMASK): System {
    const { hostname, random, programs, hostNames, memory, forwards = false } = this.#options
    let files: FileSystem | undefined
    const system: System = {
      hostname,
      ...(hostNames && { hostNames }),
      get fs() {
        const mask = umask()
        files ??= kernelFiles()
        return mask === USUAL_UMASK ? files : new MaskedFileSystem(files, mask)
      },
      net,
      clock,
      random,
      programs,
      spawn: (options) => {
        const name = options.argv[0] ?? ''
        const program = options.program ?? programs.get(name.slice(name.lastIndexOf('/') + 1))
        return program && this.start(program, options, pid)
      },
      processes: () => this.processes(),
      memory: () =>
        memory && {
          limitBytes: memory.quota.limitBytes,
          usedBytes: memory.usedBytes?.() ?? memory.quota.usedBytes,
        },
      kill: (target, signal) => this.kill(target, signal),
    }
    const kernelFiles = () =>
      new KernelFileSystem(this.#options.fs, kernelTree({ pid, system, forwards }), clock.unixMillis())
    return system
  }

  processes(): ProcessRow[] {
    return [...this.#table.values()].map(({ row, gate, usage }) => ({
      ...row,
      ...usage,
      stopped: gate.stoppedBy !== undefined,
    }))
  }

  kill(pid: number, signal: SignalName): boolean {
    if (pid < 0) {
      const members = [...this.#table.values()].filter(({ row }) => row.group === -pid)
      for (const member of members) member.kill(signal)
      return members.length > 0
    }
    const entry = this.#table.get(pid)
    entry?.kill(signal)
    return entry !== undefined
  }

  /** SIGKILL for everything, as when a container's cgroup is ended. */
  killAll(): void {
    for (const entry of [...this.#table.values()]) entry.kill('SIGKILL')
  }

  async #run(program: Program, process: Process, stderr: ByteWriter): Promise<number> {
    try {
      // A program that overlooks its signal must not keep the process alive.
      return (await abortable(program(process), process.signal)) & 255
    } catch (error) {
      if (process.signal.aborted) return 128 + SIGNAL_NUMBER[(process.signal.reason as Killed).signalName]
      if (error instanceof Killed) return 128 + SIGNAL_NUMBER[error.signalName]
      if (isBrokenPipe(error)) return 128 + SIGNAL_NUMBER.SIGPIPE
      const text = error instanceof Error ? error.message : String(error)
      await stderr.write(`${process.argv[0]}: ${text}\n`).catch(() => {})
      return CRASH_STATUS
    }
  }
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 'EPIPE'
}

/** What every wait of a process depends on: its end, and whether it is stopped. */
interface Waits {
  readonly gate: ProcessGate
  readonly signal: AbortSignal
}

/** Reads end with the process' signal; bytes that arrive for a dead reader go back to the stream. */
function processReader(
  reader: ByteReader,
  { gate, signal }: Waits,
  mayRead: () => Promise<void>,
): ByteReader {
  const read = () => {
    if (signal.aborted) return Promise.reject(signal.reason)
    const wait = reader.read()
    wait.then(
      (bytes) => {
        if (signal.aborted && bytes !== undefined) reader.unread(bytes)
      },
      () => {},
    )
    return gate.pass(wait)
  }
  return {
    isTTY: reader.isTTY,
    ...(reader.terminal && { terminal: reader.terminal }),
    read: reader.terminal ? () => mayRead().then(read) : read,
    ...(reader.readAtHand && {
      readAtHand: () => (gate.stoppedBy === undefined && !signal.aborted ? reader.readAtHand?.() : undefined),
    }),
    unread: (bytes) => reader.unread(bytes),
  }
}

function processWriter(
  writer: ByteWriter,
  io: IoTime,
  { gate, signal }: Waits,
  keyboard: ByteReader | undefined,
): ByteWriter {
  const write = (content: Uint8Array | string): Promise<void> => {
    if (signal.aborted) return Promise.reject(signal.reason)
    const written = writer.write(content)
    const paid = io.charge(content.length)
    return gate.pass(paid === undefined ? written : Promise.all([written, paid]).then(() => {}))
  }
  return {
    isTTY: writer.isTTY,
    ...(keyboard && { keyboard }),
    get columns() {
      return writer.columns as number
    },
    write: (content) =>
      gate.stoppedBy === undefined ? write(content) : gate.pass(gate.open()).then(() => write(content)),
  }
}

/** Counts the computing that a process is charged for. */
function countedClock(clock: Clock, usage: Usage): Clock {
  return {
    now: () => clock.now(),
    unixMillis: () => clock.unixMillis(),
    sleep: (duration, signal) => clock.sleep(duration, signal),
    spend: (duration) => {
      usage.processorTime += duration
      return clock.spend(duration)
    },
  }
}

/** The clock of a process: a program that overlooks its signal does not sleep and compute on after its end. */
function clockOf(clock: Clock, { gate, signal }: Waits): Clock {
  return {
    now: () => clock.now(),
    unixMillis: () => clock.unixMillis(),
    sleep: (duration, other = signal) => gate.pass(clock.sleep(duration, other)),
    spend: (duration) => {
      if (signal.aborted) return Promise.reject(signal.reason)
      const spent = clock.spend(duration)
      if (spent !== undefined) return gate.pass(spent)
      return gate.stoppedBy === undefined ? undefined : gate.pass(gate.open())
    },
  }
}
