// Applets that run other programs: xargs, timeout, watch, time, nohup.

import { readAll } from '../../posix/pipe.js'
import type { Child, Process, Program, SignalName } from '../../posix/process.js'
import { conditionNamed } from '../builtins/control.js'
import { applet, nameOf, parseCount, parseDuration, parseOptions, UsageError } from './options.js'
import { runCommand } from './system.js'

/** The items of xargs' input: words with quotes and backslashes, or lines. */
function splitItems(text: string, mode: 'words' | 'lines' | 'nul'): string[] {
  if (mode === 'nul') return text.split('\0').filter((item) => item !== '')
  if (mode === 'lines') {
    return text
      .split('\n')
      .map((line) => line.replace(/^\s+/, ''))
      .filter((line) => line !== '')
  }
  return [...text.matchAll(/(?:"[^"\n]*"|'[^'\n]*'|\\[\s\S]|[^\s"'\\])+/g)].map(([item]) =>
    item.replace(
      /"([^"]*)"|'([^']*)'|\\([\s\S])/g,
      (_, double, single, escaped) => double ?? single ?? escaped ?? '',
    ),
  )
}

export const xargs: Program = applet(async (process, args) => {
  const options = parseOptions(args, '+n:I:0rtP:L:d:')
  const replaced = options.value('I')
  const command = options.operands.length === 0 ? ['echo'] : options.operands
  const text = new TextDecoder().decode(await readAll(process.stdin, process.hold))
  const mode = options.has('0') ? 'nul' : replaced !== undefined || options.has('L') ? 'lines' : 'words'
  const items = options.value('d') === undefined ? splitItems(text, mode) : text.split(options.value('d')!)
  const size = parseCount(options.value('n') ?? options.value('L') ?? '0') || Math.max(items.length, 1)
  const invocations: string[][] = []
  if (replaced !== undefined) {
    for (const item of items) invocations.push(command.map((word) => word.replaceAll(replaced, item)))
  } else {
    for (let at = 0; at < items.length; at += size)
      invocations.push([...command, ...items.slice(at, at + size)])
    if (items.length === 0 && !options.has('r')) invocations.push([...command])
  }
  let status = 0
  for (const argv of invocations) {
    if (options.has('t')) await process.stderr.write(`${argv.join(' ')}\n`)
    const result = await runCommand(process, argv)
    if (result === 126 || result === 127) return result
    if (result === 255) return 124
    if (result !== 0) status = 123
  }
  return status
})

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
  const options = parseOptions(args, '+s:k:t:')
  const [first, ...rest] = options.operands
  // The old form of busybox: timeout -t SECS PROG.
  const old = options.value('t')
  const duration = parseDuration(old ?? first ?? '')
  const argv = old === undefined ? rest : options.operands
  const signal = conditionNamed(options.value('s') ?? 'TERM')
  if (signal === undefined || signal === 'EXIT')
    throw new UsageError(`bad signal name '${options.value('s')}'`)
  if (argv.length === 0) throw new UsageError('usage: timeout [-s SIG] SECS PROG ARGS')
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
  if (ended === 137) return 137
  return signal === 'SIGKILL' ? 137 : 124
})

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
