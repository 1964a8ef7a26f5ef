// Command-line options as getopt_long reads them: clusters of letters, `-ofile` and `-o file`, `--name value` and
// `--name=value`, options and operands mixed, `--` as the end. Knows nothing of what they mean.

/** One option by all its names, the last with `=` when it takes a value: `['o', 'output=']`. */
export type OptionNames = readonly string[]

export interface ParsedOptions {
  /** Whether the option with this first name was given. */
  has(name: string): boolean
  /** Its last value. */
  value(name: string): string | undefined
  /** All its values, in order. */
  values(name: string): readonly string[]
  readonly operands: readonly string[]
}

/** The first thing that is wrong with a command line. */
export interface OptionMistake {
  readonly mistake: 'unknown' | 'no value'
  /** As it was given: `-x` or `--name`. */
  readonly option: string
}

interface Target {
  readonly name: string
  readonly takesValue: boolean
}

export function parseOptions(
  args: readonly string[],
  specification: readonly OptionNames[],
): ParsedOptions | OptionMistake {
  const targets = targetsOf(specification)
  const given = new Map<string, string[]>()
  const operands: string[] = []
  const note = (name: string, value: string) => given.set(name, [...(given.get(name) ?? []), value])
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === '--') {
      operands.push(...args.slice(index + 1))
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      operands.push(arg)
    } else if (arg.startsWith('--')) {
      const [key, inline] = splitOnce(arg.slice(2), '=')
      const target = key.length > 1 ? targets.get(key) : undefined
      if (target === undefined) return { mistake: 'unknown', option: `--${key}` }
      const value = target.takesValue ? (inline ?? args[++index]) : ''
      if (value === undefined) return { mistake: 'no value', option: `--${key}` }
      note(target.name, value)
    } else {
      for (let at = 1; at < arg.length; at++) {
        const target = targets.get(arg[at]!)
        if (target === undefined) return { mistake: 'unknown', option: `-${arg[at]}` }
        if (!target.takesValue) {
          note(target.name, '')
          continue
        }
        const value = at + 1 < arg.length ? arg.slice(at + 1) : args[++index]
        if (value === undefined) return { mistake: 'no value', option: `-${arg[at]}` }
        note(target.name, value)
        break
      }
    }
  }
  return {
    has: (name) => given.has(name),
    value: (name) => given.get(name)?.at(-1),
    values: (name) => given.get(name) ?? [],
    operands,
  }
}

function targetsOf(specification: readonly OptionNames[]): Map<string, Target> {
  const targets = new Map<string, Target>()
  for (const names of specification) {
    const takesValue = names.at(-1)!.endsWith('=')
    const plain = names.map((name) => name.replace(/=$/, ''))
    for (const name of plain) targets.set(name, { name: plain[0]!, takesValue })
  }
  return targets
}

/** The text before and after the first `separator`; the second is undefined without one. */
export function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** A decimal number of at least 0, undefined when `text` is none. */
export function parseDecimal(text: string): number | undefined {
  return /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined
}

/** What busybox' getopt says about a mistake, before its usage. */
export function busyboxMistake(name: string, { mistake, option }: OptionMistake): string {
  const letter = option.replace(/^-/, '')
  if (option.startsWith('--')) return `${name}: unrecognized option '${option}'\n`
  return mistake === 'unknown'
    ? `${name}: unrecognized option: ${letter}\n`
    : `${name}: option requires an argument: ${letter}\n`
}
