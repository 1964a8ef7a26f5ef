// Builtins for jobs: jobs, wait, fg, bg, disown. What a job is: job-table.ts; kill: kill.ts.

import { SIGNAL_NUMBER, type SignalName } from '../../posix/process.js'
import { assignReference } from '../assignment.js'
import { CommandError } from '../control-flow.js'
import { isStopped, type Job } from '../job-table.js'
import type { Shell } from '../shell.js'
import type { Builtin, BuiltinCall } from './builtin.js'

function jobNamed(shell: Shell, command: string, text: string | undefined): Job {
  const job = shell.jobs.find(text === undefined || text.startsWith('%') ? (text ?? '%%') : text)
  const byName = job ?? (text === undefined || text.startsWith('%') ? undefined : shell.jobs.find(`%${text}`))
  if (byName === undefined) throw new CommandError(`${command}: ${text ?? 'current'}: no such job`, 1)
  return byName
}

const jobs: Builtin = async ({ shell, args, io }) => {
  const flags = args.filter((arg) => /^-[lnprsx]+$/.test(arg)).join('')
  const operands = args.filter((arg) => !arg.startsWith('-'))
  const listed =
    operands.length > 0
      ? operands.map((text) => jobNamed(shell, 'jobs', text))
      : [...shell.jobs.inherited, ...shell.jobs.all]
  for (const job of [...listed]) {
    if (flags.includes('r') && (job.status !== undefined || isStopped(job))) continue
    if (flags.includes('s') && !isStopped(job)) continue
    const line = flags.includes('p')
      ? `${job.children[0]?.pid}\n`
      : shell.jobs.line(job, shell.isBash, flags.includes('l'))
    await io.stdout.write(line)
    job.told = true
    if (job.status !== undefined) shell.jobs.forget(job)
  }
  return 0
}

interface WaitOptions {
  readonly next: boolean
  /** Where the pid goes that -n waited for. */
  readonly variable: string | undefined
  readonly operands: readonly string[]
}

function waitOptions(args: readonly string[]): WaitOptions {
  let next = false
  let variable: string | undefined
  let at = 0
  for (; /^-[fnp]+$/.test(args[at] ?? ''); at++) {
    next ||= args[at]!.includes('n')
    if (args[at]!.endsWith('p')) variable = args[++at]
  }
  return { next, variable, operands: args.slice(args[at] === '--' ? at + 1 : at) }
}

const UNKNOWN_JOB_STATUS = 127

const wait: Builtin = async (call) => {
  const { shell, args, io } = call
  const options = waitOptions(args)
  if (options.next) return await waitForNext(call, options)
  const waited =
    options.operands.length === 0
      ? [...shell.jobs.all]
      : options.operands.map((text) => shell.jobs.find(text) ?? text)
  let status = 0
  for (const job of waited) {
    if (typeof job === 'string') {
      const reason = job.startsWith('%') ? 'no such job' : 'is not a child of this shell'
      await shell.complain(io, `wait: ${job.startsWith('%') ? `${job}:` : `pid ${job}`} ${reason}`)
      status = UNKNOWN_JOB_STATUS
      continue
    }
    const ended = await shell.waitOrTrap(statusOf(job))
    if (ended === undefined) return await interruptedStatus(shell, io)
    if (!shell.interactive) shell.jobs.forget(job)
    status = options.operands.length === 0 ? 0 : ended
    if (options.variable) await assignReference(shell, options.variable, String(pidOf(job)), io)
  }
  return status
}

function statusOf(job: Job): Promise<number> {
  return Promise.all(job.children.map(({ exited }) => exited)).then((statuses) => statuses.at(-1)!)
}

function pidOf(job: Job): number {
  return job.children.at(-1)!.pid
}

/** A trapped signal ends wait at once with more than 128 (POSIX 2.11). */
async function interruptedStatus(shell: Shell, io: BuiltinCall['io']): Promise<number> {
  const signal = (await shell.runTraps(io)) as SignalName
  return 128 + SIGNAL_NUMBER[signal]
}

/** `wait -n`: whichever ends first. */
async function waitForNext({ shell, io }: BuiltinCall, { operands, variable }: WaitOptions): Promise<number> {
  const candidates =
    operands.length === 0
      ? [...shell.jobs.all]
      : operands.flatMap((text) => {
          const job = shell.jobs.find(text)
          return job === undefined ? [] : [job]
        })
  if (candidates.length === 0) return UNKNOWN_JOB_STATUS
  const first = await shell.waitOrTrap(
    Promise.race(candidates.map((job) => statusOf(job).then((status) => ({ job, status })))),
  )
  if (first === undefined) return await interruptedStatus(shell, io)
  shell.jobs.forget(first.job)
  if (variable) await assignReference(shell, variable, String(pidOf(first.job)), io)
  return first.status
}

function needJobControl(shell: Shell, command: string): void {
  if (!shell.controlsJobs) throw new CommandError(`${command}: no job control`, 1)
}

export const foreground: Builtin = async ({ shell, args, io }) => {
  needJobControl(shell, 'fg')
  const job = jobNamed(shell, 'fg', args[0])
  await io.stdout.write(`${job.text}\n`)
  return await shell.continueInForeground(job, io)
}

const background: Builtin = async ({ shell, args, io }) => {
  needJobControl(shell, 'bg')
  for (const text of args.length > 0 ? args : [undefined]) {
    const job = jobNamed(shell, 'bg', text)
    if (!isStopped(job)) {
      await shell.complain(io, `bg: job ${job.id} already in background`)
      continue
    }
    shell.jobs.touch(job)
    job.told = false
    shell.signalJob(job, 'SIGCONT')
    const mark = job === shell.jobs.current ? '+' : job === shell.jobs.previous ? '-' : ' '
    await io.stdout.write(`[${job.id}]${mark} ${job.text} &\n`)
  }
  return 0
}

const disown: Builtin = async ({ shell, args }) => {
  const flags = args.filter((arg) => /^-[ahr]+$/.test(arg)).join('')
  const operands = args.filter((arg) => !arg.startsWith('-'))
  const all = flags.includes('a') || flags.includes('r')
  const chosen = all
    ? shell.jobs.all.filter((job) => !flags.includes('r') || !isStopped(job))
    : (operands.length > 0 ? operands : [undefined]).map((text) => jobNamed(shell, 'disown', text))
  // With -h it stays in the table; hanging up ends no job here.
  if (!flags.includes('h')) for (const job of [...chosen]) shell.jobs.forget(job)
  return 0
}

export const jobBuiltins: Readonly<Record<string, Builtin>> = {
  jobs,
  wait,
  fg: foreground,
  bg: background,
  disown,
}
