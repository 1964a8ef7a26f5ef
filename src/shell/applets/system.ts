// Applets about the system and its processes: env, hostname, id, uname, ps, kill, which, sleep, pwd.

import { resolvePath } from '../../posix/file-system.js'
import { KERNEL_RELEASE, KERNEL_VERSION } from '../../posix/kernel-tree.js'
import type { Process, ProcessRow, Program, SignalName } from '../../posix/process.js'
import { conditionNamed } from '../builtins/control.js'
import { applet, nameOf, parseDuration, parseOptions, UsageError } from './options.js'

export const sleep: Program = applet(async (process, args) => {
  if (args.length === 0) throw new UsageError('missing operand')
  if (args.some((text) => /^inf(?:inity)?$/i.test(text))) return await untilKilled(process)
  const duration = args.reduce((sum, text) => sum + parseDuration(text), 0)
  await process.system.clock.sleep(duration, process.signal)
  return 0
})

/** `sleep infinity`: no deadline that a clock would have to keep. */
function untilKilled({ signal }: Process): Promise<never> {
  return new Promise((_none, reject) => {
    const end = () => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

export const pwd: Program = applet(async (process) => {
  await process.stdout.write(`${process.cwd}\n`)
  return 0
})

export const env: Program = applet(async (process, args) => {
  const options = parseOptions(splitString(args), '+iu:0C:v', {
    'ignore-environment': 'i',
    unset: 'u',
    null: '0',
    chdir: 'C',
  })
  const command = [...options.operands]
  const isEmpty = options.has('i') || command[0] === '-'
  if (command[0] === '-') command.shift()
  const env = isEmpty ? new Map<string, string>() : new Map(process.env)
  for (const { letter, value } of options.given) if (letter === 'u') env.delete(value)
  for (let match = assignment(command[0]); match !== undefined; match = assignment(command[0])) {
    env.set(match.name, match.value)
    command.shift()
  }
  const cwd = resolvePath(process.cwd, options.value('C') ?? '.')
  if (options.has('C') && !process.system.fs.exists(cwd))
    throw new UsageError(`cannot change directory to '${options.value('C')}': No such file or directory`, 125)
  if (command.length > 0) return await runCommand(process, command, { env, cwd })
  const end = options.has('0') ? '\0' : '\n'
  for (const [name, value] of env) await process.stdout.write(`${name}=${value}${end}`)
  return 0
})

/** `-S 'a b'`: one argument that stands for several. */
function splitString(args: readonly string[]): string[] {
  const match = /^(?:-S|--split-string=)(.*)$/s.exec(args[0] ?? '')
  if (match === null) return [...args]
  const [text, rest] = match[1] === '' ? [args[1] ?? '', args.slice(2)] : [match[1]!, args.slice(1)]
  return [...text.split(/\s+/).filter((word) => word !== ''), ...rest]
}

function assignment(text: string | undefined): { readonly name: string; readonly value: string } | undefined {
  const at = text?.indexOf('=') ?? -1
  return at > 0 ? { name: text!.slice(0, at), value: text!.slice(at + 1) } : undefined
}

/** Runs a program in the foreground of an applet (env, xargs, timeout); 127 when there is none. */
export async function runCommand(
  process: Process,
  argv: readonly string[],
  {
    env = process.env,
    cwd = process.cwd,
  }: { readonly env?: ReadonlyMap<string, string>; readonly cwd?: string } = {},
): Promise<number> {
  const { stdin, stdout, stderr } = process
  const child = process.system.spawn({ argv, env, cwd, stdin, stdout, stderr })
  if (child === undefined) {
    await stderr.write(`${nameOf(process)}: can't execute '${argv[0]}': No such file or directory\n`)
    return 127
  }
  const onAbort = () => child.kill((process.signal.reason as { signalName: SignalName }).signalName)
  process.signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await child.exited
  } finally {
    process.signal.removeEventListener('abort', onAbort)
  }
}

export const printenv: Program = applet(async (process, args) => {
  if (args.length === 0)
    for (const [name, value] of process.env) await process.stdout.write(`${name}=${value}\n`)
  let status = 0
  for (const name of args) {
    const value = process.env.get(name)
    if (value === undefined) status = 1
    else await process.stdout.write(`${value}\n`)
  }
  return status
})

export const hostname: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'iIsfdA', {
    'all-ip-addresses': 'I',
    'ip-address': 'i',
    fqdn: 'f',
    short: 's',
  })
  const name = process.system.hostname
  const addresses = () =>
    process.system.net
      .interfaces()
      .filter((row) => !row.loopback)
      .flatMap((row) => row.addresses.map((address) => address.split('/')[0]!))
  let text = name
  if (options.has('i')) text = addresses().join(' ')
  else if (options.has('I'))
    text = addresses()
      .map((address) => `${address} `)
      .join('')
  else if (options.has('s')) text = name.split('.')[0]!
  else if (options.has('d')) text = name.split('.').slice(1).join('.')
  await process.stdout.write(`${text}\n`)
  return 0
})

