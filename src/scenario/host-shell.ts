// The shell outside the cluster: runs command lines with the programs it is given (kubectl, sh, text tools). It
// sees one real directory, to read; what it writes stays in memory. Nothing is ever started on the real host; what is not among the programs is not found.

import type { Micros } from '../base/time.js'
import { MILLISECOND, SECOND } from '../base/time.js'
import type { ClusterAccess } from '../drivers/emulation.js'
import { resolvePath } from '../posix/file-system.js'
import { Pipe } from '../posix/pipe.js'
import type { Child, Program, SignalName, System } from '../posix/process.js'
import { Screen } from './screen.js'

/** The last line of a screen on which a shell waits for a command. */
const PROMPT = /(?:^|\n)(\[ ?\S+@\S+ ?\S* ?\][$#] |\S+@\S+[$#] |\/\S* [#$] |[#$] )$/
const LONGEST_PROMPT = 300
const PRESS_ENTER = /try pressing enter\.\s*$/
/** How long a prompt must stand, and how long a silent terminal is given before Enter is pressed. */
const PROMPT_QUIET: Micros = 20 * MILLISECOND
const ENTER_AFTER: Micros = 2 * SECOND

export interface CommandResult {
  readonly exitCode: number
  /** Both streams, as the terminal showed them. */
  readonly output: string
  readonly stdout: string
  /** Set when the command still runs and waits at a prompt: what is typed next goes to it. */
  readonly session: InteractiveSession | undefined
  readonly timedOut: boolean
}

export class HostShell {
  readonly system: System
  readonly #emulation: ClusterAccess
  readonly #directory: string

  /** `directory`: absolute path of the files that command lines name; they run in it. */
  constructor(emulation: ClusterAccess, programs: ReadonlyMap<string, Program>, directory: string) {
    this.#emulation = emulation
    this.#directory = directory
    this.system = emulation.hostSystem({ programs, directory })
  }

  /** Whether a command of that name is there. */
  has(name: string): boolean {
    return this.system.programs.has(name)
  }

  /** Writes a file for commands to read; `path` may be relative to the directory. */
  writeFile(path: string, content: Uint8Array | string): void {
    const absolute = resolvePath(this.#directory, path)
    this.system.fs.makeDirectory(absolute.slice(0, absolute.lastIndexOf('/')) || '/', true)
    this.system.fs.writeFile(absolute, content)
  }

  /** Runs one command line until it ends, or waits for input at a prompt, or `timeout` is over (then SIGKILL). */
  run(line: string, timeout: Micros): Promise<CommandResult> {
    return this.runProgram(['sh', '-c', line], timeout)
  }

  /** As `run`, without a shell. */
  async runProgram(argv: readonly string[], timeout: Micros): Promise<CommandResult> {
    const screen = new Screen()
    const keyboard = new Pipe()
    const child = this.#spawn(argv, screen, keyboard)
    if (child === undefined) {
      return {
        exitCode: 127,
        output: `${argv[0]}: not found\n`,
        stdout: '',
        session: undefined,
        timedOut: false,
      }
    }
    child.exited.then((exitCode) => screen.end(exitCode))
    const session = new InteractiveSession(this.#emulation, this.system, screen, keyboard, child)
    const state = await session.untilPrompt(timeout)
    if (state === 'timeout') {
      signalFamily(this.system, child.pid, 'SIGKILL')
      await this.#emulation.run(child.exited)
    }
    return {
      exitCode: screen.exitCode ?? 0,
      output: state === 'prompt' ? withoutPrompt(screen.text) : screen.text,
      stdout: screen.stdout,
      session: state === 'prompt' ? session : undefined,
      timedOut: state === 'timeout',
    }
  }

  #spawn(argv: readonly string[], screen: Screen, keyboard: Pipe): Child | undefined {
    return this.system.spawn({
      argv,
      env: new Map([
        ['HOME', this.#directory],
        ['PATH', '/usr/local/bin:/usr/bin:/bin'],
        ['PWD', this.#directory],
        ['SHELL', '/bin/sh'],
        ['TERM', 'xterm'],
        ['USER', 'user'],
      ]),
      cwd: this.#directory,
      // The keyboard of a raw terminal: echo and line editing are the pod's.
      stdin: { ...keyboard.reader, isTTY: true },
      stdout: { isTTY: false, write: async (content) => screen.show('stdout', content) },
      stderr: { isTTY: false, write: async (content) => screen.show('stderr', content) },
    })
  }
}

/** A command that goes on and takes lines: `kubectl run -it`, `kubectl exec -it ... sh`. */
export class InteractiveSession {
  readonly #emulation: ClusterAccess
  readonly #system: System
  readonly #screen: Screen
  readonly #keyboard: Pipe
  readonly #child: Child

  constructor(emulation: ClusterAccess, system: System, screen: Screen, keyboard: Pipe, child: Child) {
    this.#emulation = emulation
    this.#system = system
    this.#screen = screen
    this.#keyboard = keyboard
    this.#child = child
  }

  get alive(): boolean {
    return this.#screen.exitCode === undefined
  }

  /** Name in the prompt: `curl` of `[ root@curl:/ ]$ `; undefined when the prompt does not tell. */
  get hostname(): string | undefined {
    const prompt = PROMPT.exec(this.#screen.text.slice(-LONGEST_PROMPT))?.[1] ?? ''
    return /@([\w.-]+)/.exec(prompt)?.[1]
  }

  /** Waits for the end or a prompt. Enter is pressed once when the terminal asks for it. */
  async untilPrompt(timeout: Micros): Promise<'ended' | 'prompt' | 'timeout'> {
    const until = this.#system.clock.now() + timeout
    let entered = false
    while (this.#system.clock.now() < until) {
      const rest = until - this.#system.clock.now()
      const asked = !entered && PRESS_ENTER.test(this.#screen.text.slice(-LONGEST_PROMPT))
      const ready = await this.#wait(
        () => this.#done() || this.#asksForEnter(entered, asked),
        asked ? Math.min(rest, ENTER_AFTER) : rest,
      )
      if (!this.alive) return 'ended'
      if (ready && this.#atPrompt()) {
        const before = this.#screen.text
        await this.#wait(() => !this.alive || this.#screen.text !== before, PROMPT_QUIET)
        if (!this.alive) return 'ended'
        if (this.#screen.text === before) return 'prompt'
      } else if (asked) {
        entered = true
        await this.#press('\n')
      }
    }
    return 'timeout'
  }

  /** Types a line and waits for the next prompt; the echo of the line is not part of the output. */
  async type(line: string, timeout: Micros): Promise<CommandResult> {
    const { output, state } = await this.#typeAndRead(line, timeout)
    if (state === 'timeout') {
      await this.#press('\x03')
      await this.untilPrompt(SECOND)
    }
    const exitCode = state === 'prompt' ? await this.#lastStatus() : (this.#screen.exitCode ?? 130)
    return {
      exitCode,
      output,
      stdout: output,
      session: this.alive ? this : undefined,
      timedOut: state === 'timeout',
    }
  }

  /** Hangs up: the command sees the end of its input and SIGHUP. */
  close(): void {
    this.#keyboard.endWriting()
    signalFamily(this.#system, this.#child.pid, 'SIGHUP')
  }

  async #lastStatus(): Promise<number> {
    const { output } = await this.#typeAndRead('echo $?', 10 * SECOND)
    const status = /(\d+)\s*$/.exec(output)
    return status === null ? 0 : Number(status[1])
  }

  async #typeAndRead(
    line: string,
    timeout: Micros,
  ): Promise<{ output: string; state: 'ended' | 'prompt' | 'timeout' }> {
    this.#screen.clear()
    await this.#press(`${line}\n`)
    const state = await this.untilPrompt(timeout)
    return { output: withoutEcho(withoutPrompt(this.#screen.text), line), state }
  }

  async #press(keys: string): Promise<void> {
    await this.#emulation.run(this.#keyboard.writer.write(keys))
  }

  #atPrompt(): boolean {
    // Only the end is looked at: output can be long, and comes in many pieces.
    return PROMPT.test(this.#screen.text.slice(-LONGEST_PROMPT))
  }

  #done(): boolean {
    return !this.alive || this.#atPrompt()
  }

  /** Output has just come to ask for Enter: the wait starts again with its own, shorter time. */
  #asksForEnter(entered: boolean, known: boolean): boolean {
    return !entered && !known && PRESS_ENTER.test(this.#screen.text.slice(-LONGEST_PROMPT))
  }

  /** Lets the emulation run until `condition` holds; false when `timeout` comes first. */
  async #wait(condition: () => boolean, timeout: Micros): Promise<boolean> {
    const over = new AbortController()
    const timer = new AbortController()
    this.#system.clock.sleep(timeout, timer.signal).then(
      () => over.abort(),
      () => {},
    )
    const held = await this.#emulation.run(this.#screen.until(condition, over.signal))
    timer.abort(new Error('no longer waiting'))
    return held
  }
}

/** A terminal's signals go to all that runs on it: the shell and what it has started. */
function signalFamily(system: System, pid: number, signal: SignalName): void {
  for (const row of system.processes()) if (row.ppid === pid) signalFamily(system, row.pid, signal)
  system.kill(pid, signal)
}

function withoutPrompt(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(PROMPT, '\n')
}

/** The terminal shows what is typed, in front of the output. */
function withoutEcho(text: string, line: string): string {
  const echo = line.replace(/\n/g, '\n> ')
  for (const shown of [echo, line]) if (text.startsWith(`${shown}\n`)) return text.slice(shown.length + 1)
  return text
}
