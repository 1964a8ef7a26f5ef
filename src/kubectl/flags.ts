// The grammar of kubectl's command line (that of spf13/pflag): short flags merged (`-it`, `-ojson`, `-n=x`), long
// flags with their value after `=` or as the next word, flags anywhere among the arguments, `--` ends them.

import { KubectlError } from './errors.js'

export type FlagKind = 'bool' | 'string' | 'list' | 'int' | 'duration'

export interface FlagSpec {
  readonly short?: string
  readonly kind: FlagKind
  /** The value of the bare flag (`--dry-run`); without it, a flag that is not a bool needs a value. */
  readonly bare?: string
  /** Shown by --help. */
  readonly help?: string
}

export type FlagSpecs = Readonly<Record<string, FlagSpec>>

const bool = (short?: string, help?: string): FlagSpec => spec('bool', short, help)
const text = (short?: string, help?: string): FlagSpec => spec('string', short, help)

function spec(kind: FlagKind, short?: string, help?: string): FlagSpec {
  return { kind, ...(short !== undefined && short !== '' && { short }), ...(help !== undefined && { help }) }
}

/** Short forms for tables of flags. */
export const Flag = {
  bool,
  text,
  list: (short?: string, help?: string): FlagSpec => spec('list', short, help),
  int: (short?: string, help?: string): FlagSpec => spec('int', short, help),
  duration: (short?: string, help?: string): FlagSpec => spec('duration', short, help),
  bare: (value: string, help?: string): FlagSpec => ({ ...spec('string', '', help), bare: value }),
}

/** Flags of every command (`kubectl options`); most concern a connection, which there is none of in process. */
export const GLOBAL_FLAGS: FlagSpecs = {
  namespace: text('n', 'If present, the namespace scope for this CLI request'),
  help: bool('h'),
  kubeconfig: text(),
  context: text(),
  cluster: text(),
  user: text(),
  server: text('s'),
  token: text(),
  as: text(),
  'request-timeout': text(),
  'insecure-skip-tls-verify': bool(),
  'match-server-version': bool(),
  v: Flag.int('v'),
}

/** The parsed command line. */
export class Flags {
  readonly args: readonly string[]
  /** How many of `args` stood before `--`; undefined without it. */
  readonly dashAt: number | undefined
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(
    args: readonly string[],
    dashAt: number | undefined,
    values: ReadonlyMap<string, readonly string[]>,
  ) {
    this.args = args
    this.dashAt = dashAt
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** The last value given. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1)
  }

  bool(name: string, otherwise = false): boolean {
    const value = this.text(name)
    return value === undefined ? otherwise : value === 'true'
  }

  int(name: string): number | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : Number(value)
  }

  /** Every value, in order. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  /** Every value, cut at commas. */
  list(name: string): string[] {
    return this.all(name).flatMap((value) => value.split(','))
  }

  /** Seconds; `5s`, `1m30s`, `2h`, `100ms`, or a bare number of seconds. */
  duration(name: string): number | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : parseDuration(value)
  }
}

/** Seconds of a Go duration; undefined when it is none. A bare number counts seconds. */
export function parseDuration(value: string): number | undefined {
  if (/^-?\d+$/.test(value)) return Number(value)
  const match = /^(-)?((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(value)
  if (match === null) return undefined
  const units: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }
  let seconds = 0
  for (const [, amount, unit] of match[2]!.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    seconds += Number(amount) * units[unit!]!
  }
  return match[1] === '-' ? -seconds : seconds
}

/** Fails as kubectl does: unknown flag, missing value, bad value. `command` is named in the hint. */
export function parseFlags(words: readonly string[], specs: FlagSpecs, command: string): Flags {
  return new FlagParser({ ...GLOBAL_FLAGS, ...specs }, command).parse(words)
}

class FlagParser {
  readonly #specs: FlagSpecs
  readonly #command: string
  readonly #values = new Map<string, string[]>()

  constructor(specs: FlagSpecs, command: string) {
    this.#specs = specs
    this.#command = command
  }

  parse(words: readonly string[]): Flags {
    const args: string[] = []
    let dashAt: number | undefined
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!
      if (word === '--') {
        dashAt = args.length
        args.push(...words.slice(at + 1))
        break
      }
      if (word.startsWith('--')) at += this.#long(word, words[at + 1])
      else if (word.startsWith('-') && word !== '-') at += this.#short(word, words[at + 1])
      else args.push(word)
    }
    return new Flags(args, dashAt, this.#values)
  }

  /** Both return how many words more than one were taken. */
  #long(word: string, next: string | undefined): number {
    const equals = word.indexOf('=')
    const name = word.slice(2, equals < 0 ? undefined : equals)
    if (name === '' || name.startsWith('-')) this.#fail(`bad flag syntax: ${word}`)
    const flag = Object.hasOwn(this.#specs, name) ? this.#specs[name] : undefined
    if (flag === undefined) this.#fail(`unknown flag: --${name}`)
    if (equals >= 0) return this.#set(name, flag, word.slice(equals + 1), `--${name}`)
    const bare = flag.kind === 'bool' ? 'true' : flag.bare
    if (bare !== undefined) return this.#set(name, flag, bare, `--${name}`)
    if (next === undefined) this.#fail(`flag needs an argument: --${name}`)
    this.#set(name, flag, next, `--${name}`)
    return 1
  }

  #short(word: string, next: string | undefined): number {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      const [name, flag] = Object.entries(this.#specs).find(([, { short }]) => short === letter) ?? []
      if (name === undefined || flag === undefined) {
        this.#fail(`unknown shorthand flag: '${letter}' in ${word}`)
      }
      const shown = `-${letter}, --${name}`
      if (word[at + 1] === '=') return this.#set(name, flag, word.slice(at + 2), shown)
      if (flag.kind === 'bool') {
        this.#set(name, flag, 'true', shown)
        continue
      }
      if (at + 1 < word.length) return this.#set(name, flag, word.slice(at + 1), shown)
      if (next === undefined) this.#fail(`flag needs an argument: '${letter}' in ${word}`)
      this.#set(name, flag, next, shown)
      return 1
    }
    return 0
  }

  #set(name: string, flag: FlagSpec, value: string, shown: string): 0 {
    const complain = (why: string) => this.#fail(`invalid argument "${value}" for "${shown}" flag: ${why}`)
    if (flag.kind === 'bool') {
      if (!/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
        complain(`strconv.ParseBool: parsing "${value}": invalid syntax`)
      }
      value = /^[1tT]/.test(value) ? 'true' : 'false'
    }
    if (flag.kind === 'int' && !/^[-+]?\d+$/.test(value)) {
      complain(`strconv.ParseInt: parsing "${value}": invalid syntax`)
    }
    if (flag.kind === 'duration' && parseDuration(value) === undefined) {
      complain(`time: invalid duration "${value}"`)
    }
    const values = this.#values.get(name) ?? []
    values.push(value)
    this.#values.set(name, values)
    return 0
  }

  #fail(message: string): never {
    throw new KubectlError(`error: ${message}\nSee 'kubectl ${this.#command} --help' for usage.`)
  }
}