export const id: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'ugnrG')
  const number = options.has('u') || options.has('g') || options.has('G')
  const text = number ? (options.has('n') ? 'root' : '0') : 'uid=0(root) gid=0(root) groups=0(root)'
  await process.stdout.write(`${text}\n`)
  return 0
})

export const whoami: Program = applet(async (process) => {
  await process.stdout.write('root\n')
  return 0
})

export const uname: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'asnrvmpio')
  const fields: readonly (readonly [string, string])[] = [
    ['s', 'Linux'],
    ['n', process.system.hostname],
    ['r', KERNEL_RELEASE],
    ['v', KERNEL_VERSION],
    ['m', 'x86_64'],
    ['o', 'GNU/Linux'],
  ]
  const shown = fields.filter(([letter]) => options.has('a') || options.has(letter)).map(([, text]) => text)
  await process.stdout.write(`${shown.length === 0 ? 'Linux' : shown.join(' ')}\n`)
  return 0
})

/** How many processors there are for a container: one, since a pod's programs run one at a time. */
export const nproc: Program = applet(async (process, args) => {
  parseOptions(args, 'ai:', { all: 'a', ignore: 'i' })
  await process.stdout.write('1\n')
  return 0
})

export const arch: Program = applet(async (process) => {
  await process.stdout.write('x86_64\n')
  return 0
})

export const groups: Program = applet(async (process) => {
  await process.stdout.write('root\n')
  return 0
})

export const tty: Program = applet(async (process, args) => {
  const options = parseOptions(args, 's', { silent: 's', quiet: 's' })
  const { isTTY } = process.stdin
  if (!options.has('s')) await process.stdout.write(isTTY ? '/dev/pts/0\n' : 'not a tty\n')
  return isTTY ? 0 : 1
})

/** Tells of the terminal, and changes nothing: the line discipline has no settings but its size. */
export const stty: Program = applet(async (process, args) => {
  const { terminal } = process.stdin
  if (terminal === undefined) throw new UsageError('standard input: Not a tty')
  const { columns, rows } = terminal
  const [what = '-a', ...more] = args
  if (['echo', '-echo', 'sane'].includes(what)) {
    terminal.echo = what !== '-echo'
    return 0
  }
  if (more.length > 0 || (what !== 'size' && what !== '-a'))
    throw new UsageError(`invalid argument '${more[0] ?? what}'`)
  const keys = 'intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D;'
  const all = `speed 38400 baud; rows ${rows}; columns ${columns};\n${keys}\nisig icanon ${terminal.echo ? '' : '-'}echo echoctl onlcr\n`
  await process.stdout.write(what === 'size' ? `${rows} ${columns}\n` : all)
  return 0
})

