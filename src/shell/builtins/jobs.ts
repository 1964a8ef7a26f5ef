// Builtins for background commands: jobs, wait, kill, fg, bg. Simplified: a job is never stopped (no ^Z).

import { SIGNAL_NUMBER, type SignalName } from '../../posix/process.js'
import { CommandError } from '../control-flow.js'
import type { Job, Shell } from '../shell.js'
import type { Builtin } from './builtin.js'
import { conditionNamed } from './control.js'

/** `%1`, `%%`, `%name` or a pid. */
function findJob(shell: Shell, text: string): Job | undefined {
  if (!text.startsWith('%')) return shell.jobs.find((job) => String(job.child.pid) === text)
  const name = text.slice(1)
  if (name === '' || name === '%' || name === '+') return shell.jobs.at(-1)
  if (name === '-') return shell.jobs.at(-2) ?? shell.jobs.at(-1)
  return shell.jobs.find((job) => (/^\d+$/.test(name) ? job.id === Number(name) : job.text.startsWith(name)))
}

function forget(shell: Shell, job: Job): void {
  const at = shell.jobs.indexOf(job)
  if (at >= 0) shell.jobs.splice(at, 1)
}

/** `Running` and the like, as `jobs` has it. */
export function jobLine(shell: Shell, job: Job): string {
  const mark = job === shell.jobs.at(-1) ? '+' : job === shell.jobs.at(-2) ? '-' : ' '
  const state = job.status === undefined ? 'Running' : endOf(job.status)
  return `[${job.id}]${mark}  ${state.padEnd(27)}${job.text}\n`
}

function endOf(status: number): string {
  if (status === 0) return 'Done'
  const signal = Object.entries(SIGNAL_NUMBER).find(([, number]) => 128 + number === status)?.[0]
  if (signal === 'SIGTERM') return 'Terminated'
  return signal === 'SIGKILL' ? 'Killed' : `Done(${status})`
}

const jobs: Builtin = async ({ shell, args, io }) => {
  const lines = shell.jobs.map((job) => (args.includes('-p') ? `${job.child.pid}\n` : jobLine(shell, job)))
  for (const job of [...shell.jobs]) if (job.status !== undefined) forget(shell, job)
  await io.stdout.write(lines.join(''))
  return 0
}

const wait: Builtin = async ({ shell, args, io }) => {
  const operands = args.filter((arg) => !arg.startsWith('-'))
  const waited = operands.length === 0 ? [...shell.jobs] : operands.map((text) => findJob(shell, text))
  let status = 0
  for (const job of waited) {
    if (job === undefined) {
      status = 127
      continue
    }
    const ended = await shell.waitOrTrap(job.child.exited)
    if (ended === undefined) {
      // A trapped signal ends wait at once with more than 128 (POSIX 2.11).
      const signal = (await shell.runTraps(io)) as SignalName
      return 128 + SIGNAL_NUMBER[signal]
    }
    forget(shell, job)
    status = operands.length === 0 ? 0 : ended
  }
  return status
}

const kill: Builtin = async ({ shell, args, io }) => {
  if (args[0] === '-l') {
    await io.stdout.write(
      `${Object.entries(SIGNAL_NUMBER)
        .map(([name, n]) => `${n}) ${name}`)
        .join('\n')}\n`,
    )
    return 0
  }
  let signal: SignalName | undefined = 'SIGTERM'
  let operands = [...args]
  let probe = false
  const [first] = args
  if (first !== undefined && /^-./.test(first) && first !== '--') {
    const name = first === '-s' || first === '-n' ? args[1] : first.slice(1)
    operands = operands.slice(first === '-s' || first === '-n' ? 2 : 1)
    probe = name === '0'
    const condition = probe ? 'SIGTERM' : conditionNamed(name ?? '')
    if (condition === undefined || condition === 'EXIT')
      throw new CommandError(`kill: bad signal name '${name}'`, 1)
    signal = condition
  }
  if (operands[0] === '--') operands.shift()
  if (operands.length === 0) throw new CommandError('kill: you need to specify whom to kill', 1)
  let status = 0
  for (const operand of operands) if (!(await killOne(operand))) status = 1
  return status

  async function killOne(operand: string): Promise<boolean> {
    const job = findJob(shell, operand)
    if (job !== undefined && job.status === undefined) {
      if (!probe) job.child.kill(signal!)
      return true
    }
    if (!/^-?\d+$/.test(operand)) {
      await shell.complain(
        io,
        operand.startsWith('%') ? `kill: ${operand}: no such job` : `kill: invalid number '${operand}'`,
      )
      return false
    }
    const pid = Math.abs(Number(operand))
    const { system } = shell.process
    const known = system.processes().some((row) => row.pid === pid)
    if (known && !probe) system.kill(pid, signal!)
    if (!known) await shell.complain(io, `kill: can't kill pid ${operand}: No such process`)
    return known
  }
}

const foreground: Builtin = async ({ shell, args, io }) => {
  const job = findJob(shell, args[0] ?? '%%')
  if (job === undefined) throw new CommandError(`fg: ${args[0] ?? '%%'}: no such job`, 2)
  await io.stdout.write(`${job.text}\n`)
  const status = await shell.waitForeground(job.child)
  forget(shell, job)
  return status
}

export const jobBuiltins: Readonly<Record<string, Builtin>> = {
  jobs,
  wait,
  kill,
  fg: foreground,
  bg: () => 0,
}
