// Builtins for what a process is allowed: umask, ulimit; and times.

import { CommandError } from '../control-flow.js'
import type { Builtin } from './builtin.js'

const CLASSES = { u: 6, g: 3, o: 0 } as const

const umask: Builtin = async ({ shell, args, io }) => {
  const { process } = shell
  const operand = args.find((arg) => !/^-[pS]+$/.test(arg))
  if (operand === undefined) {
    const text = args.includes('-S') ? symbolic(process.umask) : process.umask.toString(8).padStart(4, '0')
    await io.stdout.write(`${args.includes('-p') ? 'umask ' : ''}${text}\n`)
    return 0
  }
  if (/^[0-7]{1,4}$/.test(operand)) process.umask = Number.parseInt(operand, 8) & 0o777
  else if (/^\d+$/.test(operand)) throw new CommandError(`umask: ${operand}: octal number out of range`, 1)
  else process.umask = changed(process.umask, operand)
  return 0
}

/** `u=rwx,g=rx,o=`: what the mask leaves. */
function symbolic(mask: number): string {
  const letters = (bits: number) => `${bits & 4 ? 'r' : ''}${bits & 2 ? 'w' : ''}${bits & 1 ? 'x' : ''}`
  return Object.entries(CLASSES)
    .map(([name, shift]) => `${name}=${letters((~mask >> shift) & 7)}`)
    .join(',')
}

function changed(mask: number, text: string): number {
  let allowed = ~mask & 0o777
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)([-+=])([rwx]*)$/.exec(clause)
    if (match === null) throw new CommandError(`umask: \`${clause}': invalid symbolic mode operator`, 1)
    const who = match[1] === '' || match[1]!.includes('a') ? 'ugo' : match[1]!
    const bits = [...match[3]!].reduce((sum, c) => sum | { r: 4, w: 2, x: 1 }[c]!, 0)
    for (const [name, shift] of Object.entries(CLASSES)) {
      if (!who.includes(name)) continue
      if (match[2] === '=') allowed &= ~(7 << shift)
      allowed = match[2] === '-' ? allowed & ~(bits << shift) : allowed | (bits << shift)
    }
  }
  return ~allowed & 0o777
}

/** The limits that a container usually has; what is set is remembered by nothing, because nothing is limited by it. */
const LIMITS: Readonly<Record<string, readonly [name: string, unit: string, value: string]>> = {
  R: ['real-time non-blocking time', '(microseconds, -R)', 'unlimited'],
  c: ['core file size', '(blocks, -c)', '0'],
  d: ['data seg size', '(kbytes, -d)', 'unlimited'],
  f: ['file size', '(blocks, -f)', 'unlimited'],
  l: ['max locked memory', '(kbytes, -l)', '64'],
  m: ['max memory size', '(kbytes, -m)', 'unlimited'],
  n: ['open files', '(-n)', '1048576'],
  s: ['stack size', '(kbytes, -s)', '8192'],
  t: ['cpu time', '(seconds, -t)', 'unlimited'],
  u: ['max user processes', '(-u)', '1024'],
  v: ['virtual memory', '(kbytes, -v)', 'unlimited'],
}

const ulimit: Builtin = async ({ args, io }) => {
  const flags = args
    .filter((arg) => arg.startsWith('-'))
    .join('')
    .replace(/[-HS]/g, '')
  const [value] = args.filter((arg) => !arg.startsWith('-'))
  if (flags.includes('a')) {
    for (const [name, unit, limit] of Object.values(LIMITS)) {
      await io.stdout.write(`${name.padEnd(28)}${unit.padStart(20)} ${limit}\n`)
    }
    return 0
  }
  const letter = flags === '' ? 'f' : flags.at(-1)!
  const limit = LIMITS[letter]
  if (limit === undefined) throw new CommandError(`ulimit: -${letter}: invalid option`, 2)
  if (value === undefined) await io.stdout.write(`${limit[2]}\n`)
  else if (!/^(\d+|unlimited|soft|hard)$/.test(value)) {
    throw new CommandError(`ulimit: ${value}: invalid number`, 1)
  }
  return 0
}

const times: Builtin = async ({ shell, io }) => {
  const { system, pid } = shell.process
  const micros = system.processes().find((row) => row.pid === pid)?.processorTime ?? 0
  const text = `${Math.floor(micros / 60e6)}m${((micros / 1e6) % 60).toFixed(3)}s`
  await io.stdout.write(`${text} 0m0.000s\n0m0.000s 0m0.000s\n`)
  return 0
}

export const limitBuiltins: Readonly<Record<string, Builtin>> = { umask, ulimit, times }
