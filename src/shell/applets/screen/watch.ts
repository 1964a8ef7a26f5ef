// watch: a command's output again and again in one place, with -d what changed since the last time in reverse. It is cut
// to the terminal's size; the line discipline stays as it is, so that ^C ends it.

import { CollectingWriter } from '../../../posix/pipe.js'
import type { Process, Program, SignalName } from '../../../posix/process.js'
import { formatDate } from '../../date-format.js'
import { applet, parseDuration, parseOptions, UsageError } from '../options.js'
import { rowsOf } from './page-text.js'

const REVERSE = '\x1b[7m'
const PLAIN = '\x1b[m'
const DEFAULT_COLUMNS = 80
const DEFAULT_ROWS = 24

export const watch: Program = applet(async (process, args) => {
  const options = parseOptions(args, '+n:tdegx', {
    interval: 'n',
    'no-title': 't',
    differences: 'd',
    errexit: 'e',
    chgexit: 'g',
    exec: 'x',
  })
  const interval = parseDuration(options.value('n') ?? '2')
  const { operands } = options
  if (operands.length === 0) throw new UsageError('usage: watch [-n SEC] [-t] [-d] [-g] PROG ARGS')
  const { clock } = process.system
  const argv = options.has('x') ? operands : ['sh', '-c', operands.join(' ')]
  const title = `Every ${(interval / 1e6).toFixed(1)}s: ${operands.join(' ')}`
  let before: readonly string[] | undefined
  for (;;) {
    const { text, status } = await outputOf(process, argv)
    const { columns, rows } = sizeOf(process)
    const head = options.has('t')
      ? []
      : [titleLine(title, formatDate(clock.unixMillis(), '%Y-%m-%d %H:%M:%S'), columns), '']
    const lines = text
      .replace(/\n$/, '')
      .split('\n')
      .flatMap((line) => rowsOf(line, columns))
      .slice(0, rows - head.length)
    const shown = options.has('d') && before !== undefined ? lines.map(differences(before)) : lines
    await process.stdout.write(
      `\x1b[H\x1b[J${[...head, ...shown].join('\n')}${process.stdout.isTTY ? '' : '\n'}`,
    )
    if (options.has('e') && status !== 0) return status
    if (options.has('g') && before !== undefined && before.join('\n') !== lines.join('\n')) return 0
    before = lines
    await untilNext(process, clock.now() + interval)
  }
})

function titleLine(title: string, stamp: string, columns: number): string {
  const room = columns - title.length
  return `${title}${room > stamp.length ? stamp.padStart(room) : ` ${stamp}`}`
}

/** A line with the characters in reverse that differ from those of the same line before. */
function differences(before: readonly string[]): (line: string, index: number) => string {
  return (line, index) => {
    const old = [...(before[index] ?? '')]
    let text = ''
    let isOn = false
    for (const [at, character] of [...line].entries()) {
      const differs = character !== old[at]
      if (differs !== isOn) text += differs ? REVERSE : PLAIN
      isOn = differs
      text += character
    }
    return isOn ? `${text}${PLAIN}` : text
  }
}

function sizeOf({ stdout, stdin }: Process): { readonly columns: number; readonly rows: number } {
  const terminal = stdout.keyboard?.terminal ?? stdin.terminal
  return {
    columns: terminal?.columns ?? stdout.columns ?? DEFAULT_COLUMNS,
    rows: terminal?.rows ?? DEFAULT_ROWS,
  }
}

/** Waits for the next time, or for another size of the terminal. */
async function untilNext(process: Process, end: number): Promise<void> {
  const { clock } = process.system
  const terminal = process.stdout.keyboard?.terminal ?? process.stdin.terminal
  const early = new AbortController()
  const quit = terminal?.onResize(() => early.abort())
  try {
    await clock.sleep(Math.max(0, end - clock.now()), early.signal)
  } catch (error) {
    if (!early.signal.aborted) throw error
  } finally {
    quit?.()
  }
}

async function outputOf(
  process: Process,
  argv: readonly string[],
): Promise<{ readonly text: string; readonly status: number }> {
  const { env, cwd, stdin, system, signal } = process
  const output = new CollectingWriter()
  const child = system.spawn({ argv, env, cwd, stdin, stdout: output, stderr: output })
  if (child === undefined) return { text: `watch: ${argv[0]}: not found\n`, status: 127 }
  const onAbort = () => child.kill((signal.reason as { signalName: SignalName }).signalName)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const status = await child.exited
    return { text: output.text(), status }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
