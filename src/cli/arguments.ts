// Reads the words of a command line against a table of options, and single values; what is wrong becomes a
// UsageError with a hint. Which commands and options there are is options.ts.

import { parseArgs } from 'node:util'
import type { ClockKind, NetworkThreadCount, PodsPerThread } from '../drivers/emulation.js'
import { formatProxySetting, PROXY_MODES, parseProxySetting } from '../proxy/proxy-mode.js'
import { knownNames } from '../scenario/nearest.js'

/** A wrong command line: exit code 2. */
export class UsageError extends Error {
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'UsageError'
    this.hint = hint
  }
}

/** Options by name, as node:util reads them. */
export type OptionTable = Readonly<
  Record<
    string,
    { readonly type: 'string' | 'boolean'; readonly short?: string; readonly multiple?: boolean }
  >
>

/** What was said for the options of a table. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: ValueOf<Table[Name]['type'], Table[Name]['multiple']>
}
type ValueOf<Type, Multiple> = Multiple extends true ? Single<Type>[] : Single<Type>
type Single<Type> = Type extends 'string' ? string : boolean

export interface ReadArguments<Table extends OptionTable> {
  readonly values: OptionValues<Table>
  readonly operands: readonly string[]
}

/** Splits `args` into options and the rest. Throws UsageError for an option that is not in the table. */
export function readArguments<Table extends OptionTable>(
  args: readonly string[],
  options: Table,
): ReadArguments<Table> {
  try {
    const read = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    return { values: read.values as OptionValues<Table>, operands: read.positionals }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    const unknown = /Unknown option '(-+[\w-]+)'/.exec(message)?.[1]
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknown !== undefined) {
      const names = Object.keys(options).map((name) => `--${name}`)
      throw new UsageError(`unknown option ${unknown}`, knownNames(unknown, names))
    }
    const ambiguous = /^Option '(-+[\w-]+)' argument is ambiguous/.exec(message)?.[1]
    if (ambiguous !== undefined)
      throw new UsageError(
        `${ambiguous}: a value that begins with "-"`,
        `${ambiguous}${ambiguous.startsWith('--') ? '=' : ''}VALUE`,
      )
    throw new UsageError(message.split('\n')[0]!)
  }
}

/** One of `known`. */
export function choiceOption<Value extends string>(
  name: string,
  value: string | undefined,
  known: readonly Value[],
): Value | undefined {
  if (value === undefined || known.includes(value as Value)) return value as Value | undefined
  throw new UsageError(`--${name} ${value}: unknown value`, knownNames(value, known))
}

export function integerOption(
  name: string,
  value: string | undefined,
  largest = 0xffff_ffff,
  least = 0,
): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= least && number <= largest) return number
  throw new UsageError(`--${name} ${value}: not a whole number from ${least} to ${largest}`)
}

/** How many pods share a thread: `all`, or a number from 1 on. */
export function podsPerThreadOption(value: string | undefined, clock: ClockKind): PodsPerThread | undefined {
  if (value === undefined) return undefined
  if (clock !== 'real')
    throw new UsageError(
      '--pods-per-thread is for real time: the virtual clock runs everything in one thread',
      '--clock real',
    )
  const number = Number(value)
  if (value === 'all') return value
  if (/^\d+$/.test(value) && number >= 1 && number <= 0xffff_ffff) return number
  throw new UsageError(`--pods-per-thread ${value}: neither a whole number from 1 on nor all`)
}

/** Among how many threads the nodes are dealt: `per-node`, or a number from 1 on. */
export function networkThreadsOption(
  value: string | undefined,
  clock: ClockKind,
): NetworkThreadCount | undefined {
  if (value === undefined) return undefined
  if (clock !== 'real')
    throw new UsageError(
      '--network-threads is for real time: the virtual clock runs everything in one thread',
      '--clock real',
    )
  const number = Number(value)
  if (value === 'per-node') return value
  if (/^\d+$/.test(value) && number >= 1 && number <= 0xffff_ffff) return number
  throw new UsageError(`--network-threads ${value}: neither a whole number from 1 on nor per-node`)
}

export function dateOption(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/.exec(value) ?? []
  // Date.parse takes February 30 for March 2.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (day !== undefined && Number(day) <= lastDay && !Number.isNaN(Date.parse(value))) return value
  throw new UsageError(`--${name} ${value}: not a date and time`, 'such as 2021-09-13T12:36:28Z')
}

/** `also`: words that are no mode and welcome all the same. */
export function proxyModeOption(value: string | undefined, also: readonly string[] = []): string | undefined {
  if (value === undefined || also.includes(value)) return value
  try {
    return formatProxySetting(parseProxySetting(value))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const known = [...PROXY_MODES, 'ipvs:SCHEDULER', ...also]
    throw new UsageError(`--proxy-mode ${value}: unknown value`, knownNames(value, known))
  }
}