/** Columns of `ps -o`: heading, width (negative: to the left) and content. */
const PS_COLUMNS: Readonly<Record<string, readonly [string, number, (row: ProcessRow) => string]>> = {
  pid: ['PID', 5, ({ pid }) => String(pid)],
  ppid: ['PPID', 5, ({ ppid }) => String(ppid)],
  pgid: ['PGID', 5, ({ group }) => String(group)],
  user: ['USER', -8, () => 'root'],
  group: ['GROUP', -8, () => 'root'],
  stat: ['STAT', -4, ({ stopped }) => (stopped ? 'T' : 'S')],
  time: ['TIME', -5, (row) => minutes(row.processorTime / 1e6)],
  vsz: ['VSZ', -4, ({ memoryBytes }) => `${Math.ceil(memoryBytes / 1024)}`],
  rss: ['RSS', -4, ({ memoryBytes }) => `${Math.ceil(memoryBytes / 1024)}`],
  comm: ['COMMAND', -16, ({ argv }) => (argv[0] ?? '').replace(/.*\//, '')],
  args: ['COMMAND', 0, ({ argv }) => argv.join(' ')],
}

function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
}

/** As busybox has it: all processes, with the columns that -o names; letters of other systems change nothing. */
export const ps: Program = applet(async (process, args) => {
  const at = args.findIndex((arg) => arg.startsWith('-') && arg.includes('o'))
  const list = at < 0 ? undefined : args[at]!.replace(/^-\w*?o/, '') || args[at + 1]
  if (list === undefined) {
    await process.stdout.write('PID   USER     TIME  COMMAND\n')
    for (const { pid, argv } of process.system.processes()) {
      await process.stdout.write(`${String(pid).padStart(5)} root      0:00 ${argv.join(' ')}\n`)
    }
    return 0
  }
  const columns = list.split(',').map((name) => {
    const [, key, heading] = /^([^=]*)(?:=(.*))?$/.exec(name)!
    const column = PS_COLUMNS[key === 'cmd' ? 'args' : key!]
    if (column === undefined) throw new UsageError(`bad -o argument '${name}'`)
    return { heading: heading ?? column[0], width: column[1], content: column[2] }
  })
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        const { width } = columns[index]!
        return width > 0 ? cell.padStart(width) : cell.padEnd(-width)
      })
      .join(' ')
      .trimEnd()
  const headings = columns.map(({ heading, width }) => (width > 0 ? heading.padEnd(width) : heading))
  if (headings.some((heading) => heading.trim() !== '')) await process.stdout.write(`${line(headings)}\n`)
  for (const row of process.system.processes()) {
    await process.stdout.write(`${line(columns.map(({ content }) => content(row)))}\n`)
  }
  return 0
})

export const kill: Program = applet(async (process, args) => {
  const [first, ...rest] = args
  const named = first !== undefined && /^-./.test(first)
  const name = first === '-s' ? rest[0] : first?.slice(1)
  const signal = named ? conditionNamed(name ?? '') : 'SIGTERM'
  if (signal === undefined || signal === 'EXIT') throw new UsageError(`bad signal name '${name}'`)
  const operands = first === '-s' ? rest.slice(1) : named ? rest : args
  if (operands.length === 0) throw new UsageError('you need to specify whom to kill')
  let status = 0
  for (const operand of operands) {
    if (process.system.kill(Number(operand), signal)) continue
    status = 1
    await process.stderr.write(`kill: can't kill pid ${operand}: No such process\n`)
  }
  return status
})

export const killall: Program = applet(async (process, args) => {
  const signal = args[0]?.startsWith('-') ? conditionNamed(args[0].slice(1)) : 'SIGTERM'
  if (signal === undefined || signal === 'EXIT') throw new UsageError(`bad signal name '${args[0]}'`)
  let status = 0
  for (const name of args.filter((arg) => !arg.startsWith('-'))) {
    const rows = process.system
      .processes()
      .filter(({ argv, pid }) => pid !== process.pid && argv[0]?.replace(/.*\//, '') === name)
    for (const { pid } of rows) process.system.kill(pid, signal)
    if (rows.length > 0) continue
    status = 1
    await process.stderr.write(`killall: ${name}: no process killed\n`)
  }
  return status
})

export const which: Program = applet(async (process, args) => {
  let status = 0
  for (const name of args.filter((arg) => !arg.startsWith('-'))) {
    const base = name.slice(name.lastIndexOf('/') + 1)
    if (process.system.programs.has(base))
      await process.stdout.write(`${name.includes('/') ? name : `/bin/${base}`}\n`)
    else status = 1
  }
  return status
})
