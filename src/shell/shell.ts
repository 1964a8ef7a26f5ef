// One running shell or subshell: the process that it is, its state, its jobs and foreground children. What the
// constructs of the language have in common is here (forking, waiting, signals); the constructs themselves are
// in execution.ts, words in word-expansion.ts.

import type { CompoundList, Script, WordPart } from 'unbash'
import { abortable } from '../posix/abort.js'
import type { ByteReader, ByteWriter, Child, Process, SignalName } from '../posix/process.js'
import { SIGNAL_NUMBER } from '../posix/process.js'
import { type Awaitable, attempt } from './awaitable.js'
import { ExitShell, ReturnFromFunction } from './control-flow.js'
import { isStopped, type Job, JobTable } from './job-table.js'
import { History } from './line-editor/history.js'
import type { ShellState, Source } from './state.js'
import { parseAsQuoted } from './syntax.js'

/**
 * Where a command reads and writes: the standard streams, and what redirections opened above 2. Redirections make a
 * new one; only `exec` without a command changes the one that it runs with.
 */
export interface Io {
  stdin: ByteReader
  stdout: ByteWriter
  stderr: ByteWriter
  others: ReadonlyMap<number, ByteReader | ByteWriter>
}

/** Emulated time that the interpreter takes for one simple command or one turn of a loop. */
const STEP_MICROS = 50

/** Expressions that a shell remembers the parts of. */
const MAX_KNOWN_EXPRESSIONS = 500

/** Runs a list of commands in a shell; returns the last status. Injected, because expansions run commands too. */
export type RunList = (shell: Shell, list: Script | CompoundList, io: Io) => Awaitable<number>

export class Shell {
  readonly process: Process
  readonly state: ShellState
  readonly runList: RunList
  readonly jobs: JobTable
  /** Children whose end the shell waits for; a signal of the terminal is theirs as well. */
  readonly foreground = new Set<Child>()
  /** What closes the pipes of process substitutions of the commands that run (process-substitution.ts). */
  readonly substitutions: (() => void)[] = []
  /** What closes the streams that `exec` keeps open, when the shell ends. */
  readonly atExit: (() => void)[] = []
  /** Whether a terminal's user types the commands. */
  readonly interactive: boolean
  /** Conditions whose trap is due at the next command. */
  readonly #pendingTraps: string[] = []
  #trapWaiter: (() => void) | undefined
  /** ERR, DEBUG and RETURN while their command runs. */
  readonly #runningTraps = new Set<string>()
  /** Reads of the shell itself that were given up before they had bytes. */
  readonly #reads = new WeakMap<ByteReader, Promise<Uint8Array | undefined>>()
  /** Aborted by ^C in an interactive shell: ends the line that runs. */
  #line = new AbortController()
  /** How many enclosing constructs ignore a failure (conditions, `!`, all but the last of `&&`), for errexit. */
  guarded = 0
  /** Whether ^Z stopped a command of the line, which ends the loops around it. */
  suspended = false
  /** How many loops enclose the command, for break and continue. */
  loopDepth = 0
  /** Whether this subshell is there for one command only, which may then run in its place. */
  replaceable = false
  #history: History | undefined
  readonly #arithmetic = new Map<string, readonly WordPart[]>()
  /** Status of the last command substitution, which an assignment without command takes. */
  substitutionStatus = 0
  /** The text that runs, and where in it the command that runs is. */
  source: Source = { text: '', firstLine: 1, name: '' }
  command: { readonly pos: number; readonly end: number } = { pos: 0, end: 0 }
  /** Aliases that are being expanded. */
  readonly activeAliases = new Set<string>()
  /** What BASH_COMMAND says while a trap runs: the command before it. */
  #interrupted: string | undefined
  /** How many sourced files run, which `return` may end. */
  sourcing = 0
  /** How many commands were read, from 1: the prompt's `\#`. */
  commandNumber = 1
  /** Whether it is a subshell of one whose commands are typed, so that messages need no line. */
  isTyped: boolean
  /** How deep substitutions, `eval` and sourced files are nested, which `set -x` shows. */
  traceDepth = 0
  /** Whether it was called by the name bash, whose words its messages then have; ash's otherwise. */
  readonly isBash: boolean

