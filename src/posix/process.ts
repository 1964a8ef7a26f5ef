// What a program sees: arguments, environment, standard streams, a file system, a network, a clock. Programs are
// async functions over this and nothing else (no Node globals that know of time, randomness or the host), so
// that one program runs under any driver. Read next: posix/file-system.ts, posix/net.ts.

import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { FileSystem } from './file-system.js'
import type { Net } from './net.js'
import type { TerminalControl } from './terminal.js'

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** Where bytes come from: a pipe's or a file's end, a terminal. */
export interface ByteReader {
  readonly isTTY: boolean
  /** The terminal that it is; undefined where there is none to be asked. */
  readonly terminal?: TerminalControl
  /** Next bytes, waiting for them; undefined at the end. The caller owns them. */
  read(): Promise<Uint8Array | undefined>
  /** What is there already, for who would not wait; undefined when nothing is, or `read` alone could tell. */
  readAtHand?(): Uint8Array | undefined
  /** Bytes read too far go back to the front (line readers need it). */
  unread(bytes: Uint8Array): void
  /** Gives it up, when a shell's last descriptor of it is closed; where that means nothing there is no such method. */
  close?(): void
}

/** Where bytes go. */
export interface ByteWriter {
  readonly isTTY: boolean
  /** Columns of the terminal; undefined where there is none. */
  readonly columns?: number
  /** The same terminal's keys (it is open for both, as /dev/tty): for programs whose standard input is a pipe. */
  readonly keyboard?: ByteReader
  /** Resolves when there is room again; rejects with EPIPE when nobody reads any more. Text is UTF-8. */
  write(bytes: Uint8Array | string): Promise<void>
  close?(): void
}

export interface Clock {
  /** Emulated time since the start. */
  now(): Micros
  /** Milliseconds since the Unix epoch of the emulated date. */
  unixMillis(): number
  /** Resolves after `duration`; rejects with `signal.reason` when that is aborted first. */
  sleep(duration: Micros, signal?: AbortSignal): Promise<void>
  /**
   * Accounts for computing: costs virtual time under the virtual clock, only yields in real time; undefined when there
   * is nothing to wait for.
   */
  spend(duration: Micros): Promise<void> | undefined
}

export type SignalName =
  | 'SIGHUP'
  | 'SIGINT'
  | 'SIGQUIT'
  | 'SIGKILL'
  | 'SIGUSR1'
  | 'SIGUSR2'
  | 'SIGPIPE'
  | 'SIGTERM'
  | 'SIGCONT'
  | 'SIGSTOP'
  | 'SIGTSTP'
  | 'SIGTTIN'

/** The reason of a process' AbortSignal, and what `await`s inside the program reject with: let it pass. */
export class Killed extends Error {
  readonly signalName: SignalName
  constructor(signalName: SignalName) {
    super(`killed by ${signalName}`)
    this.name = 'Killed'
    this.signalName = signalName
  }
}

export const SIGNAL_NUMBER: Readonly<Record<SignalName, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGTERM: 15,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
}

/** Signals that stop a process without a handler for them. */
export const STOP_SIGNALS: ReadonlySet<SignalName> = new Set<SignalName>(['SIGSTOP', 'SIGTSTP', 'SIGTTIN'])

/** One running program. */
export interface Process {
  readonly pid: number
  /** Its process group, by the pid of the first of it: what a terminal's signals and job control act on. */
  readonly group: number
  /** argv[0] is the name it was called by. */
  readonly argv: readonly string[]
  /** Exported variables; a copy of its own. */
  readonly env: Map<string, string>
  cwd: string
  /** Permissions that files lack which it makes, and its children after it (umask(2)). */
  umask: number
  readonly stdin: ByteReader
  readonly stdout: ByteWriter
  readonly stderr: ByteWriter
  /** Aborted (reason: Killed) when a signal ends the process; every wait of `system` made with it rejects then. */
  readonly signal: AbortSignal
  readonly system: System
  /** A handler keeps the default action (end) from happening, as sigaction does; undefined restores it. SIGKILL can't. */
  onSignal(name: SignalName, handler: (() => void) | undefined): void
  /**
   * Accounts for memory that the program keeps (negative: gives back); what is left goes back when it ends. Throws
   * Killed, and the whole container ends as by the kernel's out-of-memory killer, when its pod's limit is passed.
   */
  hold(bytes: number): void
}

/** Exit status 0..255. A rejection by Killed is status 128+n; any other rejection is a crash of the program. */
export type Program = (process: Process) => Promise<number>

export interface SpawnOptions {
  /** argv[0] is looked up in `programs` as PATH would (a path's last component counts). */
  readonly argv: readonly string[]
  /** Runs this under the name argv[0] instead of looking it up: how a shell forks a subshell. */
  readonly program?: Program
  readonly env: ReadonlyMap<string, string>
  readonly cwd: string
  readonly stdin: ByteReader
  readonly stdout: ByteWriter
  readonly stderr: ByteWriter
  /** The process group to join, or one of its own; its parent's otherwise. */
  readonly group?: number | 'new'
}

export interface Child {
  readonly pid: number
  /** Exit status; never rejects (a crash is told on stderr, with status 139). */
  readonly exited: Promise<number>
  kill(signal: SignalName): void
  readonly group: number
  /** The signal that stopped it; undefined while it runs. */
  stoppedBy(): SignalName | undefined
  /** Hears when it is stopped and when it goes on; the returned function ends it. */
  onStateChange(listener: () => void): () => void
}

export interface ProcessRow {
  readonly pid: number
  readonly ppid: number
  readonly group: number
  readonly argv: readonly string[]
  readonly started: Micros
  readonly stopped: boolean
  /** Computing that it was charged for. */
  readonly processorTime: Micros
  /** Memory that it said to keep. */
  readonly memoryBytes: number
}

/** A container from inside: what its processes share. The host's side of a walkthrough is one as well. */
export interface System {
  readonly hostname: string
  readonly fs: FileSystem
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  /** Names that people here connect to, Services and pods among them: for completion. */
  hostNames?(): Promise<readonly string[]>
  /** What PATH finds, by name. */
  readonly programs: ReadonlyMap<string, Program>
  /**
   * Starts a program; undefined when there is none of that name (the caller says `not found`, status 127). Throws
   * EAGAIN, as fork(2) does, when there are too many processes.
   */
  spawn(options: SpawnOptions): Child | undefined
  processes(): ProcessRow[]
  /** What the processes of the pod may keep in memory and do; undefined where there is no limit. */
  memory(): { readonly limitBytes: number; readonly usedBytes: number } | undefined
  /** A negative `pid` is a process group. False when there is no such process. */
  kill(pid: number, signal: SignalName): boolean
}
