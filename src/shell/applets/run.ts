// Applets that run other programs: timeout, time, nohup. xargs has a file of its own.

import type { Micros } from '../../base/time.js'
import type { Child, Process, Program, SignalName } from '../../posix/process.js'
import { conditionNamed } from '../builtins/control.js'
import { applet, nameOf, parseDuration, parseOptions, UsageError } from './options.js'
import { runCommand } from './system.js'

function spawnChild(process: Process, argv: readonly string[]): Child {
  const { env, cwd, stdin, stdout, stderr } = process
  const child = process.system.spawn({ argv, env, cwd, stdin, stdout, stderr })
  if (child === undefined) {
    throw new UsageError(`can't execute '${argv[0]}': No such file or directory`, 127)
  }
  process.signal.addEventListener(
    'abort',
    () => child.kill((process.signal.reason as { signalName: SignalName }).signalName),
    { once: true },
  )
  return child
}

export const timeout: Program = applet(async (process, args) => {
  const options = parseOptions(args, '+s:k:t:pfv', {
    signal: 's',
    'kill-after': 'k',
    'preserve-status': 'p',
    foreground: 'f',
    verbose: 'v',
  })
  const [first, ...rest] = options.operands
  // The old form of busybox: timeout -t SECS PROG.
  const old = options.value('t')
  if (old === undefined && rest.length === 0)
    throw new UsageError('usage: timeout [-s SIG] SECS PROG ARGS', 125)
  const duration = durationOf(old ?? first!)
  const argv = old === undefined ? rest : options.operands
  const signal = conditionNamed(options.value('s') ?? 'TERM')
  if (signal === undefined || signal === 'EXIT')
    throw new UsageError(`bad signal name '${options.value('s')}'`, 125)
  // No limit at all.
  if (duration === 0) return await runCommand(process, argv)
  const child = spawnChild(process, argv)
  const { clock } = process.system
  const cancel = new AbortController()
  const expired = clock.sleep(duration, cancel.signal).then(
    () => true,
    () => false,
  )
  const status = await Promise.race([child.exited, expired.then((due) => (due ? undefined : child.exited))])
  if (status !== undefined) {
    cancel.abort()
    return status
  }
  child.kill(signal)
  const grace = options.value('k')
  if (grace !== undefined) {
    void clock.sleep(parseDuration(grace), cancel.signal).then(
      () => child.kill('SIGKILL'),
      () => {},
    )
  }
  const ended = await child.exited
  cancel.abort()
  if (options.has('p') || ended === 137) return ended
  return signal === 'SIGKILL' ? 137 : 124
})

function durationOf(text: string): Micros {
  try {
    return parseDuration(text)
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message, 125) : error
  }
}

export const time: Program = applet(async (process, args) => {
  const argv = args[0] === '-p' ? args.slice(1) : args
  const { clock } = process.system
  const started = clock.now()
  const status = argv.length === 0 ? 0 : await runCommand(process, argv)
  const seconds = (clock.now() - started) / 1e6
  const text = (value: number) => `${Math.floor(value / 60)}m ${(value % 60).toFixed(2)}s`
  await process.stderr.write(`real\t${text(seconds)}\nuser\t${text(0)}\nsys\t${text(0)}\n`)
  return status
})

/** nohup, setsid and nice have nothing to change here; they run the program. */
export const plainly: Program = applet(async (process, args) => {
  if (args.length === 0) throw new UsageError(`usage: ${nameOf(process)} PROG ARGS`)
  return await runCommand(process, args)
})