  constructor(
    process: Process,
    state: ShellState,
    runList: RunList,
    interactive = false,
    isBash = /(^|[/-])bash$/.test(process.argv[0] ?? ''),
    jobs = new JobTable(),
  ) {
    this.process = process
    this.state = state
    this.runList = runList
    this.interactive = interactive
    this.isTyped = interactive
    this.isBash = isBash
    this.jobs = jobs
    process.signal.addEventListener('abort', () => {
      const { signalName } = process.signal.reason as { signalName: SignalName }
      for (const child of this.foreground) child.kill(signalName)
    })
    state.onHold = process.hold
    if (interactive) {
      process.onSignal('SIGINT', () => this.interrupt())
      process.onSignal('SIGTSTP', () => this.#stopForeground())
      process.onSignal('SIGTTIN', () => {})
    }
    for (const [condition, command] of state.traps) this.trap(condition, command)
  }

  get io(): Io {
    const { stdin, stdout, stderr } = this.process
    return { stdin, stdout, stderr, others: new Map() }
  }

  /** What was typed, in $HISTFILE, or .ash_history in the home directory. */
  get history(): History {
    const home = this.state.get('HOME') ?? '/'
    const path = this.state.get('HISTFILE') ?? `${home === '/' ? '' : home}/.ash_history`
    this.#history ??= new History(this.process.system.fs, this.interactive && path !== '' ? path : undefined)
    return this.#history
  }

  /** Before each step: lets time pass, runs due traps, ends when a signal says so. Undefined: there was no waiting. */
  step(io: Io): Promise<void> | undefined {
    const spent = this.process.system.clock.spend(STEP_MICROS)
    return spent === undefined ? this.#afterStep(io) : spent.then(() => this.#afterStep(io))
  }

  #afterStep(io: Io): Promise<void> | undefined {
    this.process.signal.throwIfAborted()
    this.#line.signal.throwIfAborted()
    return this.trapsDue(io)
  }

  /** Runs traps of signals that came; undefined: none did. */
  trapsDue(io: Io): Promise<void> | undefined {
    return this.#pendingTraps.length > 0 ? this.runTraps(io).then(() => {}) : undefined
  }

