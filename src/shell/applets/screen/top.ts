// top and free as busybox has them. Memory is the container's, as `kubectl top` shows it, against the pod's limit; a
// process' is what it said to keep (Process.hold), its processor time what it was charged for. There is no load average.

import type { Micros } from '../../../base/time.js'
import type { Process, ProcessRow, Program } from '../../../posix/process.js'
import { applet, parseCount, parseDuration, parseOptions } from '../options.js'
import { Keyboard } from './keyboard.js'
import { rowsOf } from './page-text.js'

const REVERSE = '\x1b[7m'
const PLAIN = '\x1b[m'

export const top: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'bn:d:mH')
  const interval = parseDuration(options.value('d') ?? '5')
  const rounds = options.has('n') ? parseCount(options.value('n')!) : Number.POSITIVE_INFINITY
  const keyboard = options.has('b') || !process.stdout.isTTY ? undefined : Keyboard.of(process)
  const { clock } = process.system
  let before = new Map<number, Micros>()
  let since = 0
  try {
    for (let round = 0; round < rounds; round++) {
      const now = clock.now()
      const rows = process.system.processes()
      const lines = screenOf(process, rows, before, now - since, keyboard !== undefined)
      before = new Map(rows.map(({ pid, processorTime }) => [pid, processorTime]))
      since = now
      if (keyboard === undefined) await process.stdout.write(`${lines.join('\n')}\n`)
      else await process.stdout.write(fitted(lines, keyboard))
      if (round + 1 >= rounds) return 0
      if (keyboard === undefined) await clock.sleep(interval, process.signal)
      else if (await isEnded(process, keyboard, interval)) return 0
    }
    return 0
  } finally {
    keyboard?.close()
  }
})

/** The lines that the screen has room for, cut to its width. */
function fitted(lines: readonly string[], keyboard: Keyboard): string {
  const { columns, rows } = keyboard.terminal
  const shown = lines.slice(0, rows - 1).map((line) => rowsOf(line, columns, true)[0])
  return `\x1b[H\x1b[J${shown.join(`${PLAIN}\n`)}\n`
}

/** Waits for the next round; true when it is to be the last. A resize and other keys make it come at once. */
async function isEnded(process: Process, keyboard: Keyboard, interval: Micros): Promise<boolean> {
  const cancel = new AbortController()
  const key = await keyboard.next(process.signal, process.system.clock.sleep(interval, cancel.signal))
  cancel.abort()
  return key === 'q' || key === '\x03' || key === 'hang-up'
}

function screenOf(
  process: Process,
  rows: readonly ProcessRow[],
  before: ReadonlyMap<number, Micros>,
  elapsed: Micros,
  isScreen: boolean,
): string[] {
  const { usedBytes = 0, limitBytes = 0 } = process.system.memory() ?? {}
  const shares = new Map(
    rows.map(({ pid, processorTime }) => [pid, share(processorTime - (before.get(pid) ?? 0), elapsed)]),
  )
  const busy = Math.min(
    100,
    [...shares.values()].reduce((sum, each) => sum + each, 0),
  )
  const figures = `${String(busy).padStart(3)}% usr   0% sys   0% nic ${String(100 - busy).padStart(3)}% idle`
  const title = '  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND'
  return [
    `Mem: ${kib(usedBytes)}K used, ${kib(Math.max(0, limitBytes - usedBytes))}K free`,
    `CPU: ${figures}`,
    isScreen ? `${REVERSE}${title}${PLAIN}` : title,
    ...rows
      .toSorted(
        (a, b) => shares.get(b.pid)! - shares.get(a.pid)! || b.memoryBytes - a.memoryBytes || a.pid - b.pid,
      )
      .map((row) => processLine(process, row, shares.get(row.pid)!, limitBytes)),
  ]
}

function processLine(process: Process, row: ProcessRow, percent: number, limitBytes: number): string {
  const { pid, ppid, argv, memoryBytes } = row
  const state = pid === process.pid ? 'R' : 'S'
  const part = limitBytes === 0 ? 0 : Math.round((memoryBytes / limitBytes) * 100)
  const numbers = `${String(kib(memoryBytes)).padStart(7)} ${String(part).padStart(3)}% ${String(percent).padStart(3)}%`
  return `${String(pid).padStart(5)} ${String(ppid).padStart(5)} root     ${state}    ${numbers} ${argv.join(' ')}`
}

function share(used: Micros, elapsed: Micros): number {
  return elapsed <= 0 ? 0 : Math.min(100, Math.round((used / elapsed) * 100))
}

function kib(bytes: number): number {
  return Math.ceil(bytes / 1024)
}

export const free: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'bkmgh')
  const divisor = options.has('b') ? 1 : options.has('m') ? 1 << 20 : options.has('g') ? 1 << 30 : 1024
  const { usedBytes = 0, limitBytes = 0 } = process.system.memory() ?? {}
  const tell = (bytes: number) => (options.has('h') ? scaled(bytes) : String(Math.floor(bytes / divisor)))
  const row = (name: string, texts: readonly string[]) =>
    `${name.padEnd(7)}${texts.map((text) => text.padStart(12)).join('')}\n`
  const rest = Math.max(0, limitBytes - Math.ceil(usedBytes))
  await process.stdout.write(
    row('', ['total', 'used', 'free', 'shared', 'buff/cache', 'available']) +
      row('Mem:', [limitBytes, Math.ceil(usedBytes), rest, 0, 0, rest].map(tell)) +
      row('Swap:', [0, 0, 0].map(tell)),
  )
  return 0
})

function scaled(bytes: number): string {
  const units = ['', 'K', 'M', 'G']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)}${units[unit]}`
}
