// The state of a shell, all that a subshell gets a copy of: variables, positional parameters, functions, options,
// aliases, traps, the last status. No input or output here.

import type { CompoundCommand, Redirected } from 'unbash'

export type FunctionBody = CompoundCommand | Redirected

/** A variable: text, or the elements of an indexed array (holes are unset). */
export interface Variable {
  readonly value: string | readonly (string | undefined)[]
  readonly exported: boolean
  readonly readOnly: boolean
}

/** Options of `set` by their long names. */
export type ShellOption =
  | 'errexit'
  | 'nounset'
  | 'xtrace'
  | 'noglob'
  | 'noexec'
  | 'verbose'
  | 'allexport'
  | 'pipefail'

/** The message of a refused assignment. */
export class ReadOnlyVariable extends Error {
  constructor(name: string) {
    super(`${name}: is read only`)
  }
}

export class ShellState {
  readonly variables: Map<string, Variable>
  readonly functions: Map<string, FunctionBody>
  readonly aliases: Map<string, string>
  readonly options: Set<ShellOption>
  /** Commands by condition: `EXIT`, `SIGINT`, ...; an empty text ignores the signal. */
  readonly traps: Map<string, string>
  positional: readonly string[]
  /** `$0`, and the name in front of messages. */
  readonly name: string
  /** `$$`: the pid of the shell itself, also in its subshells. */
  readonly shellPid: number
  /** `$?` */
  status = 0
  /** `$!` */
  lastBackgroundPid: number | undefined
  /** Variables to put back when the functions that made them local return, innermost last. */
  readonly locals: Map<string, Variable | undefined>[] = []
  /** Hears how much more (or less) its variables keep in memory: Process.hold. */
  onHold: (bytes: number) => void = () => {}
  /** Where getopts stands inside an argument such as `-abc`. */
  getoptsOffset = 1

  constructor(name: string, shellPid: number, positional: readonly string[] = []) {
    this.name = name
    this.shellPid = shellPid
    this.positional = positional
    this.variables = new Map()
    this.functions = new Map()
    this.aliases = new Map()
    this.options = new Set()
    this.traps = new Map()
  }

  /** The state of a subshell: a copy; traps are reset except for ignored signals (POSIX 2.12). */
  fork(): ShellState {
    const copy = new ShellState(this.name, this.shellPid, this.positional)
    for (const [name, variable] of this.variables) copy.variables.set(name, variable)
    for (const [name, body] of this.functions) copy.functions.set(name, body)
    for (const [name, text] of this.aliases) copy.aliases.set(name, text)
    for (const option of this.options) copy.options.add(option)
    for (const [condition, command] of this.traps) if (command === '') copy.traps.set(condition, command)
    for (const frame of this.locals) copy.locals.push(new Map(frame))
    copy.status = this.status
    copy.lastBackgroundPid = this.lastBackgroundPid
    return copy
  }

  /** The text of a variable (of an array: element 0). */
  get(name: string): string | undefined {
    const value = this.variables.get(name)?.value
    return typeof value === 'object' ? value[0] : value
  }

  /** Assigns; keeps export and refuses a read-only variable by throwing ReadOnlyVariable. */
  set(name: string, value: Variable['value']): void {
    const old = this.variables.get(name)
    if (old?.readOnly) throw new ReadOnlyVariable(name)
    this.onHold(sizeOf(value) - (old === undefined ? 0 : sizeOf(old.value)))
    const exported = old?.exported ?? this.options.has('allexport')
    this.variables.set(name, { value, exported, readOnly: false })
  }

  /** Assigns element `index` of an array; a negative index counts from the end. */
  setElement(name: string, index: number, value: string): void {
    const old = this.variables.get(name)?.value
    const elements = typeof old === 'object' ? [...old] : old === undefined ? [] : [old]
    elements[index < 0 ? elements.length + index : index] = value
    this.set(name, elements)
  }

  /** The elements of an array that are set; a plain variable is an array of one. */
  elements(name: string): string[] {
    const value = this.variables.get(name)?.value
    if (value === undefined) return []
    return typeof value === 'string' ? [value] : value.filter((element) => element !== undefined)
  }

  unset(name: string): void {
    if (this.variables.get(name)?.readOnly) throw new ReadOnlyVariable(name)
    this.variables.delete(name)
  }

  /** Makes `name` part of the environment; a name without value waits for one. */
  export(name: string, exported = true): void {
    const old = this.variables.get(name)
    if (old === undefined && !exported) return
    this.variables.set(name, { value: old?.value ?? '', readOnly: old?.readOnly ?? false, exported })
  }

  markReadOnly(name: string): void {
    const old = this.variables.get(name)
    this.variables.set(name, { value: old?.value ?? '', exported: old?.exported ?? false, readOnly: true })
  }

  /** Makes `name` local to the running function; false outside of one. */
  makeLocal(name: string): boolean {
    const frame = this.locals.at(-1)
    if (frame === undefined) return false
    if (!frame.has(name)) frame.set(name, this.variables.get(name))
    return true
  }

  enterFunction(): void {
    this.locals.push(new Map())
  }

  leaveFunction(): void {
    for (const [name, variable] of this.locals.pop() ?? []) {
      if (variable === undefined) this.variables.delete(name)
      else this.variables.set(name, variable)
    }
  }

  /** The environment of a program started now. */
  environment(): Map<string, string> {
    const environment = new Map<string, string>()
    for (const [name, variable] of this.variables) {
      if (variable.exported && typeof variable.value === 'string') environment.set(name, variable.value)
    }
    return environment
  }
}

/** Bytes that a value takes; an element costs about as much as a short text. */
function sizeOf(value: Variable['value']): number {
  if (typeof value === 'string') return value.length
  let sum = 16 * value.length
  for (const element of value) sum += element?.length ?? 0
  return sum
}
