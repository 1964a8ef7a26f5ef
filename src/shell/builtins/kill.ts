// kill: signals to processes, groups (`-PID`) and jobs (`%1`).

import { SIGNAL_NUMBER, type SignalName } from '../../posix/process.js'
import { CommandError } from '../control-flow.js'
import { isStopped } from '../job-table.js'
import { signalNames, signalTable } from '../signal-names.js'
import type { Builtin, BuiltinCall } from './builtin.js'
import { conditionNamed } from './control.js'

const kill: Builtin = async (call) => {
  const { shell, args } = call
  if (args[0] === '-l' || args[0] === '-L') return await list(call)
  let signal: SignalName | undefined = 'SIGTERM'
  let operands = [...args]
  const [first] = args
  if (first !== undefined && /^-./.test(first) && first !== '--') {
    const apart = first === '-s' || first === '-n'
    const name = apart ? args[1] : first.slice(1)
    operands = operands.slice(apart ? 2 : 1)
    signal = name === '0' ? undefined : signalNamed(name ?? '', shell.isBash)
  }
  if (operands[0] === '--') operands.shift()
  if (operands.length === 0) {
    const usage =
      'kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]'
    throw new CommandError(
      shell.isBash ? usage : 'kill: you need to specify whom to kill',
      shell.isBash ? 2 : 1,
    )
  }
  let status = 0
  for (const operand of operands) if (!(await killOne(call, operand, signal))) status = 1
  return status
}

function signalNamed(name: string, isBash: boolean): SignalName {
  const condition = conditionNamed(name)
  if (condition !== undefined && condition in SIGNAL_NUMBER) return condition as SignalName
  throw new CommandError(
    isBash ? `kill: ${name}: invalid signal specification` : `kill: bad signal name '${name}'`,
    1,
  )
}

/** `kill -l`, and with a number (a status is one, too) the name of it. */
async function list({ args, io, shell }: BuiltinCall): Promise<number> {
  if (args.length === 1) {
    await io.stdout.write(signalTable(shell.isBash))
    return 0
  }
  const entries = signalNames()
  for (const operand of args.slice(1)) {
    const number = Number(operand) > 128 ? Number(operand) - 128 : Number(operand)
    const found = entries.find(
      ([n, name]) => n === number || name === operand.toUpperCase().replace(/^SIG/, ''),
    )
    if (found === undefined) throw new CommandError(`kill: ${operand}: invalid signal specification`, 1)
    await io.stdout.write(`${/^\d+$/.test(operand) ? found[1] : found[0]}\n`)
  }
  return 0
}

/** Sends `signal`; undefined: only asks whether there is such a process. */
async function killOne(
  { shell, io }: BuiltinCall,
  operand: string,
  signal: SignalName | undefined,
): Promise<boolean> {
  const job = shell.jobs.find(operand)
  if (operand.startsWith('%')) {
    if (job === undefined) {
      await shell.complain(io, `kill: ${operand}: no such job`)
      return false
    }
    if (signal === undefined || job.status !== undefined) return job.status === undefined
    shell.signalJob(job, signal)
    // A stopped job would hear of it only when it goes on.
    if (isStopped(job) && (signal === 'SIGTERM' || signal === 'SIGHUP')) shell.signalJob(job, 'SIGCONT')
    return true
  }
  if (!/^-?\d+$/.test(operand)) {
    const bash = `kill: ${operand}: arguments must be process or job IDs`
    await shell.complain(io, shell.isBash ? bash : `kill: invalid number '${operand}'`)
    return false
  }
  const pid = Number(operand)
  const { system } = shell.process
  const known = system.processes().some((row) => (pid < 0 ? row.group === -pid : row.pid === pid))
  if (known && signal !== undefined) system.kill(pid, signal)
  if (!known) {
    const bash = `kill: (${operand}) - No such process`
    await shell.complain(io, shell.isBash ? bash : `kill: can't kill pid ${operand}: No such process`)
  }
  return known
}

export const killBuiltins: Readonly<Record<string, Builtin>> = { kill }