  /** Waits inside the shell itself: ends with the process, the line (^C), not with a trap. */
  wait<Value>(wait: Promise<Value>): Promise<Value> {
    return abortable(abortable(wait, this.#line.signal), this.process.signal)
  }

  /** As `wait`, but a trapped signal ends it too, with undefined (the `wait` builtin). */
  waitOrTrap<Value>(wait: Promise<Value>): Promise<Value | undefined> {
    if (this.#pendingTraps.length > 0) return Promise.resolve(undefined)
    const trapped = new Promise<undefined>((resolve) => {
      this.#trapWaiter = () => resolve(undefined)
    })
    return this.wait(Promise.race([wait, trapped])).finally(() => {
      this.#trapWaiter = undefined
    })
  }

  /**
   * `reader` for reads of the shell itself, which `wait` may give up: the read that is under way is then kept for the
   * next one, so that no input is lost.
   */
  ownReader(
    reader: ByteReader,
    wait: (read: Promise<Uint8Array | undefined>) => Promise<Uint8Array | undefined> = (read) =>
      this.wait(read),
  ): ByteReader {
    return {
      isTTY: reader.isTTY,
      ...(reader.terminal && { terminal: reader.terminal }),
      unread: (bytes) => reader.unread(bytes),
      readAtHand: () => (this.#reads.has(reader) ? undefined : reader.readAtHand?.()),
      read: async () => {
        const read = this.#reads.get(reader) ?? reader.read()
        this.#reads.set(reader, read)
        const bytes = await wait(read)
        this.#reads.delete(reader)
        return bytes
      },
    }
  }

  /** The number of the line that runs: LINENO. */
  get line(): number {
    const { text, firstLine } = this.source
    let line = firstLine
    for (let at = text.indexOf('\n'); at >= 0 && at < this.command.pos; at = text.indexOf('\n', at + 1))
      line++
    return line
  }

  /** The command that runs, as it was written: BASH_COMMAND. */
  get commandText(): string {
    return this.#interrupted ?? this.source.text.slice(this.command.pos, this.command.end)
  }

  /** Whose name is in front of messages: the shell's, or in bash the script's that has the command. */
  get complainer(): string {
    const { name, calls } = this.state
    if (!this.isBash || this.isTyped) return name
    // What bash calls the place of functions that came with `-c`.
    return this.source.name || (calls.length > 0 ? 'environment' : name)
  }

  /** A message on stderr, with a name in front, and in bash the line of a script. */
  complain(io: Io, message: string): Promise<void> {
    const line = this.isBash && !this.isTyped ? ` line ${this.line}:` : ''
    return io.stderr.write(`${this.complainer}:${line} ${message}\n`)
  }

  /** ^C: the foreground children get SIGINT, and the line that runs is given up. */
  interrupt(): void {
    for (const child of this.foreground) child.kill('SIGINT')
    this.#line.abort(new LineInterrupted())
  }

  /** Before a new line of an interactive shell. */
  beginLine(): void {
    this.#line = new AbortController()
    this.suspended = false
    const { terminal } = this.process.stdin
    if (terminal) terminal.foreground = this.process.group
  }

  /** The parts of text with expansions in it, arithmetic's above all: a loop evaluates the same again and again. */
  partsOf(text: string): readonly WordPart[] {
    const known = this.#arithmetic.get(text)
    if (known !== undefined) return known
    if (this.#arithmetic.size >= MAX_KNOWN_EXPRESSIONS) this.#arithmetic.clear()
    const parts = parseAsQuoted(text)
    this.#arithmetic.set(text, parts)
    return parts
  }

  /** Sets (`command`), ignores ('') or resets (undefined) the trap of `EXIT` or of a signal. */
  trap(condition: string, command: string | undefined): void {
    if (command === undefined) this.state.traps.delete(condition)
    else this.state.traps.set(condition, command)
    if (!(condition in SIGNAL_NUMBER) || condition === 'SIGKILL') return
    const signal = condition as SignalName
    if (command === undefined) {
      const restored = this.interactive && signal === 'SIGINT' ? () => this.interrupt() : undefined
      this.process.onSignal(signal, restored)
      return
    }
    this.process.onSignal(signal, () => {
      // A terminal would have sent the signal to the children as well.
      if (signal === 'SIGINT') for (const child of this.foreground) child.kill(signal)
      if (command === '') return
      this.#pendingTraps.push(condition)
      this.#trapWaiter?.()
    })
  }

  /** Runs what is due; returns the first condition. */
  async runTraps(io: Io): Promise<string | undefined> {
    const first = this.#pendingTraps[0]
    for (let due = this.#pendingTraps.shift(); due !== undefined; due = this.#pendingTraps.shift()) {
      await this.runTrap(due, io)
    }
    return first
  }

  /** Runs the command of a trap; `$?` is as before afterwards. A trap does not run inside itself. */
  async runTrap(condition: string, io: Io): Promise<void> {
    const command = this.state.traps.get(condition)
    if (command === undefined || command === '' || this.#runningTraps.has(condition)) return
    const { status, pipeStatus } = this.state
    this.#runningTraps.add(condition)
    const interrupted = this.#interrupted
    this.#interrupted = this.commandText
    try {
      await this.evaluate(command, io)
    } finally {
      this.#runningTraps.delete(condition)
      this.#interrupted = interrupted
      this.state.status = status
      this.state.pipeStatus = pipeStatus
    }
  }

  /** Runs source text in this shell (eval, traps, files, which have a name); wired to the parser by execution.ts. */
  evaluate: (source: string, io: Io, name?: string) => Promise<number> = () => Promise.resolve(0)

  /**
   * Starts a subshell with a copy of the state as a process of its own. `argv` is what `ps` shows; `body` gets the
   * subshell and its streams and returns its status.
   */
  fork(
    argv: readonly string[],
    io: Io,
    body: (subshell: Shell, io: Io) => Awaitable<number>,
    group?: number | 'new',
  ): Child {
    const state = this.state.fork()
    const jobs = new JobTable([...this.jobs.inherited, ...this.jobs.all])
    const child = this.process.system.spawn({
      argv,
      env: this.process.env,
      cwd: this.process.cwd,
      stdin: io.stdin,
      stdout: io.stdout,
      stderr: io.stderr,
      ...(group !== undefined && { group }),
      program: async (process) => {
        const subshell = new Shell(process, state, this.runList, false, this.isBash, jobs)
        subshell.evaluate = this.evaluate
        subshell.guarded = this.guarded
        subshell.source = this.source
        subshell.command = this.command
        subshell.traceDepth = this.traceDepth
        subshell.loopDepth = 0
        subshell.isTyped = this.isTyped
        subshell.sourcing = this.sourcing
        // With a stack of its own, however deep substitutions are in each other.
        await undefined
        const { stdin, stdout, stderr } = process
        return await subshell.runToExit({ stdin, stdout, stderr, others: io.others }, body)
      },
    })
    if (child === undefined) throw new ExitShell(126)
    return child
  }

  /** Runs `body` as all that this shell does: `exit` gives its status, and the EXIT trap runs last. */
  async runToExit(io: Io, body: (shell: Shell, io: Io) => Awaitable<number>): Promise<number> {
    try {
      return await this.#runWithExitTrap(io, body)
    } finally {
      for (const close of this.atExit.splice(0)) close()
    }
  }

  async #runWithExitTrap(io: Io, body: (shell: Shell, io: Io) => Awaitable<number>): Promise<number> {
    const status = await this.#untilExit(() => body(this, io))
    if (!this.state.traps.has('EXIT')) return status
    this.state.status = status
    return await this.#untilExit(async () => {
      const command = this.state.traps.get('EXIT')!
      this.state.traps.delete('EXIT')
      if (command !== '') await this.evaluate(command, io)
      return status
    })
  }

  /** Runs `body` where a failure is an answer, so that `set -e` does not end the shell. */
  guard(body: () => Awaitable<number>): Awaitable<number> {
    this.guarded++
    const close = () => {
      this.guarded--
    }
    return attempt(body, rethrow, close)
  }

  /** Whether commands get process groups of their own, and ^Z stops them: interactive, or `set -m`. */
  get controlsJobs(): boolean {
    return this.interactive || this.state.options.has('monitor')
  }

  /** The group for the next process in the foreground, after `before` of the same pipeline. */
  groupAfter(before: Child | undefined): number | 'new' | undefined {
    if (!this.controlsJobs) return undefined
    return before?.group ?? 'new'
  }

  /** Waits for a child in the foreground. */
  async waitForeground(child: Child, text?: string, io?: Io): Promise<number> {
    return (await this.waitPipeline([child], text, io))[0]!
  }

  /**
   * Waits for the processes of a pipeline; their statuses. With `text` and job control they own the terminal meanwhile,
   * and when they are stopped they become a job by that text.
   */
  async waitPipeline(children: readonly Child[], text?: string, io?: Io, job?: Job): Promise<number[]> {
    for (const child of children) this.foreground.add(child)
    const { terminal } = this.process.stdin
    const owns = text !== undefined && io !== undefined && this.controlsJobs
    if (owns && terminal) terminal.foreground = children[0]!.group
    try {
      const ended = Promise.all(children.map(({ exited }) => exited))
      if (!owns) return await ended
      const outcome = await Promise.race([ended, untilStopped(children)])
      if (outcome !== 'stopped') return outcome
      return await this.#suspend(children, text, io, job)
    } finally {
      for (const child of children) this.foreground.delete(child)
      if (owns && terminal) terminal.foreground = this.process.group
    }
  }

  async #suspend(
    children: readonly Child[],
    text: string,
    io: Io,
    known: Job | undefined,
  ): Promise<number[]> {
    const { terminal } = this.process.stdin
    const raw = terminal?.isRaw ?? false
    const job = known ?? this.jobs.add(children, text)
    this.jobs.touch(job)
    job.raw = raw
    job.told = true
    terminal?.setRaw(false)
    this.suspended = true
    await io.stderr.write(`${raw ? '\n' : ''}${this.jobs.line(job, this.isBash)}`)
    return children.map((child) => STOPPED_STATUS + SIGNAL_NUMBER[child.stoppedBy() ?? 'SIGTSTP'])
  }

  /** `fg`: the job gets the terminal, as it left it, and goes on. */
  async continueInForeground(job: Job, io: Io): Promise<number> {
    const { terminal } = this.process.stdin
    if (terminal) terminal.foreground = job.children[0]!.group
    if (job.raw) terminal?.setRaw(true)
    this.signalJob(job, 'SIGCONT')
    const statuses = await this.waitPipeline(job.children, job.text, io, job)
    if (!isStopped(job)) this.jobs.forget(job)
    return statuses.at(-1)!
  }

  signalJob(job: Job, signal: SignalName): void {
    const groups = new Set(job.children.map(({ group }) => group))
    for (const group of groups) {
      if (group !== this.process.group) this.process.system.kill(-group, signal)
    }
    if (groups.has(this.process.group)) for (const child of job.children) child.kill(signal)
  }

  /** ^Z: what runs in the foreground is stopped; the shell itself never is. */
  #stopForeground(): void {
    const groups = new Set([...this.foreground].map(({ group }) => group))
    for (const group of groups) if (group !== this.process.group) this.process.system.kill(-group, 'SIGTSTP')
  }

  /** Takes note of a background command. */
  addJob(child: Child, text: string): Job {
    this.state.lastBackgroundPid = child.pid
    return this.jobs.add([child], text)
  }

  async #untilExit(body: () => Awaitable<number>): Promise<number> {
    try {
      return await body()
    } catch (error) {
      // A `return` with nothing to return from ends the shell too (a subshell inside a function).
      if (error instanceof ExitShell || error instanceof ReturnFromFunction) return error.status
      throw error
    }
  }
}

function rethrow(error: unknown): never {
  throw error
}

/** What is added to the number of the signal that stopped a command. */
const STOPPED_STATUS = 128

/** When all that have not ended are stopped. */
function untilStopped(children: readonly Child[]): Promise<'stopped'> {
  return new Promise((resolve) => {
    const ended = new Set<Child>()
    const look = () => {
      const rest = children.filter((child) => !ended.has(child))
      if (rest.length > 0 && rest.every((child) => child.stoppedBy() !== undefined)) finish()
    }
    const ends = children.map((child) => child.onStateChange(look))
    const finish = () => {
      for (const end of ends) end()
      resolve('stopped')
    }
    for (const child of children) {
      void child.exited.then(() => {
        ended.add(child)
        if (ended.size === children.length) for (const end of ends) end()
        else look()
      })
    }
    // They may have been stopped before anybody looked.
    look()
  })
}

/** ^C at an interactive shell: the line that ran is over, or will not run. */
export class LineInterrupted extends Error {
  readonly status: number
  constructor(status = 130) {
    super('interrupted')
    this.status = status
  }
}
