// A real terminal: windows of a tmux server of the test's own, typed into and read as a person would.

import { execFileSync } from 'node:child_process'
import { PATIENCE_MS } from './patience.js'

const COLUMNS = 200
const ROWS = 50
/** Between two looks at a screen. */
const LOOK_MS = 30

/** Whether there is a tmux. */
export function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export class Tmux {
  readonly #socket: string
  readonly #env: Record<string, string>
  readonly #cwd: string
  #windows = 0

  /** `socket`: a path; `env`: of the shells, and nothing besides. */
  constructor(socket: string, options: { readonly env: Record<string, string>; readonly cwd: string }) {
    this.#socket = socket
    this.#env = options.env
    this.#cwd = options.cwd
  }

  /** A window with a shell whose prompt is `$ ` on a line of its own. */
  open(): TmuxWindow {
    const name = `w${this.#windows++}`
    const env = Object.entries({ ...this.#env, PS1: '\\n$ ' }).map(([key, value]) => `${key}=${value}`)
    const shell = ['env', '-i', ...env, 'bash', '--norc', '--noprofile', '+o', 'history']
    const size = ['-x', String(COLUMNS), '-y', String(ROWS)]
    if (this.#windows === 1)
      this.command('new-session', '-d', '-s', 'test', '-n', name, '-c', this.#cwd, ...size, ...shell)
    else this.command('new-window', '-d', '-t', 'test', '-n', name, '-c', this.#cwd, ...shell)
    return new TmuxWindow(this, `test:${name}`)
  }

  command(...args: string[]): string {
    // -f /dev/null: nobody's own settings.
    return execFileSync('tmux', ['-f', '/dev/null', '-S', this.#socket, ...args], { encoding: 'utf8' })
  }

  end(): void {
    if (this.#windows > 0) this.command('kill-server')
  }
}

export class TmuxWindow {
  readonly #tmux: Tmux
  readonly #target: string

  constructor(tmux: Tmux, target: string) {
    this.#tmux = tmux
    this.#target = target
  }

  /** Types `text` as it is. */
  type(text: string): void {
    this.#tmux.command('send-keys', '-t', this.#target, '-l', '--', text)
  }

  /** A key by tmux' name: `Enter`, `C-c`. */
  press(key: string): void {
    this.#tmux.command('send-keys', '-t', this.#target, key)
  }

  resize(columns: number, rows: number): void {
    this.#tmux.command('resize-window', '-t', this.#target, '-x', String(columns), '-y', String(rows))
  }

  /** What is visible, without blanks at the end. */
  screen(): string {
    return this.#tmux.command('capture-pane', '-p', '-t', this.#target).trimEnd()
  }

  /** Everything that the window has shown, lines that were wrapped in one, without blanks at the end. */
  text(): string {
    return this.#tmux.command('capture-pane', '-p', '-J', '-S', '-', '-t', this.#target).trimEnd()
  }

  /** Waits until the text behind the first `from` characters matches; rejects with the screen when it does not come. */
  async until(pattern: RegExp, from = 0, timeoutMs = PATIENCE_MS): Promise<string> {
    const end = performance.now() + timeoutMs
    for (;;) {
      const text = this.text().slice(from)
      if (pattern.test(text)) return text
      if (performance.now() > end)
        throw new Error(`${pattern} did not come in ${timeoutMs} ms:\n${this.text()}`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
}
