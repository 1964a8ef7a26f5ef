// pidof, pgrep, pkill and uptime: who runs here, and since when.

import type { Process, ProcessRow, Program, SignalName } from '../../posix/process.js'
import { conditionNamed } from '../builtins/control.js'
import { formatDate } from '../date-format.js'
import { applet, parseOptions, UsageError } from './options.js'

function nameOfRow({ argv }: ProcessRow): string {
  return (argv[0] ?? '').replace(/.*\//, '')
}

export const pidof: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'so:')
  const left = options.given.filter(({ letter }) => letter === 'o').map(({ value }) => Number(value))
  const pids = process.system
    .processes()
    .filter((row) => options.operands.some((name) => nameOfRow(row) === name.replace(/.*\//, '')))
    .map(({ pid }) => pid)
    .filter((pid) => !left.includes(pid))
    .toReversed()
  if (pids.length === 0) return 1
  await process.stdout.write(`${(options.has('s') ? pids.slice(0, 1) : pids).join(' ')}\n`)
  return 0
})

/** The processes that a pattern matches, this one left out; throws UsageError without a pattern. */
function matching(process: Process, specification: string, args: readonly string[]) {
  const options = parseOptions(args, specification)
  const [pattern, ...more] = options.operands
  if (pattern === undefined && !options.has('P')) throw new UsageError('no matching criteria specified', 2)
  if (more.length > 0) throw new UsageError('only one pattern can be provided', 2)
  const wanted = patternOf(pattern ?? '', options.has('x'))
  const parent = options.value('P')
  let rows = process.system
    .processes()
    .filter((row) => row.pid !== process.pid && (parent === undefined || row.ppid === Number(parent)))
    .filter((row) => wanted.test(options.has('f') ? row.argv.join(' ') : nameOfRow(row)) !== options.has('v'))
  if (options.has('o')) rows = rows.slice(0, 1)
  if (options.has('n')) rows = rows.slice(-1)
  return { rows, options }
}

function patternOf(pattern: string, isWhole: boolean): RegExp {
  try {
    return new RegExp(isWhole ? `^(?:${pattern})$` : pattern)
  } catch {
    throw new UsageError(`invalid pattern '${pattern}'`, 2)
  }
}

export const pgrep: Program = applet(async (process, args) => {
  const { rows, options } = matching(process, 'flaxvonP:c', args)
  if (options.has('c')) await process.stdout.write(`${rows.length}\n`)
  else
    for (const { pid, argv } of rows) {
      const name = options.has('a') ? ` ${argv.join(' ')}` : options.has('l') ? ` ${argv[0]}` : ''
      await process.stdout.write(`${pid}${name}\n`)
    }
  return rows.length > 0 ? 0 : 1
})

export const pkill: Program = applet(async (process, args) => {
  const first = args[0] ?? ''
  const named = /^-(\d+|[A-Z]+\d*)$/.test(first) ? conditionNamed(first.slice(1)) : undefined
  if (named === 'EXIT') throw new UsageError(`bad signal name '${first.slice(1)}'`)
  const signal: SignalName = named ?? 'SIGTERM'
  const { rows } = matching(process, 'flxvonP:', named === undefined ? args : args.slice(1))
  for (const { pid } of rows) process.system.kill(pid, signal)
  return rows.length > 0 ? 0 : 1
})

/** Since its first process was started. Unlike the real one: there are no users and no load average to tell. */
export const uptime: Program = applet(async (process) => {
  const { clock } = process.system
  const started = Math.min(...process.system.processes().map((row) => row.started))
  const minutes = Math.floor((clock.now() - started) / 60e6)
  const days = Math.floor(minutes / 1440)
  const hours = Math.floor(minutes / 60) % 24
  const time = hours > 0 ? `${hours}:${String(minutes % 60).padStart(2, '0')}` : `${minutes % 60} min`
  const text = `${days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : ''}${time}`
  await process.stdout.write(` ${formatDate(clock.unixMillis(), '%H:%M:%S')} up ${text}\n`)
  return 0
})
