// Full-screen programs on a real terminal's screen (@xterm/headless): what a person would see, key by key.

import xterm from '@xterm/headless'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Terminal } from '../../../src/posix/terminal.js'
import { ShellHost } from '../../support/shell-host.js'

const COLUMNS = 40
const ROWS = 6

class Screen {
  readonly host = new ShellHost()
  readonly terminal = new Terminal(COLUMNS, ROWS)
  readonly #shown = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true })
  readonly #child

  constructor(script: string, files: Readonly<Record<string, string>> = {}) {
    for (const [path, content] of Object.entries(files)) this.host.fs.writeFile(path, content)
    this.terminal.onOutput = (bytes) => {
      this.#shown.write(bytes)
      return undefined
    }
    const { reader, writer } = this.terminal
    this.#child = this.host.start(['sh', '-c', script], { stdin: reader, stdout: writer, stderr: writer })
    this.terminal.onSignal = (signal) => this.#child.kill(signal)
  }

  type(text: string): void {
    this.terminal.input(new TextEncoder().encode(text))
  }

  resize(columns: number, rows: number): void {
    this.#shown.resize(columns, rows)
    this.terminal.resize(columns, rows)
  }

  /** Waits until the screen is as `holds` wants it; the lines. */
  async until(holds: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
    for (let turn = 0; turn < 500; turn++) {
      const lines = this.lines()
      if (holds(lines)) return lines
      await this.host.clock.pass(1000)
      await new Promise<void>((resolve) => this.#shown.write('', resolve))
    }
    throw new Error(`the screen stays\n${this.lines().join('\n')}`)
  }

  lines(): string[] {
    const { active } = this.#shown.buffer
    return Array.from({ length: this.#shown.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
    )
  }

  exited(): Promise<number> {
    return this.host.clock.run(this.#child.exited)
  }
}

const test = suite('full-screen programs')

const numbers = Array.from({ length: 100 }, (_, index) => `line ${index + 1}\n`).join('')

test('less: pages, ends, lines, and q gives the screen back', async () => {
  const screen = new Screen('echo before; less /tmp/f', { '/tmp/f': numbers })
  await screen.until((lines) => lines[0] === 'line 1' && lines[4] === 'line 5' && lines[5] === '/tmp/f')
  screen.type(' ')
  await screen.until((lines) => lines[0] === 'line 6' && lines[5] === ':')
  screen.type('G')
  await screen.until((lines) => lines[0] === 'line 96' && lines[4] === 'line 100' && lines[5] === '(END)')
  screen.type('g')
  await screen.until((lines) => lines[0] === 'line 1')
  screen.type('50g')
  await screen.until((lines) => lines[0] === 'line 50')
  screen.type('\x1b[A')
  await screen.until((lines) => lines[0] === 'line 49')
  screen.type('q')
  assert.is(await screen.exited(), 0)
  await screen.until((lines) => lines[0] === 'before' && lines[1] === '')
})

test('less: searches, again and backwards; a pattern that is nowhere is told', async () => {
  const screen = new Screen('less /tmp/f', { '/tmp/f': numbers })
  await screen.until((lines) => lines[0] === 'line 1')
  screen.type('/line .5\r')
  await screen.until((lines) => lines[0] === 'line 15')
  screen.type('n')
  await screen.until((lines) => lines[0] === 'line 25')
  screen.type('N')
  await screen.until((lines) => lines[0] === 'line 15')
  screen.type('?line 3$\r')
  await screen.until((lines) => lines[0] === 'line 3')
  screen.type('/nowhere\r')
  await screen.until((lines) => lines[5] === 'Pattern not found' && lines[0] === 'line 3')
  screen.type('q')
  assert.is(await screen.exited(), 0)
})

test('less behind a pipe takes its keys from the terminal, and follows its size', async () => {
  const screen = new Screen(`seq 100 | less; read -r next; echo "next: $next"`)
  await screen.until((lines) => lines[0] === '1' && lines[4] === '5')
  screen.resize(COLUMNS, 4)
  await screen.until((lines) => lines.length === 4 && lines[2] === '3' && lines[3] === ':')
  screen.type('q')
  await screen.until((lines) => lines[0] !== '1')
  // What is typed afterwards is the next program's.
  screen.type('mine\r')
  await screen.until((lines) => lines.includes('next: mine'))
  assert.is(await screen.exited(), 0)
})

test('less without a terminal is cat', async () => {
  const { stdout, status } = await new ShellHost().sh('seq 3 | less')
  assert.is(stdout, '1\n2\n3\n')
  assert.is(status, 0)
})

test('more: a screenful, a line, the end', async () => {
  const screen = new Screen('seq 12 | more')
  await screen.until((lines) => lines[4] === '5' && lines[5]!.startsWith('--More--'))
  screen.type('\r')
  await screen.until((lines) => lines[4] === '6' && lines[5]!.startsWith('--More--'))
  screen.type(' ')
  await screen.until((lines) => lines[4] === '11' && lines[5]!.startsWith('--More--'))
  screen.type('q')
  assert.is(await screen.exited(), 0)
})

test('top tells processes and goes at q; -b -n writes and ends', async () => {
  const screen = new Screen('sleep 1000 & top; kill $!')
  await screen.until((shown) => shown[0]!.startsWith('Mem:'))
  screen.resize(80, 10)
  const lines = await screen.until((shown) => shown.some((line) => line.includes('sleep 1000')))
  assert.match(lines[0]!, /^Mem: \d+K used, \d+K free$/)
  assert.match(lines[2]!, /PID {2}PPID USER/)
  screen.type('q')
  await screen.exited()
  const host = new ShellHost()
  const { stdout, status } = await host.sh('top -b -n 2 -d 1')
  assert.is(stdout.match(/^CPU:/gm)?.length, 2)
  assert.match(stdout, /root {5}R .* top -b -n 2 -d 1\n/)
  assert.is(status, 0)
})

test('watch draws in one place, marks what changed, and ends when that is asked for', async () => {
  const host = new ShellHost()
  const { stdout, status } = await host.sh('echo 1 > f; watch -n 1 -d -g "cat f; echo 2 > f"')
  assert.match(
    stdout,
    /^\x1b\[H\x1b\[JEvery 1\.0s: cat f; echo 2 > f .*\n\n1\n\x1b\[H\x1b\[J.*\n\n\x1b\[7m2\x1b\[m\n$/,
  )
  assert.is(status, 0)
})

test.run()
