// Options of an applet, as getopt_long(3) reads them: letters that may be joined, arguments joined or apart, long options
// and their beginnings, `--`. Options after operands count too, as in GNU and busybox.

import type { Process } from '../../posix/process.js'

export interface Options {
  /** Options in order, by letter. */
  readonly given: readonly { readonly letter: string; readonly value: string }[]
  readonly operands: readonly string[]
  has(letter: string): boolean
  /** The last argument given to an option. */
  value(letter: string): string | undefined
}

/** A wrong invocation: the program prints it and ends with `status`. */
export class UsageError extends Error {
  readonly status: number
  constructor(message: string, status = 1) {
    super(message)
    this.status = status
  }
}

/**
 * Reads `args` by `specification`: letters, `:` after those with an argument, `::` after those whose argument may lack
 * and is joined otherwise, a leading `+` to stop at the first operand. `long` gives letters to long options. Throws
 * UsageError.
 */
export function parseOptions(
  args: readonly string[],
  specification: string,
  long: Readonly<Record<string, string>> = {},
): Options {
  const given: { letter: string; value: string }[] = []
  const operands: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    if (arg === '--') {
      operands.push(...args.slice(at + 1))
      break
    }
    if (!/^-./.test(arg)) {
      if (specification.startsWith('+')) {
        operands.push(...args.slice(at))
        break
      }
      operands.push(arg)
    } else if (arg.startsWith('--')) {
      const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? []
      const letter = longLetter(name ?? '', long)
      const wants = takesArgument(specification, letter) && !mayLackArgument(specification, letter)
      if (wants && value === undefined && at + 1 >= args.length)
        throw new UsageError(`option '--${name}' requires an argument`)
      given.push({ letter, value: value ?? (wants ? args[++at]! : '') })
    } else {
      at += readLetters(arg, args[at + 1], specification, given)
    }
  }
  return {
    given,
    operands,
    has: (letter) => given.some((option) => option.letter === letter),
    value: (letter) => given.findLast((option) => option.letter === letter)?.value,
  }
}

/** Reads `-abc`; returns how many further arguments were used. */
function readLetters(
  arg: string,
  next: string | undefined,
  specification: string,
  given: { letter: string; value: string }[],
): number {
  for (let at = 1; at < arg.length; at++) {
    const letter = arg[at]!
    if (letter === ':' || !specification.includes(letter))
      throw new UsageError(`invalid option -- '${letter}'`)
    if (!takesArgument(specification, letter)) {
      given.push({ letter, value: '' })
      continue
    }
    if (at + 1 < arg.length) {
      given.push({ letter, value: arg.slice(at + 1) })
      return 0
    }
    if (mayLackArgument(specification, letter)) {
      given.push({ letter, value: '' })
      return 0
    }
    if (next === undefined) throw new UsageError(`option requires an argument -- '${letter}'`)
    given.push({ letter, value: next })
    return 1
  }
  return 0
}

/** The letter of a long option, which may be cut short as long as there is one only that begins so. */
function longLetter(name: string, long: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(long, name)) return long[name]!
  const letters = new Set(
    Object.keys(long)
      .filter((known) => known.startsWith(name))
      .map((known) => long[known]!),
  )
  if (letters.size !== 1 || name === '') {
    throw new UsageError(`${letters.size > 1 ? 'ambiguous' : 'unrecognized'} option: --${name}`)
  }
  return [...letters][0]!
}

function mayLackArgument(specification: string, letter: string): boolean {
  return specification.includes(`${letter}::`)
}

function takesArgument(specification: string, letter: string): boolean {
  return specification.includes(`${letter}:`)
}

/** The name an applet was called by, for messages. */
export function nameOf(process: Process): string {
  const called = process.argv[0] ?? ''
  return called.slice(called.lastIndexOf('/') + 1)
}

/** Makes a program of `body`: a UsageError becomes a message and a status. */
export function applet(body: (process: Process, args: readonly string[]) => Promise<number>) {
  return async (process: Process): Promise<number> => {
    try {
      return await body(process, process.argv.slice(1))
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      await process.stderr.write(`${nameOf(process)}: ${error.message}\n`)
      return error.status
    }
  }
}

const POWERS = 'kmgtpe'

/** A whole number of an option, with GNU's suffixes: k, K and KiB are 1024, kB is 1000, b is 512; throws UsageError. */
export function parseCount(text: string): number {
  const match = /^([+-]?\d+)(?:b|([kmgtpe])(b|ib)?)?$/i.exec(text)
  if (match === null) throw new UsageError(`invalid number '${text}'`)
  const [, digits, letter, unit] = match
  if (letter === undefined) return Number(digits) * (/b$/i.test(text) ? 512 : 1)
  const base = unit?.toLowerCase() === 'b' ? 1000 : 1024
  return Number(digits) * base ** (POWERS.indexOf(letter.toLowerCase()) + 1)
}

/** A duration such as `1.5`, `200ms`, `2m`, in microseconds; throws UsageError. */
export function parseDuration(text: string): number {
  const match = /^(\d*\.?\d+|\d+\.)(ms|[smhd]?)$/.exec(text)
  if (match === null) throw new UsageError(`invalid number '${text}'`)
  const unit = { '': 1e6, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6, d: 86400e6 }[match[2]!] ?? 1e6
  return Math.round(Number(match[1]) * unit)
}
